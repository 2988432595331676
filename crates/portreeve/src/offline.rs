//! What works on files, without a running Portreeve.

use std::path::Path;

use portreeve_core::time::SystemClock;
use portreeve_inspect::{Ed25519Signer, Keyring};
use portreeve_store::{Store, StoreOptions, node_identity, verify_data};

use crate::cli::{Failure, Reply, audit_verdict};
use crate::data;
use crate::randomness::SystemRng;

/// `audit verify --data DIR`: journal, checkpoint file and, if it is SQLite in that directory, the table.
pub(crate) async fn verify_audit(directory: &Path) -> Result<Reply, Failure> {
    if !directory.join("node.id").exists() {
        return Err(Failure::new(format!(
            "`{}` is not a data directory of Portreeve",
            directory.display()
        ))
        .hint("name the one that `serve` runs on"));
    }
    let keys = Keyring::new(data::read_master_key(directory)?);
    let signer = Ed25519Signer::from_seed(&keys.derive("audit-checkpoints"));
    let node = node_identity(directory, &SystemClock, &SystemRng)
        .map_err(|error| Failure::new(error.to_string()))?;
    let file = directory.join("portreeve.db");
    let store = if file.exists() {
        let url = format!("sqlite:{}", file.display());
        let opened = Store::open(&url, &StoreOptions::read_only(node)).await;
        Some(opened.map_err(|error| Failure::new(format!("`{}` cannot be read: {error}", file.display())))?)
    } else {
        None
    };
    let report = verify_data(directory, store.as_ref(), &signer).await;
    let report = report.map_err(|error| Failure::new(error.to_string()).hint(error.hint()))?;
    let report = serde_json::to_value(report).map_err(|error| Failure::new(error.to_string()))?;
    Ok(audit_verdict(report))
}
