//! Where in a result that stands which was looked for, so that a page can show it.

use std::collections::{HashMap, HashSet};

use serde_json::value::RawValue;

use super::words::{is_compound, runs, words};

/// Marks of one result.
const MOST: usize = 50;

/// A part of a text that was looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// `name`, `title` or `description`.
    pub field: &'static str,
    /// Where it begins, in characters.
    pub start: usize,
    /// How many characters it has.
    pub length: usize,
}

/// The marks of a result, by field and place.
pub fn marks(document: &str, name: &str, terms: &HashSet<String>) -> Vec<Mark> {
    // Most of a document is nothing to look at: it is passed over, not read.
    let document: HashMap<String, &RawValue> = serde_json::from_str(document).unwrap_or_default();
    let text = |key: &str| -> String {
        let text = document.get(key).map(|value| serde_json::from_str(value.get()));
        text.and_then(Result::ok).unwrap_or_default()
    };
    let mut marks = Vec::new();
    note("name", name, terms, &mut marks);
    note("title", &text("title"), terms, &mut marks);
    note("description", &text("description"), terms, &mut marks);
    marks.truncate(MOST);
    marks
}

fn note(field: &'static str, text: &str, terms: &HashSet<String>, marks: &mut Vec<Mark>) {
    for whole in runs(text) {
        if terms.contains(&whole.term) {
            marks.extend(mark(field, text, whole.start, whole.end));
            continue;
        }
        // `Git` of `GitHub`.
        let inner = text.get(whole.start..whole.end).unwrap_or_default();
        if !is_compound(inner) {
            continue;
        }
        for part in words(inner) {
            if terms.contains(&part.term) {
                marks.extend(mark(
                    field,
                    text,
                    whole.start + part.start,
                    whole.start + part.end,
                ));
            }
        }
    }
}

fn mark(field: &'static str, text: &str, start: usize, end: usize) -> Option<Mark> {
    Some(Mark {
        field,
        start: text.get(..start)?.chars().count(),
        length: text.get(start..end)?.chars().count(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_stand_on_characters() {
        let terms = ["mail", "git"].map(str::to_owned).into();
        let document = r#"{"title":"Größe: Mails","description":"From GitHub"}"#;
        let marks = marks(document, "com.acme/mail-box", &terms);
        let told: Vec<_> = marks.iter().map(|m| (m.field, m.start, m.length)).collect();
        assert_eq!(told, [("name", 9, 4), ("title", 7, 5), ("description", 5, 3)]);
    }
}
