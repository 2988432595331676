//! Byte splices: parts of a message are replaced, every other byte stays as it was.

use std::ops::Range;

/// Replacements in one body. Parts are named by slices of that same body.
#[derive(Debug)]
pub struct Splice<'a> {
    body: &'a [u8],
    edits: Vec<(Range<usize>, Vec<u8>)>,
}

/// A part that does not lie in the body, or overlaps another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the part to replace does not lie in the body, or overlaps another one")]
pub struct Misplaced;

impl<'a> Splice<'a> {
    /// A body without edits.
    pub fn new(body: &'a [u8]) -> Self {
        Self {
            body,
            edits: Vec::new(),
        }
    }

    /// Replaces a part, given as a slice of the body itself.
    pub fn replace(&mut self, part: &str, with: impl Into<Vec<u8>>) -> Result<&mut Self, Misplaced> {
        let range = self.place_of(part)?;
        self.replace_at(range, with)
    }

    /// Replaces a part, given by its place in the body.
    pub fn replace_at(
        &mut self,
        range: Range<usize>,
        with: impl Into<Vec<u8>>,
    ) -> Result<&mut Self, Misplaced> {
        if range.is_empty() || range.end > self.body.len() {
            return Err(Misplaced);
        }
        self.edit(range, with.into())
    }

    /// Puts something in before this place. What is put in at one place stands in the order in which it came.
    pub fn insert(&mut self, at: usize, with: impl Into<Vec<u8>>) -> Result<&mut Self, Misplaced> {
        if at > self.body.len() {
            return Err(Misplaced);
        }
        self.edit(at..at, with.into())
    }

    /// Keeps the edits in the order of their places, so that only neighbours can overlap: a body may have very many.
    fn edit(&mut self, range: Range<usize>, with: Vec<u8>) -> Result<&mut Self, Misplaced> {
        let order = |place: &Range<usize>| (place.start, place.end);
        let at = self
            .edits
            .partition_point(|(other, _)| order(other) <= order(&range));
        let (before, after) = self.edits.split_at(at);
        let meets_before = before.last().is_some_and(|(other, _)| other.end > range.start);
        let meets_after = after.first().is_some_and(|(other, _)| other.start < range.end);
        if meets_before || meets_after {
            return Err(Misplaced);
        }
        self.edits.insert(at, (range, with));
        Ok(self)
    }

    /// Where a part lies, given as a slice of the body itself.
    pub fn place_of(&self, part: &str) -> Result<Range<usize>, Misplaced> {
        let start = (part.as_ptr() as usize)
            .checked_sub(self.body.as_ptr() as usize)
            .ok_or(Misplaced)?;
        let end = start.checked_add(part.len()).ok_or(Misplaced)?;
        if part.is_empty() || end > self.body.len() {
            Err(Misplaced)
        } else {
            Ok(start..end)
        }
    }

    /// The body with its edits.
    pub fn finish(self) -> Vec<u8> {
        let added: usize = self.edits.iter().map(|(_, with)| with.len()).sum();
        let mut out = Vec::with_capacity(self.body.len() + added);
        let mut done = 0;
        for (range, with) in &self.edits {
            out.extend_from_slice(self.body.get(done..range.start).unwrap_or_default());
            out.extend_from_slice(with);
            done = range.end;
        }
        out.extend_from_slice(self.body.get(done..).unwrap_or_default());
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::Message;

    proptest::proptest! {
        #[test]
        fn replacing_an_id_changes_no_other_byte(
            before in "[ \n]{0,3}", extra in "[a-z]{0,8}", value in "[a-zA-Z0-9 \\[\\]{},:]{0,30}", new in 0_u64..u64::MAX,
        ) {
            let body = format!(
                r#"{before}{{"x{extra}": "{value}", "id" : "old" ,"jsonrpc":"2.0","method":"m","params":{{"id":"old"}}}}"#
            );
            let Ok(Message::Request { id, .. }) = Message::parse(body.as_bytes()) else {
                return Err(proptest::test_runner::TestCaseError::fail("not a request"));
            };
            let mut splice = Splice::new(body.as_bytes());
            splice.replace(id.get(), new.to_string()).unwrap();
            let expected = body.replacen("\"old\"", &new.to_string(), 1);
            proptest::prop_assert_eq!(String::from_utf8(splice.finish()).unwrap(), expected);
        }
    }

    #[test]
    fn foreign_and_overlapping_parts_are_refused() {
        let body = String::from("abcdef");
        let mut splice = Splice::new(body.as_bytes());
        assert_eq!(splice.replace("abc", "x").err(), Some(Misplaced));
        let part = body.get(1..4).unwrap();
        splice.replace(part, "x").unwrap();
        assert_eq!(
            splice.replace(body.get(3..5).unwrap(), "y").err(),
            Some(Misplaced)
        );
        assert_eq!(splice.finish(), b"axef");
    }
}
