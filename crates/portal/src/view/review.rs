//! The review of a server: what an approval would do to its routes.

use askama::Template;
use portreeve_core::ports::Entry;
use portreeve_registry::{Assessment, Comparison, FieldChange, Move, MoveKind, Plan, Stop};

use crate::view::assessment::AssessmentView;
use crate::view::badge::Badge;
use crate::view::rest::ChangeRow;
use crate::view::shell::Shell;
use crate::view::tools::Change;
use crate::visitor::Here;
use crate::words;

/// One route that would move.
#[derive(Debug, Clone)]
pub(crate) struct MoveRow {
    pub(crate) slug: String,
    pub(crate) place: String,
    pub(crate) badge: Badge,
    pub(crate) from: Option<Leg>,
    pub(crate) to: Option<Leg>,
}

/// Where a route leads.
#[derive(Debug, Clone)]
pub(crate) struct Leg {
    pub(crate) version: String,
    pub(crate) url: String,
}

/// The page.
#[derive(Template)]
#[template(path = "review.html")]
pub(crate) struct ReviewPage {
    pub(crate) shell: Shell,
    pub(crate) name: String,
    pub(crate) token: String,
    /// What the visitor may do about it.
    pub(crate) here: Here,
    /// Nothing when nothing waits.
    pub(crate) plan: Option<PlanView>,
    /// What was found about the version; nothing while nobody looked.
    pub(crate) assessment: Option<AssessmentView>,
    /// Whether that was just asked for.
    pub(crate) judged: bool,
    /// What differs from the version before.
    pub(crate) comparison: Option<ComparisonView>,
}

/// What the page is made from.
pub(crate) struct ReviewParts<'a> {
    pub(crate) entry: &'a Entry,
    pub(crate) plan: Option<&'a Plan>,
    pub(crate) assessment: Option<&'a Assessment>,
    pub(crate) comparison: Option<&'a Comparison>,
    pub(crate) token: String,
    pub(crate) judged: bool,
    pub(crate) here: Here,
}

/// Two versions side by side.
#[derive(Debug, Clone)]
pub(crate) struct ComparisonView {
    /// The version that is compared with.
    pub(crate) from: String,
    pub(crate) to: String,
    pub(crate) changes: Vec<Change>,
    /// Tools that differ, of a REST API.
    pub(crate) tools: Option<Vec<ChangeRow>>,
}

/// What waits, and what approving it would do.
#[derive(Debug, Clone)]
pub(crate) struct PlanView {
    /// The version; empty when only deployments wait.
    pub(crate) version: String,
    /// The version for the form, byte by byte.
    pub(crate) exact: String,
    pub(crate) submitted_by: String,
    pub(crate) latest: String,
    pub(crate) moves: Vec<MoveRow>,
    pub(crate) hash: String,
    pub(crate) document: String,
}

// === impl ReviewPage ===

impl ReviewPage {
    pub(crate) fn new(shell: Shell, parts: &ReviewParts<'_>) -> Self {
        Self {
            shell,
            name: parts.entry.server.name.to_string(),
            token: parts.token.clone(),
            plan: parts.plan.map(|plan| PlanView::new(parts.entry, plan)),
            assessment: parts.assessment.map(AssessmentView::new),
            judged: parts.judged,
            here: parts.here,
            comparison: parts.comparison.and_then(ComparisonView::new),
        }
    }
}

// === impl ComparisonView ===

impl ComparisonView {
    /// Nothing where there is nothing to compare with.
    pub(crate) fn new(comparison: &Comparison) -> Option<Self> {
        let change = |change: &FieldChange| {
            Change::new(&change.path, change.before.as_deref(), change.after.as_deref())
        };
        comparison.from.as_ref().map(|from| Self {
            from: words::visible(from.as_str()),
            to: words::visible(comparison.to.as_str()),
            changes: comparison.changes.iter().map(change).collect(),
            tools: comparison
                .tools
                .as_ref()
                .map(|tools| tools.iter().map(ChangeRow::new).collect()),
        })
    }
}

// === impl PlanView ===

impl PlanView {
    fn new(entry: &Entry, plan: &Plan) -> Self {
        let chosen = plan.version.as_ref().and_then(|version| {
            let mut versions = entry.versions.iter();
            versions.find(|candidate| candidate.version == *version)
        });
        let proposed = entry.server.deployments.proposed.as_ref();
        let submitted_by = match (chosen, proposed) {
            (Some(version), _) => version.submitted_by.as_str(),
            (None, Some(proposed)) => proposed.by.as_str(),
            (None, None) => "",
        };
        let exact = plan.version.as_ref().map(ToString::to_string).unwrap_or_default();
        Self {
            version: words::visible(&exact),
            exact,
            submitted_by: words::visible(submitted_by),
            latest: latest(plan),
            moves: plan.moves.iter().map(MoveRow::new).collect(),
            hash: plan.hash.clone(),
            document: chosen
                .map(|version| pretty(&version.document))
                .unwrap_or_default(),
        }
    }
}

fn latest(plan: &Plan) -> String {
    let (now, then) = (&plan.latest.0, &plan.latest.1);
    match (now, then) {
        (_, None) => "There is no latest version".to_owned(),
        (Some(now), Some(then)) if now == then => {
            format!("{} stays the latest", words::visible(then.as_str()))
        }
        (Some(now), Some(then)) => format!(
            "{} becomes the latest instead of {}",
            words::visible(then.as_str()),
            words::visible(now.as_str())
        ),
        (None, Some(then)) => format!("{} becomes the latest", words::visible(then.as_str())),
    }
}

/// The document, one field to the line, with what cannot be seen made visible.
fn pretty(document: &str) -> String {
    let read: Result<serde_json::Value, _> = serde_json::from_str(document);
    let text = read.and_then(|value| serde_json::to_string_pretty(&value));
    let text = text.unwrap_or_else(|_| document.to_owned());
    text.lines().map(words::visible).collect::<Vec<_>>().join("\n")
}

// === impl MoveRow ===

impl MoveRow {
    fn new(one: &Move) -> Self {
        let (text, tone) = match one.kind {
            MoveKind::Create => ("Is made", "badge-good"),
            MoveKind::Move => ("Moves", "badge-warn"),
            MoveKind::Start => ("Starts", "badge-good"),
            MoveKind::Stop => ("Stops", "badge-bad"),
        };
        Self {
            slug: one.slug.to_string(),
            place: one.place.to_string(),
            badge: Badge::new(text, "", tone),
            from: one.from.as_ref().map(Leg::new),
            to: one.to.as_ref().map(Leg::new),
        }
    }
}

impl Leg {
    fn new(stop: &Stop) -> Self {
        Self {
            version: words::visible(stop.version.as_str()),
            url: words::visible(&stop.url),
        }
    }
}
