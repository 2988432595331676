//! Access policies. Every change of one is a change of the catalogue, so that every node follows.

use async_trait::async_trait;
use portreeve_core::access_policy::AccessPolicy;
use portreeve_core::audit::AuditEvent;
use portreeve_core::name::PolicyName;
use portreeve_core::ports::{AccessPolicyStore, StoreError};

use crate::change::Change;
use crate::engine::{Row, Sql};
use crate::fields::json_text;
use crate::store::Store;

pub(crate) const POLICIES: &str = "SELECT name, description, body, tests, enabled, revision, updated_by, created_at, \
    updated_at FROM access_policies ORDER BY name";
const INSERT: &str = "INSERT INTO access_policies (name, description, body, tests, enabled, updated_by, updated_at, \
    revision, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";
const UPDATE: &str = "UPDATE access_policies SET description = $2, body = $3, tests = $4, enabled = $5, \
    updated_by = $6, updated_at = $7, revision = revision + 1 WHERE name = $1 AND revision = $8";

#[async_trait]
impl AccessPolicyStore for Store {
    async fn access_policies(&self) -> Result<Vec<AccessPolicy>, StoreError> {
        let rows = self.engine().rows(Sql::new(POLICIES)).await?;
        rows.iter().map(policy_of).collect()
    }

    async fn add_access_policy(
        &self,
        policy: &AccessPolicy,
        most: usize,
        event: AuditEvent,
    ) -> Result<(), StoreError> {
        let mut change = Change::begin(self).await?;
        // Callers look before; this holds when two of them come at once.
        if change.rows(Sql::new(POLICIES)).await?.len() >= most {
            return Err(conflict(&policy.name));
        }
        let sql = bound(Sql::new(INSERT), policy)?.bind(policy.created_at);
        change.insert(sql, || conflict(&policy.name)).await?;
        change.record(&[event]).await?;
        change.publish().await
    }

    async fn save_access_policy(&self, policy: &AccessPolicy, event: AuditEvent) -> Result<i64, StoreError> {
        let mut change = Change::begin(self).await?;
        if change.execute(bound(Sql::new(UPDATE), policy)?).await? == 0 {
            return Err(conflict(&policy.name));
        }
        change.record(&[event]).await?;
        change.publish().await?;
        Ok(policy.revision + 1)
    }

    async fn remove_access_policy(
        &self,
        name: &PolicyName,
        expected: i64,
        event: AuditEvent,
    ) -> Result<(), StoreError> {
        let mut change = Change::begin(self).await?;
        let sql = Sql::new("DELETE FROM access_policies WHERE name = $1 AND revision = $2");
        if change.execute(sql.bind(name.as_str()).bind(expected)).await? == 0 {
            return Err(conflict(name));
        }
        change.record(&[event]).await?;
        change.publish().await
    }
}

fn conflict(name: &PolicyName) -> StoreError {
    StoreError::Conflict {
        what: format!("access policy `{name}`"),
    }
}

/// Binds `$1` to `$8`, the columns that an insert and an update share.
fn bound(sql: Sql, policy: &AccessPolicy) -> Result<Sql, StoreError> {
    Ok(sql
        .bind(policy.name.as_str())
        .bind(&policy.description)
        .bind(&policy.text)
        .bind(json_text("tests", &policy.tests)?)
        .bind(policy.enabled)
        .bind(&policy.updated_by)
        .bind(policy.updated_at)
        .bind(policy.revision))
}

pub(crate) fn policy_of(row: &Row) -> Result<AccessPolicy, StoreError> {
    Ok(AccessPolicy {
        name: row.parsed("name")?,
        description: row.text("description")?,
        text: row.text("body")?,
        tests: row.json("tests")?,
        enabled: row.boolean("enabled")?,
        revision: row.integer("revision")?,
        updated_by: row.text("updated_by")?,
        created_at: row.moment("created_at")?,
        updated_at: row.moment("updated_at")?,
    })
}
