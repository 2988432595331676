//! Custom properties, as they are defined and shown.

use std::collections::BTreeMap;

use portreeve_core::name::PropertyName;
use portreeve_core::property::{Need, PropertyOwner, PropertyRecord};
use portreeve_core::time::Timestamp;
use portreeve_registry::{Defined, NewProperty, PropertyPatch};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::ToSchema;

/// A custom property.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = MetadataSchema)]
pub(crate) struct PropertyShape {
    /// Its name, as it stands in `metadata`.
    name: String,
    /// The name people read.
    title: String,
    /// What it says.
    description: String,
    /// `boolean`, `number`, `string`, `array`, `choices` or `object`; follows from the schema.
    #[serde(rename = "type")]
    kind: &'static str,
    /// The JSON Schema that every value meets.
    #[schema(value_type = Object)]
    schema: Value,
    /// What has it (`server`, `environment`, `deployment`), and whether it is `optional` or `required` there.
    #[schema(value_type = Object)]
    assignments: BTreeMap<PropertyOwner, Need>,
    /// What does not meet it, the first hundred. It is served on, and can be neither submitted nor approved.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    failing: Vec<FailingShape>,
    /// How many do not meet it.
    #[serde(skip_serializing_if = "Option::is_none")]
    failing_count: Option<usize>,
    /// Counts the changes; the `ETag` is the same number in quotes.
    revision: i64,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// Something that does not meet a property.
#[derive(Debug, Serialize, ToSchema)]
struct FailingShape {
    /// Which server, environment or deployment.
    subject: String,
    /// What is wrong.
    problem: String,
}

/// A custom property to be defined.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewMetadataSchema)]
pub(crate) struct NewPropertyShape {
    /// Its name: a letter, then letters, digits, `_` and `-`; at most 50 characters. Never changes.
    #[schema(value_type = String)]
    name: PropertyName,
    /// The JSON Schema that every value meets, at most 16 KiB, without references to other documents. Its `type`, or an
    /// `enum` of texts, is the property's type.
    #[schema(value_type = Object)]
    schema: Value,
    /// What has it (`server`, `environment`, `deployment`), and whether it is `optional` or `required` there.
    #[schema(value_type = Object)]
    assignments: BTreeMap<PropertyOwner, Need>,
    /// The name people read; its name unless given. At most 100 characters.
    title: Option<String>,
    /// What it says. At most 1,000 characters.
    description: Option<String>,
}

/// What shall be different; what is left out stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = MetadataSchemaChange)]
pub(crate) struct PropertyChangeShape {
    /// The JSON Schema that every value meets. Its type cannot change while there are values.
    #[schema(value_type = Option<Object>)]
    schema: Option<Value>,
    /// What has it, and whether it is `optional` or `required` there; all of it.
    #[schema(value_type = Option<Object>)]
    assignments: Option<BTreeMap<PropertyOwner, Need>>,
    /// The name people read. At most 100 characters.
    title: Option<String>,
    /// What it says. At most 1,000 characters.
    description: Option<String>,
}

// === impl PropertyShape ===

impl PropertyShape {
    pub(crate) fn new(record: &PropertyRecord) -> Self {
        Self {
            name: record.name.to_string(),
            title: record.title.clone(),
            description: record.description.clone(),
            kind: record.kind.as_str(),
            schema: record.schema.clone(),
            assignments: record.assignments.clone(),
            failing: Vec::new(),
            failing_count: None,
            revision: record.revision,
            updated_at: record.updated_at,
        }
    }

    pub(crate) fn defined(defined: &Defined) -> Self {
        let failing = defined.failing.iter().map(|failing| FailingShape {
            subject: failing.subject.clone(),
            problem: failing.problem.clone(),
        });
        Self {
            failing: failing.collect(),
            failing_count: Some(defined.count),
            ..Self::new(&defined.record)
        }
    }
}

// === impl NewPropertyShape ===

impl NewPropertyShape {
    pub(crate) fn into_new(self) -> NewProperty {
        NewProperty {
            name: self.name,
            schema: self.schema,
            assignments: self.assignments,
            title: self.title,
            description: self.description,
        }
    }
}

// === impl PropertyChangeShape ===

impl PropertyChangeShape {
    pub(crate) fn into_patch(self) -> PropertyPatch {
        PropertyPatch {
            schema: self.schema,
            assignments: self.assignments,
            title: self.title,
            description: self.description,
        }
    }
}
