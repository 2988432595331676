//! Calls that a person must allow first: what is asked for, exactly, and what was decided.
//!
//! An approval is for one call: this caller, this route, this tool, these arguments. It is used once, and it expires.

use std::collections::BTreeSet;

use crate::caller::Principal;
use crate::id::{ApprovalId, RouteId};
use crate::name::{ServerName, Slug};
use crate::server::as_words;
use crate::time::Timestamp;

/// Where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ApprovalState {
    /// Nobody decided yet.
    Waiting,
    /// The call may be made, once.
    Approved,
    /// It may not.
    Denied,
    /// It was made.
    Used,
}

as_words!(ApprovalState { Waiting = "waiting", Approved = "approved", Denied = "denied", Used = "used" });

/// A call that somebody must allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallApproval {
    /// Identity, in the address of its page.
    pub id: ApprovalId,
    /// Stands for caller, route, tool and arguments: an HMAC-SHA-256, hex.
    pub digest: String,
    /// The route.
    pub route: RouteId,
    /// Its slug.
    pub slug: Slug,
    /// The server behind it.
    pub server: ServerName,
    /// The tool.
    pub tool: String,
    /// The arguments as they were sent, sealed.
    pub arguments: String,
    /// Who wants to make the call.
    pub principal: Principal,
    /// The name people know that caller by.
    pub caller: String,
    /// Who may decide besides who may approve the server: labels, and groups as `group:NAME`.
    pub approvers: BTreeSet<String>,
    /// Whether the caller may decide.
    pub by_caller: bool,
    /// When it was asked for.
    pub asked_at: Timestamp,
    /// Until when a decision counts.
    pub expires_at: Timestamp,
    /// Where it stands.
    pub state: ApprovalState,
    /// Actor label of who decided.
    pub decided_by: Option<String>,
    /// When.
    pub decided_at: Option<Timestamp>,
    /// Why it was denied.
    pub reason: Option<String>,
}

/// What is decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApprovalDecision {
    /// Whether the call may be made.
    pub allowed: bool,
    /// Actor label of who decides.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// Why not.
    pub reason: Option<String>,
}

// === impl CallApproval ===

impl CallApproval {
    /// Whether it still counts at `now`.
    pub fn is_live(&self, now: Timestamp) -> bool {
        now < self.expires_at && self.state != ApprovalState::Used
    }
}
