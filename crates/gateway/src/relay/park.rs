//! Calls that wait at a legacy server while their modern host is asked something (opt-in of the route). The server asks in
//! the middle of its call, over the one connection that the call has; the host is asked in place of a result, and makes the
//! call once more with its answer. Meanwhile the call lies here, on its node, for as long as a host has for an answer.
//!
//! A call that nobody comes back for is taken back at its server, since its lease is dropped.

use std::collections::HashMap;
use std::sync::atomic::AtomicI64;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use portreeve_core::caller::Principal;
use portreeve_core::limits::Limits;
use portreeve_core::protocol::Era;
use portreeve_core::random::Rng;
use portreeve_core::usage::UsageOutcome;
use portreeve_mcp::bridge::Question;
use portreeve_mcp::method::Method;
use portreeve_mcp::sse;
use portreeve_net::ResponseBody;
use prometheus_client::metrics::gauge::Gauge;
use serde_json::value::RawValue;

use super::Errand;
use super::stream::Relay;
use crate::translate::{self, Crossing};
use crate::upstream::Lease;

/// A call that waits.
#[derive(Debug)]
pub struct Parked {
    /// What the server still has to say.
    pub body: ResponseBody,
    /// Its session.
    pub lease: Arc<Lease>,
    /// Our id of the call.
    pub id: u64,
    /// The server's id of its question.
    pub asked_as: Box<RawValue>,
    /// The question.
    pub question: Question,
    /// Who made the call.
    pub principal: Principal,
}

/// The calls of a node that wait.
pub struct Park {
    waiting: Mutex<HashMap<u64, Parked>>,
    /// Tells this node's calls from those of others.
    node: u64,
    rng: Arc<dyn Rng>,
    limits: Arc<Limits>,
    /// How many wait.
    count: Gauge<i64, AtomicI64>,
}

/// Where a call waits, as its host brings it back.
#[derive(Debug, PartialEq, Eq)]
pub enum Ticket {
    /// On this node.
    Here(u64),
    /// On another one.
    Elsewhere,
}

impl std::fmt::Debug for Park {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Park")
    }
}

// === impl Park ===

impl Park {
    /// None waits yet.
    pub fn new(node: u64, rng: Arc<dyn Rng>, limits: Arc<Limits>, count: Gauge<i64, AtomicI64>) -> Arc<Self> {
        Arc::new(Self {
            waiting: Mutex::default(),
            node,
            rng,
            limits,
            count,
        })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<u64, Parked>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets a call wait. Says where; gives it back where too many do, of the node or of the caller.
    pub fn park(self: &Arc<Self>, parked: Parked) -> Result<String, Box<Parked>> {
        let mut token = [0_u8; 8];
        self.rng.fill(&mut token);
        let token = u64::from_be_bytes(token);
        let mut waiting = self.lock();
        let of_caller = waiting
            .values()
            .filter(|other| other.principal == parked.principal)
            .count();
        if waiting.len() >= self.limits.parked_calls || of_caller >= self.limits.parked_per_caller {
            return Err(Box::new(parked));
        }
        waiting.insert(token, parked);
        self.count.inc();
        drop(waiting);
        let (park, life) = (Arc::downgrade(self), self.limits.host_answer);
        tokio::spawn(async move {
            tokio::time::sleep(life).await;
            if let Some(late) = park.upgrade().and_then(|park| park.take(token)) {
                tracing::debug!(
                    method = late.question.method,
                    "a call waited in vain for its host"
                );
            }
        });
        Ok(format!("{:x}-{token:x}", self.node))
    }

    /// Reads what [`Park::park`] said.
    pub fn read(&self, place: &str) -> Option<Ticket> {
        let (node, token) = place.split_once('-')?;
        let number = |text: &str| u64::from_str_radix(text, 16).ok();
        let token = number(token)?;
        Some(if number(node)? == self.node {
            Ticket::Here(token)
        } else {
            Ticket::Elsewhere
        })
    }

    /// The call that waits there; it does not any more.
    pub fn take(&self, token: u64) -> Option<Parked> {
        let parked = self.lock().remove(&token);
        if parked.is_some() {
            self.count.dec();
        }
        parked
    }
}

// === impl Errand ===

impl Errand {
    /// Whether what the host gets may hold a state that is sealed to this call.
    pub(crate) fn gives_states(&self) -> bool {
        self.hop == Era::Modern || self.route.parks()
    }

    /// Whether this call may wait while its host is asked something.
    pub fn may_wait(&self) -> bool {
        let is_bridged = matches!(self.crossing.as_deref(), Some(Crossing::ToLegacy(_)));
        is_bridged && self.route.parks() && self.method.is_some_and(Method::has_rounds)
    }

    /// What a legacy server asks of the host, if the host can be asked it.
    pub(super) fn asked_of_host(&self, method: &str, params: Option<&RawValue>) -> Option<Question> {
        let Some(Crossing::ToLegacy(crossing)) = self.crossing.as_deref() else {
            return None;
        };
        if !self.may_wait() {
            return None;
        }
        let declared = crossing.told.capabilities.as_deref().unwrap_or("{}");
        let question = Question::of_server(method, params)?;
        let is_short = question.params.get().len() <= self.gateway.limits.question_bytes;
        (is_short && question.is_within(declared)).then_some(question)
    }

    /// Lets the call wait, and puts the question to the host. The host's answer for now; the call, where it cannot wait.
    pub(crate) fn park(&self, parked: Parked) -> Result<Vec<u8>, Box<Parked>> {
        let (Some(host_id), Some(belonging)) = (&self.host_id, &self.belonging) else {
            return Err(Box::new(parked));
        };
        let question = parked.question.clone();
        let place = self.gateway.park.park(parked)?;
        let state = translate::seal_place(&place, belonging, self).unwrap_or_default();
        Ok(question.as_result(host_id, &state))
    }
}

// === impl Relay ===

impl Relay {
    /// Ends the stream to the host with what the server asks, and lets the call wait. Where it cannot, the server is told
    /// that nobody can be asked, and the call goes on.
    pub(super) fn park(&mut self, asked_as: Box<RawValue>, question: Question) -> Bytes {
        let (Some(body), Some(lease), Some(id)) = (
            self.upstream.body.take(),
            self.errand.lease.clone(),
            self.errand.own_id(),
        ) else {
            return Bytes::new();
        };
        let parked = Parked {
            body: body.after(self.reader.take_rest(), None),
            lease,
            id,
            asked_as,
            question,
            principal: self.errand.caller.principal,
        };
        match self.errand.park(parked) {
            Ok(told) => {
                self.over = true;
                self.answered = true;
                if let Some(record) = &mut self.record {
                    record.ended(UsageOutcome::Ok);
                }
                sse::message(&told)
            }
            Err(parked) => {
                Lease::answer_server(&parked.lease, &parked.question.method, &parked.asked_as);
                self.upstream.body = Some(parked.body);
                Bytes::new()
            }
        }
    }
}
