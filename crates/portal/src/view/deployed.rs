//! Where one server runs: the table, and the form that says it.

use askama::Template;
use portreeve_core::deployment::{Deployment, DeploymentState, EnvironmentRecord};
use portreeve_core::ports::Entry;

use crate::view::badge::Badge;
use crate::view::form::{Choice, Field, FieldKind, FormView};
use crate::view::shell::Shell;
use crate::words;

/// One place.
#[derive(Debug, Clone)]
pub(crate) struct PlaceRow {
    pub(crate) environment: String,
    pub(crate) major: String,
    pub(crate) place: String,
    pub(crate) runs: String,
    pub(crate) url: String,
    pub(crate) badges: Vec<Badge>,
}

/// The page.
#[derive(Template)]
#[template(path = "deployed.html")]
pub(crate) struct DeployedPage {
    pub(crate) shell: Shell,
    pub(crate) server: String,
    pub(crate) rows: Vec<PlaceRow>,
    pub(crate) revision: i64,
    /// Who proposed what is shown, if it waits.
    pub(crate) proposed_by: Option<String>,
    pub(crate) manages: bool,
    pub(crate) form: FormView,
}

/// The form. What stands in it replaces what is said of the same place.
pub(crate) fn form(entry: &Entry, environments: &[EnvironmentRecord]) -> FormView {
    let name = &entry.server.name;
    let environments = environments.iter().map(|record| {
        let is_production = record.name.as_str() == "production";
        Choice::new(record.name.as_str(), words::visible(&record.title), is_production)
    });
    let mut versions = vec![Choice::new("", "The highest approved one", true)];
    versions.extend(entry.versions.iter().map(|version| {
        let version = version.version.as_str();
        Choice::new(version, words::visible(version), false)
    }));
    let states = vec![
        Choice::new("active", "Served", true),
        Choice::new("inactive", "Declared only", false),
    ];
    FormView::new(
        "deploy",
        format!("/servers/{name}/deployments"),
        "Say it runs there",
    )
    .hide("revision", entry.revision)
    .field(Field::choice("environment", "Environment", environments.collect()).required())
    .field(
        Field::line("url", "URL of its MCP endpoint there")
            .required()
            .hint("Streamable HTTP. The gateway calls it; hosts get the address of the gateway."),
    )
    .field(Field::choice("version", "Version", versions).required())
    .field(
        Field::line("major", "Major version")
            .hint("v1 has a route of its own, which follows the highest approved 1.x.y."),
    )
    .field(Field::choice("state", "State", states).required())
}

/// The same for who may grant private hosts.
pub(crate) fn granting(form: FormView) -> FormView {
    form.field(Field::tick(
        "internal",
        "Grant the private hosts that its URL needs",
    ))
}

// === impl DeployedPage ===

impl DeployedPage {
    pub(crate) fn new(
        shell: Shell,
        (entry, shown): (&Entry, &[Deployment]),
        form: FormView,
        manages: bool,
    ) -> Self {
        let proposed = entry.server.deployments.proposed.as_ref();
        Self {
            shell,
            server: entry.server.name.to_string(),
            rows: shown.iter().map(PlaceRow::new).collect(),
            revision: entry.revision,
            proposed_by: proposed.map(|proposed| words::visible(&proposed.by)),
            manages,
            form,
        }
    }
}

// === impl PlaceRow ===

impl PlaceRow {
    fn new(one: &Deployment) -> Self {
        let pinned = one.version.as_ref();
        Self {
            environment: one.environment.to_string(),
            major: one.major.map_or_else(String::new, |major| major.to_string()),
            place: one.place().to_string(),
            runs: pinned.map_or_else(
                || "the highest approved".to_owned(),
                |version| words::visible(version.as_str()),
            ),
            url: words::visible(&one.url),
            badges: vec![match one.state {
                DeploymentState::Active => Badge::new("Served", "State", "badge-good"),
                DeploymentState::Inactive => Badge::new("Declared only", "State", ""),
            }],
        }
    }
}
