//! Saves an entry: the revision first, then versions, slugs, routes and events, all or nothing.

use portreeve_core::name::ServerName;
use portreeve_core::ports::{EntryChange, StoreError};
use portreeve_core::rest::RestMark;
use portreeve_core::route::Route;
use portreeve_core::server::{EndedBy, Lifecycle, Server, Version};

use super::publish::save_remotes;
use super::{deployments, label, owners, served, slugs};
use crate::change::Change;
use crate::engine::Sql;
use crate::fields::{json_text, major_text};
use crate::routes::{bind_route, conflict as route_conflict, note_secrets, update_route};
use crate::store::Store;

const INSERT_SERVER: &str = "INSERT INTO servers (name, registered_by, private_hosts, details, proposed_by, created_at, \
    updated_at, revision) VALUES ($1, $2, $3, $4, $5, $6, $7, 1)";
const UPDATE_SERVER: &str = "UPDATE servers SET registered_by = $2, private_hosts = $3, details = $4, proposed_by = $5, \
    created_at = $6, updated_at = $7, revision = revision + 1 WHERE name = $1 AND revision = $8";
const SAVE_VERSION: &str = "INSERT INTO versions (server, version, document, content_hash, folded_title, \
    folded_description, approval, lifecycle, former_lifecycle, status_message, submitted_by, decided_by, is_latest, \
    published_at, status_changed_at, updated_at, toolset, served_head, served_tail, served_of, \
    metadata, ended_by) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22) \
    ON CONFLICT (server, version) DO UPDATE SET document = excluded.document, content_hash = excluded.content_hash, \
    folded_title = excluded.folded_title, folded_description = excluded.folded_description, \
    approval = excluded.approval, lifecycle = excluded.lifecycle, \
    former_lifecycle = excluded.former_lifecycle, status_message = excluded.status_message, \
    submitted_by = excluded.submitted_by, decided_by = excluded.decided_by, is_latest = excluded.is_latest, \
    published_at = excluded.published_at, status_changed_at = excluded.status_changed_at, \
    updated_at = excluded.updated_at, toolset = excluded.toolset, served_head = excluded.served_head, \
    served_tail = excluded.served_tail, served_of = excluded.served_of, metadata = excluded.metadata, \
    ended_by = excluded.ended_by";
const INSERT_ROUTE: &str = "INSERT INTO routes (id, slug, server, environment, version, upstream_url, upstream_eras, \
    private_hosts, access, state, pin_state, policies, upstream_timeout_ms, revision, updated_at, protocol, \
    session_affinity, server_requests, list_cache_ms, credentials, created_at, major) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22)";

/// Saves a change of an entry and returns its new revision.
pub(super) async fn save(store: &Store, entry: EntryChange) -> Result<i64, StoreError> {
    let mut change = Change::begin(store).await?;
    let (revision, moves) = put(&mut change, &entry).await?;
    change.note_entries(&[entry.server.name.as_str()]).await?;
    change.record(&entry.events).await?;
    finish(change, moves).await?;
    Ok(revision)
}

/// Whether a change moves what the gateway decides by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moves {
    /// It makes or changes routes, or rights.
    Decisions,
    /// It does not: nobody needs to read the catalogue again.
    Nothing,
}

/// Ends a change of entries.
pub(crate) async fn finish(change: Change, moves: Moves) -> Result<(), StoreError> {
    match moves {
        Moves::Decisions => change.publish().await,
        Moves::Nothing => change.save().await,
    }
}

/// Writes what becomes of an entry, and returns its new revision.
pub(super) async fn put(change: &mut Change, entry: &EntryChange) -> Result<(i64, Moves), StoreError> {
    let revision = save_server(change, &entry.server, entry.expected).await?;
    let owners = owners::save(change, &entry.server, entry.expected.is_none()).await?;
    let name = &entry.server.name;
    deployments::save(change, &entry.server).await?;
    let tags = owners::save_tags(change, &entry.server, entry.expected.is_none()).await?;
    // The mark `is_latest` is unique: those that lose it come first.
    let (gaining, losing): (Vec<_>, Vec<_>) = entry.versions.iter().partition(|version| version.is_latest);
    for version in losing.into_iter().chain(gaining) {
        save_version(change, name, version).await?;
    }
    for route in &entry.routes {
        save_route(change, name, route).await?;
    }
    if entry
        .versions
        .iter()
        .any(|version| RestMark::of(&version.document).is_some())
    {
        // What a version's tools are made of reaches the gateway with the route.
        change.note_routes_of(name.as_str()).await?;
    }
    let moves = if entry.routes.is_empty() && [owners, tags] == [Moves::Nothing; 2] {
        Moves::Nothing
    } else {
        Moves::Decisions
    };
    Ok((revision, moves))
}

async fn save_server(change: &mut Change, server: &Server, expected: Option<i64>) -> Result<i64, StoreError> {
    let text = if expected.is_some() {
        UPDATE_SERVER
    } else {
        INSERT_SERVER
    };
    let mut sql = Sql::new(text)
        .bind(server.name.as_str())
        .bind(&server.registered_by)
        .bind(json_text("private_hosts", &server.private_hosts)?)
        .bind(json_text("details", &server.profile)?)
        .bind(
            server
                .deployments
                .proposed
                .as_ref()
                .map(|proposed| proposed.by.as_str()),
        )
        .bind(server.created_at)
        .bind(server.updated_at);
    if let Some(revision) = expected {
        sql = sql.bind(revision);
    }
    let conflict = || StoreError::Conflict {
        what: label(&server.name),
    };
    match change.insert(sql, conflict).await? {
        1 => Ok(expected.unwrap_or(0) + 1),
        _ => Err(conflict()),
    }
}

async fn save_version(change: &mut Change, name: &ServerName, version: &Version) -> Result<(), StoreError> {
    let document = serde_json::from_str(&version.document).unwrap_or_default();
    let (title, description) = searchable(&document);
    let [head, tail, of] = served::text_of(version);
    let sql = Sql::new(SAVE_VERSION)
        .bind(name.as_str())
        .bind(version.version.as_str())
        .bind(&version.document)
        .bind(&version.content_hash)
        .bind(title)
        .bind(description)
        .bind(version.approval.as_str())
        .bind(version.lifecycle.as_str())
        .bind(version.former_lifecycle.map(Lifecycle::as_str))
        .bind(version.status_message.as_deref())
        .bind(&version.submitted_by)
        .bind(version.decided_by.as_deref())
        .bind(version.is_latest)
        .bind(version.published_at)
        .bind(version.status_changed_at)
        .bind(version.updated_at)
        .bind(RestMark::of_value(&document).map(|mark| mark.toolset))
        .bind(head)
        .bind(tail)
        .bind(of)
        .bind(json_text("metadata", &version.metadata)?)
        .bind(version.ended_by.map(EndedBy::as_str));
    let conflict = || StoreError::Conflict {
        what: format!("the latest version of server `{name}`"),
    };
    change.insert(sql, conflict).await?;
    save_remotes(change, name, version.version.as_str(), &document).await
}

async fn save_route(change: &mut Change, name: &ServerName, route: &Route) -> Result<(), StoreError> {
    let stored = change
        .row(Sql::new("SELECT server, slug FROM routes WHERE id = $1").bind(route.id.to_string()))
        .await?;
    if let Some(stored) = stored {
        // A route never moves to another server, and its slug never changes.
        let same = stored.text("server")? == name.as_str() && stored.text("slug")? == route.slug.as_str();
        if !same {
            return Err(route_conflict(&route.slug));
        }
        update_route(change, route).await?;
        return change.note_route(route.id).await;
    }
    slugs::claim(change, name, route).await?;
    let sql = bind_route(Sql::new(INSERT_ROUTE), name, route)?
        .bind(route.created_at)
        .bind(major_text(route.major));
    change.insert(sql, || route_conflict(&route.slug)).await?;
    change.note_route(route.id).await?;
    if route.policies.is_empty() {
        return Ok(());
    }
    note_secrets(change, route).await
}

/// Title and description of a document, in lower case, so that both engines search alike beyond ASCII.
fn searchable(document: &serde_json::Value) -> (String, String) {
    let field = |name: &str| {
        document
            .get(name)
            .and_then(serde_json::Value::as_str)
            .map(str::to_lowercase)
            .unwrap_or_default()
    };
    (field("title"), field("description"))
}
