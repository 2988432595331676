//! Secrets in a document, which everyone may read.

use portreeve_inspect::scan::credentials;
use serde_json::Value;

use super::{Assessor, Notes, Severity, Subject, below, texts, within};

pub(super) struct SecretsInDocument;

impl Assessor for SecretsInDocument {
    fn id(&self) -> &'static str {
        "secrets-in-document"
    }

    fn assess(&self, subject: &Subject, notes: &mut Notes) {
        let document = Value::Object(subject.document.clone());
        for (path, text) in texts("", &document) {
            for found in credentials(&text) {
                let message = format!("holds what looks like {}, and documents are public", found.kind);
                notes.show(
                    Severity::High,
                    path.clone(),
                    message,
                    format!("{}...", found.beginning),
                );
            }
        }
        given_secrets(&document, notes);
    }
}

/// Inputs that are marked secret and come with a value all the same.
fn given_secrets(document: &Value, notes: &mut Notes) {
    let mut open = vec![(String::new(), document)];
    while let Some((path, value)) = open.pop() {
        match value {
            Value::Array(items) => {
                open.extend(
                    items
                        .iter()
                        .enumerate()
                        .map(|(at, item)| (within(&path, at), item)),
                );
            }
            Value::Object(fields) => {
                // Documents of before 2025-09 spell it the other way.
                let marked = ["isSecret", "is_secret"]
                    .iter()
                    .any(|key| fields.get(*key) == Some(&Value::Bool(true)));
                if marked {
                    for key in ["value", "default"] {
                        let text = fields.get(key).and_then(Value::as_str).unwrap_or_default();
                        if !text.is_empty() && !text.contains('{') {
                            let message = "is marked secret and comes with a value, which everyone can read";
                            notes.note(Severity::High, format!("{path}.{key}"), message);
                        }
                    }
                }
                open.extend(fields.iter().map(|(key, field)| (below(&path, key), field)));
            }
            _ => {}
        }
    }
}
