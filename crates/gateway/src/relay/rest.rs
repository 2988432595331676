//! What is left of a server's answer when its stream to the host is over.

use std::sync::Arc;
use std::time::Duration;

use portreeve_net::ResponseBody;

use super::{OpenExchange, StreamSlot, cancellation};
use crate::upstream::drain;

/// What is left of an upstream's answer. A legacy host that goes away has not cancelled its call, so the rest is read
/// to its end; dropping it would tell some servers to stop.
pub(super) struct Rest {
    pub(super) body: Option<ResponseBody>,
    pub(super) drain: Option<Duration>,
    /// What ends it before, if the host takes its call back.
    pub(super) exchange: Option<Arc<OpenExchange>>,
    /// Its place among the open streams, given back when nothing is left to read.
    pub(super) slot: Option<StreamSlot>,
}

impl Drop for Rest {
    fn drop(&mut self) {
        if let (Some(body), Some(patience), Ok(runtime)) = (
            self.body.take(),
            self.drain,
            tokio::runtime::Handle::try_current(),
        ) {
            let (slot, exchange) = (self.slot.take(), self.exchange.take());
            runtime.spawn(async move {
                let _slot = slot;
                tokio::select! {
                    _ = tokio::time::timeout(patience, drain(body)) => {}
                    () = cancellation(exchange.as_deref()) => {}
                }
            });
        }
    }
}
