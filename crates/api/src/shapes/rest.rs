//! REST APIs: a description on its way in, what it would become, and what it became.

use portreeve_core::rest::{Bindings, Resource};
use portreeve_registry::import::openapi::{
    Change, ChangeKind, Curation, MadeTool, Note, OperationOutcome, OperationReport, Report,
};
use portreeve_registry::{RestOutcome, RestPreview, RestView};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use url::Url;
use utoipa::ToSchema;

use super::server::OutcomeShape;

/// A description of a REST API.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct NewOpenApi {
    /// Its text: Swagger 2.0 or OpenAPI 3.0, 3.1 or 3.2, as JSON or YAML, all of its files in one; or a schema of GraphQL, as
    /// text or as the answer to an introspection, and then `baseUrl` is the endpoint.
    pub(crate) document: Option<String>,
    /// Where it is, instead of its text. The server reads it, with the files of the same origin that it refers to.
    pub(crate) url: Option<String>,
    /// Instead, the endpoint of a GraphQL API, which is asked for its schema; or a URL where that lies as a file, and then
    /// `baseUrl` is the endpoint.
    pub(crate) graphql_url: Option<String>,
    /// Instead of all of them, the version of this server whose description is used again, as it was kept; `latest` for the one
    /// that is served, or else the newest.
    pub(crate) kept_of: Option<String>,
    /// Where the API is, if not where its description says.
    pub(crate) base_url: Option<String>,
    /// The version that is made; that of the description unless it is given, or the next one that is free.
    pub(crate) version: Option<String>,
    /// What people read about the server, at most 100 characters; the title of the API unless it is given.
    pub(crate) description: Option<String>,
    /// Which operations become tools, and what is different about them.
    #[serde(default)]
    #[schema(value_type = Object)]
    pub(crate) curation: Choices,
    /// Grant the private hosts: of the API to the server, of `url` to this import. For administrators.
    #[serde(default)]
    pub(crate) internal: bool,
    /// Approve the version at once, where the caller may.
    #[serde(default)]
    pub(crate) approve: bool,
}

/// A curation, read field by field.
#[derive(Debug, Default, Deserialize)]
#[serde(transparent)]
pub(crate) struct Choices(pub(crate) Curation);

/// What an import would do.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OpenApiPreview)]
pub(crate) struct OpenApiPreviewShape {
    /// The version that it would make.
    version: String,
    report: ReportShape,
    /// The tools, each as hosts get it.
    #[schema(value_type = Vec<Object>)]
    tools: Vec<Value>,
    #[serde(flatten)]
    offers: OffersShape,
    /// The version that it is compared with, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    compared_with: Option<String>,
    /// What is different, what matters most first.
    changes: Vec<ChangeShape>,
    /// Tools of that version whose operations are gone.
    vanished: Vec<String>,
}

/// What an import did.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OpenApiOutcome)]
pub(crate) struct OpenApiOutcomeShape {
    /// What became of the version.
    outcome: OutcomeShape,
    /// What was made.
    preview: OpenApiPreviewShape,
}

/// What was made of a REST API.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OpenApi)]
pub(crate) struct OpenApiShape {
    version: String,
    /// The digest of its tools, SHA-256.
    digest: String,
    report: ReportShape,
    /// The choices that it was imported with.
    #[schema(value_type = Object)]
    curation: Curation,
    #[schema(value_type = Vec<Object>)]
    tools: Vec<Value>,
    #[serde(flatten)]
    offers: OffersShape,
    /// Tools whose operations a newer description does not have any more.
    vanished: Vec<String>,
    /// Where the description was read, if it was read by the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    source: Option<Url>,
    /// Where somebody said that the API is.
    #[serde(skip_serializing_if = "Option::is_none")]
    base_url: Option<String>,
}

/// What there is beside tools, each as hosts get it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OpenApiOffers)]
struct OffersShape {
    /// Resources, and templates of resources.
    #[schema(value_type = Vec<Object>)]
    resources: Vec<Value>,
    #[schema(value_type = Vec<Object>)]
    prompts: Vec<Value>,
}

/// What became of a description.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OpenApiReport)]
struct ReportShape {
    /// `2.0`, `3.0.3`, `3.1.1`, `3.2.0`, `graphql`.
    format: String,
    title: String,
    /// What paths are appended to.
    base_url: String,
    /// How many operations are tools, were not chosen, cannot be tools.
    tools: usize,
    not_chosen: usize,
    skipped: usize,
    /// What a host shows a model of all tools, in tokens: one for every four bytes of each name, description and input
    /// schema.
    tokens: u64,
    /// Each operation, in the order of the description.
    operations: Vec<OperationShape>,
    /// What was noticed about the description as a whole.
    notes: Vec<NoteShape>,
}

/// What became of an operation.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = OpenApiOperation)]
struct OperationShape {
    method: String,
    path: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation_id: Option<String>,
    tags: Vec<String>,
    /// Where it is in the description, as a JSON pointer.
    pointer: String,
    /// Where it is called, if not at the API's own `baseUrl`: the description gives it a server of its own. The route's
    /// credential is not shown to another origin.
    #[serde(skip_serializing_if = "Option::is_none")]
    base_url: Option<String>,
    /// `tool`, `notChosen` or `skipped`.
    outcome: &'static str,
    /// The URI, or the template, of the resource that it is, whether it is a tool or not.
    #[serde(skip_serializing_if = "Option::is_none")]
    resource: Option<String>,
    /// The tool's name.
    #[serde(skip_serializing_if = "Option::is_none")]
    tool: Option<String>,
    /// The tool's name as it is made from the description: what a curation names it by.
    #[serde(skip_serializing_if = "Option::is_none")]
    generated: Option<String>,
    /// Why it is no tool.
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
    /// What a host shows a model of it, in tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    tokens: Option<u64>,
    /// The same for its output schema, which few hosts show.
    #[serde(skip_serializing_if = "Option::is_none")]
    output_tokens: Option<u64>,
    notes: Vec<NoteShape>,
}

/// Something that was noticed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OpenApiNote)]
struct NoteShape {
    /// Where, as a JSON pointer into the description.
    pointer: String,
    message: String,
}

/// A tool that is different.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OpenApiChange)]
pub(crate) struct ChangeShape {
    /// The tool; the prompt, or the tool that a resource would be.
    tool: String,
    /// `GET /pets/{id}`; `resource` or `prompt`.
    operation: String,
    /// `removed`, `breaking`, `added` or `harmless`.
    #[schema(value_type = String)]
    kind: ChangeKind,
    /// What is different, in words.
    details: Vec<String>,
}

// === impl OpenApiPreviewShape ===

impl OpenApiPreviewShape {
    pub(crate) fn new(preview: RestPreview) -> Self {
        Self {
            version: preview.version.to_string(),
            report: ReportShape::new(preview.report),
            tools: definitions(&preview.tools),
            offers: OffersShape::new(&preview.bindings),
            compared_with: preview.compared_with.map(|version| version.to_string()),
            changes: preview.changes.into_iter().map(ChangeShape::new).collect(),
            vanished: preview.vanished,
        }
    }
}

fn definitions(tools: &[MadeTool]) -> Vec<Value> {
    let read = |tool: &MadeTool| serde_json::from_str(&tool.definition.definition).unwrap_or_default();
    tools.iter().map(read).collect()
}

// === impl OpenApiOutcomeShape ===

impl OpenApiOutcomeShape {
    pub(crate) fn new(outcome: RestOutcome, public_url: &Url) -> Self {
        Self {
            outcome: OutcomeShape::new(&outcome.outcome, public_url),
            preview: OpenApiPreviewShape::new(outcome.preview),
        }
    }
}

// === impl OpenApiShape ===

impl OpenApiShape {
    pub(crate) fn new(view: RestView) -> Self {
        let details = view.details;
        Self {
            version: view.version.to_string(),
            digest: view.digest,
            report: ReportShape::new(details.report),
            curation: details.curation,
            tools: definitions(&details.tools),
            offers: OffersShape::new(&view.bindings),
            vanished: view.vanished,
            source: details.source,
            base_url: details.base_url,
        }
    }
}

// === impl OffersShape ===

impl OffersShape {
    fn new(bindings: &Bindings) -> Self {
        let prompts = bindings.prompts.iter();
        Self {
            resources: bindings.resources.values().map(Resource::listed).collect(),
            prompts: prompts.map(|(name, prompt)| prompt.listed(name)).collect(),
        }
    }
}

// === impl ReportShape ===

impl ReportShape {
    fn new(report: Report) -> Self {
        Self {
            tools: report.tools(),
            not_chosen: report.not_chosen(),
            skipped: report.skipped(),
            tokens: report.tokens(),
            format: report.format,
            title: report.title,
            base_url: report.base_url,
            operations: report.operations.into_iter().map(OperationShape::new).collect(),
            notes: notes(report.notes),
        }
    }
}

fn notes(notes: Vec<Note>) -> Vec<NoteShape> {
    let shape = |note: Note| NoteShape {
        pointer: note.pointer,
        message: note.message,
    };
    notes.into_iter().map(shape).collect()
}

// === impl OperationShape ===

impl OperationShape {
    fn new(operation: OperationReport) -> Self {
        let mut shape = Self {
            method: operation.method,
            path: operation.path,
            operation_id: operation.operation_id,
            tags: operation.tags,
            pointer: operation.pointer,
            base_url: operation.base_url,
            outcome: "skipped",
            resource: operation.resource,
            tool: None,
            generated: None,
            reason: None,
            tokens: None,
            output_tokens: None,
            notes: notes(operation.notes),
        };
        match operation.outcome {
            OperationOutcome::Tool {
                name,
                generated,
                tokens,
                output_tokens,
            } => {
                shape.outcome = "tool";
                shape.tool = Some(name);
                shape.generated = Some(generated);
                shape.tokens = Some(tokens);
                shape.output_tokens = Some(output_tokens);
            }
            OperationOutcome::NotChosen { generated } => {
                shape.outcome = "notChosen";
                shape.generated = Some(generated);
            }
            OperationOutcome::Skipped { reason } => shape.reason = Some(reason),
        }
        shape
    }
}

// === impl ChangeShape ===

impl ChangeShape {
    pub(crate) fn new(change: Change) -> Self {
        Self {
            tool: change.tool,
            operation: change.operation,
            kind: change.kind,
            details: change.details,
        }
    }
}
