//! A legacy server that closes the stream of a call before its answer is there, and wants to be asked again (2025-11-25,
//! transports, resumability). A legacy host does that itself; for a modern one, which knows nothing of it, it is done here.

use std::time::Duration;

use portreeve_client::ReplyBody;
use portreeve_mcp::sse;

use super::awaited::Came;
use super::stream::Relay;

/// How often a stream is taken up again without hearing anything new.
const TRIES: usize = 5;
/// Before the stream is asked for again, where the server does not say how long to wait, and at most.
const PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Where a stream broke off.
#[derive(Debug, Default)]
pub(super) struct Mark {
    last: Option<String>,
    pause: Option<Duration>,
    tries: usize,
}

// === impl Mark ===

impl Mark {
    /// Notes what an event says of its stream.
    pub(super) fn note(&mut self, event: &sse::Event) {
        if let Some(id) = &event.id {
            let id = std::str::from_utf8(id).ok().filter(|id| !id.is_empty());
            self.last = id.map(str::to_owned);
        }
        if event.data.is_some() {
            self.tries = 0;
        }
        let said = event.raw.split(|byte| matches!(byte, b'\n' | b'\r'));
        let retry = said.filter_map(|line| line.strip_prefix(b"retry:")).next_back();
        let millis = retry.and_then(|value| std::str::from_utf8(value).ok()?.trim().parse().ok());
        self.pause = millis.map(Duration::from_millis).or(self.pause);
    }
}

// === impl Relay ===

impl Relay {
    /// Whether the server's stream can be taken up where it broke off.
    pub(super) fn may_take_up(&self) -> bool {
        let is_known = self.errand.lease.is_some() && self.mark.last.is_some();
        is_known && !self.answered && !self.over && self.mark.tries < TRIES
    }

    /// Asks for the rest of the server's stream where it broke off. `false`: there is none to ask for.
    pub(super) fn take_up_stream(&mut self) -> bool {
        let (Some(lease), Some(last)) = (self.errand.lease.clone(), self.mark.last.clone()) else {
            return false;
        };
        if !self.may_take_up() {
            return false;
        }
        self.mark.tries += 1;
        self.upstream.body = None;
        let pause = self.mark.pause.unwrap_or(PAUSE).min(LONGEST_PAUSE);
        let patience = self.errand.route.upstream.patience();
        self.awaited = Some(Box::pin(async move {
            tokio::time::sleep(pause).await;
            let asked = tokio::time::timeout(patience, lease.resume(&last)).await;
            let Ok(Ok(reply)) = asked else {
                return Came::Rest(None);
            };
            match reply.body {
                ReplyBody::Events(body) if reply.status.is_success() => Came::Rest(Some(body)),
                _ => Came::Rest(None),
            }
        }));
        true
    }
}
