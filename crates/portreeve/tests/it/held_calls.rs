//! Calls that wait for a person, and requests for access, in the rooms that tests join.

use std::sync::Arc;

use portreeve_access::{Access, AccessRequests, Approvals};
use portreeve_core::ports::SeenServers;
use portreeve_core::secret::SecretKey;
use portreeve_registry::Registry;
use portreeve_store::Store;

/// Approvals over a store.
pub(crate) fn over(access: &Arc<Access>, store: &Store) -> Arc<Approvals> {
    let (digests, seals) = (SecretKey::new([5; 32]), SecretKey::new([6; 32]));
    let approvals = Approvals::new(
        Arc::clone(access),
        Arc::new(store.clone()),
        (&digests, &seals),
        "http://127.0.0.1:8080".to_owned(),
    );
    Arc::new(approvals.expect("keys that can be used"))
}

/// Requests for access over a store, about what a registry shows.
pub(crate) fn requests(access: &Arc<Access>, store: &Store, registry: &Arc<Registry>) -> Arc<AccessRequests> {
    Arc::new(AccessRequests::new(
        Arc::clone(access),
        Arc::new(store.clone()),
        Arc::clone(registry) as Arc<dyn SeenServers>,
    ))
}
