//! The profile `flat`: a schema without references, lists of types and compositions, for hosts that drop tools which
//! have them. It may allow more than it should; arguments are judged by the full schema.

use serde_json::{Map, Value, json};

use super::inline::name_of;

/// Deepest nesting.
const DEPTH: usize = 8;
/// Schemas that one flat schema is made of.
const MOST: usize = 600;

/// Flattens a schema that has its `$defs` at its root. Tells whether anything was cut off.
pub(super) fn flatten(schema: &Map<String, Value>) -> (Map<String, Value>, bool) {
    made(schema, Keeps::Plain)
}

/// The same to compare two schemas by: with `nullable` where null is allowed, and with the schema of other members.
pub(super) fn comparable(schema: &Map<String, Value>) -> Map<String, Value> {
    made(schema, Keeps::More).0
}

/// What a flat schema says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keeps {
    /// What hosts take.
    Plain,
    /// What is lost on them as well.
    More,
}

fn made(schema: &Map<String, Value>, keeps: Keeps) -> (Map<String, Value>, bool) {
    let empty = Map::new();
    let defs = schema.get("$defs").and_then(Value::as_object).unwrap_or(&empty);
    let mut flat = Flat {
        defs,
        left: MOST,
        open: Vec::new(),
        is_cut: false,
        keeps,
    };
    let made = flat.object(schema, DEPTH);
    (made, flat.is_cut)
}

/// Flattens the schema of a result. Of members nothing is said but what they mean: an API that sends null where its
/// description has a text would otherwise break its own promise, and a list of types is what this profile must not have.
pub(super) fn result(schema: &Map<String, Value>) -> Map<String, Value> {
    let (mut made, _) = flatten(schema);
    for value in made.values_mut() {
        loosen(value);
    }
    made
}

fn loosen(value: &mut Value) {
    match value {
        Value::Object(object) => {
            if object.get("type").is_some_and(Value::is_string) {
                object.remove("type");
            }
            object.values_mut().for_each(loosen);
        }
        Value::Array(items) => items.iter_mut().for_each(loosen),
        _ => {}
    }
}

struct Flat<'a> {
    defs: &'a Map<String, Value>,
    left: usize,
    open: Vec<&'a str>,
    is_cut: bool,
    keeps: Keeps,
}

impl<'a> Flat<'a> {
    fn value(&mut self, schema: &'a Value, depth: usize) -> Map<String, Value> {
        let Some(left) = self.left.checked_sub(1).filter(|_| depth > 0) else {
            self.is_cut = true;
            return described("Anything: what is allowed here is told in the long description.");
        };
        self.left = left;
        let Some(name) = name_of(schema) else {
            return schema
                .as_object()
                .map(|object| self.object(object, depth))
                .unwrap_or_default();
        };
        if self.open.contains(&name) {
            self.is_cut = true;
            return described(&format!("Another {name}, built like the one that it is in."));
        }
        let Some((name, target)) = self.defs.get_key_value(name) else {
            return Map::new();
        };
        self.open.push(name);
        let mut made = self.value(target, depth);
        self.open.pop();
        let beside = schema.as_object().filter(|object| {
            let is_more = |word: &String| !matches!(word.as_str(), "$ref" | "description");
            object.keys().any(is_more)
        });
        if let Some(beside) = beside {
            let mut own = self.object(beside, depth);
            merge(&mut own, made, Requires::Kept);
            made = own;
        }
        if let Some(text) = schema.get("description") {
            made.insert("description".to_owned(), text.clone());
        }
        made
    }

    fn object(&mut self, object: &'a Map<String, Value>, depth: usize) -> Map<String, Value> {
        let mut made = Map::new();
        if self.keeps == Keeps::More && allows_null(object) {
            made.insert("nullable".to_owned(), json!(true));
        }
        self.choices(object, &mut made, depth);
        if let Some(word) = one_type(object.get("type")) {
            made.insert("type".to_owned(), json!(word));
        }
        const PLAIN: &[&str] = &[
            "description",
            "format",
            "pattern",
            "minimum",
            "maximum",
            "exclusiveMinimum",
            "exclusiveMaximum",
            "multipleOf",
            "minLength",
            "maxLength",
            "minItems",
            "maxItems",
            "uniqueItems",
            "default",
            "examples",
            "deprecated",
            "contentEncoding",
            "contentMediaType",
        ];
        for word in PLAIN {
            if let Some(value) = object.get(*word) {
                made.insert((*word).to_owned(), value.clone());
            }
        }
        let values = object.get("enum").and_then(Value::as_array);
        let values: Vec<&Value> = values
            .into_iter()
            .flatten()
            .filter(|value| !value.is_null())
            .collect();
        if !values.is_empty() {
            made.insert("enum".to_owned(), json!(values));
        }
        if let Some(value) = object.get("const") {
            made.insert("enum".to_owned(), json!([value]));
        }
        self.members(object, &mut made, depth);
        if let Some(items) = object.get("items") {
            let items = self.value(items, depth - 1);
            made.insert("items".to_owned(), Value::Object(items));
        } else if object.contains_key("prefixItems") || made.get("type") == Some(&json!("array")) {
            made.entry("items").or_insert_with(|| json!({}));
        }
        made
    }

    fn members(&mut self, object: &'a Map<String, Value>, made: &mut Map<String, Value>, depth: usize) {
        if let Some(properties) = object.get("properties").and_then(Value::as_object) {
            let mut kept = match made.remove("properties") {
                Some(Value::Object(kept)) => kept,
                _ => Map::new(),
            };
            for (name, schema) in properties {
                kept.insert(name.clone(), Value::Object(self.value(schema, depth - 1)));
            }
            made.insert("properties".to_owned(), Value::Object(kept));
        }
        let required = object.get("required").and_then(Value::as_array);
        for name in required.into_iter().flatten() {
            require(made, name);
        }
        match object.get("additionalProperties") {
            Some(allowed @ Value::Bool(_)) => {
                made.insert("additionalProperties".to_owned(), allowed.clone());
            }
            Some(others) if self.keeps == Keeps::More => {
                let others = self.value(others, depth - 1);
                made.insert("additionalProperties".to_owned(), Value::Object(others));
            }
            _ => {}
        }
    }

    /// What all of several schemas, or any of them, would say.
    fn choices(&mut self, object: &'a Map<String, Value>, made: &mut Map<String, Value>, depth: usize) {
        for part in object
            .get("allOf")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let part = self.value(part, depth - 1);
            merge(made, part, Requires::Kept);
        }
        for word in ["anyOf", "oneOf"] {
            let Some(list) = object.get(word).and_then(Value::as_array) else {
                continue;
            };
            let is_null = |schema: &&Value| schema.get("type") == Some(&json!("null"));
            let real: Vec<&Value> = list.iter().filter(|schema| !is_null(schema)).collect();
            let mut parts: Vec<Map<String, Value>> = real
                .into_iter()
                .map(|schema| self.value(schema, depth - 1))
                .collect();
            if parts.len() == 1 {
                let part = parts.pop().unwrap_or_default();
                merge(made, part, Requires::Kept);
                continue;
            }
            let first = parts.first().and_then(|part| part.get("type")).cloned();
            let is_alike = first.is_some() && parts.iter().all(|part| part.get("type") == first.as_ref());
            if is_alike {
                unite(made, parts);
            } else {
                // Nothing is said of the type, so that each of them is allowed.
                made.entry("description")
                    .or_insert_with(|| json!("One of several kinds of value."));
            }
        }
    }
}

/// Whether what a schema requires is required by what it is merged into.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Requires {
    Kept,
    Dropped,
}

fn merge(made: &mut Map<String, Value>, part: Map<String, Value>, requires: Requires) {
    for (word, value) in part {
        match (word.as_str(), value) {
            ("properties", Value::Object(properties)) => {
                let kept = made.entry("properties").or_insert_with(|| json!({}));
                if let Value::Object(kept) = kept {
                    for (name, schema) in properties {
                        kept.entry(name).or_insert(schema);
                    }
                }
            }
            ("required", Value::Array(names)) => {
                for name in names.iter().filter(|_| requires == Requires::Kept) {
                    require(made, name);
                }
            }
            // Each part would forbid the members of the others.
            ("additionalProperties", _) => {}
            (word, value) => {
                made.entry(word).or_insert(value);
            }
        }
    }
}

/// Alternatives of one type: every member of any of them, every value of any of them.
fn unite(made: &mut Map<String, Value>, parts: Vec<Map<String, Value>>) {
    let all_listed = parts.iter().all(|part| part.contains_key("enum"));
    let mut values: Vec<Value> = Vec::new();
    for mut part in parts {
        if let Some(Value::Array(listed)) = part.remove("enum") {
            for value in listed {
                if !values.contains(&value) {
                    values.push(value);
                }
            }
        }
        let kind = part.get("type").cloned();
        part.retain(|word, _| matches!(word.as_str(), "properties" | "items"));
        merge(made, part, Requires::Dropped);
        if let Some(kind) = kind {
            made.insert("type".to_owned(), kind);
        }
    }
    if all_listed {
        made.insert("enum".to_owned(), Value::Array(values));
    }
}

/// Whether a schema says itself that null is allowed.
fn allows_null(object: &Map<String, Value>) -> bool {
    let is_null = |schema: &Value| schema.get("type") == Some(&json!("null"));
    let list = |word: &str| object.get(word).and_then(Value::as_array).into_iter().flatten();
    list("type").any(|word| word == "null")
        || list("anyOf").chain(list("oneOf")).any(is_null)
        || list("enum").any(Value::is_null)
}

fn require(made: &mut Map<String, Value>, name: &Value) {
    if let Value::Array(required) = made.entry("required").or_insert_with(|| json!([]))
        && !required.contains(name)
    {
        required.push(name.clone());
    }
}

/// The one type beside null.
fn one_type(types: Option<&Value>) -> Option<&str> {
    match types? {
        Value::String(word) => Some(word),
        Value::Array(words) => {
            let mut real = words
                .iter()
                .filter_map(Value::as_str)
                .filter(|word| *word != "null");
            let first = real.next();
            first.filter(|_| real.next().is_none())
        }
        _ => None,
    }
}

fn described(text: &str) -> Map<String, Value> {
    Map::from_iter([("description".to_owned(), json!(text))])
}
