//! The page of the vault: names, who set them and when. There is no field that could hold a value.

use askama::Template;
use portreeve_core::vault::{SecretFacts, SecretUse};

use crate::view::form::{Field, FieldKind, FormView, Tab};
use crate::view::governed::governance_tabs;
use crate::view::shell::Shell;
use crate::words::{self, Moment};

/// Users of a secret that are named.
const SHOWN: usize = 20;

/// One secret.
#[derive(Debug, Clone)]
pub(crate) struct SecretRow {
    pub(crate) name: String,
    pub(crate) revision: i64,
    pub(crate) by: String,
    pub(crate) at: Moment,
    pub(crate) replace: FormView,
}

/// A secret that was not deleted, since something names it.
#[derive(Debug, Clone)]
pub(crate) struct InUse {
    pub(crate) name: String,
    /// What names it, the first of them.
    pub(crate) uses: Vec<String>,
    /// How many more there are.
    pub(crate) more: usize,
}

/// The page.
#[derive(Template)]
#[template(path = "secrets.html")]
pub(crate) struct SecretsPage {
    pub(crate) shell: Shell,
    pub(crate) tabs: Vec<Tab>,
    pub(crate) rows: Vec<SecretRow>,
    pub(crate) form: FormView,
    pub(crate) in_use: Option<InUse>,
}

/// The form that sets one.
pub(crate) fn form(typed: &str) -> FormView {
    FormView::new("secret", "/admin/secrets", "Set the secret")
        .field(
            Field::line("name", "Name")
                .required()
                .value(typed)
                .hint("Lower-case letters, digits, dots, dashes and underscores. secret:NAME refers to it."),
        )
        .field(
            Field::secret("value", "Value")
                .required()
                .hint("One line. It is sealed, and nobody is shown it again. Several lines: portreeve secret set NAME < FILE"),
        )
}

// === impl SecretsPage ===

impl SecretsPage {
    pub(crate) fn new(shell: Shell, all: &[SecretFacts], form: FormView) -> Self {
        let row = |facts: &SecretFacts| SecretRow {
            name: facts.name.to_string(),
            revision: facts.revision,
            by: words::visible(&facts.updated_by),
            at: Moment::new(facts.updated_at),
            replace: FormView::new(format!("replace-{}", facts.name), "/admin/secrets", "Replace")
                .token(form.token.clone())
                .hide("name", &facts.name)
                .hide("revision", facts.revision)
                .field(Field::secret("value", "New value").required())
                .plain(),
        };
        Self {
            tabs: governance_tabs(shell.offers(), "/admin/secrets"),
            shell,
            rows: all.iter().map(row).collect(),
            form,
            in_use: None,
        }
    }
}

// === impl InUse ===

impl InUse {
    pub(crate) fn new(name: String, uses: &[SecretUse]) -> Self {
        let told = |one: &SecretUse| words::visible(&format!("{} {}", one.kind, one.name));
        Self {
            name,
            uses: uses.iter().take(SHOWN).map(told).collect(),
            more: uses.len().saturating_sub(SHOWN),
        }
    }
}
