//! The pages of access policies: what they are, and the forms that change them.

use askama::Template;
use portreeve_access::{Checked, DryRun, TestOutcome, TextProblem};
use portreeve_core::access_policy::{AccessPolicy, Expected, PolicyTest};
use portreeve_registry::Problem;
use serde_json::json;

use crate::fields::Fields;
use crate::view::form::{Choice, Field, FieldKind, FormView, Tab};
use crate::view::governed::governance_tabs;
use crate::view::one::Part;
use crate::view::shell::Shell;
use crate::words::{self, Moment};

/// One policy of the list.
#[derive(Debug, Clone)]
pub(crate) struct PolicyRow {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) enabled: bool,
    pub(crate) tests: usize,
    pub(crate) by: String,
    pub(crate) at: Moment,
}

/// The list.
#[derive(Template)]
#[template(path = "policies.html")]
pub(crate) struct PoliciesPage {
    pub(crate) shell: Shell,
    pub(crate) tabs: Vec<Tab>,
    pub(crate) rows: Vec<PolicyRow>,
    pub(crate) form: FormView,
}

/// The forms of one policy that take a text.
#[derive(Debug)]
pub(crate) struct Forms {
    pub(crate) edit: FormView,
    pub(crate) trial: FormView,
    pub(crate) test: FormView,
}

// === impl PoliciesPage ===

impl PoliciesPage {
    pub(crate) fn new(shell: Shell, all: &[AccessPolicy], form: FormView) -> Self {
        let row = |policy: &AccessPolicy| PolicyRow {
            name: policy.name.to_string(),
            description: words::visible(&policy.description),
            enabled: policy.enabled,
            tests: policy.tests.len(),
            by: words::visible(&policy.updated_by),
            at: Moment::new(policy.updated_at),
        };
        Self {
            tabs: governance_tabs(shell.offers(), "/admin/policies"),
            shell,
            rows: all.iter().map(row).collect(),
            form,
        }
    }
}

/// The form that makes one.
pub(crate) fn new_form() -> FormView {
    let form = FormView::new("policy", "/admin/policies", "Save the policy").field(
        Field::line("name", "Name")
            .required()
            .hint("Lower-case letters, digits and dashes. Decisions say policy:NAME."),
    );
    texts(form, None)
}

/// The form, as the policy is.
pub(crate) fn form(policy: &AccessPolicy) -> FormView {
    let form = FormView::new("policy", format!("/admin/policies/{}", policy.name), "Save")
        .hide("revision", policy.revision);
    texts(form, Some(policy))
}

fn texts(form: FormView, policy: Option<&AccessPolicy>) -> FormView {
    let tests = policy
        .filter(|policy| !policy.tests.is_empty())
        .and_then(|policy| serde_json::to_string_pretty(&policy.tests).ok());
    let (description, text) = policy.map_or(("", ""), |policy| (&policy.description, &policy.text));
    let enabled = policy.is_none_or(|policy| policy.enabled);
    form.field(Field::text("description", "What it is for", 2).value(description))
        .field(
            Field::text("text", "Text", 14)
                .required()
                .value(text)
                .hint("Rules in the language of Cedar; the manual has ten to begin with."),
        )
        .field(
            Field::text("tests", "Tests", 8)
                .value(tests.unwrap_or_default())
                .hint("A JSON list of questions: who, groups, action, server, environment, tool, arguments, and expect: permit, forbid or nothing."),
        )
        .field(Field::tick("enabled", "In force").value(if enabled { "yes" } else { "" }))
}

/// The form that tries a text.
pub(crate) fn try_form(policy: &AccessPolicy) -> FormView {
    let action = format!("/admin/policies/{}/dry-run", policy.name);
    FormView::new("trial", action, "Show what would change")
        .field(Field::text("text", "Text", 10).required().value(&policy.text))
        .field(
            Field::text("as", "For whom", 3)
                .hint("One a line: user:NAME, key:NAME or anonymous. Nobody named: everybody."),
        )
        .plain()
}

/// What runs its tests, or puts one question.
pub(crate) fn test_form(policy: &AccessPolicy) -> FormView {
    let action = format!("/admin/policies/{}/test", policy.name);
    let actions = [
        "discover", "read", "call", "publish", "view", "approve", "operate",
    ];
    let actions = actions.map(|action| Choice::new(action, action, action == "discover"));
    FormView::new("test", action, "Test it")
        .field(
            Field::line("who", "Who asks")
                .hint("user:ada, key:deploy or anonymous; need not exist. Empty: the tests that are saved."),
        )
        .field(Field::line("groups", "In which groups").hint("With commas between them."))
        .field(Field::choice("action", "To do what", actions.to_vec()))
        .field(Field::line("server", "Of which server"))
        .field(
            Field::line("environment", "In which environment")
                .hint("Of the route, as in production. Empty: the question is about no route."),
        )
        .field(Field::line("tool", "Which tool of it").hint("To call."))
        .plain()
}

/// What tests it.
pub(crate) fn test_part(form: FormView) -> Part {
    Part::new(
        "Test it",
        "The tests that are saved, or one question of yours, put to the text that is saved.",
        form,
    )
}

/// The question that was typed into that form.
pub(crate) fn question(fields: &Fields) -> Result<PolicyTest, serde_json::Error> {
    let groups: Vec<String> = fields
        .text("groups")
        .split(',')
        .map(|group| group.trim().to_owned())
        .filter(|group| !group.is_empty())
        .collect();
    // What is expected is not asked here; the answer is shown.
    let asked = json!({
        "who": fields.get("who"), "groups": groups, "action": fields.get("action"), "server": fields.text("server"),
        "environment": fields.get("environment"), "tool": fields.get("tool"), "expect": "nothing",
    });
    serde_json::from_str(&asked.to_string())
}

/// What the text says to one question.
pub(crate) fn answer(checked: &Checked) -> (&'static str, Vec<String>) {
    let told = |one: &TestOutcome| match &one.problem {
        Some(problem) => words::visible(&format!("{}: {problem}", one.question)),
        None => {
            let by = match one.by.is_empty() {
                true => String::new(),
                false => format!(" ({})", one.by.join(", ")),
            };
            let said = one.said.unwrap_or(Expected::Nothing);
            words::visible(&format!("{}: {said}{by}", one.question))
        }
    };
    let mut sentences: Vec<String> = checked.tests.iter().map(told).collect();
    sentences.extend(
        checked
            .problems
            .iter()
            .map(|problem| text_problem(problem).message),
    );
    ("What the text says", sentences)
}

/// What switches it.
pub(crate) fn switch_part(policy: &AccessPolicy, token: String) -> Part {
    let action = format!("/admin/policies/{}/switch", policy.name);
    let (title, button, switch) = if policy.enabled {
        ("Take it out of force", "Disable it", "off")
    } else {
        ("Put it into force", "Enable it", "on")
    };
    let form = FormView::new("switch", action, button)
        .token(token)
        .hide("revision", policy.revision)
        .hide("switch", switch)
        .plain();
    Part::new(title, "Every node follows within a second.", form)
}

/// What deletes it.
pub(crate) fn delete_part(policy: &AccessPolicy, token: String) -> Part {
    let action = format!("/admin/policies/{}/delete", policy.name);
    let form = FormView::new("delete", action, "Delete it")
        .token(token)
        .hide("revision", policy.revision)
        .plain();
    Part::new("Delete it", "What it forbade is not forbidden any more.", form)
}

pub(crate) fn lede(policy: &AccessPolicy) -> String {
    let state = if policy.enabled {
        "In force."
    } else {
        "Not in force."
    };
    if policy.description.is_empty() {
        state.to_owned()
    } else {
        format!("{} {state}", words::visible(&policy.description))
    }
}

/// A problem of a text, at the field of the text.
pub(crate) fn text_problem(problem: &TextProblem) -> Problem {
    let hint = problem
        .hint
        .as_ref()
        .map(|hint| format!(" ({hint})"))
        .unwrap_or_default();
    Problem {
        path: "text".to_owned(),
        message: format!(
            "line {}, column {}: {}{hint}",
            problem.line, problem.column, problem.problem
        ),
    }
}

/// What would change, in sentences.
pub(crate) fn changes(run: &DryRun) -> (&'static str, Vec<String>) {
    let mut sentences: Vec<String> = run
        .changes
        .iter()
        .map(|change| {
            let what = match &change.tool {
                Some(tool) => format!("tool {} of {}", words::visible(tool), change.server),
                None => format!("server {}", change.server),
            };
            let by = change.by.join(", ");
            let because = if by.is_empty() {
                String::new()
            } else {
                format!(" ({by})")
            };
            let who = words::visible(&change.who);
            match change.change {
                "depends" => format!("{who}: calls of {what} would depend on their arguments{because}"),
                word => format!("{who} {word} {what}{because}"),
            }
        })
        .collect();
    if sentences.is_empty() {
        sentences.push("Nothing would change.".to_owned());
    }
    if run.next.is_some() {
        sentences.push("There is more: portreeve access dry-run tells all of it.".to_owned());
    }
    ("What would change", sentences)
}

/// How tests went, in sentences.
pub(crate) fn outcomes(all: &[TestOutcome]) -> (&'static str, Vec<String>) {
    let told = |one: &TestOutcome| {
        if one.is_passed() {
            words::visible(&format!("holds: {} is {}", one.question, one.expected))
        } else {
            words::visible(&format!("fails: {one}"))
        }
    };
    let mut sentences: Vec<String> = all.iter().map(told).collect();
    if sentences.is_empty() {
        sentences.push("It has no tests.".to_owned());
    }
    ("How its tests went", sentences)
}
