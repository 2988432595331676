//! What was submitted on this node, or came with an import whose rule asks what is found: it is judged before anything else.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use portreeve_core::name::{ServerName, VersionText};
use tokio::sync::Notify;

/// Most that wait here. What does not fit is found by the job in its turn.
const MOST: usize = 1_000;

/// A version of a server.
pub(crate) type Which = (ServerName, VersionText);

/// What waits. In memory: after a restart the job finds it in its turn.
#[derive(Debug, Default)]
pub(crate) struct Submitted {
    waiting: Mutex<VecDeque<Which>>,
    come: Notify,
}

// === impl Submitted ===

impl Submitted {
    /// Adds them.
    pub(crate) fn put(&self, versions: Vec<Which>) {
        if versions.is_empty() {
            return;
        }
        let mut waiting = self.lock();
        for which in versions {
            if waiting.len() < MOST && !waiting.contains(&which) {
                waiting.push_back(which);
            }
        }
        drop(waiting);
        self.come.notify_one();
    }

    /// Takes so many of them, those first that came first.
    pub(crate) fn take(&self, most: usize) -> Vec<Which> {
        let mut waiting = self.lock();
        let count = waiting.len().min(most);
        let taken = waiting.drain(..count).collect();
        if !waiting.is_empty() {
            self.come.notify_one();
        }
        taken
    }

    /// Waits until some were added.
    pub(crate) async fn come(&self) {
        self.come.notified().await;
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Which>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
