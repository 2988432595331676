//! The MCP server in front of a REST API, in both eras: handshakes, lists, and what it does not have.

use std::borrow::Cow;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::StatusCode;
use portreeve_client::{ClientError, Reply};
use portreeve_core::protocol::{Era, Revision};
use portreeve_mcp::envelope::Message;
use portreeve_mcp::{answer, code};
use portreeve_net::Egress;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::Api;
use super::told::{replied, reply};
use crate::translate::Outbound;

/// Hosts may keep a list for so long, unless they are told of a change: tools change when an entry is applied.
const LIST_TTL_MS: u64 = 60_000;

/// Why there is no result.
pub(super) struct Failure {
    pub(super) code: i64,
    pub(super) message: String,
    pub(super) data: Option<Value>,
}

/// What `initialize` and lists say besides.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Asked {
    #[serde(rename = "protocolVersion")]
    version: Option<Value>,
    cursor: Option<Value>,
}

impl Api {
    /// Answers one message.
    pub async fn answer(
        self: &Arc<Self>,
        egress: &Egress,
        outbound: &Outbound,
    ) -> Result<Reply, ClientError> {
        let message =
            Message::parse(&outbound.body).map_err(|error| ClientError::NotMcp(error.to_string()))?;
        let Message::Request { id, method, params } = message else {
            return Ok(reply(StatusCode::ACCEPTED, None));
        };
        if method == "tools/call" {
            return self.call(egress, outbound, id, params).await;
        }
        if method == "resources/read" {
            return Ok(self.read(egress, outbound, id, params).await);
        }
        if method == "subscriptions/listen" && outbound.era == Era::Modern {
            return Ok(self.subscribed(id, params));
        }
        let outcome = match outbound.era {
            Era::Legacy => self.legacy(&method, params),
            Era::Modern => self.modern(&method, params),
        };
        Ok(match outcome {
            Ok(result) => replied(StatusCode::OK, answer::result(id, result)),
            Err(failure) => {
                let is_missing = failure.code == code::METHOD_NOT_FOUND && outbound.era == Era::Modern;
                let status = if is_missing {
                    StatusCode::NOT_FOUND
                } else {
                    StatusCode::OK
                };
                let data = failure.data.as_ref();
                replied(
                    status,
                    answer::error(Some(id), failure.code, &failure.message, data),
                )
            }
        })
    }

    fn legacy(&self, method: &str, params: Option<&RawValue>) -> Result<Value, Failure> {
        let asked = asked(params);
        match method {
            "initialize" => {
                let proposed = asked.version.as_ref().and_then(Value::as_str);
                let known = proposed.and_then(|text| text.parse::<Revision>().ok());
                let agreed = known
                    .filter(|revision| revision.era() == Era::Legacy)
                    .unwrap_or(Revision::NEWEST_LEGACY);
                Ok(json!({
                    "protocolVersion": agreed.as_str(),
                    "capabilities": self.capabilities(),
                    "serverInfo": self.identity(),
                }))
            }
            "ping" => Ok(json!({})),
            other => self.either(Era::Legacy, other, asked.cursor.as_ref(), params),
        }
    }

    fn modern(&self, method: &str, params: Option<&RawValue>) -> Result<Value, Failure> {
        let mut result = match method {
            "server/discover" => json!({
                "supportedVersions": Revision::ALL.map(Revision::as_str),
                "capabilities": self.capabilities(),
            }),
            other => self.either(Era::Modern, other, asked(params).cursor.as_ref(), params)?,
        };
        self.complete(&mut result, (method != "prompts/get").then_some(LIST_TTL_MS));
        Ok(result)
    }

    /// What is the same in both eras.
    fn either(
        &self,
        era: Era,
        method: &str,
        cursor: Option<&Value>,
        params: Option<&RawValue>,
    ) -> Result<Value, Failure> {
        let resources = |templates: bool| {
            let all = self.bindings.resources.iter();
            let listed = all.filter(move |(_, resource)| resource.is_template() == templates);
            listed.map(|(key, resource)| (key.as_str(), resource.listed().to_string().into()))
        };
        match method {
            "tools/list" => {
                let tools = self.tools(era).iter();
                let tools = tools.map(|(name, tool)| (name.as_str(), Cow::Borrowed(&*tool.definition)));
                self.page("tools", tools, cursor)
            }
            "resources/list" => self.page("resources", resources(false), cursor),
            "resources/templates/list" => self.page("resourceTemplates", resources(true), cursor),
            "prompts/list" => {
                let prompts = self.bindings.prompts.iter();
                let prompts =
                    prompts.map(|(name, prompt)| (name.as_str(), prompt.listed(name).to_string().into()));
                self.page("prompts", prompts, cursor)
            }
            "prompts/get" => self.prompt(params),
            other => Err(missing(other)),
        }
    }

    /// What there is of, and what hosts hear of when it changes.
    fn capabilities(&self) -> Value {
        let mut capabilities = json!({"tools": {"listChanged": true}});
        let offers = [
            ("resources", self.bindings.resources.is_empty()),
            ("prompts", self.bindings.prompts.is_empty()),
        ];
        for (name, _) in offers.iter().filter(|(_, is_empty)| !is_empty) {
            capabilities[*name] = json!({"listChanged": true});
        }
        capabilities
    }

    /// What a result of the modern era says besides; how long it may be kept, where it may be.
    pub(super) fn complete(&self, result: &mut Value, ttl: Option<u64>) {
        result["resultType"] = json!("complete");
        result["_meta"] = json!({"io.modelcontextprotocol/serverInfo": self.identity()});
        if let Some(ttl) = ttl {
            result["ttlMs"] = json!(ttl);
            result["cacheScope"] = json!("private");
        }
    }

    pub(super) fn identity(&self) -> Value {
        json!({"name": self.name, "version": self.version})
    }

    /// A list as it was approved, in the order of its keys: models that see the same list in the same order cost their
    /// users less. Long lists come in pages, so that no message is larger than hosts take.
    fn page<'a>(
        &self,
        member: &str,
        items: impl Iterator<Item = (&'a str, Cow<'a, str>)>,
        cursor: Option<&Value>,
    ) -> Result<Value, Failure> {
        let after = match cursor {
            None | Some(Value::Null) => None,
            Some(cursor) => Some(last_of(cursor).ok_or_else(|| Failure {
                code: code::INVALID_PARAMS,
                message: "Invalid params: `cursor` is none of ours".to_owned(),
                data: None,
            })?),
        };
        let (mut listed, mut bytes, mut last) = (Vec::new(), 0, None);
        let mut next = None;
        for (key, text) in items {
            if after.as_deref().is_some_and(|after| key <= after) {
                continue;
            }
            if bytes > 0 && bytes + text.len() > self.commons.limits.tool_page_bytes {
                next = last;
                break;
            }
            bytes += text.len();
            let Ok(raw) = RawValue::from_string(text.into_owned()) else {
                continue;
            };
            listed.push(raw);
            last = Some(key);
        }
        let mut page = json!({});
        page[member] = serde_json::to_value(&listed).map_err(|error| Failure {
            code: code::INTERNAL_ERROR,
            message: format!("Internal error: {error}"),
            data: None,
        })?;
        if let Some(key) = next {
            page["nextCursor"] = json!(URL_SAFE_NO_PAD.encode(key));
        }
        Ok(page)
    }
}

fn missing(method: &str) -> Failure {
    Failure {
        code: code::METHOD_NOT_FOUND,
        message: format!("Method not found: {method}"),
        data: None,
    }
}

fn last_of(cursor: &Value) -> Option<String> {
    let bytes = URL_SAFE_NO_PAD.decode(cursor.as_str()?).ok()?;
    String::from_utf8(bytes).ok()
}

/// What is no object holds nothing that is asked for here.
fn asked(params: Option<&RawValue>) -> Asked {
    params
        .and_then(|params| serde_json::from_str(params.get()).ok())
        .unwrap_or_default()
}
