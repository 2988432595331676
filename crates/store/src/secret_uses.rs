//! Who names which secret: written together with what names it, so that no secret is removed from under its users, and
//! nobody names one that is not there.

use portreeve_core::name::SecretName;
use portreeve_core::ports::StoreError;
use portreeve_core::vault::SecretUse;

use crate::change::Change;
use crate::engine::{Row, Sql};

/// Who names a secret, by kind and name.
pub(crate) const USES: &str =
    "SELECT kind, used_by FROM secret_uses WHERE secret = $1 ORDER BY kind, used_by";

/// Notes that something names these secrets now, and no others. A secret that it named before may be gone, a new one
/// must be there.
pub(crate) async fn note(
    change: &mut Change,
    (kind, used_by): (&str, &str),
    secrets: impl Iterator<Item = &SecretName> + Send,
) -> Result<(), StoreError> {
    let named = Sql::new("SELECT secret FROM secret_uses WHERE kind = $1 AND used_by = $2");
    let named = change.rows(named.bind(kind).bind(used_by)).await?;
    let named: Vec<String> = named
        .iter()
        .map(|row| row.text("secret"))
        .collect::<Result<_, _>>()?;
    forget(change, (kind, used_by)).await?;
    for name in secrets {
        let found = Sql::new("SELECT revision FROM secrets WHERE name = $1").bind(name.as_str());
        if change.row(found).await?.is_none() && !named.iter().any(|known| known == name.as_str()) {
            return Err(StoreError::NotFound {
                what: format!("secret `{name}`"),
            });
        }
        let sql = Sql::new(
            "INSERT INTO secret_uses (secret, kind, used_by) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        );
        change
            .execute(sql.bind(name.as_str()).bind(kind).bind(used_by))
            .await?;
    }
    Ok(())
}

/// Notes that something names no secret any more.
pub(crate) async fn forget(change: &mut Change, (kind, used_by): (&str, &str)) -> Result<(), StoreError> {
    let sql = Sql::new("DELETE FROM secret_uses WHERE kind = $1 AND used_by = $2");
    change.execute(sql.bind(kind).bind(used_by)).await.map(drop)
}

pub(crate) fn use_of(row: &Row) -> Result<SecretUse, StoreError> {
    Ok(SecretUse {
        kind: row.text("kind")?,
        name: row.text("used_by")?,
    })
}
