//! Sealed secrets. Decisions do not depend on them, so they count as no change of the catalogue.

use async_trait::async_trait;
use portreeve_core::audit::AuditEvent;
use portreeve_core::name::SecretName;
use portreeve_core::ports::{Removal, SecretChange, SecretStore, StoreError};
use portreeve_core::vault::{SealedSecret, SecretFacts, SecretUse};

use crate::change::Change;
use crate::engine::{Row, Sql};
use crate::secret_uses::{USES, use_of};
use crate::store::Store;

#[async_trait]
impl SecretStore for Store {
    async fn installation(&self) -> Result<String, StoreError> {
        let sql = Sql::new("SELECT identity FROM installation WHERE id = 1");
        match self.engine().rows(sql).await?.first() {
            Some(row) => row.text("identity"),
            None => Err(StoreError::Corrupt {
                what: "no identity of the installation".to_owned(),
            }),
        }
    }

    async fn secrets(&self) -> Result<Vec<SecretFacts>, StoreError> {
        let sql = Sql::new(
            "SELECT name, revision, created_by, created_at, updated_by, updated_at FROM secrets ORDER BY name",
        );
        let rows = self.engine().rows(sql).await?;
        rows.iter().map(facts_of).collect()
    }

    async fn secret(&self, name: &SecretName) -> Result<Option<SealedSecret>, StoreError> {
        let sql = Sql::new(
            "SELECT name, sealed, revision, created_by, created_at, updated_by, updated_at FROM secrets \
             WHERE name = $1",
        );
        let rows = self.engine().rows(sql.bind(name.as_str())).await?;
        let secret = rows.first().map(|row| {
            Ok(SealedSecret {
                facts: facts_of(row)?,
                sealed: row.text("sealed")?,
            })
        });
        secret.transpose()
    }

    async fn put_secret(&self, change: SecretChange) -> Result<(), StoreError> {
        let SecretChange {
            secret,
            expected,
            most,
            event,
        } = change;
        let facts = &secret.facts;
        let conflict = |what: String| StoreError::Conflict { what };
        let mut change = Change::begin(self).await?;
        let found = Sql::new("SELECT revision FROM secrets WHERE name = $1").bind(facts.name.as_str());
        let found = change
            .row(found)
            .await?
            .map(|row| row.integer("revision"))
            .transpose()?;
        if found != expected {
            return Err(conflict(format!("secret `{}`", facts.name)));
        }
        if found.is_none() {
            let counted = change
                .row(Sql::new("SELECT count(*) AS number FROM secrets"))
                .await?;
            let counted = counted.map(|row| row.integer("number")).transpose()?;
            if counted.unwrap_or_default() >= i64::try_from(most).unwrap_or(i64::MAX) {
                return Err(conflict(format!("the vault is full with {most} secrets, so it")));
            }
        }
        let sql = Sql::new(
            "INSERT INTO secrets (name, sealed, revision, created_by, created_at, updated_by, updated_at) \
             VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (name) DO UPDATE SET sealed = excluded.sealed, \
             revision = excluded.revision, updated_by = excluded.updated_by, updated_at = excluded.updated_at",
        )
        .bind(facts.name.as_str())
        .bind(&secret.sealed)
        .bind(facts.revision)
        .bind(&facts.created_by)
        .bind(facts.created_at)
        .bind(&facts.updated_by)
        .bind(facts.updated_at);
        change.execute(sql).await?;
        change.record(&[event]).await?;
        change.save().await
    }

    async fn remove_secret(
        &self,
        name: &SecretName,
        removal: Removal,
        event: AuditEvent,
    ) -> Result<Vec<SecretUse>, StoreError> {
        let mut change = Change::begin(self).await?;
        if removal == Removal::Unused {
            let rows = change.rows(Sql::new(USES).bind(name.as_str())).await?;
            if !rows.is_empty() {
                change.cancel().await?;
                return rows.iter().map(use_of).collect();
            }
        }
        let sql = Sql::new("DELETE FROM secrets WHERE name = $1").bind(name.as_str());
        if change.execute(sql).await? == 0 {
            return Err(StoreError::NotFound {
                what: format!("secret `{name}`"),
            });
        }
        change.record(&[event]).await?;
        change.save().await?;
        Ok(Vec::new())
    }

    async fn secret_uses(&self, name: &SecretName) -> Result<Vec<SecretUse>, StoreError> {
        let rows = self.engine().rows(Sql::new(USES).bind(name.as_str())).await?;
        rows.iter().map(use_of).collect()
    }
}

fn facts_of(row: &Row) -> Result<SecretFacts, StoreError> {
    Ok(SecretFacts {
        name: row.parsed("name")?,
        created_by: row.text("created_by")?,
        created_at: row.moment("created_at")?,
        updated_by: row.text("updated_by")?,
        updated_at: row.moment("updated_at")?,
        revision: row.integer("revision")?,
    })
}
