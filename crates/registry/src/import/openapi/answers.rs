//! What an operation answers when it succeeds: the types that are asked for, and the schema of the tool's result.

use portreeve_core::rest::{Answers, Structured};
use serde_json::{Map, Value, json};

use super::refs::{Root, escaped};
use super::schema::Schemas;
use super::shaped::Described;

/// Under which name an answer stands that is no object.
const WRAP: &str = "result";
/// Media types that are asked for.
const MOST_TYPES: usize = 10;

/// The answers of an operation and its `outputSchema`, without the schemas that it refers to.
pub(super) fn of(
    root: Root<'_>,
    answers: &[(String, Described<'_>)],
    schemas: &mut Schemas<'_>,
) -> (Answers, Option<Map<String, Value>>) {
    let mut accept: Vec<String> = Vec::new();
    let mut bodies: Vec<(&Value, String)> = Vec::new();
    for answer in successes(answers) {
        let content = answer.value.get("content").and_then(Value::as_object);
        for (media, described) in content.into_iter().flatten() {
            let Ok(described) = root.resolve(described) else {
                continue;
            };
            if is_clean(media) && !accept.contains(media) && accept.len() < MOST_TYPES {
                accept.push(media.clone());
            }
            if is_json(media) {
                let place = format!("{}/content/{}/schema", answer.pointer, escaped(media));
                let schema = described.get("schema").unwrap_or(&Value::Bool(true));
                if !bodies.iter().any(|(known, _)| *known == schema) {
                    bodies.push((schema, place));
                }
            }
        }
    }
    accept.sort_by_key(|media| !is_json(media));
    let all_json = !accept.is_empty() && accept.iter().any(|media| is_json(media));
    if bodies.is_empty() || !all_json {
        return (
            Answers {
                accept,
                structured: Structured::None,
                graphql: None,
            },
            None,
        );
    }
    let are_objects = bodies.iter().all(|(schema, _)| is_object(root, schema, 8));
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

fn is_object(root: Root<'_>, schema: &Value, depth: usize) -> bool {
    if depth == 0 {
        return false;
    }
    let mut open = vec![schema];
    for _ in 0..64 {
        let Some(schema) = open.pop() else { return true };
        let Ok(found) = root.resolve(schema) else {
            return false;
        };
        let Some(object) = found.as_object() else {
            return false;
        };
        let is_nullable = ["nullable", "x-nullable"]
            .iter()
            .any(|word| object.get(*word) == Some(&Value::Bool(true)));
        if is_nullable {
            return false;
        }
        match object.get("type") {
            Some(word) if word == "object" => continue,
            Some(_) => return false,
            None if object.contains_key("properties") => continue,
            None => {}
        }
        let all = object.get("allOf").and_then(Value::as_array);
        let any = ["anyOf", "oneOf"]
            .iter()
            .find_map(|word| object.get(*word).and_then(Value::as_array));
        match (all, any) {
            // One part that is an object makes the whole one.
            (Some(parts), _)
                if parts
                    .iter()
                    .any(|part| part.get("properties").is_some() || is_object(root, part, depth - 1)) => {}
            (None, Some(parts)) if !parts.is_empty() => open.extend(parts),
            _ => return false,
        }
    }
    false
}

fn is_json(media: &str) -> bool {
    let essence = media
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    essence.ends_with("/json") || essence.ends_with("+json") || essence == "*/*"
}

fn is_clean(media: &str) -> bool {
    media.contains('/')
        && media.len() <= 120
        && media
            .bytes()
            .all(|byte| (b' '..=b'~').contains(&byte) && byte != b',')
}
