//! The shelf finds what a plain look through all entries finds, whichever way it came about.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use portreeve_core::ports::{
    ServedEntry, ServedOrder, ServedQuery, ServedRoute, ServedVersion, VersionFilter, VersionQuery,
};
use portreeve_core::route::Entrance;
use portreeve_core::served::{RemotesText, ServedText};
use portreeve_core::server::Lifecycle;
use portreeve_core::time::Timestamp;
use portreeve_core::view::Selection;
use portreeve_core::visibility::Visibility;
use proptest::collection::{btree_set, vec};
use proptest::option;
use proptest::prelude::*;
use url::Url;

use super::{BLOCK_BYTES, Shelf};
use crate::serve::document::RemoteTexts;

type World = BTreeMap<String, ServedEntry>;

fn lifecycle() -> impl Strategy<Value = Lifecycle> {
    prop_oneof![
        Just(Lifecycle::Production),
        Just(Lifecycle::Preview),
        Just(Lifecycle::Retired)
    ]
}

fn name() -> impl Strategy<Value = String> {
    "(com|org)\\.[abA]{1,2}(\\.x)?/[a-c]{1,2}"
}

fn served_version() -> impl Strategy<Value = ServedVersion> {
    let routes = vec(
        (
            prop_oneof![Just("production"), Just("test")],
            proptest::sample::select(Entrance::ALL),
            "[a-z]{2,6}",
        ),
        0..3,
    );
    // Some fill more than a block.
    let filling = prop_oneof![8 => 0_usize..300, 1 => BLOCK_BYTES / 3..BLOCK_BYTES * 2];
    (
        lifecycle(),
        any::<bool>(),
        (0_i64..6, 0_i64..6),
        "[a-cÄß]{0,4}",
        filling,
        routes,
    )
        .prop_map(
            |(lifecycle, is_latest, (published, updated), title, filling, routes)| {
                let filling = "x".repeat(filling);
                let document =
                    format!("{{\"title\":\"no\",\"title\":\"{title}\",\"description\":1,\"x\":\"{filling}\"");
                ServedVersion {
                    version: String::new(),
                    lifecycle,
                    is_latest,
                    published_at: Timestamp::from_millis(published),
                    updated_at: Timestamp::from_millis(updated),
                    text: ServedText {
                        head: format!("{{\"server\":{document}"),
                        tail: format!("}},\"_meta\":{{\"at\":{updated}}}}}"),
                    },
                    routes: routes
                        .into_iter()
                        .map(|(environment, entrance, slug)| ServedRoute {
                            environment: environment.parse().unwrap(),
                            entrance,
                            slug: slug.parse().unwrap(),
                        })
                        .collect(),
                }
            },
        )
}

fn entry() -> impl Strategy<Value = ServedEntry> {
    let versions = vec(served_version(), 1..5);
    let tags = btree_set("[tu]", 0..2);
    (name(), tags, option::of(lifecycle()), versions).prop_map(|(name, tags, stage, mut versions)| {
        for (index, version) in versions.iter_mut().enumerate() {
            version.version = format!("{}.0.0", index + 1);
        }
        let routes = versions.iter().flat_map(|version| &version.routes);
        ServedEntry {
            name,
            tags,
            stage,
            environments: routes.map(|route| route.environment.clone()).collect(),
            versions,
        }
    })
}

fn selection() -> impl Strategy<Value = Selection> {
    (
        btree_set("[tu]", 0..2),
        option::of(Just("test")),
        option::of(lifecycle()),
        option::of(prop_oneof![Just("com.a"), Just("com.A.*"), Just("org.b")]),
    )
        .prop_map(|(tags, environment, stage, namespace)| Selection {
            tags,
            environments: environment.into_iter().map(|one| one.parse().unwrap()).collect(),
            lifecycles: stage.into_iter().collect(),
            namespaces: namespace.into_iter().map(|one| one.parse().unwrap()).collect(),
        })
}

fn query() -> impl Strategy<Value = ServedQuery> {
    let versions = prop_oneof![
        Just(VersionFilter::Any),
        Just(VersionFilter::Latest),
        Just(VersionFilter::Exact("2.0.0".to_owned())),
    ];
    let after = option::of((name(), "[1-4].0.0"));
    let among = option::of(vec(name(), 0..4));
    let environments = prop_oneof![Just(vec!["production"]), Just(vec!["production", "test"])];
    (
        (versions, selection(), option::of(0_i64..6), any::<bool>()),
        (after, 1_u32..9, option::of("[a-cä]{1,2}")),
        (among, any::<bool>(), environments),
    )
        .prop_map(
            |(
                (versions, selection, since, include_retired),
                (after, limit, search),
                (among, is_newest, environments),
            )| {
                let is_newest = is_newest && among.is_some();
                let visibility = if selection.is_everything() {
                    Visibility::Listed
                } else {
                    Visibility::Selected(Arc::new(selection))
                };
                ServedQuery {
                    versions: VersionQuery {
                        visibility,
                        search,
                        versions,
                        updated_since: since.map(Timestamp::from_millis),
                        include_retired,
                        after: after.filter(|_| !is_newest),
                        limit,
                    },
                    among,
                    order: if is_newest {
                        ServedOrder::Newest
                    } else {
                        ServedOrder::Name
                    },
                    remotes: remotes(&environments),
                }
            },
        )
}

fn remotes(environments: &[&str]) -> RemotesText {
    let url = Url::parse("https://gw.example").unwrap();
    RemoteTexts::of(&url).within(environments.iter().map(|one| one.parse().unwrap()).collect())
}

/// What a question finds, by looking at everything.
fn expected(world: &World, query: &ServedQuery) -> (String, usize, Option<(String, String)>) {
    let asked = &query.versions;
    let mut found: Vec<(&ServedEntry, &ServedVersion)> = Vec::new();
    for entry in world.values() {
        let is_among = query
            .among
            .as_ref()
            .is_none_or(|names| names.contains(&entry.name));
        if is_among && admits(&asked.visibility, entry) {
            let versions = entry
                .versions
                .iter()
                .filter(|version| is_meant(asked, &entry.name, version));
            found.extend(versions.map(|version| (entry, version)));
        }
    }
    if query.order == ServedOrder::Newest {
        found.sort_by(|(_, one), (_, other)| {
            (other.published_at, &other.version).cmp(&(one.published_at, &one.version))
        });
    }
    let more = found.len() > asked.limit as usize;
    found.truncate(asked.limit as usize);
    let texts: Vec<String> = found
        .iter()
        .map(|(_, version)| {
            let shown = version.routes.iter();
            let shown = shown.filter(|route| query.remotes.environments.contains(&route.environment));
            let shown: Vec<_> = shown.map(|route| (route.slug.clone(), route.entrance)).collect();
            version.text.joined(&shown, &query.remotes)
        })
        .collect();
    let last = found.last().filter(|_| more);
    let next = last.map(|(entry, version)| (entry.name.clone(), version.version.clone()));
    (texts.join(","), found.len(), next)
}

fn admits(visibility: &Visibility, entry: &ServedEntry) -> bool {
    let Visibility::Selected(selection) = visibility else {
        return true;
    };
    let name = entry.name.parse().unwrap();
    (selection.tags.is_empty() || !selection.tags.is_disjoint(&entry.tags))
        && (selection.environments.is_empty() || !selection.environments.is_disjoint(&entry.environments))
        && (selection.lifecycles.is_empty()
            || entry
                .stage
                .is_some_and(|stage| selection.lifecycles.contains(&stage)))
        && (selection.namespaces.is_empty() || selection.namespaces.iter().any(|one| one.matches(&name)))
}

fn is_meant(asked: &VersionQuery, name: &str, version: &ServedVersion) -> bool {
    let is_behind = asked
        .after
        .as_ref()
        .is_none_or(|(after, last)| match asked.versions {
            VersionFilter::Latest => name > after.as_str(),
            _ => (name, version.version.as_str()) > (after.as_str(), last.as_str()),
        });
    let is_filtered = match &asked.versions {
        VersionFilter::Any => true,
        VersionFilter::Latest => version.is_latest,
        VersionFilter::Exact(text) => version.version == *text,
    };
    let contains = |needle: &String| {
        let document = version.text.head.strip_prefix("{\"server\":").unwrap();
        let document: serde_json::Value = serde_json::from_str(&format!("{document}}}")).unwrap();
        let title = document["title"].as_str().unwrap().to_lowercase();
        name.to_lowercase().contains(&needle.to_lowercase()) || title.contains(&needle.to_lowercase())
    };
    is_behind
        && is_filtered
        && (asked.include_retired || version.lifecycle != Lifecycle::Retired)
        && asked.updated_since.is_none_or(|since| version.updated_at > since)
        && asked.search.as_ref().is_none_or(contains)
}

/// A shelf that came about by these steps, and what is on it.
fn follow(steps: &[Vec<(ServedEntry, bool)>]) -> (Shelf, World) {
    let (mut shelf, mut world) = (Shelf::default(), World::new());
    for step in steps {
        let mut names = BTreeSet::new();
        for (entry, stays) in step {
            names.insert(entry.name.clone());
            if *stays {
                world.insert(entry.name.clone(), entry.clone());
            } else {
                world.remove(&entry.name);
            }
        }
        let entries = names.iter().filter_map(|name| world.get(name)).cloned().collect();
        let names: Vec<String> = names.into_iter().collect();
        shelf = shelf.with(&names, entries).unwrap();
    }
    (shelf, world)
}

fn steps() -> impl Strategy<Value = Vec<Vec<(ServedEntry, bool)>>> {
    vec(vec((entry(), prop::bool::weighted(0.8)), 1..8), 1..6)
}

proptest! {
    #[test]
    fn what_is_found_is_what_a_look_at_everything_finds(steps in steps(), queries in vec(query(), 12)) {
        let (shelf, world) = follow(&steps);
        for query in &queries {
            let found = shelf.find(query).unwrap().unwrap();
            let mut text = Vec::new();
            found.write(&query.remotes, &mut text).unwrap();
            let text = String::from_utf8(text).unwrap();
            prop_assert!(found.size(&query.remotes) >= text.len());
            let (expected, count, next) = expected(&world, query);
            prop_assert_eq!(&text, &expected, "{:?}", query);
            prop_assert_eq!(found.len(), count);
            if query.order == ServedOrder::Name {
                prop_assert_eq!(found.next(), next);
            }
        }
    }

    #[test]
    fn two_answers_are_told_apart_exactly_where_they_differ(one in steps(), other in steps(), query in query()) {
        let mut seen: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        let mut texts = BTreeSet::new();
        for steps in [&one, &other, &one] {
            let found = follow(steps).0.find(&query).unwrap().unwrap();
            let mut text = Vec::new();
            found.write(&query.remotes, &mut text).unwrap();
            texts.insert(text.clone());
            if let Some(same) = seen.insert(found.marks(&query.remotes), text.clone()) {
                prop_assert_eq!(same, text);
            }
        }
        prop_assert_eq!(seen.len(), texts.len());
    }

    #[test]
    fn blocks_stay_of_one_size_however_a_shelf_grows(steps in steps()) {
        let (shelf, world) = follow(&steps);
        let versions: usize = world.values().map(|entry| entry.versions.len()).sum();
        let bytes: usize = super::size_of(&world.into_values().collect::<Vec<_>>());
        prop_assert!(shelf.blocks.len() <= versions.min(2 + 4 * bytes / BLOCK_BYTES), "{}", shelf.blocks.len());
        for pair in shelf.blocks.windows(2) {
            prop_assert!(pair[0].last_key() < pair[1].last_key());
        }
        let whole: usize = shelf.blocks.iter().map(|block| block.bytes()).sum();
        prop_assert_eq!(shelf.bytes(), whole);
    }
}

#[test]
fn who_sees_everything_is_not_answered_from_the_shelf() {
    let query = ServedQuery {
        versions: VersionQuery {
            visibility: Visibility::All,
            search: None,
            versions: VersionFilter::Any,
            updated_since: None,
            include_retired: true,
            after: None,
            limit: 10,
        },
        among: None,
        order: ServedOrder::Name,
        remotes: remotes(&["production"]),
    };
    assert!(Shelf::default().find(&query).unwrap().is_none());
}
