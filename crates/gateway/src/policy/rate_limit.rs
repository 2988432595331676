//! `rate_limit`: so many calls in so much time, for each caller and tool. Reading resources counts as a tool of its own,
//! whatever is read. Lists, prompts and pings do not count.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use portreeve_core::ports::{Counters, RateDecision, RateLimit as Rate, StateError};
use portreeve_mcp::method::Method;
use serde::Deserialize;

use super::{Explanation, Policy, Question, Tools, Verdict};
use crate::respond::Refusal;

/// The kind that documents name.
pub(super) const KIND: &str = "rate_limit";

/// The configuration: `{"kind":"rate_limit","calls":5,"per_seconds":30}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    /// How many `tools/call` a caller may make to one tool, and how many `resources/read` of all resources together, within
    /// `per_seconds`, all at once if it likes. 1 to 1,000,000. Calls come back evenly over the time, so the limit throttles and never locks out.
    calls: u32,
    /// The time, in seconds. 1 to 86,400.
    per_seconds: u32,
}

/// The compiled policy.
pub(super) struct RateLimit {
    index: usize,
    config: Config,
    rate: Rate,
    counters: Arc<dyn Counters>,
}

impl std::fmt::Debug for RateLimit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("RateLimit").field(&self.config).finish()
    }
}

impl RateLimit {
    pub(super) fn new(index: usize, config: Config, tools: &Tools) -> Result<Self, String> {
        if !(1..=1_000_000).contains(&config.calls) {
            return Err(format!("`calls` is {}: it must be 1 to 1000000", config.calls));
        }
        if !(1..=86_400).contains(&config.per_seconds) {
            return Err(format!(
                "`per_seconds` is {}: it must be 1 to 86400",
                config.per_seconds
            ));
        }
        let interval = Duration::from_secs(config.per_seconds.into()) / config.calls;
        Ok(Self {
            index,
            config,
            rate: Rate {
                interval,
                burst: config.calls,
            },
            counters: Arc::clone(&tools.counters),
        })
    }

    fn key(&self, question: &Question<'_>) -> String {
        let route = question.route.route.id;
        let tool = match question.method {
            // Callers choose URIs: with a limit for each of them there would be none.
            Method::ReadResource => Method::ReadResource.as_str(),
            _ => question.target.unwrap_or_default(),
        };
        format!(
            "rate_limit/{route}/{}/{}/{tool}",
            self.index, question.caller.principal
        )
    }

    fn describe(&self, decision: &RateDecision) -> String {
        let Config { calls, per_seconds } = self.config;
        if decision.allowed {
            format!(
                "{} of {calls} calls per {per_seconds} s are left",
                decision.remaining
            )
        } else {
            let wait = decision.retry_after.as_secs_f64();
            format!("all {calls} calls per {per_seconds} s are used; the next one comes back in {wait:.1} s")
        }
    }
}

#[async_trait]
impl Policy for RateLimit {
    fn kind(&self) -> &'static str {
        KIND
    }

    async fn before(&self, question: &Question<'_>) -> Verdict {
        if !matches!(question.method, Method::CallTool | Method::ReadResource) {
            return Verdict::Continue(Vec::new());
        }
        match self.counters.take(&self.key(question), self.rate, 1).await {
            Ok(decision) if decision.allowed => Verdict::Continue(Vec::new()),
            Ok(decision) => Verdict::Refuse(Refusal::Limited {
                retry_after: decision.retry_after,
                reason: self.describe(&decision),
            }),
            Err(StateError(reason)) => {
                // Without the counters nobody can say whether the limit holds, so the call waits rather than passes.
                tracing::error!(reason, "the rate counters are not available");
                Verdict::Refuse(Refusal::StateAway)
            }
        }
    }

    async fn explain(&self, question: &Question<'_>) -> Explanation {
        let answer = |allowed, reason| Explanation {
            policy: KIND,
            allowed,
            reason,
        };
        match self.counters.peek(&self.key(question), self.rate, 1).await {
            Ok(decision) => answer(decision.allowed, self.describe(&decision)),
            Err(error) => answer(false, error.to_string()),
        }
    }
}
