//! Replies that the gateway makes itself.

use bytes::Bytes;
use http::StatusCode;
use portreeve_client::{Reply, ReplyBody};
use portreeve_net::ResponseBody;

/// A reply without a session; without a body when there is none.
pub(super) fn reply(status: StatusCode, body: Option<ReplyBody>) -> Reply {
    Reply {
        status,
        session: None,
        retry_after: None,
        body: body.unwrap_or_else(|| ReplyBody::Other(ResponseBody::ready(Bytes::new()))),
    }
}

/// A JSON reply.
pub(super) fn replied(status: StatusCode, body: Vec<u8>) -> Reply {
    reply(status, Some(ReplyBody::Json(ResponseBody::ready(body.into()))))
}
