//! The bytes of a request. They are made once for each connection; only the digits of the id change.

use std::net::{Ipv4Addr, SocketAddr};

use anyhow::{Result, bail};
use portreeve_bench::message::{BEFORE_ID, BEFORE_TEXT, META, REVISION, SESSION_REVISION};
use portreeve_bench::options::Options;

use crate::session;

/// Digits of an id. All ids have as many, so that the length of a request never changes.
const DIGITS: usize = 12;

/// What is called, and how.
#[derive(Debug)]
pub(crate) struct Target {
    pub(crate) address: SocketAddr,
    /// How many bytes an answer must have at least: the text comes back.
    pub(crate) size: usize,
    /// How many events of progress must come before the result.
    pub(crate) events: usize,
    /// The head up to the length of the body.
    head: String,
    /// The body behind the id.
    rest: String,
}

/// The request of one connection.
#[derive(Debug)]
pub(crate) struct Request {
    bytes: Vec<u8>,
    at: usize,
    id: u64,
}

// === impl Target ===

impl Target {
    pub(crate) fn read(options: &Options, mode: &str) -> Result<Self> {
        let port: u16 = options.need("port")?;
        let size = options.get("size", 64)?;
        let method = options.text("method").unwrap_or("tools/call");
        let events = match mode {
            "events" => options.get("count", 5)?,
            _ => 0,
        };
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let base = base(options, port);
        let session = match options.text("era") {
            None | Some("modern") => None,
            Some("legacy") => Some(session::open(address, &base)?),
            Some(other) => bail!("`{other}` is not an era; hint: legacy or modern"),
        };
        // What every request says of its client, unless a session knows it.
        let meta = match session {
            Some(_) => String::new(),
            None => format!(",{META}"),
        };
        let (tool, rest) = match (mode, method) {
            ("events", _) => {
                let interval: u64 = options.get("interval", 0)?;
                let arguments = format!(r#""n":{events},"interval_ms":{interval}"#);
                (Some("events"), call("events", &arguments, &meta))
            }
            ("hold", _) => (Some("hold"), call("hold", "", &meta)),
            (_, "tools/call") => {
                let text = "x".repeat(size);
                (Some("echo"), format!(r#"{BEFORE_TEXT}{text}"}}{meta}}}}}"#))
            }
            _ => {
                let members = meta.trim_start_matches(',');
                (None, format!(r#","method":"{method}","params":{{{members}}}}}"#))
            }
        };
        let own = match session {
            Some(session) => session,
            None => mirrored(method, tool),
        };
        Ok(Self {
            address,
            size: if tool == Some("echo") { size } else { 0 },
            events,
            head: format!("{base}{own}"),
            rest,
        })
    }

    /// The request of a connection; its ids are no other connection's.
    pub(crate) fn request(&self, connection: usize) -> Request {
        let length = BEFORE_ID.len() + DIGITS + self.rest.len();
        let head = format!("{}content-length: {length}\r\n\r\n{BEFORE_ID}", self.head);
        let id = 10_u64.pow(11) + connection as u64 * 10_u64.pow(7);
        Request {
            at: head.len(),
            bytes: format!("{head}{id}{}", self.rest).into_bytes(),
            id,
        }
    }
}

fn call(tool: &str, arguments: &str, meta: &str) -> String {
    format!(r#","method":"tools/call","params":{{"name":"{tool}","arguments":{{{arguments}}}{meta}}}}}"#)
}

/// The head of every request, up to what differs between the eras.
fn base(options: &Options, port: u16) -> String {
    let path = options.text("path").unwrap_or("/mcp");
    let mut head = format!(
        "POST {path} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\ncontent-type: application/json\r\n\
         accept: application/json, text/event-stream\r\n"
    );
    if let Some(key) = options.text("key") {
        head.push_str(&format!("authorization: Bearer {key}\r\n"));
    }
    head
}

/// The fields in which a modern request repeats what is in it.
fn mirrored(method: &str, tool: Option<&str>) -> String {
    let name = tool.map(|tool| format!("mcp-name: {tool}\r\n"));
    format!(
        "mcp-protocol-version: {REVISION}\r\nmcp-method: {method}\r\n{}",
        name.unwrap_or_default()
    )
}

/// The fields of a request within a session.
pub(crate) fn within(session: &str) -> String {
    format!("mcp-protocol-version: {SESSION_REVISION}\r\nmcp-session-id: {session}\r\n")
}

// === impl Request ===

impl Request {
    /// Takes the next id, and writes it in its place.
    pub(crate) fn renew(&mut self) {
        self.id += 1;
        let mut rest = self.id;
        let Some(digits) = self.bytes.get_mut(self.at..self.at + DIGITS) else {
            return;
        };
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The digits that the answer must name.
    pub(crate) fn id(&self) -> &[u8] {
        self.bytes.get(self.at..self.at + DIGITS).unwrap_or_default()
    }
}
