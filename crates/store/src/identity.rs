//! Keys, users and grants. Every change of them is a change of the catalogue.

mod managers;
mod names;
pub(crate) mod users;

use async_trait::async_trait;
use portreeve_core::audit::AuditEvent;
use portreeve_core::caller::{ApiKey, User};
use portreeve_core::grant::{Grant, Rights};
use portreeve_core::id::{GrantId, KeyId, UserId};
use portreeve_core::name::GroupName;
use portreeve_core::ports::{IdentityStore, StoreError};
use portreeve_core::time::Timestamp;
use portreeve_core::user::UserChange;

use crate::change::Change;
use crate::engine::{Row, Sql};
use crate::fields::json_text;
use crate::store::Store;

use managers::Before;
use users::{USERS, user_of};

const KEYS: &str = "SELECT id, name, secret_hash, owner, member_of, expires_at, revoked_at, created_by, created_at FROM api_keys \
    ORDER BY created_at, id";
pub(crate) const LIVE_KEYS: &str = "SELECT id, name, secret_hash, owner, member_of, expires_at, revoked_at, \
    created_by, created_at FROM api_keys WHERE revoked_at IS NULL ORDER BY created_at, id";
pub(crate) const GRANTS: &str = "SELECT id, subject, rights, servers, tools, created_by, created_at, expires_at, request \
    FROM access_grants ORDER BY created_at, id";
const ENDED: &str = "DELETE FROM access_grants WHERE id = $1 AND expires_at IS NOT NULL AND expires_at <= $2";

#[async_trait]
impl IdentityStore for Store {
    async fn keys(&self) -> Result<Vec<ApiKey>, StoreError> {
        let rows = self.engine().rows(Sql::new(KEYS)).await?;
        rows.iter().map(key_of).collect()
    }

    async fn add_key(&self, key: &ApiKey, event: AuditEvent) -> Result<(), StoreError> {
        let mut change = Change::begin(self).await?;
        let taken = Sql::new(
            "SELECT id FROM api_keys WHERE name = $1 AND revoked_at IS NULL \
             AND (expires_at IS NULL OR expires_at > $2)",
        )
        .bind(&key.name)
        .bind(key.created_at);
        let conflict = || StoreError::Conflict {
            what: format!("key `{}`", key.name),
        };
        if change.row(taken).await?.is_some() {
            return Err(conflict());
        }
        let sql = Sql::new(
            "INSERT INTO api_keys (id, name, secret_hash, owner, member_of, expires_at, revoked_at, created_by, \
             created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(key.id.to_string())
        .bind(&key.name)
        .bind(&key.secret_hash)
        .bind(key.owner.map(|owner| owner.to_string()))
        .bind(json_text("member_of", &key.groups)?)
        .bind(key.expires_at)
        .bind(key.revoked_at)
        .bind(&key.created_by)
        .bind(key.created_at);
        change.insert(sql, conflict).await?;
        change.record(&[event]).await?;
        change.publish().await
    }

    async fn revoke_key(&self, id: KeyId, at: Timestamp, event: AuditEvent) -> Result<(), StoreError> {
        let mut change = Change::begin(self).await?;
        let sql = Sql::new(
            "UPDATE api_keys SET revoked_at = $2 WHERE id = $1 AND revoked_at IS NULL \
             AND (expires_at IS NULL OR expires_at > $2)",
        )
        .bind(id.to_string())
        .bind(at);
        if change.execute(sql).await? == 0 {
            return Err(StoreError::NotFound {
                what: format!("live key `{id}`"),
            });
        }
        change.record(&[event]).await?;
        change.publish().await
    }

    async fn users(&self) -> Result<Vec<User>, StoreError> {
        let rows = self.engine().rows(Sql::new(USERS)).await?;
        rows.iter().map(user_of).collect()
    }

    async fn ensure_user(&self, user: &User, event: AuditEvent) -> Result<bool, StoreError> {
        users::ensure(self, user, event).await
    }

    async fn change_user(
        &self,
        id: UserId,
        change: &UserChange,
        event: AuditEvent,
    ) -> Result<(), StoreError> {
        users::change(self, id, change, event).await
    }

    async fn user_signed_in(&self, user: &User) -> Result<Vec<GroupName>, StoreError> {
        users::signed_in(self, user).await
    }

    async fn remove_user(&self, id: UserId, event: AuditEvent) -> Result<(), StoreError> {
        users::remove(self, id, event).await
    }

    async fn grants(&self) -> Result<Vec<Grant>, StoreError> {
        let rows = self.engine().rows(Sql::new(GRANTS)).await?;
        rows.iter().map(grant_of).collect()
    }

    async fn add_grant(&self, grant: &Grant, event: AuditEvent) -> Result<(), StoreError> {
        let mut change = Change::begin(self).await?;
        insert_grant(&mut change, grant).await?;
        change.record(&[event]).await?;
        change.publish().await
    }

    async fn remove_grant(&self, id: GrantId, event: AuditEvent) -> Result<(), StoreError> {
        let mut change = Change::begin(self).await?;
        let before = Before::look(&mut change).await?;
        let sql = Sql::new("DELETE FROM access_grants WHERE id = $1").bind(id.to_string());
        if change.execute(sql).await? == 0 {
            return Err(StoreError::NotFound {
                what: format!("grant `{id}`"),
            });
        }
        before.require_somebody(&mut change).await?;
        change.record(&[event]).await?;
        change.publish().await
    }

    async fn remove_ended_grants(
        &self,
        ended: Vec<(GrantId, AuditEvent)>,
        by: Timestamp,
    ) -> Result<usize, StoreError> {
        let mut change = Change::begin(self).await?;
        let mut events = Vec::with_capacity(ended.len());
        for (id, event) in ended {
            let sql = Sql::new(ENDED).bind(id.to_string()).bind(by);
            if change.execute(sql).await? > 0 {
                events.push(event);
            }
        }
        // Another node was faster: nothing changed.
        if events.is_empty() {
            return Ok(0);
        }
        change.record(&events).await?;
        change.publish().await?;
        Ok(events.len())
    }
}

/// Stores a grant as a part of a change.
pub(crate) async fn insert_grant(change: &mut Change, grant: &Grant) -> Result<(), StoreError> {
    let sql = Sql::new(
        "INSERT INTO access_grants (id, subject, rights, servers, tools, created_by, created_at, expires_at, request) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(grant.id.to_string())
    .bind(json_text("subject", &grant.subject)?)
    .bind(grant.rights.as_str())
    .bind(json_text("servers", &grant.servers)?)
    .bind(json_text("tools", &grant.tools)?)
    .bind(&grant.created_by)
    .bind(grant.created_at)
    .bind(grant.expires_at)
    .bind(grant.request.map(|request| request.to_string()));
    let conflict = || StoreError::Conflict {
        what: format!("grant `{}`", grant.id),
    };
    change.insert(sql, conflict).await.map(drop)
}

/// Reads a key.
pub(crate) fn key_of(row: &Row) -> Result<ApiKey, StoreError> {
    Ok(ApiKey {
        id: row.parsed("id")?,
        name: row.text("name")?,
        secret_hash: row.text("secret_hash")?,
        owner: row.optional_parsed("owner")?,
        groups: row.json("member_of")?,
        expires_at: row.optional_moment("expires_at")?,
        revoked_at: row.optional_moment("revoked_at")?,
        created_by: row.text("created_by")?,
        created_at: row.moment("created_at")?,
    })
}

/// Reads a grant.
pub(crate) fn grant_of(row: &Row) -> Result<Grant, StoreError> {
    Ok(Grant {
        id: row.parsed("id")?,
        subject: row.json("subject")?,
        rights: row.word("rights", Rights::from_word)?,
        servers: row.json("servers")?,
        tools: row.json("tools")?,
        created_by: row.text("created_by")?,
        created_at: row.moment("created_at")?,
        expires_at: row.optional_moment("expires_at")?,
        request: row.optional_parsed("request")?,
    })
}
