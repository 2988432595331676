//! What nodes leave each other for a while, in the cache that they share: requests of a server that wait for the host's
//! answer, and requests of a host that were left without one and whose host may come back for it. What is lost there is
//! missed by nobody but the one who comes to another node.

use std::sync::Arc;
use std::time::Duration;

use portreeve_core::id::HostSessionId;
use portreeve_core::protocol::Era;
use portreeve_mcp::method::Method;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::Pending;
use super::keeper::Keeper;

/// Requests of one session that are left to others.
const LEFT: usize = 32;

/// Held while what is left of a session is changed.
pub(super) type Leaving = Arc<tokio::sync::Mutex<()>>;

/// A request of a host that was left.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Left {
    id: u64,
    host_id: Box<RawValue>,
    method: String,
}

impl Left {
    pub(super) fn new(id: u64, request: &Pending) -> Self {
        Self {
            id,
            host_id: request.host_id.clone(),
            method: request.method.as_str().to_owned(),
        }
    }

    /// Our id of it, and the request.
    pub(super) fn taken_up(self) -> Option<(u64, Pending)> {
        let pending = Pending {
            method: Method::find(&self.method, Era::Legacy)?,
            host_id: self.host_id,
            under_way: false,
        };
        Some((self.id, pending))
    }
}

impl Keeper {
    /// Leaves a request to the other nodes.
    pub(super) fn hand_on(&self, session: HostSessionId, lock: &Leaving, left: Left, life: Duration) {
        self.alter_left(session, lock, life, move |all| {
            all.retain(|other| other.id != left.id);
            all.push(left);
            let beyond = all.len().saturating_sub(LEFT);
            all.drain(..beyond);
        });
    }

    /// Forgets a request that was left and is answered by now.
    pub(super) fn no_longer_left(&self, session: HostSessionId, lock: &Leaving, id: u64, life: Duration) {
        self.alter_left(session, lock, life, move |all| all.retain(|other| other.id != id));
    }

    /// What is left of a session is one value, so its changes on this node follow each other. Of two nodes that change it
    /// at the same moment one may lose.
    fn alter_left(
        &self,
        session: HostSessionId,
        lock: &Leaving,
        life: Duration,
        change: impl FnOnce(&mut Vec<Left>) + Send + 'static,
    ) {
        let (cache, key, lock) = (Arc::clone(self.cache()), place(session), Arc::clone(lock));
        self.aside(async move {
            let _one_at_a_time = lock.lock().await;
            let known = cache.get(&key).await.ok().flatten().unwrap_or_default();
            let mut all: Vec<Left> = serde_json::from_slice(&known).unwrap_or_default();
            change(&mut all);
            let Ok(text) = serde_json::to_vec(&all) else {
                return;
            };
            let written = if all.is_empty() {
                cache.remove(&key).await
            } else {
                cache.put(&key, &text, life).await
            };
            if let Err(error) = written {
                tracing::debug!(error = %error, "only this node knows what became of a request that was left");
            }
        });
    }

    /// What was left.
    pub(super) async fn left(&self, session: HostSessionId) -> Vec<Left> {
        let (cache, key) = (Arc::clone(self.cache()), place(session));
        let look = self.beside(async move { cache.get(&key).await });
        let known = look.await.and_then(Result::ok).flatten().unwrap_or_default();
        serde_json::from_slice(&known).unwrap_or_default()
    }

    /// Notes for all nodes that the server waits for the host's answer to this request.
    pub(super) fn note_question(&self, session: HostSessionId, hash: &str, life: Duration) {
        let (cache, key) = (Arc::clone(self.cache()), question(session, hash));
        self.aside(async move {
            if let Err(error) = cache.put(&key, b"", life).await {
                tracing::debug!(error = %error, "only this node knows of a request of a server");
            }
        });
    }

    /// Whether the server asked that through any node; it is taken back with that.
    pub(super) async fn take_question(&self, session: HostSessionId, hash: &str) -> bool {
        let (cache, key) = (Arc::clone(self.cache()), question(session, hash));
        let look = self.beside(async move {
            let is_known = matches!(cache.get(&key).await, Ok(Some(_)));
            if is_known && let Err(error) = cache.remove(&key).await {
                tracing::debug!(error = %error, "a request of a server is remembered longer than it must");
            }
            is_known
        });
        look.await.unwrap_or(false)
    }
}

fn place(session: HostSessionId) -> String {
    format!("host_session/{session}/left")
}

/// What a request of a server is noted by: its id may be long, and say something.
pub(super) fn hash_of(id: &str) -> String {
    portreeve_inspect::sha256_hex(id.as_bytes())
}

fn question(session: HostSessionId, hash: &str) -> String {
    format!("host_session/{session}/asked/{hash}")
}
