//! The durable side of sessions: one row each. What comes at the same time is written together, so a thousand hosts that
//! come at once cost a few commits, not a thousand.
//!
//! The threads that serve calls only wait here; the store is asked on the runtime beside them.

use std::sync::Arc;

use portreeve_core::host_session::{HostSession, HostSessionChange};
use portreeve_core::id::HostSessionId;
use portreeve_core::ports::{Cache, HostSessionStore, Signals, StoreError};
use portreeve_core::random::Rng;
use portreeve_core::time::{Clock, Timestamp};
use portreeve_inspect::Sealer;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, mpsc, oneshot};

use super::Session;
use super::kept::Kept;
use super::news::{self, News};
use crate::metrics::Metrics;

/// Changes that are written together at most.
const AT_ONCE: usize = 256;
/// Changes that may wait; who comes then waits for room.
const WAITING: usize = 4_096;
/// Things that other nodes handed over which are fetched at once.
const FETCHED_AT_ONCE: usize = 64;
/// How often a change is made again after somebody else's.
const TRIES: usize = 5;

/// Why a session could not be kept or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeepError {
    /// The store does not answer.
    #[error("sessions cannot be read or written just now")]
    Away,
    /// Somebody ended it meanwhile.
    #[error("the session was ended")]
    Over,
}

struct Write {
    change: HostSessionChange,
    done: oneshot::Sender<Option<bool>>,
}

/// Keeps sessions. Shared by all sessions of a node.
pub(super) struct Keeper {
    store: Arc<dyn HostSessionStore>,
    cache: Arc<dyn Cache>,
    signals: Arc<dyn Signals>,
    sealer: Sealer,
    rng: Arc<dyn Rng>,
    pub(super) clock: Arc<dyn Clock>,
    runtime: Handle,
    writes: mpsc::Sender<Write>,
    metrics: Metrics,
    /// Bounds what is fetched at once of what other nodes handed over.
    pub(super) fetching: Semaphore,
    /// Tells this node's news from those of others.
    pub(super) node: u64,
}

/// What a keeper works with.
pub(super) struct KeeperParts {
    pub(super) store: Arc<dyn HostSessionStore>,
    pub(super) cache: Arc<dyn Cache>,
    pub(super) signals: Arc<dyn Signals>,
    pub(super) sealer: Sealer,
    pub(super) rng: Arc<dyn Rng>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) runtime: Handle,
    pub(super) metrics: Metrics,
}

impl std::fmt::Debug for Keeper {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Keeper")
    }
}

// === impl Keeper ===

impl Keeper {
    /// Begins to write what comes.
    pub(super) fn new(parts: KeeperParts) -> Arc<Self> {
        let (writes, waiting) = mpsc::channel(WAITING);
        parts
            .runtime
            .spawn(write(Arc::clone(&parts.store), waiting, parts.metrics.clone()));
        let mut node = [0_u8; 8];
        parts.rng.fill(&mut node);
        Arc::new(Self {
            store: parts.store,
            cache: parts.cache,
            signals: parts.signals,
            sealer: parts.sealer,
            rng: parts.rng,
            clock: parts.clock,
            runtime: parts.runtime,
            writes,
            metrics: parts.metrics,
            fetching: Semaphore::new(FETCHED_AT_ONCE),
            node: u64::from_be_bytes(node),
        })
    }

    pub(super) const fn signals(&self) -> &Arc<dyn Signals> {
        &self.signals
    }

    pub(super) const fn sealer(&self) -> &Sealer {
        &self.sealer
    }

    pub(super) fn rng(&self) -> &dyn Rng {
        &*self.rng
    }

    pub(super) const fn store(&self) -> &Arc<dyn HostSessionStore> {
        &self.store
    }

    pub(super) const fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    pub(super) const fn cache(&self) -> &Arc<dyn Cache> {
        &self.cache
    }

    /// Does something on the runtime beside; nothing comes of it where that ends.
    pub(super) async fn beside<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        self.runtime.spawn(work).await.ok()
    }

    /// Does something on the runtime beside, for which nobody waits.
    pub(super) fn aside(&self, work: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(work);
    }

    /// Writes a change. Says whether it took.
    async fn write(&self, change: HostSessionChange) -> Result<bool, KeepError> {
        let (done, written) = oneshot::channel();
        let sent = self.writes.send(Write { change, done }).await;
        sent.map_err(|_| KeepError::Away)?;
        written.await.ok().flatten().ok_or(KeepError::Away)
    }

    /// Writes a new session.
    pub(super) async fn open(&self, session: &Session, kept: &Kept, at: Timestamp) -> Result<(), KeepError> {
        let row = HostSession {
            id: session.key,
            principal: session.principal,
            route: session.route,
            sealed: self.seal(session, kept)?,
            revision: 1,
            opened_at: at,
            used_at: at,
        };
        self.write(HostSessionChange::Open(row)).await.map(drop)
    }

    /// Writes what changed of a session, and tells the other nodes. Says whether it took.
    pub(super) async fn change(
        &self,
        session: &Session,
        kept: &Kept,
        expected: i64,
    ) -> Result<bool, KeepError> {
        let took = self
            .write(HostSessionChange::Seal {
                id: session.key,
                expected,
                sealed: self.seal(session, kept)?,
            })
            .await?;
        if took {
            self.tell(News::Changed(session.key, expected + 1));
        }
        Ok(took)
    }

    /// Ends a session, on every node.
    pub(super) async fn end(&self, id: HostSessionId) -> Result<(), KeepError> {
        if self.write(HostSessionChange::End(id)).await? {
            self.tell(News::Ended(id));
        }
        Ok(())
    }

    /// Tells the other nodes. A hint that is lost is made up for within a minute.
    pub(super) fn tell(&self, news: News) {
        let (signals, text) = (Arc::clone(&self.signals), news.write(self.node));
        self.aside(async move {
            if let Err(error) = signals.publish(news::TOPIC, text.as_bytes()).await {
                tracing::debug!(error = %error, "other nodes learn of a session by their next look");
            }
        });
    }

    /// Reads a session. One that does not open under this installation's key is none.
    pub(super) async fn read(&self, id: HostSessionId) -> Result<Option<(HostSession, Kept)>, KeepError> {
        let store = Arc::clone(&self.store);
        let read = self.beside(async move { store.host_session(id).await }).await;
        let row = read.ok_or(KeepError::Away)?.map_err(|error| away(&error))?;
        Ok(row.and_then(|row| self.opened(row)))
    }

    /// A row with what it holds.
    pub(super) fn opened(&self, row: HostSession) -> Option<(HostSession, Kept)> {
        let kept = Kept::open(&row, &self.sealer);
        if kept.is_err() {
            tracing::warn!("a session does not open under the master key of this node");
        }
        kept.ok().map(|kept| (row, kept))
    }

    fn seal(&self, session: &Session, kept: &Kept) -> Result<String, KeepError> {
        kept.seal(session, &self.sealer, &*self.rng)
            .map_err(|_| KeepError::Away)
    }
}

fn away(error: &StoreError) -> KeepError {
    let cause = std::error::Error::source(error).map(ToString::to_string);
    tracing::warn!(error = %error, cause = cause.as_deref(), "a session cannot be read or written");
    KeepError::Away
}

/// Writes together what has come by now, again and again.
async fn write(store: Arc<dyn HostSessionStore>, mut waiting: mpsc::Receiver<Write>, metrics: Metrics) {
    let mut some = Vec::with_capacity(AT_ONCE);
    while waiting.recv_many(&mut some, AT_ONCE).await > 0 {
        let (changes, done): (Vec<_>, Vec<_>) = some
            .drain(..)
            .map(|write: Write| (write.change, write.done))
            .unzip();
        match store.save_host_sessions(&changes).await {
            Ok(took) => {
                for (done, took) in done.into_iter().zip(took) {
                    // Who asked may have gone away.
                    let _ = done.send(Some(took));
                }
            }
            Err(error) => {
                away(&error);
                metrics.session_write_failures.inc();
                for done in done {
                    let _ = done.send(None);
                }
            }
        }
    }
}

// === impl Session ===

impl Session {
    /// Makes a new session durable. Only then may the host learn of it.
    pub async fn keep(&self) -> Result<(), KeepError> {
        let (kept, revision) = self.kept();
        if revision > 0 {
            return Ok(());
        }
        self.keeper.open(self, &kept, self.opened_at).await?;
        self.take_over(kept, 1);
        Ok(())
    }

    /// Changes what is kept, durable when it returns; after what others changed meanwhile. A session that is not kept yet
    /// is only changed here.
    pub(super) async fn change(&self, change: impl Fn(&mut Kept) + Send + Sync) -> Result<(), KeepError> {
        let _one_at_a_time = self.changing.lock().await;
        for _ in 0..TRIES {
            let (mut kept, revision) = self.kept();
            let before = kept.clone();
            change(&mut kept);
            if kept == before {
                return Ok(());
            }
            if revision == 0 {
                self.alter(&change);
                return Ok(());
            }
            if self.keeper.change(self, &kept, revision).await? {
                self.take_over(kept, revision + 1);
                return Ok(());
            }
            self.read_again().await?;
        }
        Err(KeepError::Away)
    }

    /// Takes over what other nodes changed.
    pub(super) async fn read_again(&self) -> Result<(), KeepError> {
        let Some((row, kept)) = self.keeper.read(self.key).await? else {
            return Err(KeepError::Over);
        };
        self.take_over(kept, row.revision);
        Ok(())
    }
}
