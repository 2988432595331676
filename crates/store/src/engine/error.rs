//! What a database error means: whether trying again may help, or whether the data itself is bad.

use portreeve_core::ports::StoreError;

/// The error as the ports know it.
pub(crate) fn failure(error: sqlx::Error) -> StoreError {
    match &error {
        sqlx::Error::ColumnDecode { index, .. } => StoreError::Corrupt {
            what: format!("a value of `{index}`"),
        },
        sqlx::Error::Decode(_) => StoreError::Corrupt {
            what: "a value".to_owned(),
        },
        sqlx::Error::Database(database) if is_damage(&**database) => StoreError::Corrupt {
            what: format!("a damaged file or page ({database})"),
        },
        sqlx::Error::Database(database) if database.is_unique_violation() => StoreError::Conflict {
            what: database
                .constraint()
                .map_or_else(|| "a record".to_owned(), |name| format!("a record of `{name}`")),
        },
        sqlx::Error::Database(database) if database.is_foreign_key_violation() => StoreError::NotFound {
            what: "what the record refers to".to_owned(),
        },
        _ => StoreError::Unavailable(Box::new(error)),
    }
}

/// SQLite's `CORRUPT` (11) and `NOTADB` (26), PostgreSQL's class XX of damaged data and indexes.
fn is_damage(error: &dyn sqlx::error::DatabaseError) -> bool {
    let Some(code) = error.code() else { return false };
    if error.try_downcast_ref::<sqlx::sqlite::SqliteError>().is_some() {
        return code
            .parse::<i32>()
            .is_ok_and(|code| matches!(code & 0xff, 11 | 26));
    }
    matches!(&*code, "XX001" | "XX002")
}
