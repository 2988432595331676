//! What became of each operation of a document, and what was noticed on the way. Nothing is left out without a word.

use serde::{Deserialize, Serialize};

/// Something that was noticed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// Where, as a JSON pointer into the document.
    pub pointer: String,
    /// What.
    pub message: String,
}

/// One operation of a document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OperationReport {
    /// The HTTP method.
    pub method: String,
    /// The path, as the document has it.
    pub path: String,
    /// Its identifier in the document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation_id: Option<String>,
    /// Its tags.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tags: Vec<String>,
    /// Where it is, as a JSON pointer into the document.
    pub pointer: String,
    /// What its path is appended to, where that is not [`Report::base_url`]: the description gives it a server of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base_url: Option<String>,
    /// What became of it.
    pub outcome: OperationOutcome,
    /// The URI, or the template, under which hosts may read it: it is a resource, whether it is a tool or not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// What was noticed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
}

/// What became of an operation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "is")]
pub enum OperationOutcome {
    /// A tool.
    #[serde(rename_all = "camelCase")]
    Tool {
        /// Its name.
        name: String,
        /// Its name before somebody renamed it: what choices are made by.
        generated: String,
        /// What a host shows a model of it, in tokens: a token for every four bytes of its name, its description and its
        /// `inputSchema` as compact JSON, rounded up.
        tokens: u64,
        /// The same for its `outputSchema`, which few hosts show.
        output_tokens: u64,
    },
    /// No tool, since nobody chose it.
    #[serde(rename_all = "camelCase")]
    NotChosen {
        /// The name that it would have.
        generated: String,
    },
    /// No tool, since it cannot be one.
    Skipped {
        /// Why.
        reason: String,
    },
}

/// What became of a document.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// What it says it is: `2.0`, `3.0.3`, `3.1.1`, `3.2.0`.
    pub format: String,
    /// The API's name in the document.
    pub title: String,
    /// The API's version in the document.
    pub version: String,
    /// What the paths are appended to.
    pub base_url: String,
    /// Each operation, in the order of the document.
    pub operations: Vec<OperationReport>,
    /// What was noticed about the document as a whole.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<Note>,
}

impl Report {
    /// How many are tools.
    pub fn tools(&self) -> usize {
        self.count(|outcome| matches!(outcome, OperationOutcome::Tool { .. }))
    }

    /// How many cannot be tools.
    pub fn skipped(&self) -> usize {
        self.count(|outcome| matches!(outcome, OperationOutcome::Skipped { .. }))
    }

    /// How many nobody chose.
    pub fn not_chosen(&self) -> usize {
        self.count(|outcome| matches!(outcome, OperationOutcome::NotChosen { .. }))
    }

    /// What a host shows a model of all tools, in tokens.
    pub fn tokens(&self) -> u64 {
        let of = |operation: &OperationReport| match operation.outcome {
            OperationOutcome::Tool { tokens, .. } => tokens,
            _ => 0,
        };
        self.operations.iter().map(of).sum()
    }

    fn count(&self, is: impl Fn(&OperationOutcome) -> bool) -> usize {
        self.operations
            .iter()
            .filter(|operation| is(&operation.outcome))
            .count()
    }
}
