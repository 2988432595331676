//! Access policies in memory.

use async_trait::async_trait;
use portreeve_core::access_policy::AccessPolicy;
use portreeve_core::audit::AuditEvent;
use portreeve_core::name::PolicyName;
use portreeve_core::ports::{AccessPolicyStore, StoreError};

use crate::house::Memory;

fn conflict(name: &PolicyName) -> StoreError {
    StoreError::Conflict {
        what: format!("access policy `{name}`"),
    }
}

#[async_trait]
impl AccessPolicyStore for Memory {
    async fn access_policies(&self) -> Result<Vec<AccessPolicy>, StoreError> {
        let mut all = self.policies.lock().unwrap().clone();
        all.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(all)
    }

    async fn add_access_policy(
        &self,
        policy: &AccessPolicy,
        most: usize,
        event: AuditEvent,
    ) -> Result<(), StoreError> {
        let mut all = self.policies.lock().unwrap();
        if all.len() >= most || all.iter().any(|one| one.name == policy.name) {
            return Err(conflict(&policy.name));
        }
        all.push(policy.clone());
        self.note(event);
        Ok(())
    }

    async fn save_access_policy(&self, policy: &AccessPolicy, event: AuditEvent) -> Result<i64, StoreError> {
        let mut all = self.policies.lock().unwrap();
        let had = all
            .iter_mut()
            .find(|one| one.name == policy.name && one.revision == policy.revision);
        let had = had.ok_or_else(|| conflict(&policy.name))?;
        *had = policy.clone();
        had.revision += 1;
        self.note(event);
        Ok(had.revision)
    }

    async fn remove_access_policy(
        &self,
        name: &PolicyName,
        expected: i64,
        event: AuditEvent,
    ) -> Result<(), StoreError> {
        let mut all = self.policies.lock().unwrap();
        let place = all
            .iter()
            .position(|one| one.name == *name && one.revision == expected);
        all.remove(place.ok_or_else(|| conflict(name))?);
        self.note(event);
        Ok(())
    }
}
