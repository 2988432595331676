//! Access policies as they are shown, saved, checked and tried.

use portreeve_access::{Change, Checked, DryRun, TestOutcome, TextProblem};
use portreeve_core::access_policy::{AccessPolicy, PolicyTest};
use portreeve_core::time::Timestamp;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An access policy. What is shown can be saved again as it is.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = AccessPolicy)]
pub(crate) struct AccessPolicyShape {
    /// Its name; decisions say `policy:NAME`.
    name: String,
    description: String,
    /// Its rules, in the language of Cedar.
    text: String,
    /// Questions with the answers that the text must give.
    #[schema(value_type = Vec<PolicyTestShape>)]
    tests: Vec<PolicyTest>,
    /// Whether it is asked.
    enabled: bool,
    /// Counts its changes; the `ETag` is the same number in quotes.
    revision: i64,
    /// Who changed it last.
    updated_by: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// An access policy to be saved. What only the server knows may stand in it, and is not read.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewAccessPolicy)]
pub(crate) struct NewAccessPolicyShape {
    #[serde(default)]
    pub(crate) description: String,
    /// Its rules, in the language of Cedar.
    pub(crate) text: String,
    /// Questions with the answers that the text must give.
    #[serde(default)]
    #[schema(value_type = Vec<PolicyTestShape>)]
    pub(crate) tests: Vec<PolicyTest>,
    /// Whether it is asked from now on.
    #[serde(default = "yes")]
    pub(crate) enabled: bool,
    #[serde(rename = "name")]
    #[schema(value_type = Option<String>, ignore)]
    _name: Option<IgnoredAny>,
    #[serde(rename = "revision")]
    #[schema(value_type = Option<i64>, ignore)]
    _revision: Option<IgnoredAny>,
    #[serde(rename = "updatedBy")]
    #[schema(value_type = Option<String>, ignore)]
    _updated_by: Option<IgnoredAny>,
    #[serde(rename = "createdAt")]
    #[schema(value_type = Option<String>, ignore)]
    _created_at: Option<IgnoredAny>,
    #[serde(rename = "updatedAt")]
    #[schema(value_type = Option<String>, ignore)]
    _updated_at: Option<IgnoredAny>,
}

fn yes() -> bool {
    true
}

/// A question that is put to a policy's text alone, and the answer it must give.
#[derive(Debug, ToSchema)]
#[schema(as = PolicyTest, rename_all = "camelCase")]
#[expect(dead_code, reason = "it only describes a type of `core`")]
pub(crate) struct PolicyTestShape {
    /// `user:NAME`, `key:NAME`, `client:ID` or `anonymous`. It need not exist.
    who: String,
    /// The groups that it belongs to, and no others.
    groups: Option<Vec<String>>,
    /// The OAuth client that acts for it.
    client: Option<String>,
    /// `discover`, `read`, `call`, `publish`, `view`, `approve` or `operate`.
    action: String,
    /// The server's name.
    server: String,
    /// The environment of the route. Without one the question is about no route.
    environment: Option<String>,
    /// The tool, for `call`.
    tool: Option<String>,
    /// What the tool was approved with: `readOnlyHint` and so on.
    #[schema(value_type = Option<Object>)]
    annotations: Option<()>,
    /// The arguments of the call. Without them the question is whether there is a call that may be made.
    #[schema(value_type = Option<Object>)]
    arguments: Option<()>,
    /// `permit`, `forbid` or `nothing`.
    expect: String,
}

/// A text to be checked.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = PolicyText)]
pub(crate) struct PolicyTextShape {
    /// The rules.
    pub(crate) text: String,
    /// The tests that are to be run.
    #[serde(default)]
    #[schema(value_type = Vec<PolicyTestShape>)]
    pub(crate) tests: Vec<PolicyTest>,
}

/// A text to be tried: what would change if it were in force.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = PolicyDryRun)]
pub(crate) struct PolicyDryRunShape {
    /// The rules; null or left out: what if the policy were not there.
    pub(crate) text: Option<String>,
    /// For whom, as labels; everybody who is known here, if left out.
    #[serde(rename = "as", default)]
    pub(crate) who: Vec<String>,
    /// Where to go on: `next` of the answer before.
    #[serde(default)]
    pub(crate) from: usize,
    /// How many changes to tell, at most 500.
    pub(crate) limit: Option<usize>,
}

/// What is to be said about a text.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CheckedPolicy)]
pub(crate) struct CheckedShape {
    /// Whether it could be saved.
    valid: bool,
    /// What is wrong with it.
    problems: Vec<TextProblemShape>,
    /// How its tests went.
    tests: Vec<TestOutcomeShape>,
}

/// One thing that is wrong with a text.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PolicyTextProblem)]
pub(crate) struct TextProblemShape {
    /// From 1.
    line: usize,
    /// From 1, in characters.
    column: usize,
    problem: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

/// How one test went.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = PolicyTestOutcome)]
pub(crate) struct TestOutcomeShape {
    /// The policy and the place of the test in it, from 1: `no-write/2`.
    name: String,
    passed: bool,
    /// What was asked, in words.
    question: String,
    /// `permit`, `forbid` or `nothing`.
    expected: &'static str,
    /// What the text says.
    said: Option<&'static str>,
    /// The rules that say it.
    by: Vec<String>,
    /// Why the question could not be put.
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<String>,
}

/// What would change.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PolicyDryRunResult)]
pub(crate) struct DryRunShape {
    changes: Vec<ChangeShape>,
    /// How many questions were asked.
    asked: usize,
    /// Where to go on; null at the end.
    next: Option<usize>,
}

/// One change.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PolicyChange)]
pub(crate) struct ChangeShape {
    /// Whose.
    who: String,
    server: String,
    /// Null: whether the server exists for the caller.
    tool: Option<String>,
    /// `gains`, `loses`, or `depends`: it would depend on the arguments.
    change: &'static str,
    /// What would decide.
    by: Vec<String>,
}

/// The words of access policies.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = PolicySchema)]
pub(crate) struct PolicySchemaShape {
    /// A schema of Cedar.
    pub(crate) schema: &'static str,
}

impl From<&AccessPolicy> for AccessPolicyShape {
    fn from(policy: &AccessPolicy) -> Self {
        Self {
            name: policy.name.to_string(),
            description: policy.description.clone(),
            text: policy.text.clone(),
            tests: policy.tests.clone(),
            enabled: policy.enabled,
            revision: policy.revision,
            updated_by: policy.updated_by.clone(),
            created_at: policy.created_at,
            updated_at: policy.updated_at,
        }
    }
}

impl From<Checked> for CheckedShape {
    fn from(checked: Checked) -> Self {
        let is_good = checked.tests.iter().all(TestOutcome::is_passed);
        Self {
            valid: checked.problems.is_empty() && is_good,
            problems: checked.problems.into_iter().map(TextProblemShape::from).collect(),
            tests: checked.tests.into_iter().map(TestOutcomeShape::from).collect(),
        }
    }
}

impl From<TextProblem> for TextProblemShape {
    fn from(problem: TextProblem) -> Self {
        Self {
            line: problem.line,
            column: problem.column,
            problem: problem.problem,
            hint: problem.hint,
        }
    }
}

impl From<TestOutcome> for TestOutcomeShape {
    fn from(outcome: TestOutcome) -> Self {
        Self {
            name: format!("{}/{}", outcome.policy, outcome.number),
            passed: outcome.is_passed(),
            question: outcome.question,
            expected: outcome.expected.as_str(),
            said: outcome.said.map(|said| said.as_str()),
            by: super::labels(&outcome.by),
            problem: outcome.problem,
        }
    }
}

impl From<DryRun> for DryRunShape {
    fn from(run: DryRun) -> Self {
        Self {
            changes: run.changes.into_iter().map(ChangeShape::from).collect(),
            asked: run.asked,
            next: run.next,
        }
    }
}

impl From<Change> for ChangeShape {
    fn from(change: Change) -> Self {
        Self {
            who: change.who.to_string(),
            server: change.server.to_string(),
            tool: change.tool,
            change: change.change,
            by: super::labels(&change.by),
        }
    }
}
