//! Exchanges with modern servers for legacy hosts. Such a host says that it does not want its answer any more; such a
//! server hears that from the end of the exchange. Here the one finds the other.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

type Known = HashMap<(String, u64), watch::Sender<bool>>;

/// The open exchanges of a node.
#[derive(Debug, Default)]
pub struct Exchanges(Mutex<Known>);

/// One of them; over when dropped.
#[derive(Debug)]
pub struct OpenExchange {
    all: Arc<Exchanges>,
    key: (String, u64),
    cancelled: watch::Receiver<bool>,
}

// === impl Exchanges ===

impl Exchanges {
    fn lock(&self) -> MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens the exchange of a session's request of that id of ours.
    pub fn open(self: &Arc<Self>, session: &str, id: u64) -> OpenExchange {
        let (sender, cancelled) = watch::channel(false);
        let key = (session.to_owned(), id);
        self.lock().insert(key.clone(), sender);
        OpenExchange {
            all: Arc::clone(self),
            key,
            cancelled,
        }
    }

    /// Ends it: its answer is not wanted any more.
    pub fn cancel(&self, session: &str, id: u64) {
        if let Some(exchange) = self.lock().get(&(session.to_owned(), id)) {
            exchange.send_replace(true);
        }
    }
}

// === impl OpenExchange ===

impl OpenExchange {
    /// Turns true when the host does not want the answer any more.
    pub fn cancelled(&self) -> watch::Receiver<bool> {
        self.cancelled.clone()
    }
}

impl Drop for OpenExchange {
    fn drop(&mut self) {
        self.all.lock().remove(&self.key);
    }
}

/// Waits until the host does not want the answer any more; without an exchange, for ever.
pub async fn cancellation(exchange: Option<&OpenExchange>) {
    if let Some(exchange) = exchange
        && exchange.cancelled().wait_for(|is| *is).await.is_ok()
    {
        return;
    }
    std::future::pending().await
}
