//! The face for hosts of 2024-11-05: a host opens one stream (`/s/{route}/sse`), is told where to send its messages
//! (`/s/{route}/messages`), and reads every answer on the stream.
//!
//! What is sent passes the same corridor as a request to `/mcp`: same caller, same policies, same record. Only the way
//! back differs: the request is answered 202 at once, and what the corridor says goes onto the stream. Behind a stream
//! lies a legacy session like any other, which begins with `initialize` and ends with the stream.

mod delivery;
mod feed;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::{HeaderValue, Response};
use portreeve_core::caller::{Caller, Principal};
use portreeve_core::id::RouteId;
use portreeve_core::name::Slug;
use portreeve_mcp::header;
use tokio::sync::{Semaphore, mpsc, watch};

use crate::accept::head::Head;
use crate::accept::inbound::Inbound;
use crate::record::{Record, Stopped, stop};
use crate::relay::Errand;
use crate::respond::{self, Body, Refusal};
use crate::route::ServedRoute;
use crate::session::Session;

/// Messages that wait for a host to read them. Each may be large, so there are few; who has more to say waits.
const WAITING: usize = 8;

/// The hosts of a node that read a stream.
#[derive(Debug, Default)]
pub struct Hosts(Mutex<HashMap<String, Arc<Host>>>);

/// One of them.
#[derive(Debug)]
pub struct Host {
    /// Names the stream in the URL for messages. Unguessable, and worth nothing without the caller's credential.
    id: String,
    principal: Principal,
    route: RouteId,
    stream: mpsc::Sender<Bytes>,
    /// The session behind it, once the server agreed to one.
    session: Mutex<Option<Arc<Session>>>,
    /// Room for messages under way.
    room: Arc<Semaphore>,
    /// How many there may be.
    rooms: u32,
    over: watch::Sender<bool>,
}

/// What a host sent, as the corridor read it.
#[derive(Debug)]
pub struct Message {
    /// The request's head.
    pub head: Head,
    /// What is asked for.
    pub inbound: Inbound,
    /// What an answer belongs to.
    pub errand: Errand,
}

/// The path of a route's endpoint for HTTP+SSE hosts; Portreeve's own route has none.
pub fn path(slug: &Slug) -> Option<String> {
    slug.path()
        .strip_suffix("/mcp")
        .filter(|rest| !rest.is_empty())
        .map(|rest| format!("{rest}/sse"))
}

/// Opens a host's stream. Its first event says where messages go: a path, on the origin that the host already knows.
///
/// # Errors
///
/// When the caller or the node has too many streams, or the opening cannot be written down.
pub fn open(errand: Errand, mut record: Record) -> Result<Response<Body>, Stopped> {
    let gateway = Arc::clone(&errand.gateway);
    let slot = match gateway.streams.open(errand.caller.principal) {
        Ok(slot) => slot,
        Err(refusal) => return Err(stop(refusal, record)),
    };
    if let Err(refusal) = record.journal(200) {
        return Err(stop(refusal, record));
    }
    let mut random = [0_u8; 32];
    gateway.sinks.rng.fill(&mut random);
    let (stream, events) = mpsc::channel(WAITING);
    let rooms = gateway.limits.requests_per_session;
    let host = Arc::new(Host {
        id: URL_SAFE_NO_PAD.encode(random),
        principal: errand.caller.principal,
        route: errand.route.route.id,
        stream,
        session: Mutex::default(),
        room: Arc::new(Semaphore::new(rooms)),
        rooms: u32::try_from(rooms).unwrap_or(u32::MAX),
        over: watch::Sender::new(false),
    });
    gateway.hosts.lock().insert(host.id.clone(), Arc::clone(&host));
    Ok(respond::events(feed::body(feed::Parts {
        host,
        events,
        errand,
        record,
        slot,
    })))
}

// === impl Hosts ===

impl Hosts {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, Arc<Host>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The host that a message names. Unknown, gone, on another route or somebody else's is all the same. The session
    /// behind the stream takes the place of whatever session the head names.
    ///
    /// # Errors
    ///
    /// When there is none, or its session is over.
    pub fn find(&self, head: &mut Head, caller: &Caller, route: &ServedRoute) -> Result<Arc<Host>, Refusal> {
        let id = head.stream.as_deref().ok_or(Refusal::StreamMissing)?;
        let host = self
            .lock()
            .get(id)
            .filter(|host| host.principal == caller.principal && host.route == route.route.id)
            .cloned()
            .ok_or(Refusal::SessionUnknown)?;
        head.headers.remove(header::SESSION_ID);
        let session = host.lock().as_ref().map(|session| session.id.clone());
        if let Some(Ok(value)) = session.map(|id| HeaderValue::from_str(&id)) {
            head.headers.insert(header::SESSION_ID, value);
        }
        Ok(host)
    }

    fn remove(&self, host: &Host) {
        self.lock().remove(&host.id);
    }
}

// === impl Host ===

impl Host {
    fn lock(&self) -> MutexGuard<'_, Option<Arc<Session>>> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a message, and lets it go its way; what comes of it goes onto the stream.
    ///
    /// # Errors
    ///
    /// When too many messages are under way.
    pub fn take(self: Arc<Self>, message: Message, record: Record) -> Result<Response<Body>, Stopped> {
        let Ok(room) = Arc::clone(&self.room).try_acquire_owned() else {
            return Err(stop(Refusal::TooManyRequests, record));
        };
        tokio::spawn(async move {
            delivery::see_through(&self, message, record).await;
            drop(room);
        });
        Ok(respond::accepted())
    }

    /// Ends the stream: the host must begin anew.
    fn end(&self) {
        self.over.send_replace(true);
    }

    /// Whether nothing is under way any more. For a node that stops.
    async fn rests(&self) {
        // Never closed, so it is always granted in the end.
        let _ = self.room.acquire_many(self.rooms).await;
    }
}
