//! The transport of 2024-11-05, HTTP+SSE, as that of a server: one stream that the server writes, and messages that are
//! sent to the place which the stream's first event names.
//!
//! Whoever asks does not see a difference to Streamable HTTP. `initialize` opens a line; the reply names it as its session,
//! and whatever names that session goes over that line. Answers come as event streams of their own, sorted out of the one
//! stream. A line that broke off is opened again by the next message, with the same handshake: what was under way is lost
//! and says so, and what comes later works.
//!
//! Before it: [`crate::exchange`], which knows by the answer to `initialize` what a server does not speak.

mod desk;
mod line;
mod stream;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use portreeve_core::limits::Limits;
use portreeve_core::random::Rng;
use portreeve_mcp::envelope::{Message, Outcome};
use portreeve_mcp::{code, envelope};
use portreeve_net::{Destination, Egress, ResponseBody, read_body};
use serde::Deserialize;

use self::line::Line;
use crate::error::ClientError;
use crate::exchange::{Exchange, Reply, ReplyBody, Upstream};

/// What a session begins with that is a line. No server can name one: the ends of a header are never blanks.
const MARK: &str = " line ";

/// Bytes of a refusal that are read to see whether its server speaks MCP.
const REFUSAL_BYTES: usize = 64 * 1024;
/// Time for that.
const REFUSAL_TIME: Duration = Duration::from_secs(3);
/// Servers that are remembered to speak this transport.
const REMEMBERED: usize = 4_096;

/// The lines of a node.
pub struct Lines {
    table: Mutex<Table>,
    rng: Arc<dyn Rng>,
    bounds: Bounds,
}

#[derive(Default)]
struct Table {
    by_session: HashMap<String, Arc<Line>>,
    /// URLs at which there was a line: they need not be asked whether they speak anything else.
    seen: HashSet<String>,
}

/// What bounds a line.
#[derive(Debug, Clone, Copy)]
struct Bounds {
    lines: usize,
    requests: usize,
    event_bytes: usize,
    idle: Duration,
    /// Without a message for so long a line is forgotten, handshake and all.
    life: Duration,
    /// Time in which whoever asked must take something of what waits.
    taking: Duration,
}

/// One question: whom, over which way out, with what besides the body.
#[derive(Clone, Copy)]
struct Ask<'a> {
    upstream: &'a Upstream,
    egress: &'a Egress,
    exchange: Exchange<'a>,
}

// === impl Lines ===

impl Lines {
    /// No lines yet. Dropped, it closes those that it has.
    pub fn new(rng: Arc<dyn Rng>, limits: &Limits) -> Arc<Self> {
        Arc::new(Self {
            table: Mutex::default(),
            rng,
            bounds: Bounds {
                lines: limits.sse_lines,
                requests: limits.requests_per_session,
                event_bytes: limits.held_result_bytes,
                idle: limits.sse_line_idle,
                life: limits.session_idle,
                taking: limits.host_write,
            },
        })
    }

    /// How many there are, those included that are closed until somebody says something again.
    pub fn len(&self) -> usize {
        self.lock().by_session.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What a message without a session comes to. One that is no handshake is sent as it is; a handshake may open a line.
    pub(crate) async fn first(
        &self,
        upstream: &Upstream,
        egress: &Egress,
        exchange: Exchange<'_>,
        body: Bytes,
    ) -> Result<Reply, ClientError> {
        let ask = Ask::new(upstream, egress, exchange);
        let was_seen = self.lock().seen.contains(upstream.url.as_str());
        if was_seen
            && is_handshake(&body)
            && let Some(reply) = self.open(&ask, body.clone()).await?
        {
            return Ok(reply);
        }
        let reply = upstream.post_to(None, egress, exchange, body.clone()).await?;
        if was_seen || !may_speak_otherwise(reply.status) || !is_handshake(&body) {
            return Ok(reply);
        }
        let (reply, text) = keep(reply).await;
        if is_mcp(&text) {
            return Ok(reply);
        }
        let opened = self.open(&ask, body).await?;
        Ok(opened.unwrap_or(reply))
    }

    /// Opens a line with a handshake. `None`: there is nothing of this transport.
    async fn open(&self, ask: &Ask<'_>, hello: Bytes) -> Result<Option<Reply>, ClientError> {
        let url = ask.upstream.url.as_str();
        self.make_room()?;
        let line = Line::new(url, self.bounds);
        let Some(mut reply) = line.begin(ask, hello).await? else {
            self.lock().seen.remove(url);
            return Ok(None);
        };
        if reply.status.is_success() {
            let mut random = [0_u8; 16];
            self.rng.fill(&mut random);
            let session = format!("{MARK}{:032x}", u128::from_be_bytes(random));
            let mut table = self.lock();
            if table.seen.len() >= REMEMBERED {
                table.seen.clear();
            }
            table.seen.insert(url.to_owned());
            table.by_session.insert(session.clone(), line);
            reply.session = Some(session);
        }
        Ok(Some(reply))
    }

    /// Room for one more. Lines that nobody spoke over for long are gone; if that is not enough, the one gives way that
    /// rested longest.
    fn make_room(&self) -> Result<(), ClientError> {
        let mut table = self.lock();
        table
            .by_session
            .retain(|_, line| !line.rested_for(self.bounds.life));
        if table.by_session.len() < self.bounds.lines {
            return Ok(());
        }
        let longest = table
            .by_session
            .iter()
            .filter_map(|(session, line)| Some((line.resting()?, session.clone())))
            .max();
        match longest {
            Some((_, session)) => drop(table.by_session.remove(&session)),
            None => return Err(ClientError::Crowded(self.bounds.lines)),
        }
        Ok(())
    }

    fn find(&self, session: &str, upstream: &Upstream) -> Option<Arc<Line>> {
        let table = self.lock();
        let line = table.by_session.get(session)?;
        // A route may lead elsewhere by now.
        line.leads_to(upstream.url.as_str()).then(|| Arc::clone(line))
    }

    /// A message over the line of its session.
    pub(crate) async fn post(
        &self,
        upstream: &Upstream,
        egress: &Egress,
        exchange: Exchange<'_>,
        body: Bytes,
    ) -> Result<Reply, ClientError> {
        match exchange.session.and_then(|session| self.find(session, upstream)) {
            Some(line) => line.post(&Ask::new(upstream, egress, exchange), body).await,
            None => Ok(Reply::of(StatusCode::NOT_FOUND)),
        }
    }

    /// What the server says unasked, over the line of a session.
    pub(crate) async fn listen(
        &self,
        upstream: &Upstream,
        egress: &Egress,
        exchange: Exchange<'_>,
    ) -> Result<Reply, ClientError> {
        match exchange.session.and_then(|session| self.find(session, upstream)) {
            Some(line) => line.listen(&Ask::new(upstream, egress, exchange)).await,
            None => Ok(Reply::of(StatusCode::NOT_FOUND)),
        }
    }

    /// Closes the line of a session. A server of this transport is not told otherwise.
    pub(crate) fn end(&self, exchange: Exchange<'_>) -> Reply {
        let line = exchange
            .session
            .and_then(|session| self.lock().by_session.remove(session));
        Reply::of(match line {
            Some(_) => StatusCode::NO_CONTENT,
            None => StatusCode::NOT_FOUND,
        })
    }
}

impl fmt::Debug for Lines {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lines")
    }
}

// === impl Ask ===

impl<'a> Ask<'a> {
    /// On this transport neither a session nor a version is said in a header.
    fn new(upstream: &'a Upstream, egress: &'a Egress, exchange: Exchange<'a>) -> Self {
        Self {
            upstream,
            egress,
            exchange: Exchange {
                protocol_version: None,
                session: None,
                last_event_id: None,
                ..exchange
            },
        }
    }

    async fn post(&self, to: &Destination, body: Bytes) -> Result<Reply, ClientError> {
        self.upstream
            .post_to(Some(to), self.egress, self.exchange, body)
            .await
    }
}

/// What is said of a session that is a line where nobody knows which: a line belongs to the process that opened it. Whoever
/// names this is told that there is no such line.
pub fn some_line(session: &str) -> Option<&'static str> {
    session.starts_with(MARK).then_some(MARK)
}

/// Whether a session is a line, of this process or of one before it.
pub(crate) fn is_line(exchange: &Exchange<'_>) -> bool {
    exchange.session.is_some_and(|session| session.starts_with(MARK))
}

fn is_handshake(body: &[u8]) -> bool {
    Message::parse(body).is_ok_and(|message| message.method() == Some("initialize"))
}

/// Whether a server that answers `initialize` with this status may speak HTTP+SSE. What says something about us, or about
/// this moment, settles nothing.
fn may_speak_otherwise(status: StatusCode) -> bool {
    status.is_client_error() && !matches!(status.as_u16(), 401 | 403 | 407 | 408 | 429)
}

/// A refusal with its body read: it may still be what whoever asked gets to see.
async fn keep(reply: Reply) -> (Reply, Bytes) {
    let (is_json, body) = match reply.body {
        ReplyBody::Json(body) => (true, body),
        ReplyBody::Events(body) | ReplyBody::Other(body) => (false, body),
    };
    let text = read_body(body, REFUSAL_BYTES, REFUSAL_TIME).await;
    let text = text.unwrap_or_default();
    let ready = ResponseBody::ready(text.clone());
    let body = if is_json {
        ReplyBody::Json(ready)
    } else {
        ReplyBody::Other(ready)
    };
    (Reply { body, ..reply }, text)
}

/// Whether a refusal is one of MCP over Streamable HTTP: it answers this very request, or with a code of 2026-07-28.
fn is_mcp(text: &[u8]) -> bool {
    #[derive(Deserialize)]
    struct Code {
        code: i64,
    }
    match envelope::Message::parse(text) {
        Ok(Message::Response { id: Some(_), .. }) => true,
        Ok(Message::Response {
            outcome: Outcome::Error(error),
            ..
        }) => serde_json::from_str::<Code>(error.get()).is_ok_and(|Code { code }| {
            matches!(
                code,
                code::HEADER_MISMATCH | code::MISSING_CAPABILITY | code::UNSUPPORTED_VERSION
            )
        }),
        _ => false,
    }
}
