//! What became of telling: deliveries are looked at, tried again from the beginning, and dropped; a ping tries a webhook.

use portreeve_core::caller::Caller;
use portreeve_core::id::EventId;
use portreeve_core::name::WebhookName;
use portreeve_core::ports::Due;
use portreeve_core::webhook::{Delivery, DeliveryState};
use serde_json::json;

use super::{WebhookError, Webhooks};

/// Deliveries of one page, unless fewer are asked for.
const PAGE: u32 = 200;

/// A page of deliveries, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deliveries {
    /// The deliveries.
    pub items: Vec<Delivery>,
    /// The position before which the next page begins, if there is one.
    pub next: Option<i64>,
}

// === impl Webhooks ===

impl Webhooks {
    /// A page of the deliveries of a webhook, newest first. A limit of zero or above 200 becomes 200.
    pub async fn deliveries(
        &self,
        caller: &Caller,
        name: &WebhookName,
        (state, before, limit): (Option<DeliveryState>, Option<i64>, u32),
    ) -> Result<Deliveries, WebhookError> {
        self.require_operator(caller)?;
        self.find(name).await?;
        let limit = if limit == 0 { PAGE } else { limit.min(PAGE) };
        let outbox = &self.parts.outbox;
        let mut items = outbox.deliveries(name, state, (before, limit + 1)).await?;
        let is_last = items.len() <= limit as usize;
        items.truncate(limit as usize);
        let next = items.last().filter(|_| !is_last).map(|last| last.position);
        Ok(Deliveries { items, next })
    }

    /// One delivery, with the text that is sent.
    pub async fn delivery(
        &self,
        caller: &Caller,
        name: &WebhookName,
        event: EventId,
    ) -> Result<Due, WebhookError> {
        self.require_operator(caller)?;
        let found = self.parts.outbox.delivery(name, event).await?;
        found.ok_or_else(|| no_delivery(name, event))
    }

    /// Sends a ping, whatever kinds of events the webhook takes. It is a delivery like any other.
    pub async fn test(&self, caller: &Caller, name: &WebhookName) -> Result<Due, WebhookError> {
        self.require_operator(caller)?;
        let webhook = self.find(name).await?;
        if !webhook.is_enabled {
            return Err(WebhookError::Invalid(vec![super::WebhookProblem {
                path: "enabled",
                message: "is false: nothing is sent to it until it is switched on".to_owned(),
            }]));
        }
        let event = self.event(caller, "webhook.test", name);
        let id = event.id;
        self.parts.outbox.ping(name, event).await?;
        self.wake.notify_one();
        let found = self.parts.outbox.delivery(name, id).await?;
        found.ok_or_else(|| no_delivery(name, id))
    }

    /// Tries deliveries again from the beginning: one, or every one that nobody tries any more. Returns how many.
    pub async fn send_again(
        &self,
        caller: &Caller,
        name: &WebhookName,
        which: Option<EventId>,
    ) -> Result<u64, WebhookError> {
        self.require_operator(caller)?;
        self.find(name).await?;
        let mut event = self.event(caller, "webhook.send-again", name);
        event.detail = Some(json!({ "event": which.map(|id| id.to_string()) }));
        let now = self.parts.clock.now();
        let number = self.parts.outbox.send_again(name, which, (now, event)).await?;
        self.wake.notify_one();
        none_of(number, name, which)
    }

    /// Drops deliveries: one, or every one that nobody tries any more. Returns how many.
    pub async fn drop_deliveries(
        &self,
        caller: &Caller,
        name: &WebhookName,
        which: Option<EventId>,
    ) -> Result<u64, WebhookError> {
        self.require_operator(caller)?;
        self.find(name).await?;
        let mut event = self.event(caller, "webhook.drop", name);
        event.detail = Some(json!({ "event": which.map(|id| id.to_string()) }));
        let number = self.parts.outbox.drop_deliveries(name, which, event).await?;
        none_of(number, name, which)
    }
}

/// One that was named must have been there.
fn none_of(number: u64, name: &WebhookName, which: Option<EventId>) -> Result<u64, WebhookError> {
    match which {
        Some(event) if number == 0 => Err(no_delivery(name, event)),
        _ => Ok(number),
    }
}

fn no_delivery(name: &WebhookName, event: EventId) -> WebhookError {
    WebhookError::NotFound {
        what: format!("delivery `{event}` of webhook `{name}`"),
    }
}
