//! The job that forgets what is over, and clients that registered themselves and were never used.

use std::sync::Arc;
use std::time::Duration;

use portreeve_core::oauth::ClientKind;
use portreeve_core::ports::StoreError;
use tokio::sync::watch;

use super::AuthorizationServer;

/// How often it looks.
const PAUSE: Duration = Duration::from_secs(60);
/// Clients that are forgotten in one step.
const AT_ONCE: u32 = 500;
/// How long copies of documents are kept that nobody uses.
const DOCUMENTS: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The job. One node does it at a time.
#[derive(Debug)]
pub struct OauthJob {
    server: Arc<AuthorizationServer>,
    holder: String,
}

impl OauthJob {
    /// A job of a node.
    pub fn new(server: Arc<AuthorizationServer>, holder: String) -> Self {
        Self { server, holder }
    }

    /// Works until it is told to stop.
    pub async fn run(self, mut stop: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                () = tokio::time::sleep(PAUSE) => {}
            }
            let locks = &self.server.parts.locks;
            match locks.acquire("oauth-sweep", &self.holder, PAUSE).await {
                Ok(Some(lease)) => {
                    if let Err(error) = self.server.sweep().await {
                        tracing::warn!(%error, "What is over of authorizations could not be deleted; it is tried again.");
                    }
                    if let Err(error) = locks.release(&lease).await {
                        tracing::debug!(%error, "The lock of a sweep ends by itself.");
                    }
                }
                Ok(None) => {}
                Err(error) => tracing::debug!(%error, "No lock for a sweep."),
            }
        }
    }
}

impl AuthorizationServer {
    /// Forgets what is over.
    pub async fn sweep(&self) -> Result<(), StoreError> {
        let now = self.parts.clock.now();
        self.parts.sweep.sweep_authorizations(now).await?;
        self.parts.access.forget_sign_ins(now).await?;
        let clients = &self.parts.clients;
        for (kind, kept) in [
            (ClientKind::Registered, self.parts.settings.unused),
            (ClientKind::Document, DOCUMENTS),
        ] {
            while clients.purge_clients(kind, now.minus(kept), AT_ONCE).await? == u64::from(AT_ONCE) {}
        }
        Ok(())
    }
}
