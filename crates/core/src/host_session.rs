//! Legacy sessions of hosts, as they outlive the node that opened them.

use crate::caller::Principal;
use crate::id::{HostSessionId, RouteId};
use crate::time::Timestamp;

/// A session as it is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostSession {
    /// Identity. The id that the host knows is made of it, and proves more.
    pub id: HostSessionId,
    /// Whose it is.
    pub principal: Principal,
    /// On which route.
    pub route: RouteId,
    /// Everything about it that may change, the server's own session among it. Sealed by the gateway, which alone reads it.
    pub sealed: String,
    /// Counts the changes of what is sealed, from 1.
    pub revision: i64,
    /// When it was opened.
    pub opened_at: Timestamp,
    /// When it was last used, to about a minute.
    pub used_at: Timestamp,
}

/// A change of what is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HostSessionChange {
    /// A new session.
    Open(HostSession),
    /// What may change, changed. Takes where the session is still at that revision, and counts it on.
    Seal {
        /// Which one.
        id: HostSessionId,
        /// The revision that was read.
        expected: i64,
        /// What takes the place of what was sealed.
        sealed: String,
    },
    /// The end of one. Takes where there was something to end.
    End(HostSessionId),
}

/// Which sessions are over without anybody having ended them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HostSessionBounds {
    /// Those that were last used before this moment.
    pub unused_since: Timestamp,
    /// Those of one caller beyond so many: the ones that rested longest.
    pub per_caller: usize,
    /// How many are removed at once, for each of the two reasons.
    pub most: usize,
}
