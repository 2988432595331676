//! Sealed secrets.

use portreeve_core::ports::SecretChange;
use portreeve_core::vault::{SealedSecret, SecretFacts};

use super::{Durable, Outcome, assert_conflict, assert_not_found};
use crate::store_fixtures::{at, event, parse};

fn change(name: &str, sealed: &str, revision: i64) -> SecretChange {
    let facts = SecretFacts {
        name: parse(name),
        created_by: "user:ada".to_owned(),
        created_at: at(1),
        updated_by: if revision == 1 { "user:ada" } else { "user:bob" }.to_owned(),
        updated_at: at(revision),
        revision,
    };
    SecretChange {
        secret: SealedSecret {
            facts,
            sealed: sealed.to_owned(),
        },
        expected: Some(revision - 1).filter(|expected| *expected > 0),
        most: 2,
        event: event("secret.set"),
    }
}

/// A secret is read as it was sealed, replaced only as it was read, and gone when it is removed.
pub async fn a_secret_is_replaced_as_it_was_read(store: &dyn Durable) -> Outcome {
    let generation = store.generation().await?;
    let first = change("github", "sealed-1", 1);
    let name = first.secret.facts.name.clone();
    assert_eq!(store.secret(&name).await?, None);
    store.put_secret(first.clone()).await?;
    assert_eq!(store.secret(&name).await?.as_ref(), Some(&first.secret));
    assert_conflict(store.put_secret(first.clone()).await);

    let second = change("github", "sealed-2", 2);
    store.put_secret(second.clone()).await?;
    assert_conflict(store.put_secret(second.clone()).await);
    assert_eq!(store.secret(&name).await?, Some(second.secret.clone()));
    assert_eq!(store.secrets().await?, std::slice::from_ref(&second.secret.facts));
    assert_conflict(store.put_secret(change("nowhere", "sealed", 5)).await);

    store.remove_secret(&name, event("secret.delete")).await?;
    assert_not_found(store.remove_secret(&name, event("secret.delete")).await);
    assert_eq!(store.secret(&name).await?, None);
    assert_eq!(store.generation().await?, generation, "no decision depends on it");
    Ok(())
}

/// There is a number of secrets that is not exceeded, and replacing one is no new one.
pub async fn a_full_vault_takes_no_more(store: &dyn Durable) -> Outcome {
    store.put_secret(change("b", "sealed", 1)).await?;
    store.put_secret(change("a", "sealed", 1)).await?;
    assert_conflict(store.put_secret(change("c", "sealed", 1)).await);
    store.put_secret(change("a", "sealed again", 2)).await?;
    let names: Vec<_> = store
        .secrets()
        .await?
        .into_iter()
        .map(|facts| facts.name.to_string())
        .collect();
    assert_eq!(names, ["a", "b"]);
    Ok(())
}

/// The identity of the installation stays what it is.
pub async fn an_installation_has_one_identity(store: &dyn Durable) -> Outcome {
    let identity = store.installation().await?;
    assert_eq!(identity.len(), 32, "{identity}");
    assert_eq!(store.installation().await?, identity);
    Ok(())
}
