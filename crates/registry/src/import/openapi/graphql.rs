//! Schemas of GraphQL become tools through the same seam as descriptions of REST APIs: each field of the query is an
//! operation, each tool one request with a query that is written here and that no argument can change.
//!
//! A schema comes as text (`sdl.rs`) or as the answer to an introspection (`introspection.rs`); both become one model. What
//! a field takes is the input schema (`input.rs`), what comes back is a bounded selection (`selection.rs`).

mod introspection;
mod model;
mod sdl;

mod chosen;
mod selection;

mod input;
mod operation;

use std::collections::BTreeMap;

use portreeve_core::limits::Limits;
use portreeve_core::rest::Bindings;
use serde_json::{Map, Value, json};
use url::Url;

use self::model::{Field, Schema};
use super::operations::{Operation, note};
use super::report::{Note, Report};
use super::{Imported, Making, OpenApiError, Options, check_prompts, names, servers};

pub use self::introspection::QUERY as INTROSPECTION;

/// A schema that was read.
#[derive(Debug)]
pub(super) struct Read(Schema);

/// Reads a schema from the answer to an introspection, if the document is one.
pub(super) fn of_document(document: &Value) -> Option<Result<Read, OpenApiError>> {
    let schema = introspection::schema_of(document)?;
    Some(introspection::read(schema).map(Read).map_err(unreadable))
}

/// Reads a schema from a text that is neither JSON nor YAML of a known kind, if it looks like one.
pub(super) fn of_text(text: &str, limits: &Limits) -> Option<Result<Read, OpenApiError>> {
    sdl::looks_like(text).then(|| sdl::read(text, limits).map(Read).map_err(unreadable))
}

fn unreadable(reason: String) -> OpenApiError {
    OpenApiError::Unreadable {
        reason: reason.chars().take(400).collect(),
    }
}

/// A field of a root type, with what the rest of the importer sees of it.
struct Root<'a> {
    kind: operation::Kind,
    field: &'a Field,
    seen: Value,
}

/// Makes the tools of a schema.
pub(super) fn import(Read(schema): &Read, options: &Options<'_>) -> Result<Imported, OpenApiError> {
    check_prompts(options.curation)?;
    let endpoint = options.base_url.ok_or_else(|| OpenApiError::NoServer {
        reason: "a schema of GraphQL does not say it: name the endpoint".to_owned(),
    })?;
    let (base_url, path) = endpoint_of(endpoint).map_err(|reason| OpenApiError::NoServer { reason })?;
    let roots = roots(schema);
    let limit = options.limits.tools_per_server;
    if roots.len() > limit {
        return Err(OpenApiError::TooMany { limit });
    }
    let nothing = Map::new();
    let operations: Vec<Operation<'_>> = roots.iter().map(|root| root.operation(&nothing)).collect();
    let generated = names::names(&operations);
    let whole = operation::Whole {
        schema,
        path: &path,
        limits: options.limits,
        curation: options.curation,
    };
    let mut making = Making::default();
    for ((root, operation), name) in roots.iter().zip(&operations).zip(&generated) {
        making.field(&whole, root, operation, name);
    }
    let mut notes = notes(schema, options, &generated);
    notes.truncate(100);
    let report = Report {
        format: "graphql".to_owned(),
        base_url,
        operations: std::mem::take(&mut making.operations),
        notes,
        ..Report::default()
    };
    let (tools, bindings) = making.made();
    Ok(Imported {
        report,
        tools,
        bindings: Bindings {
            tools: bindings,
            prompts: options.curation.prompts.clone(),
            ..Bindings::none()
        },
    })
}

fn notes(schema: &Schema, options: &Options<'_>, generated: &[String]) -> Vec<Note> {
    let mut notes = Vec::new();
    if schema.fields(schema.query.as_deref()).is_empty() {
        notes.push(note(
            "",
            "the schema has no type for queries, so there is nothing to ask",
        ));
    }
    if let Some(name) = &schema.subscription {
        notes.push(note(
            &format!("/{name}"),
            "subscriptions are streams without an end, no tool is made of them",
        ));
    }
    for name in options
        .curation
        .tools
        .keys()
        .filter(|name| !generated.contains(name))
    {
        notes.push(note(
            "",
            &format!("the choices for `{name}` are nobody's: no field makes a tool of that name"),
        ));
    }
    for name in options.curation.resources.keys() {
        notes.push(note(
            "",
            &format!("`{name}` is no resource: queries of GraphQL are tools alone"),
        ));
    }
    notes
}

fn roots(schema: &Schema) -> Vec<Root<'_>> {
    let of = |name: Option<&str>, kind| {
        schema.fields(name).iter().map(move |field| Root {
            kind,
            field,
            seen: json!({"operationId": field.name}),
        })
    };
    of(schema.query.as_deref(), operation::Kind::Query)
        .chain(of(schema.mutation.as_deref(), operation::Kind::Mutation))
        .collect()
}

impl Root<'_> {
    fn operation<'a>(&'a self, nothing: &'a Map<String, Value>) -> Operation<'a> {
        Operation {
            method: self.kind.word().to_owned(),
            path: &self.field.name,
            pointer: format!("/{}/{}", self.kind.word(), self.field.name),
            value: &self.seen,
            item: nothing,
        }
    }
}

/// An endpoint as what stands before its last segment, and that segment.
fn endpoint_of(endpoint: &str) -> Result<(String, String), String> {
    let url = Url::parse(endpoint).map_err(|error| format!("`{endpoint}` is no URL: {error}"))?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err("the endpoint has a query or a fragment, which is not supported".to_owned());
    }
    let (before, last) = url.path().rsplit_once('/').unwrap_or_default();
    let path = format!("/{last}");
    let mut base = url.clone();
    base.set_path(before);
    Ok((servers::given(base.as_str())?, path))
}

/// Types by their names.
type Types = BTreeMap<String, model::Type>;
