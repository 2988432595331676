//! A statement with its values, written once for both engines. The step after it is a pool or a transaction.

use std::borrow::Cow;
use std::fmt::Write as _;

use portreeve_core::time::Timestamp;
use sqlx::database::Database;
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Encode, SqlSafeStr as _, SqlStr, Type};

/// A value for a parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    /// A text, or none.
    Text(Option<String>),
    /// A number or a moment, or none.
    Integer(Option<i64>),
    /// Yes or no.
    Boolean(bool),
    /// Bytes as they are.
    Bytes(Vec<u8>),
}

/// A statement with its values.
#[derive(Debug)]
pub(crate) struct Sql {
    text: Cow<'static, str>,
    values: Vec<Value>,
    /// Whether the statement is kept prepared although it was put together.
    is_kept: bool,
}

// === impl Value ===

/// PostgreSQL cannot store the character NUL, so neither engine does: names with one are never equal to what came
/// from outside, and so are never approved.
fn without_nul(text: &str) -> String {
    if text.contains('\0') {
        text.replace('\0', "\u{FFFD}")
    } else {
        text.to_owned()
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(Some(without_nul(text)))
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::from(text.as_str())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        if text.contains('\0') {
            Self::from(text.as_str())
        } else {
            Self::Text(Some(text))
        }
    }
}

impl From<Option<String>> for Value {
    fn from(text: Option<String>) -> Self {
        text.map_or(Self::Text(None), Self::from)
    }
}

impl From<Option<&str>> for Value {
    fn from(text: Option<&str>) -> Self {
        text.map_or(Self::Text(None), Self::from)
    }
}

impl From<i64> for Value {
    fn from(number: i64) -> Self {
        Self::Integer(Some(number))
    }
}

impl From<u64> for Value {
    fn from(number: u64) -> Self {
        Self::Integer(Some(i64::try_from(number).unwrap_or(i64::MAX)))
    }
}

impl From<Timestamp> for Value {
    fn from(at: Timestamp) -> Self {
        Self::Integer(Some(at.as_millis()))
    }
}

impl From<Option<Timestamp>> for Value {
    fn from(at: Option<Timestamp>) -> Self {
        Self::Integer(at.map(Timestamp::as_millis))
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Boolean(value)
    }
}

impl From<Vec<u8>> for Value {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes)
    }
}

// === impl Sql ===

impl Sql {
    /// A statement whose values are added by [`Sql::bind`] in the order of `$1..$n`.
    pub(crate) const fn new(text: &'static str) -> Self {
        Self {
            text: Cow::Borrowed(text),
            values: Vec::new(),
            is_kept: true,
        }
    }

    /// A statement that was put together from parts of our own. Nothing from outside may be in the text.
    pub(crate) fn built(text: String, values: Vec<Value>) -> Self {
        Self {
            text: Cow::Owned(text),
            values,
            is_kept: false,
        }
    }

    /// A statement of one text with many values, kept prepared.
    pub(crate) const fn kept(text: &'static str, values: Vec<Value>) -> Self {
        Self {
            text: Cow::Borrowed(text),
            values,
            is_kept: true,
        }
    }

    /// Adds the next value.
    #[must_use]
    pub(crate) fn bind(mut self, value: impl Into<Value>) -> Self {
        self.values.push(value.into());
        self
    }

    /// Keeps the statement prepared: it was put together, but has few forms and is asked often.
    #[must_use]
    pub(crate) fn keeping(mut self) -> Self {
        self.is_kept = true;
        self
    }

    /// Writes more text.
    pub(crate) fn push(&mut self, text: &'static str) {
        self.is_kept = false;
        self.text.to_mut().push_str(text);
    }

    /// Writes more text and, behind it, the parameter for a value: `push_bound(" AND actor = ", actor)`.
    pub(crate) fn push_bound(&mut self, text: &'static str, value: impl Into<Value>) {
        self.values.push(value.into());
        self.is_kept = false;
        // Writing to a String cannot fail.
        let _ = write!(self.text.to_mut(), "{text}${}", self.values.len());
    }

    /// The statement as a query of one engine. Texts that were put together are not kept prepared, unless that was asked:
    /// there are many.
    pub(super) fn query<'q, DB>(self) -> Query<'q, DB, <DB as Database>::Arguments>
    where
        DB: Database + sqlx::database::HasStatementCache,
        Option<String>: Encode<'q, DB> + Type<DB>,
        Option<i64>: Encode<'q, DB> + Type<DB>,
        bool: Encode<'q, DB> + Type<DB>,
        Vec<u8>: Encode<'q, DB> + Type<DB>,
    {
        let text: SqlStr = match self.text {
            Cow::Borrowed(text) => text.into_sql_str(),
            Cow::Owned(text) => AssertSqlSafe(text).into_sql_str(),
        };
        let mut query = sqlx::query::<DB>(text).persistent(self.is_kept);
        for value in self.values {
            query = match value {
                Value::Text(text) => query.bind(text),
                Value::Integer(number) => query.bind(number),
                Value::Boolean(value) => query.bind(value),
                Value::Bytes(bytes) => query.bind(bytes),
            };
        }
        query
    }
}

/// `(?, ?), (?, ?), ...`: the same as [`values_list`] where it holds all parameters of a statement for SQLite. There a
/// numbered parameter has a name, and a name is looked up among all before it: hundreds of them cost more than the rows.
pub(crate) fn plain_values_list(rows: usize, columns: usize) -> String {
    let row = format!("({})", vec!["?"; columns].join(", "));
    vec![row; rows].join(", ")
}

/// `($1, $2), ($3, $4), ...`: the rows of an `INSERT`, or with one column the members of an `IN`.
pub(crate) fn values_list(rows: usize, columns: usize) -> String {
    let mut text = String::with_capacity(rows * columns * 7);
    for row in 0..rows {
        text.push_str(if row == 0 { "(" } else { ", (" });
        for column in 0..columns {
            if column > 0 {
                text.push_str(", ");
            }
            let _ = write!(text, "${}", row * columns + column + 1);
        }
        text.push(')');
    }
    text
}

/// The pattern of `LIKE .. ESCAPE '\'` that finds a text anywhere.
pub(crate) fn contains_pattern(text: &str) -> String {
    let mut pattern = String::with_capacity(text.len() + 2);
    pattern.push('%');
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(character);
    }
    pattern.push('%');
    pattern
}

#[cfg(test)]
mod tests {
    use super::{Value, contains_pattern, plain_values_list, values_list};

    #[test]
    fn the_parameters_of_many_rows_are_counted_through() {
        assert_eq!(values_list(2, 3), "($1, $2, $3), ($4, $5, $6)");
        assert_eq!(values_list(3, 1), "($1), ($2), ($3)");
        assert_eq!(plain_values_list(2, 3), "(?, ?, ?), (?, ?, ?)");
    }

    #[test]
    fn wildcards_in_a_search_mean_themselves() {
        assert_eq!(contains_pattern(r"50%_\x"), r"%50\%\_\\x%");
    }

    #[test]
    fn no_value_holds_the_character_nul() {
        assert_eq!(Value::from("a\0b"), Value::Text(Some("a\u{FFFD}b".to_owned())));
        assert_eq!(
            Value::from("a\0b".to_owned()),
            Value::Text(Some("a\u{FFFD}b".to_owned()))
        );
    }
}
