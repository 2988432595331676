//! Calls that a person must allow first.

use askama::Template;
use portreeve_access::ShownApproval;
use portreeve_core::approval::ApprovalState;
use portreeve_core::time::Timestamp;

use crate::view::account::account_tabs;
use crate::view::form::Tab;
use crate::view::shell::Shell;
use crate::words::{self, Moment};

/// The list.
#[derive(Template)]
#[template(path = "approvals.html")]
pub(crate) struct ApprovalsPage {
    pub(crate) shell: Shell,
    pub(crate) tabs: Vec<Tab>,
    pub(crate) rows: Vec<ApprovalRow>,
}

/// One of the list.
pub(crate) struct ApprovalRow {
    pub(crate) id: String,
    pub(crate) tool: String,
    pub(crate) server: String,
    pub(crate) caller: String,
    pub(crate) state: &'static str,
    pub(crate) may_decide: bool,
    pub(crate) asked: Moment,
    pub(crate) until: Moment,
}

/// One of them.
#[derive(Template)]
#[template(path = "approval.html")]
pub(crate) struct ApprovalPage {
    pub(crate) shell: Shell,
    pub(crate) row: ApprovalRow,
    /// The arguments, for people.
    pub(crate) arguments: String,
    pub(crate) approvers: Vec<String>,
    pub(crate) by_caller: bool,
    pub(crate) is_waiting: bool,
    pub(crate) is_over: bool,
    pub(crate) decided: Option<(String, Moment)>,
    pub(crate) reason: Option<String>,
    pub(crate) token: String,
    pub(crate) problem: Option<String>,
}

// === impl ApprovalsPage ===

impl ApprovalsPage {
    pub(crate) fn new(shell: Shell, all: &[ShownApproval]) -> Self {
        Self {
            shell,
            tabs: account_tabs("/approvals"),
            rows: all.iter().map(ApprovalRow::new).collect(),
        }
    }
}

impl ApprovalRow {
    fn new(shown: &ShownApproval) -> Self {
        let approval = &shown.approval;
        Self {
            id: approval.id.to_string(),
            tool: words::visible(&approval.tool),
            server: approval.server.to_string(),
            caller: words::visible(&approval.caller),
            state: match approval.state {
                ApprovalState::Waiting => "waits",
                ApprovalState::Approved => "allowed",
                ApprovalState::Denied => "not allowed",
                ApprovalState::Used => "made",
            },
            may_decide: shown.may_decide,
            asked: Moment::new(approval.asked_at),
            until: Moment::new(approval.expires_at),
        }
    }
}

// === impl ApprovalPage ===

impl ApprovalPage {
    pub(crate) fn new(
        shell: Shell,
        shown: &ShownApproval,
        (token, problem): (String, Option<String>),
        now: Timestamp,
    ) -> Self {
        let approval = &shown.approval;
        let is_waiting = approval.state == ApprovalState::Waiting;
        let decided = approval.decided_by.as_deref().zip(approval.decided_at);
        Self {
            shell,
            row: ApprovalRow::new(shown),
            arguments: words::visible(&for_people(&shown.arguments)),
            approvers: approval
                .approvers
                .iter()
                .map(|label| words::visible(label))
                .collect(),
            by_caller: approval.by_caller,
            is_waiting,
            is_over: is_waiting && !approval.is_live(now),
            decided: decided.map(|(by, at)| (words::visible(by), Moment::new(at))),
            reason: approval.reason.as_deref().map(words::visible),
            token,
            problem,
        }
    }
}

/// Arguments with a line for each member. Numbers stay as they are written.
fn for_people(arguments: &str) -> String {
    let read: Result<serde_json::Value, _> = serde_json::from_str(arguments);
    let spaced = read
        .ok()
        .and_then(|read| serde_json::to_string_pretty(&read).ok());
    spaced.unwrap_or_else(|| arguments.to_owned())
}
