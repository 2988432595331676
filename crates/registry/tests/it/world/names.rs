//! Given names in memory.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use portreeve_core::audit::AuditEvent;
use portreeve_core::members::{Given, VirtualServer};
use portreeve_core::name::ServerName;
use portreeve_core::ports::{GivenNames, RouteStore as _, StoreError};
use portreeve_core::route::Route;

use super::store::Memory;

pub(crate) struct Names {
    store: Arc<Memory>,
    given: Mutex<BTreeMap<String, Vec<Given>>>,
}

impl Names {
    pub(super) fn over(store: Arc<Memory>) -> Self {
        Self {
            store,
            given: Mutex::default(),
        }
    }
}

#[async_trait]
impl GivenNames for Names {
    async fn given(&self, server: &ServerName) -> Result<Vec<Given>, StoreError> {
        let given = self.given.lock().unwrap();
        Ok(given.get(server.as_str()).cloned().unwrap_or_default())
    }

    async fn give(
        &self,
        server: &ServerName,
        names: &[Given],
        events: Vec<AuditEvent>,
    ) -> Result<(), StoreError> {
        let mut given = self.given.lock().unwrap();
        let known = given.entry(server.to_string()).or_default();
        for name in names {
            let is_taken = |other: &Given| {
                let same = (&other.member, &other.own) == (&name.member, &name.own);
                other.kind == name.kind && (other.folded() == name.folded() || same)
            };
            if known.iter().any(is_taken) {
                return Err(StoreError::Conflict {
                    what: name.name.clone(),
                });
            }
        }
        known.extend_from_slice(names);
        known.sort();
        self.store.note(&events);
        Ok(())
    }

    async fn virtual_routes(&self) -> Result<Vec<Route>, StoreError> {
        let mut routes = self.store.routes().await?;
        routes.retain(|route| VirtualServer::is_address(&route.upstream_url));
        Ok(routes)
    }
}
