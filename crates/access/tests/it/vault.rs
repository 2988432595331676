//! The vault: who may put something in, and what comes out.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use portreeve_access::{AccessError, Replace, Vault, VaultParts};
use portreeve_core::audit::AuditEvent;
use portreeve_core::limits::Limits;
use portreeve_core::name::SecretName;
use portreeve_core::ports::{
    Outgoing as _, Purpose, Removal, SecretChange, SecretStore, SecretUnavailable, StoreError,
};
use portreeve_core::secret::{Secret, SecretKey};
use portreeve_core::vault::{SealedSecret, SecretFacts, SecretUse};

use crate::house::House;

#[derive(Default)]
struct Shelf {
    secrets: Mutex<BTreeMap<String, SealedSecret>>,
    events: Mutex<Vec<AuditEvent>>,
    uses: Mutex<Vec<SecretUse>>,
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

    async fn remove_secret(
        &self,
        name: &SecretName,
        removal: Removal,
        event: AuditEvent,
    ) -> Result<Vec<SecretUse>, StoreError> {
        let uses = self.secret_uses(name).await?;
        if removal == Removal::Unused && !uses.is_empty() {
            return Ok(uses);
        }
        let removed = self.secrets.lock().unwrap().remove(name.as_str());
        self.events.lock().unwrap().push(event);
        removed.map(|_| Vec::new()).ok_or_else(|| StoreError::NotFound {
            what: name.to_string(),
        })
    }

    async fn secret_uses(&self, _: &SecretName) -> Result<Vec<SecretUse>, StoreError> {
        Ok(self.uses.lock().unwrap().clone())
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
    assert_eq!(here.open(&name("github"), Purpose::Assess).await.unwrap(), value);
    let unknown = here.open(&name("gitlab"), Purpose::Assess).await;
    assert!(matches!(unknown, Err(SecretUnavailable::Unknown(_))));

    for elsewhere in [
        vault(&house, &shelf, 2, "here"),
        vault(&house, &shelf, 1, "there"),
    ] {
        let refused = elsewhere
            .open(&name("github"), Purpose::Assess)
            .await
            .unwrap_err();
        assert!(matches!(refused, SecretUnavailable::Unreadable(_)), "{refused}");
    }
    // Somebody who can write to the database puts one secret in another's place.
    let moved = shelf.secrets.lock().unwrap()["github"].clone();
    shelf.secrets.lock().unwrap().insert("gitlab".to_owned(), moved);
    assert!(here.open(&name("gitlab"), Purpose::Assess).await.is_err());

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
    forbidden(vault.delete(&stranger, &github, Removal::Unused).await);
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
    assert_eq!(vault.open(&github, Purpose::Assess).await.unwrap(), two);
    vault.delete(&admin, &github, Removal::Unused).await.unwrap();
    let gone = vault.set(&admin, &github, &one, Replace::Any).await;
    assert!(matches!(gone, Err(AccessError::NotFound { .. })));
}

#[tokio::test]
async fn a_secret_that_is_used_goes_only_by_force() {
    let house = House::started().await;
    let shelf = Arc::new(Shelf::default());
    let vault = vault(&house, &shelf, 7, "here");
    let admin = house.admin();
    let github = name("github");
    vault
        .set(&admin, &github, &Secret::new("x"), Replace::Nothing)
        .await
        .unwrap();
    *shelf.uses.lock().unwrap() = vec![SecretUse {
        kind: "webhook".to_owned(),
        name: "chat".to_owned(),
    }];
    let refused = vault.delete(&admin, &github, Removal::Unused).await.unwrap_err();
    assert_eq!(
        refused.to_string(),
        "the secret `github` is used by webhook `chat`"
    );
    assert!(refused.hint().contains("--force"), "{}", refused.hint());
    assert!(vault.open(&github, Purpose::Assess).await.is_ok());
    vault.delete(&admin, &github, Removal::Forced).await.unwrap();
    assert!(vault.open(&github, Purpose::Assess).await.is_err());
    let events = shelf.events.lock().unwrap();
    let detail = events.last().unwrap().detail.clone().unwrap();
    assert_eq!(
        detail,
        serde_json::json!({"forced": true, "usedBy": ["webhook `chat`"]})
    );
}

#[tokio::test]
async fn a_login_presents_its_secret_in_its_form() {
    let house = House::started().await;
    let shelf = Arc::new(Shelf::default());
    let vault = vault(&house, &shelf, 7, "here");
    for (secret, value) in [("acme", "hush"), ("lines", "two\nlines")] {
        vault
            .set(
                &house.admin(),
                &name(secret),
                &Secret::new(value),
                Replace::Nothing,
            )
            .await
            .unwrap();
    }
    let presented = async |login: serde_json::Value| {
        let login = serde_json::from_value(login).unwrap();
        let presented = vault.login(&login, Purpose::Assess).await;
        presented.map(|shown| (shown.header, shown.value.expose().to_owned()))
    };
    let shown = |header: &str, value: &str| (header.to_owned(), value.to_owned());
    for (login, expected) in [
        (
            serde_json::json!({"scheme": "bearer", "secret": "secret:acme"}),
            shown("authorization", "Bearer hush"),
        ),
        (
            serde_json::json!({"scheme": "header", "header": "X-Api-Key", "secret": "secret:acme"}),
            shown("x-api-key", "hush"),
        ),
        (
            serde_json::json!({"scheme": "basic", "user": "ada", "secret": "secret:acme"}),
            shown("authorization", "Basic YWRhOmh1c2g="),
        ),
    ] {
        assert_eq!(presented(login).await.unwrap(), expected);
    }
    let lines = presented(serde_json::json!({"scheme": "bearer", "secret": "secret:lines"})).await;
    assert!(
        matches!(lines, Err(SecretUnavailable::Unpresentable(_))),
        "{lines:?}"
    );
    let nowhere = presented(serde_json::json!({"scheme": "bearer", "secret": "secret:nowhere"})).await;
    assert!(matches!(nowhere, Err(SecretUnavailable::Unknown(_))));
}
