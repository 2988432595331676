//! Imports: the runs, the forms that begin one, and the report of one.

use askama::Template;
use portreeve_core::import::{
    ImportKind, ImportMode, ImportRun, ImportSchedule, ImportState, ImportedRecord, RecordOutcome,
};
use portreeve_registry::import::RecordsPage;

use crate::fields::Fields;
use crate::view::badge::Badge;
use crate::view::form::{Choice, Field, FieldKind, FormView, Tab};
use crate::view::shell::Shell;
use crate::words::{self, Moment};

/// The official registry.
const OFFICIAL: &str = "https://registry.modelcontextprotocol.io";

/// One run.
#[derive(Debug, Clone)]
pub(crate) struct RunRow {
    pub(crate) href: String,
    pub(crate) origin: String,
    pub(crate) kind: &'static str,
    pub(crate) badges: Vec<Badge>,
    pub(crate) counts: String,
    pub(crate) by: String,
    pub(crate) started: Moment,
}

/// A source that is read again and again.
#[derive(Debug, Clone)]
pub(crate) struct ScheduleRow {
    pub(crate) origin: String,
    pub(crate) every: String,
    pub(crate) approves: String,
    pub(crate) next: Moment,
    pub(crate) last: Option<String>,
}

/// The list.
#[derive(Template)]
#[template(path = "imports.html")]
pub(crate) struct ImportsPage {
    pub(crate) shell: Shell,
    pub(crate) tabs: Vec<Tab>,
    pub(crate) rows: Vec<RunRow>,
    pub(crate) next: Option<String>,
    pub(crate) schedules: Vec<ScheduleRow>,
    pub(crate) forms: [FormView; 2],
    pub(crate) token: String,
}

/// A number of the report.
#[derive(Debug, Clone)]
pub(crate) struct Tile {
    pub(crate) label: &'static str,
    pub(crate) number: String,
    pub(crate) meaning: &'static str,
}

/// What is to be said about one record.
#[derive(Debug, Clone)]
pub(crate) struct RecordRow {
    pub(crate) name: String,
    /// The server's page, where there is one.
    pub(crate) href: Option<String>,
    pub(crate) version: String,
    pub(crate) place: String,
    pub(crate) badge: Badge,
    pub(crate) findings: Vec<String>,
}

/// The report of one run.
#[derive(Template)]
#[template(path = "import.html", blocks = ["progress"])]
pub(crate) struct ImportPage {
    pub(crate) shell: Shell,
    pub(crate) id: String,
    pub(crate) origin: String,
    pub(crate) kind: &'static str,
    pub(crate) badges: Vec<Badge>,
    pub(crate) is_open: bool,
    pub(crate) failure: Option<String>,
    pub(crate) tiles: Vec<Tile>,
    pub(crate) by: String,
    pub(crate) started: Moment,
    pub(crate) moved: Moment,
    pub(crate) records: Vec<RecordRow>,
    pub(crate) next: Option<String>,
    /// Whether something of it waits for an approval.
    pub(crate) waits: bool,
}

// === the forms ===

fn kinds(chosen: &str) -> Vec<Choice> {
    let kinds = [
        (ImportKind::Git, "server.json files"),
        (ImportKind::Dump, "A dump of a registry"),
        (ImportKind::Partners, "Azure partner files"),
        (ImportKind::Docker, "Docker catalogue (server.yaml)"),
        (ImportKind::ApiCenter, "An export of Azure API Center"),
    ];
    let choice =
        |(kind, label): (ImportKind, &str)| Choice::new(kind.as_str(), label, kind.as_str() == chosen);
    kinds.into_iter().map(choice).collect()
}

/// What both forms ask.
fn approvals(form: FormView, fields: &Fields) -> FormView {
    let chosen = fields.text("approve");
    let choices = [
        ("", "Nothing: everything waits for a person"),
        ("namespaces", "These namespaces"),
        ("all", "All of it, except what a person must look at"),
    ];
    let choices = choices.map(|(value, label)| Choice::new(value, label, value == chosen));
    form.field(Field::choice("approve", "What is approved at once", choices.to_vec()).required())
        .field(
            Field::text("namespaces", "Namespaces", 2)
                .value(fields.text("namespaces"))
                .hint("One to the line: com.acme, or com.acme.* with everything below.")
                .at("approval.namespaces"),
        )
        .field(
            Field::line("minimum_score", "Lowest score")
                .value(fields.text("minimum_score"))
                .hint("0 to 100. With it, each is approved once its assessment gives at least that.")
                .at("approval.minimumScore"),
        )
        .field(Field::tick("dry_run", "Only say what would become of it").value(
            if fields.get("dry_run").is_some() {
                "yes"
            } else {
                ""
            },
        ))
}

/// Reads a registry.
pub(crate) fn registry_form() -> FormView {
    registry_form_with(&Fields::default())
}

/// The same with what was typed.
pub(crate) fn registry_form_with(fields: &Fields) -> FormView {
    let every = fields.text("every");
    let rhythms = [("", "Once, now"), ("3600", "Every hour"), ("86400", "Every day")];
    let rhythms = rhythms.map(|(value, label)| Choice::new(value, label, value == every));
    let origin = fields.get("origin").unwrap_or(OFFICIAL).to_owned();
    let form = FormView::new("registry", "/admin/imports/registry", "Read the registry")
        .field(
            Field::line("origin", "Address")
                .required()
                .value(origin)
                .hint("Of a registry that speaks the official API. This is the official one."),
        )
        .field(Field::choice("every", "How often", rhythms.to_vec()).required());
    approvals(form, fields).field(
        Field::tick("internal", "Grant the private hosts that the address needs").value(
            if fields.get("internal").is_some() {
                "yes"
            } else {
                ""
            },
        ),
    )
}

/// Takes files in.
pub(crate) fn files_form() -> FormView {
    files_form_with(&Fields::default())
}

/// The same with what was typed.
pub(crate) fn files_form_with(fields: &Fields) -> FormView {
    let form = FormView::new("files", "/admin/imports/files", "Take the files in")
        .field(Field::choice("kind", "What they are", kinds(&fields.text("kind"))).required())
        .field(
            Field::files("files", "Files")
                .required()
                .hint("At most 32 MiB together. Larger ones, folders and repositories: portreeve import."),
        )
        .field(
            Field::line("name", "Name of the source")
                .value(fields.text("name"))
                .hint("Versions remember it. The name of the first file unless given.")
                .at("origin"),
        );
    approvals(form, fields)
}

// === impl RunRow ===

fn state(run: &ImportRun) -> Vec<Badge> {
    let (text, tone) = match run.state {
        ImportState::Open => ("Under way", "badge-info"),
        ImportState::Done => ("Done", "badge-good"),
        ImportState::Failed => ("Failed", "badge-bad"),
    };
    let mut badges = vec![Badge::new(text, "State", tone)];
    if run.mode == ImportMode::DryRun {
        badges.push(Badge::new("Dry run", "", "badge-quiet"));
    }
    badges
}

const fn kind(kind: ImportKind) -> &'static str {
    match kind {
        ImportKind::Registry => "Registry",
        ImportKind::Dump => "Dump",
        ImportKind::Git => "server.json files",
        ImportKind::Partners => "Partner files",
        ImportKind::Docker => "Docker catalogue",
        ImportKind::ApiCenter => "API Center",
    }
}

impl RunRow {
    pub(crate) fn new(run: &ImportRun) -> Self {
        let counts = run.counts;
        let number = |count: u64| words::number(count);
        Self {
            href: format!("/admin/imports/{}", run.id),
            origin: words::visible(&run.origin),
            kind: kind(run.kind),
            badges: state(run),
            counts: format!(
                "{} read, {} added, {} flagged, {} approved",
                number(counts.records),
                number(counts.added),
                number(counts.flagged),
                number(counts.approved)
            ),
            by: words::visible(&run.started_by),
            started: Moment::new(run.started_at),
        }
    }
}

// === impl ScheduleRow ===

impl ScheduleRow {
    pub(crate) fn new(schedule: &ImportSchedule) -> Self {
        let approves = match (&schedule.approval.all, schedule.approval.namespaces.as_slice()) {
            (true, _) => "All of it, except what a person must look at".to_owned(),
            (false, []) => "Nothing".to_owned(),
            (false, some) => some.join(", "),
        };
        let approves = match schedule.approval.minimum_score {
            Some(score) => format!("{approves}; from a score of {score}"),
            None => approves,
        };
        let every = match schedule.every_seconds {
            3_600 => "Every hour".to_owned(),
            86_400 => "Every day".to_owned(),
            seconds => format!("Every {} s", words::number(seconds)),
        };
        Self {
            origin: words::visible(&schedule.origin),
            every,
            approves,
            next: Moment::new(schedule.next_at),
            last: schedule.last_import.map(|id| format!("/admin/imports/{id}")),
        }
    }
}

// === impl ImportPage ===

impl ImportPage {
    pub(crate) fn new(shell: Shell, run: &ImportRun) -> Self {
        let counts = run.counts;
        let tile = |label, count, meaning| Tile {
            label,
            number: words::number(count),
            meaning,
        };
        Self {
            shell,
            id: run.id.to_string(),
            origin: words::visible(&run.origin),
            kind: kind(run.kind),
            badges: state(run),
            is_open: run.state == ImportState::Open,
            failure: run.failure.as_deref().map(words::visible),
            tiles: vec![
                tile("Read", counts.records, "records"),
                tile("Added", counts.added, "new versions"),
                tile("Updated", counts.updated, "the source changed them"),
                tile("Unchanged", counts.unchanged, "were there just so"),
                tile("Flagged", counts.flagged, "something was noticed"),
                tile("Conflicts", counts.conflicts, "what is here stays"),
                tile("Hidden", counts.hidden, "the source deleted them"),
                tile("Refused", counts.refused, "name no server and version"),
                tile("Approved", counts.approved, "at once, by the rule"),
            ],
            by: words::visible(&run.started_by),
            started: Moment::new(run.started_at),
            moved: Moment::new(run.updated_at),
            records: Vec::new(),
            next: None,
            waits: false,
        }
    }

    pub(crate) fn records(mut self, page: &RecordsPage) -> Self {
        self.records = page.items.iter().map(RecordRow::new).collect();
        self.next = page
            .next
            .map(|after| format!("/admin/imports/{}?after={after}#records", self.id));
        self
    }

    pub(crate) const fn waits(mut self, waits: bool) -> Self {
        self.waits = waits;
        self
    }
}

impl RecordRow {
    fn new(record: &ImportedRecord) -> Self {
        let (text, tone) = match record.outcome {
            RecordOutcome::Added => ("Added", "badge-good"),
            RecordOutcome::Updated => ("Updated", "badge-info"),
            RecordOutcome::Unchanged => ("Unchanged", "badge-quiet"),
            RecordOutcome::Conflict => ("Conflict", "badge-warn"),
            RecordOutcome::Hidden => ("Hidden", "badge-warn"),
            RecordOutcome::Refused => ("Refused", "badge-bad"),
        };
        let server = record.server.as_deref();
        Self {
            name: words::visible(server.unwrap_or(&record.place)),
            href: server
                .filter(|_| record.outcome != RecordOutcome::Refused)
                .map(|server| format!("/servers/{}", words::encoded(server))),
            version: record.version.as_deref().map(words::visible).unwrap_or_default(),
            place: words::visible(&record.place),
            badge: Badge::new(text, "", tone),
            findings: record
                .findings
                .iter()
                .map(|finding| words::visible(&format!("{}: {}", finding.path, finding.message)))
                .collect(),
        }
    }
}
