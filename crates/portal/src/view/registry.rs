//! The page of one registry: its form, and what its readers see.

use askama::Template;
use portreeve_core::deployment::EnvironmentRecord;
use portreeve_core::name::RegistryName;
use portreeve_core::server::Lifecycle;
use portreeve_core::view::{Readers, RegistryRecord};
use portreeve_registry::{Served, ServedPage};

use crate::view::form::{Choice, Field, FieldKind, FormView};
use crate::view::shell::Shell;
use crate::words;

/// A server as a reader sees it.
#[derive(Debug, Clone)]
pub(crate) struct ShownRow {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) remotes: Vec<String>,
}

/// The page.
#[derive(Template)]
#[template(path = "registry.html")]
pub(crate) struct RegistryPage {
    pub(crate) shell: Shell,
    pub(crate) description: String,
    /// What hosts and agents are given.
    pub(crate) base: String,
    pub(crate) mcp: String,
    /// The page of its allow-lists.
    pub(crate) exports: String,
    pub(crate) shown: Vec<ShownRow>,
    pub(crate) more: bool,
    pub(crate) form: Option<FormView>,
    /// The default one cannot be deleted.
    pub(crate) delete: Option<FormView>,
}

/// The form, as the registry is.
pub(crate) fn form(record: &RegistryRecord, environments: &[EnvironmentRecord]) -> FormView {
    let (visibility, readers) = match &record.visibility {
        Readers::Anonymous => ("anonymous", Vec::new()),
        Readers::Members => ("members", Vec::new()),
        Readers::Only(labels) => ("only", labels.iter().cloned().collect()),
    };
    let lines = |texts: Vec<String>| texts.join("\n");
    let visibilities = [
        ("members", "Everybody with a key"),
        ("anonymous", "Everybody"),
        ("only", "Only these readers"),
    ];
    let visibilities = visibilities.map(|(value, label)| Choice::new(value, label, value == visibility));
    let action = format!("/admin/registries/{}", record.name);
    let form = FormView::new("registry", action, "Save")
        .hide("revision", record.revision)
        .field(Field::line("title", "Title").value(&record.title))
        .field(Field::text("description", "What it is for", 2).value(&record.description))
        .field(Field::choice("visibility", "Who reads it", visibilities.to_vec()).required())
        .field(
            Field::text("readers", "Readers", 2)
                .value(lines(readers))
                .hint("One to the line: key:deploy, user:ada or group:finance. They count for “only these readers”.")
                .at("visibility"),
        );
    let form = if record.name == RegistryName::main() {
        form
    } else {
        selection(form, record, environments)
    };
    let rules: Vec<String> = record.auto_approve.iter().map(ToString::to_string).collect();
    form.field(
        Field::text(
            "auto_approve",
            "Approve submissions in these namespaces at once",
            2,
        )
        .value(lines(rules))
        .hint("One to the line: com.acme, or com.acme.* with everything below. Only what this registry would hold then.")
        .at("autoApprove"),
    )
    .field(
        Field::tick("approver_differs", "Somebody else approves than who submitted")
            .value(if record.approver_differs { "yes" } else { "" }),
    )
}

fn selection(form: FormView, record: &RegistryRecord, environments: &[EnvironmentRecord]) -> FormView {
    let chosen = &record.selection;
    let names = environments.iter().map(|environment| &environment.name);
    let namespaces: Vec<String> = chosen.namespaces.iter().map(ToString::to_string).collect();
    let tags: Vec<String> = chosen.tags.iter().cloned().collect();
    // What is retired is in no registry.
    let stages = Lifecycle::ALL
        .iter()
        .filter(|stage| **stage != Lifecycle::Retired);
    form.field(
        Field::text("tags", "Holds servers with one of these tags", 2)
            .value(tags.join("\n"))
            .hint("One to the line. What is left empty narrows nothing.")
            .at("selection.tags"),
    )
    .field(
        Field::many(
            "environments",
            "that are served in one of these environments",
            Choice::of(names, |name| chosen.environments.contains(*name)),
        )
        .hint("The routes there are the addresses that hosts read.")
        .at("selection.environments"),
    )
    .field(
        Field::many(
            "lifecycles",
            "whose latest version is in one of these stages",
            Choice::of(stages, |stage| chosen.lifecycles.contains(*stage)),
        )
        .at("selection.lifecycles"),
    )
    .field(
        Field::text("namespaces", "and whose namespace is one of these", 2)
            .value(namespaces.join("\n"))
            .at("selection.namespaces"),
    )
}

// === impl RegistryPage ===

impl RegistryPage {
    pub(crate) fn new(shell: Shell, record: &RegistryRecord, origin: &str, shown: &ServedPage) -> Self {
        let base = match record.name == RegistryName::main() {
            true => origin.to_owned(),
            false => format!("{origin}/registries/{}", record.name),
        };
        Self {
            shell,
            description: words::visible(&record.description),
            mcp: format!("{base}/mcp"),
            exports: format!("/exports?registry={}", record.name),
            base,
            shown: shown.servers.iter().map(ShownRow::new).collect(),
            more: shown.metadata.next_cursor.is_some(),
            form: None,
            delete: (record.name != RegistryName::main()).then(|| {
                let action = format!("/admin/registries/{}/delete", record.name);
                FormView::new("delete", action, "Delete the registry")
                    .hide("revision", record.revision)
                    .plain()
            }),
        }
    }

    pub(crate) fn forms(mut self, form: FormView, token: &str) -> Self {
        self.form = Some(form.token(token.to_owned()));
        self.delete = self.delete.map(|delete| delete.token(token.to_owned()));
        self
    }
}

impl ShownRow {
    fn new(served: &Served) -> Self {
        let text = |field| served.server.text(field).unwrap_or_default();
        let remotes = served.server.get("remotes").map(serde_json::from_str);
        let remotes: Vec<serde_json::Value> = remotes.and_then(Result::ok).unwrap_or_default();
        let url = |remote: &serde_json::Value| remote["url"].as_str().map(words::visible);
        Self {
            name: text("name"),
            version: words::visible(&text("version")),
            remotes: remotes.iter().filter_map(url).collect(),
        }
    }
}
