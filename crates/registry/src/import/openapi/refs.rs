//! References inside a document. What lies outside was brought in before (`bundle.rs`), or is not there.

use serde_json::{Map, Value};

/// Longest chain of references that lead to references.
const LONGEST_CHAIN: usize = 32;

/// The document, for who follows its references.
#[derive(Debug, Clone, Copy)]
pub(super) struct Root<'a>(pub(super) &'a Value);

/// The reference in a value.
pub(super) fn reference(value: &Value) -> Option<&str> {
    value.get("$ref").and_then(Value::as_str)
}

/// One step into a JSON pointer.
pub(super) fn escaped(step: &str) -> String {
    step.replace('~', "~0").replace('/', "~1")
}

impl<'a> Root<'a> {
    /// What a reference names.
    pub(super) fn target(self, reference: &str) -> Option<&'a Value> {
        let fragment = self.fragment(reference)?;
        if fragment.is_empty() {
            return Some(self.0);
        }
        let decoded = percent_encoding::percent_decode_str(fragment)
            .decode_utf8()
            .ok()?;
        if decoded.starts_with('/') {
            return self.0.pointer(&decoded).or_else(|| self.0.pointer(fragment));
        }
        None
    }

    /// The fragment of a reference into this document.
    fn fragment(self, reference: &str) -> Option<&str> {
        let (place, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let own = ["$self", "$id"].map(|name| self.0.get(name).and_then(Value::as_str));
        let is_here = place.is_empty() || own.contains(&Some(place));
        is_here.then_some(fragment)
    }

    /// Whether what stands beside a reference counts as well, as it does from 3.1 on.
    pub(super) fn takes_siblings(self) -> bool {
        let version = self.0.get("openapi").and_then(Value::as_str);
        version.is_some_and(|version| version.starts_with("3.") && !version.starts_with("3.0"))
    }

    /// Whether an object says something of a value besides its reference, and that counts.
    pub(super) fn has_siblings(self, object: &Map<String, Value>) -> bool {
        const WORDS: &[&str] = &[
            "$ref",
            "description",
            "summary",
            "title",
            "nullable",
            "x-nullable",
        ];
        let is_more = |word: &String| !WORDS.contains(&word.as_str()) && !word.starts_with("x-");
        self.takes_siblings() && object.contains_key("$ref") && object.keys().any(is_more)
    }

    /// Follows references until something else is there. The reason is for people.
    pub(super) fn resolve(self, value: &'a Value) -> Result<&'a Value, String> {
        let mut found = value;
        for _ in 0..LONGEST_CHAIN {
            let Some(next) = reference(found) else {
                return Ok(found);
            };
            found = self.target(next).ok_or_else(|| unresolved(next))?;
        }
        Err("its references lead in a circle".to_owned())
    }

    /// An object behind references.
    pub(super) fn object(self, value: &'a Value) -> Result<&'a Map<String, Value>, String> {
        let found = self.resolve(value)?;
        found.as_object().ok_or_else(|| "it is not an object".to_owned())
    }
}

pub(super) fn unresolved(reference: &str) -> String {
    let shown: String = reference.chars().take(120).collect();
    if reference.starts_with('#') {
        format!("the reference `{shown}` leads nowhere")
    } else {
        format!("the reference `{shown}` leads out of the document")
    }
}
