//! The members of an object that may stand beside other arguments: only of an object that is nothing but its members.

use serde_json::Value;

use super::refs::{Root, reference};

/// Most schemas that one object is composed of.
const MOST_PARTS: usize = 64;

/// The members of an object.
#[derive(Debug, Default)]
pub(super) struct Members<'a> {
    pub(super) properties: Vec<(&'a str, &'a Value)>,
    pub(super) required: Vec<&'a str>,
    pub(super) additional: Option<&'a Value>,
}

/// The members of a schema, those of all parts of an `allOf` together; `None` when it says more than that.
pub(super) fn members<'a>(root: Root<'a>, schema: &'a Value) -> Option<Members<'a>> {
    const MORE: &[&str] = &[
        "anyOf",
        "oneOf",
        "not",
        "if",
        "patternProperties",
        "propertyNames",
        "minProperties",
        "maxProperties",
        "dependentRequired",
        "dependentSchemas",
        "enum",
        "const",
    ];
    let mut members = Members::default();
    let mut open = vec![schema];
    let mut parts = 0;
    while let Some(schema) = open.pop() {
        parts += 1;
        let object = match schema.as_object().filter(|own| root.has_siblings(own)) {
            Some(own) => {
                // What stands beside a reference is a part like the one that it leads to.
                open.push(root.target(reference(schema)?)?);
                own
            }
            None => root.resolve(schema).ok()?.as_object()?,
        };
        let is_nullable = ["nullable", "x-nullable"]
            .iter()
            .any(|word| object.get(*word) == Some(&Value::Bool(true)));
        let is_object = match object.get("type") {
            None => true,
            Some(word) => word == "object",
        };
        if parts > MOST_PARTS
            || is_nullable
            || !is_object
            || MORE.iter().any(|word| object.contains_key(*word))
        {
            return None;
        }
        for (name, property) in object
            .get("properties")
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            match members.properties.iter_mut().find(|(known, _)| *known == name) {
                // Two parts say something of it; one list of arguments could hold only one of them.
                Some((_, known)) if *known != property => return None,
                Some(_) => {}
                None => members.properties.push((name, property)),
            }
        }
        let required = object
            .get("required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        members.required.extend(required.filter_map(Value::as_str));
        match object.get("additionalProperties") {
            Some(Value::Bool(false)) if parts > 1 || object.contains_key("allOf") => return None,
            Some(additional) => members.additional = Some(additional),
            None => {}
        }
        let all = object
            .get("allOf")
            .and_then(Value::as_array)
            .into_iter()
            .flatten();
        open.extend(all.rev());
    }
    // What is required and not described would be lost.
    let is_known = |name: &&str| members.properties.iter().any(|(known, _)| known == name);
    let is_whole = members.required.iter().all(is_known);
    (is_whole && !members.properties.is_empty()).then_some(members)
}
