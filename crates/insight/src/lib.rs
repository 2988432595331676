//! Usage and audit, from the event to the answer.
//!
//! The gateway pushes finished requests into the [`UsageRing`]; the [`UsageWriter`] moves them into the store behind
//! its back, and [`UsagePurge`] forgets what is too old. [`Insight`] answers the questions of api and portal.

mod ring;
mod shutdown;
mod writer;

mod purge;

mod answers;

pub use answers::{AuditPage, Insight, InsightError, InsightParts};
pub use purge::{KEEP_DAYS, UsagePurge};
pub use ring::UsageRing;
pub use writer::{UsageFlush, UsageWriter};
