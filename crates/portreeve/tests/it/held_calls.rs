//! Calls that wait for a person, in the rooms that tests join.

use std::sync::Arc;

use portreeve_access::{Access, Approvals};
use portreeve_core::secret::SecretKey;
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
