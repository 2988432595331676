//! What administrators govern beside entries, as one port: the registry takes it as a whole, adapters implement the parts.

use super::{EnvironmentStore, ViewStore};

/// Environments, registries and what else is governed, durable.
pub trait GovernanceStore: EnvironmentStore + ViewStore {}

impl<T: EnvironmentStore + ViewStore> GovernanceStore for T {}
