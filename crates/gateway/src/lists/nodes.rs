//! What one node hears from a server, the others must know as well: their copies are as old as its own.

use std::collections::HashSet;
use std::str::FromStr as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use portreeve_core::id::RouteId;
use portreeve_core::ports::Signals;
use tokio::sync::watch;

use super::copies::{Copies, Kind};

/// The topic on which nodes tell each other what servers changed.
const TOPIC: &str = "lists";

/// What is told together: servers say some things often.
const GATHERED: Duration = Duration::from_millis(200);

/// Before the topic is asked for again.
const PAUSE: Duration = Duration::from_secs(1);

/// Tells other nodes, and hears from them.
pub struct Told {
    signals: Arc<dyn Signals>,
    /// Names this node: what it told itself is no news to it.
    node: String,
    waiting: Mutex<HashSet<(RouteId, Kind)>>,
}

// === impl Told ===

impl std::fmt::Debug for Told {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Told")
    }
}

impl Told {
    /// Nothing told yet. `node` is any name that no other node has.
    pub fn new(signals: Arc<dyn Signals>, node: String) -> Self {
        Self {
            signals,
            node,
            waiting: Mutex::default(),
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashSet<(RouteId, Kind)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A server changed something.
    pub fn tell(self: &Arc<Self>, route: RouteId, kind: Kind) {
        let is_first = {
            let mut waiting = self.lock();
            let is_first = waiting.is_empty();
            waiting.insert((route, kind));
            is_first
        };
        if is_first {
            let told = Arc::clone(self);
            tokio::spawn(async move {
                tokio::time::sleep(GATHERED).await;
                let all = std::mem::take(&mut *told.lock());
                for (route, kind) in all {
                    let message = format!("{} {route} {}", told.node, kind.word());
                    if let Err(error) = told.signals.publish(TOPIC, message.as_bytes()).await {
                        tracing::debug!(%error, "other nodes do not learn what a server changed");
                        return;
                    }
                }
            });
        }
    }

    /// Follows what other nodes hear, until the node stops.
    pub async fn follow(&self, copies: &Copies, mut stop: watch::Receiver<bool>) {
        loop {
            let listening = self.listen(copies);
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                () = listening => {}
            }
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                () = tokio::time::sleep(PAUSE) => {}
            }
        }
    }

    async fn listen(&self, copies: &Copies) {
        let Ok(mut subscription) = self.signals.subscribe(TOPIC).await else {
            return;
        };
        // What was told before is not heard any more.
        copies.forget();
        loop {
            self.hear(&subscription.next().await, copies);
        }
    }

    fn hear(&self, message: &[u8], copies: &Copies) {
        let words = std::str::from_utf8(message).unwrap_or_default();
        let mut words = words.split(' ');
        let node = words.next().unwrap_or_default();
        let route = words.next().and_then(|id| RouteId::from_str(id).ok());
        let kind = words.next().and_then(Kind::from_word);
        match (route, kind) {
            _ if node == self.node => {}
            (Some(route), Some(kind)) => copies.changed(route, kind),
            // The connection broke; or a newer node says something that this one does not know.
            _ => copies.forget(),
        }
    }
}
