//! Into the outbox: in the transaction of the change, for the webhooks that want to be told; and out of it, when nobody
//! waits any more.

use portreeve_core::audit::AuditEvent;
use portreeve_core::event::{Event, EventPattern};
use portreeve_core::name::WebhookName;
use portreeve_core::ports::StoreError;
use portreeve_core::publishing::NamePattern;
use portreeve_core::time::Timestamp;

use crate::change::Change;
use crate::engine::{Sql, Value, values_list};
use crate::store::Store;

/// Rows of one statement.
const ROWS: usize = 500;
/// Events that are forgotten in one transaction: others want to write, too.
const FORGOTTEN: u64 = 2_000;

/// Who wants to be told of what.
struct Wish {
    webhook: String,
    events: Vec<EventPattern>,
    servers: Vec<NamePattern>,
}

/// Writes what is told of these audit events to those who want to be told.
pub(crate) async fn tell(change: &mut Change, events: &[AuditEvent]) -> Result<(), StoreError> {
    let told: Vec<Event> = events.iter().filter_map(Event::of).collect();
    if told.is_empty() {
        return Ok(());
    }
    let wishes = wishes(change).await?;
    let of = |wish: &Wish| -> Vec<&Event> {
        let wanted = |event: &&Event| event.is_for(&wish.events, &wish.servers);
        told.iter().filter(wanted).collect()
    };
    let told_to: Vec<(String, Vec<&Event>)> = wishes
        .iter()
        .map(|wish| (wish.webhook.clone(), of(wish)))
        .filter(|(_, events)| !events.is_empty())
        .collect();
    let wanted = |event: &&Event| {
        told_to
            .iter()
            .any(|(_, events)| events.iter().any(|told| told.id == event.id))
    };
    let wanted: Vec<&Event> = told.iter().filter(wanted).collect();
    insert(change, &wanted).await?;
    for (webhook, events) in &told_to {
        address(change, webhook, events).await?;
    }
    Ok(())
}

/// Writes a ping, to this webhook alone.
pub(super) async fn ping(
    change: &mut Change,
    name: &WebhookName,
    event: &AuditEvent,
) -> Result<(), StoreError> {
    let Some(event) = Event::of(event) else {
        return Ok(());
    };
    insert(change, &[&event]).await?;
    address(change, name.as_str(), &[&event]).await
}

async fn wishes(change: &mut Change) -> Result<Vec<Wish>, StoreError> {
    let rows = change
        .rows(Sql::new(
            "SELECT name, events, servers FROM webhooks WHERE enabled",
        ))
        .await?;
    rows.iter()
        .map(|row| {
            Ok(Wish {
                webhook: row.text("name")?,
                events: row.json("events")?,
                servers: row.json("servers")?,
            })
        })
        .collect()
}

async fn insert(change: &mut Change, events: &[&Event]) -> Result<(), StoreError> {
    for some in events.chunks(ROWS) {
        let mut values: Vec<Value> = Vec::with_capacity(some.len() * 5);
        for event in some {
            values.extend([
                event.id.to_string().into(),
                event.kind.as_str().into(),
                event.server.as_ref().map(|name| name.as_str()).into(),
                event.at.into(),
                event.body.as_str().into(),
            ]);
        }
        let rows = values_list(some.len(), 5);
        let text = format!("INSERT INTO outbox (event_id, kind, server, at, body) VALUES {rows}");
        change.execute(Sql::built(text, values)).await?;
    }
    Ok(())
}

/// Makes a webhook the receiver of events that were just written.
async fn address(change: &mut Change, webhook: &str, events: &[&Event]) -> Result<(), StoreError> {
    for some in events.chunks(ROWS) {
        let mut values = vec![Value::from(webhook)];
        values.extend(some.iter().map(|event| Value::from(event.id.to_string())));
        let list: Vec<String> = (2..some.len() + 2).map(|number| format!("${number}")).collect();
        let text = format!(
            "INSERT INTO webhook_deliveries (webhook, position, state, attempts, next_at) \
             SELECT $1, position, 'waiting', 0, at FROM outbox WHERE event_id IN ({})",
            list.join(", ")
        );
        change.execute(Sql::built(text, values)).await?;
    }
    Ok(())
}

/// Forgets what is old, a little at a time.
pub(super) async fn purge(
    store: &Store,
    delivered: Timestamp,
    everything: Timestamp,
) -> Result<(), StoreError> {
    let old = "DELETE FROM outbox WHERE position IN (SELECT position FROM outbox WHERE at < $1 LIMIT $2)";
    // Nothing but what was delivered to all its receivers, or has none left.
    let done = "DELETE FROM outbox WHERE position IN (SELECT o.position FROM outbox o WHERE o.at < $1 \
        AND NOT EXISTS (SELECT 1 FROM webhook_deliveries d WHERE d.position = o.position AND d.state <> 'delivered') \
        LIMIT $2)";
    for (text, before) in [(old, everything), (done, delivered)] {
        loop {
            let mut change = Change::begin(store).await?;
            let deleted = change
                .execute(Sql::new(text).bind(before).bind(FORGOTTEN))
                .await?;
            change.save().await?;
            if deleted < FORGOTTEN {
                break;
            }
        }
    }
    Ok(())
}
