//! Making, listing and revoking keys.

use std::time::Duration;

use portreeve_access::{AccessError, NewKey};
use portreeve_core::caller::Caller;
use portreeve_core::id::UserId;

use crate::house::{House, START};

fn named(name: &str) -> NewKey {
    NewKey {
        groups: Vec::new(),
        name: name.to_owned(),
        owner: None,
        expires_at: None,
    }
}

#[tokio::test]
async fn making_and_revoking_are_written_down() {
    let house = House::started().await;
    let (key, secret) = house.key("deploy", None).await;
    let event = house.memory.events.lock().unwrap()[0].clone();
    assert_eq!(
        event.principal.as_deref(),
        Some(&*format!("user:{}", UserId::LOCAL_ADMIN))
    );
    assert_eq!(event.policies.len(), 1);
    assert!(event.policies[0].starts_with("grant:"));
    assert_eq!(event.detail.as_ref().unwrap()["id"], key.id.to_string());
    let written = serde_json::to_string(&event).unwrap();
    assert!(!written.contains(&key.secret_hash));
    assert!(!written.contains(secret.expose().get(37..).unwrap()));

    let revoked = house
        .access
        .revoke_key(&house.admin(), &key.id.to_string())
        .await
        .unwrap();
    assert_eq!(revoked.revoked_at, Some(START));
    assert_eq!(
        house.events(),
        ["user:admin key.create deploy", "user:admin key.revoke deploy"]
    );
    let again = house
        .access
        .revoke_key(&house.admin(), "deploy")
        .await
        .unwrap_err();
    assert_eq!(again.to_string(), "there is no live key `deploy`");
    assert_eq!(house.access.keys(&house.admin()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn names_are_checked_and_unique_among_live_keys() {
    let house = House::started().await;
    let admin = house.admin();
    let too_long = "a".repeat(65);
    let like_an_id = "0123456789abcdef0123456789abcdef";
    for name in ["", "a b", "ü", "a/b", "a\nb", &too_long, like_an_id] {
        let error = house.access.create_key(&admin, named(name)).await.unwrap_err();
        assert!(
            matches!(error, AccessError::Invalid { field: "name", .. }),
            "{name}"
        );
    }
    house.key(&"a".repeat(64), None).await;
    house.key("Az0._-", None).await;
    let taken = house
        .access
        .create_key(&admin, named("Az0._-"))
        .await
        .unwrap_err();
    assert_eq!(taken.to_string(), "the name `Az0._-` is taken already");
    house.access.revoke_key(&admin, "Az0._-").await.unwrap();
    house.key("Az0._-", None).await;
}

#[tokio::test]
async fn an_expiry_lies_in_the_future_and_an_owner_exists() {
    let house = House::started().await;
    let admin = house.admin();
    let expired = NewKey {
        expires_at: Some(START),
        ..named("late")
    };
    let error = house.access.create_key(&admin, expired).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "`expiresAt` cannot be `2026-11-23T12:00:00.000Z`: it must lie in the future"
    );
    let orphan = NewKey {
        owner: Some(UserId::from_u128(9)),
        ..named("orphan")
    };
    let error = house.access.create_key(&admin, orphan).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no user `00000000-0000-0000-0000-000000000009`"
    );
    assert_eq!(house.events(), [""; 0]);
}

#[tokio::test]
async fn a_name_means_the_key_that_works() {
    let house = House::started().await;
    let admin = house.admin();
    let short = NewKey {
        expires_at: Some(START.plus(Duration::from_secs(1))),
        ..named("deploy")
    };
    house.access.create_key(&admin, short).await.unwrap();
    house.clock.pass(Duration::from_secs(2));
    let (new, secret) = house.key("deploy", None).await;
    assert_eq!(house.access.known_as("key:deploy").unwrap().key, Some(new.id));
    assert_eq!(
        house.access.revoke_key(&admin, "deploy").await.unwrap().id,
        new.id
    );
    house.refresh();
    assert!(house.access.authenticate(secret.expose()).is_err());
}

#[tokio::test]
async fn only_managers_may() {
    let house = House::started().await;
    let (key, secret) = house.key("deploy", None).await;
    house.events();
    let caller = house.access.authenticate(secret.expose()).unwrap();
    for caller in [caller, Caller::anonymous()] {
        let error = house.access.create_key(&caller, named("mine")).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "`{}` may not manage this Portreeve: ask for a grant of `manage` on all servers",
                caller.label
            )
        );
        assert!(
            house
                .access
                .revoke_key(&caller, &key.id.to_string())
                .await
                .is_err()
        );
        assert!(house.access.keys(&caller).await.is_err());
        assert!(house.access.users(&caller).await.is_err());
    }
    assert_eq!(house.events(), [""; 0]);
    assert_eq!(house.access.users(&house.admin()).await.unwrap().len(), 1);
}
