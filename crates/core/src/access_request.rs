//! Requests for access: somebody sees a server, may not use it (or not all of it), and asks whoever may grant that.
//!
//! A request is for one server, by one principal, who has one open request for it at a time. A grant that comes of it names
//! it.

use std::time::Duration;

use crate::caller::Principal;
use crate::grant::ToolScope;
use crate::id::{AccessRequestId, GrantId};
use crate::name::{GroupName, ServerName};
use crate::server::as_words;
use crate::time::Timestamp;

/// Where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AccessRequestState {
    /// Nobody decided yet.
    Open,
    /// A grant came of it.
    Granted,
    /// Somebody refused it, and said why.
    Refused,
    /// Who asked took it back.
    Withdrawn,
    /// Nobody decided in time. Never stored: an open request becomes one.
    Expired,
}

as_words!(AccessRequestState {
    Open = "open",
    Granted = "granted",
    Refused = "refused",
    Withdrawn = "withdrawn",
    Expired = "expired",
});

/// Somebody asks to use a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessRequest {
    /// Identity, in the address of its page.
    pub id: AccessRequestId,
    /// The server.
    pub server: ServerName,
    /// Who asks.
    pub principal: Principal,
    /// The name people know that caller by.
    pub caller: String,
    /// The groups that who asks belonged to at that moment.
    pub groups: Vec<GroupName>,
    /// Which tools are asked for.
    pub tools: ToolScope,
    /// What for, as plain text.
    pub reason: String,
    /// For how long it is wished. `None`: with no end.
    pub wished: Option<Duration>,
    /// When it was asked.
    pub asked_at: Timestamp,
    /// Until when somebody may decide.
    pub expires_at: Timestamp,
    /// Where it stood when it was stored last; see [`AccessRequest::state_at`].
    pub state: AccessRequestState,
    /// Actor label of who decided.
    pub decided_by: Option<String>,
    /// When.
    pub decided_at: Option<Timestamp>,
    /// What who decided says about it.
    pub note: Option<String>,
    /// The grant that came of it.
    pub grant: Option<GrantId>,
    /// When that grant ends. `None`: it has no end.
    pub granted_until: Option<Timestamp>,
}

/// How a request ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessDecision {
    /// The state that it comes to.
    pub state: AccessRequestState,
    /// Actor label of who decides.
    pub by: String,
    /// When.
    pub at: Timestamp,
    /// What is said about it.
    pub note: Option<String>,
}

/// What became of asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AskedAccess {
    /// It was stored.
    New,
    /// This one of the same principal for the same server is open.
    Waits(Box<AccessRequest>),
    /// The principal has as many open ones as anybody may have.
    TooMany,
}

// === impl AccessRequest ===

impl AccessRequest {
    /// Where it stands at `now`.
    pub fn state_at(&self, now: Timestamp) -> AccessRequestState {
        match self.state {
            AccessRequestState::Open if now >= self.expires_at => AccessRequestState::Expired,
            state => state,
        }
    }
}
