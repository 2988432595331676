//! The authorization server's clients and authorizations. Decisions do not depend on them, so they are no change of the
//! catalogue: access tokens carry what they say, and those that ended are told of elsewhere.

mod authorizations;
mod clients;
mod pending;
mod sweep;

use portreeve_core::oauth::{Authorization, Scopes};
use portreeve_core::ports::StoreError;

use crate::engine::Row;

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
        granted_at: row.moment("granted_at")?,
        used_at: row.moment("used_at")?,
        ended_at: row.optional_moment("ended_at")?,
    })
}
