//! What waits for a webhook, and what became of what it was told.

use portreeve_core::event::EventKind;
use portreeve_core::id::EventId;
use portreeve_core::name::WebhookName;
use portreeve_core::ports::{Due, OutboxCounts, StoreError};
use portreeve_core::time::Timestamp;
use portreeve_core::webhook::{Delivery, DeliveryState};

use crate::engine::{Row, Sql};
use crate::store::Store;

macro_rules! delivery_columns {
    () => {
        "d.webhook, d.position, d.state, d.attempts, d.next_at, d.last_at, d.last_status, d.last_error, o.event_id, \
         o.kind, o.server, o.at"
    };
}

const NEXT: &str = concat!(
    "SELECT ",
    delivery_columns!(),
    ", o.body FROM webhook_deliveries d JOIN outbox o ON o.position = d.position \
     WHERE d.webhook = $1 AND d.state = 'waiting' AND d.next_at <= $2 ORDER BY d.position LIMIT 1"
);
const ONE: &str = concat!(
    "SELECT ",
    delivery_columns!(),
    ", o.body FROM webhook_deliveries d JOIN outbox o ON o.position = d.position \
     WHERE d.webhook = $1 AND o.event_id = $2"
);
const PAGE: &str = concat!(
    "SELECT ",
    delivery_columns!(),
    " FROM webhook_deliveries d JOIN outbox o ON o.position = d.position WHERE d.webhook = $1"
);

pub(super) async fn next_due(
    store: &Store,
    name: &WebhookName,
    now: Timestamp,
) -> Result<Option<Due>, StoreError> {
    let sql = Sql::new(NEXT).bind(name.as_str()).bind(now);
    store.engine().row(sql).await?.as_ref().map(due_of).transpose()
}

pub(super) async fn one(
    store: &Store,
    name: &WebhookName,
    event: EventId,
) -> Result<Option<Due>, StoreError> {
    let sql = Sql::new(ONE).bind(name.as_str()).bind(event.to_string());
    store.engine().row(sql).await?.as_ref().map(due_of).transpose()
}

pub(super) async fn page(
    store: &Store,
    name: &WebhookName,
    state: Option<DeliveryState>,
    (before, limit): (Option<i64>, u32),
) -> Result<Vec<Delivery>, StoreError> {
    let mut sql = Sql::new(PAGE).bind(name.as_str());
    if let Some(state) = state {
        sql.push_bound(" AND d.state = ", state.as_str());
    }
    if let Some(before) = before {
        sql.push_bound(" AND d.position < ", before);
    }
    sql.push_bound(" ORDER BY d.position DESC LIMIT ", i64::from(limit));
    let rows = store.engine().rows(sql).await?;
    rows.iter().map(delivery_of).collect()
}

pub(super) async fn counts(store: &Store) -> Result<OutboxCounts, StoreError> {
    let sql = Sql::new(
        "SELECT state, count(*) AS number FROM webhook_deliveries WHERE state IN ('waiting', 'dead') GROUP BY state",
    );
    let mut counts = OutboxCounts::default();
    for row in &store.engine().rows(sql).await? {
        let number = row.count("number")?;
        match row.word("state", DeliveryState::from_word)? {
            DeliveryState::Waiting => counts.waiting = number,
            DeliveryState::Dead => counts.dead = number,
            DeliveryState::Delivered => {}
        }
    }
    Ok(counts)
}

fn due_of(row: &Row) -> Result<Due, StoreError> {
    Ok(Due {
        delivery: delivery_of(row)?,
        body: row.text("body")?,
    })
}

fn delivery_of(row: &Row) -> Result<Delivery, StoreError> {
    let status = row.optional_integer("last_status")?;
    Ok(Delivery {
        webhook: row.parsed("webhook")?,
        event: row.parsed("event_id")?,
        position: row.integer("position")?,
        kind: row.word("kind", EventKind::from_word)?,
        server: row.optional_parsed("server")?,
        at: row.moment("at")?,
        state: row.word("state", DeliveryState::from_word)?,
        attempts: u32::try_from(row.integer("attempts")?).unwrap_or(u32::MAX),
        next_at: row.moment("next_at")?,
        last_at: row.optional_moment("last_at")?,
        last_status: status.and_then(|status| u16::try_from(status).ok()),
        last_error: row.optional_text("last_error")?,
    })
}
