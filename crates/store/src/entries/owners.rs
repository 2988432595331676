//! The groups that own servers. Rights hang on them, so they stand in a table of their own, and a change of them is a
//! change of what decisions are made by.

use portreeve_core::name::GroupName;
use portreeve_core::ports::{Owned, StoreError};
use portreeve_core::server::Server;

use super::save::Moves;
use crate::change::Change;
use crate::engine::{Row, Sql};

/// Every server that groups own, with them.
pub(crate) const OWNED: &str =
    "SELECT server, owner_group FROM server_owner_groups ORDER BY server, owner_group";

/// Keeps the groups of a server as they are now. What is no name of a group owns nothing.
pub(super) async fn save(change: &mut Change, server: &Server, is_new: bool) -> Result<Moves, StoreError> {
    let name = server.name.as_str();
    let is_group = |text: &&String| text.parse::<GroupName>().is_ok();
    let mut groups: Vec<&str> = server
        .profile
        .owner_groups
        .iter()
        .filter(is_group)
        .map(String::as_str)
        .collect();
    groups.sort_unstable();
    groups.dedup();
    if !is_new {
        let known =
            Sql::new("SELECT owner_group FROM server_owner_groups WHERE server = $1 ORDER BY owner_group");
        let known = change.rows(known.bind(name)).await?;
        let known: Vec<String> = known
            .iter()
            .map(|row| row.text("owner_group"))
            .collect::<Result<_, _>>()?;
        if known == groups {
            return Ok(Moves::Nothing);
        }
        let former = Sql::new("DELETE FROM server_owner_groups WHERE server = $1");
        change.execute(former.bind(name)).await?;
    } else if groups.is_empty() {
        return Ok(Moves::Nothing);
    }
    for group in groups {
        let sql = Sql::new("INSERT INTO server_owner_groups (owner_group, server) VALUES ($1, $2)");
        change.execute(sql.bind(group).bind(name)).await?;
    }
    Ok(Moves::Decisions)
}

/// The rows of [`OWNED`], by server. What another Portreeve took for a group and is none owns nothing.
pub(crate) fn owned(rows: &[Row]) -> Result<Vec<Owned>, StoreError> {
    let mut owned: Vec<Owned> = Vec::new();
    for row in rows {
        let Ok(group) = row.text("owner_group")?.parse() else {
            continue;
        };
        let server = row.parsed("server")?;
        match owned.last_mut() {
            Some(last) if last.server == server => last.groups.push(group),
            _ => owned.push(Owned {
                server,
                groups: vec![group],
                tags: Vec::new(),
            }),
        }
    }
    Ok(owned)
}
