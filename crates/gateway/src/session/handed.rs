//! What a host says through one node about what is under way on another: the answer to a question, a call that is taken
//! back. The node that hears it leaves it, sealed, in the cache that all share, and tells the others. Whoever it is meant
//! for takes it; who loses it there asks or answers in vain, as if the host had said nothing.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use portreeve_core::id::HostSessionId;
use portreeve_core::secret::Secret;

use super::keeper::Keeper;
use super::news::{self, News};
use super::{Session, Sessions};

/// How long it lies there.
const LIFE: Duration = Duration::from_secs(30);

/// What even the shortest message takes, beside its bytes.
const EACH: usize = 256;

/// What is under way on this node.
pub trait Here: std::fmt::Debug + Send + Sync {
    /// Heeds what a host said through another node, if it is about something here.
    fn heed(&self, session: &Session, body: &Bytes);

    /// What the host set is something else now.
    fn changed(&self, session: &Session);
}

// === impl Sessions ===

impl Sessions {
    /// Who hears what other nodes hand over. Once.
    pub(crate) fn hand_to(&self, here: Arc<dyn Here>) {
        // A node has one gateway.
        let _ = self.here.set(here);
    }

    /// Tells this node's questions from those of others.
    pub(crate) fn node(&self) -> u64 {
        self.keeper.node
    }

    /// Hands what a host said to the other nodes, unless it is too long, or too much of the session lies there already.
    pub(crate) fn hand_over(&self, session: &Session, body: Bytes) {
        let room = u32::try_from(body.len() + EACH).unwrap_or(u32::MAX);
        let is_short = body.len() <= self.limits.handed_bytes;
        let room = is_short.then(|| Arc::clone(&session.handing).try_acquire_many_owned(room));
        let Some(Ok(room)) = room else {
            tracing::debug!(
                bytes = body.len(),
                "what a host said is too much to be handed to another node"
            );
            return;
        };
        let mut token = [0_u8; 8];
        self.rng.fill(&mut token);
        let (keeper, session) = (Arc::clone(&self.keeper), session.key);
        self.keeper.aside(async move {
            keeper.hand_over(session, u64::from_be_bytes(token), &body).await;
            drop(body);
            tokio::time::sleep(LIFE).await;
            drop(room);
        });
    }

    /// Takes what another node handed over. Nobody waits for that.
    pub(super) fn take_handed(&self, session: Arc<Session>, token: u64) {
        let Some(here) = self.here.get().cloned() else {
            return;
        };
        let keeper = Arc::clone(&self.keeper);
        self.keeper.aside(async move {
            if let Some(body) = keeper.handed(session.key, token).await {
                here.heed(&session, &body);
            }
        });
    }
}

// === impl Keeper ===

impl Keeper {
    async fn hand_over(&self, session: HostSessionId, token: u64, body: &Bytes) {
        let (key, text) = (place(session, token), String::from_utf8_lossy(body).into_owned());
        let Ok(sealed) = self.sealer().seal(&Secret::new(text), &[&key], self.rng()) else {
            return;
        };
        let hint = News::Handed(session, token).write(self.node);
        let told = match self.cache().put(&key, sealed.as_bytes(), LIFE).await {
            Ok(()) => self.signals().publish(news::TOPIC, hint.as_bytes()).await,
            Err(error) => Err(error),
        };
        if let Err(error) = told {
            tracing::warn!(error = %error, "what a host said does not reach the node that it is meant for");
        }
    }

    async fn handed(&self, session: HostSessionId, token: u64) -> Option<Bytes> {
        let _one_of_few = self.fetching.acquire().await.ok()?;
        let key = place(session, token);
        let sealed = self.cache().get(&key).await.ok()??;
        let text = self.sealer().open(std::str::from_utf8(&sealed).ok()?, &[&key]);
        text.ok().map(|text| Bytes::from(text.expose().to_owned()))
    }
}

fn place(session: HostSessionId, token: u64) -> String {
    format!("host_session/{session}/handed/{token:x}")
}
