//! Many entries at once, for imports: read by their names, and saved inside one transaction.

use std::collections::HashMap;

use portreeve_core::name::ServerName;
use portreeve_core::ports::{Entry, EntryChange, StoreError};

use super::save::{Moves, put};
use super::{deployments, folded, server_of, version_of};
use crate::change::Change;
use crate::engine::{Row, Sql, Value};
use crate::routes::{route_columns, route_of};
use crate::store::Store;

/// Names in one statement.
const CHUNK: usize = 500;

/// Writes what becomes of entries, and tells whether that moves what the gateway decides by.
pub(crate) async fn put_all(change: &mut Change, entries: &[EntryChange]) -> Result<Moves, StoreError> {
    let mut moves = Moves::Nothing;
    for entry in entries {
        if put(change, entry).await?.1 == Moves::Decisions {
            moves = Moves::Decisions;
        }
    }
    let names: Vec<&str> = entries.iter().map(|entry| entry.server.name.as_str()).collect();
    change.note_entries(&names).await?;
    Ok(moves)
}

/// The entries of these names, whatever the case.
pub(crate) async fn named(store: &Store, names: &[ServerName]) -> Result<Vec<Entry>, StoreError> {
    let mut found = Vec::with_capacity(names.len());
    for chunk in names.chunks(CHUNK) {
        let folded: Vec<String> = chunk.iter().map(folded).collect();
        found.extend(read(store, &folded).await?);
    }
    Ok(found)
}

async fn read(store: &Store, folded: &[String]) -> Result<Vec<Entry>, StoreError> {
    let mut transaction = store.engine().begin_reading().await?;
    let list = transaction.values_list(folded.len(), 1);
    let named = |head: &str, tail: &str| {
        let values = folded.iter().map(|name| Value::from(name.as_str())).collect();
        Sql::built(
            format!("{head} WHERE lower(s.name) IN (VALUES {list}){tail}"),
            values,
        )
    };
    let servers = named(
        "SELECT s.name, s.registered_by, s.private_hosts, s.details, s.proposed_by, s.revision, s.created_at, \
         s.updated_at FROM servers s",
        "",
    );
    let versions = named(
        concat!(
            "SELECT ",
            version_columns!(),
            " FROM servers s JOIN versions v ON v.server = s.name"
        ),
        " ORDER BY v.published_at DESC, v.version DESC",
    );
    let routes = named(
        concat!(
            "SELECT ",
            route_columns!(),
            " FROM routes r JOIN (SELECT name FROM servers) s ON r.server = s.name"
        ),
        " ORDER BY environment, slug",
    );
    let deployed = named(deployments::OF_SERVERS, " ORDER BY d.environment, d.major");
    let servers = transaction.rows(servers).await?;
    let deployed = transaction.rows(deployed).await?;
    let versions = transaction.rows(versions).await?;
    let routes = transaction.rows(routes).await?;
    transaction.cancel().await?;

    let mut of_server: HashMap<String, Vec<Row>> = HashMap::new();
    for row in deployed {
        of_server.entry(row.text("server")?).or_default().push(row);
    }
    let mut entries: HashMap<String, Entry> = HashMap::with_capacity(servers.len());
    for row in &servers {
        let deployed = of_server.remove(&row.text("name")?).unwrap_or_default();
        let deployments = deployments::read(&deployed, row.optional_text("proposed_by")?)?;
        let server = server_of(row, deployments)?;
        let entry = Entry {
            revision: row.integer("revision")?,
            versions: Vec::new(),
            routes: Vec::new(),
            server,
        };
        entries.insert(entry.server.name.to_string(), entry);
    }
    for row in &versions {
        let version = version_of(row)?;
        if let Some(entry) = entries.get_mut(version.name.as_str()) {
            entry.versions.push(version);
        }
    }
    for row in &routes {
        let route = route_of(row)?;
        if let Some(entry) = entries.get_mut(route.server.as_str()) {
            entry.routes.push(route);
        }
    }
    Ok(entries.into_values().collect())
}
