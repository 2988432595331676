//! Registries: one from the start, changed with their revision; and what they select, in lists as in memory.

use std::collections::BTreeSet;
use std::sync::Arc;

use portreeve_core::name::RegistryName;
use portreeve_core::ports::VersionFilter;
use portreeve_core::route::RouteState;
use portreeve_core::server::Lifecycle;
use portreeve_core::view::{Readers, RegistryRecord, Selection};
use portreeve_core::visibility::Visibility;

use super::listing::all;
use super::{Durable, Outcome, assert_conflict};
use crate::store_fixtures::{at, event, new_entry, parse, route, version};

fn set<T: std::str::FromStr + Ord>(texts: &[&str]) -> BTreeSet<T> {
    texts.iter().map(|text| parse(text)).collect()
}

pub(super) fn partners() -> RegistryRecord {
    RegistryRecord {
        name: parse("partners"),
        title: "Partners".to_owned(),
        description: "What partners run".to_owned(),
        visibility: Readers::Only(["key:deploy".to_owned()].into()),
        selection: Selection {
            tags: ["partner".to_owned()].into(),
            environments: set(&["production"]),
            lifecycles: vec![Lifecycle::Production],
            namespaces: set(&["com.acme.*"]),
        },
        auto_approve: vec![parse("com.acme")],
        approver_differs: true,
        revision: 1,
        created_at: at(1),
        updated_at: at(2),
    }
}

/// The default registry is there, for everybody and of everything; another is read as it was saved, and goes.
pub async fn a_registry_is_made_changed_and_removed(store: &dyn Durable) -> Outcome {
    let found = store.registries().await?;
    let first: Vec<_> = found
        .iter()
        .map(|record| (&record.name, &record.visibility))
        .collect();
    assert_eq!(first, [(&RegistryName::main(), &Readers::Anonymous)]);
    assert!(
        found
            .iter()
            .all(|record| record.selection.is_everything() && !record.approver_differs)
    );

    let generation = store.generation().await?;
    store
        .add_registry(&partners(), 2, event("registry.create"))
        .await?;
    assert_eq!(store.generation().await?, generation + 1, "nodes are told");
    assert!(store.registries().await?.contains(&partners()));
    assert!(store.snapshot(None).await?.registries.contains(&partners()));
    let mut third = partners();
    third.name = parse("third");
    assert_conflict(store.add_registry(&third, 2, event("registry.create")).await);
    assert_conflict(store.add_registry(&partners(), 9, event("registry.create")).await);

    let mut changed = partners();
    changed.visibility = Readers::Members;
    changed.selection = Selection::default();
    assert_eq!(store.save_registry(&changed, event("registry.change")).await?, 2);
    assert_conflict(store.save_registry(&changed, event("registry.change")).await);
    let name = parse("partners");
    assert_conflict(store.remove_registry(&name, 1, event("registry.delete")).await);
    store.remove_registry(&name, 2, event("registry.delete")).await?;
    assert_eq!(store.registries().await?.len(), 1);
    Ok(())
}

/// Six servers that differ in what a registry can select by.
async fn fill(store: &dyn Durable) -> Outcome {
    let servers = [
        ("com.acme/billing", "finance", "production", Lifecycle::Production),
        ("com.acme/tickets", "desk", "test", Lifecycle::Preview),
        ("com.acme.tools/lint", "finance", "test", Lifecycle::Production),
        (
            "com.acmecorp/billing",
            "desk",
            "production",
            Lifecycle::Deprecated,
        ),
        ("com.Acme/upper", "finance", "off", Lifecycle::Production),
        ("org.other/thing", "", "production", Lifecycle::Preview),
    ];
    for (index, (name, tag, environment, lifecycle)) in servers.into_iter().enumerate() {
        let mut latest = version(name, "2.0.0");
        (latest.is_latest, latest.lifecycle) = (true, lifecycle);
        let mut change = new_entry(name, vec![version(name, "1.0.0"), latest]);
        if !tag.is_empty() {
            change.server.profile.tags = vec![tag.to_owned(), "common".to_owned()];
        }
        let mut served = route(name, "2.0.0", &format!("slug-{index}"));
        if environment == "off" {
            served.state = RouteState::Inactive;
        } else {
            served.environment = parse(environment);
        }
        change.routes = vec![served];
        store.save(change).await?;
    }
    Ok(())
}

/// Whatever a registry selects, the list holds exactly the servers that it admits, page by page.
pub async fn lists_hold_what_a_registry_selects(store: &dyn Durable) -> Outcome {
    fill(store).await?;
    let tags = |tags: &[&str]| tags.iter().map(|tag| (*tag).to_owned()).collect::<BTreeSet<_>>();
    let mut selections = vec![Selection::default()];
    for tags in [tags(&["finance"]), tags(&["desk", "finance"]), tags(&["nothing"])] {
        for environments in [set(&[]), set(&["production"]), set(&["test", "production"])] {
            for lifecycles in [vec![], vec![Lifecycle::Production, Lifecycle::Preview]] {
                for namespaces in [set(&[]), set(&["com.acme"]), set(&["com.acme.*", "org.other"])] {
                    selections.push(Selection {
                        tags: tags.clone(),
                        environments: environments.clone(),
                        lifecycles: lifecycles.clone(),
                        namespaces,
                    });
                }
            }
        }
    }
    let mut most = 0;
    for selection in selections {
        let mut expected = Vec::new();
        for item in store.list(&all()).await?.items {
            let entry = store.entry(&item.version.name).await?;
            if entry.is_some_and(|entry| selection.admits(&entry)) {
                expected.push((item.version.name.to_string(), item.version.version.to_string()));
            }
        }
        let mut query = all();
        query.visibility = Visibility::Selected(Arc::new(selection.clone()));
        query.limit = 3;
        let mut found = Vec::new();
        loop {
            let page = store.list(&query).await?;
            let place = |item: &portreeve_core::ports::ListedVersion| {
                (item.version.name.to_string(), item.version.version.to_string())
            };
            found.extend(page.items.iter().map(place));
            if !page.more {
                break;
            }
            query.after = found.last().cloned();
        }
        assert_eq!(found, expected, "{selection:?}");
        query.after = None;
        query.versions = VersionFilter::Latest;
        query.limit = 50;
        assert_eq!(
            store.list(&query).await?.items.len() * 2,
            expected.len(),
            "{selection:?}"
        );
        most = most.max(found.len());
    }
    assert_eq!(most, 12, "the default selection holds everything");
    Ok(())
}
