//! Clients, and the assertions that were seen of them.

use async_trait::async_trait;
use portreeve_core::audit::AuditEvent;
use portreeve_core::id::AuthorizationId;
use portreeve_core::oauth::{Client, ClientAuth, ClientId, ClientKeys, ClientKind, GrantKind};
use portreeve_core::ports::{ClientStore, StoreError};
use portreeve_core::time::Timestamp;

use crate::change::Change;
use crate::engine::{Row, Sql};
use crate::fields::json_text;
use crate::store::Store;

const ONE: &str = "SELECT id, kind, name, redirect_uris, grants, auth, secret_hash, jwks, jwks_uri, snapshot, \
    created_by, created_at, used_at, fresh_until FROM oauth_clients WHERE id = $1";
const PAGE: &str = "SELECT id, kind, name, redirect_uris, grants, auth, secret_hash, jwks, jwks_uri, snapshot, \
    created_by, created_at, used_at, fresh_until FROM oauth_clients WHERE id > $1 ORDER BY id LIMIT $2";
const ADD: &str = "INSERT INTO oauth_clients (id, kind, name, redirect_uris, grants, auth, secret_hash, jwks, jwks_uri, \
    snapshot, created_by, created_at, used_at, fresh_until) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)";
/// The same for a document, of which a former copy may be there.
const KEEP: &str = "INSERT INTO oauth_clients (id, kind, name, redirect_uris, grants, auth, secret_hash, jwks, jwks_uri, \
    snapshot, created_by, created_at, used_at, fresh_until) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) ON CONFLICT (id) DO UPDATE SET \
    name = excluded.name, redirect_uris = excluded.redirect_uris, grants = excluded.grants, auth = excluded.auth, \
    jwks = excluded.jwks, jwks_uri = excluded.jwks_uri, snapshot = excluded.snapshot, \
    fresh_until = excluded.fresh_until";
const UNUSED: &str = "DELETE FROM oauth_clients WHERE id IN (SELECT c.id FROM oauth_clients c WHERE c.kind = $1 \
    AND c.created_at < $2 AND (c.used_at IS NULL OR c.used_at < $2) AND NOT EXISTS \
    (SELECT 1 FROM oauth_authorizations a WHERE a.client = c.id AND a.ended_at IS NULL) \
    ORDER BY c.created_at LIMIT $3) RETURNING id";
/// Whoever waits for somebody's decision is about to be used.
const NEVER_USED: &str = "DELETE FROM oauth_clients WHERE id IN (SELECT c.id FROM oauth_clients c WHERE c.kind = $1 \
    AND c.used_at IS NULL AND NOT EXISTS (SELECT 1 FROM oauth_authorizations a WHERE a.client = c.id \
    AND a.ended_at IS NULL) AND NOT EXISTS (SELECT 1 FROM oauth_pending p WHERE p.client = c.id) \
    ORDER BY c.created_at, c.id LIMIT $2)";

#[async_trait]
impl ClientStore for Store {
    async fn client(&self, id: &ClientId) -> Result<Option<Client>, StoreError> {
        let row = self.engine().row(Sql::new(ONE).bind(id.as_str())).await?;
        row.as_ref().map(client_of).transpose()
    }

    async fn clients(&self, after: &str, limit: u32) -> Result<Vec<Client>, StoreError> {
        let sql = Sql::new(PAGE).bind(after).bind(i64::from(limit));
        let rows = self.engine().rows(sql).await?;
        rows.iter().map(client_of).collect()
    }

    async fn add_client(&self, client: &Client, most: u64, event: AuditEvent) -> Result<(), StoreError> {
        let mut change = Change::begin(self).await?;
        make_room(&mut change, client.kind, most).await?;
        change
            .insert(bound(Sql::new(ADD), client)?, || StoreError::Conflict {
                what: format!("client `{}`", client.id),
            })
            .await?;
        change.record(&[event]).await?;
        change.save().await
    }

    async fn keep_document(
        &self,
        client: &Client,
        most: u64,
        event: Option<AuditEvent>,
    ) -> Result<(), StoreError> {
        let mut change = Change::begin(self).await?;
        if change
            .row(Sql::new(ONE).bind(client.id.as_str()))
            .await?
            .is_none()
        {
            make_room(&mut change, client.kind, most).await?;
        }
        change.execute(bound(Sql::new(KEEP), client)?).await?;
        change.record(event.as_slice()).await?;
        change.save().await
    }

    async fn remove_client(
        &self,
        id: &ClientId,
        at: Timestamp,
        event: AuditEvent,
    ) -> Result<Vec<AuthorizationId>, StoreError> {
        let mut change = Change::begin(self).await?;
        let gone = Sql::new("DELETE FROM oauth_clients WHERE id = $1").bind(id.as_str());
        if change.execute(gone).await? == 0 {
            return Err(StoreError::NotFound {
                what: format!("client `{id}`"),
            });
        }
        for text in [
            "DELETE FROM oauth_consents WHERE client = $1",
            "DELETE FROM oauth_pending WHERE client = $1",
        ] {
            change.execute(Sql::new(text).bind(id.as_str())).await?;
        }
        let ended = Sql::new(
            "UPDATE oauth_authorizations SET ended_at = $2 WHERE client = $1 AND ended_at IS NULL RETURNING id",
        );
        let rows = change.rows(ended.bind(id.as_str()).bind(at)).await?;
        let ended = rows
            .iter()
            .map(|row| row.parsed("id"))
            .collect::<Result<_, _>>()?;
        change.record(&[event]).await?;
        change.save().await?;
        Ok(ended)
    }

    async fn note_client_used(&self, id: &ClientId, at: Timestamp) -> Result<(), StoreError> {
        let sql = Sql::new("UPDATE oauth_clients SET used_at = $2 WHERE id = $1");
        let sql = sql.bind(id.as_str()).bind(at);
        self.engine().write(sql).await.map(drop)
    }

    async fn purge_clients(
        &self,
        kind: ClientKind,
        unused_since: Timestamp,
        limit: u32,
    ) -> Result<u64, StoreError> {
        let sql = Sql::new(UNUSED).bind(kind.as_str()).bind(unused_since);
        let rows = self.engine().write(sql.bind(i64::from(limit))).await?;
        Ok(rows.len() as u64)
    }

    async fn note_assertion(
        &self,
        issuer: &str,
        jti: &str,
        expires_at: Timestamp,
    ) -> Result<bool, StoreError> {
        let sql = Sql::new(
            "INSERT INTO oauth_assertions (issuer, jti, expires_at) VALUES ($1, $2, $3) \
             ON CONFLICT (issuer, jti) DO NOTHING RETURNING jti",
        );
        let sql = sql.bind(issuer).bind(jti).bind(expires_at);
        Ok(!self.engine().write(sql).await?.is_empty())
    }
}

/// Sees to it that one more client of a kind has room. What nobody ever used goes first, the oldest first: who fills the
/// list shuts nobody out. Those that an administrator entered stay.
async fn make_room(change: &mut Change, kind: ClientKind, most: u64) -> Result<(), StoreError> {
    let count = Sql::new("SELECT COUNT(*) AS n FROM oauth_clients WHERE kind = $1");
    let row = change.row(count.bind(kind.as_str())).await?;
    let count = row.map(|row| row.count("n")).transpose()?.unwrap_or_default();
    if count < most {
        return Ok(());
    }
    let surplus = i64::try_from(count - most).unwrap_or(i64::MAX).saturating_add(1);
    let made = match kind {
        ClientKind::Managed => 0,
        ClientKind::Registered | ClientKind::Document => {
            let sql = Sql::new(NEVER_USED).bind(kind.as_str()).bind(surplus);
            change.execute(sql).await?
        }
    };
    if i64::try_from(made).unwrap_or(i64::MAX) < surplus {
        return Err(StoreError::Conflict {
            what: format!("the list of clients, which has its most of {most},"),
        });
    }
    Ok(())
}

fn bound(sql: Sql, client: &Client) -> Result<Sql, StoreError> {
    let grants: Vec<&str> = client.grants.iter().map(|grant| grant.as_str()).collect();
    let (jwks, jwks_uri) = match &client.keys {
        None => (None, None),
        Some(ClientKeys::Inline(set)) => (Some(set.as_str()), None),
        Some(ClientKeys::At(place)) => (None, Some(place.as_str())),
    };
    Ok(sql
        .bind(client.id.as_str())
        .bind(client.kind.as_str())
        .bind(&client.name)
        .bind(json_text("redirect_uris", &client.redirect_uris)?)
        .bind(json_text("grants", &grants)?)
        .bind(client.auth.as_str())
        .bind(client.secret_hash.clone())
        .bind(jwks)
        .bind(jwks_uri)
        .bind(&client.snapshot)
        .bind(&client.created_by)
        .bind(client.created_at)
        .bind(client.used_at)
        .bind(client.fresh_until))
}

fn client_of(row: &Row) -> Result<Client, StoreError> {
    let grants: Vec<String> = row.json("grants")?;
    let keys = match (row.optional_text("jwks")?, row.optional_text("jwks_uri")?) {
        (Some(set), _) => Some(ClientKeys::Inline(set)),
        (None, place) => place.map(ClientKeys::At),
    };
    Ok(Client {
        id: row.parsed("id")?,
        kind: row.word("kind", ClientKind::from_word)?,
        name: row.text("name")?,
        redirect_uris: row.json("redirect_uris")?,
        grants: grants
            .iter()
            .filter_map(|word| GrantKind::from_word(word))
            .collect(),
        auth: row.word("auth", ClientAuth::from_word)?,
        secret_hash: row.optional_text("secret_hash")?,
        keys,
        snapshot: row.text("snapshot")?,
        created_by: row.text("created_by")?,
        created_at: row.moment("created_at")?,
        used_at: row.optional_moment("used_at")?,
        fresh_until: row.optional_moment("fresh_until")?,
    })
}
