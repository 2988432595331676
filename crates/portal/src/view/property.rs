//! The forms of one custom property, and who fails because of it.

use portreeve_core::property::{Need, PropertyOwner, PropertyRecord};
use portreeve_registry::Defined;

use crate::view::form::{Choice, Field, FormView};
use crate::view::one::Part;
use crate::words;

/// The form, as the property is.
pub(crate) fn form(record: &PropertyRecord) -> FormView {
    let schema = serde_json::to_string_pretty(&record.schema).unwrap_or_default();
    let need = |owner: PropertyOwner, label: &'static str| {
        let now = record.assignments.get(&owner).copied();
        let choices = vec![
            Choice::new("", "has none", now.is_none()),
            Choice::new("optional", "may have it", now == Some(Need::Optional)),
            Choice::new("required", "must have it", now == Some(Need::Required)),
        ];
        Field::choice(owner.as_str(), label, choices)
            .at("assignments")
            .required()
    };
    FormView::new("property", format!("/admin/properties/{}", record.name), "Save")
        .hide("revision", record.revision)
        .field(Field::line("title", "Title").value(&record.title))
        .field(Field::text("description", "What it says", 2).value(&record.description))
        .field(
            Field::text("schema", "JSON Schema of its values", 8)
                .value(schema)
                .required()
                .hint("Its type cannot change while something has a value of it."),
        )
        .field(need(PropertyOwner::Server, "A server"))
        .field(need(PropertyOwner::Environment, "An environment"))
        .field(need(PropertyOwner::Deployment, "A deployment"))
}

/// What deletes it.
pub(crate) fn delete(record: &PropertyRecord, token: String) -> Part {
    let form = FormView::new(
        "delete",
        format!("/admin/properties/{}/delete", record.name),
        "Delete it",
    )
    .token(token)
    .hide("revision", record.revision)
    .plain();
    Part::new("Delete it", "Only when nothing has a value of it.", form)
}

/// Lines about what does not meet it.
pub(crate) fn failing(defined: &Defined) -> Vec<String> {
    let told = defined.failing.iter();
    let mut told: Vec<String> = told
        .map(|failing| words::visible(&format!("{}: {}", failing.subject, failing.problem)))
        .collect();
    if defined.count > told.len() {
        told.push(format!("and {} more", defined.count - told.len()));
    }
    told
}
