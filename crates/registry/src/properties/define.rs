//! A property as an administrator defines it: its type follows from its JSON Schema.

use std::collections::BTreeMap;

use portreeve_core::limits::Limits;
use portreeve_core::name::PropertyName;
use portreeve_core::property::{Need, PropertyKind, PropertyOwner, PropertyRecord};
use portreeve_core::time::Timestamp;
use portreeve_inspect::ValueSchema;
use portreeve_mcp::server_json::Problem;
use serde_json::Value;

use crate::error::RegistryError;

/// Characters of a title.
const LONGEST_TITLE: usize = 100;
/// Characters of a description.
const LONGEST_TEXT: usize = 1_000;

/// A property to be defined.
#[derive(Debug, Clone, PartialEq)]
pub struct NewProperty {
    /// Its name; never changes.
    pub name: PropertyName,
    /// The JSON Schema that every value meets.
    pub schema: Value,
    /// What has it, and whether it must have a value there.
    pub assignments: BTreeMap<PropertyOwner, Need>,
    /// The name people read.
    pub title: Option<String>,
    /// What it says.
    pub description: Option<String>,
}

/// What of a property shall change; what is `None` stays.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct PropertyPatch {
    /// The JSON Schema that every value meets.
    pub schema: Option<Value>,
    /// What has it, and whether it must have a value there; all of it.
    pub assignments: Option<BTreeMap<PropertyOwner, Need>>,
    /// The name people read.
    pub title: Option<String>,
    /// What it says.
    pub description: Option<String>,
}

// === impl NewProperty ===

impl NewProperty {
    pub(super) fn define(self, now: Timestamp, limits: &Limits) -> Result<PropertyRecord, RegistryError> {
        let record = PropertyRecord {
            title: self.name.to_string(),
            name: self.name,
            description: String::new(),
            kind: PropertyKind::String,
            schema: Value::Null,
            assignments: BTreeMap::new(),
            revision: 1,
            created_at: now,
            updated_at: now,
        };
        let patch = PropertyPatch {
            schema: Some(self.schema),
            assignments: Some(self.assignments),
            title: self.title,
            description: self.description,
        };
        patch.apply(record, limits)
    }
}

// === impl PropertyPatch ===

impl PropertyPatch {
    pub(super) fn apply(
        self,
        mut record: PropertyRecord,
        limits: &Limits,
    ) -> Result<PropertyRecord, RegistryError> {
        let mut problems = Vec::new();
        for (path, text, longest) in [
            ("title", &self.title, LONGEST_TITLE),
            ("description", &self.description, LONGEST_TEXT),
        ] {
            if text
                .as_ref()
                .is_some_and(|text| text.chars().count() > longest || text.contains('\0'))
            {
                let message = format!("it must have at most {longest} characters, none of them NUL");
                problems.push(problem(path, message));
            }
        }
        if let Some(title) = self.title.map(|title| title.trim().to_owned()) {
            record.title = if title.is_empty() {
                record.name.to_string()
            } else {
                title
            };
        }
        if let Some(description) = self.description {
            record.description = description.trim().to_owned();
        }
        if let Some(schema) = self.schema {
            match judge(&schema, limits) {
                Ok(kind) => (record.kind, record.schema) = (kind, schema),
                Err(message) => problems.push(problem("schema", message)),
            }
        }
        record.assignments = self.assignments.unwrap_or(record.assignments);
        if problems.is_empty() {
            Ok(record)
        } else {
            Err(RegistryError::Invalid(problems))
        }
    }
}

/// The type that a schema gives, if it gives one and can be used.
fn judge(schema: &Value, limits: &Limits) -> Result<PropertyKind, String> {
    if schema.to_string().len() > limits.property_schema_bytes {
        return Err(format!(
            "it is longer than {} bytes",
            limits.property_schema_bytes
        ));
    }
    let kind = kind_of(schema).ok_or_else(|| {
        "it needs a `type` (`boolean`, `number`, `integer`, `string`, `array` or `object`), or an `enum` of texts"
            .to_owned()
    })?;
    ValueSchema::compile(schema).map_err(|error| error.to_string())?;
    Ok(kind)
}

fn kind_of(schema: &Value) -> Option<PropertyKind> {
    if let Some(choices) = schema.get("enum") {
        let choices = choices.as_array().filter(|choices| !choices.is_empty())?;
        return choices
            .iter()
            .all(Value::is_string)
            .then_some(PropertyKind::Choices);
    }
    match schema.get("type")?.as_str()? {
        "boolean" => Some(PropertyKind::Boolean),
        "number" | "integer" => Some(PropertyKind::Number),
        "string" => Some(PropertyKind::String),
        "array" => Some(PropertyKind::Array),
        "object" => Some(PropertyKind::Object),
        _ => None,
    }
}

fn problem(path: &str, message: String) -> Problem {
    Problem {
        path: path.to_owned(),
        message,
    }
}
