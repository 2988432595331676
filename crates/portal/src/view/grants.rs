//! The page of grants: who may do what, where; and the form that makes one.

use askama::Template;
use portreeve_access::NamedGrant;
use portreeve_core::grant::{Rights, ServerScope, ToolScope};

use crate::view::access_requests::times;
use crate::view::form::{Choice, Field, FieldKind, FormView, Tab};
use crate::view::shell::Shell;
use crate::words::{self, Moment};

/// One grant.
#[derive(Debug, Clone)]
pub(crate) struct GrantRow {
    pub(crate) id: String,
    pub(crate) subject: String,
    pub(crate) role: &'static str,
    pub(crate) rights: &'static str,
    pub(crate) servers: String,
    pub(crate) tools: String,
    pub(crate) by: String,
    pub(crate) at: Moment,
    /// When it ends.
    pub(crate) until: Option<Moment>,
    /// The page of the request that it came of.
    pub(crate) request: Option<String>,
}

/// The page.
#[derive(Template)]
#[template(path = "grants.html")]
pub(crate) struct GrantsPage {
    pub(crate) shell: Shell,
    pub(crate) tabs: Vec<Tab>,
    pub(crate) rows: Vec<GrantRow>,
    /// The subject whose grants are shown alone; empty for all.
    pub(crate) subject: String,
    pub(crate) form: FormView,
}

/// The form that makes a grant, perhaps for somebody.
pub(crate) fn form(subject: &str) -> FormView {
    let rights = [
        (Rights::Use, "user: see servers and call their tools"),
        (Rights::View, "viewer: see drafts, findings, routes"),
        (Rights::Publish, "publisher: register, describe, hand in"),
        (Rights::Approve, "approver: approve and reject"),
        (Rights::Operate, "operator: run what is approved"),
        (Rights::Audit, "auditor: read the audit log, usage, grants"),
        (Rights::Manage, "admin: everything"),
    ];
    let rights = rights.map(|(rights, text)| Choice::new(rights.as_str(), text, rights == Rights::Use));
    let places = [
        ("all", "Every server"),
        ("server", "One server"),
        ("namespace", "A namespace"),
        ("owner", "What a group owns"),
        ("registry", "A registry"),
    ];
    let places = places.map(|(value, text)| Choice::new(value, text, value == "all"));
    FormView::new("grant", "/admin/grants", "Grant it")
        .field(
            Field::line("who", "Who")
                .required()
                .value(subject)
                .hint("user:ada, key:deploy, group:finance, or client: with the client_id."),
        )
        .field(Field::choice("rights", "Role", rights.to_vec()).required())
        .field(Field::choice("where", "Where", places.to_vec()).required())
        .field(
            Field::line("of", "Its name")
                .hint("com.acme/billing, com.acme.*, finance: of the server, namespace, group or registry."),
        )
        .field(Field::tick("readOnly", "Only tools that say they change nothing").hint("For the role user."))
        .field(times(None).hint("Not for the role admin."))
}

// === impl GrantRow ===

impl GrantRow {
    pub(crate) fn new(named: &NamedGrant) -> Self {
        let grant = &named.grant;
        Self {
            id: grant.id.to_string(),
            subject: words::visible(&named.subject),
            role: grant.rights.role(),
            rights: grant.rights.as_str(),
            servers: match &grant.servers {
                ServerScope::All => "every server".to_owned(),
                ServerScope::Server(name) => name.to_string(),
                ServerScope::Namespace(pattern) => format!("namespace {pattern}"),
                ServerScope::Owner(group) => format!("what group {group} owns"),
                ServerScope::Registry(name) => format!("registry {name}"),
            },
            tools: match (&grant.tools, grant.rights) {
                (ToolScope::All, Rights::Use) => "every tool".to_owned(),
                (ToolScope::All, _) => String::new(),
                (ToolScope::ReadOnly, _) => "read-only tools".to_owned(),
                (ToolScope::Named(names), _) => words::visible(&names.join(", ")),
            },
            by: words::visible(&grant.created_by),
            at: Moment::new(grant.created_at),
            until: grant.expires_at.map(Moment::new),
            request: grant.request.map(|request| format!("/access-requests/{request}")),
        }
    }
}
