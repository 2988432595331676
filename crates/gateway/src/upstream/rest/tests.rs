//! Calls of tools against an API that is a script over TCP: what it is sent, byte for byte, and what becomes of what it
//! answers.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http_body_util::BodyExt as _;
use portreeve_client::ReplyBody;
use portreeve_core::id::RouteId;
use portreeve_core::limits::Limits;
use portreeve_core::login::{Login, Presented};
use portreeve_core::name::SecretName;
use portreeve_core::ports::{Outgoing, Purpose, SecretUnavailable};
use portreeve_core::protocol::Era;
use portreeve_core::random::Rng;
use portreeve_core::rest::Bindings;
use portreeve_core::route::{Access, PinState, Route, RouteState};
use portreeve_core::secret::Secret;
use portreeve_core::server::PrivateHost;
use portreeve_core::time::Timestamp;
use portreeve_core::tool::{Tool, ToolDefinition};
use portreeve_net::{Egress, EgressConfig};
use prometheus_client::registry::Registry;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::{Api, Commons, Secrets};
use crate::metrics::Metrics;
use crate::policy::{Credential, Form};
use crate::translate::Outbound;

mod answers;
mod credentials;
mod events;
mod failures;
mod graphql;
mod offers;
mod protocol;
mod round_trip;

/// A request as it came over the wire.
#[derive(Debug, Clone)]
struct Seen {
    line: String,
    fields: Vec<String>,
    body: Vec<u8>,
}

impl Seen {
    /// Stands for the end of a connection that was written to without end.
    fn gone() -> Self {
        Self {
            line: "GONE".to_owned(),
            fields: Vec::new(),
            body: Vec::new(),
        }
    }

    fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find_map(|field| {
            let (key, value) = field.split_once(':')?;
            key.eq_ignore_ascii_case(name).then_some(value.trim())
        })
    }
}

type Script = dyn Fn(&Seen, usize) -> String + Send + Sync;

/// An API that answers by a script; nothing, when the script has no answer.
struct Double {
    url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Double {
    async fn start(script: impl Fn(&Seen, usize) -> String + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/base/v2", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (script, book): (Arc<Script>, _) = (Arc::new(script), Arc::clone(&seen));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, Arc::clone(&script), Arc::clone(&book)));
            }
        });
        Self { url, seen }
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    fn forget(&self) {
        self.seen.lock().unwrap().clear();
    }
}

async fn serve(mut stream: TcpStream, script: Arc<Script>, book: Arc<Mutex<Vec<Seen>>>) {
    let mut bytes = Vec::new();
    loop {
        let end = loop {
            if let Some(end) = bytes.windows(4).position(|four| four == b"\r\n\r\n") {
                break end;
            }
            if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
                return;
            }
        };
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let mut lines = head.split("\r\n").map(str::to_owned);
        let mut seen = Seen {
            line: lines.next().unwrap(),
            fields: lines.collect(),
            body: Vec::new(),
        };
        let length = seen
            .field("content-length")
            .map_or(0, |length| length.parse().unwrap());
        while bytes.len() < end + 4 + length {
            stream.read_buf(&mut bytes).await.unwrap();
        }
        seen.body = bytes[end + 4..end + 4 + length].to_vec();
        bytes.drain(..end + 4 + length);
        let number = {
            let mut book = book.lock().unwrap();
            book.push(seen.clone());
            book.len()
        };
        let answer = script(&seen, number);
        if answer.is_empty() {
            return;
        }
        let (now, later) = answer.split_once("<WAIT>").unwrap_or((&answer, ""));
        stream.write_all(now.as_bytes()).await.unwrap();
        if later == "FOREVER" {
            // Whoever asked is told the same until he goes.
            let piece = "8\r\ndata: .\n\r\n1\r\n\n\r\n";
            while stream.write_all(piece.as_bytes()).await.is_ok() {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            book.lock().unwrap().push(Seen::gone());
            return;
        }
        if !later.is_empty() {
            tokio::time::sleep(Duration::from_millis(300)).await;
            let _ = stream.write_all(later.as_bytes()).await;
        }
    }
}

fn answered(status: &str, fields: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\n{fields}content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn ok_json(body: &Value) -> String {
    answered("200 OK", "content-type: application/json\r\n", &body.to_string())
}

#[derive(Debug)]
struct Zeros;

impl Rng for Zeros {
    fn fill(&self, bytes: &mut [u8]) {
        bytes.fill(0);
    }
}

/// What the one secret of the vault, `key`, is.
const SECRET: &str = "s3cr3t/of-the-route";

struct Vault;

#[async_trait::async_trait]
impl Outgoing for Vault {
    async fn open(&self, name: &SecretName, _purpose: Purpose) -> Result<Secret, SecretUnavailable> {
        if name.as_str() == "key" {
            return Ok(Secret::new(SECRET));
        }
        Err(SecretUnavailable::Unknown(name.clone()))
    }

    async fn login(&self, login: &Login, _purpose: Purpose) -> Result<Presented, SecretUnavailable> {
        Err(SecretUnavailable::Unknown(login.secret().0.clone()))
    }
}

fn definition(name: &str, schema: Value) -> ToolDefinition {
    let text = json!({"name": name, "inputSchema": schema}).to_string();
    portreeve_inspect::tool_definition(&text).unwrap()
}

fn route(url: &str) -> Route {
    Route {
        id: RouteId::REGISTRY,
        slug: "petstore".parse().unwrap(),
        server: "com.acme/petstore".parse().unwrap(),
        environment: "production".parse().unwrap(),
        major: None,
        version: "2.1.0".parse().unwrap(),
        upstream_url: url.to_owned(),
        upstream_eras: Vec::new(),
        private_hosts: vec![PrivateHost {
            host: "127.0.0.1".to_owned(),
            port: url::Url::parse(url).unwrap().port().unwrap(),
        }],
        access: Access::Credential,
        state: RouteState::Active,
        pin_state: PinState::Pinned,
        policies: Vec::new(),
        upstream_timeout_ms: 2_000,
        protocol: Default::default(),
        session_affinity: Default::default(),
        server_requests: Default::default(),
        list_cache_ms: 0,
        credentials: Default::default(),
        revision: 1,
        created_at: Timestamp::from_millis(0),
        updated_at: Timestamp::from_millis(0),
    }
}

/// A server with one tool, `do`, in front of an API.
struct Front {
    api: Arc<Api>,
    egress: Egress,
}

impl Front {
    fn new(url: &str, binding: Value, schema: Value) -> Self {
        Self::with_limits(url, binding, schema, Limits::for_tests())
    }

    fn with_limits(url: &str, binding: Value, schema: Value, limits: Limits) -> Self {
        let bindings = json!({"format": 1, "tools": {"do": binding}});
        Self::with_bindings(url, bindings, schema, limits)
    }

    fn with_bindings(url: &str, bindings: Value, schema: Value, limits: Limits) -> Self {
        Self::made((&route(url), Vec::new()), bindings, schema, limits)
    }

    /// A front that shows the secret of the vault in a form. It may reach these hosts besides its own.
    fn with_credential(url: &str, form: Form, bindings: Value, more: &[&str]) -> Self {
        Self::with_credentials(url, vec![form], bindings, more)
    }

    /// The same in several forms at once.
    fn with_credentials(url: &str, forms: Vec<Form>, bindings: Value, more: &[&str]) -> Self {
        let mut route = route(url);
        for other in more {
            route.private_hosts.extend(self::route(other).private_hosts);
        }
        let shown = |form| Credential {
            secret: "key".parse().unwrap(),
            form,
        };
        let credentials = forms.into_iter().map(shown).collect();
        Self::made((&route, credentials), bindings, any(), Limits::for_tests())
    }

    fn made(
        (route, credentials): (&Route, Vec<Credential>),
        bindings: Value,
        schema: Value,
        limits: Limits,
    ) -> Self {
        let bindings: Bindings = serde_json::from_value(bindings).unwrap();
        let approved = definition("do", schema);
        let tools: Vec<Tool> = [Era::Legacy, Era::Modern]
            .into_iter()
            .map(|era| Tool {
                name: "do".to_owned(),
                era,
                approved: Some(approved.clone()),
                live: Some(approved.clone()),
                hidden: false,
                approved_by: None,
                approved_at: None,
                seen_at: None,
            })
            .collect();
        let commons = Commons::new(
            Arc::new(limits),
            Arc::new(Zeros),
            Metrics::new(&mut Registry::default()),
            Arc::new(Secrets::new(Arc::new(Vault))),
        );
        let commons = Arc::new(commons);
        let api = Api::new(&commons, route, &tools, Arc::new(bindings), credentials).unwrap();
        Self {
            api: Arc::new(api),
            egress: Egress::new(&EgressConfig::default()).unwrap(),
        }
    }

    /// Sends a message, and reads the whole answer: its messages, in their order.
    async fn messages(&self, era: Era, message: Value) -> Vec<Value> {
        match self.reply(era, message).await {
            ReplyBody::Json(body) => {
                let bytes = body.collect().await.unwrap().to_bytes();
                vec![serde_json::from_slice(&bytes).unwrap()]
            }
            ReplyBody::Events(body) => {
                let bytes = body.collect().await.unwrap().to_bytes();
                let text = String::from_utf8(bytes.to_vec()).unwrap();
                text.lines()
                    .filter_map(|line| line.strip_prefix("data: "))
                    .map(|data| serde_json::from_str(data).unwrap())
                    .collect()
            }
            ReplyBody::Other(_) => Vec::new(),
        }
    }

    /// Sends a message, and leaves its answer to be read.
    async fn reply(&self, era: Era, message: Value) -> ReplyBody {
        let outbound = Outbound {
            era,
            body: Bytes::from(message.to_string()),
            method: None,
            name: None,
            params: HeaderMap::new(),
            under_way: None,
            session: None,
            traceparent: None,
            crossing: None,
            made_by: None,
            allowed: None,
        };
        self.api.answer(&self.egress, &outbound).await.unwrap().body
    }

    async fn ask(&self, era: Era, method: &str, params: Value) -> Value {
        let message = json!({"jsonrpc": "2.0", "id": 7, "method": method, "params": params});
        let mut messages = self.messages(era, message).await;
        let last = messages.pop().unwrap();
        assert_eq!(last["id"], 7, "{last}");
        last
    }

    async fn call(&self, arguments: Value) -> Value {
        self.ask(
            Era::Legacy,
            "tools/call",
            json!({"name": "do", "arguments": arguments}),
        )
        .await
    }

    /// The result of a call, which has one.
    async fn result(&self, arguments: Value) -> Value {
        let answer = self.call(arguments).await;
        assert!(answer["result"].is_object(), "{answer}");
        answer["result"].clone()
    }
}

/// A binding of `GET /items`.
fn get(more: Value) -> Value {
    let mut binding = json!({"method": "GET", "path": [{"literal": "/items"}], "retry": "safe"});
    for (name, value) in more.as_object().unwrap() {
        binding[name] = value.clone();
    }
    binding
}

fn any() -> Value {
    json!({"type": "object"})
}

fn text(result: &Value) -> &str {
    result["content"][0]["text"]
        .as_str()
        .unwrap_or_else(|| panic!("{result}"))
}
