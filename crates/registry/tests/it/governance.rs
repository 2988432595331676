//! Who may do which step: publishers hand in, somebody else approves, rules approve at once.

use portreeve_core::caller::Caller;
use portreeve_core::name::RegistryName;
use portreeve_core::server::Approval;
use portreeve_registry::{
    Approve, Approving, Deployed, Internal, NewDeployments, RegistryError, RegistryPatch, Submission,
};

use crate::world::{NAME, URL, World, admin, caller, package, remote};

fn name() -> portreeve_core::name::ServerName {
    NAME.parse().unwrap()
}

fn submission(document: &str, approve: Approve) -> Submission {
    Submission {
        document: document.to_owned(),
        internal: Internal::No,
        approve,
    }
}

async fn change_default(world: &World, patch: RegistryPatch) {
    world
        .registry
        .change_registry(&admin(), &RegistryName::main(), patch, None)
        .await
        .unwrap();
}

async fn approve(world: &World, by: &Caller) -> Result<Approval, RegistryError> {
    let outcome = world.registry.approve(by, &name(), None, Internal::No).await?;
    Ok(outcome.version.approval)
}

/// Puts what waits in force, after a look at the plan.
async fn approve_deployments(world: &World) -> Deployed {
    let plan = world.registry.plan(&admin(), &name(), None).await.unwrap();
    let alone = world
        .registry
        .approve_deployments(&admin(), &name(), Internal::No.into())
        .await
        .unwrap_err();
    assert!(alone.to_string().contains("no plan was named"), "{alone}");
    let approving = Approving {
        internal: Internal::No,
        plan: Some(plan.hash),
    };
    world
        .registry
        .approve_deployments(&admin(), &name(), approving)
        .await
        .unwrap()
}

#[tokio::test]
async fn a_publisher_hands_in_and_does_not_approve() {
    let world = World::new();
    let publisher = caller("publisher");
    let outcome = world
        .registry
        .add(&publisher, submission(&remote(NAME, "1.0.0", URL), Approve::No))
        .await
        .unwrap();
    assert_eq!(outcome.version.approval, Approval::Submitted);
    let refused = approve(&world, &publisher).await.unwrap_err();
    assert!(matches!(refused, RegistryError::Forbidden { .. }), "{refused}");
    let refused = world
        .registry
        .add(&publisher, submission(&remote(NAME, "1.1.0", URL), Approve::Now))
        .await
        .unwrap_err();
    assert!(matches!(refused, RegistryError::Forbidden { .. }), "{refused}");
    let refused = world
        .registry
        .add(
            &publisher,
            submission(&package("com.other/thing", "1.0.0"), Approve::No),
        )
        .await
        .unwrap_err();
    assert!(matches!(refused, RegistryError::Forbidden { .. }), "{refused}");
    // What he handed in exists for him, and for nobody else who may not manage.
    assert!(world.registry.entry(&publisher, &name()).await.is_ok());
    assert!(world.registry.entry(&caller("user"), &name()).await.is_err());

    approve(&world, &admin()).await.unwrap();
    // Where it runs is said by him, and is in force when somebody approves it.
    let new = NewDeployments {
        deployments: Vec::new(),
        internal: Internal::No,
        expected: None,
    };
    let mut there = new.clone();
    there.deployments = vec![portreeve_core::deployment::Deployment {
        environment: "test".parse().unwrap(),
        major: None,
        version: None,
        url: URL.to_owned(),
        state: portreeve_core::deployment::DeploymentState::Active,
        metadata: serde_json::Map::new(),
    }];
    let deployed = world.registry.deploy(&publisher, &name(), there).await.unwrap();
    assert_eq!(deployed.entry.routes.len(), 1, "production alone");
    assert!(deployed.entry.server.deployments.proposed.is_some());
    let deployed = approve_deployments(&world).await;
    assert_eq!(deployed.entry.routes.len(), 2);
}

#[tokio::test]
async fn b2_the_approver_is_not_who_submitted() {
    let world = World::new();
    let patch = RegistryPatch {
        approver_differs: Some(true),
        ..RegistryPatch::default()
    };
    change_default(&world, patch).await;
    let steward = caller("steward");
    let refused = world
        .registry
        .add(&steward, submission(&remote(NAME, "1.0.0", URL), Approve::Now))
        .await
        .unwrap_err();
    assert!(matches!(refused, RegistryError::Forbidden { .. }), "{refused}");
    world
        .registry
        .add(&steward, submission(&remote(NAME, "1.0.0", URL), Approve::No))
        .await
        .unwrap();
    let refused = approve(&world, &steward).await.unwrap_err().to_string();
    assert_eq!(
        refused,
        "`steward` may not approve what `steward` submitted of `com.acme/billing`: registry `default` wants another \
         approver"
    );
    assert_eq!(approve(&world, &admin()).await.unwrap(), Approval::Approved);
    // What he says of deployments waits for somebody else, too.
    let new = NewDeployments {
        deployments: vec![portreeve_core::deployment::Deployment {
            environment: "production".parse().unwrap(),
            major: None,
            version: None,
            url: "https://new.acme.example/mcp".to_owned(),
            state: portreeve_core::deployment::DeploymentState::Active,
            metadata: serde_json::Map::new(),
        }],
        internal: Internal::No,
        expected: None,
    };
    let deployed = world.registry.deploy(&steward, &name(), new).await.unwrap();
    assert_eq!(deployed.entry.routes[0].upstream_url, URL);
    let refused = world
        .registry
        .approve_deployments(&steward, &name(), Internal::No.into())
        .await
        .unwrap_err();
    assert!(
        refused.to_string().contains("wants another approver"),
        "{refused}"
    );
    let deployed = approve_deployments(&world).await;
    assert_eq!(
        deployed.entry.routes[0].upstream_url,
        "https://new.acme.example/mcp"
    );
}

#[tokio::test]
async fn a_sent_back_version_belongs_to_who_hands_it_in_again() {
    let world = World::new();
    let patch = RegistryPatch {
        approver_differs: Some(true),
        ..RegistryPatch::default()
    };
    change_default(&world, patch).await;
    world.add(&package(NAME, "1.0.0"), Approve::No).await.unwrap();
    world
        .registry
        .reject(&admin(), &name(), None, "no owner")
        .await
        .unwrap();
    let steward = caller("steward");
    let version = world.registry.submit(&steward, &name(), None).await.unwrap();
    assert_eq!(version.submitted_by, "steward");
    assert!(approve(&world, &steward).await.is_err());
    assert!(approve(&world, &admin()).await.is_ok());
}

#[tokio::test]
async fn a_rule_of_a_registry_approves_at_once_and_says_so() {
    let world = World::new();
    let patch = RegistryPatch {
        auto_approve: Some(vec!["com.acme".parse().unwrap()]),
        ..RegistryPatch::default()
    };
    change_default(&world, patch).await;
    world.actions();
    let outcome = world
        .registry
        .add(
            &caller("publisher"),
            submission(&remote(NAME, "1.0.0", URL), Approve::No),
        )
        .await
        .unwrap();
    assert_eq!(outcome.version.approval, Approval::Approved);
    assert_eq!(outcome.version.decided_by.as_deref(), Some("system"));
    let events = world.events();
    let approved = events
        .iter()
        .find(|event| event.action == "server.approve")
        .unwrap();
    assert_eq!(approved.actor, "system");
    let reason = &approved.detail.as_ref().unwrap()["message"];
    assert_eq!(reason, "the rule `registry:default` approves it");
    let other = world
        .add(&package("org.other/thing", "1.0.0"), Approve::No)
        .await
        .unwrap();
    assert_eq!(other.version.approval, Approval::Submitted);
}

#[tokio::test]
async fn registries_are_made_by_administrators_within_their_limits() {
    let world = World::new();
    let partners: RegistryName = "partners".parse().unwrap();
    let refused = world
        .registry
        .create_registry(&caller("steward"), partners.clone(), RegistryPatch::default())
        .await
        .unwrap_err();
    assert!(matches!(refused, RegistryError::Forbidden { .. }), "{refused}");
    let made = world
        .registry
        .create_registry(&admin(), partners.clone(), RegistryPatch::default())
        .await
        .unwrap();
    assert_eq!(made.title, "partners");
    assert!(world.registry.view(Some(&partners), None).is_err(), "for members");
    assert!(
        world
            .registry
            .view(Some(&partners), Some(&caller("user")))
            .is_ok()
    );
    let selection = portreeve_core::view::Selection {
        tags: ["partner".to_owned()].into(),
        environments: ["nowhere".parse().unwrap()].into(),
        ..Default::default()
    };
    let patch = |selection| RegistryPatch {
        selection: Some(selection),
        ..RegistryPatch::default()
    };
    let wrong = world
        .registry
        .change_registry(&admin(), &partners, patch(selection.clone()), Some(1))
        .await
        .unwrap_err();
    assert!(wrong.to_string().contains("no environment `nowhere`"), "{wrong}");
    let main = RegistryName::main();
    let wrong = world
        .registry
        .change_registry(&admin(), &main, patch(selection), None)
        .await
        .unwrap_err();
    assert!(
        wrong.to_string().contains("everything that is approved"),
        "{wrong}"
    );
    let wrong = world
        .registry
        .remove_registry(&admin(), &main, None)
        .await
        .unwrap_err();
    assert!(matches!(wrong, RegistryError::State { .. }), "{wrong}");
    world
        .registry
        .remove_registry(&admin(), &partners, Some(1))
        .await
        .unwrap();
}
