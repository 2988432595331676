//! Registries that are read again and again: each when its time has come, by one node, only what changed since.
//!
//! Before: an administrator set the source up. After: `fetch`, with a report like any other run.

use std::sync::Arc;
use std::time::Duration;

use portreeve_core::audit::AuditEvent;
use portreeve_core::caller::Caller;
use portreeve_core::decision::Action;
use portreeve_core::id::EventId;
use portreeve_core::import::{
    ImportApproval, ImportKind, ImportMode, ImportRun, ImportSchedule, ImportState,
};
use portreeve_core::login::Login;
use portreeve_core::ports::{Lease, Locks, StoreError};
use serde_json::json;
use tokio::sync::watch;

use super::fetch::{Wanted, base_of};
use super::runs::{NewImport, checked_approval};
use crate::error::RegistryError;
use crate::lease;
use crate::publish::Internal;
use crate::registry::Registry;

/// Shortest and longest time between two runs.
const SHORTEST: Duration = Duration::from_secs(60);
const LONGEST: Duration = Duration::from_secs(30 * 24 * 60 * 60);
/// What a run reads again of the time before the last one: the source's clock is not ours.
const OVERLAP: Duration = Duration::from_secs(10 * 60);
/// How long a node keeps a source to itself.
const LEASE: Duration = Duration::from_secs(30 * 60);
/// How often a node looks whether something is due.
const LOOK: Duration = Duration::from_secs(15);

/// A source that shall be read again and again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewSchedule {
    /// The registry's URL.
    pub origin: String,
    /// Time between the beginnings of two runs.
    pub every: Duration,
    /// What is approved at once.
    pub approval: ImportApproval,
    /// Whether its private hosts are granted.
    pub internal: Internal,
    /// How it is logged in at.
    pub login: Option<Login>,
}

/// Reads what is due until the node stops.
pub struct ImportJob {
    registry: Arc<Registry>,
    locks: Arc<dyn Locks>,
}

impl std::fmt::Debug for ImportJob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ImportJob")
    }
}

// === impl Registry ===

impl Registry {
    /// Sources that are read again and again.
    pub async fn import_schedules(&self, caller: &Caller) -> Result<Vec<ImportSchedule>, RegistryError> {
        self.require_here(caller, Action::View, "see imports")?;
        Ok(self.parts.imports.schedules().await?)
    }

    /// Sets a source up, or changes it. Its first run begins soon.
    pub async fn schedule_import(
        &self,
        caller: &Caller,
        new: NewSchedule,
    ) -> Result<ImportSchedule, RegistryError> {
        self.require_here(caller, Action::Operate, "import servers")?;
        self.require_rule(caller, &new.approval)?;
        if new.internal == Internal::Grant {
            self.require_private_hosts(caller)?;
        }
        if !(SHORTEST..=LONGEST).contains(&new.every) {
            return Err(RegistryError::invalid(
                "every",
                "it must be between one minute and 30 days",
            ));
        }
        if let Some(problem) = new.login.as_ref().and_then(Login::problem) {
            return Err(RegistryError::invalid("login", problem));
        }
        let presented = self.presented(new.login.as_ref()).await;
        presented.map_err(|reason| RegistryError::invalid("login.secret", reason))?;
        let base = base_of(&new.origin)?;
        let private_hosts = match new.internal {
            Internal::Grant => self.private_hosts(&base).await?,
            Internal::No => Vec::new(),
        };
        self.parts
            .egress
            .check(&base, &portreeve_net::Reach::granted(&private_hosts))
            .map_err(RegistryError::Refused)?;
        let now = self.parts.clock.now();
        let schedule = ImportSchedule {
            origin: base.to_string(),
            kind: ImportKind::Registry,
            every_seconds: new.every.as_secs(),
            private_hosts,
            approval: checked_approval(new.approval)?,
            created_by: caller.label.to_string(),
            created_at: now,
            last_import: None,
            login: new.login,
            next_at: now,
            synced_until: None,
        };
        let event = self.schedule_event(caller, "import.schedule", &schedule.origin, Some(&schedule));
        self.parts.imports.save_schedule(&schedule, Some(event)).await?;
        Ok(schedule)
    }

    /// Reads a source no more. What came from it stays.
    pub async fn unschedule_import(&self, caller: &Caller, origin: &str) -> Result<(), RegistryError> {
        self.require_here(caller, Action::Operate, "import servers")?;
        let origin = base_of(origin)?.to_string();
        let event = self.schedule_event(caller, "import.unschedule", &origin, None);
        Ok(self.parts.imports.remove_schedule(&origin, event).await?)
    }

    fn schedule_event(
        &self,
        caller: &Caller,
        action: &str,
        origin: &str,
        schedule: Option<&ImportSchedule>,
    ) -> AuditEvent {
        let (clock, rng) = (self.parts.clock.as_ref(), self.parts.rng.as_ref());
        let mut event = AuditEvent::new(EventId::new(clock, rng), clock.now(), action, caller);
        event.target = Some(origin.chars().take(256).collect());
        event.detail = schedule.map(|schedule| {
            let hosts: Vec<String> = schedule.private_hosts.iter().map(ToString::to_string).collect();
            json!({
                "everySeconds": schedule.every_seconds, "approval": schedule.approval, "privateHosts": hosts,
                "secret": schedule.login.as_ref().map(Login::secret),
            })
        });
        event
    }

    /// One run over a source that is due.
    async fn run_schedule(&self, schedule: &ImportSchedule) -> Result<ImportRun, RegistryError> {
        let system = Caller::system();
        let new = NewImport {
            kind: ImportKind::Registry,
            origin: schedule.origin.clone(),
            mode: ImportMode::Apply,
            approval: schedule.approval.clone(),
        };
        let since = schedule.synced_until.map(|at| at.minus(OVERLAP));
        let place = (schedule.private_hosts.clone(), since);
        let base = base_of(&schedule.origin)?;
        let now = self.parts.clock.now();
        let mut fetch = self.fetch_from(&system, new, base, place).await?;
        fetch.wanted = Wanted::BySchedule;
        let (id, begun) = (fetch.run().id, fetch.position.begun);
        let next_at = now.plus(Duration::from_secs(schedule.every_seconds));
        if let Err(error) = self.parts.imports.begin_scheduled(schedule, id, next_at).await {
            return self.end_run(&system, fetch.run, Some(error.to_string())).await;
        }
        let run = match self.presented(schedule.login.as_ref()).await {
            Ok(presented) => {
                fetch.presented = presented;
                self.fetch(&system, fetch).await?
            }
            Err(reason) => self.end_run(&system, fetch.run, Some(reason)).await?,
        };
        // Its first pages may have been read by an earlier run: what the source changed since then comes next time.
        if let (ImportState::Done, Some(begun)) = (run.state, begun) {
            match self.parts.imports.note_synced(&schedule.origin, id, begun).await {
                // Changed or ended in this moment: whoever did that decides how it goes on.
                Ok(()) | Err(StoreError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(run)
    }
}

// === impl ImportJob ===

impl ImportJob {
    /// A job that reads what is due. Nodes agree by the locks.
    pub fn new(registry: Arc<Registry>, locks: Arc<dyn Locks>) -> Self {
        Self { registry, locks }
    }

    /// Looks again and again until the node stops.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        while !*stop.borrow() {
            tokio::select! {
                () = self.look() => {}
                _ = stop.changed() => return,
            }
            tokio::select! {
                () = tokio::time::sleep(LOOK) => {}
                _ = stop.changed() => return,
            }
        }
    }

    async fn look(&self) {
        if let Err(error) = self.round().await {
            tracing::warn!(%error, "The sources to be imported cannot be read.");
        }
    }

    /// Ends the runs that nobody reads any more, and reads every source that is due.
    pub async fn round(&self) -> Result<(), RegistryError> {
        for run in self.registry.silent_runs().await? {
            let Some(lease) = self.take(&format!("import/{}", run.id)).await else {
                continue;
            };
            self.registry.end_silent(run).await?;
            lease::give_back(self.locks.as_ref(), &lease).await;
        }
        let parts = &self.registry.parts;
        let schedules = parts.imports.schedules().await?;
        let now = parts.clock.now();
        for schedule in schedules.into_iter().filter(|schedule| schedule.next_at <= now) {
            let Some(lease) = self.take(&format!("import:{}", schedule.origin)).await else {
                continue;
            };
            self.read(&schedule).await;
            lease::give_back(self.locks.as_ref(), &lease).await;
        }
        Ok(())
    }

    async fn read(&self, schedule: &ImportSchedule) {
        let origin = schedule.origin.as_str();
        // A run may take longer than a lock is held.
        let run = match self.registry.is_being_read(schedule).await {
            Ok(true) => return,
            Ok(false) => self.registry.run_schedule(schedule).await,
            Err(error) => Err(error),
        };
        match run {
            Ok(run) if run.state == ImportState::Failed => {
                let reason = run.failure.unwrap_or_default();
                tracing::warn!(origin, reason, "A registry could not be imported as a whole.");
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(origin, %error, "A registry could not be imported."),
        }
    }

    async fn take(&self, key: &str) -> Option<Lease> {
        match self.locks.acquire(key, "import", LEASE).await {
            Ok(lease) => lease,
            Err(error) => {
                tracing::warn!(%error, "Nodes cannot agree who imports.");
                None
            }
        }
    }
}
