//! What access tokens stand on: signing keys and ended authorizations. Every change of them is a change of the catalogue.

use async_trait::async_trait;
use portreeve_core::audit::AuditEvent;
use portreeve_core::ports::{StoreError, TokenStore};
use portreeve_core::time::Timestamp;
use portreeve_core::token::{EndedAuthorization, SigningKey};

use crate::change::Change;
use crate::engine::{Row, Sql};
use crate::store::Store;

pub(crate) const SIGNING_KEYS: &str =
    "SELECT number, kid, x, y, sealed, signs_from, created_at FROM signing_keys ORDER BY number";
pub(crate) const ENDED: &str = "SELECT id, until FROM ended_authorizations ORDER BY id";

#[async_trait]
impl TokenStore for Store {
    async fn signing_keys(&self) -> Result<Vec<SigningKey>, StoreError> {
        let rows = self.engine().rows(Sql::new(SIGNING_KEYS)).await?;
        rows.iter().map(signing_key_of).collect()
    }

    async fn add_signing_key(
        &self,
        key: &SigningKey,
        keep_from: i64,
        event: AuditEvent,
    ) -> Result<bool, StoreError> {
        let mut change = Change::begin(self).await?;
        let sql = Sql::new(
            "INSERT INTO signing_keys (number, kid, x, y, sealed, signs_from, created_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
        )
        .bind(key.number)
        .bind(&key.kid)
        .bind(&key.x)
        .bind(&key.y)
        .bind(&key.sealed)
        .bind(key.signs_from)
        .bind(key.created_at);
        if change.execute(sql).await? == 0 {
            change.cancel().await?;
            return Ok(false);
        }
        let sql = Sql::new("DELETE FROM signing_keys WHERE number < $1").bind(keep_from);
        change.execute(sql).await?;
        change.record(&[event]).await?;
        change.publish().await?;
        Ok(true)
    }

    async fn end_authorization(&self, ended: EndedAuthorization, now: Timestamp) -> Result<(), StoreError> {
        let mut change = Change::begin(self).await?;
        let sql = Sql::new("DELETE FROM ended_authorizations WHERE until <= $1").bind(now);
        change.execute(sql).await?;
        let sql = Sql::new(
            "INSERT INTO ended_authorizations (id, until) VALUES ($1, $2) \
             ON CONFLICT (id) DO UPDATE SET until = excluded.until",
        )
        .bind(ended.id.to_string())
        .bind(ended.until);
        change.execute(sql).await?;
        // Its refresh tokens end with it, whoever ended it.
        let sql =
            Sql::new("UPDATE oauth_authorizations SET ended_at = $2 WHERE id = $1 AND ended_at IS NULL");
        change.execute(sql.bind(ended.id.to_string()).bind(now)).await?;
        change.publish().await
    }
}

pub(crate) fn signing_key_of(row: &Row) -> Result<SigningKey, StoreError> {
    Ok(SigningKey {
        number: row.integer("number")?,
        kid: row.text("kid")?,
        x: row.text("x")?,
        y: row.text("y")?,
        sealed: row.text("sealed")?,
        signs_from: row.moment("signs_from")?,
        created_at: row.moment("created_at")?,
    })
}

pub(crate) fn ended_of(row: &Row) -> Result<EndedAuthorization, StoreError> {
    Ok(EndedAuthorization {
        id: row.parsed("id")?,
        until: row.moment("until")?,
    })
}
