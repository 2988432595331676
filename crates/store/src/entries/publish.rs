//! A publication: the rules that speak of other entries, then the change, all in one transaction. There is one
//! catalogue writer at a time, so nothing comes between the look and the change.
//!
//! Beside it stand the URLs of every document's remotes, kept up to date by [`save_remotes`].

use portreeve_core::name::ServerName;
use portreeve_core::ports::{Publication, Published, StoreError};
use serde_json::Value as Json;

use super::folded;
use super::save::{finish, put};
use crate::change::Change;
use crate::engine::{Sql, Value, values_list};
use crate::store::Store;

const REMOTE_OWNER: &str = "SELECT r.server FROM remotes r \
    JOIN versions v ON v.server = r.server AND v.version = r.version \
    WHERE substr(r.url, 1, 400) = substr($1, 1, 400) AND r.url = $1 AND lower(r.server) <> $2 \
    AND v.lifecycle <> 'retired' AND v.approval <> 'rejected' ORDER BY r.server LIMIT 1";
const SAME_SPELLING: &str = "SELECT name FROM servers WHERE name >= $1 AND name < $2 LIMIT 1";
const ANY_SPELLING: &str =
    "SELECT name FROM servers WHERE lower(name) >= $1 AND lower(name) < $2 ORDER BY lower(name) LIMIT 1";
const WAITING: &str = "SELECT COUNT(*) AS waiting FROM versions WHERE submitted_by = $1 AND approval = 'submitted' \
    AND NOT (server = $2 AND version = $3)";

/// Rows of one statement: SQLite takes 32,766 parameters.
const ROWS: usize = 1_000;

/// Saves a publication, unless it breaks a rule.
pub(super) async fn publish(store: &Store, publication: Publication) -> Result<Published, StoreError> {
    let mut change = Change::begin(store).await?;
    if let Some(refusal) = refusal(&mut change, &publication).await? {
        change.cancel().await?;
        return Ok(refusal);
    }
    let entry = &publication.change;
    let (revision, moves) = put(&mut change, entry).await?;
    change.note_entries(&[entry.server.name.as_str()]).await?;
    change.record(&entry.events).await?;
    finish(change, moves).await?;
    Ok(Published::Saved(revision))
}

async fn refusal(change: &mut Change, publication: &Publication) -> Result<Option<Published>, StoreError> {
    let name = &publication.change.server.name;
    if let Some(by) = other_spelling(change, name).await? {
        return Ok(Some(Published::NamespaceTaken { by }));
    }
    for url in &publication.remotes {
        let sql = Sql::new(REMOTE_OWNER).bind(url).bind(folded(name));
        if let Some(row) = change.row(sql).await? {
            return Ok(Some(Published::RemoteTaken {
                url: url.clone(),
                by: row.parsed("server")?,
            }));
        }
    }
    let Some(most) = publication.most_waiting else {
        return Ok(None);
    };
    let sql = Sql::new(WAITING)
        .bind(&publication.publisher)
        .bind(name.as_str())
        .bind(publication.version.as_str());
    let waiting = match change.row(sql).await? {
        Some(row) => row.count("waiting")?,
        None => 0,
    };
    Ok((waiting >= u64::from(most)).then_some(Published::TooManyWaiting))
}

/// A name of the same namespace in another spelling, where there is none in this one.
async fn other_spelling(change: &mut Change, name: &ServerName) -> Result<Option<ServerName>, StoreError> {
    // `0` follows `/`, so this is everything that begins with the namespace and its slash.
    let range = |namespace: &str| (format!("{namespace}/"), format!("{namespace}0"));
    let (from, to) = range(name.namespace());
    let same = Sql::new(SAME_SPELLING).bind(from).bind(to);
    if change.row(same).await?.is_some() {
        return Ok(None);
    }
    let (from, to) = range(&name.namespace().to_ascii_lowercase());
    let any = Sql::new(ANY_SPELLING).bind(from).bind(to);
    change.row(any).await?.map(|row| row.parsed("name")).transpose()
}

/// Keeps the remotes of a version's document as they are now.
pub(super) async fn save_remotes(
    change: &mut Change,
    name: &ServerName,
    version: &str,
    document: &Json,
) -> Result<(), StoreError> {
    let forget = Sql::new("DELETE FROM remotes WHERE server = $1 AND version = $2");
    change.execute(forget.bind(name.as_str()).bind(version)).await?;
    let remotes = document.get("remotes").and_then(Json::as_array);
    let urls: Vec<(i64, &str)> = (0..)
        .zip(remotes.into_iter().flatten())
        .filter_map(|(position, remote)| Some((position, remote.get("url")?.as_str()?)))
        .collect();
    for some in urls.chunks(ROWS) {
        let values: Vec<Value> = some
            .iter()
            .flat_map(|(position, url)| {
                [
                    Value::from(name.as_str()),
                    Value::from(version),
                    Value::from(*position),
                    Value::from(*url),
                ]
            })
            .collect();
        let rows = values_list(some.len(), 4);
        let text = format!("INSERT INTO remotes (server, version, position, url) VALUES {rows}");
        change.execute(Sql::built(text, values)).await?;
    }
    Ok(())
}
