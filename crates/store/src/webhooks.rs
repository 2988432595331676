//! Subscriptions. Decisions do not depend on them, so they count as no change of the catalogue.

use async_trait::async_trait;
use portreeve_core::audit::AuditEvent;
use portreeve_core::name::WebhookName;
use portreeve_core::ports::{StoreError, WebhookStore};
use portreeve_core::webhook::Webhook;

use crate::change::Change;
use crate::engine::{Row, Sql};
use crate::fields::json_text;
use crate::secret_uses;
use crate::store::Store;

/// How these name secrets.
const KIND: &str = "webhook";

macro_rules! columns {
    () => {
        "name, url, description, events, servers, secret, former_secret, enabled, stopped_because, private_hosts, \
         owner, updated_by, updated_at, revision, created_by, created_at"
    };
}

const ALL: &str = concat!("SELECT ", columns!(), " FROM webhooks ORDER BY name");
const ONE: &str = concat!("SELECT ", columns!(), " FROM webhooks WHERE name = $1");
const INSERT: &str = concat!(
    "INSERT INTO webhooks (",
    columns!(),
    ", held_by, held_until, rest_until) VALUES \
     ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, '', 0, 0)"
);
/// Whoever changes a webhook wants to see at once what comes of it, so it rests no longer.
const UPDATE: &str = "UPDATE webhooks SET url = $2, description = $3, events = $4, servers = $5, secret = $6, \
    former_secret = $7, enabled = $8, stopped_because = $9, private_hosts = $10, owner = $11, updated_by = $12, \
    updated_at = $13, revision = revision + 1, rest_until = 0 WHERE name = $1 AND revision = $14";

#[async_trait]
impl WebhookStore for Store {
    async fn webhooks(&self) -> Result<Vec<Webhook>, StoreError> {
        let rows = self.engine().rows(Sql::new(ALL)).await?;
        rows.iter().map(webhook_of).collect()
    }

    async fn webhook(&self, name: &WebhookName) -> Result<Option<Webhook>, StoreError> {
        let row = self.engine().row(Sql::new(ONE).bind(name.as_str())).await?;
        row.as_ref().map(webhook_of).transpose()
    }

    async fn add_webhook(&self, webhook: &Webhook, most: usize, event: AuditEvent) -> Result<(), StoreError> {
        let mut change = Change::begin(self).await?;
        if change.rows(Sql::new(ALL)).await?.len() >= most {
            return Err(StoreError::Conflict {
                what: format!("there are {most} webhooks, which is the most, so another one"),
            });
        }
        let sql = bound(Sql::new(INSERT), webhook)?
            .bind(&webhook.created_by)
            .bind(webhook.created_at);
        change.insert(sql, || conflict(&webhook.name)).await?;
        secret_uses::note(&mut change, (KIND, webhook.name.as_str()), webhook.secrets()).await?;
        change.record(&[event]).await?;
        change.save().await
    }

    async fn save_webhook(&self, webhook: &Webhook, event: AuditEvent) -> Result<i64, StoreError> {
        let mut change = Change::begin(self).await?;
        if change.execute(bound(Sql::new(UPDATE), webhook)?).await? == 0 {
            return Err(conflict(&webhook.name));
        }
        secret_uses::note(&mut change, (KIND, webhook.name.as_str()), webhook.secrets()).await?;
        change.record(&[event]).await?;
        change.save().await?;
        Ok(webhook.revision + 1)
    }

    async fn remove_webhook(
        &self,
        name: &WebhookName,
        expected: i64,
        event: AuditEvent,
    ) -> Result<(), StoreError> {
        let mut change = Change::begin(self).await?;
        let sql = Sql::new("DELETE FROM webhooks WHERE name = $1 AND revision = $2");
        if change.execute(sql.bind(name.as_str()).bind(expected)).await? == 0 {
            return Err(conflict(name));
        }
        secret_uses::forget(&mut change, (KIND, name.as_str())).await?;
        change.record(&[event]).await?;
        change.save().await
    }
}

pub(crate) fn conflict(name: &WebhookName) -> StoreError {
    StoreError::Conflict {
        what: format!("webhook `{name}`"),
    }
}

/// Binds `$1` to `$14`, the columns that an insert and an update share.
fn bound(sql: Sql, webhook: &Webhook) -> Result<Sql, StoreError> {
    Ok(sql
        .bind(webhook.name.as_str())
        .bind(&webhook.url)
        .bind(&webhook.description)
        .bind(json_text("events", &webhook.events)?)
        .bind(json_text("servers", &webhook.servers)?)
        .bind(webhook.secret.as_str())
        .bind(webhook.former_secret.as_ref().map(|name| name.as_str()))
        .bind(webhook.is_enabled)
        .bind(webhook.stopped_because.as_deref())
        .bind(json_text("private_hosts", &webhook.private_hosts)?)
        .bind(webhook.owner.to_string())
        .bind(&webhook.updated_by)
        .bind(webhook.updated_at)
        .bind(webhook.revision))
}

fn webhook_of(row: &Row) -> Result<Webhook, StoreError> {
    Ok(Webhook {
        name: row.parsed("name")?,
        url: row.text("url")?,
        description: row.text("description")?,
        events: row.json("events")?,
        servers: row.json("servers")?,
        secret: row.parsed("secret")?,
        former_secret: row.optional_parsed("former_secret")?,
        is_enabled: row.boolean("enabled")?,
        stopped_because: row.optional_text("stopped_because")?,
        private_hosts: row.json("private_hosts")?,
        owner: row.parsed("owner")?,
        revision: row.integer("revision")?,
        created_by: row.text("created_by")?,
        created_at: row.moment("created_at")?,
        updated_by: row.text("updated_by")?,
        updated_at: row.moment("updated_at")?,
    })
}
