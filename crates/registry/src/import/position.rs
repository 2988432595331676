//! Where a run over a registry stands, and where the next one goes on: with the page that a run of the same kind over the
//! same source could not read. A dry run leaves nothing behind, so nothing goes on from it.
//!
//! Before: `fetch` is about to begin a run. After: it reads from that page on.

use std::time::Duration;

use portreeve_core::caller::Caller;
use portreeve_core::import::{ImportKind, ImportMode, ImportRun, ImportSchedule, ImportState};
use portreeve_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::error::RegistryError;
use crate::registry::Registry;

/// How long a run may say nothing before it counts as broken off: longer than its slowest page may take.
const SILENCE: Duration = Duration::from_secs(10 * 60);
/// Runs that are looked through for the last one of a source.
const RUNS: u32 = 100;

/// Where a run goes on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Position {
    /// The next page; none before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cursor: Option<String>,
    /// Only what the source changed after this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) since: Option<Timestamp>,
    /// When the first page was asked for, perhaps by an earlier run: what the source changed later may be missing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) begun: Option<Timestamp>,
}

// === impl Position ===

impl Position {
    /// Before the first page.
    pub(super) const fn first(since: Option<Timestamp>, now: Timestamp) -> Self {
        Self {
            cursor: None,
            since,
            begun: Some(now),
        }
    }

    /// As it is kept with its run.
    pub(super) fn text(&self) -> Option<String> {
        // A position is two moments and a text, which always have a form.
        self.cursor
            .as_ref()
            .and_then(|_| serde_json::to_string(self).ok())
    }
}

// === impl Registry ===

impl Registry {
    /// Where a run over this source begins: where the last one broke off that changed something and asked for the same,
    /// or else before the first page.
    pub(super) async fn beginning(
        &self,
        origin: &str,
        mode: ImportMode,
        since: Option<Timestamp>,
    ) -> Result<Position, RegistryError> {
        let now = self.parts.clock.now();
        let first = Position::first(since, now);
        if mode == ImportMode::DryRun {
            return Ok(first);
        }
        let runs = self.parts.imports.imports(None, RUNS).await?;
        let last = runs.into_iter().find(|run| {
            run.kind == ImportKind::Registry && run.origin == origin && run.mode == ImportMode::Apply
        });
        let broken_off = last.filter(|run| run.state == ImportState::Failed || is_silent(run, now));
        let position = broken_off
            .and_then(|run| run.position)
            .and_then(|text| serde_json::from_str::<Position>(&text).ok());
        // Without its beginning nobody could say from when on changes are missing.
        let same = |position: &Position| position.since == since && position.begun.is_some();
        Ok(position.filter(same).unwrap_or(first))
    }

    /// Whether a node is reading a source at this moment.
    pub(super) async fn is_being_read(&self, schedule: &ImportSchedule) -> Result<bool, RegistryError> {
        let Some(last) = schedule.last_import else {
            return Ok(false);
        };
        let run = self.parts.imports.import(last).await?;
        let now = self.parts.clock.now();
        Ok(run.is_some_and(|run| run.state == ImportState::Open && !is_silent(&run, now)))
    }

    /// Runs over registries that nobody reads any more, because their node stopped.
    pub(super) async fn silent_runs(&self) -> Result<Vec<ImportRun>, RegistryError> {
        let now = self.parts.clock.now();
        let mut runs = self.parts.imports.imports(None, RUNS).await?;
        runs.retain(|run| run.kind == ImportKind::Registry && is_silent(run, now));
        Ok(runs)
    }

    /// Ends such a run, so that nobody waits for it.
    pub(super) async fn end_silent(&self, run: ImportRun) -> Result<(), RegistryError> {
        let failure = "the node that read it stopped".to_owned();
        self.end_run(&Caller::system(), run, Some(failure)).await?;
        Ok(())
    }
}

fn is_silent(run: &ImportRun, now: Timestamp) -> bool {
    run.state == ImportState::Open && run.updated_at < now.minus(SILENCE)
}
