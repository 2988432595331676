//! Deployments of all servers as one list: for whom, narrowed, page by page.

use portreeve_core::caller::Caller;
use portreeve_core::deployment::{Deployment, DeploymentState};
use portreeve_registry::{DeploymentsQuery, Internal, NewDeployments, RegistryError, Standing};

use crate::world::{NAME, URL, World, admin, caller, remote};

fn deployment(environment: &str, state: DeploymentState) -> Deployment {
    Deployment {
        environment: environment.parse().unwrap(),
        major: None,
        version: None,
        url: format!("https://{environment}.acme.example/mcp"),
        state,
        metadata: serde_json::Map::new(),
    }
}

async fn deploy(world: &World, by: &Caller, name: &str, deployments: &[Deployment]) {
    let new = NewDeployments {
        deployments: deployments.to_vec(),
        internal: Internal::No,
        expected: None,
    };
    let name = name.parse().unwrap();
    world.registry.deploy(by, &name, new).await.unwrap();
}

async fn world() -> World {
    let world = World::new();
    let (active, inactive) = (DeploymentState::Active, DeploymentState::Inactive);
    world.approved(&remote(NAME, "1.0.0", URL)).await;
    world
        .approved(&remote("com.other/mail", "1.0.0", "https://mail.example/mcp"))
        .await;
    deploy(
        &world,
        &admin(),
        NAME,
        &[deployment("test", active), deployment("development", inactive)],
    )
    .await;
    deploy(&world, &admin(), "com.other/mail", &[deployment("test", active)]).await;
    deploy(
        &world,
        &caller("publisher"),
        NAME,
        &[deployment("production", active)],
    )
    .await;
    world
}

async fn list(world: &World, by: &Caller, mut query: DeploymentsQuery) -> Result<Vec<String>, RegistryError> {
    let mut seen = Vec::new();
    loop {
        let page = world.registry.all_deployments(by, query.clone()).await?;
        seen.extend(page.items.iter().map(|one| {
            let waits = if one.is_proposed { " waits" } else { "" };
            format!("{} {}{waits}", one.server, one.deployment.environment)
        }));
        match page.next_cursor {
            Some(cursor) => query.cursor = Some(cursor),
            None => return Ok(seen),
        }
    }
}

#[tokio::test]
async fn all_deployments_are_one_list_narrowed_by_what_is_asked() {
    let world = world().await;
    let admin = admin();
    let of = |query| list(&world, &admin, query);
    let all = [
        "com.acme/billing development",
        "com.acme/billing production waits",
        "com.acme/billing test",
        "com.other/mail test",
    ];
    assert_eq!(of(DeploymentsQuery::default()).await.unwrap(), all);
    for limit in [1, 2, 3] {
        let query = DeploymentsQuery {
            limit: Some(limit),
            ..DeploymentsQuery::default()
        };
        assert_eq!(of(query).await.unwrap(), all, "{limit}");
    }
    let in_test = DeploymentsQuery {
        environment: Some("test".parse().unwrap()),
        limit: Some(1),
        ..DeploymentsQuery::default()
    };
    assert_eq!(of(in_test).await.unwrap(), [all[2], all[3]]);
    let standing = |standing| DeploymentsQuery {
        standing: Some(standing),
        ..DeploymentsQuery::default()
    };
    assert_eq!(of(standing(Standing::Active)).await.unwrap(), [all[2], all[3]]);
    assert_eq!(of(standing(Standing::Inactive)).await.unwrap(), [all[0]]);
    assert_eq!(of(standing(Standing::Proposed)).await.unwrap(), [all[1]]);
    let of_mail = DeploymentsQuery {
        server: Some("com.other/mail".parse().unwrap()),
        ..DeploymentsQuery::default()
    };
    assert_eq!(of(of_mail).await.unwrap(), [all[3]]);
}

#[tokio::test]
async fn where_a_server_runs_is_for_who_may_publish_it() {
    let world = world().await;
    let mine = DeploymentsQuery {
        limit: Some(2),
        ..DeploymentsQuery::default()
    };
    let seen = list(&world, &caller("publisher"), mine.clone()).await.unwrap();
    assert_eq!(seen.len(), 3);
    assert!(seen.iter().all(|one| one.starts_with(NAME)), "{seen:?}");
    assert_eq!(
        list(&world, &caller("user"), mine.clone()).await.unwrap(),
        [""; 0]
    );
    let refused = list(&world, &Caller::anonymous(), mine.clone())
        .await
        .unwrap_err();
    assert!(matches!(refused, RegistryError::Forbidden { .. }), "{refused}");
    let none = DeploymentsQuery {
        limit: Some(0),
        ..mine.clone()
    };
    assert!(matches!(
        list(&world, &admin(), none).await,
        Err(RegistryError::Invalid(_))
    ));

    // A cursor goes on with what was asked, and with nothing else.
    let page = world
        .registry
        .all_deployments(&admin(), mine.clone())
        .await
        .unwrap();
    let other = DeploymentsQuery {
        cursor: page.next_cursor,
        standing: Some(Standing::Active),
        ..mine
    };
    assert!(matches!(
        list(&world, &admin(), other).await,
        Err(RegistryError::BadCursor)
    ));
}
