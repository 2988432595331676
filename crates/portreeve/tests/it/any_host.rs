//! Hosts of every revision, written on the wire: nothing of an SDK, and nothing that the gateway is made of but the
//! reader of event streams.

use serde_json::{Value, json};

use crate::node::Node;
use crate::web::{Stream, Web};

/// The date by which a revision is named.
pub(crate) type Revision = &'static str;

/// All of them, the oldest first.
pub(crate) const REVISIONS: [Revision; 5] = ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25", MODERN];
/// The first revision of the modern era.
pub(crate) const MODERN: Revision = "2026-07-28";
/// The last one that has a handshake.
const NEWEST_SESSION: Revision = "2025-11-25";
/// The first revision in which a server may ask the user.
pub(crate) const ELICITATION: Revision = "2025-06-18";

/// Rounds of questions in results before a host gives up.
const ROUNDS: usize = 4;

/// How messages travel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Transport {
    /// One endpoint.
    Http,
    /// One stream, and messages beside it.
    Sse,
}

/// What a host knows of a node.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) web: Web,
    /// The origin.
    pub(crate) url: String,
    pub(crate) key: String,
}

/// A host that has shaken hands, where its revision does.
pub(crate) struct AnyHost {
    web: Web,
    revision: Revision,
    modern: bool,
    /// Where requests go.
    url: String,
    headers: Vec<(&'static str, String)>,
    /// The stream of 2024-11-05, on which everything comes.
    stream: Option<Stream>,
    last_id: i64,
}

/// A request and what was said about it.
#[derive(Debug, Default)]
pub(crate) struct Talk {
    /// Notifications that came before the answer.
    pub(crate) notes: Vec<Value>,
    pub(crate) answer: Value,
}

/// A request under way.
pub(crate) struct Exchange {
    pub(crate) id: i64,
    /// Its own stream; in 2024-11-05 there is none.
    stream: Option<Stream>,
}

impl Place {
    pub(crate) fn of(node: &Node) -> Self {
        Self {
            web: node.web.clone(),
            url: node.url.clone(),
            key: node.key.clone(),
        }
    }
}

impl Exchange {
    /// The stream that goes on after the first message.
    pub(crate) fn into_stream(self) -> Option<Stream> {
        self.stream
    }
}

impl AnyHost {
    /// Connects over the transport that the revision brought. The error is the answer to a handshake that was refused.
    pub(crate) async fn connect(place: &Place, slug: &str, revision: Revision) -> Result<Self, Value> {
        let transport = match revision {
            "2024-11-05" => Transport::Sse,
            _ => Transport::Http,
        };
        Self::connect_over(transport, place, slug, revision).await
    }

    /// Connects over a transport. A host takes whatever older revision it is offered, and one that knows only handshakes
    /// may ask for any.
    pub(crate) async fn connect_over(
        transport: Transport,
        place: &Place,
        slug: &str,
        revision: Revision,
    ) -> Result<Self, Value> {
        let mut host = Self {
            web: place.web.clone(),
            revision,
            modern: transport == Transport::Http && revision == MODERN,
            url: format!("{}/s/{slug}/mcp", place.url),
            headers: vec![
                ("accept", "application/json, text/event-stream".to_owned()),
                ("authorization", format!("Bearer {}", place.key)),
            ],
            stream: None,
            last_id: 0,
        };
        if host.modern {
            host.headers.push(("mcp-protocol-version", MODERN.to_owned()));
            return Ok(host);
        }
        if transport == Transport::Sse {
            host.open_stream(&place.url, slug).await?;
        }
        host.shake_hands().await?;
        Ok(host)
    }

    pub(crate) fn is_modern(&self) -> bool {
        self.modern
    }

    /// The stream of 2024-11-05, whose first event says where messages go.
    async fn open_stream(&mut self, origin: &str, slug: &str) -> Result<(), Value> {
        let url = format!("{origin}/s/{slug}/sse");
        let mut stream = self.web.open("GET", &url, &self.headers, String::new()).await;
        if stream.status != 200 {
            return Err(stream.whole().await.json());
        }
        let first = stream.event().await.expect("a first event");
        assert_eq!(first.name.as_deref(), Some(&b"endpoint"[..]));
        let place = first.data.expect("a place");
        self.url = format!("{origin}{}", String::from_utf8_lossy(&place));
        self.stream = Some(stream);
        Ok(())
    }

    async fn shake_hands(&mut self) -> Result<(), Value> {
        let params = json!({
            "protocolVersion": self.revision, "capabilities": self.capabilities(),
            "clientInfo": {"name": "any host", "version": "1"},
        });
        let mut exchange = self.begin("initialize", params).await;
        if let Some(stream) = &exchange.stream {
            let session = stream.headers.get("mcp-session-id").cloned();
            let session = session.map(|id| id.to_str().expect("a session id").to_owned());
            self.headers
                .extend(session.map(|session| ("mcp-session-id", session)));
        }
        let hello = self.end(&mut exchange).await.answer;
        if hello["error"].is_object() {
            return Err(hello);
        }
        let agreed = hello["result"]["protocolVersion"].as_str();
        let agreed = agreed.filter(|agreed| *agreed <= self.revision.min(NEWEST_SESSION));
        let agreed = agreed.unwrap_or_else(|| panic!("a revision that this host knows: {hello}"));
        assert!(REVISIONS.contains(&agreed), "{hello}");
        // Older hosts do not know this header.
        if agreed >= "2025-06-18" {
            let agreed = agreed.to_owned();
            self.headers.push(("mcp-protocol-version", agreed));
        }
        self.notify("notifications/initialized", json!({})).await;
        Ok(())
    }

    fn capabilities(&self) -> Value {
        let mut capabilities = json!({"sampling": {}});
        if self.revision >= ELICITATION {
            capabilities["elicitation"] = json!({});
        }
        capabilities
    }

    /// Sends a message to which there is no answer.
    pub(crate) async fn notify(&self, method: &str, params: Value) {
        self.say(&json!({"jsonrpc": "2.0", "method": method, "params": params}))
            .await;
    }

    async fn say(&self, message: &Value) {
        let said = self
            .web
            .ask("POST", &self.url, &self.headers, message.to_string())
            .await
            .expect("an answer");
        assert_eq!(said.status, 202, "{message}: {}", said.text());
    }

    /// Sends a request.
    pub(crate) async fn begin(&mut self, method: &str, mut params: Value) -> Exchange {
        self.last_id += 1;
        let id = self.last_id;
        let mut headers = self.headers.clone();
        if self.is_modern() {
            let meta = &mut params["_meta"];
            meta["io.modelcontextprotocol/protocolVersion"] = MODERN.into();
            meta["io.modelcontextprotocol/clientCapabilities"] = self.capabilities();
            headers.push(("mcp-method", method.to_owned()));
            let name = params.get("name").or(params.get("uri")).and_then(Value::as_str);
            headers.extend(name.map(|name| ("mcp-name", name.to_owned())));
        }
        let message = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        if self.stream.is_some() {
            self.say(&message).await;
            return Exchange { id, stream: None };
        }
        let stream = self.web.open("POST", &self.url, &headers, message.to_string());
        Exchange {
            id,
            stream: Some(stream.await),
        }
    }

    /// The next message about a request. Questions of the server are answered on the way.
    pub(crate) async fn next(&mut self, exchange: &mut Exchange) -> Option<Value> {
        loop {
            let message = match (&mut exchange.stream, &mut self.stream) {
                (Some(stream), _) if is_stream(stream) => stream.message().await,
                (Some(_), _) => Some(exchange.stream.take()?.whole().await.json()),
                (None, Some(stream)) => stream.message().await,
                (None, None) => None,
            }?;
            match (message.get("method"), message.get("id")) {
                (Some(_), Some(_)) => self.reply_to(&message).await,
                _ => return Some(message),
            }
        }
    }

    async fn reply_to(&self, question: &Value) {
        let result = answer_to(question);
        self.say(&json!({"jsonrpc": "2.0", "id": question["id"], "result": result}))
            .await;
    }

    /// Reads until the answer.
    async fn end(&mut self, exchange: &mut Exchange) -> Talk {
        let mut talk = Talk::default();
        while let Some(message) = self.next(exchange).await {
            if message.get("method").is_some() {
                talk.notes.push(message);
                continue;
            }
            // Only what cannot be read at all is answered without an id.
            let id = &message["id"];
            assert!(*id == exchange.id || id.is_null(), "{message}");
            talk.answer = message;
            return talk;
        }
        panic!("the stream ended without an answer: {talk:?}");
    }

    /// Asks, answers what is asked back in whichever way the revision has, and returns the end of it.
    pub(crate) async fn talk(&mut self, method: &str, mut params: Value) -> Talk {
        for _ in 0..ROUNDS {
            let mut exchange = self.begin(method, params.clone()).await;
            let talk = self.end(&mut exchange).await;
            let result = &talk.answer["result"];
            if !self.is_modern() || result["resultType"] != "input_required" {
                return talk;
            }
            let questions = result["inputRequests"].as_object().expect("questions");
            let answers = questions
                .iter()
                .map(|(key, question)| (key.clone(), answer_to(question)));
            params["inputResponses"] = Value::Object(answers.collect());
            if let Some(state) = result.get("requestState") {
                params["requestState"] = state.clone();
            }
        }
        panic!("asked more than {ROUNDS} times");
    }

    /// Where the server speaks unasked, in sessions over HTTP.
    pub(crate) async fn listen(&self) -> Stream {
        let stream = self
            .web
            .open("GET", &self.url, &self.headers, String::new())
            .await;
        assert_eq!(stream.status, 200, "a stream for what the server says unasked");
        stream
    }

    /// The next message on the only stream of 2024-11-05.
    pub(crate) async fn heard(&mut self) -> Option<Value> {
        self.stream.as_mut().expect("a stream").message().await
    }

    /// The id of the request that was sent last.
    pub(crate) fn last_id(&self) -> i64 {
        self.last_id
    }

    pub(crate) fn has_one_stream(&self) -> bool {
        self.stream.is_some()
    }
}

fn is_stream(stream: &Stream) -> bool {
    let kind = stream.headers.get("content-type");
    kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"))
}

/// What the person and the model behind the host say.
fn answer_to(question: &Value) -> Value {
    match question["method"].as_str().unwrap_or_default() {
        "elicitation/create" => json!({
            "action": "accept",
            "content": {"username": "ahab", "email": "ahab@pequod.example"},
        }),
        "sampling/createMessage" => json!({
            "role": "assistant", "content": {"type": "text", "text": "Nantucket"}, "model": "harpoon-1",
        }),
        _ => json!({}),
    }
}
