//! Tells the open streams of legacy sessions that their hosts want to be told of other resources now.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

/// By session.
#[derive(Debug, Default)]
pub struct Wishes(Mutex<HashMap<String, watch::Sender<u64>>>);

// === impl Wishes ===

impl Wishes {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, watch::Sender<u64>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hears of changes of a session's wishes.
    pub fn of(&self, session: &str) -> watch::Receiver<u64> {
        let mut all = self.lock();
        all.retain(|_, sender| sender.receiver_count() > 0);
        all.entry(session.to_owned())
            .or_insert_with(|| watch::channel(0).0)
            .subscribe()
    }

    /// The wishes of a session are others now.
    pub fn changed(&self, session: &str) {
        if let Some(sender) = self.lock().get(session) {
            sender.send_modify(|count| *count += 1);
        }
    }
}
