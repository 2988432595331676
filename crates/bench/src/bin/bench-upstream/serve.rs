//! From a request to an answer. An `echo` in the spelling of the load generator is answered without parsing anything:
//! the server must not be what limits a gateway.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper::{Request, Response};
use memchr::memchr2;
use portreeve_bench::message::{BEFORE_ID, BEFORE_TEXT, REVISION};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::answer::{self, Era};
use crate::body::{Answer, Events, progress};
use crate::tools;

/// The path of the REST API, an `echo` as well.
const REST: &str = "/rest/echo";

/// The endpoints of servers that know one era alone.
const LEGACY_ONLY: &str = "/legacy/mcp";
const MODERN_ONLY: &str = "/modern/mcp";

/// What every connection shares.
pub(crate) struct Server {
    tools: String,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    id: Option<&'a RawValue>,
    #[serde(borrow)]
    method: Option<&'a str>,
    #[serde(borrow, default)]
    params: Params<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Params<'a> {
    #[serde(borrow, rename = "protocolVersion")]
    version: Option<&'a str>,
    #[serde(borrow)]
    name: Option<&'a str>,
    #[serde(borrow)]
    arguments: Arguments<'a>,
    #[serde(borrow, rename = "_meta")]
    meta: Meta<'a>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Arguments<'a> {
    #[serde(borrow)]
    text: Option<&'a RawValue>,
    n: u32,
    interval_ms: u64,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Meta<'a> {
    #[serde(borrow, rename = "progressToken")]
    token: Option<&'a RawValue>,
}

// === impl Server ===

impl Server {
    pub(crate) fn new(tools: usize) -> Self {
        Self {
            tools: tools::field(tools),
        }
    }

    /// Answers one request.
    pub(crate) async fn answer(&self, request: Request<Incoming>) -> Response<Answer> {
        if request.method() != Method::POST {
            // No stream of the server's own, and no session to end.
            return answer::empty(StatusCode::METHOD_NOT_ALLOWED);
        }
        let named = request.headers().get("mcp-protocol-version");
        let era = match named {
            Some(version) if version.as_bytes() >= REVISION.as_bytes() => Era::Modern,
            _ => Era::Legacy,
        };
        let is_rest = request.uri().path() == REST;
        let refusal = refusal(request.uri().path(), era);
        let Ok(body) = request.into_body().collect().await else {
            return answer::empty(StatusCode::BAD_REQUEST);
        };
        let body = body.to_bytes();
        if let Some(refusal) = refusal {
            return refusal;
        }
        if is_rest {
            // The object that came is the one that goes back.
            return answer::json(StatusCode::OK, body);
        }
        if let Some((id, text)) = echoed(&body) {
            return answer::json(StatusCode::OK, answer::content(id, era, text));
        }
        match serde_json::from_slice(&body) {
            Ok(message) => self.reply(&message, era),
            Err(_) => answer::json(
                StatusCode::BAD_REQUEST,
                answer::error("null", -32700, "Parse error"),
            ),
        }
    }

    fn reply(&self, message: &Message<'_>, era: Era) -> Response<Answer> {
        let (Some(id), Some(method)) = (message.id.map(RawValue::get), message.method) else {
            return answer::empty(StatusCode::ACCEPTED);
        };
        let (opening, caching) = (era.opening(), era.caching());
        let fields = match method {
            "initialize" => return initialize(id, message.params.version),
            "tools/call" => return call(id, era, &message.params),
            "ping" => String::new(),
            "tools/list" => format!("{opening}{}{caching}", self.tools),
            "server/discover" => format!(
                r#"{opening}"supportedVersions":["{REVISION}"],"capabilities":{{"tools":{{}}}}{caching}"#
            ),
            _ => {
                let error = answer::error(id, -32601, "Method not found");
                return answer::json(StatusCode::NOT_FOUND, error);
            }
        };
        answer::json(StatusCode::OK, answer::result(id, &fields))
    }
}

/// What a server of one era says to a request of the other one.
fn refusal(path: &str, era: Era) -> Option<Response<Answer>> {
    let body = match (path, era) {
        (LEGACY_ONLY, Era::Modern) => answer::error("null", -32000, "Bad Request: Server not initialized"),
        (MODERN_ONLY, Era::Legacy) => answer::error("null", -32022, "Unsupported protocol version"),
        _ => return None,
    };
    Some(answer::json(StatusCode::BAD_REQUEST, body))
}

fn initialize(id: &str, asked: Option<&str>) -> Response<Answer> {
    let version = asked
        .filter(|version| *version < REVISION)
        .unwrap_or("2025-11-25");
    let fields = format!(
        r#""protocolVersion":"{version}","capabilities":{{"tools":{{}}}},"serverInfo":{{"name":"bench","version":"1"}}"#
    );
    let mut response = answer::json(StatusCode::OK, answer::result(id, &fields));
    // One session for all: nothing is remembered of it.
    let session = HeaderValue::from_static("bench");
    response.headers_mut().insert("mcp-session-id", session);
    response
}

fn call(id: &str, era: Era, params: &Params<'_>) -> Response<Answer> {
    let token = params.meta.token.map_or(id, RawValue::get);
    let arguments = &params.arguments;
    match params.name {
        Some("echo") => {
            let text = arguments.text.map_or("\"\"", RawValue::get);
            answer::json(StatusCode::OK, answer::content(id, era, text.as_bytes()))
        }
        Some("events") => {
            let result = answer::last_event(&answer::content(id, era, b"\"done\""));
            let interval = Duration::from_millis(arguments.interval_ms);
            answer::events(Events::new(token.to_owned(), arguments.n, interval, result))
        }
        Some("hold") => answer::held(progress(token, 1, 2)),
        _ => answer::json(StatusCode::OK, answer::error(id, -32602, "Unknown tool")),
    }
}

/// The id and the text, with its quotes, of an `echo` as the load generator writes it.
fn echoed(body: &Bytes) -> Option<(&str, &[u8])> {
    let rest = body.strip_prefix(BEFORE_ID.as_bytes())?;
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (id, rest) = rest.split_at_checked(digits)?;
    let text = rest.strip_prefix(BEFORE_TEXT.as_bytes())?;
    let end = memchr2(b'"', b'\\', text)?;
    if text.get(end) != Some(&b'"') {
        return None;
    }
    let begin = body.len() - text.len() - 1;
    let quoted = body.get(begin..begin + end + 2)?;
    Some((std::str::from_utf8(id).ok()?, quoted))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_of_one_era_refuses_the_other_one() {
        assert!(refusal("/mcp", Era::Legacy).is_none());
        assert!(refusal(LEGACY_ONLY, Era::Legacy).is_none());
        assert!(refusal(MODERN_ONLY, Era::Modern).is_none());
        for (path, era) in [(LEGACY_ONLY, Era::Modern), (MODERN_ONLY, Era::Legacy)] {
            let status = refusal(path, era).map(|refusal| refusal.status());
            assert_eq!(status, Some(StatusCode::BAD_REQUEST));
        }
    }

    #[test]
    fn an_echo_is_answered_alike_with_and_without_parsing() {
        let body = |text: &str| format!(r#"{BEFORE_ID}42{BEFORE_TEXT}{text}"}}}}}}"#);
        let parsed = |body: &str| {
            let message: Message<'_> = serde_json::from_str(body).unwrap();
            let text = message.params.arguments.text.unwrap().get().as_bytes().to_vec();
            (message.id.unwrap().get().to_owned(), text)
        };
        for text in ["", "xxxx", "ä"] {
            let body = body(text);
            let bytes = Bytes::from(body.clone());
            let (id, quoted) = echoed(&bytes).unwrap();
            assert_eq!((id.to_owned(), quoted.to_vec()), parsed(&body));
        }
        // With an escape it takes a parser to find the end.
        assert!(echoed(&Bytes::from(body(r#"a\"b"#))).is_none());
    }
}
