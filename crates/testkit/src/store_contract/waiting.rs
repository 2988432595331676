//! What waits: all kinds in one order, page by page, and nothing that needs nobody.

use portreeve_core::deployment::{Deployments, ProposedDeployments};
use portreeve_core::ports::{StoreError, StoredAssessment, ToolsSeen, WaitingKind, WaitingQuery};
use portreeve_core::protocol::Era;
use portreeve_core::server::{Approval, Lifecycle, Version};

use super::deployments::deployment;
use super::imports::taken_in;
use super::routes::stored_route;
use super::{Durable, Outcome};
use crate::store_fixtures::{at, new_entry, parse, tool, version};

fn submitted(name: &str, number: &str, moment: i64) -> Version {
    Version {
        approval: Approval::Submitted,
        status_changed_at: at(moment),
        ..version(name, number)
    }
}

fn query(limit: u32) -> WaitingQuery {
    WaitingQuery {
        limit,
        ..WaitingQuery::default()
    }
}

/// Each item in a few words, page after page.
async fn all(store: &dyn Durable, mut query: WaitingQuery) -> Result<Vec<String>, StoreError> {
    let mut found = Vec::new();
    loop {
        let page = store.waiting(&query).await?;
        found.extend(page.items.iter().map(|item| {
            let place = item.place();
            let words = format!("{} {} {}", item.kind, item.server, place.part);
            words.trim_end().to_owned()
        }));
        query.after = page.items.last().map(portreeve_core::ports::Waiting::place);
        if !page.more {
            return Ok(found);
        }
    }
}

async fn filled(store: &dyn Durable) -> Outcome {
    let mut retired = submitted("com.acme/old", "1.0.0", 10);
    retired.lifecycle = Lifecycle::Retired;
    let versions = vec![
        submitted("com.acme/old", "2.0.0", 20),
        version("com.acme/old", "0.9.0"),
        retired,
    ];
    store.save(new_entry("com.acme/old", versions)).await?;
    let mut proposed = new_entry("com.acme/moved", vec![submitted("com.acme/moved", "1.0.0", 30)]);
    proposed.server.updated_at = at(30);
    proposed.server.deployments = Deployments {
        current: Vec::new(),
        proposed: Some(ProposedDeployments {
            deployments: vec![deployment("test", None), deployment("production", None)],
            by: "key:deploy".to_owned(),
        }),
    };
    store.save(proposed).await?;
    let route = stored_route(store, "com.acme/tools", "tools").await?;
    let seen = |era, tools| ToolsSeen {
        route: route.id,
        era,
        tools,
        complete: true,
        at: at(30),
        events: Vec::new(),
    };
    store
        .tools_seen(seen(
            Era::Legacy,
            vec![tool("add", "adds"), tool("drop", "drops")],
        ))
        .await?;
    store
        .tools_seen(seen(Era::Modern, vec![tool("add", "adds")]))
        .await
}

/// What waits longest comes first; of one moment come deployments, tools, versions; a page of one goes through all.
pub async fn everything_that_waits_is_listed_once(store: &dyn Durable) -> Outcome {
    filled(store).await?;
    let expected = [
        "version com.acme/old 2.0.0",
        "deployments com.acme/moved",
        "tools com.acme/tools tools",
        "version com.acme/moved 1.0.0",
    ];
    for limit in [1, 2, 3, 100] {
        assert_eq!(all(store, query(limit)).await?, expected, "pages of {limit}");
    }
    let only = WaitingQuery {
        kinds: vec![WaitingKind::Tools, WaitingKind::Deployments],
        ..query(1)
    };
    assert_eq!(all(store, only).await?, expected[1..3]);
    let page = store.waiting(&query(100)).await?.items;
    assert_eq!((page[1].count, page[1].by.as_deref()), (2, Some("key:deploy")));
    assert_eq!(page[2].count, 2, "a tool that is new in two eras is one tool");
    let counts = store.waiting_counts(100).await?;
    assert_eq!((counts.versions, counts.deployments, counts.tools), (2, 1, 1));
    assert_eq!(
        store.waiting_counts(1).await?.versions,
        1,
        "counted up to a bound"
    );
    Ok(())
}

/// A version comes with the assessment of what it is now, and with what was noticed when it was imported.
pub async fn a_version_comes_with_what_is_known_of_it(store: &dyn Durable) -> Outcome {
    filled(store).await?;
    let judged = |hash: &str| StoredAssessment {
        name: parse("com.acme/old"),
        version: parse("2.0.0"),
        content_hash: hash.to_owned(),
        at: at(40),
        tools: 1,
        findings: "[{}]".to_owned(),
    };
    store.save_assessment(&judged("of another content"), &[]).await?;
    let first = async || {
        store
            .waiting(&query(1))
            .await
            .map(|page| page.items.into_iter().next())
    };
    assert_eq!(first().await?.and_then(|item| item.assessed), None);
    store.save_assessment(&judged(&"ab".repeat(32)), &[]).await?;
    assert_eq!(
        first().await?.and_then(|item| item.assessed).as_deref(),
        Some("[{}]")
    );

    let import = taken_in(
        store,
        new_entry("com.acme/in", vec![submitted("com.acme/in", "1.0.0", 50)]),
    )
    .await?;
    let of_import = WaitingQuery {
        import: Some(import),
        ..query(9)
    };
    assert_eq!(all(store, of_import).await?, ["version com.acme/in 1.0.0"]);
    let flagged = WaitingQuery {
        flagged: true,
        ..query(9)
    };
    let page = store.waiting(&flagged).await?.items;
    assert_eq!(page.len(), 1);
    let (run, findings) = page[0]
        .import
        .clone()
        .unwrap_or_else(|| panic!("it was imported"));
    assert_eq!((run, findings.len()), (import, 1));
    Ok(())
}
