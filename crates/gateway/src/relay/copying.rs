//! Copies of answers: what a server said is kept on its way to the host, and says how old it is when it is served again.

use bytes::Bytes;
use portreeve_core::protocol::Era;
use portreeve_mcp::envelope::{Message, Outcome};
use portreeve_mcp::keeping;
use portreeve_mcp::method::Method;

use super::{Errand, Turned};
use crate::lists::{self, Copying};

impl Errand {
    /// Whether the answer is a copy of an earlier one.
    pub(super) const fn is_copied(&self) -> bool {
        matches!(self.copying, Some(Copying::From(_)))
    }

    /// The id of the request on the server's hop, as it was written.
    pub(crate) fn id_on_the_hop(&self) -> Option<String> {
        match self.own_id() {
            Some(own) => Some(own.to_string()),
            None => self.host_id.as_ref().map(|id| id.get().to_owned()),
        }
    }

    /// Keeps a copy of the server's answer, if there may be one. A request that was made again under another id was made
    /// with answers of the host.
    pub(super) fn keep_copy(&self, answer: &Bytes, outcome: Outcome<'_>) {
        let Some(Copying::To(place)) = &self.copying else {
            return;
        };
        if let Outcome::Result(result) = outcome
            && self.id_on_the_hop().is_some_and(|id| id == place.id())
        {
            self.gateway
                .copies
                .keep(place, answer, result, self.server_said());
        }
        place.landed();
    }

    /// The same for an answer that nobody had to read, since it is known what becomes of it.
    pub(super) fn keep_known(&self, answer: &Bytes) {
        if let (Some(Copying::To(_)), Ok(Message::Response { outcome, .. })) =
            (&self.copying, Message::parse(answer))
        {
            self.keep_copy(answer, outcome);
        }
    }

    /// What a legacy server calls itself.
    pub(super) fn server_said(&self) -> Option<&str> {
        match (&self.lease, &self.copying) {
            (Some(lease), _) => lease.session.server.as_deref(),
            (None, Some(Copying::From(copy))) => copy.server.as_deref(),
            (None, _) => None,
        }
    }

    /// A copy says how long it is good still.
    pub(super) fn aged(&self, turned: Turned) -> Turned {
        let (Some(Copying::From(copy)), Era::Modern) = (&self.copying, self.era) else {
            return turned;
        };
        let left = copy
            .left
            .map(|left| u64::try_from(left.as_millis()).unwrap_or(u64::MAX));
        match left.and_then(|left| keeping::with_ttl(&turned.bytes, left)) {
            Some(bytes) => Turned {
                bytes: bytes.into(),
                ..turned
            },
            None => turned,
        }
    }

    /// A result that not everybody may have is for its caller alone.
    pub(super) fn narrowed(&self, method: Method, body: Bytes) -> Bytes {
        if !keeping::is_kept(method) {
            return body;
        }
        lists::narrowed(&body, &self.route).map_or(body, Bytes::from)
    }
}
