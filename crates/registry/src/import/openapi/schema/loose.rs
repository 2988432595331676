//! Whether a schema allows more once it is made here than its document says: a keyword, a pattern or a member is left out,
//! or a reference leads nowhere. That matters where a schema forbids by what it allows: in `oneOf`, `not` and `if`.

use std::collections::HashSet;

use serde_json::{Map, Value};

use super::keywords::{MOST_VALUES, distinct, known};
use super::{DEPTH, Schemas};
use crate::import::openapi::refs::reference;

/// Looks at schemas to find it out. What is larger counts as loosened, which refuses nothing.
const MOST_LOOKS: usize = 3_000;
/// What says something of values and is not taken over.
const LEFT_OUT: &[&str] = &[
    "$dynamicRef",
    "$recursiveRef",
    "additionalItems",
    "dependencies",
    "dependentSchemas",
    "maxContains",
    "minContains",
    "unevaluatedItems",
    "unevaluatedProperties",
];
/// Keywords that hold one schema, or several.
const HOLDS: &[&str] = &[
    "additionalProperties",
    "allOf",
    "anyOf",
    "contains",
    "else",
    "if",
    "items",
    "not",
    "oneOf",
    "prefixItems",
    "propertyNames",
    "then",
];

impl Schemas<'_> {
    /// Whether more is allowed by what is made of a schema, or of anything in it, than by the schema.
    pub(super) fn is_loosened(&self, schema: &Value) -> bool {
        if let Some(strict) = reference(schema).and_then(|target| self.known_strict(target)) {
            return !strict;
        }
        let mut met = HashSet::new();
        let is_loosened = self.finds_loose(schema, &mut met);
        let strict = &mut self.findings.borrow_mut().strict;
        if !is_loosened {
            strict.extend(met.into_iter().map(|target| (target.to_owned(), true)));
        } else if let Some(target) = reference(schema) {
            strict.insert(target.to_owned(), false);
        }
        is_loosened
    }

    fn known_strict(&self, target: &str) -> Option<bool> {
        self.findings.borrow().strict.get(target).copied()
    }

    fn finds_loose<'s>(&'s self, schema: &'s Value, met: &mut HashSet<&'s str>) -> bool {
        let mut open = vec![(schema, DEPTH)];
        let mut looks = MOST_LOOKS;
        while let Some((schema, depth)) = open.pop() {
            if looks == 0 || depth == 0 {
                return true;
            }
            looks -= 1;
            let object = match schema {
                Value::Object(object) => object,
                Value::Bool(_) => continue,
                _ => return true,
            };
            if let Some(target) = reference(schema) {
                match (self.known_strict(target), self.root.target(target)) {
                    (Some(true), _) => {}
                    (None, Some(found)) if met.insert(target) => open.push((found, DEPTH)),
                    (None, Some(_)) => {}
                    (Some(false), _) | (None, None) => return true,
                }
                if !self.root.has_siblings(object) {
                    continue;
                }
            }
            if self.loses(object) {
                return true;
            }
            let mut within: Vec<&Value> = Vec::new();
            for word in HOLDS {
                match object.get(*word) {
                    Some(Value::Array(list)) => within.extend(list),
                    Some(schema @ Value::Object(_)) => within.push(schema),
                    _ => {}
                }
            }
            for word in ["properties", "patternProperties"] {
                let named = object.get(word).and_then(Value::as_object);
                within.extend(named.into_iter().flatten().map(|(_, schema)| schema));
            }
            open.extend(within.into_iter().map(|schema| (schema, depth - 1)));
        }
        false
    }

    /// Whether something of the schema itself is left out.
    fn loses(&self, object: &Map<String, Value>) -> bool {
        let words: Vec<&str> = match object.get("type") {
            Some(Value::String(word)) => vec![word],
            Some(Value::Array(words)) => words.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let patterns = object.get("patternProperties").and_then(Value::as_object);
        let mut patterns = patterns
            .into_iter()
            .flatten()
            .map(|(pattern, _)| pattern.as_str());
        let pattern = object.get("pattern").and_then(Value::as_str);
        let properties = object.get("properties").and_then(Value::as_object);
        let mut properties = properties.into_iter().flatten();
        let values = object.get("enum").and_then(Value::as_array);
        words.iter().any(|word| known(word).is_none())
            || LEFT_OUT.iter().any(|word| object.contains_key(*word))
            || pattern.is_some_and(|pattern| !self.takes(pattern))
            || patterns.any(|pattern| !self.takes(pattern))
            || values.is_some_and(|values| distinct(values).len() > MOST_VALUES)
            || properties.any(|(_, property)| self.is_one_sided(property))
    }
}
