//! A REST API on its way to become a server: the form that takes its description, and the page of its operations.

use std::collections::{BTreeMap, BTreeSet};

use askama::Template;
use portreeve_core::name::ServerName;
use portreeve_registry::import::openapi::{ChangeKind, OperationOutcome, OperationReport, Pick, PickProblem};
use portreeve_registry::{Internal, Problem, RestDraft};
use url::form_urlencoded::Serializer;

use crate::fields::Fields;
use crate::view::badge::Badge;
use crate::view::form::{Field, FieldKind, FormView, Tab};
use crate::view::imports::Tile;
use crate::view::shell::Shell;
use crate::view::tools::{self, annotated};
use crate::words;

mod row;

pub(crate) use row::OperationRow;

/// Operations on one page.
const PAGE: usize = 100;
/// Tags that are offered.
const MOST_TAGS: usize = 200;

/// What goes along from step to step besides the draft.
#[derive(Debug, Clone)]
pub(crate) struct Around {
    pub(crate) name: ServerName,
    /// Where the API is, if somebody said so.
    pub(crate) base_url: Option<String>,
    /// Whether private hosts are granted.
    pub(crate) internal: Internal,
}

/// Which operations are shown.
#[derive(Debug, Clone, Default)]
pub(crate) struct Filter {
    pub(crate) words: String,
    pub(crate) tag: String,
    /// `chosen`, `left`, or all.
    pub(crate) which: String,
    pub(crate) after: usize,
    is_saved: bool,
}

/// The first page.
#[derive(Template)]
#[template(path = "rest_begin.html")]
pub(crate) struct BeginPage {
    pub(crate) shell: Shell,
    pub(crate) tabs: Vec<Tab>,
    pub(crate) form: FormView,
}

/// An operation that cannot be a tool.
#[derive(Debug, Clone)]
pub(crate) struct SkippedRow {
    pub(crate) operation: String,
    pub(crate) reason: String,
    pub(crate) pointer: String,
}

/// A tool that is different from the version that is compared with.
#[derive(Debug, Clone)]
pub(crate) struct ChangeRow {
    pub(crate) tool: String,
    pub(crate) operation: String,
    pub(crate) badge: Badge,
    pub(crate) details: Vec<String>,
}

/// The page of the operations.
#[derive(Template)]
#[template(path = "rest_draft.html")]
pub(crate) struct DraftPage {
    pub(crate) shell: Shell,
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) base_url: String,
    pub(crate) format: String,
    pub(crate) version: String,
    pub(crate) tiles: Vec<Tile>,
    /// What goes back with every form of the page.
    pub(crate) hidden: Vec<(&'static str, String)>,
    pub(crate) filter: Filter,
    pub(crate) tags: Vec<String>,
    pub(crate) rows: Vec<OperationRow>,
    pub(crate) shown: String,
    pub(crate) before: Option<String>,
    pub(crate) next: Option<String>,
    pub(crate) problems: Vec<String>,
    pub(crate) is_saved: bool,
    pub(crate) skipped: Vec<SkippedRow>,
    pub(crate) notes: Vec<String>,
    pub(crate) compared_with: Option<String>,
    pub(crate) changes: Vec<ChangeRow>,
    pub(crate) submit: FormView,
    pub(crate) token: String,
}

/// The form of the first page, with what was typed.
pub(crate) fn begin_form(fields: &Fields) -> FormView {
    let ticked = |name: &str| if fields.get(name).is_some() { "yes" } else { "" };
    // What is wrong with the description stands at the field that it was given in.
    let given = ["url", "text"]
        .into_iter()
        .find(|name| fields.get(name).is_some());
    let described = |field: Field, name: &str| {
        if given.unwrap_or("file") == name {
            field.at("document")
        } else {
            field
        }
    };
    FormView::new("rest", "/admin/rest", "Look at its operations")
        .field(
            Field::line("name", "Name of the server")
                .required()
                .value(fields.text("name"))
                .hint("A namespace of yours and a name: com.acme/harbour. One that is there already gets a new version."),
        )
        .field(
            described(Field::files("file", "The description as a file"), "file")
                .hint("Swagger 2.0 or OpenAPI 3.0 to 3.2, JSON or YAML, at most 8 MiB. One that is spread over several files: portreeve server add."),
        )
        .field(
            described(Field::line("url", "or its address"), "url")
                .value(fields.text("url"))
                .hint("It is read from here, with files beside it that it refers to."),
        )
        .field(described(Field::text("text", "or its text", 6), "text").value(fields.exact("text")))
        .field(
            Field::line("base_url", "Where the API is")
                .value(fields.text("base_url"))
                .hint("If the description does not say it, or says it wrongly: https://api.acme.example/v1"),
        )
        .field(Field::tick("internal", "Grant the private hosts that this needs").value(ticked("internal")))
}

/// The form that makes the version.
pub(crate) fn submit_form(around: &Around, draft: &RestDraft, manages: bool) -> FormView {
    let version = draft.preview.version.to_string();
    let form = FormView::new(
        "submit",
        format!("/admin/rest/{}/submit", draft.id),
        "Make this version",
    )
    .field(
        Field::line("version", "Version")
            .value(version)
            .hint("The description's own, or the next one that is free."),
    )
    .field(
        Field::line("about", "What it is good for")
            .at("description")
            .hint("At most 100 characters. The API's title unless given."),
    )
    .field(
        Field::tick("grant", "Grant the private hosts that the API needs").value(match around.internal {
            Internal::Grant => "yes",
            Internal::No => "",
        }),
    );
    let form = match manages {
        true => form.field(Field::tick(
            "approve",
            "Approve it at once, exactly as it stands here",
        )),
        false => form,
    };
    around
        .hidden()
        .into_iter()
        .fold(form, |form, (name, value)| form.hide(name, value))
}

// === impl Around ===

impl Around {
    pub(crate) fn read(fields: &Fields) -> Result<Self, Problem> {
        let name = fields.text("name").parse();
        Ok(Self {
            name: name.map_err(|error: portreeve_core::name::InvalidName| Problem {
                path: "name".to_owned(),
                message: error.to_string(),
            })?,
            base_url: fields.get("base_url").map(str::to_owned),
            internal: (fields.get("internal") == Some("yes")).into(),
        })
    }

    fn hidden(&self) -> Vec<(&'static str, String)> {
        let mut hidden = vec![("name", self.name.to_string())];
        hidden.extend(self.base_url.clone().map(|url| ("base_url", url)));
        hidden.extend((self.internal == Internal::Grant).then(|| ("internal", "yes".to_owned())));
        hidden
    }

    /// The page of a draft.
    pub(crate) fn href(&self, id: &str) -> String {
        let mut query = Serializer::new(String::new());
        query.extend_pairs(self.hidden());
        format!("/admin/rest/{id}?{}", query.finish())
    }
}

// === impl Filter ===

impl Filter {
    pub(crate) fn read(fields: &Fields) -> Self {
        Self {
            words: fields.text("q").chars().take(200).collect(),
            tag: fields.text("tag"),
            which: fields.text("which"),
            after: fields
                .get("after")
                .and_then(|after| after.parse().ok())
                .unwrap_or(0),
            is_saved: fields.get("done") == Some("saved"),
        }
    }

    /// Behind an address that has a query already.
    pub(crate) fn query(&self) -> String {
        let mut query = Serializer::new(String::new());
        for (name, value) in [("q", &self.words), ("tag", &self.tag), ("which", &self.which)] {
            if !value.is_empty() {
                query.append_pair(name, value);
            }
        }
        if self.after > 0 {
            query.append_pair("after", &self.after.to_string());
        }
        match query.finish() {
            query if query.is_empty() => query,
            query => format!("&{query}"),
        }
    }

    /// What the choices form sends back.
    pub(crate) fn hidden(&self) -> Vec<(&'static str, String)> {
        let after = if self.after > 0 {
            self.after.to_string()
        } else {
            String::new()
        };
        let all = [
            ("q", self.words.clone()),
            ("tag", self.tag.clone()),
            ("which", self.which.clone()),
            ("after", after),
        ];
        all.into_iter().filter(|(_, value)| !value.is_empty()).collect()
    }

    /// Whether it is the tag that is looked for.
    pub(crate) fn is_tag(&self, tag: &str) -> bool {
        self.tag == tag
    }

    fn shows(&self, operation: &OperationReport) -> bool {
        let is_tool = matches!(operation.outcome, OperationOutcome::Tool { .. });
        let is_left = matches!(operation.outcome, OperationOutcome::NotChosen { .. });
        let which = match self.which.as_str() {
            "chosen" => is_tool,
            "left" => is_left,
            _ => is_tool || is_left,
        };
        let tagged = self.tag.is_empty() || operation.tags.contains(&self.tag);
        let text = row::searched(operation);
        let words = self.words.to_lowercase();
        which && tagged && words.split_whitespace().all(|word| text.contains(word))
    }
}

// === impl DraftPage ===

impl DraftPage {
    pub(crate) fn new(
        shell: Shell,
        (around, draft): (&Around, &RestDraft),
        filter: &Filter,
        (submit, token): (FormView, String),
    ) -> Self {
        let report = &draft.details.report;
        let found: Vec<&OperationReport> = report.operations.iter().filter(|one| filter.shows(one)).collect();
        let rows = found.iter().enumerate().skip(filter.after).take(PAGE);
        let rows: Vec<OperationRow> = rows
            .map(|(index, operation)| OperationRow::new(index, operation, draft))
            .collect();
        let to = |after: usize| {
            let filter = Filter {
                after,
                ..filter.clone()
            };
            format!("{}{}#operations", around.href(&draft.id), filter.query())
        };
        let end = filter.after.saturating_add(PAGE);
        let compared = draft.preview.compared_with.as_ref();
        Self {
            shell,
            id: draft.id.clone(),
            name: around.name.to_string(),
            title: match report.title.as_str() {
                "" => around.name.short().to_owned(),
                title => words::visible(title),
            },
            base_url: words::visible(&report.base_url),
            format: words::visible(&report.format),
            version: words::visible(draft.preview.version.as_str()),
            tiles: tiles(draft),
            hidden: around.hidden(),
            tags: tags(report.operations.iter()),
            shown: shown(found.len(), filter.after, rows.len()),
            before: (filter.after > 0).then(|| to(filter.after.saturating_sub(PAGE))),
            next: (found.len() > end).then(|| to(end)),
            rows,
            problems: Vec::new(),
            is_saved: filter.is_saved,
            skipped: report.operations.iter().filter_map(SkippedRow::new).collect(),
            notes: report
                .notes
                .iter()
                .map(|note| words::visible(&format!("{} {}", note.pointer, note.message)))
                .collect(),
            compared_with: compared.map(|version| words::visible(version.as_str())),
            changes: draft.preview.changes.iter().map(ChangeRow::new).collect(),
            filter: filter.clone(),
            submit,
            token,
        }
    }

    /// The page with what was ticked and typed, and what is wrong with it.
    pub(crate) fn wrong(mut self, pick: &Pick, problems: &[PickProblem]) -> Self {
        let by_name: BTreeMap<&str, &str> = problems
            .iter()
            .map(|problem| (problem.generated.as_str(), problem.message.as_str()))
            .collect();
        for row in &mut self.rows {
            row.take(pick, by_name.get(row.generated.as_str()).copied());
        }
        self.problems = problems
            .iter()
            .map(|problem| words::visible(&problem.message))
            .collect();
        self
    }

    /// The page with what is wrong with the version.
    pub(crate) fn unsubmitted(mut self, fields: &Fields, problems: &[Problem]) -> Self {
        self.submit = self.submit.typed(fields).explain(problems);
        self
    }
}

fn tiles(draft: &RestDraft) -> Vec<Tile> {
    let report = &draft.details.report;
    let count = |value: usize| words::number(u64::try_from(value).unwrap_or(u64::MAX));
    let tile = |label, number, meaning| Tile {
        label,
        number,
        meaning,
    };
    vec![
        tile("Tools", count(report.tools()), "operations become one"),
        tile(
            "Tokens",
            words::number(report.tokens()),
            "a model reads for all tools, about",
        ),
        tile(
            "Not chosen",
            count(report.not_chosen()),
            "operations that stay outside",
        ),
        tile(
            "Skipped",
            count(report.skipped()),
            "operations that cannot be tools",
        ),
    ]
}

fn tags<'a>(operations: impl Iterator<Item = &'a OperationReport>) -> Vec<String> {
    let tags: BTreeSet<&String> = operations.flat_map(|operation| &operation.tags).collect();
    tags.into_iter().take(MOST_TAGS).cloned().collect()
}

fn shown(all: usize, after: usize, count: usize) -> String {
    match (all, count) {
        (0, _) => "No operation fits.".to_owned(),
        (all, count) if all == count => format!("{}.", words::count(all, "operation")),
        (all, count) => format!("{} to {} of {} operations.", after + 1, after + count, all),
    }
}

// === impl SkippedRow ===

impl SkippedRow {
    fn new(operation: &OperationReport) -> Option<Self> {
        let OperationOutcome::Skipped { reason } = &operation.outcome else {
            return None;
        };
        Some(Self {
            operation: words::visible(&format!("{} {}", operation.method, operation.path)),
            reason: words::visible(reason),
            pointer: words::visible(&operation.pointer),
        })
    }
}

// === impl ChangeRow ===

impl ChangeRow {
    pub(crate) fn new(change: &portreeve_registry::import::openapi::Change) -> Self {
        let (text, tone) = match change.kind {
            ChangeKind::Removed => ("Removed", "badge-bad"),
            ChangeKind::Breaking => ("Breaking", "badge-bad"),
            ChangeKind::Added => ("Added", "badge-good"),
            ChangeKind::Harmless => ("Harmless", "badge-quiet"),
        };
        Self {
            tool: words::visible(&change.tool),
            operation: words::visible(&change.operation),
            badge: Badge::new(text, "", tone),
            details: change
                .details
                .iter()
                .map(|detail| words::visible(detail))
                .collect(),
        }
    }
}
