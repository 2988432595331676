//! What is written down about a request: the audit event before the answer leaves, metrics and usage when its body ends.

use std::sync::Arc;
use std::time::Instant;

use portreeve_core::audit::{ArgumentsDigest, AuditEvent, AuditOutcome};
use portreeve_core::caller::Caller;
use portreeve_core::id::EventId;
use portreeve_core::ports::{Journal, UsageSink};
use portreeve_core::protocol::Era;
use portreeve_core::random::Rng;
use portreeve_core::time::Clock;
use portreeve_core::usage::{UsageEvent, UsageOutcome};
use portreeve_inspect::Mac;
use portreeve_mcp::method::Named;
use portreeve_mcp::params;

use crate::accept::inbound::Inbound;
use crate::metrics::Metrics;
use crate::respond::Refusal;
use crate::route::ServedRoute;

/// Where records go.
pub struct Sinks {
    /// The audit journal.
    pub journal: Arc<dyn Journal>,
    /// The usage ring.
    pub usage: Arc<dyn UsageSink>,
    /// Digests arguments.
    pub digest: Mac,
    /// Counters for operators.
    pub metrics: Metrics,
    /// The time of day.
    pub clock: Arc<dyn Clock>,
    /// For identifiers.
    pub rng: Arc<dyn Rng>,
}

impl std::fmt::Debug for Sinks {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sinks")
    }
}

/// The record of one request. Opened before anything else, so that every refusal is in it; closed when the answer's
/// body ends, or is dropped.
#[derive(Debug)]
pub struct Record {
    sinks: Arc<Sinks>,
    started: Instant,
    /// Boxed: the record travels with the request through every room.
    event: Box<AuditEvent>,
    route: Option<Arc<ServedRoute>>,
    method: &'static str,
    tool: Option<Arc<str>>,
    caller: Arc<str>,
    outcome: UsageOutcome,
    bytes_in: u64,
    bytes_out: u64,
    journalled: bool,
    closed: bool,
}

/// A request that was refused, with the record that must say so.
pub type Stopped = Box<(Refusal, Record)>;

/// Refuses.
pub fn stop(refusal: Refusal, record: Record) -> Stopped {
    Box::new((refusal, record))
}

impl Record {
    /// Opens a record.
    pub fn open(sinks: &Arc<Sinks>) -> Self {
        let anonymous = Caller::anonymous();
        let id = EventId::new(&*sinks.clock, &*sinks.rng);
        let mut event = AuditEvent::new(id, sinks.clock.now(), "request", &anonymous);
        event.principal = None;
        // A request is one event, and known by its identity.
        event.request_id = Some(id.to_string());
        Self {
            sinks: Arc::clone(sinks),
            started: Instant::now(),
            event: Box::new(event),
            route: None,
            method: "request",
            tool: None,
            caller: anonymous.label,
            outcome: UsageOutcome::Cancelled,
            bytes_in: 0,
            bytes_out: 0,
            journalled: false,
            closed: false,
        }
    }

    /// The record of another part of the same request: an event of its own, of the same caller on the same route.
    pub fn beside(&self) -> Self {
        let mut record = Self::open(&self.sinks);
        record.event.request_id.clone_from(&self.event.request_id);
        record.event.server.clone_from(&self.event.server);
        record.event.route.clone_from(&self.event.route);
        record.event.actor.clone_from(&self.event.actor);
        record.event.principal.clone_from(&self.event.principal);
        record.event.key.clone_from(&self.event.key);
        record.route.clone_from(&self.route);
        record.caller = Arc::clone(&self.caller);
        record
    }

    /// The request's identity.
    pub fn request_id(&self) -> &str {
        self.event.request_id.as_deref().unwrap_or_default()
    }

    /// The route was found.
    pub fn on(&mut self, route: &Arc<ServedRoute>) {
        self.event.server = Some(route.route.server.to_string());
        self.event.route = Some(route.route.slug.to_string());
        self.route = Some(Arc::clone(route));
    }

    /// The caller is known.
    pub fn by(&mut self, caller: &Caller) {
        self.event.actor = caller.label.to_string();
        self.event.principal = Some(caller.principal.to_string());
        self.event.key = caller.key.map(|key| key.to_string());
        self.event.client = caller.token.as_ref().map(|token| token.client.to_string());
        self.caller = Arc::clone(&caller.label);
    }

    /// What is asked for is known.
    pub fn asks(&mut self, inbound: &Inbound, size: usize, traceparent: Option<String>) {
        self.bytes_in = size as u64;
        self.method = inbound.method();
        self.event.action = self.method.to_owned();
        self.event.traceparent = traceparent;
        let Inbound::Call(call) = inbound else { return };
        self.event.target = call.target.as_deref().map(|target| match call.method.named() {
            Some(Named::Name) => shortened(target.to_owned()),
            _ => shortened(without_secrets(target)),
        });
        let arguments = call.arguments.clone().and_then(|place| call.body.get(place));
        if let Some(bytes) = arguments {
            self.event.arguments = Some(ArgumentsDigest {
                keys: params::keys(bytes, 64),
                hmac: self.sinks.digest.hex(bytes),
            });
        }
        if let (Some(route), Some(name)) = (&self.route, &call.target) {
            // Only tools that were seen become labels: a caller cannot grow the set.
            self.tool = route
                .tool(route.hop(call.era), name)
                .map(|tool| Arc::clone(&tool.name));
        }
    }

    /// The same is asked of the server once more, with answers of the host: that is decided anew, and told anew, as an event
    /// of the same request.
    pub fn again(&mut self) {
        let id = EventId::new(&*self.sinks.clock, &*self.sinks.rng);
        self.event.id = id;
        self.event.at = self.sinks.clock.now();
        self.event.policies.clear();
        self.event.reason = None;
        self.event.upstream_status = None;
    }

    /// It is about what a call of this tool has made.
    pub fn is_about(&mut self, tool: &str) {
        self.event.target = Some(shortened(tool.to_owned()));
        let seen = self
            .route
            .as_ref()
            .and_then(|route| route.tool(Era::Modern, tool));
        self.tool = seen.map(|tool| Arc::clone(&tool.name));
    }

    /// A policy let it pass.
    pub fn decided_by(&mut self, names: Vec<Arc<str>>) {
        self.event.policies.extend(names.iter().map(ToString::to_string));
    }

    /// A policy did not.
    pub fn refused_by(&mut self, kind: &str) {
        self.event.policies.push(kind.to_owned());
    }

    /// The upstream answered.
    pub fn upstream_answered(&mut self, status: u16) {
        self.event.upstream_status = Some(status);
    }

    /// A copy of an earlier answer serves.
    pub fn copied(&mut self) {
        self.event.cached = true;
    }

    /// Portreeve answers for itself, as an empty server would.
    pub fn stranger(&mut self) {
        self.event.outcome = AuditOutcome::Refused;
        self.event.reason = Some("not-granted".to_owned());
        self.outcome = UsageOutcome::Refused;
    }

    /// The request was refused.
    pub fn refused(&mut self, refusal: &Refusal) {
        let failed = matches!(refusal.outcome(), UsageOutcome::UpstreamError);
        self.event.outcome = if failed {
            AuditOutcome::Failed
        } else {
            AuditOutcome::Refused
        };
        self.event.reason = Some(refusal.word().to_owned());
        self.outcome = refusal.outcome();
    }

    /// Writes the audit event. Must succeed before the answer's first byte leaves.
    pub fn journal(&mut self, status: u16) -> Result<(), Refusal> {
        if self.event.reason.is_none() {
            self.event.outcome = AuditOutcome::Permitted;
        }
        self.event.status = Some(status);
        self.event.latency_us = Some(micros(self.started));
        self.journalled = true;
        self.sinks.journal.append(&self.event).map_err(|error| {
            tracing::error!(error = %error, "the audit journal cannot be written, so nothing is answered");
            self.sinks.metrics.journal_failed();
            Refusal::JournalAway
        })
    }

    /// So many bytes of the body went out.
    pub fn sent(&mut self, bytes: usize) {
        self.bytes_out += bytes as u64;
    }

    /// How the request ended, as far as its body tells.
    pub fn ended(&mut self, outcome: UsageOutcome) {
        self.outcome = outcome;
    }

    /// Closes the record: the body has ended.
    pub fn close(mut self) {
        self.finish();
    }

    fn finish(&mut self) {
        if std::mem::replace(&mut self.closed, true) {
            return;
        }
        if !self.journalled {
            // The caller went away before the answer's head. What was decided and done is written down all the same.
            self.event.reason.get_or_insert_with(|| "cancelled".to_owned());
            self.event.outcome = AuditOutcome::Failed;
            let _ = self.journal(499);
        }
        let latency = micros(self.started);
        let Some(route) = &self.route else {
            self.sinks
                .metrics
                .refused_without_route(self.event.reason.as_deref().unwrap_or("unknown"));
            return;
        };
        self.sinks
            .metrics
            .finished(&route.route.slug, self.method, self.outcome, latency);
        self.sinks.usage.push(UsageEvent {
            at: self.event.at,
            server: route.route.server.clone(),
            method: self.method.into(),
            tool: self.tool.take(),
            caller: Arc::clone(&self.caller),
            client: self.event.client.as_deref().map(Arc::from),
            outcome: self.outcome,
            latency_us: latency,
            bytes_in: self.bytes_in,
            bytes_out: self.bytes_out,
        });
    }
}

impl Drop for Record {
    fn drop(&mut self) {
        self.finish();
    }
}

/// A resource's URI without what may be a secret in it: userinfo, query and fragment.
fn without_secrets(uri: &str) -> String {
    let place = uri.split(['?', '#']).next().unwrap_or_default();
    let Some((scheme, rest)) = place.split_once("://") else {
        return place.to_owned();
    };
    let (authority, path) = rest
        .split_once('/')
        .map_or((rest, None), |(authority, path)| (authority, Some(path)));
    let host = authority.rsplit('@').next().unwrap_or_default();
    match path {
        Some(path) => format!("{scheme}://{host}/{path}"),
        None => format!("{scheme}://{host}"),
    }
}

/// At most 256 characters.
fn shortened(mut text: String) -> String {
    if text.len() > 256
        && let Some((end, _)) = text.char_indices().nth(256)
    {
        text.truncate(end);
    }
    text
}

fn micros(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_micros()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::without_secrets;

    #[test]
    fn a_recorded_uri_holds_no_secret() {
        for (uri, recorded) in [
            ("https://user:pass@host:1/a/b?token=x#y", "https://host:1/a/b"),
            ("port://tides/today", "port://tides/today"),
            ("db://a@b@host", "db://host"),
            ("mailto:x?y=z", "mailto:x"),
            ("", ""),
        ] {
            assert_eq!(without_secrets(uri), recorded);
        }
    }
}
