//! Whose turn it is, when several nodes could do the same work.

use std::time::Duration;

use portreeve_core::ports::{Lease, Locks};

/// Whose turn it is.
pub(crate) enum Turn {
    /// Ours. Without a lease, the locks did not answer: to do it twice does no harm, and for nobody to do it would.
    Ours(Option<Lease>),
    /// Another node's.
    Theirs,
}

/// Takes a turn for at most so long.
pub(crate) async fn take(locks: &dyn Locks, key: &str, holder: &str, ttl: Duration) -> Turn {
    match locks.acquire(key, holder, ttl).await {
        Ok(Some(lease)) => Turn::Ours(Some(lease)),
        Ok(None) => Turn::Theirs,
        Err(error) => {
            tracing::debug!(key, %error, "What nodes take in turns is done without a lock.");
            Turn::Ours(None)
        }
    }
}

/// Gives it back.
pub(crate) async fn give_back(locks: &dyn Locks, lease: &Lease) {
    if let Err(error) = locks.release(lease).await {
        tracing::debug!(%error, "A lock could not be given back; it ends by itself.");
    }
}
