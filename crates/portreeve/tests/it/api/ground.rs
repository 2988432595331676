//! What the house stands on: a store of the chosen engine, and what is written down.

use std::path::Path;
use std::sync::Arc;

use portreeve_access::Access;
use portreeve_core::id::NodeId;
use portreeve_core::random::Rng;
use portreeve_core::secret::SecretKey;
use portreeve_core::time::Clock;
use portreeve_insight::{Insight, InsightParts};
use portreeve_inspect::Ed25519Signer;
use portreeve_store::{Audit, AuditOptions, AuditWriter, Store, StoreOptions};

use crate::node::Engines;

/// The store, and the audit log over it.
pub(super) async fn opened(data: &Path, (clock, rng): (&Arc<dyn Clock>, &Arc<dyn Rng>)) -> (Store, Audit) {
    let node = NodeId::new(&**clock, &**rng);
    let url = match Engines::chosen() {
        Engines::Alone => format!("sqlite:{}", data.join("portreeve.db").display()),
        Engines::Servers { store, .. } => store,
    };
    let store = Store::open(&url, &StoreOptions::new(node)).await.unwrap();
    let signer = Arc::new(Ed25519Signer::from_seed(&SecretKey::new([7; 32])));
    let audit = Audit::open(&store, AuditOptions::new(data), signer, Arc::clone(clock));
    let audit = audit.await.unwrap();
    (store, audit)
}

/// What is told of usage and audit.
pub(super) fn insight(access: &Arc<Access>, store: &Store, writer: AuditWriter) -> Insight {
    Insight::new(InsightParts {
        usage: Arc::new(store.clone()),
        audit: Arc::new(writer),
        authorizer: access.clone(),
        flush: None,
    })
}
