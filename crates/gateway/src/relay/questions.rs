//! Questions to legacy hosts that wait for their answers, which come in requests of their own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::oneshot;

type Open = HashMap<(String, String), oneshot::Sender<Bytes>>;

/// The open questions of a node.
#[derive(Debug, Default)]
pub struct Questions(Mutex<Open>);

/// One of them; taken back when dropped.
#[derive(Debug)]
pub struct Waiting {
    all: Arc<Questions>,
    key: (String, String),
    /// The whole answer, when it comes.
    pub answer: oneshot::Receiver<Bytes>,
}

// === impl Questions ===

impl Questions {
    fn lock(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the answer of a session to the request of this id, as it is written.
    pub fn ask(self: &Arc<Self>, session: &str, id: &str) -> Waiting {
        let (sender, answer) = oneshot::channel();
        let key = (session.to_owned(), id.to_owned());
        self.lock().insert(key.clone(), sender);
        Waiting {
            all: Arc::clone(self),
            key,
            answer,
        }
    }

    /// Hands an answer over. `false`: nobody waits for it, or not any more.
    pub fn answer(&self, session: &str, id: &str, body: Bytes) -> bool {
        let waiting = self.lock().remove(&(session.to_owned(), id.to_owned()));
        waiting.is_some_and(|waiting| waiting.send(body).is_ok())
    }
}

// === impl Waiting ===

impl Drop for Waiting {
    fn drop(&mut self) {
        self.all.lock().remove(&self.key);
    }
}
