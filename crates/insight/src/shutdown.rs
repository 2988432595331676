//! Waiting for the word to stop, as the jobs of this room do it.

use tokio::sync::watch;

/// Returns when `shutdown` says `true` or its sender is gone.
pub(crate) async fn told(shutdown: &mut watch::Receiver<bool>) {
    let _ = shutdown.wait_for(|stop| *stop).await;
}
