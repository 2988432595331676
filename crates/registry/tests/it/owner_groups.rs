//! Groups that own an entry: who says which, and who may not approve for them.

use portreeve_core::caller::Caller;
use portreeve_core::name::{RegistryName, ServerName};
use portreeve_core::view::Selection;
use portreeve_registry::{Approve, Internal, ProfilePatch, RegistryError, RegistryPatch};

use crate::world::{NAME, URL, World, admin, caller, remote};

fn name() -> ServerName {
    NAME.parse().unwrap()
}

fn of(label: &str, groups: &[&str]) -> Caller {
    Caller {
        groups: groups.iter().map(|group| group.parse().unwrap()).collect(),
        ..caller(label)
    }
}

async fn own(world: &World, by: &Caller, groups: &[&str]) -> Result<(), RegistryError> {
    let patch = ProfilePatch {
        owner_groups: Some(groups.iter().map(|group| (*group).to_owned()).collect()),
        ..ProfilePatch::default()
    };
    world.registry.describe(by, &name(), patch, None).await.map(drop)
}

#[tokio::test]
async fn a_publisher_gives_a_server_to_his_own_groups_alone() {
    let world = World::new();
    world.add(&remote(NAME, "1.0.0", URL), Approve::No).await.unwrap();
    let publisher = of("publisher", &["finance", "ops"]);
    let refused = own(&world, &publisher, &["finance", "sales"]).await.unwrap_err();
    assert!(refused.to_string().contains("group `sales`"), "{refused}");
    own(&world, &publisher, &["finance"]).await.unwrap();
    own(&world, &admin(), &["finance", "sales"]).await.unwrap();
    let refused = own(&world, &publisher, &["finance"]).await.unwrap_err();
    assert!(
        refused.to_string().contains("group `sales`"),
        "taking one away is the same: {refused}"
    );
    own(&world, &publisher, &["sales", "ops"]).await.unwrap();
    assert_eq!(
        world.store.get(NAME).server.profile.owner_groups,
        ["sales", "ops"]
    );
    let wrong = own(&world, &admin(), &["The finance team"]).await.unwrap_err();
    let RegistryError::Invalid(problems) = &wrong else {
        panic!("{wrong}")
    };
    assert_eq!(problems[0].path, "ownerGroups[0]");
}

/// Roles hang on the groups that own a server.
#[tokio::test]
async fn the_groups_of_what_is_approved_are_for_who_manages_it() {
    let world = World::new();
    world.approved(&remote(NAME, "1.0.0", URL)).await;
    let publisher = of("publisher", &["finance"]);
    for who in [&admin(), &of("steward", &[])] {
        let refused = own(&world, &publisher, &["finance"]).await.unwrap_err();
        assert!(
            refused.to_string().contains("ask for a grant of `manage` on it"),
            "{refused}"
        );
        own(&world, who, &["finance"]).await.unwrap();
        let refused = own(&world, &publisher, &[]).await.unwrap_err();
        assert!(refused.to_string().contains("group `finance`"), "{refused}");
        own(&world, who, &[]).await.unwrap();
    }
}

#[tokio::test]
async fn where_another_must_approve_nobody_of_the_owning_group_does() {
    let world = World::new();
    world.add(&remote(NAME, "1.0.0", URL), Approve::No).await.unwrap();
    own(&world, &admin(), &["finance"]).await.unwrap();
    let approve = async |by: &Caller| {
        let approved = world.registry.approve(by, &name(), None, Internal::No).await;
        approved.map(|outcome| outcome.version.approval.as_str())
    };
    let owner = of("steward", &["finance"]);
    let patch = RegistryPatch {
        approver_differs: Some(true),
        ..RegistryPatch::default()
    };
    let default = RegistryName::main();
    world
        .registry
        .change_registry(&admin(), &default, patch.clone(), None)
        .await
        .unwrap();
    let refused = approve(&owner).await.unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("which group `finance` owns: registry `default` wants"),
        "{refused}"
    );
    assert_eq!(approve(&of("steward", &["sales"])).await.unwrap(), "approved");

    // Elsewhere a manager is a manager.
    let patch = RegistryPatch {
        approver_differs: Some(false),
        ..patch
    };
    world
        .registry
        .change_registry(&admin(), &default, patch, None)
        .await
        .unwrap();
    world.add(&remote(NAME, "1.1.0", URL), Approve::No).await.unwrap();
    assert_eq!(approve(&owner).await.unwrap(), "approved");
}

/// A tag that takes a draft out of the registry that wants another approver would be the way around it.
#[tokio::test]
async fn tags_that_registries_select_by_are_for_who_manages_the_server() {
    let world = World::new();
    world.add(&remote(NAME, "1.0.0", URL), Approve::No).await.unwrap();
    let patch = RegistryPatch {
        selection: Some(Selection {
            tags: ["finance".to_owned()].into(),
            ..Selection::default()
        }),
        approver_differs: Some(true),
        ..RegistryPatch::default()
    };
    world
        .registry
        .create_registry(&admin(), "finance".parse().unwrap(), patch)
        .await
        .unwrap();
    let tag = async |by: &Caller, tags: &[&str]| {
        let patch = ProfilePatch {
            tags: Some(tags.iter().map(|tag| (*tag).to_owned()).collect()),
            ..ProfilePatch::default()
        };
        world.registry.describe(by, &name(), patch, None).await.map(drop)
    };
    let publisher = caller("publisher");
    // Going in, and what no registry selects by, is nobody's loss.
    tag(&publisher, &["finance"]).await.unwrap();
    tag(&publisher, &["finance", "eu"]).await.unwrap();
    let refused = tag(&publisher, &["eu"]).await.unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("the tags by which registry `finance` is about `com.acme/billing`"),
        "{refused}"
    );
    tag(&caller("steward"), &["eu"]).await.unwrap();
}
