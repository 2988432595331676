//! The corridor's part in calls that a person must allow first.

use bytes::Bytes;
use http::{Response, StatusCode};
use portreeve_core::protocol::Era;
use portreeve_mcp::bridge;
use serde_json::value::RawValue;

use super::Gateway;
use crate::record::{Record, Stopped, stop};
use crate::relay::Errand;
use crate::respond::{self, Body, Held, Refusal};

impl Gateway {
    /// Answers a call that is held back. It is an answer like any other; the record says that it was refused.
    pub(super) fn hold(
        held: &Held,
        (body, id): (&Bytes, &RawValue),
        errand: &Errand,
        mut record: Record,
    ) -> Result<Response<Body>, Stopped> {
        let declared = match (errand.era, &errand.session) {
            (Era::Legacy, Some(session)) => session.client_capabilities().map(|raw| raw.get().to_owned()),
            _ => bridge::told(body).capabilities,
        };
        let declared = declared.as_deref().unwrap_or("{}");
        let answer = held.answer(errand.era, id, declared, bridge::is_back(body));
        if let Err(refusal) = record.journal(StatusCode::OK.as_u16()) {
            return Err(stop(refusal, record));
        }
        record.sent(answer.len());
        record.close();
        Ok(respond::json(StatusCode::OK, answer))
    }
}

/// What holds a call back, if that is why it is refused.
pub(super) fn held(refusal: &Refusal) -> Option<&Held> {
    match refusal {
        Refusal::Held(held) => Some(held),
        _ => None,
    }
}
