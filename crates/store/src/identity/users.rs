//! Users: made, changed, noted when a provider vouched for them, removed with everything that is theirs.

use portreeve_core::audit::AuditEvent;
use portreeve_core::caller::{Principal, User};
use portreeve_core::grant::Subject;
use portreeve_core::id::UserId;
use portreeve_core::name::GroupName;
use portreeve_core::ports::StoreError;
use portreeve_core::user::{ExternalIdentity, UserChange, UserOrigin};

use super::managers::{Before, managing};
use super::names;
use crate::change::Change;
use crate::engine::{Row, Sql};
use crate::fields::json_text;
use crate::oauth::end_allowed;
use crate::store::Store;

macro_rules! user_columns {
    () => {
        "id, name, display_name, email, origin, issuer, subject, member_of, provider_groups, created_at, \
         disabled_at, signed_in_at"
    };
}

pub(crate) const USERS: &str = concat!("SELECT ", user_columns!(), " FROM users ORDER BY created_at, id");
const ONE: &str = concat!("SELECT ", user_columns!(), " FROM users WHERE id = $1");
const ADD: &str = concat!(
    "INSERT INTO users (",
    user_columns!(),
    ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)"
);

fn unknown(id: UserId) -> StoreError {
    StoreError::NotFound {
        what: format!("user `{id}`"),
    }
}

fn taken(user: &User) -> StoreError {
    StoreError::Conflict {
        what: format!("user `{}`", user.name),
    }
}

/// Stores a user unless there is one of that identity.
pub(super) async fn ensure(store: &Store, user: &User, event: AuditEvent) -> Result<bool, StoreError> {
    let mut change = Change::begin(store).await?;
    let known = Sql::new("SELECT id FROM users WHERE id = $1").bind(user.id.to_string());
    if change.row(known).await?.is_some() {
        change.cancel().await?;
        return Ok(false);
    }
    if names::is_taken(&mut change, user).await? {
        return Err(taken(user));
    }
    let external = user.external.as_ref();
    let sql = Sql::new(ADD)
        .bind(user.id.to_string())
        .bind(&user.name)
        .bind(user.display_name.as_deref())
        .bind(user.email.as_deref())
        .bind(user.origin.as_str())
        .bind(external.map(|external| external.issuer.as_str()))
        .bind(external.map(|external| external.subject.as_str()))
        .bind(json_text("member_of", &user.groups)?)
        .bind(json_text("provider_groups", &user.provider_groups)?)
        .bind(user.created_at)
        .bind(user.disabled_at)
        .bind(user.signed_in_at);
    change.insert(sql, || taken(user)).await?;
    change.record(&[event]).await?;
    change.publish().await?;
    Ok(true)
}

/// Changes what an administrator decides of a user. Who is disabled loses every session with it.
pub(super) async fn change(
    store: &Store,
    id: UserId,
    what: &UserChange,
    event: AuditEvent,
) -> Result<(), StoreError> {
    let mut change = Change::begin(store).await?;
    let before = Before::look(&mut change).await?;
    let sql = match what {
        UserChange::Groups(groups) => Sql::new("UPDATE users SET member_of = $2 WHERE id = $1")
            .bind(id.to_string())
            .bind(json_text("member_of", groups)?),
        UserChange::Disabled(at) => {
            Sql::new("UPDATE users SET disabled_at = coalesce(disabled_at, $2) WHERE id = $1")
                .bind(id.to_string())
                .bind(*at)
        }
        UserChange::Enabled => {
            Sql::new("UPDATE users SET disabled_at = NULL WHERE id = $1").bind(id.to_string())
        }
    };
    if change.execute(sql).await? == 0 {
        return Err(unknown(id));
    }
    before.require_somebody(&mut change).await?;
    if matches!(what, UserChange::Disabled(_)) {
        for text in [
            "DELETE FROM sessions WHERE user_id = $1",
            "DELETE FROM sign_in_links WHERE user_id = $1",
        ] {
            change.execute(Sql::new(text).bind(id.to_string())).await?;
        }
        end_allowed(&mut change, id, event.at).await?;
    }
    change.record(&[event]).await?;
    change.publish().await
}

/// Notes a sign-in. Only what decisions depend on, the groups, makes it a change of the catalogue. Tells which groups stay
/// that the provider names no more: nobody else manages everything, and no answer of a provider locks everybody out.
pub(super) async fn signed_in(store: &Store, user: &User) -> Result<Vec<GroupName>, StoreError> {
    let mut change = Change::begin(store).await?;
    let found = change.row(Sql::new(ONE).bind(user.id.to_string())).await?;
    let had = user_of(&found.ok_or_else(|| unknown(user.id))?)?.provider_groups;
    if had == user.provider_groups {
        describe(&mut change, user, &had).await?;
        change.save().await?;
        return Ok(Vec::new());
    }
    let before = Before::look(&mut change).await?;
    describe(&mut change, user, &user.provider_groups).await?;
    let mut kept = Vec::new();
    if before.nobody_is_left(&mut change).await? {
        kept = managing(&mut change, &had).await?;
        let mut groups = user.provider_groups.clone();
        groups.extend(kept.iter().cloned());
        groups.sort();
        describe(&mut change, user, &groups).await?;
    }
    change.publish().await?;
    Ok(kept)
}

/// Writes down what a provider says of a user, with these groups.
async fn describe(change: &mut Change, user: &User, groups: &[GroupName]) -> Result<(), StoreError> {
    let sql = Sql::new(
        "UPDATE users SET display_name = $2, email = $3, provider_groups = $4, signed_in_at = $5 WHERE id = $1",
    )
    .bind(user.id.to_string())
    .bind(user.display_name.as_deref())
    .bind(user.email.as_deref())
    .bind(json_text("provider_groups", groups)?)
    .bind(user.signed_in_at);
    change.execute(sql).await.map(drop)
}

/// Removes a user, and first what refers to it.
pub(super) async fn remove(store: &Store, id: UserId, event: AuditEvent) -> Result<(), StoreError> {
    let mut change = Change::begin(store).await?;
    let before = Before::look(&mut change).await?;
    let grants = Sql::new("DELETE FROM access_grants WHERE subject = $1")
        .bind(json_text("subject", &Subject::User(id))?);
    change.execute(grants).await?;
    let keys = Sql::new("DELETE FROM api_keys WHERE owner = $1").bind(id.to_string());
    change.execute(keys).await?;
    let requests =
        Sql::new("DELETE FROM access_requests WHERE principal = $1").bind(Principal::User(id).to_string());
    change.execute(requests).await?;
    // Who comes back with the same identity is asked again.
    let consents = Sql::new("DELETE FROM oauth_consents WHERE user_id = $1").bind(id.to_string());
    change.execute(consents).await?;
    end_allowed(&mut change, id, event.at).await?;
    names::keep(&mut change, id, event.at).await?;
    let user = Sql::new("DELETE FROM users WHERE id = $1").bind(id.to_string());
    if change.execute(user).await? == 0 {
        return Err(unknown(id));
    }
    before.require_somebody(&mut change).await?;
    change.record(&[event]).await?;
    change.publish().await
}

/// Reads a user.
pub(crate) fn user_of(row: &Row) -> Result<User, StoreError> {
    let external = row.optional_text("issuer")?.zip(row.optional_text("subject")?);
    Ok(User {
        id: row.parsed("id")?,
        name: row.text("name")?,
        display_name: row.optional_text("display_name")?,
        email: row.optional_text("email")?,
        origin: row.word("origin", UserOrigin::from_word)?,
        external: external.map(|(issuer, subject)| ExternalIdentity { issuer, subject }),
        groups: row.json("member_of")?,
        provider_groups: row.json("provider_groups")?,
        created_at: row.moment("created_at")?,
        disabled_at: row.optional_moment("disabled_at")?,
        signed_in_at: row.optional_moment("signed_in_at")?,
    })
}
