//! Deployments: saved with their entry, in force and proposed apart.

use portreeve_core::deployment::{Deployment, DeploymentState, Deployments, Major, ProposedDeployments};
use portreeve_core::ports::EntryChange;
use portreeve_core::profile::UseCase;

use super::{Durable, Outcome, assert_not_found};
use crate::store_fixtures::{new_entry, parse, version};

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
