//! The corridor's part where host and server are of different eras: what is answered here, and how the rest is sent.

use std::sync::Arc;
use std::time::Duration;

use http::{Response, StatusCode};
use http_body_util::{BodyExt as _, Empty};
use portreeve_client::{ClientError, Reply};
use portreeve_core::protocol::Era;
use portreeve_core::usage::UsageOutcome;
use portreeve_mcp::method::Method;
use portreeve_mcp::{answer, bridge};
use serde::Serialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::Gateway;
use crate::accept::inbound::{Call, Note};
use crate::policy::Permitted;
use crate::record::{Record, Stopped, stop};
use crate::relay::{self, Errand, Turned, UnderWayHere};
use crate::respond::{self, Body, Refusal};
use crate::translate::{Crossing, Outbound};
use crate::upstream::{self, Sending};

/// How long a server may take to hear that a session is over.
const FAREWELL: Duration = Duration::from_secs(5);

/// What is told of a call that is taken back.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct TakenBack<'a> {
    request_id: &'a RawValue,
}

impl Gateway {
    /// What a server of the other era cannot be asked, and needs not be.
    pub(super) async fn here(&self, call: &Call, errand: &Errand) -> Option<Result<Turned, Refusal>> {
        let done = || Ok(Turned::ending(answer::result(&call.id, json!({}))));
        match (call.era, errand.hop, call.method) {
            (Era::Legacy, Era::Modern, Method::Ping) => Some(done()),
            (Era::Legacy, Era::Modern, Method::SetLevel) => {
                let Some(level) = bridge::wanted_level(&call.body) else {
                    return Some(Err(Refusal::InvalidParams {
                        id: None,
                        reason: "`level` is not one of the levels of RFC 5424".to_owned(),
                    }));
                };
                if let Some(session) = &errand.session
                    && session.set_log_level(level.as_str()).await.is_err()
                {
                    return Some(Err(Refusal::SessionsAway));
                }
                Some(done())
            }
            (Era::Legacy, Era::Modern, Method::Subscribe | Method::Unsubscribe) => Some(
                self.wish(call, errand)
                    .await
                    .map(|()| Turned::ending(answer::result(&call.id, json!({})))),
            ),
            (Era::Modern, Era::Legacy, Method::CallTool) if bridge::declines(&call.body) => {
                let text = "The page that the server wants to be seen first was not opened";
                let result = json!({
                    "resultType": "complete", "content": [{"type": "text", "text": text}], "isError": true,
                });
                Some(Ok(Turned::ending(answer::result(&call.id, result))))
            }
            _ => None,
        }
    }

    /// A resource that a legacy host wants to be told of, or not any more: what its stream brings changes.
    async fn wish(&self, call: &Call, errand: &Errand) -> Result<(), Refusal> {
        let (Some(session), Some(uri)) = (&errand.session, &call.target) else {
            return Err(Refusal::InvalidParams {
                id: None,
                reason: "`uri` is missing".to_owned(),
            });
        };
        let noted = match call.method {
            Method::Unsubscribe => session.unsubscribe(uri).await,
            _ if !session.has_room(uri) => return Err(Refusal::TooManyRequests),
            _ => session.subscribe(uri).await,
        };
        noted.map_err(|_| Refusal::SessionsAway)?;
        self.under_way.wishes.changed(&session.id);
        Ok(())
    }

    /// Answers a call here.
    pub(super) fn answer_here(
        turned: Result<Turned, Refusal>,
        call: &Call,
        record: Record,
    ) -> Result<Response<Body>, Stopped> {
        match turned {
            Ok(turned) => relay::whole(StatusCode::OK, turned, record),
            Err(refusal) => Err(stop(refusal.about(&call.id), record)),
        }
    }

    /// Sends a call the way that its two eras ask for. `None`: the host took it back meanwhile.
    pub(super) async fn send(
        &self,
        errand: &mut Errand,
        outbound: Permitted<Outbound>,
    ) -> Result<Option<Reply>, ClientError> {
        let crossing = errand.crossing.clone();
        match (errand.era, crossing.as_deref()) {
            (Era::Modern, Some(Crossing::ToLegacy(crossing))) => {
                let alike = upstream::alike(&errand.route, errand.caller.principal, crossing);
                let sending = Sending {
                    egress: &self.egress,
                    route: &errand.route,
                    pool: &self.pool,
                    alike,
                };
                let (reply, lease) = sending.send(outbound, crossing).await?;
                errand.lease = Some(Arc::new(lease));
                Ok(Some(reply))
            }
            (Era::Modern, _) => upstream::send(&errand.gateway, &errand.route, &errand.caller, outbound)
                .await
                .map(Some),
            (Era::Legacy, crossing) => {
                if let (Some(_), Some(session), Some(request)) =
                    (crossing, &errand.session, &errand.under_way)
                {
                    errand.exchange = Some(Arc::new(self.under_way.exchanges.open(&session.id, request.id)));
                }
                upstream::send_through(errand, outbound).await
            }
        }
    }

    /// Takes note of what a legacy host tells a modern server: such a server hears of a call that is taken back from the end
    /// of its exchange, and of nothing else. A legacy server hears nothing of what no session could be named for.
    pub(super) fn note_here(&self, note: &Note, errand: &Errand) {
        let Some(session) = &errand.session else { return };
        match (&note.answers, &note.cancels) {
            (Some(question), _) => {
                let is_here = self.under_way.answer(session, question, &note.body);
                let node = UnderWayHere::asker(question).filter(|node| *node != self.sessions.node());
                if !is_here && node.is_some() {
                    self.sessions.hand_over(session, note.body.clone());
                }
            }
            (None, Some((call, _))) => {
                if !self.under_way.take_back(session, call) {
                    let taken_back = TakenBack { request_id: call };
                    let body = answer::request(None, "notifications/cancelled", taken_back);
                    self.sessions.hand_over(session, body.into());
                }
            }
            (None, None) => {}
        }
    }

    /// The end of a call that the host took back: nothing is said of it any more.
    pub(super) fn silence(mut record: Record) -> Result<Response<Body>, Stopped> {
        record.ended(UsageOutcome::Cancelled);
        match record.journal(200) {
            Ok(()) => Ok(respond::events(
                Empty::new().map_err(|never| match never {}).boxed_unsync(),
            )),
            Err(refusal) => Err(stop(refusal, record)),
        }
    }

    /// A server that fails so may have changed its era: then it is looked at again.
    pub(crate) fn doubt(&self, errand: &Errand, error: &ClientError) {
        let is_about_the_era = match error {
            ClientError::Status { status, .. } => matches!(status, 400 | 404 | 405),
            ClientError::Rpc { code, .. } => errand.is_about_the_era(*code),
            _ => false,
        };
        if is_about_the_era && !errand.route.is_local() {
            self.pins.list_changed(errand.route.route.id);
        }
    }

    /// Ends sessions of the pool that nobody used for long. Servers are told one after the other, and nobody waits for that.
    pub(super) fn sweep_pool(&self) {
        let over = self.pool.sweep();
        if over.is_empty() {
            return;
        }
        let (routes, egress) = (self.loader.routes(), self.egress.clone());
        tokio::spawn(async move {
            for (id, session) in over {
                let route = routes.by_slug.values().find(|route| route.route.id == id);
                if let Some(route) = route {
                    let told = upstream::end_pooled(&egress, route, &session);
                    let _ = tokio::time::timeout(FAREWELL, told).await;
                }
            }
        });
    }
}
