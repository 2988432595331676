//! Imports: runs with their reports, sources that come again, and batches of entries saved as one.

mod read;

use async_trait::async_trait;
use portreeve_core::audit::AuditEvent;
use portreeve_core::id::ImportId;
use portreeve_core::import::{ImportRun, ImportSchedule, ImportedRecord, Provenance};
use portreeve_core::name::ServerName;
use portreeve_core::ports::{Entry, ImportBatch, ImportStore, StoreError};
use portreeve_core::time::Timestamp;

use crate::change::Change;
use crate::engine::{Sql, Value};
use crate::entries;
use crate::fields::json_text;
use crate::secret_uses;
use crate::store::Store;

/// Rows written by one statement.
const CHUNK: usize = 100;

const INSERT_RUN: &str = "INSERT INTO imports (id, kind, origin, mode, approval, started_by, started_at, state, \
    failure, updated_at, finished_at, counts, position) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
const UPDATE_RUN: &str = "UPDATE imports SET state = $2, failure = $3, updated_at = $4, finished_at = $5, \
    counts = $6, position = $7 WHERE id = $1";
/// How schedules name secrets.
const KIND: &str = "import";

const SAVE_SCHEDULE: &str = "INSERT INTO import_schedules (origin, kind, every_seconds, approval, created_by, \
    created_at, last_import, next_at, synced_until, private_hosts, login) \
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (origin) DO UPDATE SET kind = excluded.kind, \
    every_seconds = excluded.every_seconds, private_hosts = excluded.private_hosts, \
    approval = excluded.approval, last_import = excluded.last_import, next_at = excluded.next_at, \
    synced_until = excluded.synced_until, login = excluded.login";
/// Whoever changes a source takes its last run away and lets the next one begin at once.
const BEGIN_SCHEDULED: &str = "UPDATE import_schedules SET last_import = $2, next_at = $3 \
    WHERE origin = $1 AND next_at = $4 AND coalesce(last_import, '') = $5";
const NOTE_SYNCED: &str =
    "UPDATE import_schedules SET synced_until = $3 WHERE origin = $1 AND last_import = $2";

#[async_trait]
impl ImportStore for Store {
    async fn begin_import(&self, run: &ImportRun, event: AuditEvent) -> Result<(), StoreError> {
        let mut change = Change::begin(self).await?;
        let sql = Sql::new(INSERT_RUN)
            .bind(run.id.to_string())
            .bind(run.kind.as_str())
            .bind(&run.origin)
            .bind(run.mode.as_str())
            .bind(json_text("approval", &run.approval)?)
            .bind(&run.started_by)
            .bind(run.started_at)
            .bind(run.state.as_str())
            .bind(run.failure.as_deref())
            .bind(run.updated_at)
            .bind(run.finished_at)
            .bind(json_text("counts", &run.counts)?)
            .bind(run.position.as_deref());
        change.execute(sql).await?;
        change.record(&[event]).await?;
        change.save().await
    }

    async fn save_import(&self, batch: ImportBatch) -> Result<(), StoreError> {
        let mut change = Change::begin(self).await?;
        update_run(&mut change, &batch.run).await?;
        let mut events = batch.events;
        let moves = entries::put_all(&mut change, &batch.entries).await?;
        for entry in &batch.entries {
            events.extend(entry.events.iter().cloned());
        }
        for chunk in batch.provenance.chunks(CHUNK) {
            save_provenance(&mut change, chunk).await?;
        }
        for chunk in batch.records.chunks(CHUNK) {
            save_records(&mut change, batch.run.id, chunk).await?;
        }
        for chunk in events.chunks(CHUNK) {
            change.record(chunk).await?;
        }
        entries::finish(change, moves).await
    }

    async fn import(&self, id: ImportId) -> Result<Option<ImportRun>, StoreError> {
        read::run(self, id).await
    }

    async fn imports(&self, after: Option<ImportId>, limit: u32) -> Result<Vec<ImportRun>, StoreError> {
        read::runs(self, after, limit).await
    }

    async fn import_records(
        &self,
        id: ImportId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<ImportedRecord>, StoreError> {
        read::records(self, id, after, limit).await
    }

    async fn entries_named(&self, names: &[ServerName]) -> Result<Vec<Entry>, StoreError> {
        entries::named(self, names).await
    }

    async fn provenance(&self, names: &[ServerName]) -> Result<Vec<Provenance>, StoreError> {
        read::provenance(self, names).await
    }

    async fn schedules(&self) -> Result<Vec<ImportSchedule>, StoreError> {
        read::schedules(self).await
    }

    async fn save_schedule(
        &self,
        schedule: &ImportSchedule,
        event: Option<AuditEvent>,
    ) -> Result<(), StoreError> {
        let mut change = Change::begin(self).await?;
        let sql = Sql::new(SAVE_SCHEDULE)
            .bind(&schedule.origin)
            .bind(schedule.kind.as_str())
            .bind(schedule.every_seconds)
            .bind(json_text("approval", &schedule.approval)?)
            .bind(&schedule.created_by)
            .bind(schedule.created_at)
            .bind(schedule.last_import.map(|id| id.to_string()))
            .bind(schedule.next_at)
            .bind(schedule.synced_until)
            .bind(json_text("private_hosts", &schedule.private_hosts)?)
            .bind(
                schedule
                    .login
                    .as_ref()
                    .map(|login| json_text("login", login))
                    .transpose()?,
            );
        change.execute(sql).await?;
        let secrets = schedule.login.iter().map(|login| &login.secret().0);
        secret_uses::note(&mut change, (KIND, &schedule.origin), secrets).await?;
        change.record(event.as_slice()).await?;
        change.save().await
    }

    async fn begin_scheduled(
        &self,
        seen: &ImportSchedule,
        run: ImportId,
        next_at: Timestamp,
    ) -> Result<(), StoreError> {
        let sql = Sql::new(BEGIN_SCHEDULED)
            .bind(&seen.origin)
            .bind(run.to_string())
            .bind(next_at)
            .bind(seen.next_at)
            .bind(seen.last_import.map(|id| id.to_string()).unwrap_or_default());
        self.note_schedule(&seen.origin, sql).await
    }

    async fn note_synced(&self, origin: &str, run: ImportId, until: Timestamp) -> Result<(), StoreError> {
        let sql = Sql::new(NOTE_SYNCED)
            .bind(origin)
            .bind(run.to_string())
            .bind(until);
        self.note_schedule(origin, sql).await
    }

    async fn remove_schedule(&self, origin: &str, event: AuditEvent) -> Result<(), StoreError> {
        let mut change = Change::begin(self).await?;
        let sql = Sql::new("DELETE FROM import_schedules WHERE origin = $1").bind(origin);
        if change.execute(sql).await? == 0 {
            return Err(StoreError::NotFound {
                what: format!("a schedule for `{origin}`"),
            });
        }
        secret_uses::forget(&mut change, (KIND, origin)).await?;
        change.record(&[event]).await?;
        change.save().await
    }
}

impl Store {
    /// Changes the line of a source, if it is still the one that is meant.
    async fn note_schedule(&self, origin: &str, sql: Sql) -> Result<(), StoreError> {
        let mut change = Change::begin(self).await?;
        if change.execute(sql).await? == 0 {
            return Err(StoreError::Conflict {
                what: format!("the schedule for `{origin}`"),
            });
        }
        change.save().await
    }
}

async fn update_run(change: &mut Change, run: &ImportRun) -> Result<(), StoreError> {
    let sql = Sql::new(UPDATE_RUN)
        .bind(run.id.to_string())
        .bind(run.state.as_str())
        .bind(run.failure.as_deref())
        .bind(run.updated_at)
        .bind(run.finished_at)
        .bind(json_text("counts", &run.counts)?)
        .bind(run.position.as_deref());
    if change.execute(sql).await? == 1 {
        return Ok(());
    }
    Err(StoreError::NotFound {
        what: format!("import `{}`", run.id),
    })
}

async fn save_provenance(change: &mut Change, rows: &[Provenance]) -> Result<(), StoreError> {
    let mut values: Vec<Value> = Vec::with_capacity(rows.len() * 13);
    for row in rows {
        values.extend([
            row.server.as_str().into(),
            row.version.as_str().into(),
            row.kind.as_str().into(),
            row.origin.as_str().into(),
            row.place.as_str().into(),
            row.import.to_string().into(),
            row.imported_at.into(),
            row.source_hash.as_str().into(),
            row.source_status.as_str().into(),
            json_text("findings", &row.findings)?.into(),
            row.raw.as_deref().into(),
            stage_before(row)?.into(),
            row.awaits_assessment.into(),
        ]);
    }
    let list = change.values_list(rows.len(), 13);
    let text = format!(
        "INSERT INTO provenance (server, version, kind, origin, place, import, imported_at, source_hash, \
         source_status, findings, raw, stage_before, awaits_assessment) VALUES {list} ON CONFLICT (server, version) DO UPDATE SET \
         kind = excluded.kind, origin = excluded.origin, place = excluded.place, import = excluded.import, \
         imported_at = excluded.imported_at, source_hash = excluded.source_hash, \
         source_status = excluded.source_status, findings = excluded.findings, raw = excluded.raw, \
         stage_before = excluded.stage_before, awaits_assessment = excluded.awaits_assessment"
    );
    change.execute(Sql::built(text, values)).await.map(drop)
}

fn stage_before(row: &Provenance) -> Result<Option<String>, StoreError> {
    let stage = row.stage_before.as_ref();
    stage.map(|stage| json_text("stage_before", stage)).transpose()
}

async fn save_records(
    change: &mut Change,
    import: ImportId,
    records: &[ImportedRecord],
) -> Result<(), StoreError> {
    let mut values: Vec<Value> = Vec::with_capacity(records.len() * 7);
    for record in records {
        values.extend([
            import.to_string().into(),
            record.position.into(),
            record.place.as_str().into(),
            record.server.as_deref().into(),
            record.version.as_deref().into(),
            record.outcome.as_str().into(),
            json_text("findings", &record.findings)?.into(),
        ]);
    }
    let list = change.values_list(records.len(), 7);
    let text = format!(
        "INSERT INTO import_records (import, position, place, server, version, outcome, findings) VALUES {list}"
    );
    change.execute(Sql::built(text, values)).await.map(drop)
}
