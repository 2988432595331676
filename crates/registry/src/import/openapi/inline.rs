//! Puts a schema that is referred to once into the place of its reference: a model reads it where it is meant.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value, json};

const PREFIX: &str = "#/$defs/";

/// Deepest chain of schemas that are put into each other.
const DEPTH: usize = 6;

/// Rewrites a schema that has all its `$defs` at its root.
pub(super) fn once(schema: &mut Map<String, Value>) {
    let Some(Value::Object(mut defs)) = schema.remove("$defs") else {
        return;
    };
    let mut uses: HashMap<String, usize> = HashMap::new();
    for value in schema.values().chain(defs.values()) {
        count(value, &mut uses);
    }
    let recursive = recursive(&defs);
    let single: HashSet<String> = defs
        .keys()
        .filter(|name| uses.get(*name) == Some(&1) && !recursive.contains(*name))
        .cloned()
        .collect();
    let mut whole = Value::Object(std::mem::take(schema));
    put(&mut whole, &mut defs, &single, DEPTH);
    let names: Vec<String> = defs
        .keys()
        .filter(|name| !single.contains(*name))
        .cloned()
        .collect();
    for name in names {
        if let Some(mut def) = defs.get_mut(&name).map(Value::take) {
            put(&mut def, &mut defs, &single, DEPTH);
            defs.insert(name, def);
        }
    }
    let mut used = HashMap::new();
    count(&whole, &mut used);
    for def in defs.values() {
        count(def, &mut used);
    }
    defs.retain(|name, _| used.contains_key(name));
    if let Value::Object(object) = whole {
        *schema = object;
    }
    if !defs.is_empty() {
        schema.insert("$defs".to_owned(), Value::Object(defs));
    }
}

/// The name that a reference is to.
pub(super) fn name_of(value: &Value) -> Option<&str> {
    value.get("$ref").and_then(Value::as_str)?.strip_prefix(PREFIX)
}

fn count(value: &Value, uses: &mut HashMap<String, usize>) {
    let mut open = vec![value];
    while let Some(value) = open.pop() {
        match value {
            Value::Object(object) => {
                if let Some(name) = name_of(value) {
                    *uses.entry(name.to_owned()).or_default() += 1;
                }
                open.extend(object.values());
            }
            Value::Array(items) => open.extend(items),
            _ => {}
        }
    }
}

/// The schemas that lead back to themselves, and those between them: what is left when all that nobody refers to, and all
/// that refer to nobody, are taken away again and again.
fn recursive(defs: &Map<String, Value>) -> HashSet<String> {
    let mut to: HashMap<&str, Vec<&str>> = HashMap::new();
    let mut from: HashMap<&str, Vec<&str>> = HashMap::new();
    for (name, def) in defs {
        let mut uses = HashMap::new();
        count(def, &mut uses);
        for used in uses.into_keys() {
            if let Some((used, _)) = defs.get_key_value(&used) {
                to.entry(name).or_default().push(used);
                from.entry(used).or_default().push(name);
            }
        }
    }
    let mut left: HashSet<&str> = defs.keys().map(String::as_str).collect();
    for (ahead, behind) in [(&to, &from), (&from, &to)] {
        let mut degree: HashMap<&str, usize> = left
            .iter()
            .map(|name| {
                let others = behind.get(name).into_iter().flatten();
                (*name, others.filter(|other| left.contains(*other)).count())
            })
            .collect();
        let mut open: Vec<&str> = left
            .iter()
            .copied()
            .filter(|name| degree.get(name) == Some(&0))
            .collect();
        while let Some(name) = open.pop() {
            left.remove(name);
            for next in ahead.get(name).into_iter().flatten() {
                if let Some(degree) = degree.get_mut(next)
                    && *degree > 0
                {
                    *degree -= 1;
                    if *degree == 0 {
                        open.push(next);
                    }
                }
            }
        }
    }
    left.into_iter().map(str::to_owned).collect()
}

fn put(value: &mut Value, defs: &mut Map<String, Value>, single: &HashSet<String>, depth: usize) {
    if depth > 0
        && let Some(name) = name_of(value)
            .filter(|name| single.contains(*name))
            .map(str::to_owned)
        && let Some(def) = defs.get_mut(&name).map(Value::take)
    {
        let mut beside = value.as_object_mut().map(std::mem::take).unwrap_or_default();
        let says_more = beside
            .keys()
            .any(|word| !matches!(word.as_str(), "$ref" | "description"));
        *value = match def {
            Value::Object(def) if says_more => {
                beside.remove("$ref");
                if let Value::Array(parts) = beside.entry("allOf").or_insert_with(|| json!([])) {
                    parts.push(Value::Object(def));
                }
                Value::Object(beside)
            }
            Value::Object(mut def) => {
                if let Some(description) = beside.get("description") {
                    def.insert("description".to_owned(), description.clone());
                }
                Value::Object(def)
            }
            Value::Null => Value::Object(beside),
            other => other,
        };
        return put(value, defs, single, depth - 1);
    }
    match value {
        Value::Object(object) => {
            for inner in object.values_mut() {
                put(inner, defs, single, depth);
            }
        }
        Value::Array(items) => {
            for inner in items {
                put(inner, defs, single, depth);
            }
        }
        _ => {}
    }
}
