//! What is read back of imports: runs, records, provenance, schedules.

use portreeve_core::id::ImportId;
use portreeve_core::import::{
    ImportKind, ImportMode, ImportRun, ImportSchedule, ImportState, ImportedRecord, Provenance, RecordOutcome,
};
use portreeve_core::name::ServerName;
use portreeve_core::ports::StoreError;

use crate::engine::{Row, Sql, Value, values_list};
use crate::store::Store;

/// The columns that [`run_of`] reads.
macro_rules! run_columns {
    () => {
        "id, kind, origin, mode, approval, state, failure, started_by, started_at, updated_at, finished_at, counts, \
         position"
    };
}

const RUN: &str = concat!("SELECT ", run_columns!(), " FROM imports WHERE id = $1");
const RUNS: &str = concat!(
    "SELECT ",
    run_columns!(),
    " FROM imports ORDER BY started_at DESC, id DESC LIMIT $1"
);
const RUNS_AFTER: &str = concat!(
    "SELECT ",
    run_columns!(),
    " FROM imports WHERE (started_at, id) < (SELECT started_at, id FROM imports WHERE id = $1) \
     ORDER BY started_at DESC, id DESC LIMIT $2"
);
const RECORDS: &str = "SELECT position, place, server, version, outcome, findings FROM import_records \
    WHERE import = $1 AND position > $2 ORDER BY position LIMIT $3";
const SCHEDULES: &str = "SELECT origin, kind, every_seconds, private_hosts, approval, created_by, created_at, last_import, \
    next_at, synced_until, login FROM import_schedules ORDER BY origin";

pub(super) async fn run(store: &Store, id: ImportId) -> Result<Option<ImportRun>, StoreError> {
    let row = store.engine().row(Sql::new(RUN).bind(id.to_string())).await?;
    row.as_ref().map(run_of).transpose()
}

pub(super) async fn runs(
    store: &Store,
    after: Option<ImportId>,
    limit: u32,
) -> Result<Vec<ImportRun>, StoreError> {
    let sql = match after {
        Some(after) => Sql::new(RUNS_AFTER).bind(after.to_string()),
        None => Sql::new(RUNS),
    };
    let rows = store.engine().rows(sql.bind(i64::from(limit))).await?;
    rows.iter().map(run_of).collect()
}

pub(super) async fn records(
    store: &Store,
    id: ImportId,
    after: u64,
    limit: u32,
) -> Result<Vec<ImportedRecord>, StoreError> {
    let sql = Sql::new(RECORDS)
        .bind(id.to_string())
        .bind(after)
        .bind(i64::from(limit));
    let rows = store.engine().rows(sql).await?;
    rows.iter().map(record_of).collect()
}

pub(super) async fn provenance(store: &Store, names: &[ServerName]) -> Result<Vec<Provenance>, StoreError> {
    let mut found = Vec::new();
    for chunk in names.chunks(500) {
        let list = values_list(chunk.len(), 1);
        let text = format!(
            "SELECT server, version, kind, origin, place, import, imported_at, source_hash, source_status, findings, \
             raw, stage_before, awaits_assessment FROM provenance WHERE server IN (VALUES {list})"
        );
        let values = chunk.iter().map(|name| Value::from(name.as_str())).collect();
        let rows = store.engine().rows(Sql::built(text, values)).await?;
        for row in &rows {
            found.push(provenance_of(row)?);
        }
    }
    Ok(found)
}

pub(super) async fn schedules(store: &Store) -> Result<Vec<ImportSchedule>, StoreError> {
    let rows = store.engine().rows(Sql::new(SCHEDULES)).await?;
    rows.iter().map(schedule_of).collect()
}

fn run_of(row: &Row) -> Result<ImportRun, StoreError> {
    Ok(ImportRun {
        id: row.parsed("id")?,
        kind: row.word("kind", ImportKind::from_word)?,
        origin: row.text("origin")?,
        mode: row.word("mode", ImportMode::from_word)?,
        approval: row.json("approval")?,
        state: row.word("state", ImportState::from_word)?,
        failure: row.optional_text("failure")?,
        started_by: row.text("started_by")?,
        started_at: row.moment("started_at")?,
        updated_at: row.moment("updated_at")?,
        finished_at: row.optional_moment("finished_at")?,
        counts: row.json("counts")?,
        position: row.optional_text("position")?,
    })
}

fn record_of(row: &Row) -> Result<ImportedRecord, StoreError> {
    Ok(ImportedRecord {
        position: row.count("position")?,
        place: row.text("place")?,
        server: row.optional_text("server")?,
        version: row.optional_text("version")?,
        outcome: row.word("outcome", RecordOutcome::from_word)?,
        findings: row.json("findings")?,
    })
}

fn provenance_of(row: &Row) -> Result<Provenance, StoreError> {
    Ok(Provenance {
        server: row.parsed("server")?,
        version: row.parsed("version")?,
        kind: row.word("kind", ImportKind::from_word)?,
        origin: row.text("origin")?,
        place: row.text("place")?,
        import: row.parsed("import")?,
        imported_at: row.moment("imported_at")?,
        source_hash: row.text("source_hash")?,
        source_status: row.text("source_status")?,
        findings: row.json("findings")?,
        raw: row.optional_text("raw")?,
        stage_before: match row.optional_text("stage_before")? {
            Some(_) => Some(row.json("stage_before")?),
            None => None,
        },
        awaits_assessment: row.boolean("awaits_assessment")?,
    })
}

fn schedule_of(row: &Row) -> Result<ImportSchedule, StoreError> {
    Ok(ImportSchedule {
        origin: row.text("origin")?,
        kind: row.word("kind", ImportKind::from_word)?,
        every_seconds: row.count("every_seconds")?,
        private_hosts: row.json("private_hosts")?,
        approval: row.json("approval")?,
        created_by: row.text("created_by")?,
        created_at: row.moment("created_at")?,
        last_import: row.optional_parsed("last_import")?,
        next_at: row.moment("next_at")?,
        synced_until: row.optional_moment("synced_until")?,
        login: match row.optional_text("login")? {
            Some(_) => Some(row.json("login")?),
            None => None,
        },
    })
}
