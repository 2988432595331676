//! Users and their groups: what follows from both, and what stops when somebody is disabled.

use portreeve_access::{AccessError, NewKey, NewUser};
use portreeve_core::caller::User;
use portreeve_core::decision::{Action, Target};
use portreeve_core::grant::{ServerScope, Subject, ToolScope};
use portreeve_core::id::UserId;
use portreeve_core::ports::Authorizer as _;
use portreeve_core::tool::ToolAnnotations;

use crate::house::House;

async fn made(house: &House, name: &str, groups: &[&str]) -> User {
    let new = NewUser {
        name: name.to_owned(),
        display_name: None,
        email: None,
        groups: groups.iter().map(|group| group.parse().unwrap()).collect(),
    };
    let user = house.access.create_user(&house.admin(), new).await.unwrap();
    house.refresh();
    user
}

fn may_add(house: &House, label: &str) -> bool {
    let Some(caller) = house.access.known_as(label) else {
        return false;
    };
    let server = "com.acme/billing".parse().unwrap();
    let target = Target::Tool {
        server: &server,
        tool: "add",
        annotations: &ToolAnnotations::default(),
        arguments: None,
    };
    house.access.may(&caller, Action::CallTool, &target).is_permit()
}

#[tokio::test]
async fn what_a_group_is_granted_its_members_may() {
    let house = House::started().await;
    made(&house, "ada", &["finance"]).await;
    made(&house, "eve", &["sales"]).await;
    let scope = ServerScope::Server("com.acme/billing".parse().unwrap());
    let group = Subject::Group("finance".parse().unwrap());
    let grant = house
        .may_use(group, scope, ToolScope::Named(vec!["add".to_owned()]))
        .await;
    assert!(may_add(&house, "user:ada") && !may_add(&house, "user:eve"));
    let caller = house.access.known_as("user:ada").unwrap();
    let server = "com.acme/billing".parse().unwrap();
    let target = Target::Tool {
        server: &server,
        tool: "add",
        annotations: &ToolAnnotations::default(),
        arguments: None,
    };
    let why = house.access.explain(&caller, Action::CallTool, &target);
    let named: Vec<&str> = why.considered.iter().map(|grant| grant.grants.as_str()).collect();
    assert_eq!(
        named,
        ["members of `finance` use `com.acme/billing`: the tools `add`"]
    );
    assert_eq!(why.policies, [format!("grant:{}", grant.id).into()]);

    let sales = vec!["sales".parse().unwrap()];
    house
        .access
        .set_groups(&house.admin(), "ada", sales)
        .await
        .unwrap();
    house.refresh();
    assert!(!may_add(&house, "user:ada"));
    house.access.remove_grant(&house.admin(), grant.id).await.unwrap();
}

#[tokio::test]
async fn a_key_has_the_groups_of_its_user_too() {
    let house = House::started().await;
    let ada = made(&house, "ada", &["finance"]).await;
    let new = NewKey {
        name: "of-ada".to_owned(),
        owner: Some(ada.id),
        groups: vec!["ci".parse().unwrap(), "finance".parse().unwrap()],
        expires_at: None,
    };
    let (_, secret) = house.access.create_key(&house.admin(), new).await.unwrap();
    house.refresh();
    let caller = house.access.authenticate(secret.expose()).unwrap();
    let groups: Vec<&str> = caller.groups.iter().map(|group| group.as_str()).collect();
    assert_eq!(groups, ["ci", "finance"]);
    house.access.disable_user(&house.admin(), "ada").await.unwrap();
    house.refresh();
    assert!(house.access.authenticate(secret.expose()).is_err());
    assert!(
        !house
            .access
            .may(&caller, Action::Manage, &Target::Installation)
            .is_permit()
    );
    house.access.enable_user(&house.admin(), "ada").await.unwrap();
    house.refresh();
    assert!(house.access.authenticate(secret.expose()).is_ok());
}

#[tokio::test]
async fn users_are_made_once_and_nobody_locks_everybody_out() {
    let house = House::started().await;
    let ada = made(&house, "ada", &[]).await;
    house.events();
    let again = NewUser {
        name: "ada".to_owned(),
        display_name: None,
        email: None,
        groups: Vec::new(),
    };
    for name in ["", "a b", "-x", "<b>", &ada.id.to_string()] {
        let new = NewUser {
            name: name.to_owned(),
            ..again.clone()
        };
        let error = house.access.create_user(&house.admin(), new).await.unwrap_err();
        assert!(
            matches!(error, AccessError::Invalid { field: "name", .. }),
            "{name}"
        );
    }
    let admin = house.admin();
    for refused in [
        house.access.disable_user(&admin, "admin").await,
        house.access.remove_user(&admin, "admin").await,
    ] {
        assert!(matches!(refused, Err(AccessError::Invalid { field: "user", .. })));
    }
    let ada = house.access.known_as("user:ada").unwrap();
    assert!(matches!(
        house.access.disable_user(&ada, "admin").await,
        Err(AccessError::Forbidden { .. })
    ));
    house.access.remove_user(&admin, "ada").await.unwrap();
    house.refresh();
    assert_eq!(house.access.known_as("user:ada"), None);
    assert!(matches!(
        house.access.find_user(&admin, "ada").await,
        Err(AccessError::NotFound { .. })
    ));
    assert_eq!(house.events(), ["user:admin user.remove user:ada"]);
    assert_eq!(
        house.access.find_user(&admin, "admin").await.unwrap().id,
        UserId::LOCAL_ADMIN
    );
}
