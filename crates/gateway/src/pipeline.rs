//! The corridor: calls the rooms in their order. The record is opened first, so every refusal is in it.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderName, Request, Response};
use portreeve_access::Access;
use portreeve_client::Lines;
use portreeve_core::caller::PeerAddress;
use portreeve_core::id::EventId;
use portreeve_core::limits::Limits;
use portreeve_core::name::Slug;
use portreeve_core::ports::{Authorizer, PinWatch};
use portreeve_core::protocol::Era;
use portreeve_core::usage::UsageOutcome;
use portreeve_mcp::envelope::InvalidMessage;
use portreeve_mcp::method::Method;
use portreeve_net::Egress;
use tokio::sync::watch;
use url::Url;

use crate::accept::body::{Places, body};
use crate::accept::head::{self, Door, Head, Origins};
use crate::accept::inbound::{Call, Inbound, Note};
use crate::authenticate::{self, Identified};
use crate::batch::{self, Batch};
use crate::console::{KnownCaller, Runs};
use crate::http_sse::{self, Hosts};
use crate::lists::{Copies, ReadyLists, Told};
use crate::policy::{Allowed, Passage, Policies, Question};
use crate::record::{Record, Sinks, Stopped, stop};
use crate::relay::{Errand, Park, Streams, Taps, UnderWayHere};
use crate::respond::{self, Body, Refusal};
use crate::session::Sessions;
use crate::snapshot::Loader;
use crate::tasks::Tasks;
use crate::translate::States;
use crate::translate::trace::Context;
use crate::upstream::pool::Pool;
use crate::upstream::rest::{Commons, Secrets};
use crate::{listen, relay, translate, upstream};

mod bridged;
mod copies;
mod errands;
mod held;
mod news;
mod parked;
mod parts;
mod resource;
mod sessions;
mod tasks;

pub use self::parts::GatewayParts;
pub use self::resource::Endpoint;

/// The request's identity, as the audit log knows it.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The gateway of one node. A clone shares everything.
#[derive(Clone)]
pub struct Gateway {
    pub(crate) loader: Arc<Loader>,
    pub(crate) access: Arc<Access>,
    pub(crate) policies: Policies,
    pub(crate) egress: Egress,
    pub(crate) pins: Arc<dyn PinWatch>,
    pub(crate) sinks: Arc<Sinks>,
    pub(crate) sessions: Arc<Sessions>,
    pub(crate) streams: Arc<Streams>,
    pub(crate) taps: Arc<Taps>,
    pub(crate) pool: Arc<Pool>,
    pub(crate) under_way: Arc<UnderWayHere>,
    pub(crate) park: Arc<Park>,
    pub(crate) states: Arc<States>,
    pub(crate) hosts: Arc<Hosts>,
    pub(crate) ready: Arc<ReadyLists>,
    pub(crate) copies: Arc<Copies>,
    told: Arc<Told>,
    pub(crate) tasks: Arc<Tasks>,
    pub(crate) runs: Arc<Runs>,
    pub(crate) limits: Arc<Limits>,
    origins: Origins,
    pub(crate) public_url: Url,
    stopping: watch::Receiver<bool>,
}

impl std::fmt::Debug for Gateway {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Gateway")
    }
}

impl Gateway {
    /// A gateway.
    pub fn new(parts: GatewayParts, pins: Arc<dyn PinWatch>) -> Self {
        let (clock, rng) = (Arc::clone(&parts.sinks.clock), Arc::clone(&parts.sinks.rng));
        parts.loader.serve_rest(Commons::new(
            Arc::clone(&parts.limits),
            Arc::clone(&rng),
            parts.sinks.metrics.clone(),
            Arc::new(Secrets::new(parts.vault)),
        ));
        let life = parts.limits.request_state;
        let states = States::new(
            Arc::clone(&parts.sealer),
            Arc::clone(&clock),
            Arc::clone(&rng),
            life,
        );
        let pool = Pool::new(Arc::clone(&clock), Arc::clone(&parts.limits));
        let lines = Lines::new(Arc::clone(&rng), &parts.limits);
        parts.loader.serve_lines(lines);
        let under_way = Arc::new(UnderWayHere {
            questions: Arc::default(),
            exchanges: Arc::default(),
            wishes: Arc::default(),
        });
        parts
            .sessions
            .hand_to(Arc::clone(&under_way) as Arc<dyn crate::session::Here>);
        let waiting = parts.sinks.metrics.parked.clone();
        let node = parts.sessions.node();
        let park = Park::new(node, Arc::clone(&rng), Arc::clone(&parts.limits), waiting);
        let copies = Copies::new(Arc::clone(&parts.limits), parts.sinks.metrics.clone());
        let told = Told::new(parts.loader.signals(), EventId::new(&*clock, &*rng).to_string());
        let streams = Streams::new(Arc::clone(&parts.limits), parts.sinks.metrics.streams.clone());
        Self {
            loader: parts.loader,
            policies: Policies::new(Arc::clone(&parts.access) as Arc<dyn Authorizer>),
            access: parts.access,
            egress: parts.egress,
            pins,
            sinks: Arc::new(parts.sinks),
            tasks: Arc::new(Tasks::new(parts.sealer, Arc::clone(&rng))),
            sessions: parts.sessions,
            streams,
            taps: Arc::default(),
            pool: Arc::new(pool),
            under_way,
            park,
            states: Arc::new(states),
            hosts: Arc::default(),
            ready: Arc::new(ReadyLists::new(parts.limits.ready_list_bytes)),
            copies: Arc::new(copies),
            told: Arc::new(told),
            runs: Arc::default(),
            limits: parts.limits,
            origins: parts.origins,
            public_url: parts.public_url,
            stopping: parts.stopping,
        }
    }

    /// The same gateway for a thread with a runtime of its own: connections to servers live where they were opened, and
    /// stay there.
    #[must_use]
    pub fn with_own_connections(&self) -> Self {
        Self {
            egress: self.egress.with_own_connections(),
            ..self.clone()
        }
    }

    /// Whether a request names one of our hosts: the rule against DNS rebinding, for every path of the listener.
    pub fn admits_target<B>(&self, request: &Request<B>) -> bool {
        self.origins.admits_target(request.uri(), request.headers())
    }

    /// Whether a request's head is within its bounds.
    pub fn admits_head<B>(&self, request: &Request<B>) -> bool {
        head::fits(request.method(), request.uri(), request.headers(), &self.limits)
    }

    /// Whether a path is for [`Gateway::handle`]. What is said about a route, its card, is not.
    pub fn serves(path: &str) -> bool {
        const CARD: &str = "/server-card";
        let described = path
            .strip_suffix(CARD)
            .is_some_and(|place| Slug::in_path(place).is_some());
        !described && (path.starts_with("/s/") || Slug::in_path(path).is_some())
    }

    /// Serves one request to the MCP endpoint of a route.
    pub async fn handle<B>(self: &Arc<Self>, request: Request<B>) -> Response<Body>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let record = Record::open(&self.sinks);
        let request_id = record.request_id().to_owned();
        let origin = request.headers().get(http::header::ORIGIN).cloned();
        let asked = request.headers().get("access-control-request-headers").cloned();
        let uri = request.uri().clone();
        let mut response = match self.walk(request, record).await {
            Ok(response) => response,
            Err(stopped) => {
                let (refusal, record) = *stopped;
                self.refuse(&refusal, record, uri.path())
            }
        };
        if let Some(origin) =
            origin.filter(|origin| origin.to_str().is_ok_and(|text| self.origins.admits_origin(text)))
        {
            respond::allow_origin(response.headers_mut(), &origin, asked.as_ref());
        }
        respond::put(response.headers_mut(), REQUEST_ID, &request_id);
        response
    }

    async fn walk<B>(
        self: &Arc<Self>,
        request: Request<B>,
        mut record: Record,
    ) -> Result<Response<Body>, Stopped>
    where
        B: http_body::Body<Data = Bytes>,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        macro_rules! step {
            ($step:expr) => {
                match $step {
                    Ok(value) => value,
                    Err(refusal) => return Err(stop(refusal, record)),
                }
            };
        }
        let (mut parts, request_body) = request.into_parts();
        let known = parts.extensions.remove::<KnownCaller>();
        let allowed_above = parts.extensions.remove::<Arc<Allowed>>();
        let from = parts.extensions.get::<PeerAddress>().map(|peer| peer.0);
        let mut head = step!(head::head(parts, &self.origins, &self.limits));
        let route = step!(self.loader.find(&head.slug).ok_or(Refusal::NoSuchRoute));
        if self.loader.lists(&route) {
            record.on(&route);
        }
        let who = match known {
            Some(KnownCaller(caller)) => Identified {
                caller,
                allowed_above,
                from,
            },
            None => {
                let resource = route.resource(|slug| self.resource_uri(slug));
                let who = authenticate::caller(&head, &route, (&self.access, resource)).await;
                Identified { from, ..step!(who) }
            }
        };
        record.by(&who.caller);
        step!(authenticate::admitted(&who, &route));
        step!(self.loader.require_open(&route));
        let places = Places {
            route: &route,
            sessions: &self.sessions,
            limits: &self.limits,
        };
        let host = match head.door {
            Door::Messages => Some(step!(self.hosts.find(&mut head, &who.caller, &route))),
            Door::Mcp | Door::Stream => None,
        };
        step!(self.bring_session(&head, &who.caller, &route).await);
        let (inbound, size) = step!(body(&head, request_body, &who, &places).await);
        if let Inbound::Batch(parts) = inbound {
            let batch = Batch {
                head,
                route,
                who,
                parts,
            };
            return batch::answer(self, batch, record).await;
        }
        let trace = Context::of_host(&head, &inbound);
        record.asks(&inbound, size, trace.map(Context::into_text));
        let errand = self.errand(&route, &who, &inbound);
        match host {
            Some(host) => host.take(
                http_sse::Message {
                    head,
                    inbound,
                    errand,
                },
                record,
            ),
            None => self.proceed(&head, inbound, errand, record).await,
        }
    }

    /// The rest of the way, once it is known what is asked for.
    pub(crate) async fn proceed(
        self: &Arc<Self>,
        head: &Head,
        inbound: Inbound,
        mut errand: Errand,
        mut record: Record,
    ) -> Result<Response<Body>, Stopped> {
        if let Some(refusal) = self.outlived(&mut errand).await {
            return Err(stop(refusal, record));
        }
        match inbound {
            Inbound::Call(call) => self.call(head, call, errand, record).await,
            Inbound::Note(note) => self.note(head, note, &errand, record).await,
            Inbound::Listen(session) if errand.hop == Era::Modern => {
                self.listen_to_modern(session, errand, record).await
            }
            Inbound::Listen(session) => listen::open(head, session, errand, record).await,
            Inbound::Connect => http_sse::open(errand, record),
            // None within another.
            Inbound::Batch(_) => Err(stop(Refusal::Message(InvalidMessage::Batch), record)),
            Inbound::End(session) => listen::end(&session, &errand, &mut record)
                .await
                .map_err(|refusal| stop(refusal, record)),
        }
    }

    async fn call(
        self: &Arc<Self>,
        head: &Head,
        mut call: Call,
        mut errand: Errand,
        mut record: Record,
    ) -> Result<Response<Body>, Stopped> {
        let id = call.id.clone();
        let echo = |refusal: Refusal| refusal.about(&id);
        if let Err(refusal) = self.look_for_tasks(&mut call, &mut errand, &mut record) {
            return Err(stop(refusal, record));
        }
        let made_by = errand.tasks.as_ref().and_then(|tasks| tasks.tool());
        let target = made_by.map(str::to_owned).or_else(|| call.target.clone());
        let hello = (call.method == Method::Initialize).then(|| call.body.clone());
        // The policies take the call, and look into it.
        let (body, arguments) = (call.body.clone(), call.arguments.clone());
        let asks = !errand.route.policies.is_empty();
        let goes_on = asks.then(|| translate::goes_on(&call, &errand)).flatten();
        let question = Question {
            target: target.as_deref(),
            arguments: arguments.and_then(|place| body.get(place)),
            goes_on: goes_on.as_deref(),
            is_back: asks && call.is_back(),
            allowed_above: errand.allowed.as_deref(),
            ..Question::of(&errand.caller, &errand.route, errand.hop, call.method)
        };
        let check = |call: &Call| errand.admits(head, call);
        let mut allowed = None;
        let passage = self
            .policies
            .before_checked(&question, (call, check), (&mut record, &mut allowed))
            .await;
        let permitted = match passage {
            Ok(Passage::Permitted(permitted)) => permitted,
            Ok(Passage::Stranger(call)) => return self.as_stranger(&call, &errand, record).await,
            Err(refusal) => {
                record.refused(&refusal);
                return match held::held(&refusal) {
                    Some(held) => Self::hold(held, (&body, &id), &errand, record),
                    None => Err(stop(echo(refusal), record)),
                };
            }
        };
        errand.allowed = allowed.map(Arc::new);
        let permitted = match translate::without_our_question(permitted) {
            Ok(permitted) => permitted,
            Err(refusal) => return Err(stop(echo(refusal), record)),
        };
        errand.looks_into(permitted.get());
        if Self::shares_tap(permitted.get(), &errand) {
            return self.subscribe(permitted.get(), errand, record).await;
        }
        if parked::comes_back(permitted.get(), &errand) {
            return self.go_on(permitted.get(), errand, record).await;
        }
        if let Some(turned) = self.here(permitted.get(), &errand).await {
            return Self::answer_here(turned, permitted.get(), record);
        }
        let counted = self.count_greeting(hello.is_some(), &errand).await;
        let outbound = match counted.and_then(|()| translate::call(permitted, head, &errand)) {
            Ok(outbound) => outbound,
            Err(refusal) => return Err(stop(echo(refusal), record)),
        };
        let outbound = outbound.turn(|outbound| outbound.in_a_span(&*self.sinks.rng).allowed(&errand));
        errand.under_way = outbound.get().under_way.clone();
        errand.crossing = outbound.get().crossing.clone();
        let reply = match self.reply_while_open(&mut errand, outbound, &mut record).await {
            Ok(Some(reply)) => reply,
            Ok(None) => return Self::silence(record),
            Err(refusal) => return Err(stop(echo(refusal), record)),
        };
        let opened = match self.begin_session(&mut errand, &reply, hello) {
            Ok(opened) => opened,
            Err(refusal) => return Err(stop(echo(refusal), record)),
        };
        let answered = relay::answer(reply, errand, record).await;
        match opened {
            Some(session) => self.hand_over(&session, answered),
            None => answered,
        }
    }

    /// Passes on what wants no answer. Whatever becomes of it, the host gets 202.
    async fn note(
        &self,
        head: &Head,
        note: Note,
        errand: &Errand,
        mut record: Record,
    ) -> Result<Response<Body>, Stopped> {
        let question = Question::of(&errand.caller, &errand.route, errand.hop, Method::Ping);
        let stranger = errand.session.as_ref().is_some_and(|session| session.stranger);
        let passage = match self.policies.before(&question, note, &mut record).await {
            Ok(passage) => passage,
            Err(refusal) => return Err(stop(refusal, record)),
        };
        match passage {
            Passage::Permitted(permitted) if errand.era != errand.hop => {
                self.note_here(permitted.get(), errand);
            }
            Passage::Permitted(permitted) if !stranger => {
                sessions::learn_question(permitted.get()).await;
                let outbound = match translate::note(permitted, head) {
                    Ok(outbound) => outbound,
                    Err(refusal) => return Err(stop(refusal, record)),
                };
                if let Some(outbound) = outbound {
                    let outbound = outbound.turn(|outbound| outbound.in_a_span(&*self.sinks.rng));
                    match upstream::send(&errand.gateway, &errand.route, &errand.caller, outbound).await {
                        Ok(reply) => record.upstream_answered(reply.status.as_u16()),
                        Err(error) => return Err(stop(Refusal::Upstream(error), record)),
                    }
                }
            }
            _ => record.stranger(),
        }
        record.ended(UsageOutcome::Ok);
        match record.journal(202) {
            Ok(()) => Ok(respond::accepted()),
            Err(refusal) => Err(stop(refusal, record)),
        }
    }

    /// Turns true when the node stops.
    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.stopping.clone()
    }

    /// Ends streams whose hosts take nothing of what waits for them.
    pub fn cut_stalled_streams(&self) {
        let cut = self.streams.cut_stalled();
        if cut > 0 {
            tracing::info!(cut, "streams were ended whose hosts did not read them");
        }
    }
}
