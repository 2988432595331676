//! The tools of REST APIs.

use std::sync::Arc;

use portreeve_core::ports::{News, RouteSnapshot, Toolset};
use portreeve_core::rest::{Bindings, RestMark};

use super::{Durable, Outcome, assert_not_found};
use crate::store_fixtures::{at, event, new_entry, parse, route, version};

fn toolset(digit: &str, bindings: &str) -> Toolset {
    Toolset {
        digest: digit.repeat(64),
        bindings: bindings.to_owned(),
        details: r#"{"tools":[]}"#.to_owned(),
        document: "openapi: 3.1.0".to_owned(),
        vanished: Vec::new(),
        created_at: at(5),
    }
}

/// A toolset stays as it was kept first; what vanished is noted beside it.
pub async fn a_toolset_is_kept_once(store: &dyn Durable) -> Outcome {
    let first = toolset("a", "{}");
    assert_eq!(store.toolset(&first.digest).await?, None);
    store.keep_toolset(&first).await?;
    store
        .keep_toolset(&Toolset {
            details: "[]".to_owned(),
            ..first.clone()
        })
        .await?;
    assert_eq!(store.toolset(&first.digest).await?.as_ref(), Some(&first));

    let gone = vec!["pet_remove".to_owned()];
    store
        .note_vanished(&first.digest, &gone, event("tools.vanished"))
        .await?;
    let noted = store.toolset(&first.digest).await?.map(|kept| kept.vanished);
    assert_eq!(noted, Some(gone.clone()));
    let unknown = "b".repeat(64);
    assert_not_found(
        store
            .note_vanished(&unknown, &gone, event("tools.vanished"))
            .await,
    );
    Ok(())
}

/// Drafts go when they are old, or too many; what versions may name stays.
pub async fn drafts_are_forgotten_and_toolsets_are_not(store: &dyn Durable) -> Outcome {
    let draft = |name: &str, minute: i64| Toolset {
        digest: format!("{}{name}", Toolset::DRAFT),
        created_at: at(minute),
        ..toolset("a", "{}")
    };
    let all = [
        draft("old", 1),
        draft("b", 10),
        draft("c", 11),
        draft("d", 12),
        toolset("a", "{}"),
    ];
    for one in &all {
        store.keep_toolset(one).await?;
    }
    assert_eq!(store.sweep_drafts(at(2), 2).await?, 2);
    let mut left = Vec::new();
    for one in &all {
        left.push(store.toolset(&one.digest).await?.is_some());
    }
    assert_eq!(left, [false, false, true, true, true]);
    assert_eq!(store.sweep_drafts(at(2), 2).await?, 0);
    Ok(())
}

/// The route of a version that names a toolset has its bindings; one whose toolset is not there has none, and is still
/// told from a route to an MCP server.
pub async fn a_route_to_a_rest_api_knows_how_its_tools_are_called(store: &dyn Durable) -> Outcome {
    let unreadable = |error| format!("{error}");
    let text = Bindings::none().text().map_err(unreadable).unwrap_or_default();
    store.keep_toolset(&toolset("a", &text)).await?;
    for (name, slug, digit) in [
        ("com.acme/known", "known", Some("a")),
        ("com.acme/lost", "lost", Some("b")),
        ("com.acme/mcp", "mcp", None),
    ] {
        let mut approved = version(name, "1.0.0");
        if let Some(digit) = digit {
            let mark = RestMark {
                base_url: "https://api.example.com/v1".to_owned(),
                toolset: digit.repeat(64),
            };
            let mut document = serde_json::from_str(&approved.document).unwrap_or_default();
            mark.put(&mut document);
            approved.document = serde_json::to_string(&document).unwrap_or_default();
        }
        let mut entry = new_entry(name, vec![approved]);
        entry.routes = vec![route(name, "1.0.0", slug)];
        store.save(entry).await?;
    }
    for _read_twice in 0..2 {
        let snapshot = store.snapshot(None).await?;
        let News::All(routes) = snapshot.routes else {
            panic!("who knows nothing is told everything");
        };
        let rest: Vec<_> = routes
            .iter()
            .map(|RouteSnapshot { route, rest, .. }| (route.slug.as_str(), rest.clone()))
            .collect();
        let none = Some(Arc::new(Bindings::none()));
        assert_eq!(rest, [("known", none.clone()), ("lost", none), ("mcp", None)]);
    }
    let digest = store.toolset_of(&parse("com.acme/lost"), &parse("1.0.0")).await?;
    assert_eq!(digest, Some("b".repeat(64)));
    assert_eq!(
        store.toolset_of(&parse("com.acme/mcp"), &parse("1.0.0")).await?,
        None
    );
    Ok(())
}

/// A toolset that no version names goes when nobody kept it for long; one that a version names, or that somebody just kept
/// again, stays.
pub async fn toolsets_that_no_version_names_are_removed(store: &dyn Durable) -> Outcome {
    for digit in ["a", "b", "c"] {
        store.keep_toolset(&toolset(digit, "{}")).await?;
    }
    let again = Toolset {
        created_at: at(100),
        ..toolset("c", "{}")
    };
    store.keep_toolset(&again).await?;
    let mut approved = version("com.acme/known", "1.0.0");
    let mark = RestMark {
        base_url: "https://api.example.com/v1".to_owned(),
        toolset: "a".repeat(64),
    };
    let mut document = serde_json::from_str(&approved.document).unwrap_or_default();
    mark.put(&mut document);
    approved.document = serde_json::to_string(&document).unwrap_or_default();
    store.save(new_entry("com.acme/known", vec![approved])).await?;
    let purged = event("toolsets.purge");
    assert_eq!(store.purge_toolsets(at(5), purged.clone()).await?, 0);
    assert_eq!(store.purge_toolsets(at(50), purged.clone()).await?, 1);
    assert_eq!(store.purge_toolsets(at(50), purged).await?, 0);
    for (digit, is_there) in [("a", true), ("b", false), ("c", true)] {
        assert_eq!(
            store.toolset(&digit.repeat(64)).await?.is_some(),
            is_there,
            "{digit}"
        );
    }
    Ok(())
}
