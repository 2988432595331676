//! Tasks of modern servers (extension `io.modelcontextprotocol/tasks`): a call that goes on after its answer, and is asked for
//! by its identity.
//!
//! The server's identity of a task is sealed to the caller, the route and the tool that made it. So whoever asks for a task is
//! the one who made it, and is decided about like the call of that tool; nobody else can name it. What the host sees is the
//! sealed identity, everywhere; what the server sees is its own.

use std::sync::Arc;

use bytes::Bytes;
use portreeve_core::caller::Caller;
use portreeve_core::random::Rng;
use portreeve_core::secret::Secret;
use portreeve_inspect::Sealer;
use portreeve_mcp::envelope::{Message, Outcome};
use portreeve_mcp::method::Method;
use portreeve_mcp::params::text;
use portreeve_mcp::splice::Splice;
use portreeve_mcp::tasks;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::accept::inbound::Call;
use crate::respond::Refusal;
use crate::route::ServedRoute;

/// Seals and opens identities of tasks.
#[derive(Debug)]
pub struct Tasks {
    sealer: Arc<Sealer>,
    rng: Arc<dyn Rng>,
}

/// What is sealed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Task {
    /// The tool that made it.
    tool: String,
    /// The server's identity of it.
    id: String,
}

/// What a request has to do with tasks.
#[derive(Debug)]
pub enum InHand {
    /// It calls this tool, which may make one.
    Makes(String),
    /// It is about this one.
    Is(Known),
    /// It subscribes to news of these.
    Follows(Vec<Known>),
}

/// A task by both of its identities, as they are written in messages.
#[derive(Debug)]
pub struct Known {
    tool: String,
    host: String,
    server: String,
}

/// Whose tasks, and where.
#[derive(Debug, Clone, Copy)]
pub struct Owner<'a> {
    /// Who calls.
    pub caller: &'a Caller,
    /// On which route.
    pub route: &'a ServedRoute,
}

// === impl Owner ===

impl Owner<'_> {
    fn names(&self) -> [String; 2] {
        [self.caller.principal.to_string(), self.route.route.id.to_string()]
    }
}

// === impl InHand ===

impl InHand {
    /// The tool whose rules decide about a request that is about a task.
    pub fn tool(&self) -> Option<&str> {
        match self {
            Self::Is(known) => Some(&known.tool),
            Self::Makes(_) | Self::Follows(_) => None,
        }
    }

    fn known(&self, server: &str) -> Option<&Known> {
        let is_it = |known: &&Known| text(server).is_some() && text(&known.server) == text(server);
        match self {
            Self::Is(known) => Some(known).filter(is_it),
            Self::Follows(all) => all.iter().find(is_it),
            Self::Makes(_) => None,
        }
    }
}

// === impl Tasks ===

impl Tasks {
    /// With a key of the installation.
    pub fn new(sealer: Arc<Sealer>, rng: Arc<dyn Rng>) -> Self {
        Self { sealer, rng }
    }

    fn seal(&self, task: &Task, owner: Owner<'_>) -> Option<String> {
        let [caller, route] = owner.names();
        let text = Secret::new(serde_json::to_string(task).ok()?);
        self.sealer
            .seal(&text, &["task", &caller, &route], &*self.rng)
            .ok()
    }

    fn open(&self, raw: &str, owner: Owner<'_>) -> Option<Known> {
        let [caller, route] = owner.names();
        let sealed = text(raw)?;
        let opened = self.sealer.open(&sealed, &["task", &caller, &route]).ok()?;
        let task: Task = serde_json::from_str(opened.expose()).ok()?;
        Some(Known {
            tool: task.tool,
            host: raw.to_owned(),
            server: serde_json::to_string(&task.id).ok()?,
        })
    }

    /// Looks at a modern request before anybody decides about it, and gives it the server's identities.
    ///
    /// # Errors
    ///
    /// When it names a task that is none of this caller's on this route.
    pub fn take(&self, call: &mut Call, owner: Owner<'_>) -> Result<Option<InHand>, Refusal> {
        match call.method {
            Method::CallTool => Ok(call.target.clone().map(InHand::Makes)),
            Method::GetTask | Method::UpdateTask | Method::CancelTask => {
                let mut known = self.exchange(call, owner, |params| {
                    tasks::in_params(params).into_iter().collect()
                })?;
                let Some(known) = known.pop() else {
                    return Err(unknown(call));
                };
                call.target = text(&known.server).map(std::borrow::Cow::into_owned);
                Ok(Some(InHand::Is(known)))
            }
            Method::Listen => {
                let known = self.exchange(call, owner, tasks::in_filter)?;
                Ok(Some(known).filter(|known| !known.is_empty()).map(InHand::Follows))
            }
            _ => Ok(None),
        }
    }

    /// Puts the server's identities into a request, in the place of those that are found.
    fn exchange(
        &self,
        call: &mut Call,
        owner: Owner<'_>,
        find: impl Fn(&RawValue) -> Vec<&str>,
    ) -> Result<Vec<Known>, Refusal> {
        let Ok(Message::Request {
            params: Some(params), ..
        }) = Message::parse(&call.body)
        else {
            return Ok(Vec::new());
        };
        let mut splice = Splice::new(&call.body);
        let mut all = Vec::new();
        for raw in find(params) {
            let Some(known) = self.open(raw, owner) else {
                return Err(unknown(call));
            };
            splice
                .replace(raw, known.server.as_str())
                .map_err(|_| Refusal::BrokenBody)?;
            all.push(known);
        }
        if !all.is_empty() {
            let body = splice.finish();
            call.body = body.into();
        }
        Ok(all)
    }

    /// A message of the server with the host's identities. `None`: it is about a task that the host did not ask for.
    pub fn turn(&self, in_hand: &InHand, owner: Owner<'_>, message: &Bytes) -> Option<Bytes> {
        if memchr::memmem::find(message, b"taskId").is_none() {
            return Some(message.clone());
        }
        let mut splice = Splice::new(message);
        match Message::parse(message).ok()? {
            Message::Response {
                outcome: Outcome::Result(result),
                ..
            } => {
                let Some(found) = tasks::in_result(result) else {
                    return Some(message.clone());
                };
                let host = match (in_hand, in_hand.known(found.raw)) {
                    (_, Some(known)) => known.host.clone(),
                    (InHand::Makes(tool), None) if found.is_new => self.made(tool, found.raw, owner)?,
                    _ => return Some(message.clone()),
                };
                splice.replace(found.raw, host).ok()?;
            }
            Message::Notification {
                method,
                params: Some(params),
            } => match &*method {
                "notifications/tasks" => {
                    let raw = tasks::in_params(params)?;
                    let host = match (in_hand, in_hand.known(raw)) {
                        (_, Some(known)) => known.host.clone(),
                        // On the stream of the call that makes it.
                        (InHand::Makes(tool), None) => self.made(tool, raw, owner)?,
                        _ => return None,
                    };
                    splice.replace(raw, host).ok()?;
                }
                "notifications/subscriptions/acknowledged" => {
                    for raw in tasks::in_filter(params) {
                        splice.replace(raw, in_hand.known(raw)?.host.as_str()).ok()?;
                    }
                }
                _ => return Some(message.clone()),
            },
            _ => return Some(message.clone()),
        }
        Some(splice.finish().into())
    }

    fn made(&self, tool: &str, raw: &str, owner: Owner<'_>) -> Option<String> {
        let task = Task {
            tool: tool.to_owned(),
            id: text(raw)?.into_owned(),
        };
        serde_json::to_string(&self.seal(&task, owner)?).ok()
    }
}

fn unknown(call: &Call) -> Refusal {
    Refusal::InvalidParams {
        id: Some(call.id.clone()),
        reason: "`taskId` names no task of yours here".to_owned(),
    }
}
