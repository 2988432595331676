//! `approval`: a person must allow the call first, having seen its arguments. An approval is for one call: this caller,
//! this tool, these arguments; it passes once, and expires.
//!
//! It is asked after every other policy of the route, so that no approval is used up by a call that one of them refuses.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use portreeve_access::{AccessError, Approvals, HeldCall, HowDecided};
use portreeve_core::approval::{ApprovalState, CallApproval};
use portreeve_core::caller::Principal;
use portreeve_core::oauth::ToolClass;
use portreeve_core::ports::{Counters, RateLimit, StateError, StoreError};
use portreeve_inspect::sha256_hex;
use portreeve_mcp::method::Method;
use serde::Deserialize;

use super::{Allowed, Explanation, Policy, Question, Tools, Verdict};
use crate::respond::{Held, Refusal};

/// The kind that documents name.
pub(super) const KIND: &str = "approval";

/// How often a call looks whether somebody decided, whose user just looked at the page.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);

/// What a call was given is good for an hour, so its use is remembered for longer.
const ONCE: RateLimit = RateLimit {
    interval: Duration::from_secs(2 * 60 * 60),
    burst: 1,
};

/// Tools and approvers that one policy may name.
const NAMED: usize = 200;

const fn a_quarter_of_an_hour() -> u32 {
    900
}

const fn twenty() -> u32 {
    20
}

/// The configuration: `{"kind":"approval","tools":["refund"],"approvers":["group:finance"]}`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Config {
    /// The tools, by their names, at most 200. Without any: every tool that does not say `readOnlyHint`.
    #[serde(default)]
    tools: BTreeSet<String>,
    /// Who may allow a call, besides who may approve the server: `user:NAME`, `key:NAME`, `group:NAME`, at most 200.
    #[serde(default)]
    approvers: BTreeSet<String>,
    /// Whether the caller may allow it as well, signed in as the same user: a second look rather than a second person.
    #[serde(default)]
    by_caller: bool,
    /// How long a call waits for its approval, and how long an approval is good, in seconds from the first try. 10 to 86,400.
    #[serde(default = "a_quarter_of_an_hour")]
    valid_seconds: u32,
    /// How long a host that comes back from the page waits for the decision, in seconds. 0 to 60.
    #[serde(default = "twenty")]
    wait_seconds: u32,
}

/// The compiled policy.
pub(super) struct Approval {
    config: Config,
    approvals: Arc<Approvals>,
    counters: Arc<dyn Counters>,
}

impl std::fmt::Debug for Approval {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Approval").field(&self.config).finish()
    }
}

impl Approval {
    pub(super) fn new(config: Config, tools: &Tools) -> Result<Self, String> {
        if config.tools.len() > NAMED || config.approvers.len() > NAMED {
            return Err(format!("`tools` and `approvers` name at most {NAMED} each"));
        }
        let is_label = |label: &String| {
            label
                .split_once(':')
                .is_some_and(|(kind, name)| matches!(kind, "user" | "key" | "group") && !name.is_empty())
        };
        if let Some(wrong) = config.approvers.iter().find(|label| !is_label(label)) {
            return Err(format!(
                "`approvers` has `{wrong}`: it must be `user:NAME`, `key:NAME` or `group:NAME`"
            ));
        }
        if !(10..=86_400).contains(&config.valid_seconds) {
            return Err(format!(
                "`valid_seconds` is {}: it must be 10 to 86400",
                config.valid_seconds
            ));
        }
        if config.wait_seconds > 60 {
            return Err(format!(
                "`wait_seconds` is {}: it must be 0 to 60",
                config.wait_seconds
            ));
        }
        Ok(Self {
            config,
            approvals: Arc::clone(&tools.approvals),
            counters: Arc::clone(&tools.counters),
        })
    }

    fn holds(&self, question: &Question<'_>) -> bool {
        let (Method::CallTool, Some(name)) = (question.method, question.target) else {
            return false;
        };
        if !self.config.tools.is_empty() {
            return self.config.tools.contains(name);
        }
        let tool = question.route.callable(question.era, name);
        let approved = tool.and_then(|tool| tool.tool.approved.as_ref());
        // What is not known to only read is taken to write.
        approved.is_none_or(|approved| ToolClass::of(&approved.annotations) == ToolClass::Write)
    }

    /// Who has allowed it at the virtual server that it comes from, if that is somebody who may do so here: then such a
    /// person has seen it, and nobody is asked twice. Later rounds of a call pass by what they bring.
    fn allowed_above(&self, question: &Question<'_>) -> Option<Allowed> {
        let above = question.allowed_above?;
        let how = self.how();
        let (caller, server) = (question.caller, &question.route.route.server);
        let counts = self.approvals.counts_here(&above.by, (caller, server), how);
        counts.then(|| above.clone())
    }

    fn how(&self) -> HowDecided<'_> {
        HowDecided {
            approvers: &self.config.approvers,
            by_caller: self.config.by_caller,
            life: Duration::from_secs(self.config.valid_seconds.into()),
        }
    }

    /// Whether it is the next round of a call that passed. What the call was given counts once: the same round again would
    /// be the same call again.
    async fn is_next_round(&self, question: &Question<'_>) -> Result<bool, StateError> {
        match question.goes_on {
            None => Ok(false),
            Some("") => Ok(true),
            Some(given) => {
                let key = format!("approval/round/{}", sha256_hex(given.as_bytes()));
                Ok(self.counters.take(&key, ONCE, 1).await?.allowed)
            }
        }
    }

    async fn look(&self, question: &Question<'_>, call: &HeldCall<'_>) -> Result<Verdict, AccessError> {
        let mut left = if question.is_back {
            self.config.wait_seconds
        } else {
            0
        };
        loop {
            let asked = self.approvals.ask(call, self.how()).await?;
            if asked.state == ApprovalState::Approved {
                if let Some(used) = self.approvals.use_up(call).await? {
                    return Ok(passed(used));
                }
                // Another host was faster with it.
                continue;
            }
            if asked.state != ApprovalState::Waiting || left == 0 {
                return Ok(Verdict::Refuse(Refusal::Held(Box::new(self.held(asked)))));
            }
            left -= 1;
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
    }

    fn held(&self, approval: CallApproval) -> Held {
        Held {
            page: self.approvals.page(approval.id),
            by: self.named(),
            approval,
        }
    }

    /// Who may decide, as words.
    fn named(&self) -> String {
        let mut names: Vec<&str> = self.config.approvers.iter().map(String::as_str).collect();
        if self.config.by_caller {
            names.insert(0, "the caller");
        }
        names.push("an approver of the server");
        names.join(", ")
    }
}

/// The verdict about a call whose approval was used.
fn passed(used: CallApproval) -> Verdict {
    let names = vec![format!("approval:{}", used.id).into()];
    match used.decided_by {
        Some(by) => Verdict::Allowed {
            names,
            allowed: Allowed { by: by.into() },
        },
        None => Verdict::Continue(names),
    }
}

#[async_trait]
impl Policy for Approval {
    fn kind(&self) -> &'static str {
        KIND
    }

    fn comes_last(&self) -> bool {
        true
    }

    async fn before(&self, question: &Question<'_>) -> Verdict {
        let (true, Some(tool)) = (self.holds(question), question.target) else {
            return Verdict::Continue(Vec::new());
        };
        if let Some(allowed) = self.allowed_above(question) {
            let names = vec!["approval:above".into()];
            return Verdict::Allowed { names, allowed };
        }
        if question.caller.principal == Principal::Anonymous {
            // Nobody knows that two of them are the same.
            return Verdict::Refuse(Refusal::NoCredential);
        }
        match self.is_next_round(question).await {
            Ok(true) => return Verdict::Continue(Vec::new()),
            Ok(false) => {}
            Err(StateError(reason)) => {
                tracing::error!(reason, "whether a round was seen before cannot be said");
                return Verdict::Refuse(Refusal::StateAway);
            }
        }
        let route = &question.route.route;
        let call = HeldCall {
            caller: question.caller,
            route: route.id,
            slug: &route.slug,
            server: &route.server,
            tool,
            arguments: question
                .arguments
                .and_then(|bytes| std::str::from_utf8(bytes).ok()),
        };
        match self.look(question, &call).await {
            Ok(verdict) => verdict,
            Err(AccessError::Store(StoreError::Conflict { what })) => Verdict::Refuse(Refusal::Limited {
                retry_after: Duration::from_secs(self.config.valid_seconds.into()),
                reason: what,
            }),
            Err(error) => {
                tracing::error!(%error, "approvals are not available");
                Verdict::Refuse(Refusal::StateAway)
            }
        }
    }

    async fn explain(&self, question: &Question<'_>) -> Explanation {
        let is_held = self.holds(question);
        Explanation {
            policy: KIND,
            allowed: !is_held,
            reason: if is_held {
                format!("each call must be allowed first by one of: {}", self.named())
            } else {
                "this tool needs no approval".to_owned()
            },
        }
    }
}
