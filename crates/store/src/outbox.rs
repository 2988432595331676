//! The outbox: events that were written with the change that they tell of (`write`), taken by one node at a time for each
//! webhook, and what became of every delivery (`read` shows it).
//!
//! A webhook is held by a lease in its own row, and not by a lock of the shared state: nodes that share a database agree
//! even where they share nothing else.

mod read;
pub(crate) mod write;

use async_trait::async_trait;
use portreeve_core::audit::AuditEvent;
use portreeve_core::id::EventId;
use portreeve_core::name::WebhookName;
use portreeve_core::ports::{Attempt, Due, Outbox, OutboxCounts, StoreError};
use portreeve_core::time::Timestamp;
use portreeve_core::webhook::{Delivery, DeliveryState};

use crate::change::Change;
use crate::engine::{Sql, Value};
use crate::store::Store;
use crate::webhooks::conflict;

const DUE: &str = "SELECT w.name FROM webhooks w WHERE w.enabled AND w.rest_until <= $1 \
    AND (w.held_by = $2 OR w.held_until <= $1) AND EXISTS (SELECT 1 FROM webhook_deliveries d \
    WHERE d.webhook = w.name AND d.state = 'waiting' AND d.next_at <= $1) ORDER BY w.name";
const SETTLE: &str = "UPDATE webhook_deliveries SET state = $3, attempts = attempts + 1, next_at = $4, last_at = $5, \
    last_status = $6, last_error = $7 WHERE webhook = $1 AND position = $2 AND state = 'waiting'";

#[async_trait]
impl Outbox for Store {
    async fn due(&self, holder: &str, now: Timestamp) -> Result<Vec<WebhookName>, StoreError> {
        let rows = self.engine().rows(Sql::new(DUE).bind(now).bind(holder)).await?;
        rows.iter().map(|row| row.parsed("name")).collect()
    }

    async fn hold(
        &self,
        name: &WebhookName,
        holder: &str,
        (now, until): (Timestamp, Timestamp),
    ) -> Result<bool, StoreError> {
        let sql = Sql::new(
            "UPDATE webhooks SET held_by = $2, held_until = $4 WHERE name = $1 AND enabled \
             AND (held_by = $2 OR held_until <= $3) RETURNING name",
        );
        let sql = sql.bind(name.as_str()).bind(holder).bind(now).bind(until);
        Ok(!self.engine().write(sql).await?.is_empty())
    }

    async fn let_go(&self, name: &WebhookName, holder: &str) -> Result<(), StoreError> {
        let sql = Sql::new(
            "UPDATE webhooks SET held_by = '', held_until = 0 WHERE name = $1 AND held_by = $2 RETURNING name",
        );
        let sql = sql.bind(name.as_str()).bind(holder);
        self.engine().write(sql).await.map(drop)
    }

    async fn next_due(&self, name: &WebhookName, now: Timestamp) -> Result<Option<Due>, StoreError> {
        read::next_due(self, name, now).await
    }

    async fn settle(&self, attempt: &Attempt) -> Result<(), StoreError> {
        let Delivery {
            webhook, position, ..
        } = &attempt.delivery;
        let mut change = Change::begin(self).await?;
        let sql =
            Sql::new("UPDATE webhooks SET rest_until = $3, held_until = $4 WHERE name = $1 AND held_by = $2");
        let sql = sql
            .bind(webhook.as_str())
            .bind(&attempt.holder)
            .bind(attempt.rest_until)
            .bind(attempt.held_until);
        if change.execute(sql).await? == 0 {
            return Err(conflict(webhook));
        }
        let sql = Sql::new(SETTLE)
            .bind(webhook.as_str())
            .bind(*position)
            .bind(attempt.state.as_str())
            .bind(attempt.next_at)
            .bind(attempt.at)
            .bind(
                attempt
                    .status
                    .map_or(Value::Integer(None), |status| i64::from(status).into()),
            )
            .bind(attempt.error.as_deref());
        change.execute(sql).await?;
        if let Some((reason, event)) = &attempt.stop {
            let sql = Sql::new(
                "UPDATE webhooks SET enabled = $2, stopped_because = $3, revision = revision + 1, updated_at = $4 \
                 WHERE name = $1",
            );
            let sql = sql
                .bind(webhook.as_str())
                .bind(false)
                .bind(reason)
                .bind(attempt.at);
            change.execute(sql).await?;
            change.record(std::slice::from_ref(event)).await?;
        }
        change.save().await
    }

    async fn deliveries(
        &self,
        name: &WebhookName,
        state: Option<DeliveryState>,
        (before, limit): (Option<i64>, u32),
    ) -> Result<Vec<Delivery>, StoreError> {
        read::page(self, name, state, (before, limit)).await
    }

    async fn delivery(&self, name: &WebhookName, event: EventId) -> Result<Option<Due>, StoreError> {
        read::one(self, name, event).await
    }

    async fn ping(&self, name: &WebhookName, event: AuditEvent) -> Result<(), StoreError> {
        let mut change = Change::begin(self).await?;
        change.record(std::slice::from_ref(&event)).await?;
        write::ping(&mut change, name, &event).await?;
        change.save().await
    }

    async fn send_again(
        &self,
        name: &WebhookName,
        which: Option<EventId>,
        (now, event): (Timestamp, AuditEvent),
    ) -> Result<u64, StoreError> {
        let mut sql = Sql::new(
            "UPDATE webhook_deliveries SET state = 'waiting', attempts = 0, next_at = $2 WHERE webhook = $1",
        );
        sql = sql.bind(name.as_str()).bind(now);
        narrow(&mut sql, which);
        let mut change = Change::begin(self).await?;
        let number = change.execute(sql).await?;
        if number > 0 {
            let rest = Sql::new("UPDATE webhooks SET rest_until = 0 WHERE name = $1").bind(name.as_str());
            change.execute(rest).await?;
            change.record(&[event]).await?;
        }
        change.save().await?;
        Ok(number)
    }

    async fn drop_deliveries(
        &self,
        name: &WebhookName,
        which: Option<EventId>,
        event: AuditEvent,
    ) -> Result<u64, StoreError> {
        let mut sql = Sql::new("DELETE FROM webhook_deliveries WHERE webhook = $1").bind(name.as_str());
        narrow(&mut sql, which);
        let mut change = Change::begin(self).await?;
        let number = change.execute(sql).await?;
        if number > 0 {
            change.record(&[event]).await?;
        }
        change.save().await?;
        Ok(number)
    }

    async fn purge_outbox(&self, delivered: Timestamp, everything: Timestamp) -> Result<(), StoreError> {
        write::purge(self, delivered, everything).await
    }

    async fn outbox_counts(&self) -> Result<OutboxCounts, StoreError> {
        read::counts(self).await
    }
}

/// One delivery, or every dead one.
fn narrow(sql: &mut Sql, which: Option<EventId>) {
    match which {
        None => sql.push(" AND state = 'dead'"),
        Some(event) => {
            sql.push_bound(
                " AND position = (SELECT position FROM outbox WHERE event_id = ",
                event.to_string(),
            );
            sql.push(")");
        }
    }
}
