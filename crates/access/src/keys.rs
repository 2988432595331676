//! API keys: made, listed, revoked. Before: a face read the request. After: the face has the catalogue refreshed.

use portreeve_core::caller::{ApiKey, Caller};
use portreeve_core::id::{KeyId, UserId};
use portreeve_core::name::GroupName;
use portreeve_core::ports::StoreError;
use portreeve_core::secret::Secret;
use portreeve_core::time::Timestamp;
use serde_json::json;

use crate::{Access, AccessError, credential, token};

/// Groups of one key; the message of the refusal names the number.
pub(crate) const GROUPS: usize = 50;

/// A key to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewKey {
    /// The name people will know it by: 1 to 64 characters `[A-Za-z0-9._-]`.
    pub name: String,
    /// The user it acts for. `None`: it is a principal of its own, without any right until it is granted one.
    pub owner: Option<UserId>,
    /// The groups that who holds it belongs to, at most 50.
    pub groups: Vec<GroupName>,
    /// When it stops working.
    pub expires_at: Option<Timestamp>,
}

impl Access {
    /// Makes a key. The secret is the whole key, `prv_...`; it cannot be had again.
    pub async fn create_key(&self, caller: &Caller, new: NewKey) -> Result<(ApiKey, Secret), AccessError> {
        let policies = self.require_manager(caller)?;
        check_name(&new.name)?;
        let now = self.parts.clock.now();
        if let Some(at) = new.expires_at.filter(|at| *at <= now) {
            return Err(AccessError::invalid(
                "expiresAt",
                &at.to_string(),
                "it must lie in the future",
            ));
        }
        if new.groups.len() > GROUPS {
            let groups = new.groups.len().to_string();
            return Err(AccessError::invalid(
                "groups",
                &groups,
                "a key has at most 50 groups",
            ));
        }
        if let Some(owner) = new.owner {
            self.require_user(owner).await?;
        }
        let id = KeyId::new(&*self.parts.clock, &*self.parts.rng);
        let (secret, secret_hash) = token::mint(&*self.parts.rng);
        let key = ApiKey {
            id,
            name: new.name,
            secret_hash,
            owner: new.owner,
            groups: new.groups,
            expires_at: new.expires_at,
            revoked_at: None,
            created_by: caller.label.to_string(),
            created_at: now,
        };
        let mut event = self.event("key.create", caller);
        event.target = Some(key.name.clone());
        event.policies = policies;
        event.detail = Some(json!({
            "id": id, "owner": key.owner, "groups": key.groups, "expiresAt": key.expires_at,
        }));
        match self.parts.identity.add_key(&key, event).await {
            Ok(()) => Ok((key, credential::compose(id, &secret))),
            Err(StoreError::Conflict { .. }) => Err(AccessError::NameTaken { name: key.name }),
            Err(error) => Err(error.into()),
        }
    }

    /// Revokes a key. The key is gone everywhere once the nodes have refreshed, within a second.
    pub async fn revoke_key(&self, caller: &Caller, id_or_name: &str) -> Result<ApiKey, AccessError> {
        let policies = self.require_manager(caller)?;
        let mut key = self.find_key(id_or_name).await?;
        let now = self.parts.clock.now();
        let mut event = self.event("key.revoke", caller);
        event.target = Some(key.name.clone());
        event.policies = policies;
        event.detail = Some(json!({ "id": key.id }));
        match self.parts.identity.revoke_key(key.id, now, event).await {
            Ok(()) => {
                key.revoked_at = Some(now);
                Ok(key)
            }
            Err(StoreError::NotFound { .. }) => Err(AccessError::not_found("live key", id_or_name)),
            Err(error) => Err(error.into()),
        }
    }

    /// All keys, revoked ones included, oldest first.
    pub async fn keys(&self, caller: &Caller) -> Result<Vec<ApiKey>, AccessError> {
        self.require_auditor(caller, "list keys")?;
        Ok(self.parts.identity.keys().await?)
    }

    /// The key that is not revoked and has this identity or this name. A name cannot look like an identity.
    async fn find_key(&self, id_or_name: &str) -> Result<ApiKey, AccessError> {
        let id = id_or_name.parse::<KeyId>().ok();
        let now = self.parts.clock.now();
        let keys = self.parts.identity.keys().await?;
        keys.into_iter()
            .filter(|key| key.revoked_at.is_none())
            .filter(|key| id.map_or(key.name == id_or_name, |id| key.id == id))
            // An expired key may have left its name to a new one.
            .max_by_key(|key| (key.is_live(now), key.created_at))
            .ok_or_else(|| AccessError::not_found("live key", id_or_name))
    }

    /// Refuses users who do not exist.
    pub(crate) async fn require_user(&self, id: UserId) -> Result<(), AccessError> {
        let users = self.parts.identity.users().await?;
        if users.iter().any(|user| user.id == id) {
            Ok(())
        } else {
            Err(AccessError::not_found("user", &id.to_string()))
        }
    }
}

fn check_name(name: &str) -> Result<(), AccessError> {
    let fail = |problem| Err(AccessError::invalid("name", name, problem));
    if name.is_empty() || name.len() > 64 {
        return fail("it must have 1 to 64 characters");
    }
    if !name
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
    {
        return fail("only letters, digits, `.`, `_` and `-` are allowed");
    }
    if name.parse::<KeyId>().is_ok() {
        return fail("it looks like the identity of a key");
    }
    Ok(())
}
