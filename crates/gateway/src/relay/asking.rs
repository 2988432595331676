//! A modern server that asks something before a call can go on, in front of a legacy host: the questions go out on the
//! stream of the call as requests, the answers come back in requests of the host's own, and the call is made once more
//! with them.
//!
//! Before: `crossing` found that a result is not the last word. After: `stream` goes on with what the server answers next.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use portreeve_client::{ClientError, Reply, ReplyBody};
use portreeve_core::usage::UsageOutcome;
use portreeve_mcp::bridge::{self, Round, Taken};
use portreeve_mcp::method::Method;
use portreeve_mcp::{answer, code, sse};
use portreeve_net::read_body;
use serde_json::json;
use serde_json::value::RawValue;
use tokio::time::Instant;

use super::awaited::Came;
use super::bounds::Bounds;
use super::questions::{self, Waiting};
use super::stream::{Ends, Relay};
use super::{Errand, is_answer};
use crate::policy::{Passage, Question};
use crate::translate::{Crossing, Outbound};
use crate::upstream;

/// A round under way.
#[derive(Debug)]
pub(super) struct Asking {
    /// Questions without an answer, each by the key of its answer.
    open: VecDeque<(String, Waiting)>,
    answers: BTreeMap<String, Box<RawValue>>,
    state: Option<Box<RawValue>>,
    deadline: Instant,
}

/// What came of waiting for a while.
pub(super) enum Waited {
    /// All answers are there.
    Answered,
    /// Nothing yet.
    Silence,
    /// The stream is over.
    Stop,
    /// There will be none.
    Failed(String),
}

// === impl Asking ===

impl Asking {
    /// Waits for answers, no longer than until something must be said on the stream.
    pub(super) async fn wait(&mut self, ends: &mut Ends, keep_alive: Duration) -> Waited {
        let alarm = Instant::now() + keep_alive;
        while let Some((_, waiting)) = self.open.front_mut() {
            let body = tokio::select! {
                biased;
                () = ends.wait() => return Waited::Stop,
                body = &mut waiting.answer => body,
                () = tokio::time::sleep_until(self.deadline) => {
                    return Waited::Failed("the host did not answer what the server asks for in time".to_owned());
                }
                () = tokio::time::sleep_until(alarm) => return Waited::Silence,
            };
            let Some((key, _)) = self.open.pop_front() else {
                break;
            };
            match body.ok().and_then(|body| bridge::taken(&body)) {
                Some(Taken::Answered(answer)) => drop(self.answers.insert(key, answer)),
                Some(Taken::Refused(reason)) => {
                    return Waited::Failed(format!("the host refused what the server asks for: {reason}"));
                }
                None => {
                    return Waited::Failed("the host gave no answer to what the server asks for".to_owned());
                }
            }
        }
        Waited::Answered
    }
}

// === impl Errand ===

impl Errand {
    /// Puts the questions of a round to the host. The messages for it; or why it cannot be asked.
    fn ask_host(&self, round: Round) -> Result<(Asking, BytesMut), String> {
        let (gateway, Some(session)) = (&self.gateway, &self.session) else {
            return Err("there is no session in which the host could be asked".to_owned());
        };
        let declared = session.client_capabilities();
        let declared = declared.as_deref().map_or("{}", RawValue::get);
        let mut open = VecDeque::new();
        let mut messages = BytesMut::new();
        for question in round.questions {
            if !question.is_within(declared) {
                return Err(format!(
                    "the server asks for `{}`, and the host did not declare that it can answer it",
                    question.method
                ));
            }
            let id = questions::id_of(gateway.sessions.node(), gateway.pool.next_id());
            let message = question.as_request(&id).map_err(|error| error.to_string())?;
            let waiting = gateway
                .under_way
                .questions
                .ask(&session.id, &json!(id).to_string());
            messages.extend_from_slice(&sse::message(&message));
            open.push_back((question.key, waiting));
        }
        let asking = Asking {
            open,
            answers: BTreeMap::new(),
            state: round.state,
            deadline: Instant::now() + gateway.limits.host_answer,
        };
        Ok((asking, messages))
    }

    /// The call once more, with what the host answered.
    fn once_more(&self, asking: &Asking) -> Result<Outbound, String> {
        let Some(Crossing::ToModern(crossing)) = self.crossing.as_deref() else {
            return Err("it is no call of a legacy host".to_owned());
        };
        let first = crossing.again.as_deref().ok_or("it cannot be made once more")?;
        let id = self.gateway.pool.next_id();
        let body = bridge::next_round(&first.body, id, &asking.answers, asking.state.as_deref());
        let body = body.map_err(|error| error.to_string())?;
        crossing.set_id(id);
        Ok(Outbound {
            body: body.into(),
            ..first.clone()
        })
    }

    /// What the host gets in place of a result that it cannot be asked for.
    fn cannot(&self, reason: &str) -> Option<Vec<u8>> {
        let id = self.host_id.as_ref()?;
        Some(match self.method {
            Some(Method::CallTool) => answer::result(
                id,
                json!({"content": [{"type": "text", "text": reason}], "isError": true}),
            ),
            _ => answer::error(Some(id), code::INTERNAL_ERROR, reason, None),
        })
    }
}

// === impl Relay ===

impl Relay {
    /// Begins a round: what the host gets now.
    pub(super) fn begin_round(&mut self, round: Round) -> Bytes {
        self.upstream.body = None;
        self.rounds += 1;
        let limit = self.errand.gateway.limits.call_rounds;
        let asked = if self.rounds > limit {
            Err(format!("the server asked more than {limit} times"))
        } else {
            self.errand.ask_host(round)
        };
        match asked {
            Ok((asking, messages)) => {
                self.asking = Some(asking);
                messages.freeze()
            }
            Err(reason) => self.give_up(&reason),
        }
    }

    /// Ends the call, since its server cannot be answered.
    fn give_up(&mut self, reason: &str) -> Bytes {
        self.over = true;
        self.answered = true;
        if let Some(record) = &mut self.record {
            record.ended(UsageOutcome::ToolError);
        }
        let told = self.errand.cannot(reason);
        told.map(|told| sse::message(&told)).unwrap_or_default()
    }

    /// Goes on with a round. `None`: nothing is to be said yet.
    pub(super) async fn go_on(&mut self, mut asking: Asking) -> Option<Bytes> {
        let keep_alive = self.errand.gateway.limits.keep_alive;
        let waits = asking.wait(&mut self.ends, keep_alive);
        let waited = match self.errand.while_open(waits).await {
            Ok(waited) => waited,
            Err(refusal) => return self.refuse(&refusal),
        };
        match waited {
            Waited::Silence => {
                self.asking = Some(asking);
                Some(Bytes::from_static(sse::KEEP_ALIVE))
            }
            Waited::Stop => self.stop(),
            Waited::Failed(reason) => Some(self.give_up(&reason)),
            Waited::Answered => match self.resume(&asking).await {
                Ok(bytes) => bytes,
                Err(reason) => self.end_with(&reason),
            },
        }
    }

    /// Makes the call once more, by the rules that hold now. Who may not make it any more does not.
    async fn resume(&mut self, asking: &Asking) -> Result<Option<Bytes>, String> {
        let Some(route) = self.errand.route_now() else {
            return Ok(Some(self.give_up("The server is not served any more as it was")));
        };
        self.errand.route = route;
        let outbound = self.errand.once_more(asking)?;
        let target = outbound.name.clone();
        let Some(record) = &mut self.record else {
            return Err("it is over".to_owned());
        };
        let errand = &self.errand;
        let method = errand.method.unwrap_or(Method::CallTool);
        let question = Question {
            target: target.as_deref(),
            // It is made out of the call itself, here.
            goes_on: Some(""),
            ..Question::of(&errand.caller, &errand.route, errand.hop, method)
        };
        let gateway = Arc::clone(&self.errand.gateway);
        record.again();
        let permitted = match gateway.policies.before(&question, outbound, record).await {
            Ok(Passage::Permitted(permitted)) => permitted,
            other => {
                match &other {
                    Err(refusal) => record.refused(refusal),
                    Ok(_) => record.stranger(),
                }
                // What cannot be written down is not answered, here as anywhere.
                record.journal(200).map_err(|refusal| refusal.word().to_owned())?;
                return Ok(Some(self.give_up("The call is not permitted any more")));
            }
        };
        // Nobody knows how long the server takes this time.
        self.bounds = Bounds::of_call(&gateway.limits, self.errand.route.upstream.patience());
        let errand = self.errand.clone();
        self.awaited = Some(Box::pin(async move {
            Came::Reply(upstream::send_through(&errand, permitted).await)
        }));
        Ok(None)
    }

    /// What the server says to the call that was made once more.
    pub(super) fn replied(
        &mut self,
        reply: Result<Option<Reply>, ClientError>,
    ) -> Result<Option<Bytes>, String> {
        if let Some(record) = &mut self.record {
            match &reply {
                Ok(Some(reply)) => record.upstream_answered(reply.status.as_u16()),
                Ok(None) => {}
                Err(_) => record.ended(UsageOutcome::UpstreamError),
            }
            record.journal(200).map_err(|refusal| refusal.word().to_owned())?;
        }
        match reply.map_err(|error| error.to_string())? {
            Some(reply) => self.take_up(reply),
            None => Ok(self.stop()),
        }
    }

    fn take_up(&mut self, reply: Reply) -> Result<Option<Bytes>, String> {
        let patience = self.errand.route.upstream.patience();
        let limits = Arc::clone(&self.errand.gateway.limits);
        match reply.body {
            ReplyBody::Events(body) if reply.status.is_success() => {
                self.reader = sse::Reader::new(limits.held_result_bytes);
                self.bounds = Bounds::of_call(&limits, patience);
                self.upstream.body = Some(body);
                Ok(None)
            }
            ReplyBody::Json(body) if is_answer(reply.status) => {
                self.awaited = Some(Box::pin(async move {
                    let body = read_body(body, limits.held_result_bytes, patience).await;
                    Came::Document(body.map_err(|error| error.to_string()))
                }));
                Ok(None)
            }
            _ => Err(format!("the server answered {}", reply.status.as_u16())),
        }
    }

    /// The server's answer, as one document: the last word, or another round.
    pub(super) fn whole(&mut self, document: &Bytes) -> Result<Option<Bytes>, String> {
        let mut out = BytesMut::new();
        self.take_message(document, &mut out);
        if !self.answered && self.asking.is_none() && !self.over {
            return Err("its JSON is not an answer to this request".to_owned());
        }
        self.over |= self.answered;
        Ok(Some(out.freeze()))
    }
}
