//! Words and characters that are meant for the model and not for the person who approves: in the document, and in every
//! text of every tool, names of parameters and enumerations included.

use portreeve_inspect::scan::{HiddenKind, Weight, hidden, instructions};
use serde_json::Value;

use super::{Assessor, Notes, Severity, Subject, texts};

pub(super) struct Poisoning;

impl Assessor for Poisoning {
    fn id(&self) -> &'static str {
        "poisoning"
    }

    fn assess(&self, subject: &Subject, notes: &mut Notes) {
        for key in ["title", "description"] {
            if let Some(text) = subject.document.get(key).and_then(Value::as_str) {
                scan(key, text, notes);
            }
        }
        for tool in subject.tools() {
            for (path, text) in texts(&tool.path, tool.definition) {
                scan(&path, &text, notes);
            }
        }
    }
}

fn scan(path: &str, text: &str, notes: &mut Notes) {
    let mut told: Vec<HiddenKind> = Vec::new();
    for found in hidden(text) {
        if told.contains(&found.kind) {
            continue;
        }
        told.push(found.kind);
        let severity = match found.kind {
            HiddenKind::Tag | HiddenKind::Bidi => Severity::High,
            HiddenKind::ZeroWidth | HiddenKind::Selector | HiddenKind::Control => Severity::Medium,
        };
        let evidence = format!(
            "U+{:04X} at character {}",
            u32::from(found.character),
            found.at + 1
        );
        notes.show(severity, path, format!("holds {}", found.kind.as_str()), evidence);
    }
    for found in instructions(text) {
        let severity = match found.weight {
            Weight::Hostile => Severity::High,
            Weight::Suspicious => Severity::Medium,
        };
        notes.show(severity, path, found.meaning, found.words);
    }
}
