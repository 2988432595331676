//! What the stream of a call waits for in its middle: the rest of a server's stream that broke off (`resume`), or what a
//! server says to a call that was made once more (`asking`). Meanwhile the host is told that the stream is alive, as in any
//! silence (`stream`).

use std::pin::Pin;

use bytes::Bytes;
use portreeve_client::{ClientError, Reply};
use portreeve_mcp::sse;
use portreeve_net::ResponseBody;

use super::heard::Heard;
use super::stream::Relay;

/// It comes, or it is lost.
pub(super) type Awaited = Pin<Box<dyn Future<Output = Came> + Send>>;

/// What came.
pub(super) enum Came {
    /// The rest of a stream; `None`: there is none.
    Rest(Option<ResponseBody>),
    /// The head of a reply; `None`: the host took its call back.
    Reply(Result<Option<Reply>, ClientError>),
    /// A reply that is one document, or why it is none.
    Document(Result<Bytes, String>),
}

// === impl Relay ===

impl Relay {
    /// Goes on with what was waited for. `None`: nothing is to be said yet.
    pub(super) fn came(&mut self, came: Came) -> Option<Bytes> {
        let told = match came {
            Came::Rest(Some(body)) => {
                self.reader = sse::Reader::new(self.errand.gateway.limits.held_result_bytes);
                self.upstream.body = Some(body);
                Ok(None)
            }
            Came::Rest(None) => Ok(self.end(&Heard::Broken)),
            Came::Reply(reply) => self.replied(reply),
            Came::Document(document) => document.and_then(|document| self.whole(&document)),
        };
        told.unwrap_or_else(|reason| self.end_with(&reason))
    }
}
