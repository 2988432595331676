//! Small things that several ports say alike: words of eras, JSON texts, texts short enough for an index.

use portreeve_core::deployment::Major;
use portreeve_core::ports::StoreError;
use portreeve_core::protocol::Era;
use serde::Serialize;

use crate::engine::Row;

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

/// A major version as it is stored; keys take no null, so none is the empty text.
pub(crate) fn major_text(major: Option<Major>) -> String {
    major.map(|major| major.to_string()).unwrap_or_default()
}

/// Reads it.
pub(crate) fn major_of(row: &Row, column: &str) -> Result<Option<Major>, StoreError> {
    if row.text(column)?.is_empty() {
        return Ok(None);
    }
    row.parsed(column).map(Some)
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
