//! API keys as callers present them.

use std::time::Duration;

use portreeve_access::{NewKey, Unauthenticated};
use portreeve_core::caller::Principal;
use portreeve_core::id::UserId;
use proptest::prelude::*;

use crate::house::{House, START};

#[tokio::test]
async fn a_key_is_its_id_and_its_secret() {
    let house = House::started().await;
    let (key, secret) = house.key("deploy", None).await;
    let text = secret.expose();
    assert_eq!(text.len(), 80);
    assert!(text.starts_with(&format!("prv_{}_", key.id.to_string().replace('-', ""))));
    assert_eq!(format!("{secret:?} {secret}"), "[secret] [secret]");

    let caller = house.access.authenticate(text).unwrap();
    assert_eq!(caller.principal, Principal::Key(key.id));
    assert_eq!(caller.key, Some(key.id));
    assert_eq!(&*caller.label, "key:deploy");

    let stored = house.memory.keys.lock().unwrap()[0].clone();
    let secret_part = text.get(37..).unwrap();
    assert_eq!(stored.secret_hash.len(), 64);
    assert!(!format!("{stored:?}").contains(secret_part));
}

#[tokio::test]
async fn a_key_with_an_owner_acts_as_that_user() {
    let house = House::started().await;
    let (key, secret) = house.key("laptop", Some(UserId::LOCAL_ADMIN)).await;
    let caller = house.access.authenticate(secret.expose()).unwrap();
    assert_eq!(caller.principal, Principal::User(UserId::LOCAL_ADMIN));
    assert_eq!(caller.key, Some(key.id));
    assert_eq!(&*caller.label, "user:admin");

    house.memory.users.lock().unwrap().clear();
    house.refresh();
    assert_eq!(
        house.access.authenticate(secret.expose()),
        Err(Unauthenticated::Unknown)
    );
}

#[tokio::test]
async fn only_the_exact_text_works() {
    let house = House::started().await;
    let (_, secret) = house.key("deploy", None).await;
    let (_, other) = house.key("other", None).await;
    let text = secret.expose();
    let (head, tail) = text.split_at(36);
    let (other_head, other_tail) = other.expose().split_at(36);

    for swapped in [format!("{head}{other_tail}"), format!("{other_head}{tail}")] {
        assert_eq!(house.access.authenticate(&swapped), Err(Unauthenticated::Unknown));
    }
    let malformed = [
        String::new(),
        "prv_".to_owned(),
        head.to_owned(),
        format!("{text} "),
        format!(" {text}"),
        format!("{text}="),
        text.to_uppercase(),
        text.replacen("prv", "PRV", 1),
        format!("Bearer {text}"),
        format!("{head}_{}", "ü".repeat(21)),
        format!("{head}{tail}{tail}"),
        "prv_".to_owned() + &"a".repeat(1_000_000),
    ];
    for credential in malformed {
        let refused = house.access.authenticate(&credential).unwrap_err();
        assert_eq!(refused, Unauthenticated::Malformed, "{}", &credential.len());
    }
}

/// The last of 43 base64 characters carries four bits; a text with other bits in it is not a second key.
#[tokio::test]
async fn no_second_text_stands_for_the_same_secret() {
    let house = House::started().await;
    let (_, secret) = house.key("deploy", None).await;
    let mut working = 0;
    for last in ('A'..='Z').chain('a'..='z').chain('0'..='9').chain(['-', '_']) {
        let mut text = secret.expose().to_owned();
        text.pop();
        text.push(last);
        working += usize::from(house.access.authenticate(&text).is_ok());
    }
    assert_eq!(working, 1);
}

#[tokio::test]
async fn expired_and_revoked_keys_name_nobody() {
    let house = House::started().await;
    let expires_at = Some(START.plus(Duration::from_secs(60)));
    let new = NewKey {
        groups: Vec::new(),
        name: "short".to_owned(),
        owner: None,
        expires_at,
    };
    let (_, secret) = house.access.create_key(&house.admin(), new).await.unwrap();
    house.refresh();
    let text = secret.expose();
    assert!(house.access.authenticate(text).is_ok());
    house.clock.pass(Duration::from_millis(59_999));
    assert!(house.access.authenticate(text).is_ok());
    house.clock.pass(Duration::from_millis(1));
    assert_eq!(house.access.authenticate(text), Err(Unauthenticated::Expired));
    let guessed = text.get(..text.len() - 43).unwrap().to_owned() + &"A".repeat(43);
    assert_eq!(house.access.authenticate(&guessed), Err(Unauthenticated::Unknown));

    let (_, secret) = house.key("deploy", None).await;
    house.access.revoke_key(&house.admin(), "deploy").await.unwrap();
    house.refresh();
    assert_eq!(
        house.access.authenticate(secret.expose()),
        Err(Unauthenticated::Unknown)
    );
}

#[test]
fn before_the_first_snapshot_nobody_is_known() {
    let house = House::empty();
    let text = format!("prv_{}_{}", "0".repeat(32), "A".repeat(43));
    assert_eq!(house.access.authenticate(&text), Err(Unauthenticated::Unknown));
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in any::<String>(), tail in any::<String>()) {
        let house = House::empty();
        let id = "0".repeat(32);
        for credential in [text, format!("prv_{tail}"), format!("prv_{id}_{tail}")] {
            prop_assert!(house.access.authenticate(&credential).is_err());
        }
    }
}
