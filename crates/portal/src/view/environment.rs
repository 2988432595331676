//! The forms of one environment.

use portreeve_core::deployment::{EnvironmentKind, EnvironmentRecord};

use crate::view::form::{Choice, Field, FormView};
use crate::view::one::Part;

/// The form, as the environment is.
pub(crate) fn form(record: &EnvironmentRecord) -> FormView {
    let action = format!("/admin/environments/{}", record.name);
    FormView::new("environment", action, "Save")
        .hide("revision", record.revision)
        .field(Field::line("title", "Title").value(&record.title))
        .field(
            Field::choice(
                "kind",
                "Kind",
                Choice::of(EnvironmentKind::ALL, |kind| **kind == record.kind),
            )
            .required(),
        )
        .field(Field::text("description", "What it is for", 3).value(&record.description))
        .field(Field::text("onboarding", "How to get access", 3).value(&record.onboarding))
        .field(
            Field::line("position", "Place in lists")
                .value(record.position.to_string())
                .hint("A number; equal ones are ordered by name."),
        )
}

/// What deletes it.
pub(crate) fn delete(record: &EnvironmentRecord, token: String) -> Part {
    let action = format!("/admin/environments/{}/delete", record.name);
    let form = FormView::new("delete", action, "Delete it")
        .token(token)
        .hide("revision", record.revision)
        .plain();
    Part::new("Delete it", "Only when no server runs here.", form)
}
