//! The upstream's answer on its way to the host: a JSON body held just long enough to put the host's id back, or an
//! event stream passed on read by read.

mod asked;
mod asking;
mod awaited;
mod bounds;
mod changes;
mod copying;
mod crossing;
mod exchanges;
mod first;
mod heard;
mod here;
mod large;
mod listed;
mod news;
mod park;
mod places;
mod questions;
mod rest;
mod resume;
mod standing;
mod stream;
mod tap;
mod turned;
mod wishes;

use std::cell::Cell;
use std::net::IpAddr;
use std::sync::Arc;

use bytes::Bytes;
use http::{Response, StatusCode};
use portreeve_client::{ClientError, Reply, ReplyBody};
use portreeve_core::caller::Caller;
use portreeve_core::ports::Authorizer as _;
use portreeve_core::protocol::Era;
use portreeve_core::usage::UsageOutcome;
use portreeve_mcp::bridge::Wanted;
use portreeve_mcp::envelope::{Message, Outcome};
use portreeve_mcp::method::Method;
use portreeve_mcp::result::Initialized;
use portreeve_mcp::{answer, complete};
use portreeve_net::{ResponseBody, read_body};
use serde_json::value::RawValue;

use self::asked::{Asked, completed, end_of, is_same_id, served_versions};
pub use self::exchanges::{Exchanges, OpenExchange, cancellation};
use self::first::First;
pub(crate) use self::first::greeted;
pub use self::here::UnderWayHere;
use self::listed::listed;
pub use self::news::{News, wishes};
pub use self::park::{Park, Parked, Ticket};
pub use self::places::{StreamSlot, Streams};
pub use self::questions::Questions;
pub use self::standing::Standing;
use self::stream::is_endless;
pub use self::stream::{Begin, Ends, relay};
pub use self::tap::{Hello, Seat, Taps};
pub use self::turned::Turned;
pub use self::wishes::Wishes;
use crate::lists::{self, Copying, Filtered, View};
use crate::pipeline::Gateway;
use crate::policy::Allowed;
use crate::record::{Record, Stopped, stop};
use crate::respond::{self, Body, Refusal};
use crate::route::ServedRoute;
use crate::session::{Session, UnderWay};
use crate::tasks::{InHand, Owner};
use crate::translate::{self, Belonging, Crossing};
use crate::upstream::Lease;

/// What an answer belongs to.
#[derive(Debug, Clone)]
pub struct Errand {
    /// The gateway.
    pub gateway: Arc<Gateway>,
    /// The route.
    pub route: Arc<ServedRoute>,
    /// Who asked.
    pub caller: Caller,
    /// Who has allowed the call, where somebody must: at first above, then here.
    pub allowed: Option<Arc<Allowed>>,
    /// Where the request comes from, where the listener knows.
    pub from: Option<IpAddr>,
    /// The era of the host's hop.
    pub era: Era,
    /// The era of the server's hop.
    pub hop: Era,
    /// What was asked; `None` on the stream of a session.
    pub method: Option<Method>,
    /// The host's id; `None` on the stream of a session.
    pub host_id: Option<Box<RawValue>>,
    /// The legacy session.
    pub session: Option<Arc<Session>>,
    /// The request under our id on the upstream's hop (legacy).
    pub under_way: Option<Arc<UnderWay>>,
    /// How the request came to the server's era, where that is another one.
    pub crossing: Option<Arc<Crossing>>,
    /// The session of the pool that it goes through (modern host, legacy server).
    pub lease: Option<Arc<Lease>>,
    /// What the state of a call in several rounds belongs to (modern host, modern server).
    pub belonging: Option<Arc<Belonging>>,
    /// The exchange with the server (legacy host, modern server).
    pub exchange: Option<Arc<OpenExchange>>,
    /// What it has to do with tasks (modern).
    pub tasks: Option<Arc<InHand>>,
    /// What it has to do with copies of answers.
    pub copying: Option<Copying>,
    /// What a subscription asks for (modern).
    pub wanted: Option<Arc<Wanted>>,
}

/// Turns the upstream's reply to a call into the host's response. Journals before the first byte can leave.
pub async fn answer(reply: Reply, errand: Errand, mut record: Record) -> Result<Response<Body>, Stopped> {
    let status = reply.status;
    if !errand.is_copied() {
        record.upstream_answered(status.as_u16());
    }
    if status == StatusCode::NOT_FOUND
        && errand.crossing.is_none()
        && let Some(session) = &errand.session
    {
        errand.gateway.end_session(session);
        return Err(stop(about(Refusal::SessionUnknown, &errand), record));
    }
    let wait = reply.retry_after;
    let looked = errand.while_open(first::look(status, reply.body, &errand)).await;
    let body = match looked.and_then(|looked| looked.map_err(Refusal::Upstream)) {
        Ok(First::Usual(body)) => body,
        Ok(First::Large(large)) => return large.pass(errand, record),
        Err(refusal) => return Err(stop(about(refusal, &errand), record)),
    };
    match body {
        ReplyBody::Events(body) if status.is_success() && errand.wants_one_document() => {
            listed(body, errand, record).await
        }
        ReplyBody::Events(body) if status.is_success() => events(Begin::Stream(body), errand, record),
        ReplyBody::Json(body) if is_answer(status) => {
            let answered = held(status, body, errand, record).await;
            answered.map(|response| respond::waiting(response, wait))
        }
        _ if status.is_success() => {
            let error = ClientError::NotMcp("neither JSON nor an event stream".to_owned());
            Err(stop(about(Refusal::Upstream(error), &errand), record))
        }
        _ => {
            let error = ClientError::Status {
                status: status.as_u16(),
                reason: None,
            };
            errand.gateway.doubt(&errand, &error);
            Err(stop(about(Refusal::Upstream(error), &errand), record))
        }
    }
}

fn about(refusal: Refusal, errand: &Errand) -> Refusal {
    match &errand.host_id {
        Some(id) => refusal.about(id),
        None => refusal,
    }
}

fn events(begin: Begin, errand: Errand, mut record: Record) -> Result<Response<Body>, Stopped> {
    let slot = match errand.gateway.streams.open(errand.caller.principal) {
        Ok(slot) => slot,
        Err(refusal) => return Err(stop(about(refusal, &errand), record)),
    };
    if let Err(refusal) = record.journal(200) {
        return Err(stop(refusal, record));
    }
    let ends = Ends {
        stopping: errand.is_subscription().then(|| errand.gateway.stopping()),
        replaced: errand.exchange.as_ref().map(|exchange| exchange.cancelled()),
    };
    Ok(respond::events(relay(begin, errand, record, slot, ends)))
}

async fn held(
    status: StatusCode,
    body: ResponseBody,
    errand: Errand,
    record: Record,
) -> Result<Response<Body>, Stopped> {
    let limits = &errand.gateway.limits;
    let reading = read_body(body, limits.held_result_bytes, errand.route.upstream.patience());
    let read = errand.while_open(reading).await;
    let bytes = match read.and_then(|read| read.map_err(|error| Refusal::Upstream(error.into()))) {
        Ok(bytes) => bytes,
        Err(refusal) => return Err(stop(about(refusal, &errand), record)),
    };
    let ready = errand.ready(&bytes).inspect(|_| errand.keep_known(&bytes));
    let turned = match ready.or_else(|| errand.turn(&bytes)) {
        Some(Turned {
            asks: Some(round), ..
        }) => return events(Begin::Round(*round), errand, record),
        Some(turned) if turned.outcome.is_some() => turned,
        _ => {
            let error = ClientError::NotMcp("its JSON is not an answer to this request".to_owned());
            return Err(stop(about(Refusal::Upstream(error), &errand), record));
        }
    };
    errand.look_at_error(status, &bytes);
    let status = errand.status(status, turned.code);
    settled(status, errand.aged(turned), &errand, record).await
}

/// Answers with one document. A session that begins with it is kept before.
async fn settled(
    status: StatusCode,
    turned: Turned,
    errand: &Errand,
    record: Record,
) -> Result<Response<Body>, Stopped> {
    match errand.keep_session().await {
        Ok(()) => whole(status, turned, record),
        Err(refusal) => Err(stop(about(refusal, errand), record)),
    }
}

/// Answers with one document.
pub fn whole(status: StatusCode, turned: Turned, mut record: Record) -> Result<Response<Body>, Stopped> {
    if let Err(refusal) = record.journal(status.as_u16()) {
        return Err(stop(refusal, record));
    }
    record.ended(turned.outcome.unwrap_or(UsageOutcome::Ok));
    record.sent(turned.bytes.len());
    record.close();
    Ok(respond::json(status, turned.bytes))
}

/// Whether JSON with this status is the server's answer to the host. A 401 or 403 is not: passed on, it would send the
/// host to log in with us again, and again.
fn is_answer(status: StatusCode) -> bool {
    let about_us = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN);
    status.is_success() || (status.is_client_error() && !about_us)
}

// === impl Errand ===

impl Errand {
    /// Whether the answer must be held whole, though it comes in a stream.
    fn wants_one_document(&self) -> bool {
        matches!(self.method, Some(Method::ListTools | Method::Initialize))
    }

    /// Whether the answer is a subscription, which ends when the node stops.
    fn is_subscription(&self) -> bool {
        self.method == Some(Method::Listen)
    }

    /// Turns a message of the upstream into what the host gets. `None`: it is not for the host.
    pub fn turn(&self, bytes: &Bytes) -> Option<Turned> {
        let turned = self.turn_message(bytes)?;
        let Some(in_hand) = &self.tasks else {
            return Some(turned);
        };
        let owner = Owner {
            caller: &self.caller,
            route: &self.route,
        };
        let bytes = self.gateway.tasks.turn(in_hand, owner, &turned.bytes)?;
        Some(Turned { bytes, ..turned })
    }

    fn turn_message(&self, bytes: &Bytes) -> Option<Turned> {
        match Message::parse(bytes).ok()? {
            Message::Response { id, outcome } => self.turn_response(bytes, id, outcome),
            Message::Request { id, method, params } => {
                if let Some(question) = self.asked_of_host(&method, params) {
                    return Some(Turned {
                        waits: Some(Box::new((id.to_owned(), question))),
                        ..Turned::by_the_way(Bytes::new())
                    });
                }
                if self.answers_server(&method, id) {
                    return None;
                }
                // A request of the server: its answer comes back in a POST of its own.
                self.session.as_ref()?.note_server_request(id.get());
                Some(Turned::by_the_way(bytes.clone()))
            }
            Message::Notification { method, params } => {
                self.gateway.hears(self.route.route.id, &method);
                let notice = self.cross_notice(&method, params, bytes)?;
                Some(Turned::by_the_way(self.promising(notice)))
            }
        }
    }

    fn turn_response(&self, bytes: &Bytes, id: Option<&RawValue>, outcome: Outcome<'_>) -> Option<Turned> {
        let Asked { method, host_id } = self.asked(id)?;
        if let Some(asks) = self.asks(bytes) {
            return Some(Turned {
                asks: Some(Box::new(asks.ok()?)),
                ..Turned::by_the_way(Bytes::new())
            });
        }
        self.finish();
        let mut end = UsageOutcome::ToolError;
        let mut body = bytes.clone();
        let (mut settled, mut lacking) = (None, None);
        let mut code = None;
        match (outcome, id) {
            (Outcome::Result(result), Some(_)) => {
                end = end_of(method, result);
                if self.era == Era::Modern && self.crossing.is_none() {
                    lacking = complete::lacking(method, result);
                }
                if method == Method::ListTools {
                    // Before the list is judged: rules that change meanwhile must not keep what the older ones gave.
                    let rules = self.rules();
                    let list = self.filter(bytes, result)?;
                    settled = list.is_settled.then_some(rules);
                    body = list.body.into();
                } else {
                    body = self.rewrite_result(method, bytes, result)?;
                }
                body = self.cross_result(method, body)?;
            }
            (Outcome::Result(_), None) => return None,
            (Outcome::Error(_), Some(_)) => (body, code) = self.cross_error(method, body),
            // A server that could not read the request does not know its id.
            (Outcome::Error(error), None) => {
                (body, code) = self.cross_error(method, answer::failure(&host_id, error).into());
            }
        }
        if let Some(lease) = &self.lease {
            lease.answered();
        }
        if let Some(members) = lacking {
            body = completed(&body, &members)?;
        }
        if let Some(id) = id
            && host_id.get() != id.get()
        {
            body = if body.as_ptr() == bytes.as_ptr() {
                translate::to_host(bytes, id, &host_id)?.into()
            } else {
                // It was rewritten, so the id is looked up in what it is now.
                let Message::Response { id: Some(place), .. } = Message::parse(&body).ok()? else {
                    return None;
                };
                translate::to_host(&body, place, &host_id)?.into()
            };
        }
        if let Some(rules) = settled.filter(|_| self.method.is_some()) {
            self.gateway.ready.keep(self.list_key(), rules, bytes, &body);
        }
        self.keep_copy(bytes, outcome);
        Some(Turned {
            bytes: body,
            outcome: Some(end),
            code,
            asks: None,
            waits: None,
        })
    }

    /// The request that a response answers; `None` when it is none of these. On the stream of a request it is that
    /// request; on the stream of a session it is one that the host made and that was not answered yet. What was asked
    /// decides how the answer is turned, so that no list gets around its filter on a stream that is not its own.
    fn asked(&self, id: Option<&RawValue>) -> Option<Asked> {
        let ours = id.map(|id| id.get().parse::<u64>().ok());
        let (Some(method), Some(host_id)) = (self.method, &self.host_id) else {
            let pending = self.session.as_ref()?.finish(ours??)?;
            return Some(Asked {
                method: pending.method,
                host_id: pending.host_id,
            });
        };
        if let Some(own) = self.own_id() {
            if ours.is_some_and(|ours| ours != Some(own)) {
                return None;
            }
        } else if id.is_some_and(|id| !is_same_id(id, host_id)) {
            // The answer to somebody else's request, for all that can be known here.
            return None;
        }
        Some(Asked {
            method,
            host_id: host_id.clone(),
        })
    }

    /// The request is answered.
    fn finish(&self) {
        if let (Some(session), Some(request)) = (&self.session, &self.under_way) {
            session.finish(request.id);
        }
    }

    fn filter(&self, bytes: &Bytes, result: &RawValue) -> Option<Filtered> {
        let view = View {
            caller: &self.caller,
            route: &self.route,
            era: self.hop,
            policies: &self.gateway.policies,
            pins: &*self.gateway.pins,
            limits: &self.gateway.limits,
            is_copy: self.is_copied(),
            told: Cell::new(false),
        };
        lists::filter(bytes, result, &view)
    }

    /// A list that was filtered before. The request it answers is over then.
    fn ready(&self, bytes: &[u8]) -> Option<Turned> {
        let host_id = self
            .host_id
            .as_ref()
            .filter(|_| self.method == Some(Method::ListTools) && !self.route.is_ahead())?;
        let (gateway, key, own) = (&self.gateway, self.list_key(), self.own_id());
        let id = own.map_or_else(|| host_id.get().to_owned(), |own| own.to_string());
        let bytes = gateway
            .ready
            .find(key, self.rules(), bytes, [&id, host_id.get()])?;
        self.finish();
        if let Some(lease) = &self.lease {
            lease.answered();
        }
        Some(Turned {
            bytes,
            outcome: Some(UsageOutcome::Ok),
            code: None,
            asks: None,
            waits: None,
        })
    }

    fn list_key(&self) -> lists::Key {
        lists::Key {
            route: self.route.route.id,
            eras: [self.era, self.hop],
            principal: self.caller.principal,
            groups: lists::groups_of(&self.caller),
        }
    }

    fn rules(&self) -> lists::Rules<'_> {
        lists::Rules {
            route: &self.route,
            version: self.gateway.access.policy_version(),
        }
    }

    fn rewrite_result(&self, method: Method, bytes: &Bytes, result: &RawValue) -> Option<Bytes> {
        if self.crossing.is_some() {
            return Some(bytes.clone());
        }
        let rewritten = match method {
            Method::Discover => served_versions(bytes, result),
            Method::Initialize => {
                if let (Some(session), Ok(initialized)) = (
                    &self.session,
                    serde_json::from_str::<Initialized<'_>>(result.get()),
                ) {
                    session.set_version(&initialized.protocol_version);
                }
                Some(bytes.clone())
            }
            _ => Some(self.seal_state(bytes)),
        };
        rewritten.map(|body| self.narrowed(method, body))
    }
}
