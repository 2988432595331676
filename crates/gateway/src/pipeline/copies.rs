//! The corridor's part in copies of answers: a request that one answers is not sent.

use std::sync::Arc;

use http::StatusCode;
use portreeve_client::{ClientError, Reply, ReplyBody};
use portreeve_core::id::RouteId;
use portreeve_net::{NetError, ResponseBody};
use tokio::sync::watch;

use super::Gateway;
use crate::lists::{Copy, Copying, Kind, Place, Turn};
use crate::policy::Permitted;
use crate::record::Record;
use crate::relay::Errand;
use crate::respond::Refusal;
use crate::translate::Outbound;

impl Gateway {
    /// What answers a call, for as long as nobody revokes its server. `None`: the host took it back meanwhile.
    pub(super) async fn reply_while_open(
        &self,
        errand: &mut Errand,
        outbound: Permitted<Outbound>,
        record: &mut Record,
    ) -> Result<Option<Reply>, Refusal> {
        let route = Arc::clone(&errand.route);
        let replied = {
            let waits = std::pin::pin!(self.reply(errand, outbound, record));
            self.loader.while_open(&route, waits).await?
        };
        replied.map_err(|error| {
            self.doubt(errand, &error);
            Refusal::Upstream(error)
        })
    }

    /// What answers a call: a copy, or the server. `None`: the host took it back meanwhile.
    async fn reply(
        &self,
        errand: &mut Errand,
        outbound: Permitted<Outbound>,
        record: &mut Record,
    ) -> Result<Option<Reply>, ClientError> {
        let Some(place) = Place::of(outbound.get(), errand) else {
            return self.send(errand, outbound).await;
        };
        let place = match self.copies.turn_of(place, self.limits.probe).await {
            Turn::Copied(copy) => return Ok(Some(served(copy, errand, record))),
            Turn::Asked(place) => Arc::new(place),
        };
        errand.copying = Some(Copying::To(Arc::clone(&place)));
        let reply = self.send(errand, outbound).await;
        let stale = if is_away(&reply) {
            self.copies.stale(&place)
        } else {
            None
        };
        let Some(copy) = stale else { return reply };
        match reply {
            Ok(Some(reply)) => record.upstream_answered(reply.status.as_u16()),
            Err(error) => {
                self.doubt(errand, &error);
                tracing::warn!(route = %errand.route.route.slug, %error, "an older list is served in place of one of the server");
            }
            Ok(None) => {}
        }
        Ok(Some(served(copy, errand, record)))
    }

    /// What a server says unasked: its tools are looked at again, and there are no copies of what it changed.
    pub(crate) fn hears(&self, route: RouteId, method: &str) {
        if method == "notifications/tools/list_changed" {
            self.pins.list_changed(route);
        }
        if let Some(kind) = Kind::told_by(method) {
            self.copies.changed(route, kind);
            self.told.tell(route, kind);
        }
    }

    /// Nobody heard for a while what the server of a route said.
    pub(crate) fn may_have_missed(&self, route: RouteId) {
        for kind in Kind::ALL {
            self.copies.changed(route, kind);
        }
    }

    /// Follows what other nodes hear from servers, until the node stops.
    pub async fn follow_others(&self, stop: watch::Receiver<bool>) {
        self.told.follow(&self.copies, stop).await;
    }
}

/// A copy as a server's reply.
fn served(copy: Copy, errand: &mut Errand, record: &mut Record) -> Reply {
    record.copied();
    let body = ReplyBody::Json(ResponseBody::ready(copy.answer.clone()));
    errand.copying = Some(Copying::From(Arc::new(copy)));
    Reply {
        status: StatusCode::OK,
        session: None,
        retry_after: None,
        body,
    }
}

/// Whether the server could not answer. One that refuses could.
fn is_away(reply: &Result<Option<Reply>, ClientError>) -> bool {
    match reply {
        Ok(Some(reply)) => reply.status.is_server_error(),
        Ok(None) => false,
        Err(ClientError::Status { status, .. }) => *status >= 500,
        Err(ClientError::Net(error)) => matches!(
            error,
            NetError::Resolve { .. }
                | NetError::Connect { .. }
                | NetError::Timeout { .. }
                | NetError::Exchange { .. }
        ),
        Err(ClientError::Timeout(_) | ClientError::Crowded(_)) => true,
        Err(ClientError::Rpc { .. } | ClientError::NotMcp(_) | ClientError::Encoded(_)) => false,
    }
}
