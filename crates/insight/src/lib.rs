//! Usage and audit, from the event to the answer.
//!
//! The gateway pushes finished requests into the [`UsageRing`]; the [`UsageWriter`] moves them into the store behind
//! its back, and forgets what is older than [`KEEP_DAYS`]. [`Insight`] answers the questions of api and portal.
//!
//! [`Webhooks`] keeps who wants to be told of changes, and [`DeliveryJob`] takes what the store wrote into its outbox to
//! them.

mod ring;
mod shutdown;

mod purge;
mod writer;

mod answers;

mod webhooks;

pub use answers::{AuditPage, Insight, InsightError, InsightParts};
pub use purge::KEEP_DAYS;
pub use ring::UsageRing;
pub use webhooks::{
    Deliveries, DeliveryJob, DeliveryMetrics, FormerSecret, NewWebhook, PrivateReach, Retries, WebhookError,
    WebhookParts, WebhookPatch, WebhookProblem, Webhooks,
};
pub use writer::{UsageFlush, UsageWriter};
