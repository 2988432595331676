//! One line to a server: its stream, where its messages go, who waits for what, and what must be said again after it broke
//! off.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::StatusCode;
use portreeve_mcp::envelope::{Message, Outcome};
use portreeve_mcp::result::Initialized;
use portreeve_mcp::{answer, sse};
use portreeve_net::{Destination, ResponseBody};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::mpsc;
use tokio::task::AbortHandle;

use super::desk::{Course, Desk, Full};
use super::stream::{self, Voice};
use super::{Ask, Bounds, keep};
use crate::error::ClientError;
use crate::exchange::{Reply, ReplyBody};

/// Messages that wait for whoever asked. Each may be large.
const WAITING: usize = 2;
/// The largest handshake that is kept to be said again.
const KEPT_BYTES: usize = 64 * 1024;
/// Requests that are kept to be said again: the level of the log, and subscriptions.
const KEPT: usize = 100;

/// One line.
pub(super) struct Line {
    url: String,
    bounds: Bounds,
    state: Mutex<State>,
    /// One opens it again, and the others wait for that.
    opening: tokio::sync::Mutex<()>,
}

struct State {
    desk: Desk,
    open: Option<Open>,
    /// Counts how often it was opened, so that the end of one stream is not taken for that of the next.
    openings: u64,
    /// Whether the stream that was opened last is still read.
    is_read: bool,
    /// The handshake, to be said again.
    hello: Option<Bytes>,
    /// What was asked for the whole of the session, by what it is about.
    kept: Vec<(String, Bytes)>,
    used: Instant,
}

struct Open {
    way: Way,
    _reading: Reading,
}

/// Where messages go, as one opening of the line said it.
#[derive(Clone)]
struct Way {
    to: Destination,
    opening: u64,
}

/// A stream that is being read; closed when dropped.
struct Reading(AbortHandle);

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A stream just opened, over which nothing was said yet.
struct Opened {
    way: Way,
    reading: Reading,
}

/// A message under way to the server.
struct UnderWay {
    id: Box<str>,
    pieces: mpsc::Receiver<Bytes>,
}

// === impl Line ===

impl Line {
    pub(super) fn new(url: &str, bounds: Bounds) -> Arc<Self> {
        Arc::new(Self {
            url: url.to_owned(),
            bounds,
            state: Mutex::new(State {
                desk: Desk::default(),
                open: None,
                openings: 0,
                is_read: false,
                hello: None,
                kept: Vec::new(),
                used: Instant::now(),
            }),
            opening: tokio::sync::Mutex::default(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn leads_to(&self, url: &str) -> bool {
        self.url == url
    }

    /// How long nobody spoke over it; `None` while somebody waits for something.
    pub(super) fn resting(&self) -> Option<Duration> {
        let state = self.lock();
        state.desk.is_quiet().then(|| state.used.elapsed())
    }

    pub(super) fn rested_for(&self, long: Duration) -> bool {
        self.resting().is_some_and(|rest| rest >= long)
    }

    /// Opens the line for the first time, and says the handshake. `None` where there is no such transport.
    pub(super) async fn begin(
        self: &Arc<Self>,
        ask: &Ask<'_>,
        hello: Bytes,
    ) -> Result<Option<Reply>, ClientError> {
        let Some(opened) = self.connect(ask).await? else {
            return Ok(None);
        };
        let reply = self.say(ask, &opened.way.to, hello.clone()).await?;
        if reply.status.is_success() {
            self.lock().hello = Some(hello).filter(|hello| hello.len() <= KEPT_BYTES);
            self.enter(opened)?;
        }
        Ok(Some(reply))
    }

    async fn connect(self: &Arc<Self>, ask: &Ask<'_>) -> Result<Option<Opened>, ClientError> {
        let Some((to, events)) = stream::open(ask, self.bounds).await? else {
            return Ok(None);
        };
        let opening = {
            let mut state = self.lock();
            state.openings += 1;
            state.is_read = true;
            state.openings
        };
        let voice = Voice {
            upstream: ask.upstream.without_lines(),
            egress: ask.egress.clone(),
            bearer: ask.exchange.bearer.cloned(),
            endpoint: to.clone(),
        };
        let reading = tokio::spawn(stream::read(
            Arc::downgrade(self),
            opening,
            events,
            voice,
            self.bounds,
        ));
        Ok(Some(Opened {
            way: Way { to, opening },
            reading: Reading(reading.abort_handle()),
        }))
    }

    /// From now on messages go over this stream.
    fn enter(&self, opened: Opened) -> Result<(), ClientError> {
        let mut state = self.lock();
        if !state.is_read || state.openings != opened.way.opening {
            return Err(lost());
        }
        state.open = Some(Open {
            way: opened.way,
            _reading: opened.reading,
        });
        Ok(())
    }

    /// A stream ended. What is under way over it gets no answer any more.
    pub(super) fn broke(&self, opening: u64) {
        let mut state = self.lock();
        if state.openings == opening {
            state.is_read = false;
            state.open = None;
            state.desk.close();
        }
    }

    /// Says to everybody who waits that there is no answer.
    pub(super) async fn fail(&self, reason: &str, patience: Duration) {
        let waiting = self.lock().desk.under_way();
        stream::fail(waiting, reason, patience).await;
    }

    pub(super) fn sort(&self, message: &[u8]) -> Course {
        self.lock().desk.sort(message)
    }

    /// Where messages go, after opening the line again if it broke off. `None`: it cannot be, since what was said first is
    /// not known any more.
    async fn ready(self: &Arc<Self>, ask: &Ask<'_>) -> Result<Option<Way>, ClientError> {
        if let Some(way) = self.way() {
            return Ok(Some(way));
        }
        let _one = self.opening.lock().await;
        if let Some(way) = self.way() {
            return Ok(Some(way));
        }
        let Some(hello) = self.lock().hello.clone() else {
            return Ok(None);
        };
        let opened = self.connect(ask).await?.ok_or_else(lost)?;
        self.greet_again(ask, &opened.way.to, hello).await?;
        let way = opened.way.clone();
        self.enter(opened)?;
        Ok(Some(way))
    }

    fn way(&self) -> Option<Way> {
        let mut state = self.lock();
        state.used = Instant::now();
        state.open.as_ref().map(|open| open.way.clone())
    }

    /// The handshake once more, and what was asked of the server for the whole of the session.
    async fn greet_again(&self, ask: &Ask<'_>, to: &Destination, hello: Bytes) -> Result<(), ClientError> {
        let proposed = proposed_version(&hello);
        let answered = self.ask(ask, to, hello).await?;
        let agreed = match Message::parse(&answered) {
            Ok(Message::Response {
                outcome: Outcome::Result(result),
                ..
            }) => serde_json::from_str::<Initialized<'_>>(result.get()).ok(),
            _ => None,
        };
        if agreed.is_none() {
            return Err(ClientError::NotMcp(format!(
                "its stream broke off, and it refuses the handshake{} now",
                proposed
                    .map(|version| format!(" of {version}"))
                    .unwrap_or_default()
            )));
        }
        let initialized = answer::request(None, "notifications/initialized", json!({}));
        stream::settle(self.say(ask, to, initialized.into()).await?).await;
        let kept = self.lock().kept.clone();
        for (_, request) in kept {
            self.ask(ask, to, request).await?;
        }
        Ok(())
    }

    /// Asks for Portreeve itself, and waits for the answer.
    async fn ask(&self, ask: &Ask<'_>, to: &Destination, request: Bytes) -> Result<Bytes, ClientError> {
        let reply = self.say(ask, to, request).await?;
        let (true, ReplyBody::Events(body)) = (reply.status.is_success(), reply.body) else {
            return Err(ClientError::Status {
                status: reply.status.as_u16(),
                reason: None,
            });
        };
        let answer = tokio::time::timeout(ask.upstream.timeout, first_answer(body, self.bounds.event_bytes));
        match answer.await {
            Ok(answer) => answer.ok_or_else(lost),
            Err(_) => Err(ClientError::Timeout(ask.upstream.timeout.as_secs())),
        }
    }

    /// Sends a message. The reply to a request is a stream of what concerns it.
    async fn say(&self, ask: &Ask<'_>, to: &Destination, body: Bytes) -> Result<Reply, ClientError> {
        let under_way = self.register(&body)?;
        let reply = ask.post(to, body).await;
        let Some(UnderWay { id, pieces }) = under_way else {
            return reply;
        };
        match reply {
            Ok(reply) if reply.status.is_success() => {
                stream::settle(reply).await;
                Ok(streaming(pieces))
            }
            refused => {
                self.lock().desk.forget(&id);
                refused
            }
        }
    }

    fn register(&self, body: &[u8]) -> Result<Option<UnderWay>, ClientError> {
        let Ok(Message::Request { id, params, .. }) = Message::parse(body) else {
            return Ok(None);
        };
        let (ear, pieces) = mpsc::channel(WAITING);
        let asked = self.lock().desk.ask(id, params, ear, self.bounds.requests);
        asked.map_err(|Full| ClientError::Crowded(self.bounds.requests))?;
        Ok(Some(UnderWay {
            id: id.get().into(),
            pieces,
        }))
    }

    /// Sends a message of whoever has the session. One that the server refuses, since it knows nothing of the session any
    /// more, did not run: it is sent again over a new stream, once.
    pub(super) async fn post(self: &Arc<Self>, ask: &Ask<'_>, body: Bytes) -> Result<Reply, ClientError> {
        let Some(way) = self.ready(ask).await? else {
            return Ok(Reply::of(StatusCode::NOT_FOUND));
        };
        let (reply, is_lost) = session_lost(self.say(ask, &way.to, body.clone()).await?).await;
        if !is_lost {
            self.note(&body);
            return Ok(reply);
        }
        self.broke(way.opening);
        let Some(way) = self.ready(ask).await? else {
            return Ok(reply);
        };
        let reply = self.say(ask, &way.to, body.clone()).await?;
        self.note(&body);
        Ok(reply)
    }

    /// Keeps what must be said again on a new stream.
    fn note(&self, body: &Bytes) {
        let Ok(Message::Request { method, params, .. }) = Message::parse(body) else {
            return;
        };
        let key = match &*method {
            "logging/setLevel" => "level".to_owned(),
            "resources/subscribe" | "resources/unsubscribe" => match resource(params) {
                Some(uri) => format!("of {uri}"),
                None => return,
            },
            _ => return,
        };
        let mut state = self.lock();
        state.kept.retain(|(known, _)| *known != key);
        if method != "resources/unsubscribe" && body.len() <= KEPT_BYTES && state.kept.len() < KEPT {
            state.kept.push((key, body.clone()));
        }
    }

    /// What the server says unasked. A second listener takes the first one's place.
    pub(super) async fn listen(self: &Arc<Self>, ask: &Ask<'_>) -> Result<Reply, ClientError> {
        if self.ready(ask).await?.is_none() {
            return Ok(Reply::of(StatusCode::NOT_FOUND));
        }
        let (ear, pieces) = mpsc::channel(WAITING);
        self.lock().desk.listen(ear);
        Ok(streaming(pieces))
    }
}

fn streaming(pieces: mpsc::Receiver<Bytes>) -> Reply {
    Reply {
        status: StatusCode::OK,
        session: None,
        retry_after: None,
        body: ReplyBody::Events(ResponseBody::piped(pieces)),
    }
}

fn lost() -> ClientError {
    ClientError::NotMcp("its stream broke off".to_owned())
}

/// Whether a reply says that the server knows the session no more.
async fn session_lost(reply: Reply) -> (Reply, bool) {
    match reply.status {
        StatusCode::NOT_FOUND => (reply, true),
        StatusCode::BAD_REQUEST => {
            let (reply, text) = keep(reply).await;
            let says = String::from_utf8_lossy(&text).to_lowercase();
            (reply, says.contains("session"))
        }
        _ => (reply, false),
    }
}

async fn first_answer(mut body: ResponseBody, limit: usize) -> Option<Bytes> {
    use http_body_util::BodyExt as _;
    let mut reader = sse::Reader::new(limit.saturating_mul(2));
    while let Some(Ok(frame)) = body.frame().await {
        reader.feed(frame.data_ref()?);
        while let Some(event) = reader.next_event().ok()? {
            let Some(data) = event.data else { continue };
            if matches!(Message::parse(&data), Ok(Message::Response { .. })) {
                return Some(data);
            }
        }
    }
    None
}

fn proposed_version(hello: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Proposal {
        #[serde(rename = "protocolVersion")]
        version: String,
    }
    let Ok(Message::Request { params, .. }) = Message::parse(hello) else {
        return None;
    };
    let proposal = serde_json::from_str::<Proposal>(params?.get()).ok()?;
    Some(
        proposal
            .version
            .chars()
            .filter(|c| !c.is_control())
            .take(20)
            .collect(),
    )
}

fn resource(params: Option<&serde_json::value::RawValue>) -> Option<String> {
    #[derive(Deserialize)]
    struct Resource {
        uri: String,
    }
    let resource = serde_json::from_str::<Resource>(params?.get()).ok()?;
    Some(resource.uri)
}
