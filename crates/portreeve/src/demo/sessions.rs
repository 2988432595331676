//! The sessions of the legacy era: who said `initialize`, which revision was agreed on, what is under way.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::Value;
use tokio::sync::oneshot;

/// The sample server forgets its oldest session beyond this many.
const MOST_SESSIONS: usize = 10_000;

/// All sessions. The names are keyed hashes with random keys of this process: nobody guesses one, and a loopback
/// sample needs no more.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    keys: [RandomState; 2],
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    opened: u64,
    by_id: HashMap<String, Session>,
    in_order: VecDeque<String>,
}

#[derive(Debug)]
struct Session {
    revision: &'static str,
    /// Dropped when another GET takes over or the session ends; its stream ends then.
    stream: Option<oneshot::Sender<()>>,
    calls: HashMap<String, oneshot::Sender<()>>,
}

impl Sessions {
    /// Opens a session and names it.
    pub(super) fn open(&self, revision: &'static str) -> String {
        let mut inner = self.inner();
        inner.opened += 1;
        let [first, second] = &self.keys;
        let id = format!(
            "{:016x}{:016x}",
            first.hash_one(inner.opened),
            second.hash_one(inner.opened)
        );
        if inner.in_order.len() >= MOST_SESSIONS
            && let Some(oldest) = inner.in_order.pop_front()
        {
            inner.by_id.remove(&oldest);
        }
        let session = Session {
            revision,
            stream: None,
            calls: HashMap::new(),
        };
        inner.by_id.insert(id.clone(), session);
        inner.in_order.push_back(id.clone());
        id
    }

    /// The revision that the session speaks; `None` when there is no such session.
    pub(super) fn revision(&self, id: &str) -> Option<&'static str> {
        self.inner().by_id.get(id).map(|session| session.revision)
    }

    /// Ends a session; `false` when there was none.
    pub(super) fn close(&self, id: &str) -> bool {
        let mut inner = self.inner();
        inner.in_order.retain(|known| known != id);
        inner.by_id.remove(id).is_some()
    }

    /// Takes the session's one stream; what comes back resolves when the stream must end.
    pub(super) fn take_stream(&self, id: &str) -> Option<oneshot::Receiver<()>> {
        let (keep, ended) = oneshot::channel();
        self.inner().by_id.get_mut(id)?.stream = Some(keep);
        Some(ended)
    }

    /// Notes a call that may be cancelled; what comes back resolves to `Ok` when it is.
    pub(super) fn begin_call(&self, id: &str, request: &Value) -> Option<oneshot::Receiver<()>> {
        let (cancel, cancelled) = oneshot::channel();
        self.inner()
            .by_id
            .get_mut(id)?
            .calls
            .insert(request.to_string(), cancel);
        Some(cancelled)
    }

    /// Takes a call off the list, done or cancelled. The sender fires when it is used, and does nothing when dropped.
    pub(super) fn end_call(&self, id: &str, request: &Value) -> Option<oneshot::Sender<()>> {
        self.inner().by_id.get_mut(id)?.calls.remove(&request.to_string())
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
