//! What administrators govern beside entries, in memory.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use portreeve_core::audit::AuditEvent;
use portreeve_core::deployment::{EnvironmentKind, EnvironmentRecord};
use portreeve_core::name::{Environment, RegistryName};
use portreeve_core::ports::{EnvironmentStore, StoreError, ViewStore, Views};
use portreeve_core::time::Timestamp;
use portreeve_core::view::{Readers, RegistryRecord, Selection};

pub(crate) struct Governed {
    environments: Mutex<Vec<EnvironmentRecord>>,
    registries: Mutex<Vec<RegistryRecord>>,
}

impl Default for Governed {
    fn default() -> Self {
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
