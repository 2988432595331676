//! Icons: kept once, shown by whoever names them, gone when nobody does.

use portreeve_core::icon::{Icon, IconFacts, IconKind, IconTheme, NamedIcon};
use portreeve_core::id::IconId;
use portreeve_core::ports::IconLook;
use portreeve_core::server::{Approval, Lifecycle};

use super::{Durable, Outcome};
use crate::store_fixtures::{CountingRng, SteppingClock, at, event, new_entry, parse, version};

const NAME: &str = "com.acme/billing";
const OTHER: &str = "com.acme/mail";

fn icon(content: &str) -> Icon {
    Icon {
        id: IconId::new(&SteppingClock::default(), &CountingRng),
        hash: format!("hash of {content}"),
        kind: IconKind::Webp,
        bytes: [b"\0\xff", content.as_bytes()].concat(),
    }
}

fn named(url: &str, theme: Option<IconTheme>, icon: Option<&Icon>) -> NamedIcon {
    NamedIcon {
        path: "icons[0]".to_owned(),
        url: url.to_owned(),
        theme,
        problem: icon.is_none().then(|| "it is no picture".to_owned()),
        icon: icon.map(|icon| IconFacts {
            id: icon.id,
            hash: icon.hash.clone(),
            kind: icon.kind,
            size: icon.bytes.len() as u64,
        }),
        checked_at: at(9),
    }
}

fn look(name: &str, icons: Vec<NamedIcon>, fetched: Vec<Icon>) -> IconLook {
    IconLook {
        server: parse(name),
        revision: 1,
        at: at(9),
        again_at: None,
        icons,
        fetched,
        events: vec![event("server.icons")],
    }
}

/// One picture that two entries name is kept once, and leaves with the last of them.
pub async fn a_picture_is_kept_while_somebody_names_it(store: &dyn Durable) -> Outcome {
    for name in [NAME, OTHER] {
        store.save(new_entry(name, vec![version(name, "1.0.0")])).await?;
    }
    let generation = store.generation().await?;
    let (light, dark) = (icon("light"), icon("dark"));
    let names = vec![
        named("https://a.example/dark", Some(IconTheme::Dark), Some(&dark)),
        named("https://a.example/none", None, None),
        named("https://a.example/light", None, Some(&light)),
    ];
    let first = look(NAME, names.clone(), vec![light.clone(), dark.clone()]);
    store.save_icons(vec![first]).await?;
    assert_eq!(store.icons_of(&parse(NAME)).await?, names);
    assert_eq!(store.icon(light.id).await?, Some(light.clone()));

    // The same content under another identity: the first one stays.
    let again = Icon {
        id: icon("x").id,
        ..light.clone()
    };
    let other = named("https://b.example/icon", None, Some(&again));
    store
        .save_icons(vec![look(OTHER, vec![other], vec![again.clone()])])
        .await?;
    assert_eq!(store.icon(again.id).await?, None);
    let faces = store
        .icon_faces(&[parse(OTHER), parse(NAME), parse("com.acme/none")])
        .await?;
    let faces: Vec<_> = faces
        .iter()
        .map(|face| (face.server.as_str(), face.id, face.theme))
        .collect();
    assert_eq!(
        faces,
        [
            (NAME, dark.id, Some(IconTheme::Dark)),
            (NAME, light.id, None),
            (OTHER, light.id, None)
        ]
    );
    assert_eq!(store.generation().await?, generation, "no decision depends on it");

    store.save_icons(vec![look(NAME, Vec::new(), Vec::new())]).await?;
    assert_eq!(store.icons_of(&parse(NAME)).await?, []);
    assert_eq!(store.icon(dark.id).await?, None);
    assert_eq!(store.icon(light.id).await?, Some(light.clone()));
    store.remove(&parse(OTHER), 1, event("server.remove")).await?;
    assert_eq!(store.icon(light.id).await?, None);
    // A look at what is gone harms nothing.
    store
        .save_icons(vec![look(OTHER, Vec::new(), Vec::new())])
        .await?;
    assert_eq!(store.icons_of(&parse(OTHER)).await?, []);
    Ok(())
}

/// An entry is looked at once it is listed, again when it changed, and again when its time has come.
pub async fn an_entry_is_looked_at_when_it_changed(store: &dyn Durable) -> Outcome {
    let mut waiting = version(OTHER, "1.0.0");
    waiting.approval = Approval::Submitted;
    let mut retired = version("com.acme/old", "1.0.0");
    retired.lifecycle = Lifecycle::Retired;
    let listed = version(NAME, "1.0.0");
    store.save(new_entry(NAME, vec![listed.clone()])).await?;
    store.save(new_entry(OTHER, vec![waiting])).await?;
    store.save(new_entry("com.acme/old", vec![retired])).await?;
    let due = async |millis| {
        let due = store.icons_due(at(millis), None, 9).await;
        due.map(|due| {
            due.servers
                .iter()
                .map(|due| due.server.to_string())
                .collect::<Vec<_>>()
        })
    };
    assert_eq!(due(0).await?, [NAME]);
    let quiet = IconLook {
        events: Vec::new(),
        ..look(NAME, Vec::new(), Vec::new())
    };
    store.save_icons(vec![quiet.clone()]).await?;
    assert_eq!(due(100).await?, [""; 0]);
    let later = IconLook {
        again_at: Some(at(50)),
        ..quiet
    };
    store.save_icons(vec![later]).await?;
    assert_eq!(due(49).await?, [""; 0]);
    assert_eq!(due(50).await?, [NAME]);
    let mut changed = new_entry(NAME, vec![listed]);
    changed.expected = Some(1);
    store.save(changed).await?;
    assert_eq!(due(0).await?, [NAME]);
    // The entries are looked through a few at a time: every one of them once, whatever is due.
    let (mut behind, mut found, mut asked) = (None, Vec::new(), 0);
    loop {
        let part = store.icons_due(at(0), behind.as_ref(), 1).await?;
        found.extend(part.servers);
        asked += 1;
        behind = part.last;
        if behind.is_none() {
            break;
        }
    }
    let [found] = &*found else { panic!("{found:?}") };
    assert_eq!((found.server.as_str(), found.is_known), (NAME, false));
    assert_eq!(asked, 4);
    Ok(())
}
