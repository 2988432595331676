//! Requests for access: the forms, and what is said about one.

use std::time::Duration;

use askama::Template;
use portreeve_access::ShownAccessRequest;
use portreeve_core::access_request::{AccessRequest, AccessRequestState};
use portreeve_core::grant::ToolScope;
use portreeve_core::id::AccessRequestId;
use portreeve_core::name::ServerName;

use crate::view::account::account_tabs;
use crate::view::form::{Choice, Field, FormView, Tab};
use crate::view::shell::Shell;
use crate::words::{self, Moment};

const DAY: u64 = 24 * 60 * 60;
/// What can be chosen; any other time is for the API and the command line.
const TIMES: [(u64, &str); 6] = [
    (60 * 60, "1 hour"),
    (8 * 60 * 60, "8 hours"),
    (DAY, "1 day"),
    (7 * DAY, "7 days"),
    (30 * DAY, "30 days"),
    (90 * DAY, "90 days"),
];

/// One of a list.
#[derive(Debug, Clone)]
pub(crate) struct AccessRow {
    pub(crate) id: String,
    pub(crate) server: String,
    pub(crate) caller: String,
    pub(crate) groups: String,
    pub(crate) tools: String,
    pub(crate) reason: String,
    pub(crate) wished: String,
    pub(crate) state: &'static str,
    pub(crate) note: Option<String>,
    pub(crate) asked: Moment,
}

/// What somebody asked for.
#[derive(Template)]
#[template(path = "access_requests.html")]
pub(crate) struct AccessRequestsPage {
    pub(crate) shell: Shell,
    pub(crate) tabs: Vec<Tab>,
    pub(crate) rows: Vec<AccessRow>,
}

// === impl AccessRow ===

impl AccessRow {
    pub(crate) fn new(shown: &ShownAccessRequest) -> Self {
        let request = &shown.request;
        let groups: Vec<String> = request.groups.iter().map(ToString::to_string).collect();
        Self {
            id: request.id.to_string(),
            server: request.server.to_string(),
            caller: words::visible(&request.caller),
            groups: groups.join(", "),
            tools: tools(&request.tools),
            reason: words::visible(&request.reason),
            wished: wished(request.wished),
            state: shown.state.as_str(),
            note: request.note.as_deref().map(words::visible),
            asked: Moment::new(request.asked_at),
        }
    }
}

// === impl AccessRequestsPage ===

impl AccessRequestsPage {
    pub(crate) fn new(shell: Shell, own: &[ShownAccessRequest]) -> Self {
        Self {
            shell,
            tabs: account_tabs("/account/access"),
            rows: own.iter().map(AccessRow::new).collect(),
        }
    }
}

/// Who asks for what.
pub(crate) fn sentence(shown: &ShownAccessRequest) -> String {
    let row = AccessRow::new(shown);
    format!("{} asks to use {} of {}.", row.caller, row.tools, row.server)
}

/// All that is known of it.
pub(crate) fn facts(shown: &ShownAccessRequest) -> Vec<String> {
    let (row, request) = (AccessRow::new(shown), &shown.request);
    let mut facts = vec![
        format!(
            "Asked by {} on {}, {} UTC",
            row.caller, row.asked.day, row.asked.time
        ),
        match row.groups.is_empty() {
            true => "In no group".to_owned(),
            false => format!("In groups: {}", row.groups),
        },
        format!("For: {}, {}", row.tools, row.wished),
        format!("Because: {}", row.reason),
    ];
    let by = request.decided_by.as_deref().map(words::visible);
    let by = by.unwrap_or_default();
    facts.push(match shown.state {
        AccessRequestState::Open => {
            let until = Moment::new(request.expires_at);
            format!("It waits for a decision until {}", until.day)
        }
        AccessRequestState::Granted => match request.granted_until.map(Moment::new) {
            Some(until) => format!("Granted by {by} until {}, {} UTC", until.day, until.time),
            None => format!("Granted by {by}, with no end"),
        },
        AccessRequestState::Refused => format!("Refused by {by}"),
        AccessRequestState::Withdrawn => "Withdrawn".to_owned(),
        AccessRequestState::Expired => "Nobody decided in time: ask again".to_owned(),
    });
    facts.extend(row.note.map(|note| format!("Note: {note}")));
    facts
}

/// The form in which somebody asks.
pub(crate) fn ask_form(name: &ServerName) -> FormView {
    let scopes = vec![
        Choice::new("all", "Every tool", true),
        Choice::new("read-only", "Only tools that say they change nothing", false),
        Choice::new("named", "The tools named below", false),
    ];
    FormView::new("ask", format!("/servers/{name}/access"), "Ask for access")
        .field(Field::choice("tools", "Which tools", scopes))
        .field(
            Field::text("named", "Names of tools", 3)
                .hint("One on each line; only where you ask for named tools."),
        )
        .field(
            Field::text("reason", "What for", 4)
                .required()
                .hint("Plain text. Whoever decides reads it, and it stands in the audit log."),
        )
        .field(times(None))
}

/// The form that grants it.
pub(crate) fn grant_form(request: &AccessRequest) -> FormView {
    let mut scopes = vec![Choice::new("", "What was asked for", true)];
    if request.tools == ToolScope::All {
        scopes.push(Choice::new(
            "read-only",
            "Only tools that say they change nothing",
            false,
        ));
    }
    let mut form = FormView::new(
        "grant",
        format!("/access-requests/{}/grant", request.id),
        "Grant it",
    );
    if request.tools != ToolScope::ReadOnly {
        scopes.push(Choice::new("named", "Only the tools named below", false));
        form = form.field(Field::choice("tools", "Which tools", scopes)).field(
            Field::text("named", "Names of tools", 3)
                .hint("One on each line, of those that were asked for; only where you grant named tools."),
        );
    }
    form.field(times(request.wished))
        .field(Field::line("note", "Note to who asked"))
}

/// The form that refuses it.
pub(crate) fn refuse_form(id: AccessRequestId) -> FormView {
    FormView::new("refuse", format!("/access-requests/{id}/refuse"), "Refuse it")
        .field(Field::line("note", "Why not").required())
        .plain()
}

/// For how long: what was wished is chosen.
pub(crate) fn times(wished: Option<Duration>) -> Field {
    let wished = wished.map(|span| span.as_secs());
    let mut choices = vec![Choice::new("", "With no end", wished.is_none())];
    choices.extend(TIMES.map(|(seconds, text)| {
        let is_wished = wished == Some(seconds);
        Choice::new(seconds.to_string(), text, is_wished)
    }));
    let is_listed = |seconds: u64| TIMES.iter().any(|(listed, _)| *listed == seconds);
    if let Some(seconds) = wished.filter(|seconds| !is_listed(*seconds)) {
        choices.push(Choice::new(seconds.to_string(), span(seconds), true));
    }
    Field::choice("for", "For how long", choices)
}

fn wished(asked: Option<Duration>) -> String {
    asked.map_or_else(
        || "with no end".to_owned(),
        |asked| format!("for {}", span(asked.as_secs())),
    )
}

fn span(seconds: u64) -> String {
    let (number, unit) = match seconds {
        _ if seconds.is_multiple_of(DAY) => (seconds / DAY, "day"),
        _ if seconds.is_multiple_of(3_600) => (seconds / 3_600, "hour"),
        _ if seconds.is_multiple_of(60) => (seconds / 60, "minute"),
        _ => (seconds, "second"),
    };
    words::count(usize::try_from(number).unwrap_or(usize::MAX), unit)
}

fn tools(scope: &ToolScope) -> String {
    match scope {
        ToolScope::All => "every tool".to_owned(),
        ToolScope::ReadOnly => "read-only tools".to_owned(),
        ToolScope::Named(names) => words::visible(&names.join(", ")),
    }
}
