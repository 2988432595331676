//! The inside of servers: what a forbid of `view` hides, from whom, and what a permit shows.

use portreeve_access::{NewGrant, NewUser};
use portreeve_core::caller::{Caller, Principal};
use portreeve_core::decision::{Action, Target};
use portreeve_core::grant::{Rights, ServerScope, Subject, ToolScope};
use portreeve_core::name::ServerName;
use portreeve_core::ports::Authorizer as _;
use portreeve_core::visibility::Visibility;

use crate::access_policies::mail;
use crate::house::House;

impl House {
    async fn may_view_all(&self, caller: &Caller) {
        let Principal::User(id) = caller.principal else {
            panic!("{} is no user", caller.label);
        };
        let new = NewGrant {
            subject: Subject::User(id),
            rights: Rights::View,
            servers: ServerScope::All,
            tools: ToolScope::All,
            expires_at: None,
        };
        self.access.add_grant(&self.admin(), new).await.unwrap();
        self.refresh();
    }

    fn views(&self, caller: &Caller, server: &ServerName) -> bool {
        self.access
            .may(caller, Action::View, &Target::Server(server))
            .is_permit()
    }
}

#[tokio::test]
async fn a_forbid_of_view_makes_every_server_a_question() {
    let house = House::started().await;
    let ada = house.ada().await;
    house.may_view_all(&ada).await;
    assert_eq!(house.access.visibility(&ada), Visibility::All);

    // A rule about others takes nothing from her.
    house
        .policy(
            "sales",
            r#"forbid (principal in Group::"sales", action == Action::"view", resource == Server::"com.acme/mail");"#,
        )
        .await;
    assert_eq!(house.access.visibility(&ada), Visibility::All);
    assert!(!house.access.hides_some(&ada) && house.views(&ada, &mail()));

    house
        .policy(
            "interns",
            r#"forbid (principal in Group::"interns", action == Action::"view", resource == Server::"com.acme/mail");"#,
        )
        .await;
    let hidden = house.access.may(&ada, Action::View, &Target::Server(&mail()));
    assert!(hidden.is_forbidden(), "{hidden:?}");
    assert!(house.views(&ada, &"com.acme/notes".parse().unwrap()));
    assert!(house.access.hides_some(&ada) && house.access.views_some(&ada));
    assert_eq!(house.access.visibility(&ada), Visibility::Listed);
}

#[tokio::test]
async fn who_manages_everything_sees_what_is_forbidden_to_be_seen() {
    let house = House::started().await;
    let (ada, admin) = (house.ada().await, house.admin());
    house
        .policy(
            "all",
            r#"forbid (principal, action == Action::"view", resource);"#,
        )
        .await;
    assert!(house.views(&admin, &mail()) && !house.views(&ada, &mail()));
    assert_eq!(house.access.visibility(&admin), Visibility::All);
    // Of the rest, a forbid holds for him as for everybody.
    house
        .policy(
            "none",
            r#"forbid (principal, action == Action::"publish", resource);"#,
        )
        .await;
    let publish = house
        .access
        .may(&admin, Action::Publish, &Target::Server(&mail()));
    assert!(publish.is_forbidden());
}

#[tokio::test]
async fn a_permit_of_view_is_a_role_somewhere() {
    let house = House::started().await;
    let bob = NewUser {
        name: "bob".to_owned(),
        display_name: None,
        email: None,
        groups: Vec::new(),
    };
    house.access.create_user(&house.admin(), bob).await.unwrap();
    house.refresh();
    let bob = house.access.known_as("user:bob").unwrap();
    assert!(!house.access.views_some(&bob));
    house
        .policy(
            "bob",
            r#"permit (principal == User::"bob", action == Action::"view", resource == Server::"com.acme/mail");"#,
        )
        .await;
    assert!(house.access.views_some(&bob) && house.views(&bob, &mail()));
    assert_eq!(house.access.visibility(&bob), Visibility::Listed);
    assert!(!house.access.views_some(&Caller::anonymous()));
    let unknown = Caller {
        principal: Principal::User(portreeve_core::id::UserId::from_u128(9)),
        ..bob
    };
    assert!(!house.access.views_some(&unknown), "he is not known here");
}
