//! What a field takes, as a JSON Schema.

use serde_json::{Map, Value, json};

use super::super::words;
use super::model::{Argument, Form, Schema, TypeRef};

/// Longest description, in characters.
const LONGEST: usize = 300;

/// The schemas of one tool's arguments.
pub(super) struct Inputs<'a> {
    schema: &'a Schema,
    defs: Map<String, Value>,
    /// Inputs that were named and are not described yet.
    open: Vec<&'a str>,
    left: usize,
}

impl<'a> Inputs<'a> {
    pub(super) fn new(schema: &'a Schema, most: usize) -> Self {
        Self {
            schema,
            defs: Map::new(),
            open: Vec::new(),
            left: most,
        }
    }

    /// An argument of a field. What is not required is left out rather than given as null.
    pub(super) fn argument(&mut self, argument: &'a Argument) -> Value {
        let of = match &argument.of {
            TypeRef::Required(inner) => inner,
            other => other,
        };
        let made = self.plain(of);
        described(made, argument)
    }

    /// What the schemas refer to; `None` when that is more than a tool may have.
    pub(super) fn defs(mut self) -> Option<Map<String, Value>> {
        while let Some(name) = self.open.pop() {
            self.left = self.left.checked_sub(1)?;
            let made = self.input(name);
            self.defs.insert(name.to_owned(), made);
        }
        Some(self.defs)
    }

    fn input(&mut self, name: &str) -> Value {
        let Some(found) = self.schema.types.get(name) else {
            return json!({});
        };
        let Form::Input { fields, is_one_of } = &found.form else {
            return json!({});
        };
        let mut properties = Map::new();
        for field in fields {
            let made = self.nullable(&field.of);
            properties.insert(field.name.clone(), described(made, field));
        }
        let required: Vec<&str> = fields
            .iter()
            .filter(|field| field.is_required())
            .map(|field| field.name.as_str())
            .collect();
        let mut made = json!({"type": "object", "properties": properties, "additionalProperties": false});
        if !required.is_empty() {
            made["required"] = json!(required);
        }
        if *is_one_of {
            made["minProperties"] = json!(1);
            made["maxProperties"] = json!(1);
        }
        let about = words::shortened(&found.description, LONGEST);
        if !about.is_empty() {
            made["description"] = json!(about);
        }
        made
    }

    /// A type that may be null unless it says otherwise.
    fn nullable(&mut self, of: &'a TypeRef) -> Value {
        let made = match of {
            TypeRef::Required(inner) => return self.plain(inner),
            other => self.plain(other),
        };
        match made {
            Value::Object(mut members) if members.contains_key("type") => {
                if let Some(kind) = members.get("type").cloned() {
                    members.insert("type".to_owned(), json!([kind, "null"]));
                }
                if let Some(Value::Array(values)) = members.get_mut("enum") {
                    values.push(Value::Null);
                }
                Value::Object(members)
            }
            Value::Object(members) if members.contains_key("$ref") => {
                json!({"anyOf": [members, {"type": "null"}]})
            }
            other => other,
        }
    }

    fn plain(&mut self, of: &'a TypeRef) -> Value {
        let name = match of {
            TypeRef::List(inner) => return json!({"type": "array", "items": self.nullable(inner)}),
            TypeRef::Required(inner) => return self.plain(inner),
            TypeRef::Named(name) => name,
        };
        match name.as_str() {
            "Int" => return json!({"type": "integer", "minimum": i32::MIN, "maximum": i32::MAX}),
            "Float" => return json!({"type": "number"}),
            "Boolean" => return json!({"type": "boolean"}),
            "String" | "ID" => return json!({"type": "string"}),
            _ => {}
        }
        match self.schema.types.get(name).map(|found| &found.form) {
            Some(Form::Enum(values)) => {
                let mut values = values.clone();
                values.sort();
                values.dedup();
                json!({"type": "string", "enum": values})
            }
            Some(Form::Input { .. }) => {
                if !self.defs.contains_key(name) {
                    self.defs.insert(name.clone(), Value::Null);
                    self.open.push(name);
                }
                json!({"$ref": format!("#/$defs/{name}")})
            }
            // A scalar of the API's own: what it looks like, its name and its description say.
            _ => json!({}),
        }
    }
}

fn described(mut made: Value, argument: &Argument) -> Value {
    let mut about = words::shortened(&argument.description, LONGEST);
    let is_open = made.as_object().is_some_and(Map::is_empty);
    if is_open {
        let kind = format!("{} of the API.", argument.of.text());
        about = if about.is_empty() {
            kind
        } else {
            format!("{about} {kind}")
        };
    }
    if let Some(members) = made.as_object_mut().filter(|_| !about.is_empty()) {
        members.insert("description".to_owned(), json!(about));
    }
    made
}
