//! A result that is too large to be held: passed on piece by piece, with the host's id in the place of ours, wherever the
//! server wrote it, and with `resultType` where that lacks.
//!
//! Only the members of the message and of its result are looked at; what lies inside them is counted and not judged. Whoever
//! reads the whole finds out whether it is JSON.

use std::borrow::Cow;

use bytes::BytesMut;

use crate::depth::MAX_DEPTH;

/// Longest key that can be one of those that matter, with escapes.
const KEY_BYTES: usize = 64;
/// Longest id.
const ID_BYTES: usize = 1_024;
/// What is added to a result of 2026-07-28 that does not say it.
const TYPE: &str = "\"resultType\":\"complete\"";

/// A response on its way.
#[derive(Debug)]
pub struct Passing {
    host_id: Box<[u8]>,
    /// Whether the host must be told the type of the result.
    adds_type: bool,
    state: State,
    /// Whether the members that are read are those of the result.
    within: bool,
    key: Vec<u8>,
    value: Value,
    /// The bytes of a value that is looked at: the id, and how a call ended.
    text: Vec<u8>,
    id: Option<Box<[u8]>>,
    has_result: bool,
    has_type: bool,
    is_failure: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Start,
    /// Before a key; whether it is the first of its object.
    BeforeKey(bool),
    Key {
        escaped: bool,
    },
    AfterKey,
    BeforeValue,
    Value(Kept),
    AfterValue,
    End,
}

/// What becomes of a value's bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kept {
    /// They pass.
    Passed,
    /// They pass and are looked at.
    Noted,
    /// Something else passes in their place.
    Replaced,
}

/// Where in a value it stands.
#[derive(Debug, Clone, Copy, Default)]
struct Value {
    nesting: usize,
    in_text: bool,
    escaped: bool,
}

/// It is not a response with a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotAResult {
    /// Not as JSON is written, as far as that is looked at.
    #[error("it is not JSON")]
    NotJson,
    /// Too deep.
    #[error("it is nested too deeply")]
    TooDeep,
    /// A member of the message comes twice, or in other letters.
    #[error("its members are ambiguous")]
    Ambiguous,
    /// A request, a notification, an error, or nothing of the kind.
    #[error("it is no result")]
    Other,
    /// It has not come to its end.
    #[error("it broke off")]
    Unfinished,
}

// === impl Passing ===

impl Passing {
    /// A response that gets this id, and its type if it must say one.
    pub fn new(host_id: &str, adds_type: bool) -> Self {
        Self {
            host_id: host_id.as_bytes().into(),
            adds_type,
            state: State::Start,
            within: false,
            key: Vec::new(),
            value: Value::default(),
            text: Vec::new(),
            id: None,
            has_result: false,
            has_type: false,
            is_failure: false,
        }
    }

    /// The id that the server wrote, once it has come.
    pub fn id(&self) -> Option<&str> {
        std::str::from_utf8(self.id.as_deref()?).ok()
    }

    /// Whether a result has begun to come.
    pub fn has_result(&self) -> bool {
        self.has_result
    }

    /// Whether the result says that the call failed.
    pub fn is_failure(&self) -> bool {
        self.is_failure
    }

    /// Whether it is complete, with all that a response has.
    ///
    /// # Errors
    ///
    /// What is missing.
    pub fn finish(&self) -> Result<(), NotAResult> {
        match (self.state, self.has_result, self.id.is_some()) {
            (State::End, true, true) => Ok(()),
            (State::End, ..) => Err(NotAResult::Other),
            _ => Err(NotAResult::Unfinished),
        }
    }

    /// Takes the next bytes, and writes what passes.
    ///
    /// # Errors
    ///
    /// When it cannot be a result. What was written then must not be taken for one.
    pub fn feed(&mut self, bytes: &[u8], out: &mut BytesMut) -> Result<(), NotAResult> {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            at += match self.state {
                State::Value(kept) => self.pass_value(kept, rest, out)?,
                State::Key { escaped } => self.pass_key(escaped, rest, out)?,
                _ => self.step(rest, out)?,
            };
        }
        Ok(())
    }

    /// One byte between keys and values. How many were taken.
    fn step(&mut self, rest: &[u8], out: &mut BytesMut) -> Result<usize, NotAResult> {
        let Some(byte) = rest.first().copied() else {
            return Ok(0);
        };
        if byte.is_ascii_whitespace() {
            out.extend_from_slice(&[byte]);
            return Ok(1);
        }
        self.state = match (self.state, byte) {
            (State::Start, b'{') => State::BeforeKey(true),
            (State::BeforeKey(_), b'"') => {
                self.key.clear();
                State::Key { escaped: false }
            }
            (State::AfterKey, b':') => State::BeforeValue,
            (State::BeforeValue, _) => return self.begin_value(byte, out),
            (State::AfterValue, b',') => State::BeforeKey(false),
            (State::AfterValue | State::BeforeKey(true), b'}') => self.close(out),
            _ => return Err(NotAResult::NotJson),
        };
        out.extend_from_slice(&[byte]);
        Ok(1)
    }

    fn close(&mut self, out: &mut BytesMut) -> State {
        if !self.within {
            return State::End;
        }
        if self.adds_type && !self.has_type {
            if self.state == State::AfterValue {
                out.extend_from_slice(b",");
            }
            out.extend_from_slice(TYPE.as_bytes());
        }
        self.within = false;
        State::AfterValue
    }

    fn pass_key(&mut self, mut escaped: bool, rest: &[u8], out: &mut BytesMut) -> Result<usize, NotAResult> {
        for (at, byte) in rest.iter().enumerate() {
            if !escaped && *byte == b'"' {
                self.state = State::AfterKey;
                out.extend_from_slice(rest.get(..=at).unwrap_or_default());
                return Ok(at + 1);
            }
            escaped = !escaped && *byte == b'\\';
            if self.key.len() <= KEY_BYTES {
                self.key.push(*byte);
            }
        }
        self.state = State::Key { escaped };
        out.extend_from_slice(rest);
        Ok(rest.len())
    }

    /// The key as it is meant; nothing of one that is too long to matter.
    fn key(&self) -> Result<Option<Cow<'_, str>>, NotAResult> {
        if self.key.len() > KEY_BYTES {
            return Ok(None);
        }
        let text = std::str::from_utf8(&self.key).map_err(|_| NotAResult::NotJson)?;
        if !text.contains('\\') {
            return Ok(Some(Cow::Borrowed(text)));
        }
        let meant = serde_json::from_str::<String>(&format!("\"{text}\""));
        meant
            .map(|key| Some(Cow::Owned(key)))
            .map_err(|_| NotAResult::NotJson)
    }

    fn begin_value(&mut self, byte: u8, out: &mut BytesMut) -> Result<usize, NotAResult> {
        if matches!(byte, b',' | b':' | b'}' | b']') {
            return Err(NotAResult::NotJson);
        }
        let key = self.key()?.unwrap_or_default().into_owned();
        let kept = if self.within {
            self.has_type |= key == "resultType";
            if key == "isError" {
                Kept::Noted
            } else {
                Kept::Passed
            }
        } else {
            self.member(&key)?
        };
        if !self.within && key == "result" && byte == b'{' {
            self.within = true;
            self.state = State::BeforeKey(true);
            out.extend_from_slice(b"{");
            return Ok(1);
        }
        self.value = Value::default();
        self.text.clear();
        self.state = State::Value(kept);
        Ok(0)
    }

    /// A member of the message.
    fn member(&mut self, key: &str) -> Result<Kept, NotAResult> {
        match key {
            "id" if self.id.is_none() => Ok(Kept::Replaced),
            "result" if !self.has_result => {
                self.has_result = true;
                Ok(Kept::Passed)
            }
            "id" | "result" => Err(NotAResult::Ambiguous),
            "method" | "params" | "error" => Err(NotAResult::Other),
            _ if ["id", "result", "method", "error"]
                .iter()
                .any(|name| name.eq_ignore_ascii_case(key)) =>
            {
                Err(NotAResult::Ambiguous)
            }
            _ => Ok(Kept::Passed),
        }
    }

    fn pass_value(&mut self, kept: Kept, rest: &[u8], out: &mut BytesMut) -> Result<usize, NotAResult> {
        let (taken, is_over) = self.value.take(rest)?;
        let part = rest.get(..taken).unwrap_or_default();
        if kept != Kept::Replaced {
            out.extend_from_slice(part);
        }
        if kept != Kept::Passed {
            if self.text.len() + part.len() > ID_BYTES {
                return Err(NotAResult::Other);
            }
            self.text.extend_from_slice(part);
        }
        if is_over {
            match kept {
                Kept::Passed => {}
                Kept::Noted => self.is_failure = self.text == b"true",
                Kept::Replaced => {
                    self.id = Some(self.text.as_slice().into());
                    out.extend_from_slice(&self.host_id);
                }
            }
            self.state = State::AfterValue;
        }
        Ok(taken)
    }
}

// === impl Value ===

impl Value {
    /// How much belongs to the value, and whether it is over.
    fn take(&mut self, bytes: &[u8]) -> Result<(usize, bool), NotAResult> {
        let mut at = 0;
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            if self.in_text {
                at += self.pass_text(rest);
                if !self.in_text && self.nesting == 0 {
                    return Ok((at, true));
                }
                continue;
            }
            let turns = |byte: &u8| {
                matches!(byte, b'"' | b'[' | b'{' | b']' | b'}') || (self.nesting == 0 && ends(*byte))
            };
            let Some(next) = rest.iter().position(turns) else {
                return Ok((bytes.len(), false));
            };
            match rest.get(next) {
                Some(b'"') => self.in_text = true,
                Some(b'[' | b'{') => {
                    self.nesting += 1;
                    if self.nesting + 2 > MAX_DEPTH {
                        return Err(NotAResult::TooDeep);
                    }
                }
                Some(b']' | b'}') if self.nesting > 0 => {
                    self.nesting -= 1;
                    if self.nesting == 0 {
                        return Ok((at + next + 1, true));
                    }
                }
                // A number or a word ends where something else begins.
                _ => return Ok((at + next, true)),
            }
            at += next + 1;
        }
        Ok((at, false))
    }

    fn pass_text(&mut self, rest: &[u8]) -> usize {
        let mut at = 0;
        if std::mem::take(&mut self.escaped) {
            at = 1;
        }
        while let Some(found) = rest.get(at..).and_then(|tail| memchr::memchr2(b'"', b'\\', tail)) {
            at += found;
            if rest.get(at) == Some(&b'"') {
                self.in_text = false;
                return at + 1;
            }
            if at + 1 >= rest.len() {
                self.escaped = true;
                return rest.len();
            }
            at += 2;
        }
        rest.len()
    }
}

fn ends(byte: u8) -> bool {
    byte == b',' || byte.is_ascii_whitespace()
}

#[cfg(test)]
mod tests;
