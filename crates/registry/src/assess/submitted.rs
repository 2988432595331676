//! What was handed in on this node, or came with an import whose rule asks what is found: it is judged before anything else.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use portreeve_core::name::{ServerName, VersionText};
use tokio::sync::Notify;

/// Most that wait here of each kind. What does not fit is found by the job in its turn.
const MOST: usize = 1_000;

/// A version of a server.
pub(crate) type Which = (ServerName, VersionText);

/// What waits. In memory: after a restart the job finds it by itself.
#[derive(Debug, Default)]
pub(crate) struct Submitted {
    waiting: Mutex<Waiting>,
    come: Notify,
}

/// An import brings thousands, and nobody stands behind them.
#[derive(Debug, Default)]
struct Waiting {
    handed_in: VecDeque<Which>,
    imported: VecDeque<Which>,
}

// === impl Submitted ===

impl Submitted {
    /// Adds what was handed in.
    pub(crate) fn put(&self, versions: Vec<Which>) {
        self.add(versions, |waiting| &mut waiting.handed_in);
    }

    /// Adds what an import brought: it waits behind what was handed in.
    pub(crate) fn put_imported(&self, versions: Vec<Which>) {
        self.add(versions, |waiting| &mut waiting.imported);
    }

    /// Takes one of them, those first that came first.
    pub(crate) fn take(&self) -> Option<Which> {
        let mut waiting = self.lock();
        let handed_in = waiting.handed_in.pop_front();
        handed_in.or_else(|| waiting.imported.pop_front())
    }

    /// Waits until some were added.
    pub(crate) async fn come(&self) {
        self.come.notified().await;
    }

    fn add(&self, versions: Vec<Which>, to: impl Fn(&mut Waiting) -> &mut VecDeque<Which>) {
        if versions.is_empty() {
            return;
        }
        let mut waiting = self.lock();
        let list = to(&mut waiting);
        for which in versions {
            if list.len() < MOST && !list.contains(&which) {
                list.push_back(which);
            }
        }
        drop(waiting);
        self.come.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
