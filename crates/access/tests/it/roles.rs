//! Who manages a part: what may be granted there, by whom, and that somebody is left who manages everything.

use portreeve_access::{AccessError, NewGrant, NewUser, SubjectName};
use portreeve_core::caller::Caller;
use portreeve_core::grant::{Grant, Rights, ServerScope, Subject, ToolScope};
use portreeve_core::id::{KeyId, UserId};
use portreeve_core::name::GroupName;
use portreeve_core::ports::Owned;

use crate::house::House;

fn namespace(pattern: &str) -> ServerScope {
    ServerScope::Namespace(pattern.parse().unwrap())
}

fn server(name: &str) -> ServerScope {
    ServerScope::Server(name.parse().unwrap())
}

fn to(key: KeyId, rights: Rights, servers: ServerScope) -> NewGrant {
    NewGrant {
        subject: Subject::Key(key),
        rights,
        servers,
        tools: ToolScope::All,
        expires_at: None,
    }
}

/// Somebody who manages `com.acme` and what is below it, and somebody with nothing.
async fn steward(house: &House) -> (Caller, KeyId, Grant) {
    let (steward, secret) = house.key("steward", None).await;
    let (other, _) = house.key("other", None).await;
    let new = to(steward.id, Rights::Manage, namespace("com.acme.*"));
    let grant = house.access.add_grant(&house.admin(), new).await.unwrap();
    house.refresh();
    let caller = house.access.authenticate(secret.expose()).unwrap();
    (caller, other.id, grant)
}

#[tokio::test]
async fn who_manages_a_part_grants_inside_of_it_and_no_further() {
    let house = House::started().await;
    let (steward, other, _) = steward(&house).await;
    let inside = [
        server("com.acme/billing"),
        server("com.ACME.tools/lint"),
        namespace("com.acme"),
        namespace("com.acme.*"),
        namespace("com.acme.tools.*"),
    ];
    for scope in inside {
        for rights in [
            Rights::Use,
            Rights::View,
            Rights::Publish,
            Rights::Approve,
            Rights::Operate,
        ] {
            let made = house
                .access
                .add_grant(&steward, to(other, rights, scope.clone()))
                .await;
            assert!(made.is_ok(), "{rights:?} {scope:?}: {made:?}");
        }
        for rights in [Rights::Audit, Rights::Manage] {
            let refused = house
                .access
                .add_grant(&steward, to(other, rights, scope.clone()))
                .await;
            assert!(
                matches!(refused, Err(AccessError::Forbidden { .. })),
                "{rights:?} {scope:?}"
            );
        }
    }
    let outside = [
        ServerScope::All,
        server("com.acmecorp/billing"),
        server("io.x/y"),
        namespace("com.*"),
        namespace("com.acmecorp"),
        ServerScope::Owner("finance".parse().unwrap()),
        ServerScope::Registry("default".parse().unwrap()),
    ];
    for scope in outside {
        let refused = house
            .access
            .add_grant(&steward, to(other, Rights::Use, scope.clone()))
            .await;
        let Err(error @ AccessError::Forbidden { .. }) = refused else {
            panic!("{scope:?}: {refused:?}");
        };
        assert_eq!(
            error.to_string(),
            "`key:steward` may not decide about grants of `use` that reach further than its own: ask for a grant of \
             `manage` there"
        );
    }
}

/// A server may leave its group any day, and a grant of the server alone would not leave with it.
#[tokio::test]
async fn who_manages_what_a_group_owns_hands_on_that_scope_alone() {
    let house = House::started().await;
    let (lead, secret) = house.key("lead", None).await;
    let (other, _) = house.key("other", None).await;
    let owner = ServerScope::Owner("finance".parse().unwrap());
    let new = to(lead.id, Rights::Manage, owner.clone());
    house.access.add_grant(&house.admin(), new).await.unwrap();
    let mut snapshot = house.snapshot();
    snapshot.owned = vec![Owned {
        tags: Vec::new(),
        server: "com.acme/billing".parse().unwrap(),
        groups: vec!["finance".parse().unwrap()],
    }];
    house.access.load(&snapshot);
    let lead = house.access.authenticate(secret.expose()).unwrap();
    let one = to(other.id, Rights::Use, server("com.acme/billing"));
    let refused = house.access.add_grant(&lead, one.clone()).await;
    assert!(
        matches!(refused, Err(AccessError::Forbidden { .. })),
        "{refused:?}"
    );
    let all = to(other.id, Rights::Use, owner);
    house.access.add_grant(&lead, all).await.unwrap();
    // Who manages the server itself may: that grant does not end with the group.
    let itself = to(lead.key.unwrap(), Rights::Manage, server("com.acme/billing"));
    house.access.add_grant(&house.admin(), itself).await.unwrap();
    house.access.load(&house.snapshot());
    house.access.add_grant(&lead, one).await.unwrap();
}

#[tokio::test]
async fn who_manages_a_part_sees_its_grants_and_takes_back_what_it_could_give() {
    let house = House::started().await;
    let (steward, other, own) = steward(&house).await;
    let admin = house.admin();
    let here = to(other, Rights::Approve, server("com.acme/billing"));
    let here = house.access.add_grant(&admin, here).await.unwrap();
    let there = to(other, Rights::Approve, server("io.x/y"));
    let there = house.access.add_grant(&admin, there).await.unwrap();
    house.refresh();
    let seen = house.access.grants(&steward).await.unwrap();
    let seen: Vec<_> = seen.iter().map(|grant| grant.id).collect();
    assert_eq!(seen, [own.id, here.id]);
    let event_of = house.access.remove_grant(&steward, here.id).await.unwrap();
    assert_eq!(event_of.id, here.id);
    let refused = house.access.remove_grant(&steward, there.id).await;
    assert!(
        matches!(refused, Err(AccessError::NotFound { .. })),
        "{refused:?}"
    );
    let refused = house.access.remove_grant(&steward, own.id).await;
    assert!(
        matches!(refused, Err(AccessError::Forbidden { .. })),
        "{refused:?}"
    );
    let found = house
        .access
        .subject_named(&steward, SubjectName::Key("other"))
        .await;
    assert_eq!(found.unwrap(), Some(Subject::Key(other)));
    // The list of keys is not for who manages a part.
    assert!(house.access.keys(&steward).await.is_err());
}

#[tokio::test]
async fn roles_are_told_with_their_scope_and_end_with_their_holder() {
    let house = House::started().await;
    let (steward, ..) = steward(&house).await;
    let roles = house.access.roles(&steward);
    let told: Vec<_> = roles
        .iter()
        .map(|held| (held.rights.role(), held.servers.clone()))
        .collect();
    assert_eq!(told, [("admin", namespace("com.acme.*"))]);
    house.access.revoke_key(&house.admin(), "steward").await.unwrap();
    house.refresh();
    assert!(house.access.roles(&steward).is_empty());
}

#[tokio::test]
async fn the_last_who_manages_everything_stays() {
    let house = House::started().await;
    let admin = house.admin();
    let grants = house.access.grants(&admin).await.unwrap();
    let whole = grants
        .iter()
        .find(|grant| grant.rights == Rights::Manage)
        .unwrap();
    let refused = house.access.remove_grant(&admin, whole.id).await.unwrap_err();
    assert!(
        refused
            .to_string()
            .contains("no enabled user would be left who manages everything"),
        "{refused}"
    );
    // A key that manages is nobody who signs in.
    let (robot, secret) = house.key("robot", None).await;
    let new = to(robot.id, Rights::Manage, ServerScope::All);
    house.access.add_grant(&admin, new).await.unwrap();
    house.refresh();
    let robot = house.access.authenticate(secret.expose()).unwrap();
    assert!(house.access.remove_grant(&robot, whole.id).await.is_err());
    let id = UserId::LOCAL_ADMIN.to_string();
    assert!(house.access.disable_user(&robot, &id).await.is_err());
}

#[tokio::test]
async fn the_last_group_that_manages_everything_is_not_emptied() {
    let house = House::started().await;
    let admin = house.admin();
    let keepers: GroupName = "keepers".parse().unwrap();
    for name in ["ada", "eve"] {
        let new = NewUser {
            name: name.to_owned(),
            display_name: None,
            email: None,
            groups: vec![keepers.clone()],
        };
        house.access.create_user(&admin, new).await.unwrap();
    }
    let new = NewGrant {
        subject: Subject::Group(keepers),
        rights: Rights::Manage,
        servers: ServerScope::All,
        tools: ToolScope::All,
        expires_at: None,
    };
    let of_group = house.access.add_grant(&admin, new).await.unwrap();
    let grants = house.access.grants(&admin).await.unwrap();
    let own = grants
        .iter()
        .find(|grant| grant.rights == Rights::Manage && grant.id != of_group.id)
        .unwrap();
    house.access.remove_grant(&admin, own.id).await.unwrap();
    house.refresh();

    let ada = house.access.known_as("user:ada").unwrap();
    house.access.set_groups(&ada, "eve", Vec::new()).await.unwrap();
    house.refresh();
    let refused = house.access.set_groups(&ada, "ada", Vec::new()).await;
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("no enabled user would be left"), "{refused}");
}
