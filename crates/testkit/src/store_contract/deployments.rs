//! Deployments: saved with their entry, in force and proposed apart.

use portreeve_core::deployment::{Deployment, DeploymentState, Deployments, Major, ProposedDeployments};
use portreeve_core::ports::{DeployedServer, DeploymentQuery, EntryChange, StoreError};
use portreeve_core::profile::UseCase;

use super::{Durable, Outcome, assert_not_found};
use crate::store_fixtures::{new_entry, parse, route, version};

/// A deployment in an environment.
pub fn deployment(environment: &str, major: Option<u32>) -> Deployment {
    Deployment {
        environment: parse(environment),
        major: major.map(Major),
        version: None,
        url: format!("https://{environment}.acme.example/mcp"),
        state: DeploymentState::Active,
        metadata: serde_json::Map::from_iter([("region".to_owned(), serde_json::json!("eu"))]),
    }
}

/// Deployments, proposals and what people say about a server come back as they were saved, and go when they are gone.
pub async fn deployments_are_read_as_they_were_saved(store: &dyn Durable) -> Outcome {
    let name = "com.acme/billing";
    let mut pinned = deployment("production", Some(2));
    pinned.version = Some(parse("2.1.0"));
    pinned.state = DeploymentState::Inactive;
    let mut change = new_entry(name, vec![version(name, "1.0.0")]);
    change.server.deployments = Deployments {
        current: vec![
            pinned,
            deployment("production", Some(10)),
            deployment("test", None),
        ],
        proposed: Some(ProposedDeployments {
            deployments: vec![deployment("test", None)],
            by: "key:deploy".to_owned(),
        }),
    };
    change.server.profile.tags = vec!["finance".to_owned(), "finance".to_owned()];
    change.server.profile.use_cases = vec![UseCase {
        name: "Refunds".to_owned(),
        description: String::new(),
    }];
    let expected = change.server.clone();
    store.save(change).await?;
    let read = store.entry(&parse(name)).await?.map(|entry| entry.server);
    assert_eq!(read, Some(expected.clone()));

    // A proposal to have none is a proposal, too.
    let mut server = expected;
    server.deployments.current.clear();
    server.deployments.proposed = Some(ProposedDeployments {
        deployments: Vec::new(),
        by: "key:deploy".to_owned(),
    });
    let change = EntryChange {
        expected: Some(1),
        server: server.clone(),
        ..new_entry(name, Vec::new())
    };
    store.save(change).await?;
    let read = store.entry(&parse(name)).await?.map(|entry| entry.server);
    assert_eq!(read, Some(server));
    Ok(())
}

/// Nothing is deployed to where nothing is.
pub async fn a_deployment_needs_its_environment(store: &dyn Durable) -> Outcome {
    let name = "com.acme/billing";
    let mut change = new_entry(name, vec![version(name, "1.0.0")]);
    change.server.deployments.current = vec![deployment("nowhere", None)];
    assert_not_found(store.save(change).await);
    assert_eq!(store.entry(&parse(name)).await?, None);
    Ok(())
}

/// Every deployment once, by server and place, with the route of its place; narrowed by each of the filters.
pub async fn all_deployments_are_one_list(store: &dyn Durable) -> Outcome {
    for name in ["com.acme/a", "com.acme/b"] {
        let mut stopped = deployment("test", Some(2));
        stopped.state = DeploymentState::Inactive;
        let mut change = new_entry(name, vec![version(name, "1.0.0")]);
        change.server.deployments = Deployments {
            current: vec![deployment("production", None), deployment("test", None), stopped],
            proposed: Some(ProposedDeployments {
                deployments: vec![deployment("test", None)],
                by: "key:deploy".to_owned(),
            }),
        };
        let slug = name.rsplit('/').next().unwrap_or_default();
        change.routes = vec![route(name, "1.0.0", slug)];
        store.save(change).await?;
    }
    let told = |one: &DeployedServer| {
        let (server, environment, major, waits) = one.place();
        let waits = if waits { " waits" } else { "" };
        format!("{server} {environment}{major}{waits}")
    };
    let asked = async |mut query: DeploymentQuery| {
        query.limit = 3;
        let mut seen = Vec::new();
        loop {
            let page = store.deployed(&query).await?;
            seen.extend(page.items.iter().map(told));
            query.after = page.items.last().map(DeployedServer::place);
            if !page.more {
                return Ok::<_, StoreError>(seen);
            }
        }
    };
    let all = asked(DeploymentQuery::default()).await?;
    let of_one =
        |name: &str| ["production", "test", "test waits", "testv2"].map(|place| format!("{name} {place}"));
    assert_eq!(all, [of_one("com.acme/a"), of_one("com.acme/b")].concat());
    let of_b = DeploymentQuery {
        server: Some(parse("com.acme/b")),
        ..DeploymentQuery::default()
    };
    assert_eq!(asked(of_b.clone()).await?, of_one("com.acme/b"));
    let in_production = DeploymentQuery {
        environment: Some(parse("production")),
        ..DeploymentQuery::default()
    };
    assert_eq!(
        asked(in_production).await?,
        ["com.acme/a production", "com.acme/b production"]
    );
    let stopped = DeploymentQuery {
        state: Some(DeploymentState::Inactive),
        ..of_b.clone()
    };
    assert_eq!(asked(stopped).await?, ["com.acme/b testv2"]);
    let waiting = DeploymentQuery {
        proposed: Some(true),
        ..of_b.clone()
    };
    assert_eq!(asked(waiting).await?, ["com.acme/b test waits"]);
    let first = store.deployed(&DeploymentQuery { limit: 1, ..of_b }).await?;
    assert_eq!(first.items[0].deployment, deployment("production", None));
    assert_eq!(first.items[0].route, Some((parse("b"), parse("1.0.0"))));
    Ok(())
}
