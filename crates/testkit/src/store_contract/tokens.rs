//! Keys that sign tokens, and authorizations that ended.

use portreeve_core::id::AuthorizationId;
use portreeve_core::token::{EndedAuthorization, SigningKey};

use super::{Durable, Outcome};
use crate::store_fixtures::{at, event};

/// Of two nodes that make the same key, one wins; keys that are over are forgotten; readers get them with the snapshot.
pub async fn one_node_makes_the_next_signing_key(store: &dyn Durable) -> Outcome {
    let create = || event("signing-key.create");
    let before = store.generation().await?;
    assert!(store.add_signing_key(&key(1, "a"), 0, create()).await?);
    assert!(
        !store.add_signing_key(&key(1, "b"), 0, create()).await?,
        "the number is taken"
    );
    assert!(
        !store.add_signing_key(&key(2, "a"), 0, create()).await?,
        "the name is taken"
    );
    assert!(store.add_signing_key(&key(2, "b"), 0, create()).await?);
    assert_eq!(store.signing_keys().await?, [key(1, "a"), key(2, "b")]);
    assert!(store.add_signing_key(&key(3, "c"), 2, create()).await?);
    assert_eq!(store.signing_keys().await?, [key(2, "b"), key(3, "c")]);
    let snapshot = store.snapshot(None).await?;
    assert_eq!(snapshot.signing_keys, [key(2, "b"), key(3, "c")]);
    assert_eq!(
        snapshot.generation,
        before + 3,
        "what was not stored changed nothing"
    );
    Ok(())
}

/// What ended is in the snapshot until nobody needs it.
pub async fn an_authorization_ends_for_all_nodes(store: &dyn Durable) -> Outcome {
    let ended = |number, until| EndedAuthorization {
        id: AuthorizationId::from_u128(number),
        until: at(until),
    };
    let before = store.generation().await?;
    store.end_authorization(ended(1, 10), at(0)).await?;
    store.end_authorization(ended(2, 20), at(5)).await?;
    assert_eq!(store.snapshot(None).await?.ended, [ended(1, 10), ended(2, 20)]);
    store.end_authorization(ended(2, 30), at(10)).await?;
    let snapshot = store.snapshot(Some(before)).await?;
    assert_eq!(snapshot.ended, [ended(2, 30)]);
    assert_eq!(snapshot.generation, before + 3);
    Ok(())
}

fn key(number: i64, kid: &str) -> SigningKey {
    SigningKey {
        number,
        kid: kid.to_owned(),
        x: "x".to_owned(),
        y: "y".to_owned(),
        sealed: format!("sealed {kid}"),
        signs_from: at(number),
        created_at: at(0),
    }
}
