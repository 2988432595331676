//! The last room before the wire: reply or refusal → HTTP response. The only table of status codes, per era.

mod held;
mod refusal;
pub mod waits;

use std::time::Duration;

use bytes::Bytes;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full};
use portreeve_client::ClientError;
use portreeve_core::oauth::Scopes;
use portreeve_core::protocol::{Era, Revision};
use portreeve_mcp::envelope::InvalidMessage;
use portreeve_mcp::{answer, code, tasks};
use portreeve_net::NetError;
use serde_json::json;
use serde_json::value::RawValue;

pub use self::held::{Unheld, held};
pub use self::refusal::Refusal;
pub use self::waits::Held;

/// Why a body broke off.
pub type BodyError = Box<dyn std::error::Error + Send + Sync>;

const EVENT_STREAM: &str = "text/event-stream";

/// The body of an answer.
pub type Body = UnsyncBoxBody<Bytes, BodyError>;

/// A body that is ready.
pub fn full(bytes: impl Into<Bytes>) -> Body {
    Full::new(bytes.into())
        .map_err(|never| match never {})
        .boxed_unsync()
}

/// A refusal as it goes onto the wire.
#[derive(Debug)]
struct Sheet {
    status: StatusCode,
    code: i64,
    message: String,
    data: Option<serde_json::Value>,
}

fn sheet(status: u16, code: i64, message: impl Into<String>) -> Sheet {
    Sheet {
        status: StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
        code,
        message: message.into(),
        data: None,
    }
}

/// The table.
#[expect(
    clippy::too_many_lines,
    reason = "one table reads better whole, and stays exhaustive"
)]
fn look_up(refusal: &Refusal) -> Sheet {
    match refusal {
        Refusal::HeadTooLarge { bytes, fields } => sheet(
            431,
            code::INVALID_REQUEST,
            format!(
                "Request Header Fields Too Large: the head has more than {bytes} bytes or {fields} fields"
            ),
        ),
        Refusal::Host => sheet(
            403,
            code::INVALID_REQUEST,
            "Forbidden: the `Host` header names another host",
        ),
        Refusal::Origin => sheet(
            403,
            code::INVALID_REQUEST,
            "Forbidden: this `Origin` is not allowed",
        ),
        Refusal::Preflight { .. } => sheet(204, 0, ""),
        Refusal::MethodNotAllowed | Refusal::OnlyMethod { .. } => {
            sheet(405, code::INVALID_REQUEST, "Method not allowed")
        }
        Refusal::NoSuchRoute => sheet(
            404,
            code::INVALID_REQUEST,
            "Not found: no server is served at this address",
        ),
        Refusal::Revoked { reason } => sheet(
            403,
            code::INVALID_REQUEST,
            format!("Forbidden: this server was revoked: {reason}"),
        ),
        Refusal::NoCredential => sheet(
            401,
            code::INVALID_REQUEST,
            "Unauthorized: a credential is required",
        ),
        Refusal::InvalidCredential => sheet(
            401,
            code::INVALID_REQUEST,
            "Unauthorized: the credential is not valid",
        ),
        Refusal::InsufficientScope { needed } => sheet(
            403,
            code::INVALID_REQUEST,
            format!("Forbidden: the access token lacks a scope (needed: `{needed}`)"),
        ),
        Refusal::TwoCredentials => sheet(
            400,
            code::INVALID_REQUEST,
            "Bad Request: more than one `Authorization` or `X-Api-Key` header",
        ),
        Refusal::MediaType => sheet(
            415,
            code::INVALID_REQUEST,
            "Unsupported Media Type: `Content-Type` must be `application/json`",
        ),
        Refusal::TooLarge { limit } => sheet(
            413,
            code::INVALID_REQUEST,
            format!("Payload Too Large: the body has more than {limit} bytes"),
        ),
        Refusal::SlowBody => sheet(
            408,
            code::INVALID_REQUEST,
            "Request Timeout: the body did not arrive in time",
        ),
        Refusal::BrokenBody => sheet(400, code::INVALID_REQUEST, "Bad Request: the body broke off"),
        Refusal::Message(error @ InvalidMessage::NotJson(_)) => {
            sheet(400, code::PARSE_ERROR, format!("Parse error: {error}"))
        }
        Refusal::Message(error) => sheet(400, code::INVALID_REQUEST, format!("Invalid Request: {error}")),
        Refusal::ResponseNotExpected => sheet(
            400,
            code::INVALID_REQUEST,
            "Invalid Request: a response is not expected here",
        ),
        Refusal::BadVersion { requested } => sheet(
            400,
            code::NOT_INITIALIZED,
            format!("Bad Request: Unsupported protocol version: {requested}"),
        ),
        Refusal::HeaderMismatch { reason, .. } => {
            sheet(400, code::HEADER_MISMATCH, format!("Header mismatch: {reason}"))
        }
        Refusal::InvalidParams { reason, .. } => {
            sheet(400, code::INVALID_PARAMS, format!("Invalid params: {reason}"))
        }
        Refusal::UnsupportedVersion { requested, .. } => Sheet {
            data: Some(json!({"supported": [Revision::V2026_07_28.as_str()], "requested": requested})),
            ..sheet(400, code::UNSUPPORTED_VERSION, "Unsupported protocol version")
        },
        Refusal::TasksNotDeclared { .. } => Sheet {
            data: Some(json!({"requiredCapabilities": {"extensions": {tasks::EXTENSION: {}}}})),
            ..sheet(
                400,
                code::MISSING_CAPABILITY,
                "Missing required client capability: the tasks extension is not declared",
            )
        },
        // A legacy host reads 404 as the end of its session.
        Refusal::MethodNotFound { era: Era::Legacy, .. } => {
            sheet(200, code::METHOD_NOT_FOUND, "Method not found")
        }
        Refusal::MethodNotFound { era: Era::Modern, .. } => {
            sheet(404, code::METHOD_NOT_FOUND, "Method not found")
        }
        Refusal::SessionMissing => sheet(
            400,
            code::NOT_INITIALIZED,
            "Bad Request: Mcp-Session-Id header is required",
        ),
        Refusal::StreamMissing => sheet(
            400,
            code::NOT_INITIALIZED,
            "Bad Request: `sessionId` is required, as the `endpoint` event says it",
        ),
        Refusal::SessionUnknown => sheet(404, code::NOT_INITIALIZED, "Session not found"),
        Refusal::UnknownTool { name } => sheet(200, code::INVALID_PARAMS, format!("Unknown tool: {name}")),
        Refusal::ForbiddenArguments { name, by } if by.is_empty() => sheet(
            200,
            code::INVALID_PARAMS,
            format!("Forbidden: no policy permits to call `{name}` with these arguments"),
        ),
        Refusal::ForbiddenArguments { name, by } => sheet(
            200,
            code::INVALID_PARAMS,
            format!("Forbidden: `{by}` does not let you call `{name}` with these arguments"),
        ),
        Refusal::Limited { reason, .. } => sheet(429, code::LIMITED, format!("Rate limit reached: {reason}")),
        // A call that can be answered gets a result instead: `Held::answer`.
        Refusal::Held(held) => sheet(200, code::INVALID_REQUEST, held.message()),
        Refusal::StateAway => sheet(
            503,
            code::INTERNAL_ERROR,
            "Service Unavailable: limits cannot be checked just now",
        ),
        Refusal::SessionsAway => sheet(
            503,
            code::INTERNAL_ERROR,
            "Service Unavailable: sessions cannot be kept just now",
        ),
        Refusal::TooManyRequests => sheet(
            429,
            code::LIMITED,
            "Too many requests of this session are under way",
        ),
        Refusal::TooManySessions => sheet(429, code::LIMITED, "Too many sessions are open"),
        Refusal::TooManyStreams => sheet(429, code::LIMITED, "Too many streams are open"),
        Refusal::Upstream(error) => upstream(error),
        Refusal::JournalAway => sheet(
            503,
            code::INTERNAL_ERROR,
            "Service Unavailable: the audit log cannot be written",
        ),
        Refusal::About(_, refusal) => look_up(refusal),
    }
}

/// The status of an answer with an error that came from a server of the other era. A legacy host reads anything but 200 as
/// something about its session; a modern one learns from the status alone what is wrong with its request.
pub fn status_of(host: Era, code: i64) -> StatusCode {
    match (host, code) {
        (Era::Modern, code::METHOD_NOT_FOUND) => StatusCode::NOT_FOUND,
        (
            Era::Modern,
            code::PARSE_ERROR
            | code::INVALID_REQUEST
            | code::HEADER_MISMATCH
            | code::MISSING_CAPABILITY
            | code::UNSUPPORTED_VERSION,
        ) => StatusCode::BAD_REQUEST,
        _ => StatusCode::OK,
    }
}

/// What is said of an upstream names what happened, never its address.
fn upstream(error: &ClientError) -> Sheet {
    match error {
        ClientError::Timeout(_) => sheet(504, code::UPSTREAM, format!("Upstream timeout: {error}")),
        ClientError::Net(NetError::Timeout { .. } | NetError::BodyLate { .. }) => sheet(
            504,
            code::UPSTREAM,
            "Upstream timeout: the server did not answer in time",
        ),
        ClientError::Net(error @ NetError::BodyTooLarge { .. }) => {
            sheet(502, code::UPSTREAM, format!("Upstream error: {error}"))
        }
        ClientError::Net(NetError::Exchange { .. } | NetError::BodyBroken(_)) => sheet(
            502,
            code::UPSTREAM,
            "Upstream error: the server broke off before its answer was there",
        ),
        ClientError::Net(_) => sheet(
            502,
            code::UPSTREAM,
            "Upstream error: the server cannot be reached",
        ),
        ClientError::Status {
            status: status @ (401 | 403),
            ..
        } => sheet(
            502,
            code::UPSTREAM,
            format!("Upstream error: the server refused Portreeve's own credential ({status})"),
        ),
        ClientError::Status { status, .. } => sheet(
            502,
            code::UPSTREAM,
            format!("Upstream error: the server answered {status}"),
        ),
        ClientError::Crowded(_) => sheet(503, code::UPSTREAM, format!("Service Unavailable: {error}")),
        ClientError::Rpc { .. } | ClientError::NotMcp(_) | ClientError::Encoded(_) => {
            sheet(502, code::UPSTREAM, format!("Upstream error: {error}"))
        }
    }
}

/// What a host must know to get a credential for a resource (RFC 9728, section 5.1).
#[derive(Debug)]
pub struct Challenge {
    /// Where its metadata is.
    pub metadata: String,
    /// All of its scopes.
    pub scopes: Scopes,
}

impl Challenge {
    /// Without a credential there is no error (RFC 6750, section 3.1).
    fn plain(&self) -> String {
        format!(
            "Bearer resource_metadata=\"{}\", scope=\"{}\"",
            self.metadata, self.scopes
        )
    }

    fn insufficient(&self, needed: &Scopes) -> String {
        format!(
            "Bearer error=\"insufficient_scope\", scope=\"{needed}\", resource_metadata=\"{}\"",
            self.metadata
        )
    }
}

/// Whole seconds, rounded up: a host that waits exactly so long gets through.
fn whole_seconds(wait: Duration) -> String {
    wait.as_millis().div_ceil(1000).max(1).to_string()
}

/// A response that says when to come again, where there is a reason to wait.
pub fn waiting(mut response: Response<Body>, wait: Option<Duration>) -> Response<Body> {
    let is_held_off = matches!(
        response.status(),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
    );
    if let Some(wait) = wait.filter(|_| is_held_off) {
        put(response.headers_mut(), RETRY_AFTER, &whole_seconds(wait));
    }
    response
}

/// The refusal as a response.
pub fn refuse(refusal: &Refusal, challenge: Option<&Challenge>) -> Response<Body> {
    let sheet = look_up(refusal);
    let body = match refusal {
        Refusal::Preflight { .. } => Bytes::new(),
        _ => answer::error(refusal.id(), sheet.code, &sheet.message, sheet.data.as_ref()).into(),
    };
    let mut response = json(sheet.status, body);
    let headers = response.headers_mut();
    let inner: &Refusal = if let Refusal::About(_, inner) = refusal {
        inner
    } else {
        refusal
    };
    match inner {
        Refusal::MethodNotAllowed => put(headers, ALLOW, "GET, POST, DELETE, OPTIONS"),
        Refusal::OnlyMethod { allowed } => put(headers, ALLOW, allowed),
        Refusal::Preflight { .. } => {
            headers.remove(CONTENT_TYPE);
        }
        Refusal::Limited { retry_after, .. } => {
            put(headers, RETRY_AFTER, &whole_seconds(*retry_after));
        }
        Refusal::StateAway
        | Refusal::SessionsAway
        | Refusal::JournalAway
        | Refusal::TooManyStreams
        | Refusal::TooManySessions => {
            put(headers, RETRY_AFTER, "1");
        }
        Refusal::NoCredential | Refusal::InvalidCredential => {
            let plain = challenge.map_or_else(|| "Bearer".to_owned(), Challenge::plain);
            let value = match (inner, challenge) {
                (Refusal::NoCredential, _) => plain,
                (_, Some(_)) => format!("{plain}, error=\"invalid_token\""),
                (_, None) => format!("{plain} error=\"invalid_token\""),
            };
            put(headers, WWW_AUTHENTICATE, &value);
        }
        Refusal::InsufficientScope { needed } => {
            if let Some(challenge) = challenge {
                put(headers, WWW_AUTHENTICATE, &challenge.insufficient(needed));
            }
        }
        _ => {}
    }
    response
}

/// The refusal as the answer to a request whose stream has begun.
pub fn on_a_stream(refusal: &Refusal, id: &RawValue) -> Vec<u8> {
    let sheet = look_up(refusal);
    answer::error(Some(id), sheet.code, &sheet.message, sheet.data.as_ref())
}

/// A JSON answer.
pub fn json(status: StatusCode, body: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(full(body));
    *response.status_mut() = status;
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(CONTENT_TYPE, json);
    response
}

/// An answer without a body.
pub fn accepted() -> Response<Body> {
    let mut response = Response::new(full(Bytes::new()));
    *response.status_mut() = StatusCode::ACCEPTED;
    response
}

/// The head of an event stream. Proxies on the way are told not to hold it back.
pub fn events(body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    put(headers, CONTENT_TYPE, EVENT_STREAM);
    put(headers, CACHE_CONTROL, "no-cache, no-transform");
    put(headers, HeaderName::from_static("x-accel-buffering"), "no");
    response
}

/// Whether an answer is an event stream.
pub fn is_stream(response: &Response<Body>) -> bool {
    response
        .headers()
        .get(CONTENT_TYPE)
        .is_some_and(|kind| kind.as_bytes() == EVENT_STREAM.as_bytes())
}

/// Sets a header from a text of ours; a text that is not a header value is left out.
pub fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}

/// Lets a browser page of an allowed origin read the answer.
pub fn allow_origin(headers: &mut HeaderMap, origin: &HeaderValue, asked: Option<&HeaderValue>) {
    headers.insert("access-control-allow-origin", origin.clone());
    put(headers, HeaderName::from_static("vary"), "Origin");
    put(
        headers,
        HeaderName::from_static("access-control-expose-headers"),
        "Mcp-Session-Id, WWW-Authenticate, X-Request-Id",
    );
    put(
        headers,
        HeaderName::from_static("access-control-allow-methods"),
        "GET, POST, DELETE, OPTIONS",
    );
    let default = HeaderValue::from_static(
        "authorization, content-type, mcp-protocol-version, mcp-method, mcp-name, mcp-session-id, last-event-id",
    );
    headers.insert("access-control-allow-headers", asked.cloned().unwrap_or(default));
    put(
        headers,
        HeaderName::from_static("access-control-max-age"),
        "86400",
    );
}
