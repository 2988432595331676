//! The page of one server of a partner, and the form that registers it.

use askama::Template;
use http::StatusCode;
use portreeve_core::partner::HealthState;
use portreeve_registry::Problem;
use portreeve_registry::partners::{Listing, ListingHealth, ListingState, RegisteredHere};
use serde_json::Value;

use crate::fields::Fields;
use crate::view::badge::{Badge, Monogram};
use crate::view::discover::{badges, face, tier_title};
use crate::view::profile::CaseView;
use crate::view::server::Fact;
use crate::view::shell::Shell;
use crate::visitor::Visitor;
use crate::words::{self, Moment};

/// The page.
#[derive(Template)]
#[template(path = "discover_one.html")]
pub(crate) struct PartnerPage {
    pub(crate) shell: Shell,
    pub(crate) name: String,
    pub(crate) summary: String,
    pub(crate) description: String,
    pub(crate) monogram: Monogram,
    pub(crate) badges: Vec<Badge>,
    pub(crate) use_cases: Vec<CaseView>,
    pub(crate) facts: Vec<Fact>,
    /// Why it is not listed any more.
    pub(crate) withdrawn: Option<String>,
    /// What was found when it was looked at last, unless it is healthy.
    pub(crate) health: Option<String>,
    /// Its page here.
    pub(crate) here: Option<String>,
    /// The command that takes in what the catalogue changed.
    pub(crate) update: Option<String>,
    pub(crate) form: Option<RegisterForm>,
    /// Where a visitor signs in and comes back.
    pub(crate) sign_in: String,
    /// The same on the command line.
    pub(crate) command: String,
}

/// The form.
#[derive(Debug, Clone)]
pub(crate) struct RegisterForm {
    pub(crate) action: String,
    pub(crate) token: String,
    pub(crate) fields: Vec<VariableField>,
    pub(crate) environment: String,
    pub(crate) environment_problem: Option<String>,
    /// Whether it may be approved at once, and whether it shall be.
    pub(crate) approves: bool,
    pub(crate) approve: bool,
    /// Whether the private hosts of its address shall be granted; `None`: it is not his to say.
    pub(crate) grant: Option<bool>,
    /// What is wrong and belongs to no field.
    pub(crate) problems: Vec<String>,
}

/// A variable of its address.
#[derive(Debug, Clone)]
pub(crate) struct VariableField {
    /// Its name in the form.
    pub(crate) name: String,
    pub(crate) label: String,
    pub(crate) hint: String,
    pub(crate) value: String,
    /// What it may be; empty: anything.
    pub(crate) choices: Vec<String>,
    pub(crate) required: bool,
    pub(crate) problem: Option<String>,
}

// === impl PartnerPage ===

impl PartnerPage {
    pub(crate) fn new(shell: Shell, listing: &Listing, form: Option<RegisterForm>) -> Self {
        let partner = &listing.about.partner;
        let cases = partner.use_cases.iter().map(|case| CaseView {
            name: words::visible(&case.name),
            text: words::visible(&case.description),
        });
        let registered = listing.registered.as_ref();
        let place = match (listing.partner.as_str(), listing.name.as_str()) {
            (partner, name) if partner == name => name.to_owned(),
            (partner, name) => format!("{partner}/{name}"),
        };
        Self {
            shell,
            name: words::visible(&listing.server),
            summary: words::visible(&listing.summary),
            description: words::visible(&partner.description),
            monogram: face(listing),
            badges: badges(listing),
            use_cases: cases.collect(),
            facts: facts(listing),
            withdrawn: match &listing.state {
                ListingState::Listed => None,
                ListingState::Delisted { reason } => {
                    Some(format!("It is not listed any more: {}", words::visible(reason)))
                }
                ListingState::Revoked { reason } => {
                    Some(format!("Nobody may call it: {}", words::visible(reason)))
                }
            },
            health: listing.health.as_ref().and_then(health),
            here: registered.map(|here| format!("/servers/{}", here.server)),
            update: registered
                .filter(|here| here.update_available)
                .map(|_| format!("portreeve partner update {place}")),
            form,
            sign_in: format!(
                "/sign-in?next={}",
                words::encoded(&super::discover::address(listing))
            ),
            command: command(listing, &place),
        }
    }
}

fn command(listing: &Listing, place: &str) -> String {
    let asked = listing.variables.iter().filter(|one| one.is_required);
    let asked: String = asked.map(|one| format!(" --set {}=...", one.name)).collect();
    format!("portreeve partner register {place}{asked}")
}

fn health(health: &ListingHealth) -> Option<String> {
    let since = Moment::new(health.since).day;
    let detail = words::visible(&health.detail);
    match health.state {
        HealthState::Healthy => None,
        HealthState::Failing => Some(format!("Failing since {since}: {detail}")),
        HealthState::ToolsChanged => Some(format!(
            "Its tools changed on {since}, and wait for another review: {detail}"
        )),
    }
}

fn facts(listing: &Listing) -> Vec<Fact> {
    let partner = &listing.about.partner;
    let mut facts = vec![
        Fact::text("Partner", words::visible(&partner.title)),
        Fact::text("Domain", words::visible(&partner.domain)),
        Fact::text("Standing", standing(listing)),
    ];
    facts.extend(listing.health.as_ref().map(|health| {
        let state = match health.state {
            HealthState::Healthy => "Healthy",
            HealthState::Failing => "Failing",
            HealthState::ToolsChanged => "Tools changed",
        };
        Fact::text(
            "Looked at last",
            format!("{state}, {}", Moment::new(health.checked_at).day),
        )
    }));
    let categories: Vec<&str> = partner.categories.iter().map(|one| one.as_str()).collect();
    facts.push(Fact::text("Categories", categories.join(", ")));
    facts.push(Fact::text("Version", words::visible(&listing.version)));
    for remote in remotes(listing) {
        facts.push(Fact::text("Address", words::visible(remote)));
    }
    facts.push(Fact::address("Documentation", &partner.documentation.url));
    facts.push(Fact::address("Licence", &partner.license.url));
    facts.extend(partner.terms.as_deref().map(|url| Fact::address("Terms", url)));
    facts.extend(
        partner
            .privacy
            .as_deref()
            .map(|url| Fact::address("Privacy", url)),
    );
    facts.push(match (&partner.support.url, &partner.support.email) {
        (Some(url), _) => Fact::address("Support", url),
        (None, mail) => Fact::text("Support", words::visible(mail.as_deref().unwrap_or_default())),
    });
    let source = match listing.catalogue_version {
        0 => "the one that this program carries".to_owned(),
        version => version.to_string(),
    };
    facts.push(Fact::text("Catalogue", source));
    facts.extend(listing.registered.as_ref().map(made_of));
    facts
}

/// Where the entry here comes from.
fn made_of(here: &RegisteredHere) -> Fact {
    let source = match &here.signed_by {
        Some(key) => format!(
            "Catalogue {}, signed by {}",
            here.catalogue_version,
            words::visible(key)
        ),
        None => "The catalogue that this program carries".to_owned(),
    };
    Fact::text("Registered from", source)
}

fn standing(listing: &Listing) -> String {
    let standing = listing.standing;
    let title = tier_title(standing.tier);
    match standing.expires_at {
        Some(at) if standing.is_expired => {
            format!("{title}: the last verdict ended on {}", Moment::new(at).day)
        }
        Some(at) => format!("{title}, until {}", Moment::new(at).day),
        None => title.to_owned(),
    }
}

fn remotes(listing: &Listing) -> impl Iterator<Item = &str> {
    let remotes = listing.document().and_then(|document| document.get("remotes"));
    let remotes = remotes.and_then(Value::as_array).into_iter().flatten();
    remotes.filter_map(|remote| remote.get("url")?.as_str())
}

// === impl RegisterForm ===

impl RegisterForm {
    pub(crate) fn new(listing: &Listing, approves: bool, token: String) -> Self {
        let field = |one: &portreeve_registry::partners::Variable| VariableField {
            name: format!("variables.{}", one.name),
            label: words::visible(&one.name),
            hint: words::visible(one.description.as_deref().unwrap_or_default()),
            value: one.default.clone().unwrap_or_default(),
            choices: one.choices.clone(),
            required: one.is_required,
            problem: None,
        };
        Self {
            action: super::discover::address(listing),
            token,
            fields: listing.variables.iter().map(field).collect(),
            environment: String::new(),
            environment_problem: None,
            approves,
            approve: approves,
            grant: None,
            problems: Vec::new(),
        }
    }

    /// Whether private hosts may be granted by it.
    pub(crate) fn granting(mut self, visitor: &Visitor) -> Self {
        self.grant = visitor.manages().then_some(false);
        self
    }

    /// Fills in what was typed.
    pub(crate) fn typed(mut self, fields: &Fields) -> Self {
        for field in &mut self.fields {
            field.value = fields.text(&field.name);
        }
        self.environment = fields.text("environment");
        self.approve = fields.get("approve").is_some();
        self.grant = self.grant.map(|_| fields.get("internal").is_some());
        self
    }

    /// Puts problems to the fields that they are about.
    pub(crate) fn explain(mut self, problems: &[Problem]) -> Self {
        for problem in problems {
            let message = words::visible(&problem.message);
            let path = problem.path.as_str();
            if let Some(field) = self.fields.iter_mut().find(|field| field.name == path) {
                field.problem = Some(message);
            } else if path == "environment" {
                self.environment_problem = Some(message);
            } else if path.is_empty() || path == "$" {
                self.problems.push(message);
            } else {
                self.problems.push(format!("{}: {message}", words::visible(path)));
            }
        }
        self
    }

    pub(crate) fn is_wrong(&self) -> bool {
        !self.problems.is_empty()
            || self.environment_problem.is_some()
            || self.fields.iter().any(|field| field.problem.is_some())
    }

    pub(crate) fn status(&self) -> StatusCode {
        if self.is_wrong() {
            StatusCode::UNPROCESSABLE_ENTITY
        } else {
            StatusCode::OK
        }
    }
}
