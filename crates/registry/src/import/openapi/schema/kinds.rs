//! Kinds of a thing: a schema with a discriminator that others are built upon by `allOf`. Where a value of the base is
//! asked for, one of any kind may be given, so the kinds are offered beside the base.

use std::collections::{BTreeMap, HashMap};

use serde_json::{Map, Value, json};

use super::{Direction, Schemas};
use crate::import::openapi::refs::{Root, escaped, reference};

/// By the reference to a base, those to what is built upon it.
pub(super) type Kinds = HashMap<String, Vec<String>>;

/// Most kinds that are offered; a base with more of them stands for itself, open to what they add.
const MOST: usize = 24;

impl Schemas<'_> {
    /// Whether a schema is a reference to a base of kinds: what it says of its members is not all that there may be.
    pub(in crate::import::openapi) fn is_base(&self, schema: &Value) -> bool {
        self.direction == Direction::Input
            && reference(schema)
                .is_some_and(|target| self.is_discriminated(target) && !self.built_upon(target).is_empty())
    }

    /// The name in `$defs` of any kind of what a reference leads to; `None` where it has none, or too many.
    pub(super) fn any_kind(&mut self, target: &str) -> Option<String> {
        if self.direction == Direction::Output || !self.is_discriminated(target) {
            return None;
        }
        let key = format!("{target} of any kind");
        if let Some(name) = self.names.get(&key) {
            return Some(name.clone());
        }
        let kinds = self.all_kinds(target)?;
        let name = self.new_name(&format!("{target}_of_any_kind"));
        self.names.insert(key, name.clone());
        let said = self.said(target);
        let mut alternatives = Vec::new();
        for kind in kinds.iter().map(String::as_str).chain([target]) {
            let Some(def) = self.named(kind) else { continue };
            let mut one = Map::from_iter([("$ref".to_owned(), json!(format!("#/$defs/{def}")))]);
            // The base stands last for whatever the document forgot.
            let values = said.as_ref().filter(|_| kind != target);
            if let Some((property, values)) =
                values.and_then(|(property, all)| Some((property, all.get(kind)?)))
            {
                one.insert("properties".to_owned(), json!({property: {"enum": values}}));
            }
            alternatives.push(Value::Object(one));
        }
        self.defs.insert(name.clone(), json!({"anyOf": alternatives}));
        Some(name)
    }

    fn is_discriminated(&self, target: &str) -> bool {
        let found = self.root.target(target).and_then(Value::as_object);
        found.is_some_and(|base| {
            base.contains_key("discriminator") && !base.contains_key("oneOf") && !base.contains_key("anyOf")
        })
    }

    /// What is built upon a schema directly.
    fn built_upon(&self, target: &str) -> Vec<String> {
        let mut findings = self.findings.borrow_mut();
        let kinds = findings.kinds.get_or_insert_with(|| built(self.root));
        kinds.get(target).cloned().unwrap_or_default()
    }

    /// What is built upon a schema, and upon that; `None` when it is nothing or too much.
    fn all_kinds(&self, target: &str) -> Option<Vec<String>> {
        let mut all = self.built_upon(target);
        let mut at = 0;
        while let Some(kind) = all.get(at).cloned() {
            at += 1;
            let more = self.built_upon(&kind);
            let new: Vec<String> = more
                .into_iter()
                .filter(|one| one != target && !all.contains(one))
                .collect();
            all.extend(new);
            if all.len() > MOST {
                return None;
            }
        }
        (!all.is_empty()).then_some(all)
    }

    /// The property that tells kinds apart, and which of its values the document says of which of them.
    fn said(&self, target: &str) -> Option<(String, BTreeMap<String, Vec<String>>)> {
        let discriminator = self.root.target(target)?.get("discriminator")?;
        let property = discriminator
            .get("propertyName")
            .unwrap_or(discriminator)
            .as_str()?;
        let mapping = discriminator.get("mapping").and_then(Value::as_object);
        let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (value, kind) in mapping.into_iter().flatten() {
            let Some(kind) = kind.as_str() else { continue };
            // A name stands for the schema of that name.
            let place = target.rsplit_once('/').map_or("", |(place, _)| place);
            let kind = match kind.contains(['#', '/']) {
                true => kind.to_owned(),
                false => format!("{place}/{}", escaped(kind)),
            };
            values.entry(kind).or_default().push(value.clone());
        }
        Some((property.to_owned(), values))
    }
}

/// Looks through the schemas that a document names.
fn built(root: Root<'_>) -> Kinds {
    let mut kinds = Kinds::new();
    for (place, prefix) in [
        ("/components/schemas", "#/components/schemas"),
        ("/definitions", "#/definitions"),
    ] {
        let named = root.0.pointer(place).and_then(Value::as_object);
        for (name, schema) in named.into_iter().flatten() {
            let parts = schema.get("allOf").and_then(Value::as_array);
            for base in parts.into_iter().flatten().filter_map(reference) {
                let kind = format!("{prefix}/{}", escaped(name));
                let of_base: &mut Vec<String> = kinds.entry(base.to_owned()).or_default();
                if !of_base.contains(&kind) {
                    of_base.push(kind);
                }
            }
        }
    }
    kinds
}
