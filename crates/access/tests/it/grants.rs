//! Adding, listing and removing grants.

use std::time::Duration;

use portreeve_access::{AccessError, MAX_NAMED_TOOLS, NewGrant};
use portreeve_core::grant::{Rights, ServerScope, Subject, ToolScope};
use portreeve_core::id::{GrantId, KeyId, UserId};

use crate::house::{House, START};

fn all(subject: Subject) -> NewGrant {
    NewGrant {
        subject,
        rights: Rights::Use,
        servers: ServerScope::All,
        tools: ToolScope::All,
        expires_at: None,
    }
}

#[tokio::test]
async fn adding_and_removing_are_written_down() {
    let house = House::started().await;
    let (key, _) = house.key("deploy", None).await;
    house.events();
    let scope = ServerScope::Server("com.acme/billing".parse().unwrap());
    let grant = house
        .may_use(Subject::Key(key.id), scope, ToolScope::ReadOnly)
        .await;
    let event = house.memory.events.lock().unwrap()[0].clone();
    assert_eq!(event.server.as_deref(), Some("com.acme/billing"));
    assert_eq!(event.detail.unwrap()["tools"], "read-only");
    house.access.remove_grant(&house.admin(), grant.id).await.unwrap();
    assert_eq!(
        house.events(),
        [
            format!("user:admin grant.create grant:{}", grant.id),
            format!("user:admin grant.remove grant:{}", grant.id),
        ]
    );
    let again = house
        .access
        .remove_grant(&house.admin(), grant.id)
        .await
        .unwrap_err();
    assert_eq!(again.to_string(), format!("there is no grant `{}`", grant.id));
}

#[tokio::test]
async fn a_grant_that_exists_is_given_back() {
    let house = House::started().await;
    let (key, _) = house.key("deploy", None).await;
    let first = house
        .access
        .add_grant(&house.admin(), all(Subject::Key(key.id)))
        .await
        .unwrap();
    house.events();
    let second = house
        .access
        .add_grant(&house.admin(), all(Subject::Key(key.id)))
        .await
        .unwrap();
    assert_eq!(first, second);
    assert_eq!(house.events(), [""; 0]);
}

#[tokio::test]
async fn a_grant_may_end_by_itself_and_managing_may_not() {
    let house = House::started().await;
    let (key, secret) = house.key("deploy", None).await;
    let until = |seconds| NewGrant {
        expires_at: Some(START.plus(Duration::from_secs(seconds))),
        ..all(Subject::Key(key.id))
    };
    let admin = house.admin();
    let ends = house.access.add_grant(&admin, until(3_600)).await.unwrap();
    let again = house.access.add_grant(&admin, until(3_600)).await.unwrap();
    assert_eq!(ends.id, again.id);
    assert_eq!(ends.expires_at, Some(START.plus(Duration::from_secs(3_600))));
    let later = house.access.add_grant(&admin, until(7_200)).await.unwrap();
    assert_ne!(ends.id, later.id, "it says more");
    house.refresh();
    let caller = house.access.authenticate(secret.expose()).unwrap();
    house.clock.pass(Duration::from_secs(7_199));
    assert_eq!(house.access.roles(&caller).len(), 1);
    house.clock.pass(Duration::from_secs(1));
    assert!(house.access.roles(&caller).is_empty());

    let over = house.access.add_grant(&admin, until(7_200)).await.unwrap_err();
    assert!(over.to_string().contains("in the future"), "{over}");
    let manages = NewGrant {
        rights: Rights::Manage,
        ..until(9_000)
    };
    let refused = house.access.add_grant(&admin, manages).await.unwrap_err();
    assert!(refused.to_string().contains("outlast"), "{refused}");
}

#[tokio::test]
async fn grants_that_would_mean_nothing_are_refused() {
    let house = House::started().await;
    let admin = house.admin();
    let (key, _) = house.key("deploy", None).await;
    let (laptop, _) = house.key("laptop", Some(UserId::LOCAL_ADMIN)).await;
    house.events();
    let named = |names: Vec<String>| NewGrant {
        tools: ToolScope::Named(names),
        ..all(Subject::Key(key.id))
    };
    let invalid = [
        NewGrant {
            rights: Rights::Approve,
            tools: ToolScope::Named(vec!["list".to_owned()]),
            ..all(Subject::Key(key.id))
        },
        NewGrant {
            rights: Rights::Manage,
            tools: ToolScope::ReadOnly,
            ..all(Subject::Key(key.id))
        },
        named(vec![]),
        named(vec![String::new()]),
        named(vec!["a".repeat(257)]),
        named(vec!["a".to_owned(); MAX_NAMED_TOOLS + 1]),
        all(Subject::Key(laptop.id)),
    ];
    for grant in invalid {
        let error = house.access.add_grant(&admin, grant).await.unwrap_err();
        assert!(matches!(error, AccessError::Invalid { .. }), "{error}");
    }
    for subject in [
        Subject::Key(KeyId::from_u128(9)),
        Subject::User(UserId::from_u128(9)),
    ] {
        let error = house.access.add_grant(&admin, all(subject)).await.unwrap_err();
        assert!(matches!(error, AccessError::NotFound { .. }), "{error}");
    }
    assert_eq!(house.events(), [""; 0]);
}

#[tokio::test]
async fn only_managers_may() {
    let house = House::started().await;
    let (key, secret) = house.key("deploy", None).await;
    house
        .may_use(Subject::Key(key.id), ServerScope::All, ToolScope::All)
        .await;
    house.events();
    let caller = house.access.authenticate(secret.expose()).unwrap();
    let more = NewGrant {
        rights: Rights::Manage,
        ..all(Subject::Key(key.id))
    };
    let refused = [
        house.access.add_grant(&caller, more).await.err(),
        house
            .access
            .remove_grant(&caller, GrantId::from_u128(1))
            .await
            .err(),
        house.access.grants(&caller).await.err(),
    ];
    for error in refused {
        assert!(matches!(error, Some(AccessError::Forbidden { .. })));
    }
    assert_eq!(house.events(), [""; 0]);
}
