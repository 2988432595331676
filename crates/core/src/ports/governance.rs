//! What administrators govern beside entries, as one port: the registry takes it as a whole, adapters implement the parts.

use super::{EnvironmentStore, PropertyStore, ViewStore};

/// Environments, registries and custom properties, durable.
pub trait GovernanceStore: EnvironmentStore + PropertyStore + ViewStore {}

impl<T: EnvironmentStore + PropertyStore + ViewStore> GovernanceStore for T {}
