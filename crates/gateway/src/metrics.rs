//! Figures for operators, in the OpenMetrics text format.

use std::sync::atomic::AtomicI64;
use std::time::Duration;

use http::StatusCode;
use portreeve_core::name::Slug;
use portreeve_core::usage::UsageOutcome;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RequestLabels {
    route: String,
    method: &'static str,
    outcome: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RouteLabels {
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AnswerLabels {
    route: String,
    class: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct MemberLabels {
    route: String,
    member: String,
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ReasonLabels {
    reason: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct RenewalLabels {
    outcome: &'static str,
}

/// What came of a session that its server had lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewal {
    /// The server has it again.
    Done,
    /// The server could not be greeted anew; the next request tries again.
    Failed,
    /// The host must begin anew.
    Over,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct CopyLabels {
    route: String,
    outcome: &'static str,
}

/// What became of a request whose answer might be a copy.
#[derive(Debug, Clone, Copy)]
pub enum CopyUse {
    /// A copy answered it.
    Served,
    /// A copy that is out of date did, since the server could not.
    Stale,
    /// The server was asked.
    Asked,
}

/// The gateway's metrics. Labels come from closed sets (routes, methods, outcomes), never from callers.
#[derive(Debug, Clone)]
pub struct Metrics {
    requests: Family<RequestLabels, Counter>,
    seconds: Family<RouteLabels, Histogram>,
    refused: Family<ReasonLabels, Counter>,
    rest_answers: Family<AnswerLabels, Counter>,
    rest_seconds: Family<RouteLabels, Histogram>,
    members_away: Family<MemberLabels, Counter>,
    journal_failures: Counter,
    copies: Family<CopyLabels, Counter>,
    /// Bytes of copies of answers.
    pub copied_bytes: Gauge<i64, AtomicI64>,
    /// Open event streams.
    pub streams: Gauge<i64, AtomicI64>,
    /// Calls that wait at legacy servers while their hosts are asked something.
    pub parked: Gauge<i64, AtomicI64>,
    /// Legacy sessions in memory.
    pub sessions: Gauge<i64, AtomicI64>,
    /// Legacy sessions that were read from the store.
    pub sessions_read: Counter,
    /// Changes of legacy sessions that could not be written.
    pub session_write_failures: Counter,
    sessions_renewed: Family<RenewalLabels, Counter>,
}

/// From 250 us to about 17 minutes, by factors of four.
fn histogram() -> Histogram {
    Histogram::new((0..12).map(|step| 0.000_25 * 4_f64.powi(step)))
}

impl Metrics {
    /// Metrics, registered.
    pub fn new(registry: &mut Registry) -> Self {
        let metrics = Self {
            requests: Family::default(),
            seconds: Family::new_with_constructor(histogram),
            refused: Family::default(),
            rest_answers: Family::default(),
            rest_seconds: Family::new_with_constructor(histogram),
            members_away: Family::default(),
            journal_failures: Counter::default(),
            copies: Family::default(),
            copied_bytes: Gauge::default(),
            streams: Gauge::default(),
            parked: Gauge::default(),
            sessions: Gauge::default(),
            sessions_read: Counter::default(),
            session_write_failures: Counter::default(),
            sessions_renewed: Family::default(),
        };
        metrics.register_sessions(registry);
        registry.register(
            "portreeve_requests",
            "Finished MCP requests",
            metrics.requests.clone(),
        );
        registry.register(
            "portreeve_request_duration_seconds",
            "From the request's head to the end of the answer's body",
            metrics.seconds.clone(),
        );
        registry.register(
            "portreeve_requests_refused_before_route",
            "Requests that reached no route, by reason",
            metrics.refused.clone(),
        );
        registry.register(
            "portreeve_rest_answers",
            "Answers of REST APIs, by class of status; `none` where there was no answer",
            metrics.rest_answers.clone(),
        );
        registry.register(
            "portreeve_rest_answer_duration_seconds",
            "From a request to a REST API to the head of its answer",
            metrics.rest_seconds.clone(),
        );
        registry.register(
            "portreeve_members_away",
            "Times that a member of a virtual server had nothing to show, by reason: `late`, `failed`, `broken`",
            metrics.members_away.clone(),
        );
        registry.register(
            "portreeve_audit_journal_failures",
            "Answers held back because the audit journal could not be written",
            metrics.journal_failures.clone(),
        );
        registry.register(
            "portreeve_list_cache",
            "Requests whose answer may be a copy, by what answered them: `hit`, `stale`, `miss`",
            metrics.copies.clone(),
        );
        registry.register(
            "portreeve_list_cache_bytes",
            "Bytes of copies of answers",
            metrics.copied_bytes.clone(),
        );
        registry.register(
            "portreeve_open_streams",
            "Open event streams",
            metrics.streams.clone(),
        );
        metrics
    }

    fn register_sessions(&self, registry: &mut Registry) {
        registry.register(
            "portreeve_parked_calls",
            "Calls that wait at legacy servers while their hosts are asked something",
            self.parked.clone(),
        );
        registry.register(
            "portreeve_legacy_sessions",
            "Legacy sessions in the memory of this node",
            self.sessions.clone(),
        );
        registry.register(
            "portreeve_legacy_sessions_read",
            "Legacy sessions that this node read from the store",
            self.sessions_read.clone(),
        );
        registry.register(
            "portreeve_legacy_sessions_renewed",
            "Legacy sessions that a server had lost, by what came of it",
            self.sessions_renewed.clone(),
        );
        registry.register(
            "portreeve_legacy_session_write_failures",
            "Batches of changes of legacy sessions that could not be written",
            self.session_write_failures.clone(),
        );
    }

    /// A session that its server had lost has it again, or not.
    pub fn session_renewed(&self, renewal: Renewal) {
        let outcome = match renewal {
            Renewal::Done => "done",
            Renewal::Failed => "failed",
            Renewal::Over => "over",
        };
        self.sessions_renewed
            .get_or_create(&RenewalLabels { outcome })
            .inc();
    }

    /// A request on a route is over.
    pub fn finished(&self, route: &Slug, method: &'static str, outcome: UsageOutcome, micros: u64) {
        let labels = RequestLabels {
            route: route.to_string(),
            method,
            outcome: outcome.as_str(),
        };
        self.requests.get_or_create(&labels).inc();
        let seconds = Duration::from_micros(micros).as_secs_f64();
        self.seconds
            .get_or_create(&RouteLabels {
                route: route.to_string(),
            })
            .observe(seconds);
    }

    /// A request was refused before its route was known.
    pub fn refused_without_route(&self, reason: &str) {
        self.refused
            .get_or_create(&ReasonLabels {
                reason: reason.to_owned(),
            })
            .inc();
    }

    /// A REST API answered a request, or did not.
    pub fn rest_answered(&self, route: &str, status: Option<StatusCode>, took: Duration) {
        let class = match status.map(|status| status.as_u16()) {
            None => "none",
            Some(100..=199) => "1xx",
            Some(200..=299) => "2xx",
            Some(300..=399) => "3xx",
            Some(400..=499) => "4xx",
            Some(_) => "5xx",
        };
        let route = route.to_owned();
        self.rest_answers
            .get_or_create(&AnswerLabels {
                route: route.clone(),
                class,
            })
            .inc();
        self.rest_seconds
            .get_or_create(&RouteLabels { route })
            .observe(took.as_secs_f64());
    }

    /// What answered a request whose answer may be a copy.
    pub fn copies(&self, route: &Slug, answered: CopyUse) {
        let outcome = match answered {
            CopyUse::Served => "hit",
            CopyUse::Stale => "stale",
            CopyUse::Asked => "miss",
        };
        let route = route.to_string();
        self.copies.get_or_create(&CopyLabels { route, outcome }).inc();
    }

    /// A member of a virtual server had nothing to show.
    pub fn member_away(&self, route: &Slug, member: &Slug, reason: &'static str) {
        let labels = MemberLabels {
            route: route.to_string(),
            member: member.to_string(),
            reason,
        };
        self.members_away.get_or_create(&labels).inc();
    }

    /// An audit event could not be written.
    pub fn journal_failed(&self) {
        self.journal_failures.inc();
    }
}
