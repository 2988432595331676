//! What the pages of an account and of users show.

use askama::Template;
use portreeve_core::user::{Session, SignInMethod, User, UserOrigin};

use crate::view::form::{FieldKind, FormView, Tab};
use crate::view::shell::Shell;
use crate::words::{self, Moment};

/// What is known of a user, in sentences.
pub(crate) fn facts(user: &User) -> Vec<String> {
    let mut facts = vec![format!("Name: {}", words::visible(&user.name))];
    if let Some(name) = &user.display_name {
        facts.push(format!("Called: {}", words::visible(name)));
    }
    if let Some(email) = &user.email {
        facts.push(format!("E-mail: {}", words::visible(email)));
    }
    facts.push(match &user.external {
        Some(external) => format!("Vouched for by {}", words::visible(&external.issuer)),
        None => "Made here".to_owned(),
    });
    let listed = |groups: &[portreeve_core::name::GroupName]| {
        let groups: Vec<String> = groups.iter().map(ToString::to_string).collect();
        groups.join(", ")
    };
    if !user.groups.is_empty() {
        facts.push(format!("Groups, by hand: {}", listed(&user.groups)));
    }
    if !user.provider_groups.is_empty() {
        facts.push(format!(
            "Groups, by the provider: {}",
            listed(&user.provider_groups)
        ));
    }
    if user.all_groups().is_empty() {
        facts.push("In no group".to_owned());
    }
    if let Some(at) = user.disabled_at {
        facts.push(format!("Disabled since {}", Moment::new(at).day));
    }
    if let Some(at) = user.signed_in_at {
        let at = Moment::new(at);
        facts.push(format!("Signed in last on {}, {} UTC", at.day, at.time));
    }
    facts
}

/// The pages about the visitor.
pub(crate) fn account_tabs(current: &str) -> Vec<Tab> {
    let all = [
        ("/account", "Account"),
        ("/account/sessions", "Sessions"),
        ("/account/clients", "Connected programs"),
        ("/account/access", "Access asked for"),
        ("/approvals", "Calls that wait"),
    ];
    Tab::all(&all, current)
}

/// A session.
#[derive(Debug, Clone)]
pub(crate) struct SessionRow {
    pub(crate) id: String,
    pub(crate) by: &'static str,
    pub(crate) agent: String,
    pub(crate) since: Moment,
    pub(crate) seen: Moment,
    pub(crate) ends: Moment,
    /// Whether it is the one that looks.
    pub(crate) is_own: bool,
}

/// Where somebody is signed in.
#[derive(Template)]
#[template(path = "sessions.html")]
pub(crate) struct SessionsPage {
    pub(crate) shell: Shell,
    pub(crate) tabs: Vec<Tab>,
    pub(crate) rows: Vec<SessionRow>,
    pub(crate) token: String,
}

/// A user, in the list.
#[derive(Debug, Clone)]
pub(crate) struct UserRow {
    pub(crate) name: String,
    pub(crate) href: String,
    pub(crate) called: String,
    pub(crate) origin: &'static str,
    pub(crate) groups: String,
    pub(crate) since: Moment,
    pub(crate) is_disabled: bool,
}

/// Every user.
#[derive(Template)]
#[template(path = "users.html")]
pub(crate) struct UsersPage {
    pub(crate) shell: Shell,
    pub(crate) tabs: Vec<Tab>,
    pub(crate) rows: Vec<UserRow>,
    pub(crate) form: FormView,
}

// === impl SessionRow ===

impl SessionRow {
    pub(crate) fn new(session: &Session, is_own: bool) -> Self {
        Self {
            id: session.id.to_string(),
            by: match session.method {
                SignInMethod::Link => "a link",
                SignInMethod::Password => "a password",
                SignInMethod::Provider => "an identity provider",
            },
            agent: words::visible(session.agent.as_deref().unwrap_or("a browser without a name")),
            since: Moment::new(session.created_at),
            seen: Moment::new(session.seen_at),
            ends: Moment::new(session.expires_at),
            is_own,
        }
    }
}

// === impl UserRow ===

impl UserRow {
    pub(crate) fn new(user: &User) -> Self {
        let groups: Vec<String> = user.all_groups().iter().map(ToString::to_string).collect();
        Self {
            name: words::visible(&user.name),
            href: format!("/admin/users/{}", user.id),
            called: words::visible(user.display_name.as_deref().unwrap_or_default()),
            origin: match user.origin {
                UserOrigin::Local => "made here",
                UserOrigin::Provider => "identity provider",
            },
            groups: groups.join(", "),
            since: Moment::new(user.created_at),
            is_disabled: !user.is_enabled(),
        }
    }
}
