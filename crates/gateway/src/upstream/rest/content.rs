//! An answer of success, and what it is to a host: structured content, text, an image, a sound, or bytes.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};
use http::response::Parts;
use http::{HeaderMap, StatusCode};
use portreeve_client::exchange::essence;
use portreeve_core::limits::Limits;
use portreeve_core::rest::{Binding, Structured};
use portreeve_mcp::depth;
use portreeve_net::{NetError, ResponseBody, read_body};
use serde_json::value::RawValue;
use serde_json::{Value, json};
use std::time::Duration;

use super::Api;
use super::results::{Blob, Block, Outcome, beginning};
use super::shape::{Shaped, shape};

/// An answer that was read.
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    /// Its media type, without parameters, in lower case.
    pub(super) kind: String,
    /// Whether its text says that it is Latin-1.
    is_latin: bool,
    pub(super) bytes: Bytes,
}

/// An answer as it comes.
pub(super) enum Read {
    Whole(Answer),
    Events(ResponseBody),
}

impl Answer {
    /// Reads an answer within the limits; events are left to whoever follows them.
    pub(super) async fn read(
        head: Parts,
        body: ResponseBody,
        limits: &Limits,
        patience: Duration,
    ) -> Result<Read, Result<NetError, Outcome>> {
        let encoded = head
            .headers
            .get_all(CONTENT_ENCODING)
            .iter()
            .any(|value| !value.as_bytes().eq_ignore_ascii_case(b"identity"));
        if encoded {
            // Never unpacked: what is small on the wire may be large without end.
            return Err(Err(Outcome::failure(
                "The API's answer is compressed, although the gateway asked for a plain one. Tell an administrator.",
            )));
        }
        let content_type = head
            .headers
            .get(CONTENT_TYPE)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default();
        let kind = essence(content_type).to_ascii_lowercase();
        if kind == "text/event-stream" {
            return Ok(Read::Events(body));
        }
        let parameters = content_type.to_ascii_lowercase();
        let is_latin = parameters.contains("iso-8859-1") || parameters.contains("us-ascii");
        let bytes = read_body(body, limits.held_result_bytes, patience)
            .await
            .map_err(Ok)?;
        Ok(Read::Whole(Self {
            status: head.status,
            headers: head.headers,
            kind,
            is_latin,
            bytes,
        }))
    }

    pub(super) fn is_json(&self) -> bool {
        self.kind.ends_with("/json") || self.kind.ends_with("+json")
    }

    pub(super) fn is_text(&self) -> bool {
        self.kind.is_empty()
            || self.kind.starts_with("text/")
            || self.kind.ends_with("+xml")
            || matches!(
                self.kind.as_str(),
                "application/xml"
                    | "application/yaml"
                    | "application/x-yaml"
                    | "application/javascript"
                    | "application/x-ndjson"
                    | "application/jsonl"
                    | "application/graphql"
                    | "application/x-www-form-urlencoded"
            )
    }

    /// The answer as a JSON value, if it is one.
    pub(super) fn json(&self) -> Option<Value> {
        self.is_json().then(|| serde_json::from_slice(&self.bytes).ok())?
    }

    pub(super) fn text(&self) -> String {
        if self.is_latin {
            self.bytes.iter().map(|byte| char::from(*byte)).collect()
        } else {
            String::from_utf8_lossy(&self.bytes).into_owned()
        }
    }
}

impl Api {
    /// What an answer of success comes to.
    pub(super) fn result(&self, tool: &str, binding: &Binding, answer: Answer) -> Outcome {
        if let Some(field) = &binding.answers.graphql {
            return self.graphql_result(field, binding, &answer);
        }
        if answer.bytes.is_empty() {
            return nothing(binding, answer.status);
        }
        if answer.is_json() {
            if binding.shape.is_empty()
                && let Some(outcome) = as_it_is(binding, &answer)
            {
                return outcome;
            }
            if let Some(value) = answer.json() {
                return self.value_result(binding, value);
            }
        }
        let most = self.most(binding);
        let outcome = if answer.is_text() || answer.is_json() {
            told(&answer.text(), most)
        } else {
            let data = STANDARD.encode(&answer.bytes);
            let kind = answer.kind.clone();
            let block = match kind
                .split_once('/')
                .map(|(family, _)| family.to_owned())
                .as_deref()
            {
                Some("image") => Block::Image { data, kind },
                Some("audio") => Block::Audio { data, kind },
                _ => Block::Resource {
                    resource: Blob {
                        uri: format!("rest:///{}/{}", self.route, url_part(tool)),
                        kind,
                        blob: data,
                    },
                },
            };
            Outcome {
                blocks: vec![block],
                ..Outcome::default()
            }
        };
        unlike_its_description(&binding.answers.structured, outcome)
    }

    /// What a JSON value comes to.
    pub(super) fn value_result(&self, binding: &Binding, value: Value) -> Outcome {
        let most = self.most(binding);
        let Shaped { value, note } = shape(value, binding, most);
        let mut outcome = match &binding.answers.structured {
            Structured::None => {
                let text = match &value {
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                told(&text, most)
            }
            Structured::Wrapped(name) => structured(&json!({name: value})),
            Structured::Object if value.is_object() => structured(&value),
            promised @ Structured::Object => unlike_its_description(
                promised,
                Outcome::text(beginning(&value.to_string(), most).into_owned()),
            ),
        };
        outcome.blocks.extend(note.map(Block::text));
        outcome
    }

    /// Bytes that a result may have; what frames it has its own.
    fn most(&self, binding: &Binding) -> usize {
        let own = binding
            .shape
            .most_bytes
            .and_then(|most| usize::try_from(most).ok());
        let all = self.commons.limits.held_result_bytes / 4;
        own.map_or(all, |own| own.min(all))
    }
}

/// JSON that nothing is changed in: read once for its form, and not built up.
fn as_it_is(binding: &Binding, answer: &Answer) -> Option<Outcome> {
    depth::check(&answer.bytes).ok()?;
    let raw: &RawValue = serde_json::from_slice(&answer.bytes).ok()?;
    let json = raw.get();
    let structured = match &binding.answers.structured {
        Structured::None => {
            // A plain text is told without its quotes.
            let text = serde_json::from_str::<String>(json).unwrap_or_else(|_| json.to_owned());
            return Some(Outcome::text(text));
        }
        Structured::Object if json.starts_with('{') => raw.to_owned(),
        Structured::Object => return None,
        Structured::Wrapped(name) => {
            let name = serde_json::to_string(name).ok()?;
            RawValue::from_string(format!("{{{name}:{json}}}")).ok()?
        }
    };
    Some(Outcome {
        blocks: vec![Block::text(structured.get())],
        structured: Some(structured),
        ..Outcome::default()
    })
}

fn structured(value: &Value) -> Outcome {
    let text = value.to_string();
    if depth::check(text.as_bytes()).is_err() {
        return Outcome::failure("The API's answer has too many values. Ask for less of it.");
    }
    Outcome {
        structured: RawValue::from_string(text.clone()).ok(),
        blocks: vec![Block::text(text)],
        ..Outcome::default()
    }
}

/// The API said nothing, which may be all that there is to say.
fn nothing(binding: &Binding, status: StatusCode) -> Outcome {
    let mut outcome = match &binding.answers.structured {
        Structured::None => Outcome::default(),
        Structured::Object => structured(&json!({})),
        Structured::Wrapped(name) => structured(&json!({name: null})),
    };
    outcome.blocks.insert(
        0,
        Block::text(format!(
            "Done: the API answered {} without content.",
            status.as_u16()
        )),
    );
    outcome
}

/// A text as far as it may go, and how much there was.
fn told(text: &str, most: usize) -> Outcome {
    let mut outcome = Outcome::text(beginning(text, most).into_owned());
    if text.len() > most {
        outcome.blocks.push(Block::text(format!(
            "The first {most} of {} bytes are shown; ask for less to see the rest.",
            text.len()
        )));
    }
    outcome
}

/// A tool that promises structured content and has none fails for its hosts, so it says that it failed, and why.
pub(super) fn unlike_its_description(promised: &Structured, mut outcome: Outcome) -> Outcome {
    if *promised != Structured::None && !outcome.is_error {
        outcome.is_error = true;
        outcome.blocks.insert(
            0,
            Block::text("The API succeeded, but answered in another form than its description promises:"),
        );
    }
    outcome
}

/// A tool's name in a URI.
fn url_part(tool: &str) -> String {
    tool.chars()
        .map(|one| {
            if one.is_ascii_alphanumeric() || matches!(one, '-' | '_' | '.') {
                one
            } else {
                '-'
            }
        })
        .collect()
}
