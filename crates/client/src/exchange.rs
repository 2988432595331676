//! One HTTP exchange with an MCP server. Headers are built from scratch for the era of this hop; nothing of another
//! hop is copied.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{
    ACCEPT, ACCEPT_ENCODING, AUTHORIZATION, CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER, USER_AGENT,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use portreeve_core::login::Presented;
use portreeve_core::secret::Secret;
use portreeve_mcp::header;
use portreeve_net::{Destination, Egress, NetError, Reach, ResponseBody};
use url::Url;

use crate::error::ClientError;
use crate::http_sse::{self, Lines};

const AGENT: &str = concat!("portreeve/", env!("CARGO_PKG_VERSION"));

/// A server and how to reach it.
#[derive(Debug, Clone)]
pub struct Upstream {
    /// Its endpoint: of Streamable HTTP, or the stream of HTTP+SSE.
    pub url: Url,
    /// Longest wait for the head of an answer.
    pub timeout: Duration,
    /// What is presented with every request, besides what an exchange says.
    presented: Option<(HeaderName, HeaderValue)>,
    /// The URL as the egress guard judged it, or why it refused.
    destination: Result<Destination, NetError>,
    /// Where lines of HTTP+SSE are kept; without it that transport is not spoken.
    lines: Option<Arc<Lines>>,
}

/// What an exchange says besides its body. Absent things send no header.
#[derive(Debug, Clone, Copy, Default)]
pub struct Exchange<'a> {
    /// `MCP-Protocol-Version`
    pub protocol_version: Option<&'a str>,
    /// `Mcp-Session-Id` of this hop (legacy).
    pub session: Option<&'a str>,
    /// `Mcp-Method` (modern).
    pub method: Option<&'a str>,
    /// `Mcp-Name` (modern); encoded where it needs to be.
    pub name: Option<&'a str>,
    /// `Mcp-Param-*` headers, passed as they came (modern).
    pub params: Option<&'a HeaderMap>,
    /// `Last-Event-ID` of a stream of this hop (legacy).
    pub last_event_id: Option<&'a str>,
    /// Trace context of this hop.
    pub traceparent: Option<&'a str>,
    /// A bearer credential for this server.
    pub bearer: Option<&'a Secret>,
}

/// An answer's head, with its body still to come.
#[derive(Debug)]
pub struct Reply {
    /// The HTTP status.
    pub status: StatusCode,
    /// `Mcp-Session-Id`, where the answer carries one.
    pub session: Option<String>,
    /// `Retry-After`, where the answer says so in seconds.
    pub retry_after: Option<Duration>,
    /// The body.
    pub body: ReplyBody,
}

/// The kinds of body that matter.
#[derive(Debug)]
pub enum ReplyBody {
    /// `application/json`
    Json(ResponseBody),
    /// `text/event-stream`
    Events(ResponseBody),
    /// Nothing, or something that is neither.
    Other(ResponseBody),
}

impl Reply {
    /// One that says nothing but its status.
    pub(crate) fn of(status: StatusCode) -> Self {
        Self {
            status,
            session: None,
            retry_after: None,
            body: ReplyBody::Other(ResponseBody::ready(Bytes::new())),
        }
    }
}

impl Upstream {
    /// A server at this URL, reached as far as `reach` goes. A URL that the guard refuses shows when it is asked.
    pub fn new(url: Url, reach: &Reach, timeout: Duration) -> Self {
        let destination = Destination::new(&url, reach);
        Self {
            url,
            timeout,
            presented: None,
            destination,
            lines: None,
        }
    }

    /// The same, spoken to over HTTP+SSE if it does not speak Streamable HTTP.
    #[must_use]
    pub fn over(mut self, lines: &Arc<Lines>) -> Self {
        self.lines = Some(Arc::clone(lines));
        self
    }

    pub(crate) fn without_lines(&self) -> Self {
        Self {
            lines: None,
            ..self.clone()
        }
    }

    pub(crate) fn destination(&self) -> Result<&Destination, ClientError> {
        self.destination.as_ref().map_err(|error| error.clone().into())
    }

    /// The same, with a credential of Portreeve's own.
    pub fn presenting(mut self, presented: &Presented) -> Result<Self, ClientError> {
        let name = HeaderName::try_from(&presented.header).map_err(|_| {
            ClientError::NotMcp(format!("`{}` is not the name of a header", presented.header))
        })?;
        let mut value = text_value(name.as_str(), presented.value.expose())?;
        value.set_sensitive(true);
        self.presented = Some((name, value));
        Ok(self)
    }

    /// POSTs a message. `initialize` finds out which transport the server speaks; the reply's session stands for either.
    pub async fn post(
        &self,
        egress: &Egress,
        exchange: Exchange<'_>,
        body: Bytes,
    ) -> Result<Reply, ClientError> {
        if http_sse::is_line(&exchange) {
            return match &self.lines {
                Some(lines) => lines.post(self, egress, exchange, body).await,
                None => Ok(Reply::of(StatusCode::NOT_FOUND)),
            };
        }
        match &self.lines {
            // Of the legacy era, and the first of a session if there is one.
            Some(lines) if exchange.session.is_none() && exchange.method.is_none() => {
                lines.first(self, egress, exchange, body).await
            }
            _ => self.post_to(None, egress, exchange, body).await,
        }
    }

    /// POSTs a message to this place, or to the endpoint itself.
    pub(crate) async fn post_to(
        &self,
        place: Option<&Destination>,
        egress: &Egress,
        exchange: Exchange<'_>,
        body: Bytes,
    ) -> Result<Reply, ClientError> {
        let mut request = Self::request(Method::POST, exchange, body)?;
        let headers = request.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(
            ACCEPT,
            HeaderValue::from_static("application/json, text/event-stream"),
        );
        self.send(place, egress, request).await
    }

    /// Opens the stream of a legacy session.
    pub async fn listen(&self, egress: &Egress, exchange: Exchange<'_>) -> Result<Reply, ClientError> {
        match &self.lines {
            Some(lines) if http_sse::is_line(&exchange) => lines.listen(self, egress, exchange).await,
            None if http_sse::is_line(&exchange) => Ok(Reply::of(StatusCode::NOT_FOUND)),
            _ => self.get(egress, exchange).await,
        }
    }

    pub(crate) async fn get(&self, egress: &Egress, exchange: Exchange<'_>) -> Result<Reply, ClientError> {
        let mut request = Self::request(Method::GET, exchange, Bytes::new())?;
        request
            .headers_mut()
            .insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
        self.send(None, egress, request).await
    }

    /// Ends a legacy session.
    pub async fn end_session(&self, egress: &Egress, exchange: Exchange<'_>) -> Result<Reply, ClientError> {
        if http_sse::is_line(&exchange) {
            let ended = self.lines.as_ref().map(|lines| lines.end(exchange));
            return Ok(ended.unwrap_or_else(|| Reply::of(StatusCode::NOT_FOUND)));
        }
        let request = Self::request(Method::DELETE, exchange, Bytes::new())?;
        self.send(None, egress, request).await
    }

    fn request(method: Method, exchange: Exchange<'_>, body: Bytes) -> Result<Request<Bytes>, ClientError> {
        let mut request = Request::new(body);
        *request.method_mut() = method;
        let headers = request.headers_mut();
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if let Some(params) = exchange.params {
            for (name, value) in params {
                headers.append(name.clone(), value.clone());
            }
        }
        let name = exchange.name.map(header::encode);
        let fields = [
            (header::PROTOCOL_VERSION, exchange.protocol_version),
            (header::SESSION_ID, exchange.session),
            (header::METHOD, exchange.method),
            (header::NAME, name.as_deref()),
            (header::LAST_EVENT_ID, exchange.last_event_id),
            (header::TRACEPARENT, exchange.traceparent),
        ];
        for (field, value) in fields {
            if let Some(value) = value {
                let value = text_value(field.as_str(), value)?;
                headers.insert(field, value);
            }
        }
        if let Some(bearer) = exchange.bearer {
            let mut value = text_value("authorization", &format!("Bearer {}", bearer.expose()))?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        Ok(request)
    }

    async fn send(
        &self,
        place: Option<&Destination>,
        egress: &Egress,
        mut request: Request<Bytes>,
    ) -> Result<Reply, ClientError> {
        if let Some((name, value)) = &self.presented {
            request.headers_mut().insert(name, value.clone());
        }
        let destination = match place {
            Some(place) => place,
            None => self.destination()?,
        };
        let response = egress.send_to(destination, request, self.timeout).await?;
        let (head, body) = response.into_parts();
        if let Some(encoding) = encoding(&head.headers) {
            // Never unpacked: what is small on the wire may be large without end.
            return Err(ClientError::Encoded(encoding));
        }
        let content_type = head
            .headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let body = match essence(content_type) {
            kind if kind.eq_ignore_ascii_case("application/json") => ReplyBody::Json(body),
            kind if kind.eq_ignore_ascii_case("text/event-stream") => ReplyBody::Events(body),
            _ => ReplyBody::Other(body),
        };
        let session = head
            .headers
            .get(header::SESSION_ID)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        Ok(Reply {
            status: head.status,
            session,
            retry_after: retry_after(&head.headers),
            body,
        })
    }
}

/// How long a server wants to be left alone. A date is not read: its clock is not ours.
pub fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    let is_plain = !text.is_empty() && text.len() <= 9 && text.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = is_plain.then(|| text.parse().ok()).flatten()?;
    Some(Duration::from_secs(seconds))
}

/// What a body is packed with, shortened for a message; `None` when it is as it is.
fn encoding(headers: &HeaderMap) -> Option<String> {
    let named = |value: &HeaderValue| {
        String::from_utf8_lossy(value.as_bytes())
            .trim()
            .to_ascii_lowercase()
    };
    headers
        .get_all(CONTENT_ENCODING)
        .iter()
        .map(named)
        .find(|encoding| !encoding.is_empty() && encoding != "identity")
        .map(|encoding| encoding.chars().filter(|c| !c.is_control()).take(40).collect())
}

/// The media type without its parameters, in any case.
pub fn essence(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

fn text_value(field: &str, value: &str) -> Result<HeaderValue, ClientError> {
    HeaderValue::from_str(value)
        .map_err(|_| ClientError::NotMcp(format!("the value of `{field}` is not a header value")))
}
