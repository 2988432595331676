//! Tables of what is governed beside entries: registries, environments, custom properties.

use askama::Template;
use portreeve_core::deployment::EnvironmentRecord;
use portreeve_core::view::{Readers, RegistryRecord, Selection};
use portreeve_registry::Defined;

use crate::view::form::Tab;
use crate::view::property;
use crate::view::shell::Shell;
use crate::visitor::Offers;
use crate::words;

/// One row: what it is, and what is said of it.
#[derive(Debug, Clone)]
pub(crate) struct Governed {
    pub(crate) name: String,
    pub(crate) title: String,
    /// Where a manager changes it.
    pub(crate) href: Option<String>,
    /// A text to copy, below the name.
    pub(crate) address: Option<String>,
    /// The cells behind the name, as many as there are columns.
    pub(crate) cells: Vec<String>,
    /// Lines below all of it: what is wrong.
    pub(crate) findings: Vec<String>,
}

/// A form that makes one more.
#[derive(Debug, Clone)]
pub(crate) struct GovernedForm {
    pub(crate) title: &'static str,
    pub(crate) action: &'static str,
    pub(crate) token: String,
    pub(crate) fields: Vec<Field>,
}

/// A field of a form: a line, or one of some choices.
#[derive(Debug, Clone)]
pub(crate) struct Field {
    pub(crate) name: &'static str,
    pub(crate) label: &'static str,
    pub(crate) required: bool,
    pub(crate) choices: &'static [&'static str],
}

/// The page.
#[derive(Template)]
#[template(path = "governed.html")]
pub(crate) struct GovernedPage {
    pub(crate) shell: Shell,
    pub(crate) lede: &'static str,
    pub(crate) tabs: Vec<Tab>,
    pub(crate) columns: &'static [&'static str],
    pub(crate) rows: Vec<Governed>,
    /// What stands there instead of no rows.
    pub(crate) empty: &'static str,
    /// The command that makes one more.
    pub(crate) command: &'static str,
    /// The same as a form, for who may.
    pub(crate) form: Option<GovernedForm>,
}

// === impl Governed ===

impl Governed {
    pub(crate) fn registry(record: &RegistryRecord, base: String) -> Self {
        let readers = match &record.visibility {
            Readers::Anonymous => "Everybody".to_owned(),
            Readers::Members => "Everybody with a key".to_owned(),
            Readers::Only(labels) => {
                let labels: Vec<_> = labels.iter().map(|label| words::visible(label)).collect();
                labels.join(", ")
            }
        };
        let mut rules = Vec::new();
        if record.approver_differs {
            rules.push("Another approver than who submitted".to_owned());
        }
        if !record.auto_approve.is_empty() {
            let patterns: Vec<_> = record.auto_approve.iter().map(ToString::to_string).collect();
            rules.push(format!("Approves {} at once", patterns.join(", ")));
        }
        Self {
            name: record.name.to_string(),
            title: words::visible(&record.title),
            href: Some(format!("/admin/registries/{}", record.name)),
            address: Some(base),
            cells: vec![readers, holds(&record.selection), rules.join(". ")],
            findings: Vec::new(),
        }
    }

    pub(crate) fn environment(record: &EnvironmentRecord) -> Self {
        Self {
            name: record.name.to_string(),
            title: words::visible(&record.title),
            href: Some(format!("/admin/environments/{}", record.name)),
            address: None,
            cells: vec![
                record.kind.to_string(),
                words::visible(&record.description),
                words::visible(&record.onboarding),
            ],
            findings: Vec::new(),
        }
    }

    pub(crate) fn property(defined: &Defined) -> Self {
        let record = &defined.record;
        let owners: Vec<_> = record
            .assignments
            .iter()
            .map(|(owner, need)| format!("{owner} ({need})"))
            .collect();
        Self {
            name: record.name.to_string(),
            title: words::visible(&record.title),
            href: Some(format!("/admin/properties/{}", record.name)),
            address: None,
            cells: vec![
                record.kind.to_string(),
                owners.join(", "),
                words::visible(&record.description),
            ],
            findings: property::failing(defined),
        }
    }
}

/// What a registry selects, as words.
fn holds(selection: &Selection) -> String {
    let joined = |texts: Vec<String>| texts.join(", ");
    let parts = [
        (
            "tagged ",
            joined(selection.tags.iter().map(|tag| words::visible(tag)).collect()),
        ),
        (
            "in ",
            joined(selection.environments.iter().map(ToString::to_string).collect()),
        ),
        (
            "at ",
            joined(selection.lifecycles.iter().map(ToString::to_string).collect()),
        ),
        (
            "of ",
            joined(selection.namespaces.iter().map(ToString::to_string).collect()),
        ),
    ];
    let parts: Vec<_> = parts
        .iter()
        .filter(|(_, list)| !list.is_empty())
        .map(|(word, list)| format!("{word}{list}"))
        .collect();
    if parts.is_empty() {
        "Everything that is approved".to_owned()
    } else {
        format!("Servers {}", parts.join("; "))
    }
}

// === impl GovernedForm ===

impl GovernedForm {
    pub(crate) fn registry(token: String) -> Self {
        Self {
            title: "Make a registry",
            action: "/admin/registries",
            token,
            fields: vec![
                Field::line("name", "Name").required(),
                Field::line("title", "Title"),
            ],
        }
    }

    pub(crate) fn environment(token: String) -> Self {
        Self {
            title: "Make an environment",
            action: "/admin/environments",
            token,
            fields: vec![
                Field::line("name", "Name").required(),
                Field::choice(
                    "kind",
                    "Kind",
                    &["development", "testing", "staging", "production"],
                ),
                Field::line("title", "Title"),
                Field::line("description", "What it is for"),
                Field::line("onboarding", "How to get access"),
            ],
        }
    }

    pub(crate) fn property(token: String) -> Self {
        Self {
            title: "Define a property",
            action: "/admin/properties",
            token,
            fields: vec![
                Field::line("name", "Name").required(),
                Field::choice(
                    "type",
                    "Type",
                    &["string", "choices", "boolean", "number", "array", "object"],
                ),
                Field::line("choices", "Choices, separated by commas"),
                Field::choice("owner", "Of every", &["server", "environment", "deployment"]),
                Field::choice("need", "Which is", &["optional", "required"]),
                Field::line("description", "What it says"),
            ],
        }
    }
}

impl Field {
    const fn line(name: &'static str, label: &'static str) -> Self {
        Self {
            name,
            label,
            required: false,
            choices: &[],
        }
    }

    const fn choice(name: &'static str, label: &'static str, choices: &'static [&'static str]) -> Self {
        Self {
            name,
            label,
            required: false,
            choices,
        }
    }

    const fn required(self) -> Self {
        Self {
            required: true,
            ..self
        }
    }
}

// === impl GovernedPage ===

impl GovernedPage {
    pub(crate) fn registries(shell: Shell, rows: Vec<Governed>) -> Self {
        Self {
            tabs: governance_tabs(shell.offers(), "/registries"),
            shell,
            lede: "Each registry is a view of the same servers, with an address of its own. Give hosts the address.",
            columns: &["Readers", "Holds", "Rules"],
            rows,
            empty: "There is no registry that you may read.",
            command: "portreeve registry create NAME --visibility members --environment production",
            form: None,
        }
    }

    pub(crate) fn environments(shell: Shell, rows: Vec<Governed>) -> Self {
        Self {
            tabs: governance_tabs(shell.offers(), "/admin/environments"),
            shell,
            lede: "Where servers run. Each server has a route of its own in each environment that it is deployed in.",
            columns: &["Kind", "What it is for", "How to get access"],
            rows,
            empty: "There are no environments.",
            command: "portreeve environment create NAME --kind staging",
            form: None,
        }
    }

    pub(crate) fn properties(shell: Shell, rows: Vec<Governed>) -> Self {
        Self {
            tabs: governance_tabs(shell.offers(), "/admin/properties"),
            shell,
            lede: "What must be known of servers, environments and deployments. What lacks a required one is served on, and can be neither submitted nor approved.",
            columns: &["Type", "Of", "What it says"],
            rows,
            empty: "No custom properties are defined.",
            command: "portreeve metadata create NAME --choice public --choice internal --required server",
            form: None,
        }
    }
}

/// The pages of what is governed.
pub(crate) fn governance_tabs(offers: Offers, current: &str) -> Vec<Tab> {
    let all = [
        (true, "/registries", "Registries"),
        (true, "/admin/environments", "Environments"),
        (true, "/admin/deployments", "Deployments"),
        (true, "/admin/properties", "Properties"),
        (offers.sees_all, "/admin/imports", "Imports"),
        (offers.views, "/admin/rest", "REST APIs"),
        (offers.audits, "/admin/policies", "Policies"),
        (offers.audits, "/admin/secrets", "Secrets"),
        (offers.operates, "/admin/webhooks", "Webhooks"),
        (offers.audits, "/admin/users", "Users"),
        (offers.grants, "/admin/grants", "Grants"),
    ];
    let open = all
        .into_iter()
        .filter(|(is_open, href, _)| *is_open || *href == current);
    let all: Vec<_> = open.map(|(_, href, text)| (href, text)).collect();
    Tab::all(&all, current)
}
