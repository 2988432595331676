//! The vault, first slice: named static secrets. They are set, replaced, listed and deleted, and never shown; what leaves
//! the vault is presented to somebody outside, through the port [`Outgoing`].
//!
//! Before: a face read a request. After: `store` keeps the sealed text; `inspect` seals and opens it.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portreeve_core::caller::Caller;
use portreeve_core::decision::{Action, Target};
use portreeve_core::limits::Limits;
use portreeve_core::login::{Login, Presented};
use portreeve_core::name::SecretName;
use portreeve_core::ports::{
    Authorizer, Outgoing, Purpose, Removal, SecretChange, SecretStore, SecretUnavailable, StoreError,
};
use portreeve_core::secret::{Secret, SecretKey};
use portreeve_core::vault::{SealedSecret, SecretFacts, SecretUse};
use portreeve_inspect::{SealError, Sealer};
use serde_json::json;

use crate::{Access, AccessError};

/// Users of a secret that the audit log names.
const NAMED: usize = 20;

/// What the vault works with.
pub struct VaultParts {
    /// Who may do what, the time, and where nonces come from.
    pub access: Arc<Access>,
    /// Where sealed secrets are kept.
    pub store: Arc<dyn SecretStore>,
    /// How many secrets, and how long they may be.
    pub limits: Arc<Limits>,
    /// The identity of the installation: what is sealed here opens nowhere else.
    pub installation: String,
}

/// The vault. One per process, shared.
pub struct Vault {
    parts: VaultParts,
    sealer: Sealer,
}

/// Which secret of a name is replaced.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replace {
    /// None: the name must be free.
    Nothing,
    /// The one of this revision.
    Revision(i64),
    /// Whichever there is; there must be one.
    Any,
}

// === impl Vault ===

impl Vault {
    /// A vault that seals with this key.
    ///
    /// # Errors
    ///
    /// When the key cannot be used.
    pub fn new(parts: VaultParts, key: &SecretKey) -> Result<Self, SealError> {
        let sealer = Sealer::new(key)?;
        Ok(Self { parts, sealer })
    }

    /// Every secret, by name, without its value.
    pub async fn secrets(&self, caller: &Caller) -> Result<Vec<SecretFacts>, AccessError> {
        // Who operates everything names them, and is told what there is to name.
        let operates = (Action::Operate, &Target::Installation);
        if !self.parts.access.may(caller, operates.0, operates.1).is_permit() {
            self.parts.access.require_auditor(caller, "list secrets")?;
        }
        Ok(self.parts.store.secrets().await?)
    }

    /// One secret, without its value.
    pub async fn facts(&self, caller: &Caller, name: &SecretName) -> Result<SecretFacts, AccessError> {
        self.parts.access.require_auditor(caller, "look at secrets")?;
        self.find(name).await
    }

    /// Seals a value and stores it. The value cannot be had again.
    pub async fn set(
        &self,
        caller: &Caller,
        name: &SecretName,
        value: &Secret,
        replace: Replace,
    ) -> Result<SecretFacts, AccessError> {
        let policies = self.parts.access.require_manager(caller)?;
        self.check_value(value)?;
        let before = match (replace, self.parts.store.secret(name).await?) {
            (Replace::Nothing, Some(_)) => {
                let name = name.to_string();
                return Err(AccessError::NameTaken { name });
            }
            (Replace::Nothing, None) => None,
            (_, None) => return Err(AccessError::not_found("secret", name.as_str())),
            (_, Some(secret)) => Some(secret.facts),
        };
        let expected = match replace {
            Replace::Revision(revision) => Some(revision),
            _ => before.as_ref().map(|facts| facts.revision),
        };
        let (now, by) = (self.parts.access.parts.clock.now(), caller.label.to_string());
        let facts = SecretFacts {
            name: name.clone(),
            created_by: before
                .as_ref()
                .map_or_else(|| by.clone(), |facts| facts.created_by.clone()),
            created_at: before.as_ref().map_or(now, |facts| facts.created_at),
            updated_by: by,
            updated_at: now,
            revision: expected.unwrap_or_default() + 1,
        };
        let sealed = self
            .sealer
            .seal(value, &self.bound_to(name), &*self.parts.access.parts.rng);
        let secret = SealedSecret {
            facts: facts.clone(),
            sealed: sealed.map_err(|_| AccessError::Seal)?,
        };
        let mut event = self.parts.access.event("secret.set", caller);
        event.target = Some(name.to_string());
        event.policies = policies;
        event.detail = Some(json!({"revision": facts.revision, "replaced": before.is_some()}));
        let change = SecretChange {
            secret,
            expected,
            most: self.parts.limits.secrets,
            event,
        };
        self.parts.store.put_secret(change).await?;
        Ok(facts)
    }

    /// Who names a secret, and cannot do without it.
    pub async fn uses(&self, caller: &Caller, name: &SecretName) -> Result<Vec<SecretUse>, AccessError> {
        self.parts
            .access
            .require_auditor(caller, "see who names a secret")?;
        Ok(self.parts.store.secret_uses(name).await?)
    }

    /// Deletes a secret. One that is named stays, unless that is forced; who names it says then that it is missing.
    pub async fn delete(
        &self,
        caller: &Caller,
        name: &SecretName,
        removal: Removal,
    ) -> Result<(), AccessError> {
        let policies = self.parts.access.require_manager(caller)?;
        let mut event = self.parts.access.event("secret.delete", caller);
        event.target = Some(name.to_string());
        event.policies = policies;
        if removal == Removal::Forced {
            let uses = self.parts.store.secret_uses(name).await?;
            let uses: Vec<String> = uses.iter().take(NAMED).map(ToString::to_string).collect();
            event.detail = Some(json!({ "forced": true, "usedBy": uses }));
        }
        match self.parts.store.remove_secret(name, removal, event).await {
            Err(StoreError::NotFound { .. }) => Err(AccessError::not_found("secret", name.as_str())),
            Err(error) => Err(error.into()),
            Ok(uses) if uses.is_empty() => Ok(()),
            Ok(uses) => Err(AccessError::InUse {
                name: name.to_string(),
                uses,
            }),
        }
    }

    fn check_value(&self, value: &Secret) -> Result<(), AccessError> {
        let text = value.expose();
        let problem = if text.is_empty() {
            "it must not be empty"
        } else if text.len() > self.parts.limits.secret_bytes {
            "it is too long: at most 16 KiB"
        } else if text.contains('\0') {
            "it must not hold the character NUL"
        } else {
            return Ok(());
        };
        // The value itself is in no message.
        Err(AccessError::invalid("value", "[secret]", problem))
    }

    async fn find(&self, name: &SecretName) -> Result<SecretFacts, AccessError> {
        let found = self.parts.store.secret(name).await?;
        found
            .map(|secret| secret.facts)
            .ok_or_else(|| AccessError::not_found("secret", name.as_str()))
    }

    /// What a sealed secret opens for, and nothing else.
    fn bound_to<'a>(&'a self, name: &'a SecretName) -> [&'a str; 3] {
        ["secret", name.as_str(), &self.parts.installation]
    }
}

#[async_trait]
impl Outgoing for Vault {
    async fn open(&self, name: &SecretName, purpose: Purpose) -> Result<Secret, SecretUnavailable> {
        tracing::debug!(secret.name = %name, ?purpose, "A secret is opened.");
        let Some(secret) = self.parts.store.secret(name).await? else {
            return Err(SecretUnavailable::Unknown(name.clone()));
        };
        let opened = self.sealer.open(&secret.sealed, &self.bound_to(name));
        opened.map_err(|_| SecretUnavailable::Unreadable(name.clone()))
    }

    async fn login(&self, login: &Login, purpose: Purpose) -> Result<Presented, SecretUnavailable> {
        let name = &login.secret().0;
        let secret = self.open(name, purpose).await?;
        let text = secret.expose();
        if !text.bytes().all(|byte| (0x20..0x7f).contains(&byte)) && !matches!(login, Login::Basic { .. }) {
            return Err(SecretUnavailable::Unpresentable(name.clone()));
        }
        let authorization = || "authorization".to_owned();
        let (header, value) = match login {
            Login::Bearer { .. } => (authorization(), format!("Bearer {text}")),
            Login::Header { header, .. } => (header.to_ascii_lowercase(), text.to_owned()),
            Login::Basic { user, .. } => {
                let pair = Secret::new(format!("{user}:{text}"));
                let value = format!("Basic {}", STANDARD.encode(pair.expose()));
                (authorization(), value)
            }
        };
        Ok(Presented {
            header,
            value: Secret::new(value),
        })
    }
}

impl fmt::Debug for VaultParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VaultParts")
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Vault")
    }
}
