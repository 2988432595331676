//! A request for somebody whom this process knows already, such as the visitor of a page: a tool called, a resource read, a
//! prompt fetched. It walks the corridor that hosts walk, with the caller in hand instead of a credential. Policies, limits,
//! pins and records are the same.
//!
//! Before: a face found out who asks. The caller travels in an extension of the request, which nothing that comes over a
//! network can carry. What is asked is always asked as 2026-07-28 has it: the bridge does the rest for older servers, and a
//! question of a server (an elicitation) is a result here, whose answer comes with the same request again.

mod runs;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HOST};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use portreeve_core::caller::Caller;
use portreeve_core::protocol::{Era, Revision};
use portreeve_mcp::{header, sse};
use serde_json::{Map, Value, json};

use crate::Gateway;
use crate::respond::Body;

pub(crate) use runs::Runs;

/// News of one request that are told; of more, the rest is counted on, and not told.
const MOST_NEWS: usize = 1_000;

/// Who calls, where that is known without a credential.
#[derive(Debug, Clone)]
pub(crate) struct KnownCaller(pub(crate) Caller);

/// What somebody tries.
#[derive(Debug, Clone, PartialEq)]
pub enum Attempt {
    /// A call of a tool.
    Tool {
        /// Its name.
        name: String,
        /// Its arguments.
        arguments: Map<String, Value>,
    },
    /// A resource is read.
    Resource {
        /// Its address.
        uri: String,
    },
    /// A prompt is fetched.
    Prompt {
        /// Its name.
        name: String,
        /// Its arguments, which are texts.
        arguments: Map<String, Value>,
    },
    /// What resources there are: the first page.
    Resources,
    /// What prompts there are: the first page.
    Prompts,
}

/// What comes back for what a server asked.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answers {
    /// By the keys of the questions.
    pub responses: Map<String, Value>,
    /// What the server gave along with its questions, as it was.
    pub state: Option<String>,
}

/// What is told while the answer is on its way.
#[derive(Debug, Clone, PartialEq)]
pub enum ConsoleNews {
    /// It gets on.
    Progress {
        /// How far.
        progress: f64,
        /// Of how much.
        total: Option<f64>,
        /// In words of the server, which nobody looked at.
        message: Option<String>,
    },
    /// The server says something of itself.
    Log(String),
}

/// Hears what is told.
pub type Hear<'a> = &'a (dyn Fn(ConsoleNews) + Send + Sync);

/// Why a call has no answer that could be shown. What the gateway or the server refuses is an answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConsoleError {
    /// It is too large for a page.
    #[error("the answer has more than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// It took too long.
    #[error("there was no answer within {} s", .limit.as_secs())]
    Late {
        /// The limit.
        limit: Duration,
    },
    /// The stream ended before it, or it is none.
    #[error("the answer ended early (HTTP {status})")]
    Broken {
        /// The status that it began with.
        status: u16,
    },
    /// Too much is under way.
    #[error(
        "{each} of your calls from pages are under way, or {all} of everybody's, which is the most at once"
    )]
    Busy {
        /// Of one caller.
        each: usize,
        /// Of all.
        all: usize,
    },
}

// === impl Attempt ===

impl Attempt {
    /// Its method, and what the body and a header name.
    fn parts(&self) -> (&'static str, Option<&str>) {
        match self {
            Self::Tool { name, .. } => ("tools/call", Some(name)),
            Self::Resource { uri } => ("resources/read", Some(uri)),
            Self::Prompt { name, .. } => ("prompts/get", Some(name)),
            Self::Resources => ("resources/list", None),
            Self::Prompts => ("prompts/list", None),
        }
    }

    fn params(self) -> Value {
        match self {
            Self::Tool { name, arguments } | Self::Prompt { name, arguments } => {
                json!({"name": name, "arguments": arguments})
            }
            Self::Resource { uri } => json!({ "uri": uri }),
            Self::Resources | Self::Prompts => json!({}),
        }
    }
}

// === impl Gateway ===

impl Gateway {
    /// Tries something at a route, and answers with the response as JSON-RPC has it: a member `result` or a member `error`.
    /// A result with `resultType` `input_required` is a question; with the answers to it the same is asked again.
    ///
    /// # Errors
    ///
    /// When nothing came that could be shown.
    pub async fn try_for(
        self: &Arc<Self>,
        caller: &Caller,
        (slug, attempt): (&str, Attempt),
        answers: Option<Answers>,
        hear: Hear<'_>,
    ) -> Result<Value, ConsoleError> {
        let (all, each) = (self.limits.console_runs, self.limits.console_runs_each);
        let busy = ConsoleError::Busy { each, all };
        let _run = self.runs.begin(caller.principal, (all, each)).ok_or(busy)?;
        let limit = self.limits.console_wait;
        let call = self.attempted(caller, (slug, attempt), answers, hear);
        tokio::time::timeout(limit, call)
            .await
            .unwrap_or(Err(ConsoleError::Late { limit }))
    }

    async fn attempted(
        self: &Arc<Self>,
        caller: &Caller,
        (slug, attempt): (&str, Attempt),
        answers: Option<Answers>,
        hear: Hear<'_>,
    ) -> Result<Value, ConsoleError> {
        let revision = Revision::V2026_07_28.as_str();
        let (method, name) = attempt.parts();
        let name = name.map(|name| header::encode(name).into_owned());
        let repeated = match &attempt {
            Attempt::Tool { name, arguments } => self.repeated(slug, name, arguments),
            _ => HeaderMap::new(),
        };
        let mut params = attempt.params();
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": revision,
            // A person sits in front of the page: questions can be asked, and pages opened.
            "io.modelcontextprotocol/clientCapabilities": {"elicitation": {"form": {}, "url": {}}},
            "io.modelcontextprotocol/clientInfo": client(),
            "progressToken": 1,
        });
        if let Some(answers) = answers {
            params["inputResponses"] = Value::Object(answers.responses);
            if let Some(state) = answers.state {
                params["requestState"] = state.into();
            }
        }
        let mut headers = vec![(header::PROTOCOL_VERSION, revision), (header::METHOD, method)];
        headers.extend(name.as_deref().map(|name| (header::NAME, name)));
        let text = |value: &'_ HeaderValue| value.to_str().ok().map(str::to_owned);
        let repeated: Vec<(HeaderName, String)> = repeated
            .iter()
            .filter_map(|(name, value)| Some((name.clone(), text(value)?)))
            .collect();
        headers.extend(
            repeated
                .iter()
                .map(|(name, value)| (name.clone(), value.as_str())),
        );
        let message = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params});
        let body = Bytes::from(message.to_string());
        let request = self.request(caller, slug, (Method::POST, &headers), body);
        let response = Box::pin(self.handle(request)).await;
        self.answer(response, hear).await
    }

    /// The headers that repeat arguments, as the tool wants it.
    fn repeated(&self, slug: &str, tool: &str, arguments: &Map<String, Value>) -> HeaderMap {
        let route = self.loader.find(slug);
        let served = route.as_ref().and_then(|route| route.tool(Era::Modern, tool));
        let mirrors = served.and_then(|served| served.mirrors.as_ref().ok());
        let arguments = serde_json::to_string(arguments).ok();
        mirrors
            .and_then(|mirrors| mirrors.headers(arguments.as_deref()).ok())
            .unwrap_or_default()
    }

    /// A request to the endpoint of a route, by somebody who is known.
    pub(crate) fn request(
        &self,
        caller: &Caller,
        slug: &str,
        (method, headers): (Method, &[(HeaderName, &str)]),
        body: Bytes,
    ) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(body));
        *request.method_mut() = method;
        // A slug that is none finds no route, as from outside.
        if let Ok(uri) = format!("/s/{slug}/mcp").parse() {
            *request.uri_mut() = uri;
        }
        let fields = request.headers_mut();
        put(fields, HOST, self.public_url.authority());
        put(fields, CONTENT_TYPE, "application/json");
        put(fields, ACCEPT, "application/json, text/event-stream");
        for (name, value) in headers {
            put(fields, name.clone(), value);
        }
        request.extensions_mut().insert(KnownCaller(caller.clone()));
        request
    }

    /// The response in a body, be it alone or the last of a stream. What is told before it is heard as it comes.
    async fn answer(&self, response: Response<Body>, hear: Hear<'_>) -> Result<Value, ConsoleError> {
        let status = response.status();
        let kind = response.headers().get(CONTENT_TYPE);
        let is_stream = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        let limit = self.limits.held_result_bytes;
        let too_large = ConsoleError::TooLarge { limit };
        let broken = || ConsoleError::Broken {
            status: status.as_u16(),
        };
        let mut body = response.into_body();
        let (mut whole, mut read, mut told) = (Vec::new(), 0_usize, 0_usize);
        let mut events = sse::Reader::new(limit);
        while let Some(frame) = body.frame().await {
            let Ok(data) = frame.map_err(|_| broken())?.into_data() else {
                continue;
            };
            read += data.len();
            if read > limit {
                return Err(too_large);
            }
            if !is_stream {
                whole.extend_from_slice(&data);
                continue;
            }
            events.feed(&data);
            while let Some(event) = events.next_event().map_err(|_| too_large.clone())? {
                let message: Option<Value> = event.data.and_then(|data| serde_json::from_slice(&data).ok());
                let Some(message) = message else { continue };
                if message.get("id").is_some() && message.get("method").is_none() {
                    return Ok(message);
                }
                if let Some(news) = news(&message).filter(|_| told < MOST_NEWS) {
                    told += 1;
                    hear(news);
                }
            }
        }
        if is_stream {
            return Err(broken());
        }
        serde_json::from_slice(&whole).map_err(|_| broken())
    }
}

fn news(message: &Value) -> Option<ConsoleNews> {
    let params = message.get("params")?;
    match message.get("method")?.as_str()? {
        "notifications/progress" => Some(ConsoleNews::Progress {
            progress: params.get("progress")?.as_f64()?,
            total: params.get("total").and_then(Value::as_f64),
            message: params.get("message").and_then(Value::as_str).map(str::to_owned),
        }),
        "notifications/message" => {
            let data = params.get("data")?;
            Some(ConsoleNews::Log(match data {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            }))
        }
        _ => None,
    }
}

fn client() -> Value {
    json!({"name": "portreeve-portal", "version": env!("CARGO_PKG_VERSION")})
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        headers.insert(name, value);
    }
}
