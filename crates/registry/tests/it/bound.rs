//! What an approval is bound to: the deployments that its maker saw, and for the rule of a registry, what that registry
//! would hold.

use std::collections::BTreeSet;

use portreeve_core::deployment::{Deployment, DeploymentState};
use portreeve_core::server::{Approval, Lifecycle};
use portreeve_core::view::Selection;
use portreeve_registry::{
    Approve, Approving, AssessmentPolicy, FindingSeverity, Internal, NewDeployments, Proposal, RegistryError,
    RegistryPatch, Submission,
};

use crate::publishing::{document, publish, trusted};
use crate::world::{NAME, URL, World, admin, caller, package, remote};

const SEEN: &str = "https://seen.example/mcp";
const SWAPPED: &str = "https://swapped.example/mcp";

fn name() -> portreeve_core::name::ServerName {
    NAME.parse().unwrap()
}

async fn deploy(world: &World, by: &str, environment: &str, url: &str) {
    let new = NewDeployments {
        deployments: vec![Deployment {
            environment: environment.parse().unwrap(),
            major: None,
            version: None,
            url: url.to_owned(),
            state: DeploymentState::Active,
            metadata: serde_json::Map::new(),
        }],
        internal: Internal::No,
        expected: None,
    };
    world.registry.deploy(&caller(by), &name(), new).await.unwrap();
}

/// Approves it as one of a list: what the list showed of it, and perhaps its plan.
async fn approve_in_a_list(world: &World, plan: Option<String>) -> Result<(), RegistryError> {
    let version = world.store.get(NAME).versions.remove(0);
    let proposal = Proposal {
        name: version.name,
        version: version.version,
        content_hash: version.content_hash,
        plan,
    };
    let decided = world
        .registry
        .approve_many(&admin(), vec![proposal])
        .await
        .unwrap();
    decided.into_iter().next().unwrap().outcome.map(drop)
}

#[tokio::test]
async fn what_somebody_else_proposed_comes_into_force_by_its_plan_alone() {
    let world = World::new();
    world.add(&package(NAME, "1.0.0"), Approve::No).await.unwrap();
    deploy(&world, "publisher", "production", SEEN).await;
    let plan = async || world.registry.plan(&admin(), &name(), None).await.unwrap().hash;
    let seen = plan().await;
    let state = |refused: RegistryError, text: &str| {
        assert!(matches!(refused, RegistryError::State { .. }), "{refused}");
        assert!(refused.to_string().contains(text), "{refused}");
    };
    // Nobody looked at where it would run.
    state(
        approve_in_a_list(&world, None).await.unwrap_err(),
        "no plan was named",
    );
    let alone = world
        .registry
        .approve(&admin(), &name(), None, Internal::No)
        .await;
    state(alone.unwrap_err(), "`publisher` proposed");
    let submission = Submission {
        document: package(NAME, "1.1.0"),
        internal: Internal::No,
        approve: Approve::Now,
    };
    let added = world.registry.add(&admin(), submission).await;
    state(added.unwrap_err(), "no plan was named");
    assert_eq!(
        world.store.get(NAME).versions.len(),
        1,
        "what is refused leaves nothing behind"
    );

    // Between the look and the click, somebody proposes another place.
    deploy(&world, "publisher", "production", SWAPPED).await;
    state(
        approve_in_a_list(&world, Some(seen.clone())).await.unwrap_err(),
        "than the review showed",
    );
    let agreed = Approving {
        internal: Internal::No,
        plan: Some(seen),
    };
    let refused = world.registry.approve(&admin(), &name(), None, agreed).await;
    state(refused.unwrap_err(), "than the review showed");
    assert!(world.store.get(NAME).routes.is_empty());

    approve_in_a_list(&world, Some(plan().await)).await.unwrap();
    assert_eq!(world.store.get(NAME).routes[0].upstream_url, SWAPPED);
}

#[tokio::test]
async fn what_one_proposed_oneself_needs_no_look_at_the_plan() {
    let world = World::new();
    world.add(&package(NAME, "1.0.0"), Approve::No).await.unwrap();
    let main = portreeve_core::name::RegistryName::main();
    let wants = |differs| RegistryPatch {
        approver_differs: Some(differs),
        ..RegistryPatch::default()
    };
    // Proposed, because another approver was wanted for a while.
    world
        .registry
        .change_registry(&admin(), &main, wants(true), None)
        .await
        .unwrap();
    deploy(&world, "admin", "production", SEEN).await;
    world
        .registry
        .change_registry(&admin(), &main, wants(false), None)
        .await
        .unwrap();
    approve_in_a_list(&world, None).await.unwrap();
    assert_eq!(world.store.get(NAME).routes[0].upstream_url, SEEN);
}

/// A registry in which submissions of one namespace are approved at once.
async fn ruled(world: &World, selection: Selection) {
    let patch = RegistryPatch {
        selection: Some(selection),
        auto_approve: Some(vec!["com.acme".parse().unwrap()]),
        ..RegistryPatch::default()
    };
    let (registry, admin) = (&world.registry, admin());
    let name = "dev".parse().unwrap();
    registry.create_registry(&admin, name, patch).await.unwrap();
}

async fn hand_in(world: &World, document: &str) -> Approval {
    let submission = Submission {
        document: document.to_owned(),
        internal: Internal::No,
        approve: Approve::No,
    };
    let added = world.registry.add(&caller("publisher"), submission).await;
    added.unwrap().version.approval
}

#[tokio::test]
async fn a_rule_leaves_deployments_to_a_person() {
    let world = World::new();
    ruled(&world, Selection::default()).await;
    world
        .add(&package("com.acme/other", "1.0.0"), Approve::No)
        .await
        .unwrap();
    assert_eq!(
        hand_in(&world, &remote(NAME, "1.0.0", URL)).await,
        Approval::Approved
    );
    deploy(&world, "publisher", "production", SWAPPED).await;
    assert_eq!(
        hand_in(&world, &remote(NAME, "1.1.0", URL)).await,
        Approval::Approved
    );
    let entry = world.store.get(NAME);
    assert_eq!(entry.routes[0].upstream_url, URL);
    assert!(
        entry.server.deployments.proposed.is_some(),
        "it waits for a person"
    );
}

#[tokio::test]
async fn the_rule_of_a_registry_approves_what_that_registry_would_hold() {
    let environments = Selection {
        environments: BTreeSet::from(["test".parse().unwrap()]),
        ..Selection::default()
    };
    let tags = Selection {
        tags: BTreeSet::from(["payments".to_owned()]),
        ..Selection::default()
    };
    let stages = |lifecycle| Selection {
        lifecycles: vec![lifecycle],
        ..Selection::default()
    };
    let cases = [
        (Selection::default(), Approval::Approved),
        // Its remote would be served in production, which that registry does not show.
        (environments, Approval::Submitted),
        (tags, Approval::Submitted),
        (stages(Lifecycle::Testing), Approval::Submitted),
        (stages(Lifecycle::Production), Approval::Approved),
    ];
    for (selection, expected) in cases {
        let world = World::new();
        let shown = format!("{selection:?}");
        ruled(&world, selection).await;
        assert_eq!(
            hand_in(&world, &remote(NAME, "1.0.0", URL)).await,
            expected,
            "{shown}"
        );
    }
}

#[tokio::test]
async fn a_rule_of_a_registry_of_one_environment_covers_what_runs_there_alone() {
    let world = World::new();
    world.add(&package(NAME, "1.0.0"), Approve::No).await.unwrap();
    deploy(&world, "admin", "test", SEEN).await;
    let selection = Selection {
        environments: BTreeSet::from(["test".parse().unwrap()]),
        tags: BTreeSet::from(["payments".to_owned()]),
        ..Selection::default()
    };
    ruled(&world, selection).await;
    assert_eq!(
        hand_in(&world, &package(NAME, "1.1.0")).await,
        Approval::Submitted
    );
    world.store.meddle(NAME, |entry| {
        entry.server.profile.tags = vec!["payments".to_owned()]
    });
    assert_eq!(hand_in(&world, &package(NAME, "1.2.0")).await, Approval::Approved);
    // With a remote of its own it would be served in production, too.
    assert_eq!(
        hand_in(&world, &remote(NAME, "1.3.0", URL)).await,
        Approval::Submitted
    );
}

#[tokio::test]
async fn an_edit_passes_by_rule_once_it_was_judged_as_a_publication_does() {
    let world = World::assessing(AssessmentPolicy {
        block: Some(FindingSeverity::High),
        ..AssessmentPolicy::default()
    });
    world.upstreams.answer(
        "https://mail.example/mcp",
        &[("send", "Sends a mail to one person.")],
    );
    publish(&world, "com.trusted/mail", "1.0.0").await.unwrap();
    let stands = || {
        let version = world.store.get("com.trusted/mail").versions.remove(0);
        (version.approval, version.document.contains("Mail and more"))
    };
    assert_eq!(stands(), (Approval::Approved, false));
    let edited = document("com.trusted/mail", "1.0.0").replace("Invoices and refunds", "Mail and more");
    let (name, version) = ("com.trusted/mail".parse().unwrap(), "1.0.0".parse().unwrap());
    let served = world
        .registry
        .edit(&trusted(), &name, &version, &edited)
        .await
        .unwrap();
    assert_eq!(stands(), (Approval::Approved, true));
    assert!(served.meta.official.is_latest);
}
