//! Requests on their way whose answers others wait for: those who ask the same at once ask the server once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::copies::Key;

/// The requests that are under way.
#[derive(Debug, Default)]
pub(super) struct Flights(Arc<Under>);

#[derive(Debug, Default)]
struct Under(Mutex<HashMap<Key, watch::Receiver<()>>>);

/// A request that others wait for. They look again when it is dropped.
#[derive(Debug)]
pub(super) struct Flight {
    under: Arc<Under>,
    key: Key,
    _over: watch::Sender<()>,
}

/// What somebody does who has no copy.
pub(super) enum Boarding {
    /// Asks the server, while others wait.
    Lead(Flight),
    /// Waits for somebody else's answer, and looks again.
    Follow(watch::Receiver<()>),
    /// Asks the server for himself.
    Alone,
}

// === impl Flights ===

impl Flights {
    /// The first one leads.
    pub(super) fn board(&self, key: Key) -> Boarding {
        let mut under = self.0.lock();
        if let Some(over) = under.get(&key) {
            return Boarding::Follow(over.clone());
        }
        let (sender, receiver) = watch::channel(());
        under.insert(key.clone(), receiver);
        Boarding::Lead(Flight {
            under: Arc::clone(&self.0),
            key,
            _over: sender,
        })
    }
}

// === impl Under ===

impl Under {
    fn lock(&self) -> MutexGuard<'_, HashMap<Key, watch::Receiver<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl Flight ===

impl Drop for Flight {
    fn drop(&mut self) {
        self.under.lock().remove(&self.key);
    }
}
