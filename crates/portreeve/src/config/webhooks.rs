//! The section `[webhooks]`: how events are delivered.

use std::time::Duration;

use portreeve_core::limits::Limits;
use portreeve_insight::Retries;
use schemars::JsonSchema;
use serde::Deserialize;

/// Longest time of one attempt, in seconds. A node keeps a webhook to itself for a minute without a word.
pub(super) const LONGEST_ATTEMPT: u64 = 30;
/// Most pauses.
const PAUSES: usize = 20;

/// How events are delivered to webhooks.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Webhooks {
    /// The pause after each failed attempt, in seconds; a tenth more or less, by chance. After as many pauses an event is
    /// dead. At most 20. Default: 5, 30, 300, 1800, 7200, 18000, 36000, 36000.
    pub(crate) retry_seconds: Option<Vec<u64>>,
    /// How long a receiver may take to answer, in seconds, from 1 to 30. Default: 15.
    pub(crate) attempt_seconds: u64,
}

impl Default for Webhooks {
    fn default() -> Self {
        Self {
            retry_seconds: None,
            attempt_seconds: Limits::default().webhook_attempt.as_secs(),
        }
    }
}

impl Webhooks {
    /// When failed attempts are made again.
    pub(crate) fn retries(&self) -> Retries {
        match &self.retry_seconds {
            None => Retries::default(),
            Some(seconds) => {
                let pauses = seconds.iter().take(PAUSES).copied();
                Retries::after(pauses.map(Duration::from_secs).collect())
            }
        }
    }
}
