//! A call of a tool: arguments judged, the request written, the answer turned into a result.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use portreeve_client::{ClientError, Reply, ReplyBody};
use portreeve_core::protocol::Era;
use portreeve_core::rest::Binding;
use portreeve_inspect::ValueProblem;
use portreeve_mcp::{answer, code};
use portreeve_net::{Destination, Egress, ResponseBody};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use super::content::{Answer, Read};
use super::credential::Presented;
use super::events::Progress;
use super::exchange::{NotSent, Trip};
use super::pages::{Next, Pages};
use super::results::Outcome;
use super::told::replied;
use super::{Api, Approved, failure};
use crate::translate::Outbound;
use crate::translate::rest::{self, Filling, RestRequest};

/// Problems that are told at most.
const PROBLEMS: usize = 20;

#[derive(Deserialize)]
struct Asked<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(default)]
    arguments: Option<Map<String, Value>>,
    #[serde(borrow, default, rename = "_meta")]
    meta: Option<Meta<'a>>,
}

#[derive(Deserialize)]
struct Meta<'a> {
    #[serde(borrow, default, rename = "progressToken")]
    token: Option<&'a RawValue>,
}

/// What a call ends with.
enum End {
    Outcome(Outcome),
    /// Events of the API, which the host wants to hear of, and the credentials that they must not tell.
    Events(ResponseBody, Presented),
}

impl Api {
    /// Calls a tool.
    pub(super) async fn call(
        self: &Arc<Self>,
        egress: &Egress,
        outbound: &Outbound,
        id: &RawValue,
        params: Option<&RawValue>,
    ) -> Result<Reply, ClientError> {
        let refuse = |message: &str, data: Option<&Value>| {
            let body = answer::error(Some(id), code::INVALID_PARAMS, message, data);
            Ok(replied(StatusCode::OK, body))
        };
        let text = params.map_or("{}", RawValue::get);
        let asked: Asked<'_> = match serde_json::from_str(text) {
            Ok(asked) => asked,
            Err(error) => return refuse(&format!("Invalid params: {error}"), None),
        };
        let tools = self.tools(outbound.era);
        let (Some(binding), Some(approved)) =
            (self.bindings.tools.get(&*asked.name), tools.get(&*asked.name))
        else {
            return refuse(&format!("Unknown tool: {}", asked.name), None);
        };
        let arguments = Value::Object(asked.arguments.unwrap_or_default());
        match self.judge(&asked.name, binding, approved, &arguments) {
            None => {
                let outcome = Outcome::failure(
                    "This tool cannot be called: the gateway cannot judge arguments by its schema. Nothing was done; tell an administrator.",
                );
                return Ok(self.written(outbound.era, id, &outcome));
            }
            Some(problems) if !problems.is_empty() => {
                let problems = self.all_problems(problems, (&asked.name, binding, &arguments));
                return refuse(&told(&problems), Some(&listed(&problems)));
            }
            Some(_) => {}
        }
        let Value::Object(arguments) = arguments else {
            return refuse("Invalid params: `arguments` must be an object", None);
        };
        let token = asked.meta.and_then(|meta| meta.token);
        let called = Called {
            tool: &asked.name,
            binding,
            arguments: &arguments,
        };
        let end = match self.perform(egress, outbound, called).await {
            Ok(end) => end,
            Err(problems) => return refuse(&told(&problems), Some(&listed(&problems))),
        };
        Ok(match end {
            End::Outcome(outcome) => self.written(outbound.era, id, &outcome),
            End::Events(body, shown) => {
                let patience = self.patience_of(binding);
                let progress = Progress {
                    api: Arc::clone(self),
                    era: outbound.era,
                    id: id.to_owned(),
                    token: token.map(ToOwned::to_owned),
                    patience,
                    most: self.commons.limits.rest.events.max(patience),
                    promised: binding.answers.structured.clone(),
                    shown,
                    body,
                };
                progress.reply()
            }
        })
    }

    /// What is wrong with arguments; `None` when the tool's schema cannot be used.
    pub(super) fn judge(
        &self,
        tool: &str,
        binding: &Binding,
        approved: &Approved,
        arguments: &Value,
    ) -> Option<Vec<ValueProblem>> {
        let schemas = &self.commons.schemas;
        let judge = schemas.of(&self.bindings, tool, approved, binding.arguments.as_ref());
        match judge.schema() {
            Ok(schema) => Some(schema.problems(arguments, PROBLEMS)),
            Err(reason) => {
                tracing::error!(
                    route = &*self.route,
                    tool,
                    reason,
                    "a tool's schema cannot be used"
                );
                None
            }
        }
    }

    pub(super) fn written(&self, era: Era, id: &RawValue, outcome: &Outcome) -> Reply {
        replied(StatusCode::OK, self.bytes(era, id, outcome))
    }

    /// The answer as bytes. One that no host would get through is told instead.
    pub(super) fn bytes(&self, era: Era, id: &RawValue, outcome: &Outcome) -> Vec<u8> {
        let bytes = outcome.write(era, id, &self.identity());
        let most = self.commons.limits.held_result_bytes;
        if bytes.len() <= most {
            return bytes;
        }
        let outcome = Outcome::failure(format!(
            "The API's answer is longer than {most} bytes. Ask for less of it."
        ));
        outcome.write(era, id, &self.identity())
    }

    /// What is wrong with arguments besides what their schema says: which of them have no form that could be sent.
    fn all_problems(
        &self,
        mut problems: Vec<ValueProblem>,
        (tool, binding, arguments): (&str, &Binding, &Value),
    ) -> Vec<ValueProblem> {
        let Value::Object(arguments) = arguments else {
            return problems;
        };
        let called = Called {
            tool,
            binding,
            arguments,
        };
        let more = self.request(called, None).err().unwrap_or_default();
        for problem in more {
            // What is missing or of another type has been told, and cannot be written for that reason.
            let is_known = |known: &ValueProblem| known.pointer == problem.pointer;
            if problems.len() < PROBLEMS && !problem.pointer.is_empty() && !problems.iter().any(is_known) {
                problems.push(problem);
            }
        }
        problems
    }

    fn patience_of(&self, binding: &Binding) -> Duration {
        let own = binding.timeout_ms.map(Duration::from_millis);
        own.map_or(self.timeout, |own| own.min(self.commons.limits.rest.tool_timeout))
    }

    /// Does what was asked. An error is one of the arguments, found before anything was sent.
    async fn perform(
        &self,
        egress: &Egress,
        outbound: &Outbound,
        called: Called<'_>,
    ) -> Result<End, Vec<ValueProblem>> {
        let binding = called.binding;
        let trip = match self.trip(egress, outbound, binding).await {
            Ok(trip) => trip,
            Err(outcome) => return Ok(End::Outcome(outcome)),
        };
        let request = self.request(called, None)?;
        let to = match trip.destination(&request) {
            Ok(to) => to,
            Err(error) => return Ok(End::Outcome(failure::unreached(&error, binding))),
        };
        let Some(paging) = &binding.paging else {
            return Ok(match self.once(&trip, &to, &request).await {
                Err(outcome) => End::Outcome(outcome),
                Ok(Read::Events(body)) => End::Events(body, trip.credentials),
                Ok(Read::Whole(answer)) => {
                    let outcome = self.result(called.tool, binding, answer);
                    End::Outcome(match outcome.is_error {
                        true => outcome.without(&trip.credentials),
                        false => outcome,
                    })
                }
            });
        };
        let pages = Pages::new(paging, self.commons.limits.rest.pages);
        let outcome = self.paged(&trip, called, pages, (to, request)).await;
        Ok(End::Outcome(outcome.unwrap_or_else(|outcome| outcome)))
    }

    /// What all requests of a call share, or why there can be none.
    pub(super) async fn trip<'a>(
        &'a self,
        egress: &'a Egress,
        outbound: &'a Outbound,
        binding: &'a Binding,
    ) -> Result<Trip<'a>, Outcome> {
        let base = self.base(binding).ok_or_else(|| {
            Outcome::failure(
                "This cannot be done: the API has no usable address. Nothing was done; tell an administrator.",
            )
        })?;
        let timeout = self.patience_of(binding);
        // It is shown where the route leads, and nowhere else: where another address came from, nobody has looked at.
        let shown = match self.is_own_origin(base) {
            true => &self.credentials[..],
            false => &[],
        };
        let credentials = self.commons.secrets.open_all(shown).await;
        let credentials = credentials.ok_or_else(failure::without_credential)?;
        Ok(Trip {
            egress,
            binding,
            base,
            timeout,
            deadline: Instant::now() + timeout,
            traceparent: outbound.traceparent.as_deref(),
            credentials,
        })
    }

    /// Follows pages. A page that does not come ends the list, unless it is the first: what came is told as what it is.
    async fn paged(
        &self,
        trip: &Trip<'_>,
        called: Called<'_>,
        mut pages: Pages<'_>,
        first: (Destination, RestRequest),
    ) -> Result<Outcome, Outcome> {
        let (mut to, mut request) = first;
        let mut room = self.commons.limits.held_result_bytes;
        let mut is_first = true;
        let mut broken = None;
        loop {
            let answer = match self.once(trip, &to, &request).await {
                Ok(Read::Whole(answer)) => answer,
                Ok(Read::Events(_)) => {
                    return Err(Outcome::failure(
                        "The API answered with events instead of a list.",
                    ));
                }
                Err(outcome) if is_first => return Err(outcome),
                Err(outcome) => {
                    broken = Some(outcome);
                    break;
                }
            };
            let Some(page) = answer.json() else {
                if is_first {
                    return Ok(self.result(called.tool, called.binding, answer));
                }
                break;
            };
            is_first = false;
            room = room.saturating_sub(answer.bytes.len());
            let next = pages.take(page, &answer.headers, (trip.base, &request));
            let Some(next) = next.filter(|_| room > 0) else {
                break;
            };
            let found = match next {
                Next::At(path) => trip.at(&path),
                Next::Turned(name, value) => {
                    // The arguments were written once already.
                    let Ok(turned) = self.request(called, Some((&name, &value))) else {
                        break;
                    };
                    request = turned;
                    trip.destination(&request)
                }
            };
            let Ok(found) = found else { break };
            to = found;
        }
        let mut outcome = self.value_result(called.binding, pages.joined());
        if let Some(broken) = broken {
            outcome.blocks.extend(broken.blocks);
        }
        Ok(outcome)
    }

    /// One request, and its answer as far as it is a success.
    pub(super) async fn once(
        &self,
        trip: &Trip<'_>,
        to: &Destination,
        request: &RestRequest,
    ) -> Result<Read, Outcome> {
        let limits = &self.commons.limits;
        let response = match self.send(trip, to, request).await {
            Ok(response) => response,
            Err(NotSent::Credential) => return Err(failure::without_credential()),
            Err(NotSent::Net(error)) => {
                tracing::debug!(route = &*self.route, error = %error, "an API gave no answer");
                return Err(failure::unreached(&error, trip.binding));
            }
        };
        let (head, body) = response.into_parts();
        if !head.status.is_success() {
            let until = Instant::now() + trip.timeout;
            let most = limits.rest.error_bytes;
            return Err(failure::refused((&head, body), most, until, &trip.credentials).await);
        }
        let read = Answer::read(head, body, limits, trip.timeout).await;
        let mut read = read.map_err(|error| match error {
            Ok(error) => failure::unreached(&error, trip.binding),
            Err(outcome) => outcome,
        })?;
        if let Read::Whole(answer) = &mut read {
            answer.bytes = trip.credentials.clean(std::mem::take(&mut answer.bytes));
        }
        Ok(read)
    }

    pub(super) fn request(
        &self,
        called: Called<'_>,
        turned: Option<(&str, &str)>,
    ) -> Result<RestRequest, Vec<ValueProblem>> {
        let mut random = [0_u8; 16];
        if called.binding.body.is_some() {
            self.commons.rng.fill(&mut random);
        }
        let boundary = format!("portreeve-{:032x}", u128::from_be_bytes(random));
        rest::request(
            called.binding,
            Filling {
                arguments: called.arguments,
                turned,
                boundary: &boundary,
                own: &self.credentials,
            },
        )
    }
}

/// Which tool is called, with what.
#[derive(Clone, Copy)]
pub(super) struct Called<'a> {
    pub(super) tool: &'a str,
    pub(super) binding: &'a Binding,
    pub(super) arguments: &'a Map<String, Value>,
}

/// All problems in a line, each with its place.
pub(super) fn told(problems: &[ValueProblem]) -> String {
    let each: Vec<String> = problems
        .iter()
        .map(|problem| match problem.pointer.as_str() {
            "" => problem.message.clone(),
            place => format!("`{place}`: {}", problem.message),
        })
        .collect();
    format!("Invalid params: {}", each.join("; "))
}

pub(super) fn listed(problems: &[ValueProblem]) -> Value {
    let each: Vec<Value> = problems
        .iter()
        .map(|problem| json!({"path": problem.pointer, "message": problem.message}))
        .collect();
    json!({"problems": each})
}

/// An event stream that the gateway writes.
pub(super) fn piped(body: tokio::sync::mpsc::Receiver<Bytes>) -> Reply {
    super::told::reply(StatusCode::OK, Some(ReplyBody::Events(ResponseBody::piped(body))))
}
