//! The local administrator.

use std::sync::atomic::Ordering;

use portreeve_access::{AccessError, NewGrant, NewUser};
use portreeve_core::caller::Caller;
use portreeve_core::decision::{Action, Target};
use portreeve_core::grant::{Rights, ServerScope, Subject, ToolScope};
use portreeve_core::ports::Authorizer as _;

use crate::house::House;

#[tokio::test]
async fn the_first_start_makes_an_administrator_who_may_manage_and_use_everything() {
    let house = House::empty();
    house.access.first_start().await.unwrap();
    house.refresh();
    let grants = house.access.grants(&Caller::system()).await.unwrap();
    assert_eq!(
        house.events(),
        [
            "system user.create user:admin".to_owned(),
            format!("system grant.create grant:{}", grants[0].id),
            format!("system grant.create grant:{}", grants[1].id),
        ]
    );
    let server = "com.acme/billing".parse().unwrap();
    let admin = house.admin();
    assert_eq!(&*admin.label, "user:admin");
    for (action, target) in [
        (Action::Manage, Target::Installation),
        (Action::Manage, Target::Server(&server)),
        (Action::Read, Target::Server(&server)),
    ] {
        assert!(house.access.may(&admin, action, &target).is_permit());
    }
}

#[tokio::test]
async fn a_grant_that_was_removed_stays_removed() {
    let house = House::started().await;
    let admin = house.admin();
    let grants = house.access.grants(&admin).await.unwrap();
    let of_use = grants.iter().find(|grant| grant.rights == Rights::Use).unwrap();
    house.access.remove_grant(&admin, of_use.id).await.unwrap();
    house.access.first_start().await.unwrap();
    assert_eq!(house.access.grants(&admin).await.unwrap().len(), 1);

    house.key("deploy", None).await;
    let of_managing = grants
        .iter()
        .find(|grant| grant.rights == Rights::Manage)
        .unwrap();
    // Somebody else has to be left who manages everything.
    let ada = NewUser {
        name: "ada".to_owned(),
        display_name: None,
        email: None,
        groups: Vec::new(),
    };
    let ada = house.access.create_user(&admin, ada).await.unwrap();
    let whole = NewGrant {
        subject: Subject::User(ada.id),
        rights: Rights::Manage,
        servers: ServerScope::All,
        tools: ToolScope::All,
        expires_at: None,
    };
    house.access.add_grant(&admin, whole).await.unwrap();
    house.access.remove_grant(&admin, of_managing.id).await.unwrap();
    house.events();
    house.access.first_start().await.unwrap();
    assert_eq!(house.memory.grants.lock().unwrap().len(), 1);
    assert_eq!(house.events(), [""; 0]);
}

#[tokio::test]
async fn a_first_start_that_broke_off_is_finished_by_the_next() {
    let house = House::empty();
    house.memory.fail_next_grant.store(true, Ordering::SeqCst);
    let error = house.access.first_start().await.unwrap_err();
    assert!(matches!(error, AccessError::Store(_)));
    assert_eq!(error.to_string(), "the store is not available");
    house.access.first_start().await.unwrap();
    assert_eq!(house.memory.grants.lock().unwrap().len(), 2);
}
