//! Whether somebody stands behind the server: source, website, licence; and whether these lead anywhere.

pub(super) mod ask;

use portreeve_mcp::server_json::PUBLISHER_META;
use serde_json::Value;

use super::{Assessor, Notes, Severity, Subject};

pub(super) struct Links;

impl Assessor for Links {
    fn id(&self) -> &'static str {
        "links"
    }

    fn assess(&self, subject: &Subject, notes: &mut Notes) {
        let document = &subject.document;
        let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
        let repository = text(
            document
                .get("repository")
                .and_then(|repository| repository.get("url")),
        );
        let website = text(document.get("websiteUrl"));
        if repository.is_empty() && website.is_empty() {
            notes.note(
                Severity::Low,
                "websiteUrl",
                "is missing, and so is a repository: nobody is named to turn to",
            );
        }
        for (path, link) in [("repository.url", &repository), ("websiteUrl", &website)] {
            if !link.is_empty() && !link.starts_with("https://") {
                notes.show(
                    Severity::Low,
                    path,
                    "does not begin with https",
                    link.chars().take(80).collect::<String>(),
                );
            }
        }
        let own = document.get("_meta").and_then(|meta| meta.get(PUBLISHER_META));
        if !subject.is_licensed && !names_a_licence(own) {
            notes.note(Severity::Low, "_meta", "names no licence");
        }
        for broken in &subject.broken {
            notes.show(
                Severity::Low,
                broken.path.clone(),
                "leads nowhere",
                broken.evidence.clone(),
            );
        }
    }
}

/// Publishers put it at the top of their own part, or below a part of its own, as GitHub's registry does.
fn names_a_licence(publisher: Option<&Value>) -> bool {
    let named = |fields: &Value| {
        let licence = ["license", "licence"].iter().find_map(|key| fields.get(*key));
        licence
            .is_some_and(|licence| licence.as_str().is_none_or(|text| !text.is_empty()) && !licence.is_null())
    };
    let Some(Value::Object(fields)) = publisher else {
        return false;
    };
    publisher.is_some_and(named) || fields.values().any(named)
}
