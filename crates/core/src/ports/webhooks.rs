//! Webhooks and the outbox: subscriptions, and events that were written in the transaction of a change and wait to be
//! delivered. Implemented by `store`, taken by `insight`.

use async_trait::async_trait;

use super::StoreError;
use crate::audit::AuditEvent;
use crate::id::EventId;
use crate::name::WebhookName;
use crate::time::Timestamp;
use crate::webhook::{Delivery, DeliveryState, Webhook};

/// Subscriptions, durable.
#[async_trait]
pub trait WebhookStore: Send + Sync {
    /// All of them, by name.
    async fn webhooks(&self) -> Result<Vec<Webhook>, StoreError>;

    /// The one of that name.
    async fn webhook(&self, name: &WebhookName) -> Result<Option<Webhook>, StoreError>;

    /// Stores a new one. [`StoreError::Conflict`] when there is one of its name, or when there are `most`;
    /// [`StoreError::NotFound`] when there is no secret of a name that it uses.
    async fn add_webhook(&self, webhook: &Webhook, most: usize, event: AuditEvent) -> Result<(), StoreError>;

    /// Saves one whose stored revision equals the given one; returns the next revision. Errors as above.
    async fn save_webhook(&self, webhook: &Webhook, event: AuditEvent) -> Result<i64, StoreError>;

    /// Removes one that is at this revision, with everything that waits for it.
    async fn remove_webhook(
        &self,
        name: &WebhookName,
        expected: i64,
        event: AuditEvent,
    ) -> Result<(), StoreError>;
}

/// A delivery with the text that is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Due {
    /// The delivery.
    pub delivery: Delivery,
    /// The event, as JSON text.
    pub body: String,
}

/// What one attempt came to.
#[derive(Debug, Clone, PartialEq)]
pub struct Attempt {
    /// The delivery as it was before.
    pub delivery: Delivery,
    /// The node that tried, which must still hold the webhook.
    pub holder: String,
    /// What the delivery is now.
    pub state: DeliveryState,
    /// When it was tried.
    pub at: Timestamp,
    /// When it is tried again, if it waits.
    pub next_at: Timestamp,
    /// Until when nothing else is sent to this webhook.
    pub rest_until: Timestamp,
    /// Until when the node keeps the webhook.
    pub held_until: Timestamp,
    /// The HTTP status that came back.
    pub status: Option<u16>,
    /// Why it was no success.
    pub error: Option<String>,
    /// The webhook is switched off, for this reason, with this audit event.
    pub stop: Option<(String, AuditEvent)>,
}

/// How much waits, for metrics.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct OutboxCounts {
    /// Deliveries that wait for an attempt.
    pub waiting: u64,
    /// Deliveries that wait for a person.
    pub dead: u64,
}

/// The outbox, durable. Writing into it is part of saving a change, so there is nothing for it here.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// Enabled webhooks for which something is due at this moment, and that no other node holds.
    async fn due(&self, holder: &str, now: Timestamp) -> Result<Vec<WebhookName>, StoreError>;

    /// Takes a webhook for this node until a moment, or keeps it. `false`: another node holds it.
    async fn hold(
        &self,
        name: &WebhookName,
        holder: &str,
        (now, until): (Timestamp, Timestamp),
    ) -> Result<bool, StoreError>;

    /// Gives a webhook back.
    async fn let_go(&self, name: &WebhookName, holder: &str) -> Result<(), StoreError>;

    /// The first delivery of a webhook that is due, in the order in which things happened.
    async fn next_due(&self, name: &WebhookName, now: Timestamp) -> Result<Option<Due>, StoreError>;

    /// Writes down what an attempt came to. [`StoreError::Conflict`] when another node holds the webhook by now.
    async fn settle(&self, attempt: &Attempt) -> Result<(), StoreError>;

    /// A page of the deliveries of a webhook, newest first, before a position.
    async fn deliveries(
        &self,
        name: &WebhookName,
        state: Option<DeliveryState>,
        (before, limit): (Option<i64>, u32),
    ) -> Result<Vec<Delivery>, StoreError>;

    /// One delivery.
    async fn delivery(&self, name: &WebhookName, event: EventId) -> Result<Option<Due>, StoreError>;

    /// Writes a ping for a webhook, with the audit event that it is made of.
    async fn ping(&self, name: &WebhookName, event: AuditEvent) -> Result<(), StoreError>;

    /// Tries deliveries again from the beginning: one, or every dead one. Returns how many.
    async fn send_again(
        &self,
        name: &WebhookName,
        which: Option<EventId>,
        (now, event): (Timestamp, AuditEvent),
    ) -> Result<u64, StoreError>;

    /// Forgets deliveries that are not wanted any more: one, or every dead one. Returns how many.
    async fn drop_deliveries(
        &self,
        name: &WebhookName,
        which: Option<EventId>,
        event: AuditEvent,
    ) -> Result<u64, StoreError>;

    /// Forgets what was delivered before the first moment, everything from before the second, and events that nobody
    /// waits for.
    async fn purge_outbox(&self, delivered: Timestamp, everything: Timestamp) -> Result<(), StoreError>;

    /// How much waits.
    async fn outbox_counts(&self) -> Result<OutboxCounts, StoreError>;
}
