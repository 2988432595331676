//! Small things that several ports say alike: words of eras, JSON texts, texts short enough for an index.

use portreeve_core::ports::StoreError;
use portreeve_core::protocol::Era;
use serde::Serialize;

/// Bytes of a text from outside that are kept in an index. PostgreSQL refuses index entries above 2,700 bytes.
const INDEXED_BYTES: usize = 400;

/// The stored word of an era.
pub(crate) fn era_from_word(word: &str) -> Option<Era> {
    match word {
        "legacy" => Some(Era::Legacy),
        "modern" => Some(Era::Modern),
        _ => None,
    }
}

/// A value as JSON text.
pub(crate) fn json_text<T: Serialize + ?Sized>(what: &str, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|_| StoreError::Corrupt {
        what: format!("a value of `{what}`"),
    })
}

/// The part of a text that is kept in an index.
pub(crate) fn indexed(text: &str) -> &str {
    text.get(..text.floor_char_boundary(INDEXED_BYTES))
        .unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::indexed;

    #[test]
    fn an_indexed_text_is_cut_between_characters() {
        assert_eq!(indexed("short"), "short");
        let long = "é".repeat(300);
        assert_eq!(indexed(&long).len(), 400);
        assert_eq!(indexed(&format!("x{long}")).len(), 399);
    }
}
