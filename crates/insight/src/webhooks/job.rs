//! The job that delivers: looks every second for webhooks with something due, and takes each of them by a lease, so that
//! of several nodes one delivers to it. Within a webhook events go one by one, in the order in which they happened; one
//! that failed is tried again later, and may arrive behind newer ones then.
//!
//! Before: the outbox of the store. After: `send` makes the attempt, and the outbox keeps what it came to.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use portreeve_core::caller::Caller;
use portreeve_core::name::WebhookName;
use portreeve_core::ports::{Attempt, Due, StoreError};
use portreeve_core::time::Timestamp;
use portreeve_core::webhook::{DeliveryState, Webhook};
use tokio::sync::{Notify, Semaphore, watch};
use tokio::task::JoinSet;

use super::send::{Outcome, attempt};
use super::{DeliveryMetrics, Retries, WebhookParts, Webhooks, event};
use crate::shutdown;

/// How often a node looks whether something is due.
const LOOK: Duration = Duration::from_secs(1);
/// How long a node keeps a webhook without a word. An attempt takes less.
const LEASE: Duration = Duration::from_secs(60);
/// How long a webhook rests after a failure, at most, unless its receiver asks for more. Without a rest everything that
/// waits would be tried against a receiver that is down.
const REST: Duration = Duration::from_secs(60);
/// How often old deliveries are forgotten, and the figures are counted.
const PURGE: Duration = Duration::from_secs(60 * 60);
const COUNT: Duration = Duration::from_secs(15);
/// How long what was delivered is kept, and how long anything is.
const KEEP_DELIVERED: Duration = Duration::from_secs(7 * 24 * 60 * 60);
const KEEP: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The job. One per node.
pub struct DeliveryJob {
    work: Arc<Work>,
    wake: Arc<Notify>,
}

/// What every delivery needs.
struct Work {
    parts: WebhookParts,
    holder: String,
    retries: Retries,
    metrics: DeliveryMetrics,
    /// Webhooks that this node is busy with.
    busy: Mutex<HashSet<WebhookName>>,
    at_once: Arc<Semaphore>,
}

/// A webhook that this node is busy with, however that ends.
struct Busy(Arc<Work>, WebhookName);

impl Busy {
    fn with(work: &Arc<Work>, name: &WebhookName) -> Self {
        work.lock().insert(name.clone());
        Self(Arc::clone(work), name.clone())
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.lock().remove(&self.1);
    }
}

// === impl DeliveryJob ===

impl DeliveryJob {
    /// A job that does nothing until it is run. The holder is this node's name, and stays the same over restarts.
    pub fn new(webhooks: &Webhooks, holder: String, retries: Retries, metrics: DeliveryMetrics) -> Self {
        let parts = webhooks.parts.clone();
        Self {
            wake: Arc::clone(&webhooks.wake),
            work: Arc::new(Work {
                at_once: Arc::new(Semaphore::new(parts.limits.webhooks_at_once)),
                busy: Mutex::default(),
                parts,
                holder,
                retries,
                metrics,
            }),
        }
    }

    /// Delivers until the node stops. An attempt that is under way then is made again later.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut running = JoinSet::new();
        let mut look = tokio::time::interval(LOOK);
        let (mut purge, mut count) = (tokio::time::interval(PURGE), tokio::time::interval(COUNT));
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = shutdown::told(&mut stop) => break,
                () = self.wake.notified() => self.look(&mut running, &stop).await,
                _ = look.tick() => self.look(&mut running, &stop).await,
                _ = purge.tick() => self.work.purge().await,
                _ = count.tick() => self.work.count().await,
                Some(_) = running.join_next() => {}
            }
        }
        while running.join_next().await.is_some() {}
    }

    async fn look(&self, running: &mut JoinSet<()>, stop: &watch::Receiver<bool>) {
        let work = &self.work;
        let due = match work.parts.outbox.due(&work.holder, work.parts.clock.now()).await {
            Ok(due) => due,
            Err(error) => {
                tracing::warn!(%error, "Events cannot be delivered: the outbox cannot be read.");
                return;
            }
        };
        for name in due {
            if work.is_busy(&name) {
                continue;
            }
            let Ok(place) = Arc::clone(&work.at_once).try_acquire_owned() else {
                return;
            };
            let busy = Busy::with(work, &name);
            let (work, mut stop) = (Arc::clone(work), stop.clone());
            running.spawn(async move {
                tokio::select! {
                    () = shutdown::told(&mut stop) => {}
                    outcome = work.deliver(&name) => {
                        if let Err(error) = outcome {
                            tracing::warn!(webhook = %name, %error, "Deliveries cannot be written down; they are made again.");
                        }
                    }
                }
                if let Err(error) = work.parts.outbox.let_go(&name, &work.holder).await {
                    tracing::debug!(webhook = %name, %error, "A webhook could not be given back; its lease ends by itself.");
                }
                drop((busy, place));
            });
        }
    }
}

// === impl Work ===

impl Work {
    fn lock(&self) -> std::sync::MutexGuard<'_, HashSet<WebhookName>> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn is_busy(&self, name: &WebhookName) -> bool {
        self.lock().contains(name)
    }

    /// Delivers what is due for a webhook, one by one, until nothing is or an attempt fails.
    async fn deliver(&self, name: &WebhookName) -> Result<(), StoreError> {
        let outbox = &self.parts.outbox;
        let now = self.parts.clock.now();
        if !outbox.hold(name, &self.holder, (now, now.plus(LEASE))).await? {
            return Ok(());
        }
        loop {
            let Some(webhook) = self.parts.webhooks.webhook(name).await? else {
                return Ok(());
            };
            let Some(due) = outbox.next_due(name, self.parts.clock.now()).await? else {
                return Ok(());
            };
            if !webhook.is_enabled {
                return Ok(());
            }
            let outcome = attempt(&self.parts, &webhook, &due).await;
            let now = self.parts.clock.now();
            let made = self.came_to(&webhook, due, (outcome, now));
            match outbox.settle(&made).await {
                Ok(()) => {}
                // Another node holds it by now, or it was removed meanwhile.
                Err(StoreError::Conflict { .. }) => return Ok(()),
                Err(error) => return Err(error),
            }
            if made.rest_until > now || made.stop.is_some() {
                return Ok(());
            }
        }
    }

    /// What an attempt means for the delivery and for its webhook.
    fn came_to(&self, webhook: &Webhook, due: Due, (outcome, now): (Outcome, Timestamp)) -> Attempt {
        let failed = due.delivery.attempts.saturating_add(1);
        let mut made = Attempt {
            delivery: due.delivery,
            holder: self.holder.clone(),
            state: DeliveryState::Delivered,
            at: now,
            next_at: now,
            rest_until: now,
            held_until: now.plus(LEASE),
            status: None,
            error: None,
            stop: None,
        };
        match outcome {
            Outcome::Taken(status) => made.status = Some(status),
            Outcome::Gone(status) => {
                let reason = format!("the receiver answered {status}: nobody is there any more");
                let mut event = event(&self.parts, &Caller::system(), "webhook.stop", &webhook.name);
                event.reason = Some("gone".to_owned());
                made.status = Some(status);
                made.state = DeliveryState::Dead;
                made.error = Some(reason.clone());
                made.stop = Some((reason, event));
            }
            Outcome::Failed {
                status,
                reason,
                not_before,
            } => {
                made.status = status;
                made.error = Some(reason);
                match self.retries.next(failed, now, &*self.parts.rng) {
                    Some(next) => {
                        made.state = DeliveryState::Waiting;
                        made.next_at = not_before.map_or(next, |asked| asked.max(next));
                        made.rest_until = not_before.unwrap_or(now.plus(REST)).min(made.next_at);
                    }
                    None => {
                        made.state = DeliveryState::Dead;
                        made.rest_until = not_before.unwrap_or(now);
                    }
                }
            }
        }
        let word = match made.state {
            DeliveryState::Delivered => "delivered",
            DeliveryState::Waiting => "failed",
            DeliveryState::Dead => "dead",
        };
        self.metrics.tried(&webhook.name, word);
        self.tell(&made);
        made
    }

    fn tell(&self, made: &Attempt) {
        let (webhook, event) = (&made.delivery.webhook, made.delivery.event);
        let reason = made.error.as_deref().unwrap_or_default();
        match made.state {
            DeliveryState::Delivered => tracing::debug!(%webhook, %event, "An event was delivered."),
            DeliveryState::Waiting => {
                tracing::info!(%webhook, %event, reason, next = %made.next_at, "An event could not be delivered.");
            }
            DeliveryState::Dead => {
                tracing::warn!(%webhook, %event, reason, "An event could not be delivered, and is not tried again.");
            }
        }
    }

    async fn purge(&self) {
        let now = self.parts.clock.now();
        let purged = self
            .parts
            .outbox
            .purge_outbox(now.minus(KEEP_DELIVERED), now.minus(KEEP));
        if let Err(error) = purged.await {
            tracing::warn!(%error, "Old deliveries could not be forgotten; in an hour again.");
        }
    }

    async fn count(&self) {
        match self.parts.outbox.outbox_counts().await {
            Ok(counts) => self.metrics.counted(counts),
            Err(error) => tracing::debug!(%error, "Deliveries could not be counted."),
        }
    }
}

impl std::fmt::Debug for DeliveryJob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DeliveryJob")
    }
}
