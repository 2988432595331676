//! The page of how Portreeve logs in at one server.

use askama::Template;
use portreeve_core::login::{Login, ServerLogin};
use portreeve_core::name::ServerName;
use portreeve_core::vault::SecretFacts;

use crate::view::form::{Choice, Field, FieldKind, FormView};
use crate::view::shell::Shell;
use crate::words::{self, Moment};

/// One login.
#[derive(Debug, Clone)]
pub(crate) struct LoginRow {
    pub(crate) url: String,
    pub(crate) shown: String,
    pub(crate) how: String,
    pub(crate) by: String,
    pub(crate) at: Moment,
}

/// The page.
#[derive(Template)]
#[template(path = "logins.html")]
pub(crate) struct LoginsPage {
    pub(crate) shell: Shell,
    pub(crate) server: String,
    pub(crate) rows: Vec<LoginRow>,
    /// Whether there is a secret to log in with.
    pub(crate) has_secrets: bool,
    /// Whether the visitor may take a login away.
    pub(crate) removes: bool,
    pub(crate) form: FormView,
}

/// The form that sets one.
pub(crate) fn form(name: &ServerName, secrets: &[SecretFacts]) -> FormView {
    let schemes = [
        ("bearer", "Authorization: Bearer"),
        ("header", "A header of its own"),
        ("basic", "Authorization: Basic"),
    ];
    let schemes = schemes.map(|(value, label)| Choice::new(value, label, value == "bearer"));
    let secrets = secrets.iter().map(|facts| facts.name.as_str());
    let secrets = secrets.map(|name| Choice::new(name, format!("secret:{name}"), false));
    FormView::new("login", format!("/servers/{name}/logins"), "Log in with it")
        .field(Field::choice("scheme", "How", schemes.to_vec()).required())
        .field(
            Field::choice("secret", "Secret", secrets.collect())
                .required()
                .at("login.secret"),
        )
        .field(
            Field::line("of", "Header or user").at("login").hint(
                "The header's name, or the user whose password the secret is. Nothing for a bearer token.",
            ),
        )
        .field(
            Field::line("url", "URL that it is shown to")
                .hint("Byte for byte, and no other. That of the newest version unless given."),
        )
}

// === impl LoginsPage ===

impl LoginsPage {
    pub(crate) fn new(shell: Shell, name: &ServerName, logins: &[ServerLogin], form: FormView) -> Self {
        let has_secrets = form.fields.iter().any(|field| match &field.kind {
            FieldKind::Choice(choices) => field.name == "secret" && !choices.is_empty(),
            _ => false,
        });
        Self {
            shell,
            server: name.to_string(),
            rows: logins.iter().map(LoginRow::new).collect(),
            has_secrets,
            removes: false,
            form,
        }
    }
}

// === impl LoginRow ===

impl LoginRow {
    fn new(login: &ServerLogin) -> Self {
        let secret = login.login.secret();
        let how = match &login.login {
            Login::Bearer { .. } => format!("{secret} as a bearer token"),
            Login::Header { header, .. } => format!("{secret} in {header}"),
            Login::Basic { user, .. } => format!("{secret} for {user}"),
        };
        Self {
            url: login.url.clone(),
            shown: words::visible(&login.url),
            how: words::visible(&how),
            by: words::visible(&login.set_by),
            at: Moment::new(login.set_at),
        }
    }
}
