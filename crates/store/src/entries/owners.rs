//! The groups that own servers, and the tags by which registries select them. Rights hang on both, so they stand in tables
//! of their own, and a change of them is a change of what decisions are made by. A tag that no registry selects by says
//! nothing about rights: servers are imported by the ten thousand, each with tags of its own.

use std::collections::{BTreeMap, BTreeSet};

use portreeve_core::name::GroupName;
use portreeve_core::ports::{Owned, StoreError};
use portreeve_core::server::Server;
use portreeve_core::view::RegistryRecord;

use super::save::Moves;
use crate::change::Change;
use crate::engine::{Row, Sql};
use crate::views::{REGISTRIES, registry_of};

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

/// Keeps the tags of a server as they are now: words that lists select by.
pub(super) async fn save_tags(
    change: &mut Change,
    server: &Server,
    is_new: bool,
) -> Result<Moves, StoreError> {
    let name = server.name.as_str();
    let tags: BTreeSet<String> = server.profile.tags.iter().cloned().collect();
    let mut former = BTreeSet::new();
    if !is_new {
        let known = Sql::new("SELECT tag FROM server_tags WHERE server = $1");
        for row in change.rows(known.bind(name)).await? {
            former.insert(row.text("tag")?);
        }
    }
    if former == tags {
        return Ok(Moves::Nothing);
    }
    if !former.is_empty() {
        let sql = Sql::new("DELETE FROM server_tags WHERE server = $1");
        change.execute(sql.bind(name)).await?;
    }
    for tag in &tags {
        let sql = Sql::new("INSERT INTO server_tags (tag, server) VALUES ($1, $2)");
        change.execute(sql.bind(tag).bind(name)).await?;
    }
    let registries = change.rows(Sql::new(REGISTRIES)).await?;
    let registries: Vec<RegistryRecord> = registries.iter().map(registry_of).collect::<Result<_, _>>()?;
    let selected = selected(&registries);
    let is_moved = |tag: &String| selected.contains(tag.as_str());
    Ok(if former.symmetric_difference(&tags).any(is_moved) {
        Moves::Decisions
    } else {
        Moves::Nothing
    })
}

/// The servers that have a tag which some registry selects by, with those tags. Nothing when no registry does.
pub(crate) fn tagged(registries: &[RegistryRecord]) -> Option<Sql> {
    let mut sql = Sql::new("SELECT server, tag FROM server_tags WHERE tag IN (");
    let selected = selected(registries);
    for (index, tag) in selected.iter().enumerate() {
        sql.push_bound(if index == 0 { "" } else { ", " }, *tag);
    }
    sql.push(") ORDER BY server, tag");
    (!selected.is_empty()).then_some(sql)
}

fn selected(registries: &[RegistryRecord]) -> BTreeSet<&str> {
    let tags = registries.iter().flat_map(|record| &record.selection.tags);
    tags.map(String::as_str).collect()
}

/// The rows of [`OWNED`] and of [`tagged`], by server. What another Portreeve took for a group and is none owns nothing.
pub(crate) fn owned(owners: &[Row], tagged: &[Row]) -> Result<Vec<Owned>, StoreError> {
    let mut known: BTreeMap<String, (Vec<GroupName>, Vec<String>)> = BTreeMap::new();
    for row in owners {
        if let Ok(group) = row.text("owner_group")?.parse() {
            known.entry(row.text("server")?).or_default().0.push(group);
        }
    }
    for row in tagged {
        let tags = &mut known.entry(row.text("server")?).or_default().1;
        tags.push(row.text("tag")?);
    }
    let mut owned = Vec::with_capacity(known.len());
    for (server, (groups, tags)) in known {
        owned.push(Owned {
            server: server.parse().map_err(|_| StoreError::Corrupt {
                what: format!("the name of server `{server}`"),
            })?,
            groups,
            tags,
        });
    }
    Ok(owned)
}
