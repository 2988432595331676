//! The keywords of one schema, each as 2020-12 has it.

use std::collections::BTreeSet;

use portreeve_inspect::ValueSchema;
use serde_json::{Map, Value, json};

use super::{Direction, Schemas, Stands};
use crate::import::openapi::refs::reference;

/// Longest description inside a schema, in characters; the first sentences say what matters.
const LONGEST_DESCRIPTION: usize = 400;
/// Most values of one enumeration that are told.
pub(super) const MOST_VALUES: usize = 500;
/// Bytes of one default or example.
const LONGEST_SAMPLE: usize = 300;

/// Puts a description, shortened, unless there is nothing to say.
pub(in crate::import::openapi) fn describe(object: &mut Map<String, Value>, text: &str) {
    let text = crate::import::openapi::words::shortened(text, LONGEST_DESCRIPTION);
    if !text.is_empty() {
        object.insert("description".to_owned(), Value::String(text));
    }
}

impl Schemas<'_> {
    pub(super) fn keywords(
        &mut self,
        object: &Map<String, Value>,
        pointer: &str,
        depth: usize,
    ) -> Map<String, Value> {
        let mut made = Map::new();
        self.types(object, &mut made, pointer);
        if let Some(text) = object.get("description").and_then(Value::as_str) {
            describe(&mut made, text);
        }
        if made.get("description").is_none()
            && let Some(title) = object.get("title").and_then(Value::as_str)
        {
            describe(&mut made, title);
        }
        self.values(object, &mut made);
        if self.direction == Direction::Input {
            self.numbers(object, &mut made);
            self.texts(object, &mut made, pointer);
        }
        self.members(object, &mut made, pointer, depth);
        self.elements(object, &mut made, pointer, depth);
        self.choices(object, &mut made, pointer, depth);
        nullable(object, &mut made);
        made
    }

    /// `type` and `format`, and what people write for them.
    fn types(&mut self, object: &Map<String, Value>, made: &mut Map<String, Value>, pointer: &str) {
        let format = object.get("format").and_then(Value::as_str);
        let words: Vec<&str> = match object.get("type") {
            Some(Value::String(word)) => vec![word.as_str()],
            Some(Value::Array(words)) => words.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let mut types: Vec<&'static str> = Vec::new();
        let mut is_binary = format == Some("binary");
        for word in &words {
            match known(word) {
                Some(known) if types.contains(&known) => {}
                Some(known) => types.push(known),
                None => self.remark(pointer, &format!("`{}` is no type, it is left out", cut(word))),
            }
            is_binary |= *word == "file";
        }
        if types.is_empty() && words.is_empty() {
            if object.contains_key("properties") {
                types.push("object");
            } else if object.contains_key("items") && object.get("items").is_some_and(Value::is_object) {
                types.push("array");
            }
        }
        if self.direction == Direction::Output && !types.is_empty() && !types.contains(&"null") {
            // The most common lie of descriptions is that a member is never null.
            types.push("null");
        }
        match types.as_slice() {
            [] => {}
            [one] => drop(made.insert("type".to_owned(), json!(one))),
            several => drop(made.insert("type".to_owned(), json!(several))),
        }
        if is_binary {
            made.insert("contentEncoding".to_owned(), json!("base64"));
        } else if let Some(format) = format.filter(|_| self.direction == Direction::Input) {
            made.insert("format".to_owned(), json!(cut(format)));
        }
    }

    /// `enum`, `const`, `default`, an example.
    fn values(&mut self, object: &Map<String, Value>, made: &mut Map<String, Value>) {
        if self.direction == Direction::Output {
            return;
        }
        if let Some(values) = object.get("enum").and_then(Value::as_array) {
            let mut values: Vec<Value> = distinct(values);
            if is_nullable(object) && !values.contains(&Value::Null) {
                values.push(Value::Null);
            }
            if !values.is_empty() && values.len() <= MOST_VALUES {
                made.insert("enum".to_owned(), Value::Array(values));
            }
        }
        if let Some(value) = object.get("const") {
            made.insert("const".to_owned(), value.clone());
        }
        if let Some(value) = object.get("default").filter(|value| is_small(value)) {
            made.insert("default".to_owned(), value.clone());
        }
        let listed = object.get("examples").and_then(Value::as_array);
        let example = listed
            .and_then(|list| list.first())
            .or_else(|| object.get("example"));
        let is_plain = |value: &&Value| !value.is_object() && !value.is_null() && is_small(value);
        if let Some(example) = example.filter(is_plain) {
            made.insert("examples".to_owned(), json!([example]));
        }
        if object.get("deprecated") == Some(&Value::Bool(true)) {
            made.insert("deprecated".to_owned(), json!(true));
        }
    }

    fn numbers(&mut self, object: &Map<String, Value>, made: &mut Map<String, Value>) {
        let number = |word: &str| object.get(word).filter(|value| value.is_number()).cloned();
        for (limit, exclusive) in [("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")] {
            // Up to 3.0 `exclusiveMinimum` says of `minimum` whether it is meant itself.
            let is_exclusive = object.get(exclusive) == Some(&Value::Bool(true));
            if let Some(value) = number(limit) {
                let word = if is_exclusive { exclusive } else { limit };
                made.insert(word.to_owned(), value);
            }
            if let Some(value) = number(exclusive) {
                made.insert(exclusive.to_owned(), value);
            }
        }
        let positive = |value: &Value| value.as_f64().is_some_and(|number| number > 0.0);
        if let Some(value) = number("multipleOf").filter(positive) {
            made.insert("multipleOf".to_owned(), value);
        }
    }

    fn texts(&mut self, object: &Map<String, Value>, made: &mut Map<String, Value>, pointer: &str) {
        counts(object, made, &["minLength", "maxLength"]);
        if let Some(pattern) = object.get("pattern").and_then(Value::as_str) {
            if self.takes(pattern) {
                made.insert("pattern".to_owned(), json!(pattern));
            } else {
                self.remark(
                    pointer,
                    "its pattern is one that this program does not check, it is left out",
                );
            }
        }
        for word in ["contentEncoding", "contentMediaType"] {
            if let Some(text) = object.get(word).and_then(Value::as_str) {
                made.insert(word.to_owned(), json!(cut(text)));
            }
        }
    }

    /// Whether the validator takes a pattern.
    pub(super) fn takes(&self, pattern: &str) -> bool {
        if pattern.len() > 1_000 {
            return false;
        }
        if let Some(known) = self.findings.borrow().patterns.get(pattern) {
            return *known;
        }
        let takes = ValueSchema::compile(&json!({"pattern": pattern})).is_ok();
        let mut findings = self.findings.borrow_mut();
        findings.patterns.insert(pattern.to_owned(), takes);
        takes
    }

    fn members(
        &mut self,
        object: &Map<String, Value>,
        made: &mut Map<String, Value>,
        pointer: &str,
        depth: usize,
    ) {
        let mut gone = BTreeSet::new();
        if let Some(properties) = object.get("properties").and_then(Value::as_object) {
            let mut kept = Map::new();
            for (name, property) in properties {
                if self.is_one_sided(property) {
                    gone.insert(name.as_str());
                    continue;
                }
                let place = format!("{pointer}/properties/{}", super::super::refs::escaped(name));
                kept.insert(name.clone(), self.at(property, &place, depth - 1));
            }
            made.insert("properties".to_owned(), Value::Object(kept));
        }
        match object.get("additionalProperties") {
            Some(Value::Bool(false)) if self.direction == Direction::Output => {}
            Some(Value::Bool(allowed)) => {
                made.insert("additionalProperties".to_owned(), json!(allowed));
            }
            Some(schema @ Value::Object(_)) => {
                let schema = self.at(schema, &format!("{pointer}/additionalProperties"), depth - 1);
                made.insert("additionalProperties".to_owned(), schema);
            }
            _ => {}
        }
        if self.direction == Direction::Output {
            return;
        }
        if let Some(required) = object.get("required").and_then(Value::as_array) {
            let names: Vec<Value> = distinct(required)
                .into_iter()
                .filter(|name| name.as_str().is_some_and(|name| !gone.contains(name)))
                .collect();
            if !names.is_empty() {
                made.insert("required".to_owned(), Value::Array(names));
            }
        }
        counts(object, made, &["minProperties", "maxProperties"]);
        if let Some(patterns) = object.get("patternProperties").and_then(Value::as_object) {
            let mut kept = Map::new();
            for (pattern, schema) in patterns {
                if self.takes(pattern) {
                    let place = format!("{pointer}/patternProperties");
                    kept.insert(pattern.clone(), self.at(schema, &place, depth - 1));
                }
            }
            if kept.len() == patterns.len() {
                made.insert("patternProperties".to_owned(), Value::Object(kept));
            } else {
                // Without all of them nothing may be said of the members that none matches.
                made.remove("additionalProperties");
                self.remark(
                    pointer,
                    "its patternProperties are left out: this program does not check one of them",
                );
            }
        }
        if let Some(names) = object.get("propertyNames") {
            let schema = self.at(names, &format!("{pointer}/propertyNames"), depth - 1);
            made.insert("propertyNames".to_owned(), schema);
        }
    }

    /// A property that only the other side writes.
    pub(super) fn is_one_sided(&self, property: &Value) -> bool {
        let word = match self.direction {
            Direction::Input => "readOnly",
            Direction::Output => "writeOnly",
        };
        let says = |value: &Value| value.get(word) == Some(&Value::Bool(true));
        says(property) || self.root.resolve(property).is_ok_and(says)
    }

    fn elements(
        &mut self,
        object: &Map<String, Value>,
        made: &mut Map<String, Value>,
        pointer: &str,
        depth: usize,
    ) {
        let place = format!("{pointer}/items");
        match object.get("items") {
            Some(Value::Array(tuple)) => {
                let items = tuple.iter().map(|schema| self.at(schema, &place, depth - 1));
                let items: Vec<Value> = items.collect();
                if !items.is_empty() {
                    made.insert("prefixItems".to_owned(), Value::Array(items));
                }
            }
            Some(schema) => {
                made.insert("items".to_owned(), self.at(schema, &place, depth - 1));
            }
            None => {}
        }
        if let Some(Value::Array(tuple)) = object.get("prefixItems").filter(|tuple| tuple != &&json!([])) {
            let items: Vec<Value> = tuple
                .iter()
                .map(|schema| self.at(schema, &place, depth - 1))
                .collect();
            made.insert("prefixItems".to_owned(), Value::Array(items));
        }
        if self.direction == Direction::Input {
            counts(object, made, &["minItems", "maxItems"]);
            if object.get("uniqueItems") == Some(&Value::Bool(true)) {
                made.insert("uniqueItems".to_owned(), json!(true));
            }
            if let Some(schema) = object.get("contains") {
                let schema = self.at(schema, &format!("{pointer}/contains"), depth - 1);
                made.insert("contains".to_owned(), schema);
            }
        }
    }

    fn choices(
        &mut self,
        object: &Map<String, Value>,
        made: &mut Map<String, Value>,
        pointer: &str,
        depth: usize,
    ) {
        for word in ["allOf", "anyOf", "oneOf"] {
            let Some(list) = object
                .get(word)
                .and_then(Value::as_array)
                .filter(|list| !list.is_empty())
            else {
                continue;
            };
            let mut schemas = Vec::new();
            for (index, schema) in list.iter().enumerate() {
                let place = format!("{pointer}/{word}/{index}");
                let made = match (word, reference(schema), schema.as_object()) {
                    ("allOf", Some(target), Some(part)) => {
                        self.refer((part, target), Stands::ForItself, &place, depth - 1)
                    }
                    _ => self.at(schema, &place, depth - 1),
                };
                schemas.push(made);
            }
            // Alternatives that allow more than they should overlap, so exactly one of them cannot be asked for.
            let overlaps = || {
                self.direction == Direction::Output
                    || object.contains_key("discriminator")
                    || list.iter().any(|schema| self.is_loosened(schema))
            };
            if word == "oneOf" && overlaps() {
                alternatives(made, schemas);
            } else {
                made.insert(word.to_owned(), Value::Array(schemas));
            }
        }
        if self.direction == Direction::Input {
            self.conditions(object, made, pointer, depth);
        }
    }

    /// What a value must not be, and what holds of it under a condition.
    fn conditions(
        &mut self,
        object: &Map<String, Value>,
        made: &mut Map<String, Value>,
        pointer: &str,
        depth: usize,
    ) {
        let unsure: Vec<&str> = ["not", "if"]
            .into_iter()
            .filter(|word| object.get(*word).is_some_and(|schema| self.is_loosened(schema)))
            .collect();
        for word in ["not", "if", "then", "else"] {
            let decides = if word == "not" { "not" } else { "if" };
            if unsure.contains(&decides) && object.contains_key(word) {
                // What allows more than it should forbids more where it decides.
                self.remark(
                    pointer,
                    &format!("`{word}` is left out: this program does not check all of it"),
                );
                continue;
            }
            if let Some(schema) = object
                .get(word)
                .filter(|schema| schema.is_object() || schema.is_boolean())
            {
                let schema = self.at(schema, &format!("{pointer}/{word}"), depth - 1);
                made.insert(word.to_owned(), schema);
            }
        }
        if let Some(Value::Object(lists)) = object.get("dependentRequired") {
            let lists: Map<String, Value> = lists
                .iter()
                .filter_map(|(name, list)| Some((name.clone(), json!(distinct(list.as_array()?)))))
                .filter(|(_, list)| {
                    list.as_array()
                        .is_some_and(|list| list.iter().all(Value::is_string))
                })
                .collect();
            made.insert("dependentRequired".to_owned(), Value::Object(lists));
        }
    }
}

/// Any of several schemas, beside those of an `anyOf` that is there already.
fn alternatives(made: &mut Map<String, Value>, schemas: Vec<Value>) {
    if !made.contains_key("anyOf") {
        made.insert("anyOf".to_owned(), Value::Array(schemas));
        return;
    }
    let whole = made.entry("allOf").or_insert_with(|| json!([]));
    if let Value::Array(parts) = whole {
        parts.push(json!({"anyOf": schemas}));
    }
}

pub(super) fn known(word: &str) -> Option<&'static str> {
    Some(match word.to_ascii_lowercase().as_str() {
        "string" | "file" | "date" | "datetime" | "date-time" | "uuid" => "string",
        "number" | "float" | "double" | "decimal" => "number",
        "integer" | "int" | "int32" | "int64" | "long" => "integer",
        "boolean" | "bool" => "boolean",
        "array" | "list" => "array",
        "object" | "map" => "object",
        "null" => "null",
        _ => return None,
    })
}

fn is_nullable(object: &Map<String, Value>) -> bool {
    ["nullable", "x-nullable"]
        .iter()
        .any(|word| object.get(*word) == Some(&Value::Bool(true)))
}

/// Up to 3.0 null is allowed by a keyword of its own.
fn nullable(object: &Map<String, Value>, made: &mut Map<String, Value>) {
    if !is_nullable(object) {
        return;
    }
    match made.get("type").cloned() {
        Some(Value::String(word)) if word != "null" => {
            made.insert("type".to_owned(), json!([word, "null"]));
        }
        None if made.contains_key("allOf") || made.contains_key("anyOf") || made.contains_key("oneOf") => {
            let inner = std::mem::take(made);
            made.insert("anyOf".to_owned(), json!([inner, {"type": "null"}]));
        }
        _ => {}
    }
}

/// Counts must be whole and not negative.
fn counts(object: &Map<String, Value>, made: &mut Map<String, Value>, words: &[&str]) {
    for word in words {
        if let Some(count) = object.get(*word).and_then(Value::as_u64) {
            made.insert((*word).to_owned(), json!(count));
        }
    }
}

pub(super) fn distinct(values: &[Value]) -> Vec<Value> {
    let mut seen = BTreeSet::new();
    values
        .iter()
        .filter(|value| seen.insert(value.to_string()))
        .cloned()
        .collect()
}

fn is_small(value: &Value) -> bool {
    value.to_string().len() <= LONGEST_SAMPLE
}

fn cut(text: &str) -> String {
    text.chars().take(80).collect()
}
