//! The link of the chain, and bytes as hex.

use std::fmt;

use aws_lc_rs::digest;

/// The hash of a record, which covers all records before it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ChainHash([u8; 32]);

/// The end of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainHead {
    /// The last record's place; 0 when there is none.
    pub sequence: i64,
    /// The last record's hash.
    pub hash: ChainHash,
}

// === impl ChainHash ===

impl ChainHash {
    /// What stands before the first record.
    pub(crate) const GENESIS: Self = Self([0; 32]);

    /// The hash of the record that follows.
    pub(crate) fn next(&self, sequence: i64, body: &[u8]) -> Self {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(&self.0);
        context.update(&sequence.to_be_bytes());
        context.update(body);
        let mut hash = [0; 32];
        hash.copy_from_slice(context.finish().as_ref());
        Self(hash)
    }

    /// Reads 64 hex digits.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        from_hex(text)?.try_into().ok().map(Self)
    }
}

impl fmt::Display for ChainHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&to_hex(&self.0))
    }
}

impl fmt::Debug for ChainHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

// === impl ChainHead ===

impl ChainHead {
    /// The head of a chain without records.
    pub const EMPTY: Self = Self {
        sequence: 0,
        hash: ChainHash::GENESIS,
    };
}

/// Bytes as lower-case hex.
pub(crate) fn to_hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS.get(usize::from(nibble)).copied().unwrap_or(b'0'));
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 15));
    }
    text
}

/// Lower-case hex as bytes.
pub(crate) fn from_hex(text: &str) -> Option<Vec<u8>> {
    let nibble = |digit: u8| match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs
        .iter()
        .map(|[high, low]| Some(nibble(*high)? << 4 | nibble(*low)?))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{ChainHash, from_hex, to_hex};

    #[test]
    fn the_first_link_is_what_the_format_says() {
        let mut bytes = vec![0_u8; 32];
        bytes.extend([0, 0, 0, 0, 0, 0, 0, 1]);
        bytes.extend(b"{}");
        let plain = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &bytes);
        assert_eq!(
            ChainHash::GENESIS.next(1, b"{}").to_string(),
            to_hex(plain.as_ref())
        );
    }

    #[test]
    fn only_whole_lower_case_hex_is_read() {
        assert_eq!(from_hex("00ff"), Some(vec![0, 255]));
        for text in ["0", "0g", "FF", "é"] {
            assert_eq!(from_hex(text), None, "{text}");
        }
        assert_eq!(ChainHash::parse("00"), None);
    }
}
