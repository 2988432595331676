//! How deep a text goes, found before anything reads it: reading, judging and dropping what is nested takes stack for each
//! level, and a text must not be able to use up all of it.

/// The most brackets into each other.
const MOST_DEPTH: usize = 32;
/// The most steps of one path, as in `a.b.c`.
const MOST_STEPS: usize = 32;
/// The most `if`s of one rule: they nest without brackets.
const MOST_IFS: usize = 32;
/// The most operators of one rule that join two sides, `&&` and `||` counted twice.
const MOST_JOINTS: usize = 1_000;

/// What is counted on the way.
#[derive(Debug, Default)]
struct Count {
    /// The steps before each bracket that is open: a path goes on behind one that closes.
    open: Vec<usize>,
    steps: usize,
    ifs: usize,
    joints: usize,
}

/// The line, from 1, at which a text is nested deeper than anybody writes.
pub(super) fn too_deep(text: &str) -> Option<usize> {
    let mut count = Count::default();
    let mut line = 1;
    let mut rest = text.as_bytes();
    while let Some((byte, behind)) = rest.split_first() {
        let taken = match byte {
            b'"' => string(behind) + 1,
            b'/' if behind.first() == Some(&b'/') => {
                rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len())
            }
            byte if is_of_word(*byte) => word(rest),
            _ => 1,
        };
        let (token, behind) = rest.split_at(taken.min(rest.len()));
        count.take(token);
        if count.is_too_much() {
            return Some(line);
        }
        line += token.iter().filter(|byte| **byte == b'\n').count();
        rest = behind;
    }
    None
}

const fn is_of_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0x80
}

fn word(rest: &[u8]) -> usize {
    rest.iter()
        .position(|byte| !is_of_word(*byte))
        .unwrap_or(rest.len())
}

/// The length of a string behind its first quote, with the one that ends it.
fn string(behind: &[u8]) -> usize {
    let mut is_escaped = false;
    for (at, byte) in behind.iter().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    behind.len()
}

// === impl Count ===

impl Count {
    fn take(&mut self, token: &[u8]) {
        match token {
            [b'(' | b'[' | b'{'] => {
                self.open.push(self.steps);
                self.steps = 0;
            }
            [b')' | b']' | b'}'] => self.steps = self.open.pop().unwrap_or_default(),
            [b';'] if self.open.is_empty() => *self = Self::default(),
            [b'.'] => self.steps += 1,
            [b'&' | b'|' | b'+' | b'-' | b'*' | b'!'] => {
                self.joints += 1;
                self.steps = 0;
            }
            [b'<' | b'>' | b'=' | b',' | b':' | b'?' | b';'] => self.steps = 0,
            b"if" => {
                self.ifs += 1;
                self.steps = 0;
            }
            _ => {}
        }
    }

    fn is_too_much(&self) -> bool {
        self.open.len() > MOST_DEPTH
            || self.steps > MOST_STEPS
            || self.ifs > MOST_IFS
            || self.joints > MOST_JOINTS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(condition: &str) -> String {
        format!("// one\npermit (principal, action, resource)\nwhen {{ {condition} }};\n")
    }

    #[test]
    fn what_people_write_is_not_too_deep() {
        let wide = vec![r#"context.text.getTag("to") == "a""#; 250].join(" || ");
        let many = rule("true").repeat(100);
        for text in [
            rule("((a.b.c))"),
            rule(&wide),
            many,
            rule(r#"x == "((((((((((((((((((((((((((((((((((((""#),
        ] {
            assert_eq!(too_deep(&text), None, "{text}");
        }
    }

    #[test]
    fn what_nests_without_end_is_found_with_its_line() {
        let deep = |open: &str, close: &str| format!("{}true{}", open.repeat(5_000), close.repeat(5_000));
        for condition in [
            deep("(", ")"),
            deep("[", "]"),
            deep("{a: ", "}"),
            deep("if true then ", " else true"),
            format!("context{}", ".a".repeat(5_000)),
            format!("context{}", ".a(1)".repeat(5_000)),
            vec!["true"; 5_000].join(" && "),
            vec!["1"; 5_000].join(" + "),
            // A string that ends hides no brackets behind it.
            format!(r#""\"" == {}"#, deep("(", ")")),
            format!("// \"\n{}", deep("(", ")")),
        ] {
            let line = too_deep(&rule(&condition));
            assert!(line == Some(3) || line == Some(4), "{line:?}");
        }
    }
}
