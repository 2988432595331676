//! What exists for whom, where the default registry is for some: the same at every door.

use portreeve_core::caller::Caller;
use portreeve_core::name::RegistryName;
use portreeve_core::view::{Readers, Selection};
use portreeve_registry::install::Launch;
use portreeve_registry::{EntriesQuery, ProfilePatch, RegistryError, RegistryPatch, SearchQuery};

use crate::world::{NAME, URL, World, admin, caller, package, remote};

/// Three servers in a default registry for `reader` alone: `user` may discover the first, the second is in a registry for
/// `partner`, and nobody else has anything to do with the third.
async fn closed() -> World {
    let world = World::new();
    for name in [NAME, "com.partner/tickets", "com.acme/secret"] {
        world.approved(&package(name, "1.0.0")).await;
    }
    let tagged = ProfilePatch {
        tags: Some(vec!["partner".to_owned()]),
        ..ProfilePatch::default()
    };
    let name = "com.partner/tickets".parse().unwrap();
    world
        .registry
        .describe(&admin(), &name, tagged, None)
        .await
        .unwrap();
    // A category is no tag: no registry selects by it.
    let categorised = ProfilePatch {
        categories: Some(vec!["partner".to_owned()]),
        ..ProfilePatch::default()
    };
    let name = "com.acme/secret".parse().unwrap();
    world
        .registry
        .describe(&admin(), &name, categorised, None)
        .await
        .unwrap();
    let only = |label: &str| Some(Readers::Only([label.to_owned()].into()));
    let default = RegistryPatch {
        visibility: only("key:reader"),
        ..RegistryPatch::default()
    };
    world
        .registry
        .change_registry(&admin(), &RegistryName::main(), default, None)
        .await
        .unwrap();
    let partners = RegistryPatch {
        visibility: only("key:partner"),
        selection: Some(Selection {
            tags: ["partner".to_owned()].into(),
            ..Selection::default()
        }),
        ..RegistryPatch::default()
    };
    world
        .registry
        .create_registry(&admin(), "partners".parse().unwrap(), partners)
        .await
        .unwrap();
    world
}

async fn listed(world: &World, who: &Caller) -> Vec<String> {
    let page = world
        .registry
        .entries(who, EntriesQuery::default())
        .await
        .unwrap();
    assert_eq!(page.next_cursor, None);
    let items = page.items.into_iter();
    items.map(|item| item.version.name.to_string()).collect()
}

async fn found(world: &World, who: &Caller, text: &str) -> (Vec<String>, usize) {
    let query = SearchQuery {
        text: text.to_owned(),
        ..SearchQuery::default()
    };
    let page = world.registry.search(who, query).await.unwrap();
    let mut names: Vec<_> = page
        .items
        .into_iter()
        .map(|found| found.listed.version.name.to_string())
        .collect();
    names.sort();
    (names, page.found)
}

#[tokio::test]
async fn an_entry_that_a_caller_may_not_see_does_not_exist_for_him() {
    let world = closed().await;
    let all = [NAME, "com.acme/secret", "com.partner/tickets"];
    for (who, sees) in [
        ("admin", &all[..]),
        ("key:reader", &all),
        ("user", &[NAME]),
        ("publisher", &[NAME]),
        ("key:partner", &["com.partner/tickets"]),
        ("stranger", &[]),
    ] {
        let who = caller(who);
        assert_eq!(listed(&world, &who).await, sees, "{}", who.label);
        for text in ["", "runs here"] {
            let names = found(&world, &who, text).await;
            assert_eq!(
                names,
                (sees.iter().map(|name| (*name).to_owned()).collect(), sees.len())
            );
        }
        for name in all {
            let entry = world.registry.entry(&who, &name.parse().unwrap()).await;
            let exists = match entry {
                Ok(_) => true,
                Err(RegistryError::NotFound { .. }) => false,
                Err(other) => panic!("{other}"),
            };
            assert_eq!(exists, sees.contains(&name), "{name} for {}", who.label);
        }
    }
    let nobody = Caller::anonymous();
    let refused = world.registry.entries(&nobody, EntriesQuery::default()).await;
    assert!(matches!(refused, Err(RegistryError::Unauthenticated)));
}

#[tokio::test]
async fn what_does_not_exist_for_somebody_is_no_word_that_he_could_have_meant() {
    let world = closed().await;
    let corrected = async |who: &str| {
        let query = SearchQuery {
            text: "secrte".to_owned(),
            ..SearchQuery::default()
        };
        world
            .registry
            .search(&caller(who), query)
            .await
            .unwrap()
            .corrected
    };
    assert_eq!(corrected("key:reader").await.len(), 1);
    assert_eq!(corrected("key:partner").await, []);
}

#[tokio::test]
async fn a_page_for_who_sees_little_goes_on_where_the_looking_ended() {
    let world = closed().await;
    for number in 0..1_050 {
        let mut entry = world.store.get("com.acme/secret");
        entry.server.name = format!("com.crowd/server-{number:04}").parse().unwrap();
        entry.versions[0].name = entry.server.name.clone();
        world.store.put(entry);
    }
    let who = caller("key:partner");
    let first = world
        .registry
        .entries(&who, EntriesQuery::default())
        .await
        .unwrap();
    assert!(first.items.is_empty(), "a thousand were looked at");
    let next = EntriesQuery {
        cursor: first.next_cursor,
        ..EntriesQuery::default()
    };
    let second = world.registry.entries(&who, next).await.unwrap();
    assert_eq!(second.items.len(), 1);
    assert_eq!(second.next_cursor, None);
}

/// What somebody installs of the only server: the gallery, the gateway's address, and whether a host is told to look it up.
async fn installed(world: &World, who: &str) -> Option<(Option<String>, String, bool)> {
    let (who, name) = (caller(who), NAME.parse().unwrap());
    let entry = world.registry.entry(&who, &name).await.unwrap();
    let version = entry.versions.first().unwrap();
    let found = world.registry.installable(&who, &entry, version).await.unwrap()?;
    let found = world
        .registry
        .installation_of(&found.served, &entry, found.registry.as_ref());
    let offer = &found.offers[0];
    let Launch::Http { url, .. } = &offer.setup.launch else {
        panic!("{:?}", offer.setup.launch);
    };
    let mut snippets = offer.hosts.iter().flat_map(|host| &host.snippets);
    let is_looked_up = snippets.any(|snippet| snippet.is_looked_up);
    assert!(offer.hosts.iter().any(|host| host.id == "vscode"));
    Some((found.gallery.clone(), url.clone(), is_looked_up))
}

#[tokio::test]
async fn who_was_let_in_installs_what_no_registry_of_his_lists() {
    let world = World::new();
    world.approved(&remote(NAME, "1.0.0", URL)).await;
    let only = |label: &str| RegistryPatch {
        visibility: Some(Readers::Only([label.to_owned()].into())),
        selection: Some(Selection::default()),
        ..RegistryPatch::default()
    };
    world
        .registry
        .change_registry(&admin(), &RegistryName::main(), only("key:reader"), None)
        .await
        .unwrap();
    world
        .registry
        .create_registry(&admin(), "partners".parse().unwrap(), only("key:partner"))
        .await
        .unwrap();
    let at = |gallery: Option<&str>| {
        let is_looked_up = gallery.is_some();
        let gallery = gallery.map(|path| format!("https://gw.example{path}"));
        Some((
            gallery,
            "https://gw.example/s/billing/mcp".to_owned(),
            is_looked_up,
        ))
    };
    assert_eq!(installed(&world, "key:reader").await, at(Some("")));
    assert_eq!(
        installed(&world, "key:partner").await,
        at(Some("/registries/partners"))
    );
    // He may call it, so he is told how; no host of his can read a registry that has it.
    assert_eq!(installed(&world, "user").await, at(None));
    // Who publishes it sees it, and may not call it.
    assert_eq!(installed(&world, "publisher").await, None);
}
