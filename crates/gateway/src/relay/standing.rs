//! Whether what was begun may go on: routes and rights change while streams are open and hosts are asked.
//!
//! Before: a request was let in. After: its stream ends, or its next round is not made.

use std::sync::Arc;

use bytes::Bytes;
use portreeve_mcp::sse;

use super::Errand;
use super::stream::Relay;
use crate::respond::{self, Refusal};
use crate::route::ServedRoute;

/// How a caller stands on a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Something was granted.
    Admitted,
    /// Nothing was.
    Stranger,
}

impl Errand {
    /// Whether the stream may go on: the route is served as it was, and the caller would be let in again. Asked for
    /// streams that have no end of their own, since rights change while they are open.
    pub fn still_stands(&self) -> bool {
        self.standing() == Some(Standing::Admitted)
    }

    /// The route as it is served now; `None` when it leads elsewhere, or when its server speaks another era by now.
    pub(super) fn route_now(&self) -> Option<Arc<ServedRoute>> {
        self.served_now()
            .filter(|served| served.hop(self.era) == self.hop)
    }

    /// How the caller stands on the route now; `None` when it is not served any more as it was.
    pub fn standing(&self) -> Option<Standing> {
        let served = self.served_now()?;
        Some(if self.gateway.policies.admit(&self.caller, &served) {
            Standing::Admitted
        } else {
            Standing::Stranger
        })
    }

    /// Waits for something of the server, and no longer than nobody revokes it.
    pub(super) async fn while_open<T>(&self, waits: impl Future<Output = T>) -> Result<T, Refusal> {
        self.gateway.loader.while_open(&self.route, waits).await
    }

    /// Why the server may not be called any more, if it was revoked meanwhile.
    pub(super) fn closed(&self) -> Option<Refusal> {
        self.gateway.loader.require_open(&self.route).err()
    }

    /// A route to a server that was revoked meanwhile is served to nobody, whether it was let in before or not.
    fn served_now(&self) -> Option<Arc<ServedRoute>> {
        let loader = &self.gateway.loader;
        let served = loader.find(self.route.route.slug.as_str())?;
        let is_same = served.route.id == self.route.route.id && served.leads_as(&self.route);
        let is_open = loader.require_open(&served).is_ok();
        (is_same && is_open).then_some(served)
    }
}

// === impl Relay ===

impl Relay {
    /// Ends the stream of a call whose server was revoked: the host is told why, unless it has its answer.
    pub(super) fn refuse(&mut self, refusal: &Refusal) -> Option<Bytes> {
        self.over = true;
        self.upstream.body = None;
        let id = self.errand.host_id.as_ref().filter(|_| !self.answered)?;
        if let Some(record) = &mut self.record {
            record.ended(refusal.outcome());
        }
        Some(sse::message(&respond::on_a_stream(refusal, id)))
    }
}
