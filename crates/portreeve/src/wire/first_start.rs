//! The first start of an installation, and the first of each of its nodes: the local admin, and a key for this machine.
//!
//! Before: the rooms are joined. After: the node listens.

use portreeve_access::NewKey;
use portreeve_core::caller::Caller;
use portreeve_core::id::UserId;

use super::Node;
use crate::cli::Failure;
use crate::data::DataDirectory;

/// Makes the local admin and, where it is missing, the admin key of this data directory.
pub(crate) async fn first_start(node: &Node, data: &DataDirectory) -> Result<(), Failure> {
    let told = |error: portreeve_access::AccessError| Failure::new(error.to_string());
    node.access.first_start().await.map_err(told)?;
    node.access.tend_signing_keys().await.map_err(told)?;
    load(node).await?;
    if data.has("admin.key") {
        return Ok(());
    }
    let system = Caller::system();
    // Each node of an installation has a data directory of its own, and so an admin key of its own. The end of its
    // identity tells nodes apart; the beginning is the time of their first start.
    let identity = node.jobs.store.node().to_string();
    let name = format!("admin-{}", identity.rsplit('-').next().unwrap_or_default());
    if node
        .access
        .keys(&system)
        .await
        .map_err(told)?
        .iter()
        .any(|key| key.name == name && key.revoked_at.is_none())
    {
        node.access.revoke_key(&system, &name).await.map_err(told)?;
    }
    let new = NewKey {
        groups: Vec::new(),
        name,
        owner: Some(UserId::LOCAL_ADMIN),
        expires_at: None,
    };
    let (_, secret) = node.access.create_key(&system, new).await.map_err(told)?;
    data.write("admin.key", secret.expose())?;
    load(node).await
}

async fn load(node: &Node) -> Result<(), Failure> {
    node.loader
        .load()
        .await
        .map_err(|error| Failure::new(format!("the catalogue cannot be read: {error}")))
}
