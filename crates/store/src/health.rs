//! What the store says about itself.

use async_trait::async_trait;
use portreeve_core::ports::{StoreError, StoreHealth, StoreStatus};

use crate::engine::Sql;
use crate::migrations;
use crate::store::Store;

#[async_trait]
impl StoreHealth for Store {
    async fn check(&self) -> Result<StoreStatus, StoreError> {
        let difference = migrations::compare(self.engine()).await?;
        // A write that changes nothing still needs the lock, the log and the disk.
        let write = Sql::new("UPDATE catalogue_generation SET generation = generation WHERE id = 1");
        self.engine().write(write).await?;
        Ok(StoreStatus {
            engine: self.engine().name(),
            pending_migrations: difference.pending,
            unknown_migrations: difference.unknown,
        })
    }
}
