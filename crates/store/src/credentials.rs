//! Passwords and codes of local users. Decisions do not depend on them, so they are no change of the catalogue.

use async_trait::async_trait;
use portreeve_core::audit::AuditEvent;
use portreeve_core::id::UserId;
use portreeve_core::ports::{CredentialStore, Credentials, StoreError};

use crate::change::Change;
use crate::engine::{Sql, Value};
use crate::oauth::end_allowed;
use crate::store::Store;

#[async_trait]
impl CredentialStore for Store {
    async fn credentials(&self, user: UserId) -> Result<Credentials, StoreError> {
        let sql = Sql::new(
            "SELECT password, code_secret, codes_confirmed, (SELECT count(*) FROM recovery_codes r \
             WHERE r.user_id = c.user_id) AS recovery FROM credentials c WHERE user_id = $1",
        )
        .bind(user.to_string());
        let Some(row) = self.engine().row(sql).await? else {
            return Ok(Credentials::default());
        };
        Ok(Credentials {
            password: row.optional_text("password")?,
            code_secret: row.optional_text("code_secret")?,
            codes_confirmed: row.boolean("codes_confirmed")?,
            recovery_codes: u32::try_from(row.count("recovery")?).unwrap_or(u32::MAX),
        })
    }

    async fn set_password(&self, user: UserId, hash: &str, event: AuditEvent) -> Result<(), StoreError> {
        let mut change = Change::begin(self).await?;
        let sql = Sql::new(
            "INSERT INTO credentials (user_id, password, codes_confirmed, last_step) VALUES ($1, $2, FALSE, 0) \
             ON CONFLICT (user_id) DO UPDATE SET password = excluded.password",
        )
        .bind(user.to_string())
        .bind(hash);
        change.execute(sql).await?;
        let links = Sql::new("DELETE FROM sign_in_links WHERE user_id = $1").bind(user.to_string());
        change.execute(links).await?;
        change.record(&[event]).await?;
        change.save().await
    }

    async fn remove_credentials(&self, user: UserId, event: AuditEvent) -> Result<(), StoreError> {
        let mut change = Change::begin(self).await?;
        for text in [
            "DELETE FROM recovery_codes WHERE user_id = $1",
            "DELETE FROM credentials WHERE user_id = $1",
            "DELETE FROM sign_in_links WHERE user_id = $1",
        ] {
            change.execute(Sql::new(text).bind(user.to_string())).await?;
        }
        end_allowed(&mut change, user, event.at).await?;
        change.record(&[event]).await?;
        change.save().await
    }

    async fn offer_codes(&self, user: UserId, sealed: &str) -> Result<bool, StoreError> {
        let mut transaction = self.engine().begin().await?;
        let sql = Sql::new(
            "UPDATE credentials SET code_secret = $2 WHERE user_id = $1 AND NOT codes_confirmed \
             AND password IS NOT NULL",
        )
        .bind(user.to_string())
        .bind(sealed);
        let kept = transaction.execute(sql).await?;
        transaction.save().await?;
        Ok(kept > 0)
    }

    async fn confirm_codes(
        &self,
        user: UserId,
        step: i64,
        recovery: &[String],
        event: AuditEvent,
    ) -> Result<(), StoreError> {
        let mut change = Change::begin(self).await?;
        let sql = Sql::new(
            "UPDATE credentials SET codes_confirmed = TRUE, last_step = $2 WHERE user_id = $1 \
             AND code_secret IS NOT NULL AND NOT codes_confirmed",
        )
        .bind(user.to_string())
        .bind(step);
        if change.execute(sql).await? == 0 {
            return Err(StoreError::Conflict {
                what: "the codes of this user".to_owned(),
            });
        }
        let forget = Sql::new("DELETE FROM recovery_codes WHERE user_id = $1").bind(user.to_string());
        change.execute(forget).await?;
        let mut values: Vec<Value> = Vec::with_capacity(recovery.len() * 2);
        for hash in recovery {
            values.extend([user.to_string().into(), hash.into()]);
        }
        if !recovery.is_empty() {
            let rows = change.values_list(recovery.len(), 2);
            let text = format!("INSERT INTO recovery_codes (user_id, hash) VALUES {rows}");
            change.execute(Sql::built(text, values)).await?;
        }
        change.record(&[event]).await?;
        change.save().await
    }

    async fn remove_codes(&self, user: UserId, event: AuditEvent) -> Result<(), StoreError> {
        let mut change = Change::begin(self).await?;
        for text in [
            "DELETE FROM recovery_codes WHERE user_id = $1",
            "UPDATE credentials SET code_secret = NULL, codes_confirmed = FALSE, last_step = 0 WHERE user_id = $1",
        ] {
            change.execute(Sql::new(text).bind(user.to_string())).await?;
        }
        change.record(&[event]).await?;
        change.save().await
    }

    async fn use_step(&self, user: UserId, step: i64) -> Result<bool, StoreError> {
        let sql = Sql::new(
            "UPDATE credentials SET last_step = $2 WHERE user_id = $1 AND last_step < $2 RETURNING last_step",
        )
        .bind(user.to_string())
        .bind(step);
        Ok(!self.engine().write(sql).await?.is_empty())
    }

    async fn use_recovery_code(&self, user: UserId, hash: &str) -> Result<bool, StoreError> {
        let sql = Sql::new("DELETE FROM recovery_codes WHERE user_id = $1 AND hash = $2 RETURNING hash")
            .bind(user.to_string())
            .bind(hash);
        Ok(!self.engine().write(sql).await?.is_empty())
    }
}
