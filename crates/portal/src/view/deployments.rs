//! The page of all deployments.

use askama::Template;
use portreeve_core::deployment::{DeploymentState, EnvironmentRecord};
use portreeve_core::ports::DeployedServer;
use portreeve_registry::{DeploymentsQuery, Standing};

use crate::view::badge::Badge;
use crate::view::form::{Choice, Tab};
use crate::view::governed::governance_tabs;
use crate::view::shell::Shell;
use crate::words;

/// One deployment.
#[derive(Debug, Clone)]
pub(crate) struct DeployedRow {
    pub(crate) server: String,
    pub(crate) place: String,
    pub(crate) runs: String,
    pub(crate) serves: String,
    pub(crate) url: String,
    pub(crate) badges: Vec<Badge>,
}

/// The page.
#[derive(Template)]
#[template(path = "deployments.html")]
pub(crate) struct DeploymentsPage {
    pub(crate) shell: Shell,
    pub(crate) tabs: Vec<Tab>,
    pub(crate) server: String,
    pub(crate) environments: Vec<Choice>,
    pub(crate) states: Vec<Choice>,
    pub(crate) is_narrowed: bool,
    pub(crate) rows: Vec<DeployedRow>,
    /// What stands there instead of no rows.
    pub(crate) empty: &'static str,
    pub(crate) next: Option<String>,
}

// === impl DeployedRow ===

impl DeployedRow {
    fn new(one: &DeployedServer) -> Self {
        let deployment = &one.deployment;
        let pinned = deployment.version.as_ref();
        let serves = one.route.as_ref();
        Self {
            server: one.server.to_string(),
            place: deployment.place().to_string(),
            runs: pinned.map_or_else(
                || "the highest approved".to_owned(),
                |version| words::visible(version.as_str()),
            ),
            serves: serves.map_or_else(String::new, |(slug, version)| {
                words::visible(&format!("{slug} at {version}"))
            }),
            url: words::visible(&deployment.url),
            badges: vec![match (one.is_proposed, deployment.state) {
                (true, _) => Badge::new("Waits for approval", "State", "badge-warn"),
                (false, DeploymentState::Active) => Badge::new("Active", "State", "badge-good"),
                (false, DeploymentState::Inactive) => Badge::new("Inactive", "State", "badge-quiet"),
            }],
        }
    }
}

// === impl DeploymentsPage ===

impl DeploymentsPage {
    pub(crate) fn new(
        shell: Shell,
        query: &DeploymentsQuery,
        environments: &[EnvironmentRecord],
        found: &[DeployedServer],
    ) -> Self {
        let any = |is_chosen| Choice::new("", "Any", is_chosen);
        let named = environments.iter().map(|record| {
            let is_chosen = query.environment.as_ref() == Some(&record.name);
            Choice::new(record.name.as_str(), words::visible(&record.title), is_chosen)
        });
        let states = [
            (Standing::Active, "Active"),
            (Standing::Inactive, "Inactive"),
            (Standing::Proposed, "Waits for approval"),
        ];
        let states = states
            .map(|(standing, label)| Choice::new(standing.as_str(), label, query.standing == Some(standing)));
        let is_narrowed = query.server.is_some() || query.environment.is_some() || query.standing.is_some();
        Self {
            tabs: governance_tabs(shell.offers(), "/admin/deployments"),
            shell,
            empty: if is_narrowed {
                "Nothing fits this filter."
            } else {
                "No server says where it runs beside its document, whose remote is the production one."
            },
            is_narrowed,
            server: query.server.as_ref().map(ToString::to_string).unwrap_or_default(),
            environments: std::iter::once(any(query.environment.is_none()))
                .chain(named)
                .collect(),
            states: std::iter::once(any(query.standing.is_none()))
                .chain(states)
                .collect(),
            rows: found.iter().map(DeployedRow::new).collect(),
            next: None,
        }
    }
}
