//! The corridor's part in what servers say unasked to hosts that subscribe.

use std::sync::Arc;

use http::Response;
use portreeve_client::ClientError;
use portreeve_core::protocol::Era;
use portreeve_mcp::bridge::{self, Wanted};
use portreeve_mcp::method::Method;
use serde_json::value::RawValue;

use super::Gateway;
use crate::accept::inbound::Call;
use crate::policy::{Passage, Question};
use crate::record::{Record, Stopped, stop};
use crate::relay::{Ends, Errand, Hello, News, Seat, StreamSlot, wishes};
use crate::respond::{self, Body, Refusal};
use crate::session::Session;
use crate::upstream::Way;

impl Gateway {
    /// Whether a modern host's subscription hears from the tap of its caller: always in front of a legacy server, and in
    /// front of a modern one where it asks for nothing but what everybody knows. The rest goes its own way to the server.
    pub(super) fn shares_tap(call: &Call, errand: &Errand) -> bool {
        call.method == Method::Listen
            && (errand.era != errand.hop
                || matches!(errand.route.upstream, Way::Remote(_)) && Wanted::is_all_of(&call.body))
    }

    /// Subscribes a modern host.
    pub(super) async fn subscribe(
        self: &Arc<Self>,
        call: &Call,
        mut errand: Errand,
        mut record: Record,
    ) -> Result<Response<Body>, Stopped> {
        let id = call.id.clone();
        let begun = self.begin_subscription(call, &errand, &mut record).await;
        let (slot, seat) = match begun {
            Ok(begun) => begun,
            Err(refusal) => return Err(stop(refusal.about(&id), record)),
        };
        if let Err(refusal) = record.journal(200) {
            return Err(stop(refusal, record));
        }
        let ends = Ends {
            stopping: Some(self.stopping()),
            replaced: None,
        };
        // What changes for the caller without the server is told here.
        let tools = errand
            .wanted
            .as_ref()
            .is_some_and(|asked| asked.tools_list_changed);
        let promised = Wanted {
            tools_list_changed: seat.wanted().tools_list_changed || tools,
            ..seat.wanted().clone()
        };
        let first = vec![promised.acknowledgement(&id)];
        errand.wanted = Some(Arc::new(promised));
        let news = News::new((errand, record, slot, ends), seat, first);
        Ok(respond::events(news.into_body()))
    }

    async fn begin_subscription(
        self: &Arc<Self>,
        call: &Call,
        errand: &Errand,
        record: &mut Record,
    ) -> Result<(StreamSlot, Seat), Refusal> {
        let mut wanted = Wanted::read(&call.body).ok_or_else(|| Refusal::InvalidParams {
            id: None,
            reason: "`notifications` must say what the host wants to be told".to_owned(),
        })?;
        if wanted.resource_subscriptions.len() > self.limits.requests_per_session {
            return Err(Refusal::TooManyRequests);
        }
        let slot = self.streams.open(errand.caller.principal)?;
        if !wanted.resource_subscriptions.is_empty() && !self.may_read(errand, record).await {
            wanted.resource_subscriptions.clear();
        }
        let hello = || {
            let told = bridge::told(&call.body);
            let declared = told.capabilities.as_deref().unwrap_or("{}");
            let capabilities = match errand.hop {
                Era::Legacy => bridge::declared_to_legacy(declared, false),
                Era::Modern => declared.to_owned(),
            };
            Hello {
                capabilities,
                info: told.client,
            }
        };
        let seat = self.taps.sit(errand, wanted, hello).await;
        let seat = seat.map_err(|error| self.not_reached(errand, error))?;
        Ok(match errand.hop {
            Era::Legacy => (slot, seat),
            Era::Modern => (slot, seat.promised().await),
        })
    }

    fn not_reached(&self, errand: &Errand, error: ClientError) -> Refusal {
        self.doubt(errand, &error);
        Refusal::Upstream(error)
    }

    /// Whether the caller may be told of single resources.
    async fn may_read(&self, errand: &Errand, record: &mut Record) -> bool {
        let question = Question::of(&errand.caller, &errand.route, errand.hop, Method::Subscribe);
        let passage = self.policies.before(&question, (), record).await;
        matches!(passage, Ok(Passage::Permitted(_)))
    }

    /// A place for the stream of a session, if there may be one.
    pub(crate) fn admit_stream(&self, session: &Session, errand: &Errand) -> Result<StreamSlot, Refusal> {
        if session.stranger {
            return Err(Refusal::MethodNotAllowed);
        }
        if !self.policies.admit(&errand.caller, &errand.route) {
            // What was granted when the session was opened is granted no more.
            return Err(Refusal::SessionUnknown);
        }
        self.streams.open(errand.caller.principal)
    }

    /// Opens the stream of a legacy host's session in front of a modern server.
    pub(super) async fn listen_to_modern(
        self: &Arc<Self>,
        session: Arc<Session>,
        errand: Errand,
        mut record: Record,
    ) -> Result<Response<Body>, Stopped> {
        let slot = match self.admit_stream(&session, &errand) {
            Ok(slot) => slot,
            Err(refusal) => return Err(stop(refusal, record)),
        };
        let changes = self.under_way.wishes.of(&session.id);
        let hello = || {
            let declared = session.client_capabilities();
            let info = session.client_info();
            Hello {
                capabilities: bridge::declared_to_modern(declared.as_deref().map_or("{}", RawValue::get)),
                info: info.as_deref().map(|info| info.get().to_owned()),
            }
        };
        let seat = match self.taps.sit(&errand, wishes(&session), hello).await {
            Ok(seat) => seat,
            Err(error) => return Err(stop(Refusal::Upstream(error), record)),
        };
        if seat.is_silent() {
            return Err(stop(Refusal::MethodNotAllowed, record));
        }
        if let Err(refusal) = record.journal(200) {
            return Err(stop(refusal, record));
        }
        let ends = Ends {
            stopping: Some(self.stopping()),
            replaced: Some(session.take_stream()),
        };
        let news = News::new((errand, record, slot, ends), seat, Vec::new()).heeding(changes);
        Ok(respond::events(news.into_body()))
    }
}
