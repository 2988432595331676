//! One operation on the page: whether it becomes a tool, what was said about it, and the tool that it becomes.

use portreeve_registry::RestDraft;
use portreeve_registry::import::openapi::{OperationOutcome, OperationReport, Pick};
use serde_json::Value;

use super::{annotated, tools};
use crate::view::badge::Badge;
use crate::words;

/// An operation that can be chosen.
#[derive(Debug, Clone)]
pub(crate) struct OperationRow {
    /// Begins the identities of its fields on the page.
    pub(crate) id: String,
    /// What its tool is called without choices.
    pub(crate) generated: String,
    pub(crate) operation: String,
    /// What the search on the page looks at.
    pub(crate) searched: String,
    pub(crate) tags: Vec<String>,
    pub(crate) chosen: bool,
    /// What was typed.
    pub(crate) name: String,
    pub(crate) description: String,
    /// What is wrong with the name.
    pub(crate) problem: Option<String>,
    /// The tool, for those that are chosen.
    pub(crate) preview: Option<Preview>,
    pub(crate) notes: Vec<String>,
}

/// What a model sees of a tool.
#[derive(Debug, Clone)]
pub(crate) struct Preview {
    pub(crate) name: String,
    pub(crate) description: String,
    pub(crate) badges: Vec<Badge>,
    pub(crate) tokens: String,
    pub(crate) fields: Vec<tools::Field>,
    pub(crate) schema: String,
}

/// The text in which somebody looks for an operation.
pub(super) fn searched(operation: &OperationReport) -> String {
    let generated = match &operation.outcome {
        OperationOutcome::Tool { name, generated, .. } => format!("{name} {generated}"),
        OperationOutcome::NotChosen { generated } => generated.clone(),
        OperationOutcome::Skipped { .. } => String::new(),
    };
    let id = operation.operation_id.as_deref().unwrap_or_default();
    let tags = operation.tags.join(" ");
    format!("{} {} {id} {generated} {tags}", operation.method, operation.path).to_lowercase()
}

impl OperationRow {
    pub(super) fn new(index: usize, operation: &OperationReport, draft: &RestDraft) -> Self {
        let (generated, tool) = match &operation.outcome {
            OperationOutcome::Tool {
                name,
                generated,
                tokens,
                ..
            } => (generated.clone(), Some((name, *tokens))),
            OperationOutcome::NotChosen { generated } => (generated.clone(), None),
            OperationOutcome::Skipped { .. } => (String::new(), None),
        };
        let choices = draft.details.curation.tools.get(&generated);
        let text = |text: Option<&String>| text.cloned().unwrap_or_default();
        Self {
            id: format!("op-{index}"),
            operation: words::visible(&format!(
                "{} {}{}",
                operation.method,
                operation.base_url.as_deref().unwrap_or_default(),
                operation.path
            )),
            searched: words::visible(&searched(operation)),
            tags: operation.tags.iter().map(|tag| words::visible(tag)).collect(),
            chosen: tool.is_some(),
            name: text(choices.and_then(|tool| tool.rename.as_ref())),
            description: text(choices.and_then(|tool| tool.description.as_ref())),
            problem: None,
            preview: tool.and_then(|(name, tokens)| Preview::new(name, tokens, draft)),
            notes: operation
                .notes
                .iter()
                .map(|note| words::visible(&note.message))
                .collect(),
            generated,
        }
    }

    /// Takes what was ticked and typed, so that nobody does it twice.
    pub(super) fn take(&mut self, pick: &Pick, problem: Option<&str>) {
        self.chosen = pick.chosen.contains(&self.generated);
        if let Some(words) = pick.words.get(&self.generated) {
            self.name.clone_from(&words.name);
            self.description.clone_from(&words.description);
        }
        self.problem = problem.map(words::visible);
    }
}

impl Preview {
    fn new(name: &str, tokens: u64, draft: &RestDraft) -> Option<Self> {
        let tools = &draft.details.tools;
        let found = tools
            .binary_search_by(|tool| tool.definition.name.as_str().cmp(name))
            .ok();
        let definition = &tools.get(found?)?.definition;
        let json: Value = serde_json::from_str(&definition.definition).ok()?;
        let schema = json.get("inputSchema").unwrap_or(&Value::Null);
        let description = json.get("description").and_then(Value::as_str);
        Some(Self {
            name: words::visible(name),
            description: words::visible(description.unwrap_or_default()),
            badges: annotated(definition),
            tokens: format!("about {} tokens", words::number(tokens)),
            fields: tools::fields(schema),
            schema: tools::pretty(schema),
        })
    }
}
