//! Answers that cross from one era to the other: what the server's message becomes for a host that speaks the other one.

use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;
use portreeve_client::ClientError;
use portreeve_core::protocol::Era;
use portreeve_mcp::bridge::{self, Notice, Round, Unbridgeable};
use portreeve_mcp::code;
use portreeve_mcp::method::Method;
use serde_json::value::RawValue;

use super::Errand;
use crate::translate::{self, Crossing, ToLegacy};
use crate::upstream::Lease;

impl Errand {
    /// The id of the request on the server's hop, where it is one of ours.
    pub(super) fn own_id(&self) -> Option<u64> {
        match (self.era, self.crossing.as_deref()) {
            (Era::Modern, Some(Crossing::ToLegacy(crossing))) => Some(crossing.id),
            (Era::Modern, _) => None,
            (Era::Legacy, Some(Crossing::ToModern(crossing))) => Some(crossing.id()),
            (Era::Legacy, _) => Some(self.under_way.as_ref().map_or(0, |request| request.id)),
        }
    }

    /// What a modern server asks a legacy host in place of a result.
    pub(super) fn asks(&self, bytes: &[u8]) -> Option<Result<Round, Unbridgeable>> {
        let asks = matches!(self.crossing.as_deref(), Some(Crossing::ToModern(_)))
            && self.method.is_some_and(Method::has_rounds)
            && memchr::memmem::find(bytes, b"input_required").is_some();
        asks.then(|| bridge::round(bytes)).flatten()
    }

    /// A result in the host's words. `None`: it is none that could be said in them.
    pub(super) fn cross_result(&self, method: Method, body: Bytes) -> Option<Bytes> {
        let crossed = match self.crossing.as_deref() {
            None => return Some(body),
            Some(Crossing::ToLegacy(_)) if method == Method::Discover => bridge::discovery(&body),
            Some(Crossing::ToLegacy(_)) => bridge::to_modern_result(&body, method, self.server_said()),
            Some(Crossing::ToModern(_)) if method == Method::Initialize => return self.begin(&body),
            Some(Crossing::ToModern(_)) => bridge::to_legacy_result(&body),
        };
        crossed.ok().map(Bytes::from)
    }

    /// A session with a server that keeps none: what the host said is kept here, and told with every request.
    fn begin(&self, body: &[u8]) -> Option<Bytes> {
        let Some(Crossing::ToModern(crossing)) = self.crossing.as_deref() else {
            return None;
        };
        let introduction = crossing.introduction.as_ref()?;
        let name = self.route.route.server.as_str();
        let (body, agreed) = bridge::initialization(body, introduction.proposed, name).ok()?;
        let session = self.session.as_ref()?;
        session.set_version(agreed.as_str());
        Some(body.into())
    }

    /// An error in the host's words, with its code; or a result, where the server only wants pages to be seen first.
    pub(super) fn cross_error(&self, method: Method, body: Bytes) -> (Bytes, Option<i64>) {
        if let Some(Crossing::ToLegacy(crossing)) = self.crossing.as_deref()
            && crossing.shows_pages()
            && let Some(pages) = bridge::pages(&body)
        {
            return (pages.into(), None);
        }
        let crossed = match self.crossing.as_deref() {
            None => return (body, None),
            Some(Crossing::ToLegacy(_)) => bridge::failure_to_modern(&body),
            Some(Crossing::ToModern(_)) => bridge::failure_to_legacy(&body, method),
        };
        match crossed {
            Ok((reworded, code)) => (reworded.map_or(body, Bytes::from), Some(code)),
            // An error without a code is passed on: the host reads it as well as we do.
            Err(_) => (body, Some(code::INTERNAL_ERROR)),
        }
    }

    /// A notification in the host's words. `None`: it is not for this host.
    pub(super) fn cross_notice(
        &self,
        method: &str,
        params: Option<&RawValue>,
        body: &Bytes,
    ) -> Option<Bytes> {
        let Some(crossing) = self.crossing.as_deref() else {
            return Some(body.clone());
        };
        match (crossing, Notice::of(method)) {
            (_, Notice::Dropped) => None,
            (Crossing::ToLegacy(crossing), notice) => about(crossing, notice, params, body),
            (Crossing::ToModern(_), _) => Some(body.clone()),
        }
    }

    /// A request of the server while ours is under way. `true`: it is answered here.
    pub(super) fn answers_server(&self, method: &str, id: &RawValue) -> bool {
        match (self.crossing.as_deref(), &self.lease) {
            (Some(Crossing::ToLegacy(_)), Some(lease)) => {
                Lease::answer_server(&Arc::clone(lease), method, id);
                true
            }
            // A modern server asks in its results.
            (crossing, _) => crossing.is_some(),
        }
    }

    /// Whether an error of this code is what a server of the other era would say to what was asked.
    pub(crate) fn is_about_the_era(&self, code: i64) -> bool {
        match (self.hop, self.method) {
            (Era::Modern, Some(Method::Discover)) if code == code::METHOD_NOT_FOUND => true,
            (Era::Modern, _) => code == code::NOT_INITIALIZED,
            (Era::Legacy, Some(Method::Initialize)) => matches!(
                code,
                code::METHOD_NOT_FOUND | code::UNSUPPORTED_VERSION | code::HEADER_MISMATCH
            ),
            // In the pool it is the handshake that fails.
            (Era::Legacy, _) => self.era == Era::Modern && code == code::UNSUPPORTED_VERSION,
        }
    }

    /// Looks at an answer that is an error.
    pub(super) fn look_at_error(&self, status: StatusCode, bytes: &[u8]) {
        if status.is_success() {
            return;
        }
        if let Some(code) = bridge::failure_code(bytes) {
            let error = ClientError::Rpc {
                code,
                message: String::new(),
                error: String::new(),
            };
            self.gateway.doubt(self, &error);
        }
    }

    /// A state that comes back through the host is sealed.
    pub(super) fn seal_state(&self, bytes: &Bytes) -> Bytes {
        let Some(belonging) = &self.belonging else {
            return bytes.clone();
        };
        let gives = memchr::memmem::find(bytes, b"requestState").is_some();
        let sealed = gives.then(|| translate::sealed(bytes, belonging, self)).flatten();
        sealed.map_or_else(|| bytes.clone(), Bytes::from)
    }

    /// The status of an answer that holds an error of this code.
    pub(super) fn status(&self, status: StatusCode, code: Option<i64>) -> StatusCode {
        match (&self.crossing, code) {
            (None, _) => status,
            (Some(_), None) => StatusCode::OK,
            (Some(_), Some(code)) => crate::respond::status_of(self.era, code),
        }
    }
}

/// What a modern host hears while its call is under way: what is about this call, in the host's own words.
fn about(crossing: &ToLegacy, notice: Notice, params: Option<&RawValue>, body: &Bytes) -> Option<Bytes> {
    match notice {
        Notice::Progress => {
            let token = crossing.told.token.as_deref()?;
            let crossed = bridge::progress(body, params?.get(), crossing.id, token);
            crossed.ok().flatten().map(Bytes::from)
        }
        Notice::Log => {
            let wanted = crossing.told.level?;
            let level = params.and_then(|params| bridge::log_level(params.get()));
            level.is_none_or(|level| level >= wanted).then(|| body.clone())
        }
        Notice::Change | Notice::Dropped => None,
        Notice::Other => Some(body.clone()),
    }
}
