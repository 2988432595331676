//! HTTP as a host speaks it, with nothing between the test and the wire but the connection pool.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request};
use http_body_util::BodyExt as _;

use portreeve_mcp::sse;
use portreeve_net::{Egress, EgressConfig, Reach, ResponseBody, read_body};
use serde_json::{Value, json};

/// A host's side of the wire.
#[derive(Clone)]
pub(crate) struct Web(Egress);

/// A whole answer.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    /// A header.
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON; of an event stream, its last message.
    pub(crate) fn json(&self) -> Value {
        let text = self.text();
        let last = text
            .lines()
            .rev()
            .find_map(|line| line.strip_prefix("data: ").filter(|data| !data.is_empty()));
        let json = if self.header("content-type").starts_with("text/event-stream") {
            last.unwrap_or_default()
        } else {
            &text
        };
        serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {} {text}", self.status))
    }
}

impl Answer {
    /// Every message of an event stream.
    pub(crate) fn events(&self) -> Vec<Value> {
        let text = self.text();
        let data = text.lines().filter_map(|line| line.strip_prefix("data: "));
        data.filter(|data| !data.is_empty())
            .map(|data| serde_json::from_str(data).expect("JSON in the event"))
            .collect()
    }
}

/// An answer that is still coming.
pub(crate) struct Stream {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    body: ResponseBody,
    reader: sse::Reader,
}

impl Stream {
    /// The next message; `None` at the end.
    pub(crate) async fn message(&mut self) -> Option<Value> {
        loop {
            // The first event of a stream may carry nothing but an id.
            if let Some(data) = self.event().await?.data.filter(|data| !data.is_empty()) {
                return Some(serde_json::from_slice(&data).expect("JSON in the event"));
            }
        }
    }

    /// The rest of the body, of an answer that is no stream.
    pub(crate) async fn whole(mut self) -> Answer {
        let mut body = Vec::new();
        while let Some(Ok(frame)) = self.body.frame().await {
            body.extend_from_slice(frame.data_ref().map_or(&[][..], |data| &data[..]));
        }
        Answer {
            status: self.status,
            headers: self.headers,
            body: body.into(),
        }
    }

    /// The next event or comment; `None` at the end.
    pub(crate) async fn event(&mut self) -> Option<sse::Event> {
        loop {
            if let Some(event) = self.reader.next_event().expect("events within the limit") {
                return Some(event);
            }
            let frame = self.body.frame().await?.ok()?;
            self.reader.feed(frame.data_ref()?);
        }
    }
}

pub(crate) type Headers<'a> = &'a [(&'a str, String)];

impl Web {
    /// A host that trusts one more certificate.
    pub(crate) fn trusting(certificate: &[u8]) -> Self {
        let config = EgressConfig {
            ca_pem: Some(certificate.to_vec()),
            ..EgressConfig::default()
        };
        Self(Egress::new(&config).expect("a way out"))
    }

    pub(crate) fn new() -> Self {
        Self(Egress::new(&EgressConfig::default()).expect("a way out"))
    }

    async fn send(
        &self,
        method: &str,
        url: &str,
        headers: Headers<'_>,
        body: String,
    ) -> Result<http::Response<ResponseBody>, String> {
        let mut request = Request::builder().method(method).uri(url);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        if !body.is_empty() && !headers.iter().any(|(name, _)| *name == "content-type") {
            request = request.header("content-type", "application/json");
        }
        let request = request
            .body(Bytes::from(body))
            .map_err(|error| error.to_string())?;
        self.0
            .send(request, &Reach::Operator, Duration::from_secs(60))
            .await
            .map_err(|error| error.to_string())
    }

    /// Asks, and reads the whole answer.
    pub(crate) async fn ask(
        &self,
        method: &str,
        url: &str,
        headers: Headers<'_>,
        body: String,
    ) -> Result<Answer, String> {
        let (head, body) = self.send(method, url, headers, body).await?.into_parts();
        let body = read_body(body, 64 * 1024 * 1024, Duration::from_secs(60))
            .await
            .map_err(|error| error.to_string())?;
        Ok(Answer {
            status: head.status.as_u16(),
            headers: head.headers,
            body,
        })
    }

    /// GETs a page.
    pub(crate) async fn get(&self, url: &str) -> Result<Answer, String> {
        self.ask("GET", url, &[], String::new()).await
    }

    /// Asks, and returns with the head.
    pub(crate) async fn open(&self, method: &str, url: &str, headers: Headers<'_>, body: String) -> Stream {
        let (head, body) = self
            .send(method, url, headers, body)
            .await
            .expect("an answer")
            .into_parts();
        let reader = sse::Reader::new(16 * 1024 * 1024);
        Stream {
            status: head.status.as_u16(),
            headers: head.headers,
            body,
            reader,
        }
    }
}

/// The headers and the body of a modern request.
pub(crate) fn modern(
    key: Option<&str>,
    id: i64,
    method: &str,
    mut params: Value,
) -> (Vec<(&'static str, String)>, String) {
    params["_meta"]["io.modelcontextprotocol/protocolVersion"] = "2026-07-28".into();
    let declared = &mut params["_meta"]["io.modelcontextprotocol/clientCapabilities"];
    if declared.is_null() {
        *declared = json!({});
    }
    let mut headers = vec![
        ("accept", "application/json, text/event-stream".to_owned()),
        ("mcp-protocol-version", "2026-07-28".to_owned()),
        ("mcp-method", method.to_owned()),
    ];
    let name = params.get("name").or(params.get("uri")).and_then(Value::as_str);
    headers.extend(name.map(|name| ("mcp-name", name.to_owned())));
    headers.extend(key.map(|key| ("authorization", format!("Bearer {key}"))));
    (
        headers,
        json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string(),
    )
}

/// A legacy host: initialized once.
pub(crate) struct LegacyHost {
    web: Web,
    pub(crate) url: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    /// What `initialize` answered.
    pub(crate) hello: Answer,
}

impl LegacyHost {
    pub(crate) async fn connect(web: &Web, url: &str, key: Option<&str>) -> Self {
        Self::connect_able(web, url, key, json!({})).await
    }

    /// One that declares these capabilities.
    pub(crate) async fn connect_able(web: &Web, url: &str, key: Option<&str>, able: Value) -> Self {
        let mut headers = vec![("accept", "application/json, text/event-stream".to_owned())];
        headers.extend(key.map(|key| ("authorization", format!("Bearer {key}"))));
        let params = json!({"protocolVersion": "2025-11-25", "capabilities": able, "clientInfo": {"name": "test", "version": "1"}});
        let body = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params});
        let hello = web
            .ask("POST", url, &headers, body.to_string())
            .await
            .expect("an answer");
        assert_eq!(hello.status, 200, "{}", hello.text());
        headers.push(("mcp-session-id", hello.header("mcp-session-id").to_owned()));
        headers.push(("mcp-protocol-version", "2025-11-25".to_owned()));
        let host = Self {
            web: web.clone(),
            url: url.to_owned(),
            headers,
            hello,
        };
        let noted = host
            .post(json!({"jsonrpc": "2.0", "method": "notifications/initialized"}))
            .await;
        assert_eq!((noted.status, noted.text().as_str()), (202, ""));
        host
    }

    /// The same host with the same session, at another node.
    pub(crate) fn at(&self, url: String) -> Self {
        Self {
            web: self.web.clone(),
            url,
            headers: self.headers.clone(),
            hello: self.hello.clone(),
        }
    }

    pub(crate) async fn post(&self, message: Value) -> Answer {
        self.web
            .ask("POST", &self.url, &self.headers, message.to_string())
            .await
            .expect("an answer")
    }

    pub(crate) async fn request(&self, id: Value, method: &str, params: Value) -> Answer {
        self.post(json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}))
            .await
    }

    /// A request of the session that has no body.
    pub(crate) async fn ask(&self, verb: &str) -> Answer {
        let asked = self.web.ask(verb, &self.url, &self.headers, String::new());
        asked.await.expect("an answer")
    }

    pub(crate) async fn open(&self, message: Value) -> Stream {
        self.web
            .open("POST", &self.url, &self.headers, message.to_string())
            .await
    }
}
