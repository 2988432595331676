//! The registry as its faces hold it: its parts, who may do what, and how a change of an entry is saved.

use std::sync::Arc;

use arc_swap::ArcSwap;
use portreeve_core::audit::AuditEvent;
use portreeve_core::caller::Caller;
use portreeve_core::id::EventId;
use portreeve_core::limits::Limits;
use portreeve_core::name::{IssuerName, ServerName};
use portreeve_core::policy::PolicyCheck;
use portreeve_core::ports::{
    AssessmentStore, Authorizer, Counters, Entry, EntryFeed, EntryStore, GivenNames, GovernanceStore,
    IconStore, ImportStore, LoginStore, Outgoing, Refresh, RouteStore, ServedStore, StoreError, ToolsetStore,
    Views, WaitingStore,
};
use portreeve_core::publishing::NamePattern;
use portreeve_core::random::Rng;
use portreeve_core::secret::SecretKey;
use portreeve_core::time::Clock;
use portreeve_net::Egress;
use serde_json::Value;
use url::Url;

use crate::assess::AssessmentPolicy;
use crate::assess::near_names::{Neighbours, Vouched};
use crate::assess::submitted::Submitted;
use crate::error::RegistryError;
use crate::export::KeptExports;
use crate::kept::Kept;
use crate::search::Searcher;
use crate::serve::cursor::CursorKeys;
use crate::serve::document::RemoteTexts;
use crate::serve::keeper::ShelfKeeper;
use crate::source::ToolSource;
use crate::work::Work;

/// How often a save is tried again after somebody else was faster.
const RETRIES: u32 = 3;

/// What the registry is made of.
pub struct RegistryParts {
    /// Entries.
    pub entries: Arc<dyn EntryStore>,
    /// Which of them changed.
    pub feed: Arc<dyn EntryFeed>,
    /// Them as hosts read them.
    pub served: Arc<dyn ServedStore>,
    /// What was imported.
    pub imports: Arc<dyn ImportStore>,
    /// Routes and tools.
    pub routes: Arc<dyn RouteStore>,
    /// Environments and what else is governed.
    pub governance: Arc<dyn GovernanceStore>,
    /// What REST APIs were made into.
    pub toolsets: Arc<dyn ToolsetStore>,
    /// The registries in force.
    pub views: Arc<dyn Views>,
    /// Who may do what.
    pub authorizer: Arc<dyn Authorizer>,
    /// The names that virtual servers gave.
    pub names: Arc<dyn GivenNames>,
    /// What policies mean.
    pub policies: Arc<dyn PolicyCheck>,
    /// Brings a change into force on this node before its maker gets the answer.
    pub refresh: Arc<dyn Refresh>,
    /// Where tool lists come from.
    pub source: Arc<dyn ToolSource>,
    /// What may be reached.
    pub egress: Egress,
    /// Now.
    pub clock: Arc<dyn Clock>,
    /// How protected servers are logged in at.
    pub logins: Arc<dyn LoginStore>,
    /// The vault.
    pub outgoing: Arc<dyn Outgoing>,
    /// Randomness.
    pub rng: Arc<dyn Rng>,
    /// Limits on what comes from outside.
    pub limits: Arc<Limits>,
    /// The gateway's public origin, perhaps with a path.
    pub public_url: Url,
    /// What was found about versions.
    pub assessments: Arc<dyn AssessmentStore>,
    /// What is shown beside the names of servers.
    pub icons: Arc<dyn IconStore>,
    /// What waits for somebody.
    pub waiting: Arc<dyn WaitingStore>,
    /// What stops an approval.
    pub assessment: AssessmentPolicy,
    /// Authenticates and seals cursors.
    pub cursor_key: SecretKey,
    /// Names under which what is published over the registry API is approved at once.
    pub auto_approve: Vec<NamePattern>,
    /// Counts what publishers write.
    pub counters: Arc<dyn Counters>,
    /// The issuers of access tokens that the configuration file names: a route may take tokens of these.
    pub issuers: Vec<IssuerName>,
}

/// The registry.
pub struct Registry {
    pub(crate) parts: RegistryParts,
    pub(crate) cursor_keys: CursorKeys,
    /// How routes are written into lists.
    pub(crate) remotes: RemoteTexts,
    pub(crate) searcher: Searcher,
    pub(crate) shelf: ShelfKeeper,
    /// The allow-lists of registries.
    pub(crate) exports: KeptExports,
    /// The catalogue of the cards of servers.
    pub(crate) catalogue: Kept<(), Vec<Value>>,
    /// The names of listed servers, to compare others with.
    pub(crate) neighbours: Kept<(), Neighbours>,
    /// The verified partners, as `partners` last saw them.
    pub(crate) vouched: ArcSwap<Vec<Vouched>>,
    /// Batches of imports are taken in one after the other.
    pub(crate) importing: tokio::sync::Mutex<()>,
    /// Somebody approved something, or named other icons.
    pub(crate) icons_wanted: tokio::sync::Notify,
    /// What was submitted here and is to be judged.
    pub(crate) submitted: Submitted,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry")
            .field("public_url", &self.parts.public_url.as_str())
            .finish_non_exhaustive()
    }
}

// === impl Registry ===

impl Registry {
    /// Puts the parts together.
    pub fn new(parts: RegistryParts) -> Self {
        let cursor_keys = CursorKeys::new(&parts.cursor_key);
        Self {
            searcher: Searcher::new(Arc::clone(&parts.feed)),
            shelf: ShelfKeeper::new(
                Arc::clone(&parts.feed),
                Arc::clone(&parts.served),
                parts.limits.shelf_bytes,
            ),
            exports: Kept::default(),
            catalogue: Kept::default(),
            neighbours: Kept::default(),
            vouched: ArcSwap::default(),
            importing: tokio::sync::Mutex::default(),
            icons_wanted: tokio::sync::Notify::new(),
            submitted: Submitted::default(),
            remotes: RemoteTexts::of(&parts.public_url),
            parts,
            cursor_keys,
        }
    }

    /// An audit event about a server.
    pub(crate) fn event(&self, caller: &Caller, action: &str, name: &ServerName) -> AuditEvent {
        let mut event = event(
            self.parts.clock.as_ref(),
            self.parts.rng.as_ref(),
            caller,
            action,
            name,
        );
        event.policies = self.allowed_by(caller, action, name);
        event
    }

    /// The entry of that name, whoever asks.
    pub(crate) async fn load(&self, name: &ServerName) -> Result<Entry, RegistryError> {
        let entry = self.parts.entries.entry(name).await?;
        entry.ok_or_else(|| RegistryError::no_server(name))
    }

    /// Changes an entry that exists: `step` says what becomes of it, the latest mark and the route follow.
    pub(crate) async fn change<S>(
        &self,
        caller: &Caller,
        name: &ServerName,
        step: S,
    ) -> Result<Entry, RegistryError>
    where
        S: Fn(&mut Work) -> Result<(), RegistryError> + Send + Sync,
    {
        let mut tries = 0;
        loop {
            let mut work = Work::open(self.load(name).await?);
            step(&mut work)?;
            let submitted = work.submitted();
            if let Some(saved) = self.save(caller, work, &mut tries).await? {
                self.submitted.put(submitted);
                return Ok(saved);
            }
        }
    }

    /// Saves what became of an entry. `None`: somebody else was faster, and there are tries left.
    pub(crate) async fn save(
        &self,
        caller: &Caller,
        mut work: Work,
        tries: &mut u32,
    ) -> Result<Option<Entry>, RegistryError> {
        self.settle(caller, &mut work).await?;
        let (change, mut after) = work.finish();
        let Some(change) = change else {
            return Ok(Some(after));
        };
        match self.parts.entries.save(change).await {
            Ok(revision) => after.revision = revision,
            Err(StoreError::Conflict { .. }) if *tries < RETRIES => {
                *tries += 1;
                return Ok(None);
            }
            Err(error) => return Err(error.into()),
        }
        self.parts.refresh.refresh().await;
        Ok(Some(after))
    }
}

/// An audit event about a server.
pub(crate) fn event(
    clock: &dyn Clock,
    rng: &dyn Rng,
    caller: &Caller,
    action: &str,
    name: &ServerName,
) -> AuditEvent {
    let mut event = AuditEvent::new(EventId::new(clock, rng), clock.now(), action, caller);
    event.server = Some(name.to_string());
    event
}

pub(crate) fn forbidden(caller: &Caller, action: String) -> RegistryError {
    RegistryError::Forbidden {
        caller: caller.label.to_string(),
        action,
    }
}
