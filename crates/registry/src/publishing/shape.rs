//! The form of a document that is published, as the official schema of 2025-12-11 gives it: which fields there are, of
//! which type, and how long.
//!
//! Before: `mcp` read the document leniently, as for imports. After: `rules` asks what a form cannot say. A field that
//! nobody here has heard of may stand in a document, and stays in it.

use portreeve_mcp::server_json::{PUBLISHER_META, Problem};
use serde_json::{Map, Value};
use url::Url;

use super::VALUES_META;

/// What a value must be.
enum Shape {
    /// A text with at least and at most so many characters.
    Text(usize, usize),
    /// A text that is one of these.
    Word(&'static [&'static str]),
    /// A text with a form of its own, and how that is called.
    Form(fn(&str) -> bool, &'static str),
    /// `true` or `false`.
    Flag,
    /// An object with these fields, in groups that several objects share.
    Object(&'static [&'static [Field]]),
    /// An object whose values are all alike.
    Map(&'static Shape),
    /// A list whose items are all alike.
    List(&'static Shape),
    /// An object whose `type` says what else is in it.
    Tagged(&'static [(&'static str, &'static Shape)]),
}

/// A field of an object.
struct Field {
    name: &'static str,
    need: Need,
    shape: &'static Shape,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Need {
    Required,
    Optional,
}

const fn must(name: &'static str, shape: &'static Shape) -> Field {
    Field {
        name,
        need: Need::Required,
        shape,
    }
}

const fn may(name: &'static str, shape: &'static Shape) -> Field {
    Field {
        name,
        need: Need::Optional,
        shape,
    }
}

// === the document ===

static TEXT: Shape = Shape::Text(0, usize::MAX);
static FLAG: Shape = Shape::Flag;
static UP_TO_100: Shape = Shape::Text(1, 100);
static URI: Shape = Shape::Form(is_uri, "an absolute URL");
static TEXTS: Shape = Shape::List(&TEXT);

static DOCUMENT: Shape = Shape::Object(&[&[
    may("$schema", &URI),
    must("name", &Shape::Text(3, 200)),
    must("description", &UP_TO_100),
    may("title", &UP_TO_100),
    may("repository", &REPOSITORY),
    must("version", &Shape::Text(1, 255)),
    may("websiteUrl", &URI),
    may("icons", &ICONS),
    may("packages", &Shape::List(&PACKAGE)),
    may("remotes", &Shape::List(&REMOTE)),
    may("_meta", &META),
]]);
static META: Shape = Shape::Object(&[&[may(PUBLISHER_META, &ANY_OBJECT), may(VALUES_META, &ANY_OBJECT)]]);
static ANY_OBJECT: Shape = Shape::Object(&[]);
static REPOSITORY: Shape = Shape::Object(&[&[
    must("url", &URI),
    must("source", &TEXT),
    may("id", &TEXT),
    may("subfolder", &TEXT),
]]);
static ICONS: Shape = Shape::List(&ICON);
static ICON: Shape = Shape::Object(&[&[
    must(
        "src",
        &Shape::Form(is_icon_url, "an https URL of at most 255 characters"),
    ),
    may("mimeType", &Shape::Word(IMAGES)),
    may("sizes", &SIZES),
    may("theme", &Shape::Word(&["light", "dark"])),
]]);
static SIZES: Shape = Shape::List(&SIZE);
static SIZE: Shape = Shape::Form(is_size, "a size like `48x48`, or `any`");
const IMAGES: &[&str] = &[
    "image/png",
    "image/jpeg",
    "image/jpg",
    "image/svg+xml",
    "image/webp",
];

// === remotes and packages ===

static HTTP_URL: Shape = Shape::Form(is_http_url, "an http or https URL without blanks");
static HTTP: Shape = Shape::Object(&[TRANSPORT]);
const TRANSPORT: &[Field] = &[must("url", &HTTP_URL), may("headers", &NAMED_INPUTS)];
static NAMED_INPUTS: Shape = Shape::List(&NAMED_INPUT);
static REMOTE_HTTP: Shape = Shape::Object(&[TRANSPORT, VARIABLES]);
static REMOTE: Shape = Shape::Tagged(&[("streamable-http", &REMOTE_HTTP), ("sse", &REMOTE_HTTP)]);
static PACKAGE_TRANSPORT: Shape =
    Shape::Tagged(&[("stdio", &ANY_OBJECT), ("streamable-http", &HTTP), ("sse", &HTTP)]);
static PACKAGE: Shape = Shape::Object(&[&[
    must("registryType", &TEXT),
    must("identifier", &TEXT),
    must("transport", &PACKAGE_TRANSPORT),
    may("version", &Shape::Text(1, 255)),
    may("registryBaseUrl", &URI),
    may("fileSha256", &Shape::Form(is_hash, "64 lower-case hex digits")),
    may("runtimeHint", &TEXT),
    may("runtimeArguments", &Shape::List(&ARGUMENT)),
    may("packageArguments", &Shape::List(&ARGUMENT)),
    may("environmentVariables", &NAMED_INPUTS),
]]);
static ARGUMENT: Shape = Shape::Tagged(&[("positional", &POSITIONAL), ("named", &NAMED)]);
static POSITIONAL: Shape = Shape::Object(&[INPUT, VARIABLES, REPEATED, &[may("valueHint", &TEXT)]]);
static NAMED: Shape = Shape::Object(&[INPUT, VARIABLES, REPEATED, NAME]);
const REPEATED: &[Field] = &[may("isRepeated", &FLAG)];
const NAME: &[Field] = &[must("name", &TEXT)];
static NAMED_INPUT: Shape = Shape::Object(&[INPUT, VARIABLES, NAME]);
static PLAIN_INPUTS: Shape = Shape::Map(&PLAIN_INPUT);
static PLAIN_INPUT: Shape = Shape::Object(&[INPUT]);
const VARIABLES: &[Field] = &[may("variables", &PLAIN_INPUTS)];
static FORMAT: Shape = Shape::Word(&["string", "number", "boolean", "filepath"]);
const INPUT: &[Field] = &[
    may("description", &TEXT),
    may("isRequired", &FLAG),
    may("format", &FORMAT),
    may("value", &TEXT),
    may("isSecret", &FLAG),
    may("default", &TEXT),
    may("placeholder", &TEXT),
    may("choices", &TEXTS),
];

// === forms ===

fn is_uri(text: &str) -> bool {
    let is_ours = |c: char| c.is_ascii_graphic() && !"\"<>\\^`{|}".contains(c);
    text.chars().all(is_ours) && Url::parse(text).is_ok()
}

fn is_icon_url(text: &str) -> bool {
    text.len() <= 255 && text.starts_with("https://") && is_uri(text)
}

fn is_http_url(text: &str) -> bool {
    let rest = text
        .strip_prefix("https://")
        .or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.chars().any(char::is_whitespace))
}

fn is_size(text: &str) -> bool {
    let is_number = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_pair = |(width, height): (&str, &str)| is_number(width) && is_number(height);
    text == "any" || text.split_once('x').is_some_and(is_pair)
}

fn is_hash(text: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    text.len() == 64 && text.bytes().all(is_digit)
}

// === looking ===

/// Everything in a document that does not have its form.
pub(super) fn look(document: &Map<String, Value>) -> Vec<Problem> {
    let mut found = Vec::new();
    if let Shape::Object(groups) = &DOCUMENT {
        look_at_fields(groups, document, "", &mut found);
    }
    found
}

fn look_at(shape: &Shape, value: &Value, path: &str, found: &mut Vec<Problem>) {
    match (shape, value) {
        (Shape::Text(least, most), Value::String(text)) => {
            let count = text.chars().count();
            if count < *least || count > *most {
                note(
                    found,
                    path,
                    format!("it must have {least} to {most} characters, and has {count}"),
                );
            }
        }
        (Shape::Word(words), Value::String(text)) if words.contains(&text.as_str()) => {}
        (Shape::Word(words), _) => note(found, path, format!("it must be `{}`", words.join("` or `"))),
        (Shape::Form(has, _), Value::String(text)) if has(text) => {}
        (Shape::Form(_, name), _) => note(found, path, format!("it must be {name}")),
        (Shape::Object(groups), Value::Object(object)) => look_at_fields(groups, object, path, found),
        (Shape::Map(inner), Value::Object(object)) => {
            for (key, value) in object {
                look_at(inner, value, &joined(path, key), found);
            }
        }
        (Shape::List(inner), Value::Array(items)) => {
            for (index, item) in items.iter().enumerate() {
                look_at(inner, item, &format!("{path}[{index}]"), found);
            }
        }
        (Shape::Tagged(kinds), Value::Object(object)) => look_at_tagged(kinds, object, path, found),
        (Shape::Flag, Value::Bool(_)) => {}
        (Shape::Text(..), _) => note(found, path, "it must be a text"),
        (Shape::Flag, _) => note(found, path, "it must be `true` or `false`"),
        (Shape::List(_), _) => note(found, path, "it must be a list"),
        (Shape::Object(_) | Shape::Map(_) | Shape::Tagged(_), _) => note(found, path, "it must be an object"),
    }
}

fn look_at_fields(groups: &[&[Field]], object: &Map<String, Value>, path: &str, found: &mut Vec<Problem>) {
    for field in groups.iter().copied().flatten() {
        let place = joined(path, field.name);
        match object.get(field.name) {
            Some(value) => look_at(field.shape, value, &place, found),
            None if field.need == Need::Required => note(found, &place, "it is required"),
            None => {}
        }
    }
}

fn look_at_tagged(
    kinds: &[(&str, &Shape)],
    object: &Map<String, Value>,
    path: &str,
    found: &mut Vec<Problem>,
) {
    let tag = object.get("type").and_then(Value::as_str);
    match kinds.iter().find(|(kind, _)| Some(*kind) == tag) {
        Some((_, Shape::Object(groups))) => look_at_fields(groups, object, path, found),
        _ => {
            let words: Vec<&str> = kinds.iter().map(|(kind, _)| *kind).collect();
            note(
                found,
                &joined(path, "type"),
                format!("it must be `{}`", words.join("` or `")),
            );
        }
    }
}

fn joined(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

fn note(found: &mut Vec<Problem>, path: &str, message: impl Into<String>) {
    found.push(Problem {
        path: path.to_owned(),
        message: message.into(),
    });
}
