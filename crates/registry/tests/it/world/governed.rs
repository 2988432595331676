//! What administrators govern beside entries, in memory.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use portreeve_core::audit::AuditEvent;
use portreeve_core::deployment::{EnvironmentKind, EnvironmentRecord};
use portreeve_core::name::{Environment, PropertyName, RegistryName, ServerName};
use portreeve_core::page::PageOf;
use portreeve_core::ports::{
    DeployedServer, DeploymentQuery, DeploymentStore, EnvironmentStore, PropertyStore, ServerValues,
    StoreError, VersionValues, ViewStore, Views,
};
use portreeve_core::property::PropertyRecord;
use portreeve_core::time::Timestamp;
use portreeve_core::view::{Readers, RegistryRecord, Selection};

use super::store::Memory;

pub(crate) struct Governed {
    environments: Mutex<Vec<EnvironmentRecord>>,
    registries: Mutex<Vec<RegistryRecord>>,
    properties: Mutex<Vec<PropertyRecord>>,
    store: Arc<Memory>,
}

impl Governed {
    /// What is governed over the servers of a store.
    pub(crate) fn over(store: Arc<Memory>) -> Self {
        let environments = [
            ("production", EnvironmentKind::Production),
            ("test", EnvironmentKind::Testing),
            ("development", EnvironmentKind::Development),
        ];
        let record = |(place, (name, kind)): (i64, (&str, EnvironmentKind))| EnvironmentRecord {
            name: name.parse().unwrap(),
            title: name.to_owned(),
            kind,
            description: String::new(),
            onboarding: String::new(),
            position: place * 10,
            metadata: serde_json::Map::new(),
            revision: 1,
            created_at: Timestamp::from_millis(0),
            updated_at: Timestamp::from_millis(0),
        };
        Self {
            environments: Mutex::new((1..).zip(environments).map(record).collect()),
            registries: Mutex::new(vec![RegistryRecord {
                name: RegistryName::main(),
                title: "Default".to_owned(),
                description: String::new(),
                visibility: Readers::Anonymous,
                selection: Selection::default(),
                auto_approve: Vec::new(),
                approver_differs: false,
                revision: 1,
                created_at: Timestamp::from_millis(0),
                updated_at: Timestamp::from_millis(0),
            }]),
            properties: Mutex::default(),
            store,
        }
    }
}

fn conflict(name: &impl std::fmt::Display) -> StoreError {
    StoreError::Conflict {
        what: name.to_string(),
    }
}

#[async_trait]
impl EnvironmentStore for Governed {
    async fn environments(&self) -> Result<Vec<EnvironmentRecord>, StoreError> {
        Ok(self.environments.lock().unwrap().clone())
    }

    async fn add_environment(
        &self,
        record: &EnvironmentRecord,
        most: usize,
        _: AuditEvent,
    ) -> Result<(), StoreError> {
        let mut all = self.environments.lock().unwrap();
        if all.len() >= most || all.iter().any(|present| present.name == record.name) {
            return Err(conflict(&record.name));
        }
        all.push(record.clone());
        Ok(())
    }

    async fn save_environment(&self, record: &EnvironmentRecord, _: AuditEvent) -> Result<i64, StoreError> {
        let mut all = self.environments.lock().unwrap();
        let present = all.iter_mut().find(|present| present.name == record.name);
        let present = present.filter(|present| present.revision == record.revision);
        let present = present.ok_or_else(|| conflict(&record.name))?;
        *present = record.clone();
        present.revision += 1;
        Ok(present.revision)
    }

    async fn remove_environment(
        &self,
        name: &Environment,
        expected: i64,
        _: AuditEvent,
    ) -> Result<(), StoreError> {
        let mut all = self.environments.lock().unwrap();
        let before = all.len();
        all.retain(|present| present.name != *name || present.revision != expected);
        if all.len() == before {
            return Err(conflict(name));
        }
        Ok(())
    }
}

#[async_trait]
impl DeploymentStore for Governed {
    async fn deployed(&self, query: &DeploymentQuery) -> Result<PageOf<DeployedServer>, StoreError> {
        let mut all = Vec::new();
        for entry in self.store.all() {
            let deployments = entry.server.deployments;
            let proposed = deployments
                .proposed
                .into_iter()
                .flat_map(|proposed| proposed.deployments);
            let current = deployments.current.into_iter().map(|one| (false, one));
            for (is_proposed, deployment) in current.chain(proposed.map(|one| (true, one))) {
                let place = deployment.place();
                let route = entry.routes.iter().find(|route| route.place() == place);
                all.push(DeployedServer {
                    server: entry.server.name.clone(),
                    route: route.map(|route| (route.slug.clone(), route.version.clone())),
                    deployment,
                    is_proposed,
                });
            }
        }
        all.retain(|one| {
            query.server.as_ref().is_none_or(|server| *server == one.server)
                && query
                    .environment
                    .as_ref()
                    .is_none_or(|name| *name == one.deployment.environment)
                && query.state.is_none_or(|state| state == one.deployment.state)
                && query.proposed.is_none_or(|proposed| proposed == one.is_proposed)
                && query.after.as_ref().is_none_or(|after| one.place() > *after)
        });
        all.sort_by_key(DeployedServer::place);
        let more = all.len() > query.limit as usize;
        all.truncate(query.limit as usize);
        Ok(PageOf { items: all, more })
    }
}

#[async_trait]
impl ViewStore for Governed {
    async fn registries(&self) -> Result<Vec<RegistryRecord>, StoreError> {
        Ok(self.registries.lock().unwrap().clone())
    }

    async fn add_registry(
        &self,
        record: &RegistryRecord,
        most: usize,
        _: AuditEvent,
    ) -> Result<(), StoreError> {
        let mut all = self.registries.lock().unwrap();
        if all.len() >= most || all.iter().any(|present| present.name == record.name) {
            return Err(conflict(&record.name));
        }
        all.push(record.clone());
        Ok(())
    }

    async fn save_registry(&self, record: &RegistryRecord, _: AuditEvent) -> Result<i64, StoreError> {
        let mut all = self.registries.lock().unwrap();
        let present = all.iter_mut().find(|present| present.name == record.name);
        let present = present.filter(|present| present.revision == record.revision);
        let present = present.ok_or_else(|| conflict(&record.name))?;
        *present = record.clone();
        present.revision += 1;
        Ok(present.revision)
    }

    async fn remove_registry(
        &self,
        name: &RegistryName,
        expected: i64,
        _: AuditEvent,
    ) -> Result<(), StoreError> {
        let mut all = self.registries.lock().unwrap();
        let before = all.len();
        all.retain(|present| present.name != *name || present.revision != expected);
        if all.len() == before {
            return Err(conflict(name));
        }
        Ok(())
    }
}

impl Views for Governed {
    fn registries(&self) -> Arc<[RegistryRecord]> {
        self.registries.lock().unwrap().clone().into()
    }
}

#[async_trait]
impl PropertyStore for Governed {
    async fn properties(&self) -> Result<Vec<PropertyRecord>, StoreError> {
        Ok(self.properties.lock().unwrap().clone())
    }

    async fn add_property(
        &self,
        record: &PropertyRecord,
        most: usize,
        _: AuditEvent,
    ) -> Result<(), StoreError> {
        let mut all = self.properties.lock().unwrap();
        if all.len() >= most || all.iter().any(|present| present.name == record.name) {
            return Err(conflict(&record.name));
        }
        all.push(record.clone());
        Ok(())
    }

    async fn save_property(&self, record: &PropertyRecord, _: AuditEvent) -> Result<i64, StoreError> {
        let mut all = self.properties.lock().unwrap();
        let present = all.iter_mut().find(|present| present.name == record.name);
        let present = present.filter(|present| present.revision == record.revision);
        let present = present.ok_or_else(|| conflict(&record.name))?;
        *present = record.clone();
        present.revision += 1;
        Ok(present.revision)
    }

    async fn remove_property(
        &self,
        name: &PropertyName,
        expected: i64,
        _: AuditEvent,
    ) -> Result<(), StoreError> {
        let mut all = self.properties.lock().unwrap();
        let before = all.len();
        all.retain(|present| present.name != *name || present.revision != expected);
        if all.len() == before {
            return Err(conflict(name));
        }
        Ok(())
    }

    async fn server_values(
        &self,
        after: Option<&ServerName>,
        limit: u32,
    ) -> Result<Vec<ServerValues>, StoreError> {
        let after = after.map(ServerName::as_str).unwrap_or_default();
        let mut all: Vec<ServerValues> = self
            .store
            .all()
            .into_iter()
            .filter(|entry| entry.server.name.as_str() > after)
            .map(|entry| ServerValues {
                name: entry.server.name,
                metadata: entry.server.profile.metadata,
                deployments: entry.server.deployments.current,
                versions: entry
                    .versions
                    .into_iter()
                    .filter(|version| !version.metadata.is_empty())
                    .map(|version| VersionValues {
                        version: version.version,
                        is_latest: version.is_latest,
                        metadata: version.metadata,
                    })
                    .collect(),
            })
            .collect();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        all.truncate(limit as usize);
        Ok(all)
    }
}
