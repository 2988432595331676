//! The feed: what changed, in order, and what a search must know of it.

use portreeve_core::deployment::Major;
use portreeve_core::ports::{
    EntryChange, FeedPosition, RouteChange, StoreError, ToolDecision, ToolsApproved, ToolsSeen, VersionQuery,
};
use portreeve_core::protocol::Era;
use portreeve_core::route::{PinState, RouteState};
use portreeve_core::server::{Approval, Lifecycle};
use portreeve_core::visibility::Visibility;

use super::listing::all;
use super::{Durable, Outcome};
use crate::store_fixtures::{at, event, new_entry, parse, route, tool, version};

/// Somebody who has seen nothing yet.
fn begin() -> FeedPosition {
    FeedPosition {
        generation: -1,
        server: String::new(),
    }
}

/// Every change counts once, the last one of an entry is told, and a removed entry is told, too.
pub async fn what_changed_is_told_in_order(store: &dyn Durable) -> Outcome {
    let before = store.entry_generation().await?;
    for name in ["com.acme/b", "com.acme/a", "com.acme/c"] {
        store.save(new_entry(name, vec![version(name, "1.0.0")])).await?;
    }
    assert_eq!(store.entry_generation().await?, before + 3);
    let first = store.changed_entries(&begin(), 2).await?;
    let names: Vec<&str> = first.iter().map(|change| change.server.as_str()).collect();
    assert_eq!(names, ["com.acme/b", "com.acme/a"]);
    let change = EntryChange {
        expected: Some(1),
        ..new_entry("com.acme/b", vec![version("com.acme/b", "2.0.0")])
    };
    store.save(change).await?;
    store
        .remove(&parse("com.acme/a"), 1, event("server.remove"))
        .await?;
    let rest = store.changed_entries(&first[1], 10).await?;
    let names: Vec<&str> = rest.iter().map(|change| change.server.as_str()).collect();
    assert_eq!(names, ["com.acme/c", "com.acme/b", "com.acme/a"]);
    assert_eq!(rest[2].generation, store.entry_generation().await?);
    let known = store
        .searchable(&["com.acme/a".to_owned(), "com.acme/b".to_owned()])
        .await?;
    assert_eq!(known.len(), 1, "what is gone is left out");
    assert_eq!(known[0].name.as_str(), "com.acme/b");
    Ok(())
}

/// Names of entries whose latest version is listed come in order, step by step.
pub async fn listed_names_come_in_order(store: &dyn Durable) -> Outcome {
    for name in ["com.acme/d", "com.acme/B", "com.acme/a", "com.acme/c"] {
        let mut waiting = version(name, "1.0.0");
        waiting.is_latest = true;
        if name == "com.acme/c" {
            waiting.approval = Approval::Submitted;
        }
        store.save(new_entry(name, vec![waiting])).await?;
    }
    let mut retired = version("com.acme/e", "1.0.0");
    retired.is_latest = true;
    retired.lifecycle = Lifecycle::Retired;
    store.save(new_entry("com.acme/e", vec![retired])).await?;
    assert_eq!(
        store.listed_names("", 10).await?,
        ["com.acme/B", "com.acme/a", "com.acme/d"]
    );
    assert_eq!(store.listed_names("", 2).await?, ["com.acme/B", "com.acme/a"]);
    assert_eq!(store.listed_names("com.acme/a", 2).await?, ["com.acme/d"]);
    assert!(store.listed_names("com.acme/d", 2).await?.is_empty());
    Ok(())
}

/// A change without routes moves nothing that the gateway decides by.
pub async fn the_gateway_reads_again_only_for_routes(store: &dyn Durable) -> Outcome {
    let before = store.generation().await?;
    store
        .save(new_entry("com.acme/a", vec![version("com.acme/a", "1.0.0")]))
        .await?;
    assert_eq!(store.generation().await?, before);
    let mut served = new_entry("com.acme/b", vec![version("com.acme/b", "1.0.0")]);
    served.routes = vec![route("com.acme/b", "1.0.0", "b")];
    store.save(served).await?;
    assert_eq!(store.generation().await?, before + 1);
    Ok(())
}

/// A search knows the listed latest version, the texts of all of them, and the tools that can be called.
pub async fn a_search_knows_what_is_shown(store: &dyn Durable) -> Outcome {
    let name = "com.acme/billing";
    let mut shown = version(name, "1.0.0");
    shown.is_latest = true;
    shown.document = serde_json::json!({"title": "Größe", "description": "Old"}).to_string();
    let mut waiting = version(name, "2.0.0");
    (waiting.approval, waiting.published_at) = (Approval::Submitted, at(900));
    waiting.document = serde_json::json!({"title": "Größe", "description": "New"}).to_string();
    let served = route(name, "1.0.0", "billing");
    let mut entry = new_entry(name, vec![shown.clone(), waiting]);
    entry.routes = vec![served.clone()];
    store.save(entry).await?;
    let before = store.entry_generation().await?;
    let tools = vec![tool("pay", "pays"), tool("peek", "peeks"), tool("drop", "drops")];
    store
        .tools_seen(ToolsSeen {
            route: served.id,
            era: Era::Modern,
            tools: tools.clone(),
            complete: true,
            at: at(10),
            events: Vec::new(),
        })
        .await?;
    let approve = |index: usize| ToolDecision::Approve(Era::Modern, tools[index].clone());
    store
        .tools_approved(ToolsApproved {
            route: served.id,
            decisions: vec![approve(0), approve(2), ToolDecision::Hide("drop".to_owned())],
            pin_state: PinState::Pinned,
            by: "user:admin".to_owned(),
            at: at(11),
            events: Vec::new(),
        })
        .await?;
    assert!(
        store.entry_generation().await? > before,
        "tools are searched, too"
    );
    let known = store.searchable(&[name.to_owned()]).await?;
    assert_eq!(known[0].shown, shown);
    assert_eq!(known[0].texts, ["größe", "new", "old"]);
    let names: Vec<&str> = known[0].tools.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["pay"]);
    assert!(known[0].tools[0].1.read_only_hint);

    let mut alone = version("com.acme/alone", "1.0.0");
    alone.approval = Approval::Draft;
    store
        .save(new_entry("com.acme/alone", vec![alone.clone()]))
        .await?;
    let known = store.searchable(&["com.acme/alone".to_owned()]).await?;
    assert_eq!(known[0].shown, alone);
    Ok(())
}

/// A search knows in which environments a route is active, and hears when that changes.
pub async fn a_search_knows_where_servers_run(store: &dyn Durable) -> Outcome {
    let name = "com.acme/billing";
    let place = |slug: &str, environment: &str, major: Option<u32>| {
        let mut place = route(name, "1.0.0", slug);
        place.environment = parse(environment);
        place.major = major.map(Major);
        place
    };
    let mut closed = place("billing--development", "development", None);
    closed.state = RouteState::Inactive;
    let mut entry = new_entry(name, vec![version(name, "1.0.0")]);
    entry.routes = vec![
        place("billing--test", "test", None),
        place("billing", "production", None),
        place("billing--v1", "production", Some(1)),
        closed.clone(),
    ];
    store.save(entry).await?;
    store
        .save(new_entry(
            "com.acme/alone",
            vec![version("com.acme/alone", "1.0.0")],
        ))
        .await?;
    let known = environments(store, &["com.acme/alone", name]).await?;
    assert_eq!(known, [vec![], vec!["production", "test"]]);
    let before = store.entry_generation().await?;
    closed.state = RouteState::Active;
    let change = RouteChange {
        route: closed,
        events: vec![event("route.change")],
    };
    store.save_route(change).await?;
    assert!(store.entry_generation().await? > before);
    let known = environments(store, &["com.acme/alone", name]).await?;
    assert_eq!(known, [vec![], vec!["development", "production", "test"]]);
    Ok(())
}

async fn environments(store: &dyn Durable, names: &[&str]) -> Result<Vec<Vec<String>>, StoreError> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let known = store.searchable(&names).await?;
    let named = known.iter().map(|one| {
        let all = one.environments.iter();
        all.map(|environment| environment.as_str().to_owned()).collect()
    });
    Ok(named.collect())
}

/// A list of some entries is the list, without the others; versions are read by name as far as they are visible.
pub async fn some_entries_are_listed_like_all(store: &dyn Durable) -> Outcome {
    for name in ["com.acme/a", "com.acme/b", "com.acme/c"] {
        let mut retired = version(name, "0.9.0");
        retired.lifecycle = Lifecycle::Retired;
        store
            .save(new_entry(name, vec![version(name, "1.0.0"), retired]))
            .await?;
    }
    let names = ["com.acme/c".to_owned(), "com.acme/a".to_owned()];
    let label = |item: &portreeve_core::ports::ListedVersion| {
        format!("{} {}", item.version.name, item.version.version)
    };
    let page = store.list_among(&all(), &names).await?;
    let listed: Vec<String> = page.items.iter().map(label).collect();
    assert_eq!(listed, ["com.acme/a 1.0.0", "com.acme/c 1.0.0"]);
    assert!(!page.more);
    let first = VersionQuery { limit: 1, ..all() };
    assert!(store.list_among(&first, &names).await?.more);
    assert!(store.list_among(&all(), &[]).await?.items.is_empty());

    let wanted: Vec<(String, String)> = [
        ("com.acme/b", "0.9.0"),
        ("com.acme/b", "1.0.0"),
        ("com.acme/x", "1.0.0"),
    ]
    .map(|(name, version)| (name.to_owned(), version.to_owned()))
    .to_vec();
    let listed = store.listed(&Visibility::Listed, &wanted).await?;
    assert_eq!(listed.iter().map(label).collect::<Vec<_>>(), ["com.acme/b 1.0.0"]);
    assert_eq!(store.listed(&Visibility::All, &wanted).await?.len(), 2);
    assert!(store.listed(&Visibility::All, &[]).await?.is_empty());
    Ok(())
}
