//! Webhooks: who wants to be told of changes (`manage`), what became of telling them (`deliveries`), and the job that
//! delivers (`job`): it takes what is due from the outbox, signs it (`sign`), sends it (`send`), and says when a failure
//! is tried again (`retries`).
//!
//! Before: the store wrote events into the outbox, in the transaction of the change. After: the receiver has them, at
//! least once, or they wait in the list of the dead for a person.

mod error;

mod deliveries;
mod manage;

mod job;
mod metrics;
mod retries;
mod send;
mod sign;

use std::fmt;
use std::sync::Arc;

use portreeve_core::audit::AuditEvent;
use portreeve_core::caller::Caller;
use portreeve_core::decision::{Action, Target};
use portreeve_core::id::EventId;
use portreeve_core::limits::Limits;
use portreeve_core::name::WebhookName;
use portreeve_core::ports::{Authorizer, Outbox, Outgoing, WebhookStore};
use portreeve_core::random::Rng;
use portreeve_core::time::Clock;
use portreeve_core::webhook::Webhook;
use portreeve_net::Egress;
use tokio::sync::Notify;

pub use deliveries::Deliveries;
pub use error::{WebhookError, WebhookProblem};
pub use job::DeliveryJob;
pub use manage::{FormerSecret, NewWebhook, PrivateReach, WebhookPatch};
pub use metrics::DeliveryMetrics;
pub use retries::Retries;

/// What webhooks are made of.
#[derive(Clone)]
pub struct WebhookParts {
    /// Subscriptions.
    pub webhooks: Arc<dyn WebhookStore>,
    /// Events on their way.
    pub outbox: Arc<dyn Outbox>,
    /// The vault, which has the keys that sign.
    pub outgoing: Arc<dyn Outgoing>,
    /// Who may have webhooks, and whether their owners still may.
    pub authorizer: Arc<dyn Authorizer>,
    /// The way out.
    pub egress: Egress,
    /// Now.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub rng: Arc<dyn Rng>,
    /// How many webhooks, and how long an attempt may take.
    pub limits: Arc<Limits>,
}

/// The use cases of webhooks. Each takes the caller, who must be allowed to operate the installation: events tell of every
/// server.
pub struct Webhooks {
    parts: WebhookParts,
    /// Wakes the job of this node.
    wake: Arc<Notify>,
}

// === impl Webhooks ===

impl Webhooks {
    /// Puts the parts together.
    pub fn new(parts: WebhookParts) -> Self {
        Self {
            parts,
            wake: Arc::default(),
        }
    }

    fn require_operator(&self, caller: &Caller) -> Result<(), WebhookError> {
        if may_be_told(&*self.parts.authorizer, caller) {
            return Ok(());
        }
        Err(WebhookError::Forbidden {
            caller: Arc::clone(&caller.label),
        })
    }

    /// Private hosts stand behind the guard that keeps others out of this network: who operates may not open them.
    fn require_manager(&self, caller: &Caller) -> Result<(), WebhookError> {
        let decision = self
            .parts
            .authorizer
            .may(caller, Action::Manage, &Target::Installation);
        if decision.is_permit() {
            return Ok(());
        }
        Err(WebhookError::PrivateHosts {
            caller: Arc::clone(&caller.label),
        })
    }

    async fn find(&self, name: &WebhookName) -> Result<Webhook, WebhookError> {
        let found = self.parts.webhooks.webhook(name).await?;
        found.ok_or_else(|| WebhookError::NotFound {
            what: format!("webhook `{name}`"),
        })
    }

    fn event(&self, caller: &Caller, action: &str, name: &WebhookName) -> AuditEvent {
        event(&self.parts, caller, action, name)
    }
}

/// Whoever operates the installation may see everything that events tell.
fn may_be_told(authorizer: &dyn Authorizer, caller: &Caller) -> bool {
    authorizer
        .may(caller, Action::Operate, &Target::Installation)
        .is_permit()
}

fn event(parts: &WebhookParts, caller: &Caller, action: &str, name: &WebhookName) -> AuditEvent {
    let (clock, rng) = (parts.clock.as_ref(), parts.rng.as_ref());
    let mut event = AuditEvent::new(EventId::new(clock, rng), clock.now(), action, caller);
    event.target = Some(name.to_string());
    event
}

impl fmt::Debug for Webhooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Webhooks")
    }
}

impl fmt::Debug for WebhookParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookParts")
    }
}
