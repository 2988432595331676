//! Why something could not be inspected.

/// Why a text was refused. Always the fault of whoever wrote the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InspectError {
    /// Not JSON, or a number that no double can hold, or half of a surrogate pair.
    #[error("this is not valid JSON: {reason} at line {line}, column {column}")]
    NotJson {
        /// What the parser met.
        reason: String,
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// A key appears twice in one object.
    #[error("the key `{key}` appears twice in one object")]
    DuplicateKey {
        /// The key, cut to 100 characters.
        key: String,
    },
    /// Objects and arrays are nested too deeply.
    #[error("the JSON is nested more than {limit} levels deep")]
    TooDeep {
        /// The limit.
        limit: usize,
    },
    /// A tool definition that is not an object.
    #[error("a tool definition must be a JSON object, and this is {found}")]
    NotAnObject {
        /// What it is instead, as words.
        found: &'static str,
    },
    /// A JSON Schema that cannot be used.
    #[error("this is not a JSON Schema that can be used: {reason}")]
    Schema {
        /// Why.
        reason: String,
    },
    /// A tool definition without a usable name.
    #[error("the tool definition has no usable name: `name` {problem}")]
    ToolName {
        /// What is wrong with it.
        problem: &'static str,
    },
}

impl InspectError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NotJson { .. } => "correct the JSON at that place",
            Self::DuplicateKey { .. } => {
                "keep one of the two: programs disagree about which of them counts, so nobody could tell what was approved"
            }
            Self::TooDeep { .. } => "flatten the document, or move repeated parts into `$defs`",
            Self::NotAnObject { .. } => "send one definition as it stands in the result of `tools/list`",
            Self::Schema { .. } => {
                "write a JSON Schema (draft 2020-12) without references to other documents"
            }
            Self::ToolName { .. } => "give the tool a `name` of 1 to 256 characters",
        }
    }
}
