//! Walks over the members of a JSON object that was read before, without reading its values once more: what lies inside
//! a value is only passed over. Before it: `envelope`, whose parser has judged every byte. Of a text that is not JSON it
//! says something or other, but it ends, and every part it names lies in the text.

use crate::depth;

/// The members of an object in their order: a key with its quotes, and a value, both as they were written.
#[derive(Debug, Clone)]
pub(crate) struct Members<'a> {
    text: &'a str,
    at: usize,
}

// === impl Members ===

impl<'a> Members<'a> {
    /// The members of an object; none of anything else.
    pub(crate) fn of(object: &'a str) -> Self {
        let mut members = Self { text: object, at: 0 };
        if members.pass(b'{').is_none() {
            members.at = object.len();
        }
        members
    }

    fn bytes(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    /// Passes white space and then this byte.
    fn pass(&mut self, wanted: u8) -> Option<()> {
        self.skip_space();
        (self.bytes().first() == Some(&wanted)).then(|| self.at += 1)
    }

    fn skip_space(&mut self) {
        let space = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        self.at += self.bytes().iter().take_while(|byte| space(byte)).count();
    }

    /// Passes a part of this length and names it.
    fn part(&mut self, length: usize) -> Option<&'a str> {
        let end = self.at.checked_add(length)?;
        let part = self.text.get(self.at..end)?;
        self.at = end;
        Some(part)
    }

    fn member(&mut self) -> Option<(&'a str, &'a str)> {
        self.skip_space();
        let rest = self.bytes();
        if rest.first() != Some(&b'"') {
            return None;
        }
        let key = self.part(length_of(rest))?;
        self.pass(b':')?;
        self.skip_space();
        let value = self.part(length_of(self.bytes()))?;
        if self.pass(b',').is_none() {
            self.at = self.text.len();
        }
        Some((key, value))
    }
}

impl<'a> Iterator for Members<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let member = self.member();
        if member.is_none() {
            self.at = self.text.len();
        }
        member
    }
}

/// How long the value at the beginning is.
fn length_of(json: &[u8]) -> usize {
    let after = match json.split_first() {
        Some((b'"', rest)) => depth::after_string(rest),
        Some((b'{' | b'[', rest)) => after_nested(rest),
        _ => {
            let ends = |byte: &u8| matches!(byte, b',' | b'}' | b']' | b' ' | b'\t' | b'\n' | b'\r');
            return json.iter().position(ends).unwrap_or(json.len());
        }
    };
    json.len() - after.len()
}

/// What follows an object or array whose opening was just passed.
fn after_nested(mut rest: &[u8]) -> &[u8] {
    let mut open = 1_usize;
    while open > 0 {
        let turns = |byte: &u8| matches!(byte, b'"' | b'[' | b'{' | b']' | b'}');
        let Some(at) = rest.iter().position(turns) else {
            return &[];
        };
        let found = rest.get(at);
        rest = rest.get(at + 1..).unwrap_or_default();
        match found {
            Some(b'"') => rest = depth::after_string(rest),
            Some(b'[' | b'{') => open += 1,
            _ => open -= 1,
        }
    }
    rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn members(text: &str) -> Vec<(&str, &str)> {
        Members::of(text).collect()
    }

    #[test]
    fn members_are_named_as_they_were_written() {
        let text = " { \"a\\\"\" : {\"x\":[1,\"}\"]} ,\"b\":[ ], \"c\":-1.5e3\n, \"\":\"\\\\\" } ";
        assert_eq!(
            members(text),
            [
                (r#""a\"""#, r#"{"x":[1,"}"]}"#),
                ("\"b\"", "[ ]"),
                ("\"c\"", "-1.5e3"),
                ("\"\"", r#""\\""#),
            ]
        );
        for none in ["{}", " { } ", "[1]", "7", "\"a\"", ""] {
            assert_eq!(members(none), [], "{none}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_comes_to_an_end(text in "[\\[\\]{}\":,a\\\\é1 ]{0,60}") {
            for (key, value) in Members::of(&text) {
                proptest::prop_assert!(text.contains(key) && text.contains(value));
            }
        }
    }
}
