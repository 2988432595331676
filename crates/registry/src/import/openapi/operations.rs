//! The operations of a document, one by one, whatever is wrong with their neighbours.

use portreeve_core::limits::Limits;
use serde_json::{Map, Value};

use super::refs::{Root, escaped};
use super::report::Note;

/// The methods that have a member of their own in a path.
const METHODS: &[&str] = &[
    "get", "put", "post", "delete", "options", "head", "patch", "trace", "query",
];

/// Notes about the document as a whole, while words that are no method are among them.
const MOST_UNKNOWN: usize = 200;

/// An operation as the document has it.
#[derive(Debug, Clone)]
pub(super) struct Operation<'a> {
    /// The HTTP method, in capitals.
    pub(super) method: String,
    /// The path.
    pub(super) path: &'a str,
    /// Where it is.
    pub(super) pointer: String,
    /// What stands there.
    pub(super) value: &'a Value,
    /// The path that it belongs to: parameters and servers of all its operations.
    pub(super) item: &'a Map<String, Value>,
}

impl<'a> Operation<'a> {
    /// Its identifier.
    pub(super) fn id(&self) -> Option<&'a str> {
        self.value.get("operationId").and_then(Value::as_str)
    }

    /// A text of it.
    pub(super) fn text(&self, member: &str) -> &'a str {
        self.value.get(member).and_then(Value::as_str).unwrap_or_default()
    }

    /// Its tags.
    pub(super) fn tags(&self) -> Vec<String> {
        let tags = self.value.get("tags").and_then(Value::as_array);
        tags.into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .take(20)
            .map(|tag| tag.chars().take(100).collect())
            .collect()
    }
}

/// All operations, and what was noticed while looking for them.
pub(super) fn operations<'a>(
    root: Root<'a>,
    limits: &Limits,
) -> Result<(Vec<Operation<'a>>, Vec<Note>), usize> {
    let mut found = Vec::new();
    let mut notes = Vec::new();
    let paths = root.0.get("paths").and_then(Value::as_object);
    if paths.is_none() {
        notes.push(note(
            "/paths",
            "the document has no paths, so there is nothing to call",
        ));
    }
    for (path, item) in paths.into_iter().flatten() {
        if path.starts_with("x-") {
            continue;
        }
        let pointer = format!("/paths/{}", escaped(path));
        match root.object(item) {
            Ok(item) => {
                of_path(path, &pointer, item, &mut found);
                unknown(&pointer, item, &mut notes);
            }
            Err(reason) => notes.push(note(&pointer, &format!("the path cannot be read: {reason}"))),
        }
        if found.len() > limits.tools_per_server {
            return Err(limits.tools_per_server);
        }
    }
    for elsewhere in ["webhooks", "x-webhooks"] {
        if root.0.get(elsewhere).is_some_and(Value::is_object) {
            notes.push(note(
                &format!("/{elsewhere}"),
                "webhooks are calls of the API, not calls to it: they become no tools",
            ));
        }
    }
    Ok((found, notes))
}

fn of_path<'a>(path: &'a str, pointer: &str, item: &'a Map<String, Value>, found: &mut Vec<Operation<'a>>) {
    let more = item.get("additionalOperations").and_then(Value::as_object);
    let own = item
        .iter()
        .filter(|(method, _)| METHODS.contains(&method.as_str()))
        .map(|(method, value)| (method.to_ascii_uppercase(), format!("{pointer}/{method}"), value));
    let more = more.into_iter().flatten().map(|(method, value)| {
        let place = format!("{pointer}/additionalOperations/{}", escaped(method));
        (method.clone(), place, value)
    });
    found.extend(own.chain(more).map(|(method, pointer, value)| Operation {
        method,
        path,
        pointer,
        value,
        item,
    }));
}

/// What stands among the methods of a path and is none: most often a method in capitals.
fn unknown(pointer: &str, item: &Map<String, Value>, notes: &mut Vec<Note>) {
    const OTHERS: &[&str] = &[
        "$ref",
        "summary",
        "description",
        "servers",
        "parameters",
        "additionalOperations",
    ];
    let is_known = |word: &str| METHODS.contains(&word) || OTHERS.contains(&word) || word.starts_with("x-");
    for word in item.keys().filter(|word| !is_known(word)) {
        if notes.len() >= MOST_UNKNOWN {
            return;
        }
        let shown: String = word.chars().take(40).collect();
        notes.push(note(
            &format!("{pointer}/{}", escaped(&shown)),
            &format!("`{shown}` is no method, so what stands there becomes no tool"),
        ));
    }
}

pub(super) fn note(pointer: &str, message: &str) -> Note {
    Note {
        pointer: pointer.to_owned(),
        message: message.to_owned(),
    }
}
