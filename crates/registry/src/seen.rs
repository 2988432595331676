//! What exists for a caller, for rooms that may not know the registry: whoever asks for access to a server learns of it
//! what the entry's page would say.

use async_trait::async_trait;
use portreeve_core::caller::Caller;
use portreeve_core::name::ServerName;
use portreeve_core::ports::{SeenServers, StoreError};

use crate::error::RegistryError;
use crate::registry::Registry;

#[async_trait]
impl SeenServers for Registry {
    async fn seen(&self, caller: &Caller, server: &ServerName) -> Result<Option<ServerName>, StoreError> {
        match self.entry(caller, server).await {
            // Whoever sees the inside sees drafts, too; of those there is nothing to use.
            Ok(entry) if entry.versions.iter().any(|version| version.is_listed()) => {
                Ok(Some(entry.server.name))
            }
            Ok(_) => Ok(None),
            Err(RegistryError::Store(error)) => Err(error),
            Err(_) => Ok(None),
        }
    }
}
