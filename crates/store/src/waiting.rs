//! What waits for somebody. Each kind is a list of its own, found by a partial index; a page is what stands first in all
//! of them together.

use async_trait::async_trait;
use portreeve_core::import::Finding;
use portreeve_core::page::PageOf;
use portreeve_core::ports::{
    StoreError, Waiting, WaitingCounts, WaitingKind, WaitingPlace, WaitingQuery, WaitingStore,
};

use crate::engine::{Row, Sql};
use crate::store::Store;

const VERSIONS: &str = "SELECT v.server, v.version, v.submitted_by, v.status_changed_at AS since, v.content_hash, \
    a.findings AS assessed, p.import AS import, p.findings AS noticed FROM versions v \
    LEFT JOIN assessments a ON a.server = v.server AND a.version = v.version AND a.content_hash = v.content_hash \
    LEFT JOIN provenance p ON p.server = v.server AND p.version = v.version \
    WHERE v.approval = 'submitted' AND v.lifecycle <> 'retired' \
    AND (v.status_changed_at, v.server, v.version) > (";
const DEPLOYMENTS: &str = "SELECT s.name AS server, s.proposed_by, s.updated_at AS since, \
    (SELECT COUNT(*) FROM deployments d WHERE d.server = s.name AND d.proposed) AS count FROM servers s \
    WHERE s.proposed_by IS NOT NULL AND (s.updated_at, s.name) > (";
/// Routes with tools that wait, each once; the moment is that of the tool that was not seen for longest.
const TOOLS: &str = "SELECT w.server, w.slug, w.version, w.since, w.count FROM (SELECT r.server, r.slug, r.version, \
    MIN(coalesce(t.seen_at, 0)) AS since, COUNT(DISTINCT t.name) AS count FROM tools t JOIN routes r ON r.id = t.route \
    WHERE NOT t.hidden AND t.live_hash IS NOT NULL AND (t.approved_hash IS NULL OR t.approved_hash <> t.live_hash) \
    AND r.state = 'active' GROUP BY r.server, r.slug, r.version) w WHERE (w.since, w.server, w.slug) > (";

const COUNT_VERSIONS: &str = "SELECT COUNT(*) AS count FROM (SELECT 1 FROM versions WHERE approval = 'submitted' \
    AND lifecycle <> 'retired' LIMIT $1) few";
const COUNT_DEPLOYMENTS: &str =
    "SELECT COUNT(*) AS count FROM (SELECT 1 FROM servers WHERE proposed_by IS NOT NULL LIMIT $1) few";
const COUNT_TOOLS: &str = "SELECT COUNT(*) AS count FROM (SELECT DISTINCT t.route FROM tools t JOIN routes r \
    ON r.id = t.route WHERE NOT t.hidden AND t.live_hash IS NOT NULL \
    AND (t.approved_hash IS NULL OR t.approved_hash <> t.live_hash) AND r.state = 'active' LIMIT $1) few";

#[async_trait]
impl WaitingStore for Store {
    async fn waiting(&self, query: &WaitingQuery) -> Result<PageOf<Waiting>, StoreError> {
        let mut items = Vec::new();
        for kind in [WaitingKind::Deployments, WaitingKind::Tools, WaitingKind::Version] {
            if query.wants(kind) {
                let rows = self.engine().rows(statement(kind, query)).await?;
                for row in &rows {
                    items.push(read(kind, row)?);
                }
            }
        }
        items.sort_by_cached_key(|item| {
            let place = item.place();
            (place.since, place.kind, place.server, place.part)
        });
        let wanted = usize::try_from(query.limit).unwrap_or(usize::MAX);
        let more = items.len() > wanted;
        items.truncate(wanted);
        Ok(PageOf { items, more })
    }

    async fn waiting_counts(&self, most: u32) -> Result<WaitingCounts, StoreError> {
        let count = async |text: &'static str| {
            let row = self.engine().row(Sql::new(text).bind(i64::from(most))).await?;
            row.map_or(Ok(0), |row| row.count("count"))
        };
        Ok(WaitingCounts {
            versions: count(COUNT_VERSIONS).await?,
            deployments: count(COUNT_DEPLOYMENTS).await?,
            tools: count(COUNT_TOOLS).await?,
        })
    }
}

/// The list of one kind, from where the page before ended.
fn statement(kind: WaitingKind, query: &WaitingQuery) -> Sql {
    let (since, server, part) = beginning(kind, query.after.as_ref());
    let mut sql = Sql::new(match kind {
        WaitingKind::Deployments => DEPLOYMENTS,
        WaitingKind::Tools => TOOLS,
        WaitingKind::Version => VERSIONS,
    });
    sql.push_bound("", since);
    sql.push_bound(", ", server);
    if kind != WaitingKind::Deployments {
        sql.push_bound(", ", part);
    }
    sql.push(")");
    if let Some(import) = query.import {
        sql.push_bound(" AND p.import = ", import.to_string());
    }
    if query.flagged {
        sql.push(" AND p.findings <> '[]'");
    }
    sql.push(match kind {
        WaitingKind::Deployments => " ORDER BY s.updated_at, s.name",
        WaitingKind::Tools => " ORDER BY w.since, w.server, w.slug",
        WaitingKind::Version => " ORDER BY v.status_changed_at, v.server, v.version",
    });
    sql.push_bound(" LIMIT ", i64::from(query.limit) + 1);
    sql.keeping()
}

/// Where the list of one kind goes on behind a place in all of them: of the same moment come kinds, then servers.
fn beginning(kind: WaitingKind, after: Option<&WaitingPlace>) -> (i64, String, String) {
    match after {
        None => (-1, String::new(), String::new()),
        Some(place) if kind == place.kind => {
            (place.since.as_millis(), place.server.clone(), place.part.clone())
        }
        // No server has an empty name: this is before all of that moment, or of the next one.
        Some(place) => {
            let moment = place.since.as_millis() + i64::from(kind < place.kind);
            (moment, String::new(), String::new())
        }
    }
}

fn read(kind: WaitingKind, row: &Row) -> Result<Waiting, StoreError> {
    let mut item = Waiting {
        kind,
        server: row.parsed("server")?,
        version: None,
        route: None,
        count: 1,
        by: None,
        since: row.moment("since")?,
        content_hash: None,
        assessed: None,
        import: None,
    };
    match kind {
        WaitingKind::Deployments => {
            item.by = row.optional_text("proposed_by")?;
            item.count = row.count("count")?;
        }
        WaitingKind::Tools => {
            item.version = Some(row.parsed("version")?);
            item.route = Some(row.parsed("slug")?);
            item.count = row.count("count")?;
        }
        WaitingKind::Version => {
            item.version = Some(row.parsed("version")?);
            item.by = Some(row.text("submitted_by")?);
            item.content_hash = Some(row.text("content_hash")?);
            item.assessed = row.optional_text("assessed")?;
            if let Some(import) = row.optional_parsed("import")? {
                item.import = Some((import, row.json::<Vec<Finding>>("noticed")?));
            }
        }
    }
    Ok(item)
}
