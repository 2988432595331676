//! What an operation answers when it succeeds: the types that are asked for, and the schema of the tool's result.

use portreeve_core::rest::{Answers, Structured};
use serde_json::{Map, Value, json};

use super::refs::{Root, escaped};
use super::schema::Schemas;
use super::shaped::Described;

/// Under which name an answer stands that is no object.
const WRAP: &str = "result";
/// Any media type.
const ANY: &str = "*/*";
/// Media types that are asked for.
const MOST_TYPES: usize = 10;
/// Looks at schemas to find out whether an answer is an object.
const MOST_LOOKS: usize = 500;

/// What the answers of success are.
struct Found<'a> {
    accept: Vec<String>,
    /// Schemas of those that are JSON, with their places.
    bodies: Vec<(&'a Value, String)>,
    /// Whether something may come that is none of JSON although it was asked for with it: events, or a file.
    is_plain: bool,
}

fn found<'a>(root: Root<'a>, answers: &'a [(String, Described<'a>)]) -> Found<'a> {
    let mut found = Found {
        accept: Vec::new(),
        bodies: Vec::new(),
        is_plain: false,
    };
    for answer in successes(answers) {
        let content = answer.value.get("content").and_then(Value::as_object);
        for (media, described) in content.into_iter().flatten() {
            let Ok(described) = root.resolve(described) else {
                continue;
            };
            let schema = described.get("schema").unwrap_or(&Value::Bool(true));
            if is_clean(media) && !found.accept.contains(media) && found.accept.len() < MOST_TYPES {
                found.accept.push(media.clone());
            }
            found.is_plain |= is_events(media);
            if !is_json(media) {
                continue;
            }
            if is_file(root, schema) {
                found.is_plain = true;
                found.accept.push(ANY.to_owned());
            } else if !found.bodies.iter().any(|(known, _)| *known == schema) {
                let place = format!("{}/content/{}/schema", answer.pointer, escaped(media));
                found.bodies.push((schema, place));
            }
        }
    }
    found.accept.sort_by_key(|media| (media == ANY, !is_json(media)));
    found.accept.dedup();
    found
}

/// The answers of an operation and its `outputSchema`, without the schemas that it refers to.
pub(super) fn of(
    root: Root<'_>,
    answers: &[(String, Described<'_>)],
    schemas: &mut Schemas<'_>,
) -> (Answers, Option<Map<String, Value>>) {
    let Found {
        mut accept,
        bodies,
        is_plain,
    } = found(root, answers);
    if bodies.is_empty() || is_plain || !accept.iter().any(|media| is_json(media)) {
        let answers = Answers {
            accept,
            structured: Structured::None,
            graphql: None,
        };
        return (answers, None);
    }
    let mut looks = MOST_LOOKS;
    let are_objects = bodies
        .iter()
        .all(|(schema, _)| is_object(root, schema, &mut looks));
    let mut made: Vec<Value> = bodies
        .iter()
        .map(|(schema, place)| schemas.convert(schema, place))
        .collect();
    let one = if made.len() == 1 {
        made.pop().unwrap_or_default()
    } else {
        json!({"anyOf": made})
    };
    let (structured, schema) = if are_objects {
        (Structured::Object, object_of(one))
    } else {
        let properties = json!({WRAP: one});
        let wrapped = Map::from_iter([
            ("type".to_owned(), json!("object")),
            ("properties".to_owned(), properties),
        ]);
        (Structured::Wrapped(WRAP.to_owned()), wrapped)
    };
    // What is promised is asked for, and nothing beside it.
    accept.retain(|media| is_json(media));
    let answers = Answers {
        accept,
        structured,
        graphql: None,
    };
    (answers, Some(schema))
}

/// The answers that mean success, in the order of their status.
fn successes<'a, 'b>(answers: &'b [(String, Described<'a>)]) -> Vec<&'b Described<'a>> {
    let mut found: Vec<_> = answers
        .iter()
        .filter(|(status, _)| status.len() == 3 && status.starts_with('2'))
        .collect();
    found.sort_by(|one, other| one.0.cmp(&other.0));
    if found.is_empty() {
        found = answers.iter().filter(|(status, _)| status == "default").collect();
    }
    found.into_iter().map(|(_, answer)| answer).collect()
}

/// Hosts want to see the type at the root.
fn object_of(schema: Value) -> Map<String, Value> {
    let mut made = Map::from_iter([("type".to_owned(), json!("object"))]);
    match schema {
        Value::Object(object) if object.contains_key("$ref") => {
            made.insert("allOf".to_owned(), json!([object]));
        }
        Value::Object(object) => {
            for (word, value) in object.into_iter().filter(|(word, _)| word != "type") {
                made.insert(word, value);
            }
        }
        _ => {}
    }
    made
}

/// Whether every value of a schema is an object, as far as that is found out within so many looks at schemas.
fn is_object(root: Root<'_>, schema: &Value, looks: &mut usize) -> bool {
    let Some(left) = looks.checked_sub(1) else {
        return false;
    };
    *looks = left;
    let Ok(Value::Object(object)) = root.resolve(schema) else {
        return false;
    };
    let is_nullable = ["nullable", "x-nullable"]
        .iter()
        .any(|word| object.get(*word) == Some(&Value::Bool(true)));
    if is_nullable {
        return false;
    }
    match object.get("type") {
        Some(word) if word == "object" => return true,
        Some(_) => return false,
        None if object.contains_key("properties") => return true,
        None => {}
    }
    if let Some(parts) = object.get("allOf").and_then(Value::as_array) {
        // One part that is an object makes the whole one.
        return parts
            .iter()
            .any(|part| part.get("properties").is_some() || is_object(root, part, looks));
    }
    let any = ["anyOf", "oneOf"]
        .iter()
        .find_map(|word| object.get(*word).and_then(Value::as_array));
    any.is_some_and(|parts| !parts.is_empty() && parts.iter().all(|part| is_object(root, part, looks)))
}

/// Whether a schema means a file, whatever media type stands beside it: Swagger 2.0 says so with a type of its own, 3.0
/// with a format.
fn is_file(root: Root<'_>, schema: &Value) -> bool {
    let Ok(schema) = root.resolve(schema) else {
        return false;
    };
    let is = |word: &str, text: &str| schema.get(word).and_then(Value::as_str) == Some(text);
    is("type", "file") || is("format", "binary")
}

fn is_events(media: &str) -> bool {
    essence(media) == "text/event-stream"
}

fn is_json(media: &str) -> bool {
    let essence = essence(media);
    essence.ends_with("/json") || essence.ends_with("+json") || essence == "*/*"
}

fn essence(media: &str) -> String {
    let essence = media.split(';').next().unwrap_or_default();
    essence.trim().to_ascii_lowercase()
}

fn is_clean(media: &str) -> bool {
    media.contains('/')
        && media.len() <= 120
        && media
            .bytes()
            .all(|byte| (b' '..=b'~').contains(&byte) && byte != b',')
}
