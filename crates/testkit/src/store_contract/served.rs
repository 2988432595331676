//! Versions as hosts read them: what the engine joins is what the texts of the versions say, and it follows every change.

use std::collections::BTreeSet;
use std::sync::Arc;

use portreeve_core::name::{Environment, Slug};
use portreeve_core::ports::{
    Entry, RouteChange, ServedCut, ServedEntry, ServedItems, ServedOrder, ServedQuery, VersionFilter,
    VersionQuery,
};
use portreeve_core::route::{Access, Entrance, Route, RouteState};
use portreeve_core::served::{RemoteText, RemotesText, ServedText};
use portreeve_core::server::{Approval, Lifecycle, Version};
use portreeve_core::view::Selection;
use portreeve_core::visibility::Visibility;

use super::listing::all;
use super::{Durable, Outcome};
use crate::store_fixtures::{at, event, new_entry, parse, route, version};

/// A question for a page by name, with the remotes of these environments.
pub fn asked(versions: VersionQuery, environments: &[&str]) -> ServedQuery {
    let around = |entrance: &str| RemoteText {
        before: format!("{{\"entrance\":\"{entrance}\",\"url\":\"https://gw/s/"),
        after: "/mcp\"}".to_owned(),
    };
    ServedQuery {
        versions,
        among: None,
        order: ServedOrder::Name,
        remotes: RemotesText {
            environments: environments.iter().map(|name| parse(name)).collect(),
            anonymous: around("anonymous"),
            key: around("key"),
            sign_in: around("sign-in"),
        },
    }
}

/// A version in a state of its own, whose document is not written the way we would.
fn one(name: &str, text: &str, place: i64) -> Version {
    let mut one = version(name, text);
    one.document = format!(
        "{{ \"name\": \"{name}\", \"description\":\"Größe {place}\\u0000, with \\\"marks\\\"\",\n \"version\": \"{text}\", \
         \"remotes\":[{{\"url\":\"https://up.example/\"}}], \"x\": {{ \"b\" : 1.50, \"a\":[ ] }}, \"_meta\": \
         {{\"io.modelcontextprotocol.registry/publisher-provided\": {{\"n\" :{place}}}, \"other\": 1}} }}"
    );
    let lifecycles = [
        Lifecycle::Production,
        Lifecycle::Deprecated,
        Lifecycle::Retired,
        Lifecycle::Preview,
    ];
    one.lifecycle = lifecycles[place as usize % lifecycles.len()];
    one.approval = match place % 7 {
        5 => Approval::Draft,
        6 => Approval::Submitted,
        _ => Approval::Approved,
    };
    one.status_message = (place % 3 == 0).then(|| "old, \"very\" old".to_owned());
    one.is_latest = text == "3.0.0";
    one.published_at = at(place * 37 % 11);
    one.updated_at = at(100 + place);
    one
}

fn routes(name: &str, place: usize) -> Vec<Route> {
    let slug = name.to_lowercase().replace(['.', '/', '_'], "-");
    let numbered = |major: Option<u64>, environment: &str, version: &str| {
        let end = major.map_or_else(String::new, |major| format!("--v{major}"));
        let mut one = route(name, version, &format!("{slug}-{environment}{end}"));
        one.environment = parse(environment);
        one.major = major.map(|major| parse(&major.to_string()));
        one
    };
    let mut all = vec![
        numbered(None, "production", "3.0.0"),
        numbered(Some(10), "production", "3.0.0"),
        numbered(Some(3), "production", "3.0.0"),
        numbered(Some(2), "production", "2.0.0"),
        numbered(None, "test", "3.0.0"),
        numbered(None, "development", "1.0.0"),
    ];
    for (index, one) in all.iter_mut().enumerate() {
        if (index + place).is_multiple_of(3) {
            one.access = Access::Anonymous;
        }
        // Open and without keys, too.
        one.credentials.keys = (index + place) % 4 < 2;
        if (index + place) % 5 == 4 {
            one.state = RouteState::Inactive;
        }
    }
    all.truncate(place % 7);
    all
}

async fn fill(store: &dyn Durable) -> Outcome {
    for (place, name) in [
        "com.acme/a",
        "com.acme/B",
        "com.acme/a-b",
        "org.other/a_b",
        "com.acme/z",
        "org.z/z",
    ]
    .into_iter()
    .enumerate()
    {
        let versions = ["1.0.0", "10.0.0", "2.0.0", "3.0.0"].into_iter().zip(0_i64..);
        let versions = versions.map(|(text, number)| one(name, text, place as i64 * 5 + number));
        let mut entry = new_entry(name, versions.collect());
        entry.routes = routes(name, place + 1);
        entry.server.profile.tags = if place.is_multiple_of(2) {
            vec!["even".to_owned()]
        } else {
            Vec::new()
        };
        store.save(entry).await?;
    }
    Ok(())
}

/// What the parts say that a page is.
async fn expected(
    store: &dyn Durable,
    query: &ServedQuery,
) -> Result<ServedItems, portreeve_core::ports::StoreError> {
    let everything = VersionQuery {
        limit: 1_000,
        ..query.versions.clone()
    };
    let mut found: Vec<Version> = Vec::new();
    for item in store.list(&everything).await?.items {
        let is_asked = |names: &Vec<String>| names.iter().any(|name| *name == item.version.name.as_str());
        if item.version.approval == Approval::Approved && query.among.as_ref().is_none_or(is_asked) {
            found.push(item.version);
        }
    }
    if query.order == ServedOrder::Newest {
        found.sort_by(|one, other| {
            (other.published_at, other.version.as_str()).cmp(&(one.published_at, one.version.as_str()))
        });
    }
    let limit = query.versions.limit as usize;
    let more = found.len() > limit;
    found.truncate(limit);
    let (mut items, mut cuts) = (String::new(), Vec::new());
    for version in &found {
        let text = ServedText::of(version).unwrap_or_else(|| panic!("{version:?} has a text"));
        if !items.is_empty() {
            items.push(',');
        }
        let begin = items.len();
        items += &text.joined(&faces(store, query, version).await?, &query.remotes);
        cuts.push(ServedCut {
            whole: begin..items.len(),
            remotes: begin + text.head.len()..items.len() - text.tail.len(),
        });
    }
    let last = found.last().filter(|_| more);
    Ok(ServedItems {
        items,
        count: found.len(),
        cuts,
        next: last.map(|last| (last.name.to_string(), last.version.to_string())),
    })
}

async fn faces(
    store: &dyn Durable,
    query: &ServedQuery,
    version: &Version,
) -> Result<Vec<(Slug, Entrance)>, portreeve_core::ports::StoreError> {
    let entry = store.entry(&version.name).await?;
    let mut routes = entry.map(|entry| entry.routes).unwrap_or_default();
    routes.retain(|route| {
        route.version == version.version
            && route.state == RouteState::Active
            && query.remotes.environments.contains(&route.environment)
            && version.is_listed()
    });
    routes.sort_by_key(|route| {
        let is_production = route.environment == Environment::production();
        (!is_production, route.major, route.slug.clone())
    });
    Ok(routes
        .into_iter()
        .map(|route| {
            let entrance = route.entrance();
            (route.slug, entrance)
        })
        .collect())
}

fn questions() -> Vec<ServedQuery> {
    let mut questions = Vec::new();
    let filters = [
        VersionFilter::Any,
        VersionFilter::Latest,
        VersionFilter::Exact("2.0.0".to_owned()),
    ];
    let selected = Selection {
        tags: BTreeSet::from(["even".to_owned()]),
        ..Selection::default()
    };
    for versions in filters {
        for include_retired in [false, true] {
            for visibility in [
                Visibility::Listed,
                Visibility::All,
                Visibility::Selected(Arc::new(selected.clone())),
            ] {
                let query = VersionQuery {
                    versions: versions.clone(),
                    include_retired,
                    visibility,
                    ..all()
                };
                questions.push(asked(query.clone(), &["production"]));
                questions.push(asked(query.clone(), &["test", "production", "development"]));
                let among = |names: &[&str], order| ServedQuery {
                    among: Some(names.iter().map(|name| (*name).to_owned()).collect()),
                    order,
                    ..asked(query.clone(), &["test"])
                };
                questions.push(among(&["com.acme/a"], ServedOrder::Newest));
                questions.push(among(&["com.acme/z", "com.acme/a", "org.z/z"], ServedOrder::Name));
                questions.push(among(&["com.acme/unknown"], ServedOrder::Newest));
                questions.push(among(&[], ServedOrder::Name));
            }
        }
    }
    let with = |change: &dyn Fn(&mut VersionQuery)| {
        let mut query = all();
        change(&mut query);
        asked(query, &["production"])
    };
    questions.push(with(&|query| query.updated_since = Some(at(110))));
    questions.push(with(&|query| query.search = Some("gRÖSSe 1".to_owned())));
    questions.push(with(&|query| query.search = Some("größE 1".to_owned())));
    questions.push(with(&|query| query.search = Some("x".repeat(9_000))));
    questions
}

/// Every question is answered by the texts of the versions that the list finds, with the remotes that serve them.
pub async fn a_page_is_its_texts_joined(store: &dyn Durable) -> Outcome {
    fill(store).await?;
    let mut most = 0;
    for query in questions() {
        let found = store.served(&query).await?;
        assert_eq!(found, expected(store, &query).await?, "{query:?}");
        let items: Vec<serde_json::Value> =
            serde_json::from_str(&format!("[{}]", found.items)).unwrap_or_default();
        assert_eq!(items.len(), found.count, "{query:?}");
        most = most.max(found.count);
    }
    assert!(most > 15, "{most}");
    Ok(())
}

/// Pages of any size join to the same.
pub async fn served_pages_join_without_gaps(store: &dyn Durable) -> Outcome {
    fill(store).await?;
    for versions in [VersionFilter::Any, VersionFilter::Latest] {
        let whole = VersionQuery {
            versions,
            include_retired: true,
            ..all()
        };
        let everything = store.served(&asked(whole.clone(), &["production"])).await?;
        for limit in [1, 2, 3, 7] {
            let mut query = asked(
                VersionQuery {
                    limit,
                    ..whole.clone()
                },
                &["production"],
            );
            let mut joined = Vec::new();
            loop {
                let page = store.served(&query).await?;
                assert_eq!(page, expected(store, &query).await?, "{query:?}");
                joined.push(page.items);
                let Some(next) = page.next else { break };
                query.versions.after = Some(next);
            }
            assert_eq!(joined.join(","), everything.items, "pages of {limit}");
        }
    }
    Ok(())
}

/// What changes is served as it is now; what is not approved any more is not served.
pub async fn a_change_is_served_at_once(store: &dyn Durable) -> Outcome {
    let name = "com.acme/billing";
    let mut entry = new_entry(name, vec![one(name, "3.0.0", 0)]);
    entry.routes = routes(name, 1);
    let query = asked(all(), &["production"]);
    store.save(entry.clone()).await?;
    assert_eq!(store.served(&query).await?.count, 1);
    let mut changed = entry.clone();
    changed.expected = Some(1);
    changed.events = vec![event("server.edit")];
    changed.routes.clear();
    changed.versions[0].document =
        "{\"name\":\"com.acme/billing\",\"version\":\"3.0.0\",\"new\":true}".to_owned();
    changed.versions[0].lifecycle = Lifecycle::Deprecated;
    store.save(changed.clone()).await?;
    let found = store.served(&query).await?;
    assert_eq!(found, expected(store, &query).await?);
    assert!(found.items.contains("\"new\":true") && found.items.contains("\"status\":\"deprecated\""));
    changed.expected = Some(2);
    changed.events = vec![event("server.edit")];
    changed.versions[0].approval = Approval::Submitted;
    store.save(changed).await?;
    assert_eq!(store.served(&query).await?, ServedItems::default());
    Ok(())
}

/// Entries that are read as a whole hold what pages show of them, and what registries select them by.
pub async fn whole_entries_hold_what_pages_show(store: &dyn Durable) -> Outcome {
    fill(store).await?;
    let unapproved = "com.acme/unapproved";
    let mut draft = new_entry(unapproved, vec![version(unapproved, "1.0.0")]);
    draft.versions[0].approval = Approval::Draft;
    store.save(draft).await?;
    let every = VersionQuery {
        include_retired: true,
        limit: 1_000,
        ..all()
    };
    let query = asked(every, &["test", "production", "development"]);
    let names: Vec<String> = store
        .list(&VersionQuery {
            visibility: Visibility::All,
            ..query.versions.clone()
        })
        .await?
        .items
        .iter()
        .map(|item| item.version.name.to_string())
        .chain(["com.acme/unknown".to_owned()])
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    assert!(names.len() > 7, "{names:?}");
    let mut entries = store.served_entries(&names).await?;
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    assert_eq!(
        entries.len(),
        names.len() - 2,
        "all but the draft and the unknown one"
    );
    let mut joined = Vec::new();
    for entry in &entries {
        let stored = store.entry(&parse(&entry.name)).await?;
        holds(
            entry,
            &stored.unwrap_or_else(|| panic!("{} is an entry", entry.name)),
        );
        for served in &entry.versions {
            let routes = served.routes.iter();
            let routes: Vec<_> = routes.map(|route| (route.slug.clone(), route.entrance)).collect();
            joined.push(served.text.joined(&routes, &query.remotes));
        }
    }
    assert_eq!(joined.join(","), store.served(&query).await?.items);
    assert_eq!(store.served_entries(&[]).await?, []);
    Ok(())
}

/// What an entry holds besides its texts is what the whole of it says.
fn holds(entry: &ServedEntry, stored: &Entry) {
    let latest = stored.versions.iter().find(|version| version.is_latest);
    assert_eq!(
        entry.stage,
        latest.map(|version| version.lifecycle),
        "{}",
        entry.name
    );
    assert!(
        entry.tags.iter().eq(&stored.server.profile.tags),
        "{:?}",
        entry.tags
    );
    let active = stored
        .routes
        .iter()
        .filter(|route| route.state == RouteState::Active);
    let environments: BTreeSet<_> = active.map(|route| route.environment.clone()).collect();
    assert_eq!(entry.environments, environments, "{}", entry.name);
    for served in &entry.versions {
        let version = stored
            .versions
            .iter()
            .find(|one| one.version.as_str() == served.version);
        let said = version.map(|one| (one.lifecycle, one.is_latest, one.published_at, one.updated_at));
        let read = (
            served.lifecycle,
            served.is_latest,
            served.published_at,
            served.updated_at,
        );
        assert_eq!(said, Some(read), "{} {}", entry.name, served.version);
    }
}

/// Who follows entries hears of their routes, too: lists name them.
pub async fn a_route_that_changes_is_told_to_who_follows_entries(store: &dyn Durable) -> Outcome {
    let name = "com.acme/billing";
    let mut entry = new_entry(name, vec![version(name, "1.0.0")]);
    entry.routes = vec![route(name, "1.0.0", "billing")];
    store.save(entry).await?;
    let names = [name.to_owned()];
    let shown = async || store.served_entries(&names).await;
    assert_eq!(shown().await?[0].versions[0].routes.len(), 1);
    let before = store.entry_generation().await?;
    let Some(mut route) = store.route(&parse("billing")).await? else {
        panic!("there is a route")
    };
    route.state = RouteState::Inactive;
    let events = vec![event("route.change")];
    store.save_route(RouteChange { route, events }).await?;
    assert!(store.entry_generation().await? > before);
    assert_eq!(shown().await?[0].versions[0].routes, []);
    Ok(())
}
