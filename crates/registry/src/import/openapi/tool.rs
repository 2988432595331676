//! One operation as a tool: its arguments, its result, and how a call of it becomes a request.

use std::cell::RefCell;

use portreeve_core::limits::Limits;
use portreeve_core::rest::{Answers, Binding, HttpMethod, Retry, Structured};
use serde_json::{Map, Value, json};
use url::Url;

use super::arguments::Arguments;
use super::curation::{Curation, Descriptions, Profile};
use super::operations::{Operation, note};
use super::refs::Root;
use super::report::Note;
use super::schema::{Direction, Findings, Schemas};
use super::shaped::shape;
use super::{answers, body, flat, inline, parameters, security, servers, words};

/// Longest short description, in characters.
pub(super) const SHORT: usize = 500;
/// Longest long description, in characters.
pub(super) const LONG: usize = 4_000;
/// An `outputSchema` beyond this says no more than that there is an object: hosts must load what they list.
const MOST_OUTPUT_BYTES: usize = 48 * 1024;

/// A tool before somebody's choices.
#[derive(Debug)]
pub(super) struct Tool {
    pub(super) title: String,
    pub(super) description: String,
    pub(super) arguments: Arguments,
    pub(super) binding: Binding,
    pub(super) output: Option<Map<String, Value>>,
    /// `$defs` that the schemas of the arguments refer to.
    pub(super) defs: Map<String, Value>,
    pub(super) notes: Vec<Note>,
    pub(super) effects: Effects,
}

/// What a call of a tool does, as far as nobody says otherwise.
#[derive(Debug, Clone, Copy)]
pub(super) struct Effects {
    /// It changes nothing.
    pub(super) read_only: bool,
    /// Twice does what once does.
    pub(super) idempotent: bool,
}

/// What all tools of a document share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Whole<'a> {
    pub(super) root: Root<'a>,
    pub(super) source: Option<&'a Url>,
    pub(super) base_url: Option<&'a str>,
    /// What the paths are appended to.
    pub(super) base: &'a str,
    pub(super) limits: &'a Limits,
    pub(super) curation: &'a Curation,
    pub(super) findings: &'a RefCell<Findings>,
}

/// Makes the tool of an operation, or says why there is none.
pub(super) fn make(whole: &Whole<'_>, operation: &Operation<'_>) -> Result<Tool, String> {
    let root = whole.root;
    let method = HttpMethod::try_from(operation.method.clone()).map_err(|error| error.to_string())?;
    let shaped = shape(root, operation)?;
    let (path, in_path) = parameters::pieces(operation.path)?;
    let most = whole.limits.openapi_tool_schemas;
    let mut input = Schemas::new(root, Direction::Input, most, whole.findings);
    let mut arguments = Arguments::default();
    let described = security::without_credentials(root, shaped.parameters, &mut input);
    let mut parameters = parameters::add(&described, &in_path, &mut input, &mut arguments);
    let more = parameters::of_path(operation.path, &parameters);
    parameters.extend(more);
    let body = match &shaped.body {
        Some(_) if matches!(method.as_str(), "GET" | "HEAD") => {
            input.remark(
                &operation.pointer,
                "a request of this method has no body, it is left out",
            );
            None
        }
        Some(described) => body::add(root, described, &mut input, &mut arguments)?,
        None => None,
    };
    let defs = input.defs();
    if input.is_cut() {
        return Err(format!("its arguments are made of more than {most} schemas"));
    }
    let (answers, output, more) = result(whole, &shaped.answers);
    let mut notes = shaped.notes;
    notes.append(&mut input.notes);
    notes.extend(more);
    let base_url = own_base(whole, operation)?;
    if let Some(url) = base_url
        .as_deref()
        .filter(|url| !servers::is_same_origin(url, whole.base))
    {
        notes.push(note(
            &operation.pointer,
            &format!("it is called at `{url}`, another origin than the API's: the route's credential is not shown there"),
        ));
    }
    let retry = if method.is_idempotent() {
        Retry::Safe
    } else {
        Retry::Never
    };
    let (title, description) = describe(operation, whole.curation.descriptions);
    let effects = Effects {
        read_only: method.is_safe(),
        idempotent: method.is_idempotent(),
    };
    Ok(Tool {
        title,
        description,
        arguments,
        binding: Binding {
            method,
            base_url,
            path,
            parameters,
            body,
            answers,
            shape: Default::default(),
            paging: None,
            timeout_ms: None,
            retry,
            security: security::of(root, operation.value),
            arguments: None,
        },
        output,
        defs,
        notes,
        effects,
    })
}

fn result(
    whole: &Whole<'_>,
    described: &[(String, super::shaped::Described<'_>)],
) -> (Answers, Option<Map<String, Value>>, Vec<Note>) {
    let most = whole.limits.openapi_tool_schemas;
    let mut schemas = Schemas::new(whole.root, Direction::Output, most, whole.findings);
    let (answers, output) = answers::of(whole.root, described, &mut schemas);
    let Some(mut output) = output else {
        return (answers, None, Vec::new());
    };
    let defs = schemas.defs();
    if !defs.is_empty() {
        output.insert("$defs".to_owned(), Value::Object(defs));
        inline::once(&mut output);
    }
    if whole.curation.profile == Profile::Flat {
        output = flat::result(&output);
    }
    let mut notes = Vec::new();
    if schemas.is_cut() || Value::Object(output.clone()).to_string().len() > MOST_OUTPUT_BYTES {
        let pointer = described
            .first()
            .map(|(_, answer)| answer.pointer.as_str())
            .unwrap_or_default();
        notes.push(note(
            pointer,
            "its answer takes too much to describe, so the result is called an object and no more",
        ));
        output = match &answers.structured {
            Structured::Wrapped(name) => Map::from_iter([
                ("type".to_owned(), json!("object")),
                ("properties".to_owned(), json!({name: {}})),
            ]),
            _ => Map::from_iter([("type".to_owned(), json!("object"))]),
        };
    }
    (answers, Some(output), notes)
}

/// The operation's own address, where it is not the document's.
fn own_base(whole: &Whole<'_>, operation: &Operation<'_>) -> Result<Option<String>, String> {
    if whole.base_url.is_some() {
        // Somebody said where the API is, and meant all of it.
        return Ok(None);
    }
    let object = operation.value.as_object();
    let own = object
        .and_then(|object| servers::own(object, whole.source))
        .or_else(|| servers::own(operation.item, whole.source));
    Ok(own.transpose()?.filter(|own| own != whole.base))
}

fn describe(operation: &Operation<'_>, how: Descriptions) -> (String, String) {
    let longest = match how {
        Descriptions::Short => SHORT,
        Descriptions::Long => LONG,
    };
    let summary = words::shortened(operation.text("summary"), 200);
    let more = words::shortened(operation.text("description"), longest);
    let mut text = match (summary.is_empty(), more.is_empty()) {
        (true, true) => format!("{} {}", operation.method, operation.path),
        (false, true) => summary.clone(),
        (true, false) => more,
        (false, false) if more.starts_with(summary.trim_end_matches('.')) => more,
        (false, false) => format!("{}. {more}", summary.trim_end_matches('.')),
    };
    if operation.value.get("deprecated") == Some(&json!(true)) {
        text = format!("Deprecated. {text}");
    }
    (summary, text)
}
