//! The corridor's part in what servers of the other era say unasked.

use std::sync::Arc;
use std::time::Duration;

use http::Response;
use portreeve_client::ClientError;
use portreeve_mcp::bridge::{self, Wanted};
use portreeve_mcp::method::Method;

use super::Gateway;
use crate::accept::inbound::Call;
use crate::policy::{Passage, Question};
use crate::record::{Record, Stopped, stop};
use crate::relay::{Ends, Errand, News, Source, StreamSlot};
use crate::respond::{self, Body, Refusal};
use crate::session::Session;
use crate::upstream::OwnSession;

/// How long a server may take before a subscription begins without it. Some send the head of a stream with its first event.
const PATIENCE: Duration = Duration::from_secs(2);

impl Gateway {
    /// Subscribes a modern host to a legacy server.
    pub(super) async fn subscribe_to_legacy(
        self: &Arc<Self>,
        call: &Call,
        mut errand: Errand,
        mut record: Record,
    ) -> Result<Response<Body>, Stopped> {
        let id = call.id.clone();
        let begun = self.begin_subscription(call, &errand, &mut record).await;
        let (slot, own, wanted, open) = match begun {
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
            tools_list_changed: wanted.tools_list_changed || tools,
            ..wanted.clone()
        };
        let first = vec![promised.acknowledgement(&id)];
        errand.wanted = Some(Arc::new(promised));
        let source = Source::Legacy {
            own: Arc::new(own),
            wanted,
        };
        let news = News::new((errand, record, slot, ends), source, open, first);
        Ok(respond::events(news.into_body()))
    }

    async fn begin_subscription(
        self: &Arc<Self>,
        call: &Call,
        errand: &Errand,
        record: &mut Record,
    ) -> Result<
        (
            StreamSlot,
            OwnSession,
            Wanted,
            Option<portreeve_net::ResponseBody>,
        ),
        Refusal,
    > {
        let mut wanted = Wanted::read(&call.body).ok_or_else(|| Refusal::InvalidParams {
            id: None,
            reason: "`notifications` must say what the host wants to be told".to_owned(),
        })?;
        if wanted.resource_subscriptions.len() > self.limits.requests_per_session {
            return Err(Refusal::TooManyRequests);
        }
        let slot = self.streams.open(errand.caller.principal)?;
        let told = bridge::told(&call.body);
        let declared = told.capabilities.as_deref().unwrap_or("{}");
        let hello = (bridge::declared_to_legacy(declared, false), told.client);
        let own = OwnSession::open(&self.egress, &errand.route, &self.pool, hello)
            .await
            .map_err(|error| self.not_reached(errand, error))?;
        wanted = wanted.told_by(&own.initialized());
        if !wanted.resource_subscriptions.is_empty() && !self.may_read(errand, record).await {
            wanted.resource_subscriptions.clear();
        }
        let subscribing = own.subscribe(&wanted.resource_subscriptions);
        let agreed = tokio::time::timeout(self.limits.probe, subscribing).await;
        wanted.resource_subscriptions = agreed.unwrap_or_default();
        let stream = tokio::time::timeout(PATIENCE, own.listen(&wanted.resource_subscriptions)).await;
        let open = match stream {
            // It may still come: the subscription asks again.
            Err(_) => None,
            Ok(Ok(reply)) => match News::stream_of(reply) {
                Some(body) => Some(body),
                None => {
                    // A server without such streams tells nothing.
                    wanted = Wanted::default();
                    None
                }
            },
            Ok(Err(error)) => return Err(self.not_reached(errand, error)),
        };
        Ok((slot, own, wanted, open))
    }

    fn not_reached(&self, errand: &Errand, error: ClientError) -> Refusal {
        self.doubt(errand, &error);
        Refusal::Upstream(error)
    }

    /// Whether the caller may be told of single resources.
    async fn may_read(&self, errand: &Errand, record: &mut Record) -> bool {
        let question = Question {
            caller: &errand.caller,
            route: &errand.route,
            era: errand.hop,
            method: Method::Subscribe,
            target: None,
        };
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
        let source = Source::Modern {
            session: Arc::clone(&session),
            changes,
        };
        let reply = match tokio::time::timeout(PATIENCE, News::subscribe(&errand, &session)).await {
            Ok(Ok(reply)) => reply,
            Ok(Err(error)) => return Err(stop(Refusal::Upstream(error), record)),
            Err(_) => {
                return Err(stop(
                    Refusal::Upstream(ClientError::Timeout(PATIENCE.as_secs())),
                    record,
                ));
            }
        };
        record.upstream_answered(reply.status.as_u16());
        let Some(body) = News::stream_of(reply) else {
            // It has no subscriptions, so it says nothing unasked.
            return Err(stop(Refusal::MethodNotAllowed, record));
        };
        if let Err(refusal) = record.journal(200) {
            return Err(stop(refusal, record));
        }
        let ends = Ends {
            stopping: Some(self.stopping()),
            replaced: Some(session.take_stream()),
        };
        let news = News::new((errand, record, slot, ends), source, Some(body), Vec::new());
        Ok(respond::events(news.into_body()))
    }
}
