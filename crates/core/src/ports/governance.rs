//! What administrators govern beside entries, as one port: the registry takes it as a whole, adapters implement the parts.

use super::{DeploymentStore, EnvironmentStore, PropertyStore, ViewStore};

/// Environments with what runs in them, registries and custom properties, durable.
pub trait GovernanceStore: DeploymentStore + EnvironmentStore + PropertyStore + ViewStore {}

impl<T: DeploymentStore + EnvironmentStore + PropertyStore + ViewStore> GovernanceStore for T {}
