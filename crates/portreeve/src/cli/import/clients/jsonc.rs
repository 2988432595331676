//! JSON as people write it into settings: comments, trailing commas, a byte order mark. Every value keeps its place in
//! the text, so that one of them can be replaced and all else stays as it is.
//!
//! Before: the text of a file. After: `form` hands the values on, or cuts one out.

use std::ops::Range;

use serde_json::{Map, Value};

/// Values within one another.
const DEPTH: usize = 64;

/// A value and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Node {
    pub(super) at: Range<usize>,
    pub(super) kind: Kind,
}

/// What a value is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Kind {
    /// Members with the place where each begins.
    Object(Vec<(String, usize, Node)>),
    Array(Vec<Node>),
    Other(Value),
}

/// What is wrong, and at which byte. It repeats nothing of the text, which may be a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wrong {
    pub(super) at: usize,
    pub(super) message: &'static str,
}

/// Reads a text.
pub(super) fn parse(text: &str) -> Result<Node, Wrong> {
    let mut reader = Reader { text, at: 0 };
    if text.starts_with('\u{feff}') {
        reader.at = '\u{feff}'.len_utf8();
    }
    reader.blank()?;
    let node = reader.value(0)?;
    reader.blank()?;
    if reader.at < text.len() {
        return Err(reader.wrong("something stands behind the end"));
    }
    Ok(node)
}

// === impl Node ===

impl Node {
    /// The value, without its places. Of members with one name the last one counts, as hosts read it.
    pub(super) fn to_value(&self) -> Value {
        match &self.kind {
            Kind::Object(members) => {
                let pairs = members
                    .iter()
                    .map(|(name, _, node)| (name.clone(), node.to_value()));
                Value::Object(pairs.collect::<Map<_, _>>())
            }
            Kind::Array(items) => items.iter().map(Self::to_value).collect(),
            Kind::Other(value) => value.clone(),
        }
    }

    /// The member at the end of a way, and where it begins.
    pub(super) fn find(&self, way: &[String]) -> Option<(usize, &Self)> {
        let mut found = (self.at.start, self);
        for step in way {
            let Kind::Object(members) = &found.1.kind else {
                return None;
            };
            let (_, begin, node) = members.iter().rfind(|(name, ..)| name == step)?;
            found = (*begin, node);
        }
        Some(found)
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

// === impl Reader ===

impl<'a> Reader<'a> {
    fn wrong(&self, message: &'static str) -> Wrong {
        Wrong { at: self.at, message }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn takes(&mut self, byte: u8) -> bool {
        let is_there = self.peek() == Some(byte);
        self.at += usize::from(is_there);
        is_there
    }

    /// Goes over blanks and comments.
    fn blank(&mut self) -> Result<(), Wrong> {
        loop {
            let rest = self.rest();
            let blanks = rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
            self.at += blanks;
            let rest = self.rest();
            if rest.starts_with("//") {
                self.at += rest.find('\n').unwrap_or(rest.len());
            } else if let Some(comment) = rest.strip_prefix("/*") {
                let end = comment
                    .find("*/")
                    .ok_or_else(|| self.wrong("a comment has no end"))?;
                self.at += end + 4;
            } else {
                return Ok(());
            }
        }
    }

    fn value(&mut self, depth: usize) -> Result<Node, Wrong> {
        if depth > DEPTH {
            return Err(self.wrong("too many values stand within one another"));
        }
        let begin = self.at;
        let kind = match self.peek() {
            Some(b'{') => self.object(depth)?,
            Some(b'[') => self.array(depth)?,
            Some(b'"') => Kind::Other(Value::String(self.string()?)),
            Some(_) => Kind::Other(self.word()?),
            None => return Err(self.wrong("a value is missing")),
        };
        Ok(Node {
            at: begin..self.at,
            kind,
        })
    }

    fn object(&mut self, depth: usize) -> Result<Kind, Wrong> {
        self.at += 1;
        let mut members = Vec::new();
        loop {
            self.blank()?;
            if self.takes(b'}') {
                return Ok(Kind::Object(members));
            }
            let begin = self.at;
            if self.peek() != Some(b'"') {
                return Err(self.wrong("a name in double quotes is missing"));
            }
            let name = self.string()?;
            self.blank()?;
            if !self.takes(b':') {
                return Err(self.wrong("a `:` is missing"));
            }
            self.blank()?;
            members.push((name, begin, self.value(depth + 1)?));
            self.blank()?;
            if !self.takes(b',') && self.peek() != Some(b'}') {
                return Err(self.wrong("a `,` or a `}` is missing"));
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Kind, Wrong> {
        self.at += 1;
        let mut items = Vec::new();
        loop {
            self.blank()?;
            if self.takes(b']') {
                return Ok(Kind::Array(items));
            }
            items.push(self.value(depth + 1)?);
            self.blank()?;
            if !self.takes(b',') && self.peek() != Some(b']') {
                return Err(self.wrong("a `,` or a `]` is missing"));
            }
        }
    }

    fn string(&mut self) -> Result<String, Wrong> {
        let begin = self.at;
        let mut escaped = false;
        for (place, byte) in self.text.bytes().enumerate().skip(begin + 1) {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => {
                    let whole = self.text.get(begin..=place).unwrap_or_default();
                    let read =
                        serde_json::from_str(whole).map_err(|_| self.wrong("a text is not well formed"))?;
                    self.at = place + 1;
                    return Ok(read);
                }
                b'\n' => break,
                _ => {}
            }
        }
        Err(self.wrong("a text has no end"))
    }

    fn word(&mut self) -> Result<Value, Wrong> {
        let rest = self.rest();
        let ends = |c: char| c.is_whitespace() || matches!(c, ',' | ']' | '}' | ':' | '/' | '{' | '[' | '"');
        let word = rest
            .get(..rest.find(ends).unwrap_or(rest.len()))
            .unwrap_or_default();
        let value = serde_json::from_str(word).map_err(|_| self.wrong("this is no value"))?;
        self.at += word.len();
        Ok(value)
    }
}
