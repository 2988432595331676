//! The audit page: filters, events, and the report of a verification.

use askama::Template;
use portreeve_core::audit::{AuditEvent, AuditOutcome, AuditReport, ChainedEvent};
use portreeve_core::name::ServerName;

use crate::view::server::Fact;
use crate::view::shell::Shell;
use crate::words::{self, Moment};

/// What the visitor asked for; empty texts ask for everything.
#[derive(Debug, Clone, Default)]
pub(crate) struct AuditFilter {
    pub(crate) actor: String,
    pub(crate) server: String,
    pub(crate) action: String,
    pub(crate) outcome: String,
}

impl AuditFilter {
    pub(crate) fn is_empty(&self) -> bool {
        [&self.actor, &self.server, &self.action, &self.outcome]
            .iter()
            .all(|text| text.is_empty())
    }
}

/// One choice of the outcome filter.
#[derive(Debug, Clone)]
pub(crate) struct OutcomeChoice {
    pub(crate) word: &'static str,
    pub(crate) title: &'static str,
    pub(crate) chosen: bool,
}

/// The server of an event: a link, if the text can be a server's name.
#[derive(Debug, Clone)]
pub(crate) struct EventServer {
    pub(crate) name: String,
    pub(crate) href: Option<String>,
}

/// One event.
#[derive(Debug, Clone)]
pub(crate) struct EventRow {
    pub(crate) number: String,
    pub(crate) at: Moment,
    pub(crate) action: String,
    pub(crate) outcome: &'static str,
    pub(crate) tone: &'static str,
    pub(crate) reason: String,
    pub(crate) actor: String,
    pub(crate) server: Option<EventServer>,
    pub(crate) target: String,
    pub(crate) facts: Vec<Fact>,
}

/// What a verification found.
#[derive(Debug, Clone)]
pub(crate) struct ReportView {
    pub(crate) tone: &'static str,
    pub(crate) title: &'static str,
    pub(crate) text: String,
    pub(crate) findings: Vec<String>,
}

/// The page.
#[derive(Template)]
#[template(path = "audit.html")]
pub(crate) struct AuditPageView {
    pub(crate) shell: Shell,
    pub(crate) heading: &'static str,
    pub(crate) verify_token: String,
    pub(crate) report: Option<ReportView>,
    pub(crate) filtered: bool,
    pub(crate) outcomes: Vec<OutcomeChoice>,
    pub(crate) filter: AuditFilter,
    pub(crate) rows: Vec<EventRow>,
    pub(crate) next: Option<String>,
}

const OUTCOMES: [(&str, &str); 5] = [
    ("", "Every outcome"),
    ("permitted", "Permitted"),
    ("refused", "Refused"),
    ("done", "Done"),
    ("failed", "Failed"),
];

/// Findings shown; the command line prints them all.
const FINDINGS: usize = 20;

impl AuditPageView {
    pub(crate) fn new(shell: Shell, filter: AuditFilter, events: &[ChainedEvent]) -> Self {
        Self {
            shell,
            heading: "Newest events",
            verify_token: String::new(),
            report: None,
            filtered: !filter.is_empty(),
            outcomes: OUTCOMES
                .iter()
                .map(|(word, title)| OutcomeChoice {
                    word,
                    title,
                    chosen: *word == filter.outcome,
                })
                .collect(),
            filter,
            rows: events.iter().map(row).collect(),
            next: None,
        }
    }
}

impl ReportView {
    pub(crate) fn new(report: &AuditReport) -> Self {
        let text = format!(
            "{} events and {} signed checkpoints were read.",
            words::number(report.events),
            words::number(report.checkpoints)
        );
        let sound = report.findings.is_empty();
        let finding = |found: &portreeve_core::audit::AuditFinding| {
            format!(
                "Chain {}, event {}: {}",
                found.node, found.sequence, found.problem
            )
        };
        Self {
            tone: if sound { "notice-good" } else { "notice-bad" },
            title: if sound {
                "The log is whole."
            } else {
                "The log was changed."
            },
            text,
            findings: report.findings.iter().take(FINDINGS).map(finding).collect(),
        }
    }
}

fn row(chained: &ChainedEvent) -> EventRow {
    let event = &chained.event;
    let (outcome, tone) = match event.outcome {
        AuditOutcome::Permitted => ("Permitted", "badge-good"),
        AuditOutcome::Refused => ("Refused", "badge-bad"),
        AuditOutcome::Done => ("Done", "badge-info"),
        AuditOutcome::Failed => ("Failed", "badge-warn"),
    };
    EventRow {
        number: chained.sequence.to_string(),
        at: Moment::new(event.at),
        action: words::visible(&event.action),
        outcome,
        tone,
        reason: event.reason.as_deref().map(words::visible).unwrap_or_default(),
        actor: words::visible(&event.actor),
        server: event.server.as_deref().map(event_server),
        target: event.target.as_deref().map(words::visible).unwrap_or_default(),
        facts: facts(chained, event),
    }
}

fn event_server(name: &str) -> EventServer {
    EventServer {
        href: name
            .parse::<ServerName>()
            .ok()
            .map(|name| format!("/servers/{name}")),
        name: words::visible(name),
    }
}

fn facts(chained: &ChainedEvent, event: &AuditEvent) -> Vec<Fact> {
    let mut facts = Vec::new();
    let mut tell = |label, text: Option<String>| {
        facts.extend(
            text.filter(|text| !text.is_empty())
                .map(|text| Fact::text(label, words::visible(&text))),
        );
    };
    tell("Decided by", Some(event.policies.join(", ")));
    tell(
        "Arguments",
        event
            .arguments
            .as_ref()
            .map(|arguments| arguments.keys.join(", ")),
    );
    tell("Change", event.detail.as_ref().map(ToString::to_string));
    tell("Status", event.status.map(|status| status.to_string()));
    tell(
        "Server’s status",
        event.upstream_status.map(|status| status.to_string()),
    );
    tell(
        "Answered by",
        event.cached.then(|| "a copy of an earlier answer".to_owned()),
    );
    tell("Took", event.latency_us.map(words::duration));
    tell("Identity", event.principal.clone());
    tell("Key", event.key.clone());
    tell("Request", event.request_id.clone());
    tell("Trace", event.traceparent.clone());
    tell(
        "Place",
        Some(format!("{} in chain {}", chained.sequence, chained.node)),
    );
    tell("Hash", Some(chained.hash.clone()));
    facts
}
