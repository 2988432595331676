//! The authorization server's clients and authorizations. Decisions do not depend on them, so they are no change of the
//! catalogue: access tokens carry what they say, and those that ended are told of elsewhere.

mod authorizations;
mod clients;
mod pending;
mod sweep;

use portreeve_core::caller::Principal;
use portreeve_core::id::UserId;
use portreeve_core::oauth::{Authorization, Scopes};
use portreeve_core::ports::StoreError;
use portreeve_core::time::Timestamp;

use crate::change::Change;
use crate::engine::{Row, Sql};

/// Scopes as they are stored: with spaces between.
fn scopes_of(row: &Row) -> Result<Scopes, StoreError> {
    Ok(Scopes::known_in(&row.text("scopes")?))
}

fn authorization_of(row: &Row) -> Result<Authorization, StoreError> {
    Ok(Authorization {
        id: row.parsed("id")?,
        client: row.parsed("client")?,
        principal: row.parsed("principal")?,
        resource: row.text("resource")?,
        scopes: scopes_of(row)?,
        signed_in_at: row.optional_moment("signed_in_at")?,
        granted_at: row.moment("granted_at")?,
        used_at: row.moment("used_at")?,
        ended_at: row.optional_moment("ended_at")?,
    })
}

/// Ends whatever clients were allowed in somebody's name.
pub(crate) async fn end_allowed(change: &mut Change, user: UserId, at: Timestamp) -> Result<(), StoreError> {
    let sql =
        Sql::new("UPDATE oauth_authorizations SET ended_at = $2 WHERE principal = $1 AND ended_at IS NULL");
    let sql = sql.bind(Principal::User(user).to_string()).bind(at);
    change.execute(sql).await.map(drop)
}
