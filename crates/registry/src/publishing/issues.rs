//! Everything that is wrong with a document, without publishing it: what a publisher asks for when a document was
//! refused.
//!
//! Before: a face received a text from anybody. After: the list, which is an answer and never an error.

use portreeve_mcp::server_json::Problem;
use serde::Serialize;

use super::rules;
use crate::error::RegistryError;
use crate::registry::Registry;
use crate::validate::Draft;

/// What is said about a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Whether it may be published as it is.
    pub valid: bool,
    /// What is wrong, and what should be mended.
    pub issues: Vec<Issue>,
}

/// One thing about a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Issue {
    /// What it concerns.
    #[serde(rename = "type")]
    pub kind: IssueKind,
    /// Where, as `remotes[0].url`; empty for the document as a whole.
    pub path: String,
    /// What, as a sentence.
    pub message: String,
    /// How grave it is.
    pub severity: Severity,
    /// Where the rule is written down.
    pub reference: &'static str,
}

/// What an issue concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum IssueKind {
    /// The text is not JSON, or not an object.
    Json,
    /// A field is missing, of the wrong type, or too long.
    Schema,
    /// A rule of the registry.
    Semantic,
    /// Advice.
    Linter,
}

/// How grave an issue is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The document cannot be published.
    Error,
    /// It can, and should be mended.
    Warning,
}

/// The schema that every document may follow.
const SCHEMA: &str = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json";
const RULES: &str = "docs/registry.md#what-a-published-document-keeps";

impl Registry {
    /// Says everything about a document that can be said without the network.
    pub fn check(&self, text: &str) -> Verdict {
        let draft = match Draft::read(text, &self.parts.limits) {
            Ok(draft) => draft,
            Err(error) => return unreadable(error),
        };
        let judgement = rules::judge(draft, &self.parts.public_url, &self.parts.limits);
        let valid = judgement.shape.is_empty() && judgement.rules.is_empty() && judgement.valid.is_some();
        let errors = |kind, reference| move |problem| issue(kind, problem, Severity::Error, reference);
        let mut issues: Vec<Issue> = judgement
            .shape
            .into_iter()
            .map(errors(IssueKind::Schema, SCHEMA))
            .chain(
                judgement
                    .rules
                    .into_iter()
                    .map(errors(IssueKind::Semantic, RULES)),
            )
            .collect();
        let warning = |problem| issue(IssueKind::Linter, problem, Severity::Warning, RULES);
        issues.extend(judgement.warnings.into_iter().map(warning));
        Verdict { valid, issues }
    }
}

fn unreadable(error: RegistryError) -> Verdict {
    let problems = match error {
        RegistryError::Invalid(problems) => problems,
        other => vec![Problem {
            path: String::new(),
            message: other.to_string(),
        }],
    };
    let json = |problem| issue(IssueKind::Json, problem, Severity::Error, SCHEMA);
    Verdict {
        valid: false,
        issues: problems.into_iter().map(json).collect(),
    }
}

fn issue(kind: IssueKind, problem: Problem, severity: Severity, reference: &'static str) -> Issue {
    let path = if problem.path == "$" {
        String::new()
    } else {
        problem.path
    };
    Issue {
        kind,
        path,
        message: problem.message,
        severity,
        reference,
    }
}
