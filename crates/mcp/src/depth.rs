//! A bound on nesting and size of JSON, checked before anything recurses into it.

use portreeve_core::limits::Limits;

/// Deepest nesting of arrays and objects that is accepted.
pub const MAX_DEPTH: usize = Limits::JSON_DEPTH;
/// Most values that are accepted.
pub const MAX_NODES: usize = Limits::JSON_NODES;

/// Why a body is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TooComplex {
    /// Nested too deeply.
    #[error("the JSON is nested deeper than {MAX_DEPTH} levels")]
    Depth,
    /// Too many values.
    #[error("the JSON has more than {MAX_NODES} values")]
    Nodes,
}

/// Checks the bounds in one pass. Says nothing about whether the bytes are JSON.
pub fn check(json: &[u8]) -> Result<(), TooComplex> {
    let mut depth = 0_usize;
    let mut nodes = 0_usize;
    let mut rest = json;
    while let Some(at) = rest
        .iter()
        .position(|byte| matches!(byte, b'"' | b'[' | b'{' | b']' | b'}' | b','))
    {
        let (found, after) = match rest.get(at..).and_then(|tail| tail.split_first()) {
            Some(split) => split,
            None => break,
        };
        rest = after;
        match found {
            b'"' => rest = after_string(rest),
            b'[' | b'{' => {
                depth += 1;
                nodes += 1;
            }
            b',' => nodes += 1,
            _ => depth = depth.saturating_sub(1),
        }
        if depth > MAX_DEPTH {
            return Err(TooComplex::Depth);
        }
        if nodes > MAX_NODES {
            return Err(TooComplex::Nodes);
        }
    }
    Ok(())
}

/// What follows the closing quote of a string whose opening quote was just read.
pub(crate) fn after_string(mut rest: &[u8]) -> &[u8] {
    while let Some(at) = memchr::memchr2(b'"', b'\\', rest) {
        let skip = if rest.get(at) == Some(&b'"') {
            at + 1
        } else {
            at + 2
        };
        let closed = rest.get(at) == Some(&b'"');
        rest = rest.get(skip..).unwrap_or_default();
        if closed {
            return rest;
        }
    }
    &[]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_exact_and_strings_do_not_count() {
        let nested = |depth: usize| [vec![b'['; depth], vec![b']'; depth]].concat();
        assert_eq!(check(&nested(MAX_DEPTH)), Ok(()));
        assert_eq!(check(&nested(MAX_DEPTH + 1)), Err(TooComplex::Depth));
        assert_eq!(check(&[b'['; 1_000_000]), Err(TooComplex::Depth));
        assert_eq!(
            check(format!("[{}1]", "1,".repeat(MAX_NODES)).as_bytes()),
            Err(TooComplex::Nodes)
        );
        assert_eq!(
            check(format!("[\"{}\\\"[[\"]", "[".repeat(1_000)).as_bytes()),
            Ok(())
        );
    }
}
