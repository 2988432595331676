//! The questions that auditors ask: usage, audit events, and whether the audit log verifies.
//!
//! Before it: api and portal, with the caller they authenticated. After it: the store.

use std::sync::Arc;

use portreeve_core::audit::{AuditReport, ChainedEvent};
use portreeve_core::caller::Caller;
use portreeve_core::decision::{Action, Target};
use portreeve_core::name::ServerName;
use portreeve_core::ports::{AuditLog, AuditQuery, Authorizer, StoreError, UsageStore};
use portreeve_core::usage::{UsageQuery, UsageRow};

use crate::writer::UsageFlush;

/// Most events on one page of the audit log.
const PAGE_MAX: u32 = 200;

/// What the answers are made from.
pub struct InsightParts {
    /// Usage, durable.
    pub usage: Arc<dyn UsageStore>,
    /// The audit log, durable.
    pub audit: Arc<dyn AuditLog>,
    /// Who decides who may ask.
    pub authorizer: Arc<dyn Authorizer>,
    /// Writes waiting usage before it is asked for; without it answers are up to a second behind.
    pub flush: Option<UsageFlush>,
}

/// Why a question got no answer.
#[derive(Debug, thiserror::Error)]
pub enum InsightError {
    /// The caller may not ask this.
    #[error("`{caller}` may not {action}")]
    Forbidden {
        /// The caller's label.
        caller: Arc<str>,
        /// What was asked, and which grant is missing, as words.
        action: String,
    },
    /// The range ends before it begins.
    #[error("the range from `{from}` to `{to}` is empty")]
    EmptyRange {
        /// Its first moment.
        from: portreeve_core::time::Timestamp,
        /// The moment after its last.
        to: portreeve_core::time::Timestamp,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl InsightError {
    /// What to do next.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Forbidden { .. } => {
                "ask an administrator for that grant; over some servers it answers questions about one of them"
            }
            Self::EmptyRange { .. } => "give a `from` that lies before `to`",
            Self::Store(_) => "try again; `portreeve doctor` tells what is wrong with the store",
        }
    }
}

/// One page of the audit log, newest first.
#[derive(Debug, Clone, PartialEq)]
pub struct AuditPage {
    /// The events.
    pub items: Vec<ChainedEvent>,
    /// Where the next page begins, if there is one.
    pub next_cursor: Option<String>,
}

/// The use cases of this room. Each takes the caller and needs the right `audit`: over the installation, or over the one
/// server that is asked about.
pub struct Insight {
    parts: InsightParts,
}

impl Insight {
    /// Answers from these parts.
    pub fn new(parts: InsightParts) -> Self {
        Self { parts }
    }

    /// Usage by server, method and tool, most calls first.
    pub async fn usage(&self, caller: &Caller, query: &UsageQuery) -> Result<Vec<UsageRow>, InsightError> {
        self.require_audit(caller, "see usage", query.server.as_ref())?;
        if query.from >= query.to {
            return Err(InsightError::EmptyRange {
                from: query.from,
                to: query.to,
            });
        }
        if let Some(flush) = &self.parts.flush {
            flush.flush().await;
        }
        Ok(self.parts.usage.usage(query).await?)
    }

    /// One page of the audit log. A limit of zero or above 200 becomes 200.
    pub async fn audit(&self, caller: &Caller, query: &AuditQuery) -> Result<AuditPage, InsightError> {
        let server: Option<ServerName> = query.server.as_deref().and_then(|name| name.parse().ok());
        self.require_audit(caller, "read the audit log", server.as_ref())?;
        let limit = if query.limit == 0 {
            PAGE_MAX
        } else {
            query.limit.min(PAGE_MAX)
        };
        let query = AuditQuery {
            limit,
            ..query.clone()
        };
        let (page, next_cursor) = self.parts.audit.page(&query).await?;
        Ok(AuditPage {
            items: page.items,
            next_cursor: next_cursor.filter(|_| page.more),
        })
    }

    /// Verifies every chain of the audit log.
    pub async fn verify_audit(&self, caller: &Caller) -> Result<AuditReport, InsightError> {
        self.require_audit(caller, "verify the audit log", None)?;
        Ok(self.parts.audit.verify().await?)
    }

    fn require_audit(
        &self,
        caller: &Caller,
        what: &str,
        server: Option<&ServerName>,
    ) -> Result<(), InsightError> {
        let target = server.map_or(Target::Installation, Target::Server);
        let decision = self.parts.authorizer.may(caller, Action::Audit, &target);
        if decision.is_permit() {
            return Ok(());
        }
        Err(InsightError::Forbidden {
            caller: Arc::clone(&caller.label),
            action: Action::Audit.lacking(&target, what),
        })
    }
}
