//! The vault: who may put something in, and what comes out.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use portreeve_access::{AccessError, Replace, Vault, VaultParts};
use portreeve_core::audit::AuditEvent;
use portreeve_core::limits::Limits;
use portreeve_core::name::SecretName;
use portreeve_core::ports::{Outgoing as _, SecretChange, SecretStore, SecretUnavailable, StoreError};
use portreeve_core::secret::{Secret, SecretKey};
use portreeve_core::vault::{SealedSecret, SecretFacts};

use crate::house::House;

#[derive(Default)]
struct Shelf {
    secrets: Mutex<BTreeMap<String, SealedSecret>>,
    events: Mutex<Vec<AuditEvent>>,
}

#[async_trait]
impl SecretStore for Shelf {
    async fn installation(&self) -> Result<String, StoreError> {
        Ok("here".to_owned())
    }

    async fn secrets(&self) -> Result<Vec<SecretFacts>, StoreError> {
        let secrets = self.secrets.lock().unwrap();
        Ok(secrets.values().map(|secret| secret.facts.clone()).collect())
    }

    async fn secret(&self, name: &SecretName) -> Result<Option<SealedSecret>, StoreError> {
        Ok(self.secrets.lock().unwrap().get(name.as_str()).cloned())
    }

    async fn put_secret(&self, change: SecretChange) -> Result<(), StoreError> {
        let mut secrets = self.secrets.lock().unwrap();
        let name = change.secret.facts.name.to_string();
        if secrets.get(&name).map(|secret| secret.facts.revision) != change.expected {
            return Err(StoreError::Conflict { what: name });
        }
        secrets.insert(name, change.secret);
        self.events.lock().unwrap().push(change.event);
        Ok(())
    }

    async fn remove_secret(&self, name: &SecretName, event: AuditEvent) -> Result<(), StoreError> {
        let removed = self.secrets.lock().unwrap().remove(name.as_str());
        self.events.lock().unwrap().push(event);
        removed.map(drop).ok_or_else(|| StoreError::NotFound {
            what: name.to_string(),
        })
    }
}

fn vault(house: &House, shelf: &Arc<Shelf>, key: u8, installation: &str) -> Vault {
    let parts = VaultParts {
        access: Arc::clone(&house.access),
        store: Arc::clone(shelf) as Arc<dyn SecretStore>,
        limits: Arc::new(Limits::default()),
        installation: installation.to_owned(),
    };
    Vault::new(parts, &SecretKey::new([key; 32])).unwrap()
}

fn name(text: &str) -> SecretName {
    text.parse().unwrap()
}

#[tokio::test]
async fn a_secret_comes_out_as_it_went_in_and_only_here() {
    let house = House::started().await;
    let shelf = Arc::new(Shelf::default());
    let here = vault(&house, &shelf, 1, "here");
    let value = Secret::new("hush-4711");
    let admin = house.admin();
    here.set(&admin, &name("github"), &value, Replace::Nothing)
        .await
        .unwrap();
    assert_eq!(here.open(&name("github")).await.unwrap(), value);
    let unknown = here.open(&name("gitlab")).await;
    assert!(matches!(unknown, Err(SecretUnavailable::Unknown(_))));

    for elsewhere in [
        vault(&house, &shelf, 2, "here"),
        vault(&house, &shelf, 1, "there"),
    ] {
        let refused = elsewhere.open(&name("github")).await.unwrap_err();
        assert!(matches!(refused, SecretUnavailable::Unreadable(_)), "{refused}");
    }
    // Somebody who can write to the database puts one secret in another's place.
    let moved = shelf.secrets.lock().unwrap()["github"].clone();
    shelf.secrets.lock().unwrap().insert("gitlab".to_owned(), moved);
    assert!(here.open(&name("gitlab")).await.is_err());

    let sealed = format!("{:?}", shelf.secrets.lock().unwrap());
    assert!(!sealed.contains("hush"), "{sealed}");
    for event in shelf.events.lock().unwrap().iter() {
        let written = serde_json::to_string(event).unwrap();
        assert!(!written.contains("hush"), "{written}");
        assert_eq!(event.target.as_deref(), Some("github"));
        assert_eq!(event.policies.len(), 1);
    }
}

#[tokio::test]
async fn the_vault_is_for_managers() {
    let house = House::started().await;
    let shelf = Arc::new(Shelf::default());
    let vault = vault(&house, &shelf, 1, "here");
    let (_, key) = house.key("stranger", None).await;
    let stranger = house.access.authenticate(key.expose()).unwrap();
    let github = name("github");
    let forbidden = |result: Result<(), AccessError>| {
        assert!(matches!(result, Err(AccessError::Forbidden { .. })), "{result:?}");
    };
    let value = Secret::new("x");
    forbidden(
        vault
            .set(&stranger, &github, &value, Replace::Nothing)
            .await
            .map(drop),
    );
    forbidden(vault.secrets(&stranger).await.map(drop));
    forbidden(vault.facts(&stranger, &github).await.map(drop));
    forbidden(vault.delete(&stranger, &github).await);
    assert!(shelf.secrets.lock().unwrap().is_empty());
}

#[tokio::test]
async fn replacing_keeps_who_made_it_and_tells_who_did_it() {
    let house = House::started().await;
    let shelf = Arc::new(Shelf::default());
    let vault = vault(&house, &shelf, 1, "here");
    let (admin, github) = (house.admin(), name("github"));
    let (one, two) = (Secret::new("one"), Secret::new("two"));
    let first = vault.set(&admin, &github, &one, Replace::Nothing).await.unwrap();
    let taken = vault.set(&admin, &github, &two, Replace::Nothing).await;
    assert!(matches!(taken, Err(AccessError::NameTaken { .. })));
    let stale = vault.set(&admin, &github, &two, Replace::Revision(9)).await;
    assert!(matches!(
        stale,
        Err(AccessError::Store(StoreError::Conflict { .. }))
    ));
    let second = vault
        .set(&admin, &github, &two, Replace::Revision(1))
        .await
        .unwrap();
    assert_eq!((second.revision, &second.created_by), (2, &first.created_by));
    assert_eq!(vault.open(&github).await.unwrap(), two);
    vault.delete(&admin, &github).await.unwrap();
    let gone = vault.set(&admin, &github, &one, Replace::Any).await;
    assert!(matches!(gone, Err(AccessError::NotFound { .. })));
}
