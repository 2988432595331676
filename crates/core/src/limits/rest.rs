//! Limits on calls of REST APIs, a part of all limits.

use std::time::Duration;

/// What one call of a REST API may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestLimits {
    /// Bytes of a refusal that are told.
    pub error_bytes: usize,
    /// Longest time that an API may go on sending events for one call, where the tool has no longer one of its own.
    pub events: Duration,
    /// Longest time that somebody may give a tool.
    pub tool_timeout: Duration,
    /// Most pages that one call may follow.
    pub pages: u32,
}

impl Default for RestLimits {
    fn default() -> Self {
        Self {
            error_bytes: 4 * 1024,
            events: Duration::from_secs(5 * 60),
            tool_timeout: Duration::from_secs(10 * 60),
            pages: 100,
        }
    }
}
