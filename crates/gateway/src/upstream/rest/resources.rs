//! `resources/read`: a URI names an operation of the API and what it takes, and what comes back is what is read.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use portreeve_client::Reply;
use portreeve_core::protocol::Era;
use portreeve_core::rest::{Resource, Variable};
use portreeve_inspect::ValueProblem;
use portreeve_mcp::{answer, code};
use portreeve_net::Egress;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use super::Api;
use super::call::{Called, listed, told};
use super::content::{Answer, Read};
use super::failure;
use super::protocol::Failure;
use super::results::{Block, Outcome};
use super::told::replied;
use super::uris::Found;
use crate::translate::Outbound;

#[derive(Deserialize)]
struct Asked {
    uri: String,
}

impl Api {
    /// Reads a resource.
    pub(super) async fn read(
        self: &Arc<Self>,
        egress: &Egress,
        outbound: &Outbound,
        id: &RawValue,
        params: Option<&RawValue>,
    ) -> Reply {
        let read = match serde_json::from_str::<Asked>(params.map_or("{}", RawValue::get)) {
            Ok(Asked { uri }) => self.contents(egress, outbound, &uri).await,
            Err(error) => Err(refused(format!("Invalid params: {error}"))),
        };
        let written = read.map(|content| {
            let mut result = json!({ "contents": [content] });
            if outbound.era == Era::Modern {
                // What an API says may be different the next moment.
                self.complete(&mut result, Some(0));
            }
            answer::result(id, result)
        });
        let most = self.commons.limits.held_result_bytes;
        let body = match written {
            Ok(bytes) if bytes.len() <= most => Ok(bytes),
            Ok(_) => Err(failed(format!("The API's answer is longer than {most} bytes."))),
            Err(failure) => Err(failure),
        };
        let body = body.unwrap_or_else(|failure| {
            answer::error(Some(id), failure.code, &failure.message, failure.data.as_ref())
        });
        replied(StatusCode::OK, body)
    }

    async fn contents(&self, egress: &Egress, outbound: &Outbound, uri: &str) -> Result<Value, Failure> {
        let Some(Found { resource, values }) = self.uris.find(&self.bindings, uri) else {
            return Err(missing(outbound.era, uri));
        };
        let arguments = Value::Object(arguments(resource, &values));
        if resource.is_template() {
            let problems = self
                .judge(&resource.uri, &resource.binding, &self.unlisted, &arguments)
                .ok_or_else(|| failed("The gateway cannot judge what this URI names.".to_owned()))?;
            if !problems.is_empty() {
                return Err(unfit(&problems));
            }
        }
        let Value::Object(arguments) = arguments else {
            return Err(missing(outbound.era, uri));
        };
        let called = Called {
            tool: &resource.name,
            binding: &resource.binding,
            arguments: &arguments,
        };
        let fetched = self
            .fetch(egress, outbound, called)
            .await
            .map_err(|problems| unfit(&problems))?;
        match fetched {
            Ok(answer) => Ok(content(resource, uri, &answer)),
            Err(outcome) if matches!(outcome.status, Some(StatusCode::NOT_FOUND | StatusCode::GONE)) => {
                Err(missing(outbound.era, uri))
            }
            Err(outcome) => Err(failed(words(outcome))),
        }
    }

    /// One request and its answer. An outer error is one of the arguments, an inner one says what went wrong.
    async fn fetch(
        &self,
        egress: &Egress,
        outbound: &Outbound,
        called: Called<'_>,
    ) -> Result<Result<Answer, Outcome>, Vec<ValueProblem>> {
        let trip = match self.trip(egress, outbound, called.binding).await {
            Ok(trip) => trip,
            Err(outcome) => return Ok(Err(outcome)),
        };
        let request = self.request(called, None)?;
        let to = match trip.destination(&request) {
            Ok(to) => to,
            Err(error) => return Ok(Err(failure::unreached(&error, called.binding))),
        };
        Ok(match self.once(&trip, &to, &request).await {
            Ok(Read::Whole(answer)) => Ok(answer),
            Ok(Read::Events(_)) => Err(Outcome::failure(
                "The API answered with events, which nobody can read to an end.",
            )),
            Err(outcome) => Err(outcome),
        })
    }
}

/// The arguments that a URI's variables stand for.
fn arguments(resource: &Resource, values: &[(String, String)]) -> Map<String, Value> {
    let mut arguments = Map::new();
    for (name, kind) in &resource.variables {
        let mut given = values
            .iter()
            .filter(|(variable, _)| variable == name)
            .map(|(_, text)| text);
        let value = match kind {
            Variable::Text => given.next_back().map(|text| json!(text)),
            Variable::Plain => given.next_back().map(|text| plain(text)),
            Variable::Texts => Some(given.map(|text| json!(text)).collect()),
            Variable::Plains => Some(given.map(|text| plain(text)).collect()),
        };
        let is_given = |value: &Value| value.as_array().is_none_or(|list| !list.is_empty());
        if let Some(value) = value.filter(is_given) {
            arguments.insert(name.clone(), value);
        }
    }
    arguments
}

fn plain(text: &str) -> Value {
    match serde_json::from_str(text) {
        Ok(value @ (Value::Number(_) | Value::Bool(_) | Value::Null)) => value,
        _ => json!(text),
    }
}

/// What was read: as text, or as bytes in Base64.
fn content(resource: &Resource, uri: &str, answer: &Answer) -> Value {
    let mut content = json!({ "uri": uri });
    let known = resource.mime_type.as_deref().filter(|_| answer.kind.is_empty());
    let kind = known.or((!answer.kind.is_empty()).then_some(&answer.kind));
    if let Some(kind) = kind {
        content["mimeType"] = json!(kind);
    }
    if answer.is_text() || answer.is_json() {
        content["text"] = json!(answer.text());
    } else {
        content["blob"] = json!(STANDARD.encode(&answer.bytes));
    }
    content
}

fn words(outcome: Outcome) -> String {
    let texts = outcome.blocks.into_iter().filter_map(|block| match block {
        Block::Text { text } => Some(text),
        _ => None,
    });
    texts.collect::<Vec<_>>().join(" ")
}

fn unfit(problems: &[ValueProblem]) -> Failure {
    Failure {
        data: Some(listed(problems)),
        ..refused(told(problems))
    }
}

fn refused(message: String) -> Failure {
    Failure {
        code: code::INVALID_PARAMS,
        message,
        data: None,
    }
}

fn failed(message: String) -> Failure {
    Failure {
        code: code::INTERNAL_ERROR,
        message,
        data: None,
    }
}

/// There is no such resource, here or in the API.
fn missing(era: Era, uri: &str) -> Failure {
    Failure {
        code: match era {
            Era::Legacy => code::RESOURCE_NOT_FOUND_LEGACY,
            Era::Modern => code::INVALID_PARAMS,
        },
        message: "Resource not found".to_owned(),
        data: Some(json!({ "uri": uri })),
    }
}
