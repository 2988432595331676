//! The official `server.json` document: read strictly as JSON, viewed leniently as a document.
//!
//! Before: bytes from a publisher. After: `registry::validate` decides whether the problems found here stop it. The
//! document itself is never rewritten: what this view does not know stays in it.

mod inputs;
mod official;
mod packages;
mod strict;

use std::collections::HashSet;

use portreeve_core::name::{ServerName, VersionText};
use serde::Serialize;
use serde_json::{Map, Value};

pub use inputs::{Input, KeyValue, placeholders};
pub use official::form_problems;
pub use packages::{Argument, Package};

pub use portreeve_core::served::PUBLISHER_META;

/// One thing that is wrong with a document.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct Problem {
    /// Where, as `remotes[0].url`; `$` is the document itself.
    pub path: String,
    /// What, as a sentence without its final stop.
    pub message: String,
}

/// Why a text could not be looked at as a document at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// Too many bytes.
    #[error("it has {size} bytes, and {limit} are allowed")]
    TooLarge {
        /// Bytes of the text.
        size: usize,
        /// Bytes allowed.
        limit: usize,
    },
    /// Not JSON, or JSON that two readers may understand differently (a key that appears twice).
    #[error("it is not valid JSON: {reason}")]
    NotJson {
        /// What the parser says, with line and column.
        reason: String,
    },
    /// JSON, but not an object.
    #[error("it must be a JSON object")]
    NotAnObject,
}

/// A document with everything that was noticed about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Reading {
    /// The document as it is.
    pub raw: Map<String, Value>,
    /// The part of it that Portreeve understands.
    pub view: ServerJson,
    /// What a publisher must mend.
    pub problems: Vec<Problem>,
    /// What a publisher should mend, and what an importer lets pass.
    pub warnings: Vec<Problem>,
}

/// The typed view. Fields that are missing or of the wrong type are empty here and named in [`Reading::problems`].
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServerJson {
    /// The name, if it is one.
    pub name: Option<ServerName>,
    /// The version, if it is one.
    pub version: Option<VersionText>,
    /// The name for people.
    pub title: Option<String>,
    /// What the server does.
    pub description: String,
    /// Where it runs for everyone.
    pub remotes: Vec<Remote>,
    /// How one runs it oneself.
    pub packages: Vec<Package>,
}

/// How a remote is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RemoteKind {
    /// `streamable-http`.
    StreamableHttp,
    /// `sse`.
    Sse,
    /// Anything else.
    Unknown,
}

/// One remote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remote {
    /// How it is spoken to.
    pub kind: RemoteKind,
    /// Its URL, possibly with `{variables}`.
    pub url: String,
    /// Headers that a host sends.
    pub headers: Vec<KeyValue>,
    /// Values for the variables of the URL.
    pub variables: Vec<(String, Input)>,
}

// === impl Remote ===

impl Remote {
    /// Whether the URL has variables that somebody must fill in.
    pub fn is_templated(&self) -> bool {
        self.url.contains(['{', '}'])
    }
}

// === impl ServerJson ===

impl ServerJson {
    /// Views a document, whatever is wrong with it.
    pub fn view(raw: &Map<String, Value>) -> Self {
        read(raw, &mut Notes::default())
    }

    /// The remote that a route of the gateway leads to: the first that speaks Streamable HTTP; where there is none, the
    /// first that speaks HTTP+SSE.
    pub fn upstream(&self) -> Option<&Remote> {
        let first = |kind| self.remotes.iter().find(|remote| remote.kind == kind);
        first(RemoteKind::StreamableHttp).or_else(|| first(RemoteKind::Sse))
    }
}

/// Reads a document and notes all that is wrong with it, like a compiler.
pub fn parse(text: &str, limit: usize) -> Result<Reading, Unreadable> {
    if text.len() > limit {
        let size = text.len();
        return Err(Unreadable::TooLarge { size, limit });
    }
    let Value::Object(raw) = strict::value(text)? else {
        return Err(Unreadable::NotAnObject);
    };
    let mut notes = Notes::default();
    let view = read(&raw, &mut notes);
    Ok(Reading {
        raw,
        view,
        problems: notes.problems,
        warnings: notes.warnings,
    })
}

/// What was noticed so far.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
}

impl Notes {
    pub(crate) fn problem(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.problems.push(note(path, message));
    }

    pub(crate) fn warning(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.warnings.push(note(path, message));
    }

    /// Takes over what was noticed inside `parent`.
    pub(crate) fn adopt(&mut self, parent: &str, inner: Self) {
        let below = |inside: Problem| note(format!("{parent}.{}", inside.path), inside.message);
        self.problems.extend(inner.problems.into_iter().map(below));
        self.warnings.extend(inner.warnings.into_iter().map(below));
    }
}

fn note(path: impl Into<String>, message: impl Into<String>) -> Problem {
    Problem {
        path: path.into(),
        message: message.into(),
    }
}

fn read(raw: &Map<String, Value>, notes: &mut Notes) -> ServerJson {
    check_schema(raw, notes);
    check_links(raw, notes);
    if raw.get("_meta").is_some_and(|meta| !meta.is_object()) {
        notes.problem("_meta", "it must be an object");
    }
    ServerJson {
        name: read_name(raw, notes),
        version: read_version(raw, notes),
        title: read_title(raw, notes),
        description: read_description(raw, notes),
        remotes: list(raw, "remotes", notes)
            .into_iter()
            .filter_map(|(path, item)| read_remote(&path, item, notes))
            .collect(),
        packages: list(raw, "packages", notes)
            .into_iter()
            .filter_map(|(path, item)| packages::read(&path, item, notes))
            .collect(),
    }
}

fn check_schema(raw: &Map<String, Value>, notes: &mut Notes) {
    const KNOWN: [&str; 6] = [
        "2025-07-09",
        "2025-09-16",
        "2025-09-29",
        "2025-10-11",
        "2025-10-17",
        "2025-12-11",
    ];
    match raw.get("$schema").map(Value::as_str) {
        None | Some(Some("")) => notes.warning("$schema", "it is missing; hosts read it to choose a schema"),
        Some(None) => notes.problem("$schema", "it must be a text"),
        // Lists give it as it is, and it is a URI in them.
        Some(Some(url)) if !is_http_url(url) => notes.problem("$schema", "it must be an http or https URL"),
        Some(Some(url)) if KNOWN.iter().any(|date| url.contains(date)) => {}
        Some(Some(url)) => notes.warning(
            "$schema",
            format!("`{}` is not a schema known here", cut(url, 200)),
        ),
    }
}

fn read_name(raw: &Map<String, Value>, notes: &mut Notes) -> Option<ServerName> {
    let text = required_text(raw, "name", notes)?;
    text.parse::<ServerName>()
        .map_err(|error| notes.problem("name", error.to_string()))
        .ok()
}

fn read_version(raw: &Map<String, Value>, notes: &mut Notes) -> Option<VersionText> {
    let text = required_text(raw, "version", notes)?;
    text.parse::<VersionText>()
        .map_err(|error| notes.problem("version", error.to_string()))
        .ok()
}

fn read_title(raw: &Map<String, Value>, notes: &mut Notes) -> Option<String> {
    let title = match raw.get("title")? {
        Value::String(title) => title,
        _ => {
            notes.problem("title", "it must be a text");
            return None;
        }
    };
    if title.trim().is_empty() || title.chars().count() > 100 {
        notes.problem("title", "it must have 1 to 100 characters, not only blanks");
    }
    Some(title.clone())
}

fn read_description(raw: &Map<String, Value>, notes: &mut Notes) -> String {
    let Some(text) = required_text(raw, "description", notes) else {
        return String::new();
    };
    let count = text.chars().count();
    if !(1..=100).contains(&count) {
        notes.problem(
            "description",
            format!("it must have 1 to 100 characters, and has {count}"),
        );
    }
    text.to_owned()
}

/// Links that a portal or a host will show: a scheme such as `javascript:` must not get in.
fn check_links(raw: &Map<String, Value>, notes: &mut Notes) {
    if let Some(url) = raw.get("websiteUrl") {
        check_link("websiteUrl", url, notes);
    }
    match raw.get("repository") {
        None => {}
        Some(Value::Object(repository)) => match repository.get("url") {
            Some(url) => check_link("repository.url", url, notes),
            None => notes.warning("repository", "it has no `url`; leave it out instead"),
        },
        Some(_) => notes.problem("repository", "it must be an object"),
    }
    for (path, icon) in list(raw, "icons", notes) {
        match icon.get("src") {
            Some(Value::String(src)) if src.starts_with("https://") => {}
            _ => notes.problem(format!("{path}.src"), "it must be an https URL"),
        }
    }
}

fn check_link(path: &str, url: &Value, notes: &mut Notes) {
    if !url.as_str().is_some_and(is_http_url) {
        notes.problem(path, "it must be an http or https URL");
    }
}

fn read_remote(path: &str, raw: &Map<String, Value>, notes: &mut Notes) -> Option<Remote> {
    let kind = match text(raw, "type") {
        Some("streamable-http") => RemoteKind::StreamableHttp,
        Some("sse") => RemoteKind::Sse,
        other => {
            notes.problem(
                format!("{path}.type"),
                format!(
                    "`{}` is not `streamable-http` or `sse`",
                    cut(other.unwrap_or_default(), 60)
                ),
            );
            RemoteKind::Unknown
        }
    };
    let Some(url) = text(raw, "url").filter(|url| is_http_url(url)) else {
        notes.problem(format!("{path}.url"), "it must be an http or https URL");
        return None;
    };
    let variables = inputs::variables(raw);
    let declared: HashSet<&str> = variables.iter().map(|(name, _)| name.as_str()).collect();
    for name in inputs::placeholders(url) {
        if !declared.contains(name) {
            notes.problem(
                format!("{path}.url"),
                format!("`{{{name}}}` is not declared in `variables`"),
            );
        }
    }
    Some(Remote {
        kind,
        url: url.to_owned(),
        headers: inputs::key_values(raw, "headers", path, notes),
        variables,
    })
}

// === small readers, shared with the files below ===

/// Whether a text looks like an absolute http or https URL. `net` looks closer before anything is sent there.
pub(crate) fn is_http_url(url: &str) -> bool {
    let rest = url
        .strip_prefix("https://")
        .or_else(|| url.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['/', '?', '#']))
        && !url.chars().any(|c| c.is_whitespace() || c.is_control())
}

pub(crate) fn cut(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}

pub(crate) fn text<'a>(raw: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    raw.get(key).and_then(Value::as_str)
}

pub(crate) fn flag(raw: &Map<String, Value>, key: &str) -> bool {
    raw.get(key).and_then(Value::as_bool).unwrap_or(false)
}

fn required_text<'a>(raw: &'a Map<String, Value>, key: &str, notes: &mut Notes) -> Option<&'a str> {
    match raw.get(key) {
        Some(Value::String(text)) => Some(text),
        Some(_) => {
            notes.problem(key, "it must be a text");
            None
        }
        None => {
            notes.problem(key, "it is required");
            None
        }
    }
}

/// The objects of a list with the path of each.
pub(crate) fn list<'a>(
    raw: &'a Map<String, Value>,
    key: &str,
    notes: &mut Notes,
) -> Vec<(String, &'a Map<String, Value>)> {
    let items = match raw.get(key) {
        None | Some(Value::Null) => return Vec::new(),
        Some(Value::Array(items)) => items,
        Some(_) => {
            notes.problem(key, "it must be a list");
            return Vec::new();
        }
    };
    let mut objects = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let path = format!("{key}[{index}]");
        match item {
            Value::Object(object) => objects.push((path, object)),
            _ => notes.problem(path, "it must be an object"),
        }
    }
    objects
}

#[cfg(test)]
mod tests;
