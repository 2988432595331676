//! Names of users, which labels hold: `user:ada` reads a registry, approves calls, published what waits; and access
//! policies: `User::"ada"`. Before: `users` makes somebody. After: nobody comes into a right by being called like its holder.

use portreeve_core::caller::User;
use portreeve_core::id::UserId;
use portreeve_core::ports::StoreError;
use portreeve_core::time::Timestamp;
use portreeve_core::user::UserOrigin;

use crate::change::Change;
use crate::engine::Sql;

/// Another one of that name, in whatever case. Every change holds the lock of the catalogue, so two cannot pass at once.
const LIVE: &str = "SELECT id FROM users WHERE lower(name) = $1";

/// Somebody who is gone, or a label. What is JSON holds the label in quotes; no letter of a name is escaped there. Access
/// policies hold the name alone, as `User::"ada"` or compared to `principal.name`; a string that means something else there
/// is taken for it, too.
const USED: &str = "SELECT user_id FROM former_user_names WHERE folded = $1 \
    UNION ALL SELECT name FROM registries WHERE lower(visibility) LIKE $3 ESCAPE '!' \
    UNION ALL SELECT slug FROM routes WHERE lower(policies) LIKE $3 ESCAPE '!' \
    UNION ALL SELECT id FROM call_approvals WHERE lower(approvers) LIKE $3 ESCAPE '!' \
    UNION ALL SELECT name FROM servers WHERE lower(registered_by) = $2 OR lower(proposed_by) = $2 \
    UNION ALL SELECT server FROM versions WHERE lower(submitted_by) = $2 OR lower(decided_by) = $2 \
    UNION ALL SELECT name FROM webhooks WHERE lower(owner) = $2 \
    UNION ALL SELECT name FROM access_policies WHERE lower(body) LIKE $4 ESCAPE '!' \
    LIMIT 1";

/// Whether a new user cannot have its name.
pub(super) async fn is_taken(change: &mut Change, user: &User) -> Result<bool, StoreError> {
    // Names are ASCII, so both engines and we fold them alike.
    let folded = user.name.to_ascii_lowercase();
    if change.row(Sql::new(LIVE).bind(&folded)).await?.is_some() {
        return Ok(true);
    }
    if user.origin == UserOrigin::Local {
        return Ok(false);
    }
    let label = format!("user:{folded}");
    let quoted = |text: &str| {
        let escaped = text.replace('!', "!!").replace('%', "!%").replace('_', "!_");
        format!("%\"{escaped}\"%")
    };
    let (as_label, as_name) = (quoted(&label), quoted(&folded));
    let used = Sql::new(USED).bind(&folded).bind(label).bind(as_label);
    let used = used.bind(as_name);
    Ok(change.row(used).await?.is_some())
}

/// Remembers the name of a user who is about to be removed.
pub(super) async fn keep(change: &mut Change, id: UserId, at: Timestamp) -> Result<(), StoreError> {
    let sql = Sql::new(
        "INSERT INTO former_user_names (folded, user_id, removed_at) SELECT lower(name), id, $2 FROM users \
         WHERE id = $1 ON CONFLICT (folded) DO UPDATE SET user_id = excluded.user_id, removed_at = excluded.removed_at",
    )
    .bind(id.to_string())
    .bind(at);
    change.execute(sql).await?;
    Ok(())
}
