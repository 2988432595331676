//! Deployments and their routes: each place a route of its own, moved only as the plan showed.

use portreeve_core::deployment::{Deployment, DeploymentState, Major};
use portreeve_core::route::RouteState;
use portreeve_core::server::Lifecycle;
use portreeve_registry::{
    Approve, Approving, Declared, Internal, MoveKind, NewDeployments, Outcome, RegistryError, Submission,
    ToolsOutcome,
};

use crate::world::{NAME, URL, World, admin, caller, package, remote};

const TEST_URL: &str = "https://test.acme.example/mcp";

fn name() -> portreeve_core::name::ServerName {
    NAME.parse().unwrap()
}

fn deployment(environment: &str, major: Option<u32>, url: &str) -> Deployment {
    Deployment {
        environment: environment.parse().unwrap(),
        major: major.map(Major),
        version: None,
        url: url.to_owned(),
        state: DeploymentState::Active,
        metadata: serde_json::Map::new(),
    }
}

fn all(deployments: &[Deployment]) -> NewDeployments {
    NewDeployments {
        deployments: deployments.to_vec(),
        internal: Internal::No,
        expected: None,
    }
}

/// Slug, version and upstream of every active route, by slug.
fn served(world: &World) -> Vec<(String, String, String)> {
    let mut routes: Vec<_> = world
        .store
        .get(NAME)
        .routes
        .into_iter()
        .filter(|route| route.state == RouteState::Active)
        .map(|route| {
            (
                route.slug.to_string(),
                route.version.to_string(),
                route.upstream_url,
            )
        })
        .collect();
    routes.sort();
    routes
}

fn line(slug: &str, version: &str, url: &str) -> (String, String, String) {
    (slug.to_owned(), version.to_owned(), url.to_owned())
}

async fn declared(world: &World, document: &str, deployments: &[Deployment], approve: Approve) -> Outcome {
    let submission = Submission {
        document: document.to_owned(),
        internal: Internal::No,
        approve,
    };
    let declared = Declared {
        deployments: Some(deployments.to_vec()),
        ..Declared::default()
    };
    let added = world.registry.add_declared(&admin(), submission, declared).await;
    added.unwrap()
}

#[tokio::test]
async fn b4_each_environment_has_a_route_and_production_keeps_its_remote() {
    let world = World::new();
    world.upstreams.answer(URL, &[("list", "Lists")]);
    world
        .upstreams
        .answer(TEST_URL, &[("list", "Lists"), ("try", "Tries")]);
    let test = [deployment("test", None, TEST_URL)];
    let outcome = declared(&world, &remote(NAME, "1.0.0", URL), &test, Approve::Now).await;
    assert_eq!(
        outcome.route.map(|route| route.slug.to_string()),
        Some("billing".to_owned())
    );
    assert_eq!(outcome.tools, ToolsOutcome::Pinned(1));
    let others: Vec<_> = outcome
        .others
        .iter()
        .map(|(route, tools)| (route.slug.to_string(), tools.clone()))
        .collect();
    assert_eq!(others, [("billing--test".to_owned(), ToolsOutcome::Pinned(2))]);
    assert_eq!(
        served(&world),
        [
            line("billing", "1.0.0", URL),
            line("billing--test", "1.0.0", TEST_URL)
        ]
    );
}

#[tokio::test]
async fn several_versions_run_side_by_side() {
    let world = World::new();
    world.approved(&remote(NAME, "1.0.0", URL)).await;
    let first = deployment("production", Some(1), "https://one.acme.example/mcp");
    world
        .registry
        .deploy(&admin(), &name(), all(&[first]))
        .await
        .unwrap();
    world.approved(&remote(NAME, "2.0.0", URL)).await;
    world.approved(&remote(NAME, "1.1.0", URL)).await;
    assert_eq!(
        served(&world),
        [
            line("billing", "2.0.0", URL),
            line("billing--v1", "1.1.0", "https://one.acme.example/mcp"),
        ]
    );
    // The list shows each version with the route that serves it.
    let page = world
        .registry
        .serve_versions_in(&world.everybody(), &name(), false)
        .await
        .unwrap();
    let remotes: Vec<_> = page
        .servers
        .iter()
        .map(|served| served.server.get("remotes").is_some())
        .collect();
    assert_eq!(remotes, [true, true, false], "1.1.0, 2.0.0, 1.0.0");
}

#[tokio::test]
async fn a_pinned_deployment_stays_with_its_version() {
    let world = World::new();
    world.approved(&package(NAME, "1.0.0")).await;
    let mut pinned = deployment("production", None, URL);
    pinned.version = Some("1.0.0".parse().unwrap());
    world
        .registry
        .deploy(&admin(), &name(), all(&[pinned.clone()]))
        .await
        .unwrap();
    world.approved(&package(NAME, "1.1.0")).await;
    assert_eq!(served(&world), [line("billing", "1.0.0", URL)]);
    // What it is pinned to is retired: nothing is served.
    let version = "1.0.0".parse().unwrap();
    world
        .registry
        .set_lifecycle(&admin(), &name(), Some(&version), Lifecycle::Retired, None)
        .await
        .unwrap();
    assert_eq!(served(&world), []);

    pinned.version = Some("9.0.0".parse().unwrap());
    let error = world
        .registry
        .deploy(&admin(), &name(), all(&[pinned]))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("no version `9.0.0`"), "{error}");
}

#[tokio::test]
async fn an_inactive_deployment_is_not_served_and_comes_back_with_its_slug() {
    let world = World::new();
    let mut test = deployment("test", None, TEST_URL);
    declared(&world, &package(NAME, "1.0.0"), &[test.clone()], Approve::Now).await;
    let id = world.store.get(NAME).routes[0].id;
    test.state = DeploymentState::Inactive;
    world
        .registry
        .deploy(&admin(), &name(), all(&[test.clone()]))
        .await
        .unwrap();
    assert_eq!(served(&world), []);
    test.state = DeploymentState::Active;
    world
        .registry
        .deploy(&admin(), &name(), all(&[test]))
        .await
        .unwrap();
    assert_eq!(served(&world), [line("billing--test", "1.0.0", TEST_URL)]);
    assert_eq!(world.store.get(NAME).routes[0].id, id);
    world.registry.deploy(&admin(), &name(), all(&[])).await.unwrap();
    assert_eq!(served(&world), []);
}

#[tokio::test]
async fn what_is_declared_with_a_document_waits_for_its_approval() {
    let world = World::new();
    world.approved(&remote(NAME, "1.0.0", URL)).await;
    let test = [deployment("test", None, TEST_URL)];
    declared(&world, &remote(NAME, "1.1.0", URL), &test, Approve::No).await;
    assert_eq!(served(&world), [line("billing", "1.0.0", URL)]);

    let plan = world.registry.plan(&admin(), &name(), None).await.unwrap();
    assert_eq!(
        plan.version.as_ref().map(|version| version.as_str()),
        Some("1.1.0")
    );
    let latest = (plan.latest.0.as_ref(), plan.latest.1.as_ref());
    assert_eq!(
        (latest.0.map(|v| v.as_str()), latest.1.map(|v| v.as_str())),
        (Some("1.0.0"), Some("1.1.0"))
    );
    let moves: Vec<_> = plan
        .moves
        .iter()
        .map(|one| (one.slug.as_str(), one.kind))
        .collect();
    assert_eq!(
        moves,
        [("billing", MoveKind::Move), ("billing--test", MoveKind::Create)]
    );
    assert_eq!(
        served(&world),
        [line("billing", "1.0.0", URL)],
        "a plan does nothing"
    );

    let agreed = Approving {
        internal: Internal::No,
        plan: Some(plan.hash),
    };
    world
        .registry
        .approve(&admin(), &name(), None, agreed)
        .await
        .unwrap();
    assert_eq!(
        served(&world),
        [
            line("billing", "1.1.0", URL),
            line("billing--test", "1.1.0", TEST_URL)
        ]
    );
    let actions = world.actions();
    assert!(actions.contains(&"deployments.approve".to_owned()), "{actions:?}");
}

#[tokio::test]
async fn approving_moves_a_route_only_as_the_review_showed() {
    let world = World::new();
    world.approved(&remote(NAME, "1.0.0", URL)).await;
    world.add(&remote(NAME, "1.1.0", URL), Approve::No).await.unwrap();
    let plan = world.registry.plan(&admin(), &name(), None).await.unwrap();
    let agreed = Approving {
        internal: Internal::No,
        plan: Some(plan.hash.clone()),
    };
    // Somebody approves another version meanwhile: the same approval would move the route from there, or not at all.
    world.approved(&remote(NAME, "1.2.0", URL)).await;
    let version = "1.1.0".parse().unwrap();
    let refused = world
        .registry
        .approve(&admin(), &name(), Some(&version), agreed)
        .await
        .unwrap_err();
    assert!(matches!(refused, RegistryError::State { .. }), "{refused}");
    assert!(
        refused.to_string().contains("than the review showed"),
        "{refused}"
    );
    assert_eq!(served(&world), [line("billing", "1.2.0", URL)]);
    let again = world
        .registry
        .plan(&admin(), &name(), Some(&version))
        .await
        .unwrap();
    assert!(again.moves.is_empty(), "{again:?}");
    let agreed = Approving {
        internal: Internal::No,
        plan: Some(again.hash),
    };
    world
        .registry
        .approve(&admin(), &name(), Some(&version), agreed)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_rejection_drops_what_was_proposed_with_it() {
    let world = World::new();
    let test = [deployment("test", None, TEST_URL)];
    declared(&world, &package(NAME, "1.0.0"), &test, Approve::No).await;
    world
        .registry
        .reject(&admin(), &name(), None, "not yet")
        .await
        .unwrap();
    assert_eq!(world.store.get(NAME).server.deployments.proposed, None);
    let nothing = world
        .registry
        .approve_deployments(&admin(), &name(), Internal::No.into())
        .await
        .unwrap_err();
    assert!(matches!(nothing, RegistryError::State { .. }), "{nothing}");
}

#[tokio::test]
async fn a_wrong_deployment_is_refused_with_every_problem() {
    let world = World::new();
    world.approved(&package(NAME, "1.0.0")).await;
    let mut wrong = deployment("production", Some(1), "https://user:word@acme.example/mcp");
    wrong.version = Some("2.0.0".parse().unwrap());
    let new = all(&[
        wrong,
        deployment("nowhere", None, URL),
        deployment("test", None, "https://{tenant}.acme.example/mcp"),
        deployment("test", None, "https://gw.example/s/billing/mcp"),
        deployment("development", None, "ftp://acme.example/"),
    ]);
    let error = world.registry.deploy(&admin(), &name(), new).await.unwrap_err();
    let RegistryError::Invalid(problems) = error else {
        panic!("{error}");
    };
    let paths: Vec<_> = problems.iter().map(|problem| problem.path.as_str()).collect();
    assert_eq!(
        paths,
        [
            "deployments[0].version",
            "deployments[0].url",
            "deployments[1].environment",
            "deployments[2].url",
            "deployments[3].environment",
            "deployments[3].url",
            "deployments[4].url",
        ]
    );
    let stranger = world
        .registry
        .deploy(&caller("user"), &name(), all(&[]))
        .await
        .unwrap_err();
    assert!(matches!(stranger, RegistryError::Forbidden { .. }), "{stranger}");
    let mut stale = all(&[]);
    stale.expected = Some(77);
    let stale = world.registry.deploy(&admin(), &name(), stale).await.unwrap_err();
    assert!(matches!(stale, RegistryError::Conflict { .. }), "{stale}");
}

#[tokio::test]
async fn private_hosts_of_a_deployment_need_a_grant() {
    let world = World::new();
    world.approved(&package(NAME, "1.0.0")).await;
    let mut new = all(&[deployment("test", None, "https://hidden.example/mcp")]);
    let error = world
        .registry
        .deploy(&admin(), &name(), new.clone())
        .await
        .unwrap_err();
    assert!(matches!(error, RegistryError::Private { .. }), "{error}");
    new.internal = Internal::Grant;
    let steward = world
        .registry
        .deploy(&caller("steward"), &name(), new.clone())
        .await
        .unwrap_err();
    assert!(matches!(steward, RegistryError::Forbidden { .. }), "{steward}");
    let deployed = world.registry.deploy(&admin(), &name(), new).await.unwrap();
    assert_eq!(deployed.private_hosts.len(), 1);
}

#[tokio::test]
async fn a_slug_behind_two_dashes_belongs_to_who_has_its_base() {
    let world = World::new();
    world.approved(&remote("com.other/billing", "1.0.0", URL)).await;
    let test = [deployment("test", None, TEST_URL)];
    declared(&world, &package(NAME, "1.0.0"), &test, Approve::Now).await;
    assert_eq!(
        served(&world),
        [line("com.acme-billing--test", "1.0.0", TEST_URL)]
    );
    // And the other way round: who has `billing--test` keeps others from being `billing`.
    let world = World::new();
    declared(&world, &package(NAME, "1.0.0"), &test, Approve::Now).await;
    assert_eq!(served(&world), [line("billing--test", "1.0.0", TEST_URL)]);
    let other = world.approved(&remote("com.other/billing", "1.0.0", URL)).await;
    assert_eq!(other.route.unwrap().slug.as_str(), "com.other-billing");
    let ours = world.approved(&remote(NAME, "1.1.0", URL)).await;
    assert_eq!(ours.route.unwrap().slug.as_str(), "billing");
}
