//! Descriptions of REST APIs (Swagger 2.0, OpenAPI 3.0, 3.1, 3.2) become the tools of an MCP server; schemas of GraphQL do
//! so through the same seam (`graphql.rs`).
//!
//! A document is read as a tree (`text.rs`), not into types: what is wrong in one place costs the operation that stands
//! there and no other. Each operation is brought into one form (`shaped.rs`), named (`names.rs`), made into a tool
//! (`tool.rs`), finished by people's choices (`curate.rs`), and accounted for (`report.rs`). Pure: nothing is asked,
//! nothing is saved. Before: `bundle.rs` brought the files of a document together. After: `rest.rs` keeps the tools and
//! makes a version of them.

mod bundle;
mod text;

mod refs;

mod operations;
mod security;
mod servers;
mod shaped;

mod names;

mod arguments;
mod members;
mod parameters;

mod answers;
mod body;

mod flat;
mod inline;
mod schema;
mod words;

mod tool;

mod curate;
mod curation;
mod judge;
mod pick;
mod resources;

mod diff;
mod offers;
mod report;

mod graphql;

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};

use portreeve_core::limits::Limits;
use portreeve_core::rest::{Bindings, Resource};
use portreeve_core::tool::ToolDefinition;
use portreeve_inspect::sha256_hex;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;

pub use bundle::{Bundle, BundleError};
pub use curation::{
    ArgumentCuration, Curation, Descriptions, Profile, ResourceCuration, Selector, ToolCuration,
};
pub use diff::{Change, ChangeKind, Side, compare};
pub use graphql::INTROSPECTION;
pub use offers::compare_offers;
pub use pick::{Pick, PickProblem, Words};
pub use report::{Note, OperationOutcome, OperationReport, Report};
pub use text::read;

use operations::{Operation, note, operations};
use refs::Root;
use tool::Whole;

/// How a document is made into tools.
#[derive(Debug, Clone, Copy)]
pub struct Options<'a> {
    /// Where the document came from: what relative addresses of servers are relative to.
    pub source: Option<&'a Url>,
    /// Where the API is, if not where the document says.
    pub base_url: Option<&'a str>,
    /// People's choices.
    pub curation: &'a Curation,
    /// The limits.
    pub limits: &'a Limits,
}

/// A tool that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MadeTool {
    /// The operation: `GET /pets/{id}`.
    pub operation: String,
    /// What the model sees.
    pub definition: ToolDefinition,
}

/// What a document was made into.
#[derive(Debug, Clone, PartialEq)]
pub struct Imported {
    /// What became of each operation.
    pub report: Report,
    /// The tools, by name.
    pub tools: Vec<MadeTool>,
    /// How they are called.
    pub bindings: Bindings,
}

/// Why nothing can be made of a document at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenApiError {
    /// It is too large.
    #[error("the document has more than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// It is neither JSON nor YAML, or unfolds to more than it may.
    #[error("the document cannot be read: {reason}")]
    Unreadable {
        /// Why, with the place where the reader gave up.
        reason: String,
    },
    /// It is something else.
    #[error(
        "the document is no description of an API: it has neither `openapi: 3.x` nor `swagger: \"2.0\"`, and is no schema of GraphQL"
    )]
    NotOpenApi,
    /// It has too many operations.
    #[error("the document has more than {limit} operations")]
    TooMany {
        /// The limit.
        limit: usize,
    },
    /// Prompts that cannot be used.
    #[error("{reason}")]
    Prompts {
        /// Which, and why.
        reason: String,
    },
    /// Nobody says where the API is.
    #[error("where the API is cannot be told: {reason}")]
    NoServer {
        /// Why.
        reason: String,
    },
}

/// Makes the tools of a text: a description of a REST API, or a schema of GraphQL, as it is written or as an API answers
/// to an introspection.
///
/// # Errors
///
/// When it is none of them, or says nothing of use. What is wrong with one operation is in the report.
pub fn import_text(text: &str, options: &Options<'_>) -> Result<Imported, OpenApiError> {
    let document = read(text, options.limits);
    let schema = match &document {
        Ok(document) if format(document).is_some() => None,
        Ok(document) => graphql::of_document(document).or_else(|| graphql::of_text(text, options.limits)),
        Err(_) => graphql::of_text(text, options.limits),
    };
    match schema {
        Some(schema) => graphql::import(&schema?, options),
        None => import(&document?, options),
    }
}

/// Makes the tools of a document.
///
/// # Errors
///
/// When it is none, or says nothing of use. What is wrong with one operation is in the report.
pub fn import(document: &Value, options: &Options<'_>) -> Result<Imported, OpenApiError> {
    let format = format(document).ok_or(OpenApiError::NotOpenApi)?;
    let root = Root(document);
    let base_url = match options.base_url {
        Some(url) => servers::given(url),
        None => servers::of_document(root, options.source),
    }
    .map_err(|reason| OpenApiError::NoServer { reason })?;
    check_prompts(options.curation)?;
    let (found, mut notes) =
        operations(root, options.limits).map_err(|limit| OpenApiError::TooMany { limit })?;
    let findings = RefCell::default();
    let whole = Whole {
        root,
        source: options.source,
        base_url: options.base_url,
        base: &base_url,
        limits: options.limits,
        curation: options.curation,
        findings: &findings,
    };
    let mut making = Making::default();
    let generated = names::names(&found);
    for (operation, name) in found.iter().zip(&generated) {
        making.one(&whole, operation, name);
    }
    let chosen = options.curation.tools.keys();
    for name in chosen
        .chain(options.curation.resources.keys())
        .filter(|name| !generated.contains(name))
    {
        notes.push(note(
            "",
            &format!("the choices for `{name}` are nobody's: no operation makes a tool of that name"),
        ));
    }
    let info = |member: &str| {
        let text = document
            .pointer(&format!("/info/{member}"))
            .and_then(Value::as_str);
        words::shortened(text.unwrap_or_default(), 200)
    };
    let operations = std::mem::take(&mut making.operations);
    let resources = std::mem::take(&mut making.resources);
    let (tools, bindings) = making.made();
    Ok(Imported {
        report: Report {
            format,
            title: info("title"),
            version: info("version"),
            base_url,
            operations,
            notes,
        },
        tools,
        bindings: Bindings {
            format: Bindings::FORMAT,
            security: security::schemes(root),
            tools: bindings,
            resources,
            prompts: options.curation.prompts.clone(),
        },
    })
}

fn check_prompts(curation: &Curation) -> Result<(), OpenApiError> {
    let problems = curation.prompts.iter().flat_map(|(name, prompt)| {
        let problems = prompt.problems(name).into_iter();
        problems.map(move |problem| format!("the prompt `{name}`: {problem}"))
    });
    let problems: Vec<String> = problems.collect();
    if problems.is_empty() {
        return Ok(());
    }
    Err(OpenApiError::Prompts {
        reason: problems.join("; "),
    })
}

/// The version of the form that a document has, if it has one that is known.
fn format(document: &Value) -> Option<String> {
    let said = |member: &str| match document.get(member)? {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    };
    if let Some(openapi) = said("openapi") {
        return openapi
            .starts_with("3.")
            .then(|| openapi.chars().take(20).collect());
    }
    said("swagger")
        .filter(|swagger| swagger.starts_with('2'))
        .map(|_| "2.0".to_owned())
}

/// Tools as they are made, one operation after the other.
#[derive(Default)]
struct Making {
    operations: Vec<OperationReport>,
    tools: BTreeMap<String, (MadeTool, portreeve_core::rest::Binding)>,
    /// By the name of a tool, in small letters, the operation that has it.
    taken: HashMap<String, String>,
    resources: BTreeMap<String, Resource>,
}

impl Making {
    fn one(&mut self, whole: &Whole<'_>, operation: &Operation<'_>, generated: &str) {
        let mut notes = Vec::new();
        let outcome = if whole.curation.chooses(operation, generated) {
            match self.make(whole, operation, generated, &mut notes) {
                Ok(outcome) => outcome,
                Err(reason) => OperationOutcome::Skipped { reason },
            }
        } else {
            OperationOutcome::NotChosen {
                generated: generated.to_owned(),
            }
        };
        let resource = self.read(whole, operation, generated, &mut notes);
        let made = match &outcome {
            OperationOutcome::Tool { name, .. } => self.tools.get(name).map(|(_, binding)| binding),
            _ => self.resources.get(generated).map(|resource| &resource.binding),
        };
        let base_url = made.and_then(|binding| binding.base_url.clone());
        self.operations.push(OperationReport {
            method: operation.method.chars().take(40).collect(),
            path: operation.path.to_owned(),
            operation_id: operation.id().map(str::to_owned),
            tags: operation.tags(),
            pointer: operation.pointer.clone(),
            base_url,
            outcome,
            resource,
            notes,
        });
    }

    /// The resource that the operation is, if somebody chose it; the URI is returned.
    fn read(
        &mut self,
        whole: &Whole<'_>,
        operation: &Operation<'_>,
        generated: &str,
        notes: &mut Vec<Note>,
    ) -> Option<String> {
        let choices = whole.curation.resources.get(generated)?;
        let made = resources::make(whole, operation, generated, choices).and_then(|made| {
            match self.resources.values().find(|other| other.uri == made.uri) {
                Some(other) => Err(format!("`{}` is the URI of `{}` already", made.uri, other.name)),
                None => Ok(made),
            }
        });
        match made {
            Ok(made) => {
                let uri = made.uri.clone();
                self.resources.insert(generated.to_owned(), made);
                Some(uri)
            }
            Err(reason) => {
                notes.push(note(&operation.pointer, &format!("it is no resource: {reason}")));
                None
            }
        }
    }

    fn make(
        &mut self,
        whole: &Whole<'_>,
        operation: &Operation<'_>,
        generated: &str,
        notes: &mut Vec<Note>,
    ) -> Result<OperationOutcome, String> {
        let tool = tool::make(whole, operation)?;
        let label = format!("{} {}", operation.method, operation.path);
        self.keep(tool, (label, generated), (whole.curation, whole.limits), notes)
    }

    /// Finishes a tool of an operation and keeps it.
    fn keep(
        &mut self,
        tool: tool::Tool,
        (label, generated): (String, &str),
        (curation, limits): (&Curation, &Limits),
        notes: &mut Vec<Note>,
    ) -> Result<OperationOutcome, String> {
        let choices = curation.tools.get(generated);
        if let Some(choices) = choices {
            curate::within(choices.timeout_ms, choices.paging.as_ref(), limits)?;
        }
        let finished = curate::finish(tool, generated, choices, curation.profile)?;
        notes.extend(finished.notes);
        let name = finished.definition.name.clone();
        let limit = limits.tool_definition_bytes;
        if finished.definition.definition.len() > limit {
            return Err(format!("its definition has more than {limit} bytes"));
        }
        notes.extend(judge::judgeable(&finished.definition, &finished.binding)?);
        if let Some(other) = self.taken.insert(name.to_ascii_lowercase(), label.clone()) {
            self.taken.insert(name.to_ascii_lowercase(), other.clone());
            return Err(format!("`{name}` is the name of `{other}` already"));
        }
        let made = MadeTool {
            operation: label,
            definition: finished.definition,
        };
        self.tools.insert(name.clone(), (made, finished.binding));
        Ok(OperationOutcome::Tool {
            name,
            generated: generated.to_owned(),
            tokens: finished.tokens,
            output_tokens: finished.output_tokens,
        })
    }

    /// The tools, and how they are called.
    fn made(self) -> (Vec<MadeTool>, BTreeMap<String, portreeve_core::rest::Binding>) {
        let (mut tools, mut bindings) = (Vec::new(), BTreeMap::new());
        for (name, (tool, binding)) in self.tools {
            tools.push(tool);
            bindings.insert(name, binding);
        }
        (tools, bindings)
    }
}

// === impl Imported ===

impl Imported {
    /// The digest of what the tools are and how they are called.
    ///
    /// # Errors
    ///
    /// None that is known of.
    pub fn digest(&self) -> Result<String, serde_json::Error> {
        let whole = serde_json::to_string(&(&self.bindings, &self.tools, &self.report.base_url))?;
        Ok(sha256_hex(whole.as_bytes()))
    }
}
