//! The portal's sign-in links and sessions. Decisions do not depend on them, so they are no change of the catalogue.

use async_trait::async_trait;
use portreeve_core::id::UserId;
use portreeve_core::ports::{SessionStore, StoreError};
use portreeve_core::time::Timestamp;

use crate::engine::Sql;
use crate::store::Store;

#[async_trait]
impl SessionStore for Store {
    async fn add_link(&self, hash: &str, user: UserId, expires_at: Timestamp) -> Result<(), StoreError> {
        let sql = Sql::new("INSERT INTO sign_in_links (hash, user_id, expires_at) VALUES ($1, $2, $3)")
            .bind(hash)
            .bind(user.to_string())
            .bind(expires_at);
        self.engine().write(sql).await.map(drop)
    }

    async fn take_link(&self, hash: &str, now: Timestamp) -> Result<Option<UserId>, StoreError> {
        // Taken by deleting it: of two that come with the same link, one gets the row.
        let sql =
            Sql::new("DELETE FROM sign_in_links WHERE hash = $1 RETURNING user_id, expires_at").bind(hash);
        match self.engine().write(sql).await?.first() {
            Some(row) if now < row.moment("expires_at")? => row.parsed("user_id").map(Some),
            _ => Ok(None),
        }
    }

    async fn add_session(&self, hash: &str, user: UserId, expires_at: Timestamp) -> Result<(), StoreError> {
        let sql = Sql::new("INSERT INTO sessions (hash, user_id, expires_at) VALUES ($1, $2, $3)")
            .bind(hash)
            .bind(user.to_string())
            .bind(expires_at);
        self.engine().write(sql).await.map(drop)
    }

    async fn session(&self, hash: &str, now: Timestamp) -> Result<Option<UserId>, StoreError> {
        let sql = Sql::new("SELECT user_id FROM sessions WHERE hash = $1 AND expires_at > $2")
            .bind(hash)
            .bind(now);
        self.engine()
            .row(sql)
            .await?
            .map(|row| row.parsed("user_id"))
            .transpose()
    }

    async fn end_session(&self, hash: &str) -> Result<(), StoreError> {
        let sql = Sql::new("DELETE FROM sessions WHERE hash = $1").bind(hash);
        self.engine().write(sql).await.map(drop)
    }

    async fn purge_expired(&self, now: Timestamp) -> Result<(), StoreError> {
        let mut transaction = self.engine().begin().await?;
        for text in [
            "DELETE FROM sign_in_links WHERE expires_at <= $1",
            "DELETE FROM sessions WHERE expires_at <= $1",
        ] {
            transaction.execute(Sql::new(text).bind(now)).await?;
        }
        transaction.save().await
    }
}
