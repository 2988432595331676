//! What people say about a server, and where it runs, on its page. Whoever may not see it has an empty one.

use portreeve_core::deployment::{Deployment, DeploymentState};
use portreeve_core::ports::Entry;
use portreeve_core::profile::{Metadata, Profile};

use crate::view::badge::Badge;
use crate::view::server::Fact;
use crate::words;

/// What stands in sections of its own.
#[derive(Debug, Clone, Default)]
pub(crate) struct ProfileView {
    pub(crate) use_cases: Vec<CaseView>,
    pub(crate) deployments: Vec<DeploymentRow>,
}

/// Something that a server is good for.
#[derive(Debug, Clone)]
pub(crate) struct CaseView {
    pub(crate) name: String,
    pub(crate) text: String,
}

/// One deployment.
#[derive(Debug, Clone)]
pub(crate) struct DeploymentRow {
    pub(crate) place: String,
    pub(crate) version: String,
    pub(crate) url: String,
    pub(crate) badges: Vec<Badge>,
}

// === impl ProfileView ===

impl ProfileView {
    pub(crate) fn new(entry: &Entry) -> Self {
        let deployments = &entry.server.deployments;
        let current = deployments
            .current
            .iter()
            .map(|one| DeploymentRow::new(one, false));
        let proposed = deployments
            .proposed
            .iter()
            .flat_map(|proposed| &proposed.deployments);
        let proposed = proposed
            .filter(|one| !deployments.current.contains(one))
            .map(|one| DeploymentRow::new(one, true));
        Self {
            use_cases: entry
                .server
                .profile
                .use_cases
                .iter()
                .map(|case| CaseView {
                    name: words::visible(&case.name),
                    text: words::visible(&case.description),
                })
                .collect(),
            deployments: current.chain(proposed).collect(),
        }
    }
}

// === impl DeploymentRow ===

impl DeploymentRow {
    fn new(deployment: &Deployment, waits: bool) -> Self {
        let mut badges = Vec::new();
        if waits {
            badges.push(Badge::new("Waits for approval", "", "badge-warn"));
        }
        if deployment.state == DeploymentState::Inactive {
            badges.push(Badge::new("Inactive", "", "badge-quiet"));
        }
        let pinned = deployment.version.as_ref();
        Self {
            place: deployment.place().to_string(),
            version: pinned.map_or_else(
                || "the highest approved".to_owned(),
                |version| words::visible(version.as_str()),
            ),
            url: words::visible(&deployment.url),
            badges,
        }
    }
}

/// What stands among the facts.
pub(crate) fn facts(profile: &Profile) -> Vec<Fact> {
    let joined = |texts: &[String]| {
        let texts: Vec<_> = texts.iter().map(|text| words::visible(text)).collect();
        texts.join(", ")
    };
    let mut facts = Vec::new();
    let texts = [
        (
            "Summary",
            profile.summary.as_deref().map(words::visible).unwrap_or_default(),
        ),
        ("Owners", joined(&profile.owners)),
        ("Owner groups", joined(&profile.owner_groups)),
        ("Categories", joined(&profile.categories)),
        ("Tags", joined(&profile.tags)),
    ];
    facts.extend(
        texts
            .into_iter()
            .filter(|(_, text)| !text.is_empty())
            .map(|(label, text)| Fact::text(label, text)),
    );
    if let Some(license) = &profile.license {
        facts.push(match words::web_link(license) {
            Some(_) => Fact::address("Licence", license),
            None => Fact::text("Licence", words::visible(license)),
        });
    }
    for contact in &profile.contacts {
        let at = contact.email.as_ref().or(contact.url.as_ref());
        let text = match at {
            Some(at) => format!("{} ({at})", contact.name),
            None => contact.name.clone(),
        };
        facts.push(Fact::text("Contact", words::visible(&text)));
    }
    for document in &profile.external_docs {
        facts.push(Fact::address("Documentation", &document.url));
    }
    facts.extend(properties("Property", &profile.metadata));
    facts
}

/// Values of custom properties.
pub(crate) fn properties(label: &'static str, values: &Metadata) -> Vec<Fact> {
    let told = |(name, value): (&String, &serde_json::Value)| {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        Fact::text(label, words::visible(&format!("{name}: {text}")))
    };
    values.iter().map(told).collect()
}
