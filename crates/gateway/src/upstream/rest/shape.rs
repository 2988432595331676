//! What is kept of an answer: chosen fields, so many elements, so many bytes. What was left out is told, with how to get it.

use portreeve_core::rest::{Binding, Shape, Source};
use serde_json::{Map, Value};

/// An answer after shaping.
pub(super) struct Shaped {
    pub(super) value: Value,
    /// What was left out; nothing when all is there.
    pub(super) note: Option<String>,
}

/// Shapes an answer. The limit in bytes is that of the shape, or the one of the node.
pub(super) fn shape(mut value: Value, binding: &Binding, most_bytes: usize) -> Shaped {
    let shape = &binding.shape;
    if !shape.pick.is_empty() {
        let paths: Vec<Vec<String>> = shape.pick.iter().map(|pointer| tokens(pointer)).collect();
        let paths: Vec<&[String]> = paths.iter().map(Vec::as_slice).collect();
        value = picked(&value, &paths).unwrap_or(Value::Null);
    }
    let pointer = items_of(shape);
    let mut note = None;
    if let Some(Value::Array(list)) = value.pointer_mut(pointer) {
        let all = list.len();
        let most = shape
            .most_items
            .map_or(all, |most| usize::try_from(most).unwrap_or(all));
        list.truncate(most);
        if list.len() < all {
            note = Some(left_out(list.len(), all, binding));
        }
    }
    let length = value.to_string().len();
    if length > most_bytes
        && let Some(Value::Array(list)) = value.pointer_mut(pointer)
    {
        let all = list.len();
        let mut over = length - most_bytes;
        while let Some(last) = list.pop() {
            over = over.saturating_sub(last.to_string().len() + 1);
            if over == 0 {
                break;
            }
        }
        note = Some(left_out(list.len(), all, binding));
    }
    Shaped { value, note }
}

/// Where the list is that is cut.
fn items_of(shape: &Shape) -> &str {
    shape.items.as_deref().unwrap_or_default()
}

fn left_out(shown: usize, all: usize, binding: &Binding) -> String {
    let turns = [
        "page",
        "offset",
        "cursor",
        "after",
        "before",
        "start",
        "skip",
        "limit",
        "per_page",
        "pageToken",
        "page_token",
        "pageSize",
        "page_size",
        "size",
        "$skip",
        "$top",
        "filter",
        "query",
        "q",
    ];
    let arguments: Vec<String> = binding
        .parameters
        .iter()
        .filter_map(|parameter| match &parameter.source {
            Source::Argument(name) if turns.contains(&parameter.name.as_str()) => Some(format!("`{name}`")),
            _ => None,
        })
        .collect();
    if arguments.is_empty() {
        format!("{shown} of {all} elements are shown; the rest was left out.")
    } else {
        format!(
            "{shown} of {all} elements are shown; ask for the rest with {}.",
            arguments.join(", ")
        )
    }
}

/// The tokens of a JSON pointer (RFC 6901).
fn tokens(pointer: &str) -> Vec<String> {
    pointer
        .split('/')
        .skip(1)
        .map(|token| token.replace("~1", "/").replace("~0", "~"))
        .collect()
}

/// What the paths name; containers on the way are kept with nothing else in them.
fn picked(value: &Value, paths: &[&[String]]) -> Option<Value> {
    if paths.iter().any(|path| path.is_empty()) {
        return Some(value.clone());
    }
    let below = |name: &str| -> Vec<&[String]> {
        paths
            .iter()
            .filter_map(|path| path.split_first())
            .filter(|(first, _)| *first == "*" || *first == name)
            .map(|(_, rest)| rest)
            .collect()
    };
    match value {
        Value::Object(members) => {
            let mut kept = Map::new();
            for (name, member) in members {
                let paths = below(name);
                if let Some(member) = Some(paths)
                    .filter(|paths| !paths.is_empty())
                    .and_then(|paths| picked(member, &paths))
                {
                    kept.insert(name.clone(), member);
                }
            }
            Some(Value::Object(kept))
        }
        Value::Array(elements) => {
            let kept = elements.iter().enumerate().filter_map(|(at, element)| {
                let paths = below(&at.to_string());
                (!paths.is_empty()).then(|| picked(element, &paths)).flatten()
            });
            Some(Value::Array(kept.collect()))
        }
        _ => None,
    }
}
