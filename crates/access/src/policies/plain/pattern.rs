//! What stands behind `like`: texts, with anything between them.

use serde_json::Value as Json;

/// A pattern, cut at its wildcards. There is always a first piece, which may be empty.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pattern {
    first: Box<str>,
    /// The pieces behind each wildcard.
    rest: Vec<Box<str>>,
}

// === impl Pattern ===

impl Pattern {
    /// Reads Cedar's JSON form: `"Wildcard"`, and `{"Literal": "a"}` for one character or more. A star that is meant as a
    /// star is in a literal.
    pub(super) fn of(json: &Json) -> Option<Self> {
        let mut pieces = vec![String::new()];
        for element in json.as_array()? {
            if element.as_str() == Some("Wildcard") {
                pieces.push(String::new());
            } else {
                let text = element.get("Literal")?.as_str()?;
                pieces.last_mut()?.push_str(text);
            }
        }
        let mut pieces = pieces.into_iter().map(String::into_boxed_str);
        Some(Self {
            first: pieces.next()?,
            rest: pieces.collect(),
        })
    }

    /// Whether a text is such a one as a whole. Each piece is taken where it stands first, and the last one at the end.
    pub(super) fn fits(&self, text: &str) -> bool {
        let Some((last, between)) = self.rest.split_last() else {
            return *text == *self.first;
        };
        let Some(mut left) = text.strip_prefix(&*self.first) else {
            return false;
        };
        for piece in between {
            let Some((_, behind)) = left.split_once(&**piece) else {
                return false;
            };
            left = behind;
        }
        left.ends_with(&**last)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn pattern(text: &str) -> Pattern {
        let elements = text.chars().map(|one| match one {
            '*' => json!("Wildcard"),
            // Stands for a star that is meant.
            '#' => json!({ "Literal": "*" }),
            one => json!({ "Literal": one.to_string() }),
        });
        Pattern::of(&elements.collect()).unwrap()
    }

    #[test]
    fn a_pattern_fits_whole_texts_with_anything_at_its_stars() {
        for (with, text, fits) in [
            ("", "", true),
            ("", "a", false),
            ("*", "", true),
            ("**", "é", true),
            ("a", "a", true),
            ("a", "A", false),
            ("a", "aa", false),
            ("a*", "a", true),
            ("a*", "ba", false),
            ("*a", "ba", true),
            ("*a", "ab", false),
            ("a*a", "a", false),
            ("a*a", "aa", true),
            ("*ab*ab", "ab", false),
            ("*ab*ab", "abab", true),
            ("*ab*ab", "abxabyab", true),
            ("*aa*b", "aaab", true),
            ("x*é*y", "xéy", true),
            ("x*é*y", "xy", false),
            ("a#", "a*", true),
            ("a#", "ab", false),
            ("#*", "*b", true),
        ] {
            assert_eq!(pattern(with).fits(text), fits, "{with} {text}");
        }
    }

    #[test]
    fn what_is_no_pattern_is_not_read() {
        for json in [json!("Wildcard"), json!(["Star"]), json!([{ "Char": "a" }])] {
            assert_eq!(Pattern::of(&json), None, "{json}");
        }
    }
}
