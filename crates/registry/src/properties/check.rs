//! Judges values: known, of the right type, and there where they must be.

use std::collections::BTreeMap;

use portreeve_core::profile::Metadata;
use portreeve_core::property::{Need, PropertyOwner, PropertyRecord};
use portreeve_core::server::{Server, Version};
use portreeve_inspect::ValueSchema;
use portreeve_mcp::server_json::Problem;

use crate::error::RegistryError;

/// Problems that are told about one value.
const MOST_PROBLEMS: usize = 5;

/// The properties, ready to judge values.
pub(crate) struct Known(BTreeMap<String, (PropertyRecord, ValueSchema)>);

// === impl Known ===

impl Known {
    pub(crate) fn compile(records: Vec<PropertyRecord>) -> Result<Self, RegistryError> {
        let mut known = BTreeMap::new();
        for record in records {
            let schema = ValueSchema::compile(&record.schema);
            let schema = schema.map_err(|error| RegistryError::invalid("schema", error.to_string()))?;
            known.insert(record.name.to_string(), (record, schema));
        }
        Ok(Self(known))
    }

    /// Whether there are no properties at all.
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// What is wrong with the values that are there, and with those that must be and are not.
    pub(crate) fn of(&self, owner: PropertyOwner, metadata: &Metadata) -> Vec<Problem> {
        let mut problems = self.missing(owner, metadata);
        for (name, value) in metadata {
            if let Some((record, schema)) = self.0.get(name)
                && record.assignments.contains_key(&owner)
            {
                problems.extend(wrong(name, schema, value));
            }
        }
        problems
    }

    /// The same, and values of properties that there are not.
    pub(crate) fn strictly(&self, owner: PropertyOwner, metadata: &Metadata) -> Vec<Problem> {
        let mut problems = self.given(owner, metadata);
        problems.extend(self.missing(owner, metadata));
        problems
    }

    /// What is wrong with the values that are there; nothing must be.
    pub(crate) fn given(&self, owner: PropertyOwner, metadata: &Metadata) -> Vec<Problem> {
        let mut problems = Vec::new();
        for (name, value) in metadata {
            match self.0.get(name) {
                Some((record, schema)) if record.assignments.contains_key(&owner) => {
                    problems.extend(wrong(name, schema, value));
                }
                _ => problems.push(Problem {
                    path: format!("metadata.{name}"),
                    message: format!("there is no property `{name}` of a {owner}"),
                }),
            }
        }
        problems
    }

    /// What is wrong with the values of a server, those of a version over them, and of the deployments that an approval
    /// brings into force.
    pub(crate) fn of_entry(&self, server: &Server, version: Option<&Version>) -> Vec<Problem> {
        let own = &server.profile.metadata;
        let mut problems = match version {
            Some(version) => self.of(PropertyOwner::Server, &version.values_over(own)),
            None => self.of(PropertyOwner::Server, own),
        };
        let deployments = &server.deployments;
        let proposed = deployments.proposed.as_ref();
        let meant = proposed.map_or(&deployments.current, |proposed| &proposed.deployments);
        for (index, deployment) in meant.iter().enumerate() {
            let found = self.of(PropertyOwner::Deployment, &deployment.metadata);
            problems.extend(found.into_iter().map(|mut problem| {
                problem.path = format!("deployments[{index}].{}", problem.path);
                problem
            }));
        }
        problems
    }

    fn missing(&self, owner: PropertyOwner, metadata: &Metadata) -> Vec<Problem> {
        let is_missing = |(name, (record, _)): &(&String, &(PropertyRecord, ValueSchema))| {
            record.assignments.get(&owner) == Some(&Need::Required) && !metadata.contains_key(name.as_str())
        };
        let missing = self.0.iter().filter(is_missing).map(|(name, _)| Problem {
            path: format!("metadata.{name}"),
            message: format!("`{name}` is required of every {owner}"),
        });
        missing.collect()
    }
}

fn wrong(name: &str, schema: &ValueSchema, value: &serde_json::Value) -> Vec<Problem> {
    let problems = schema.problems(value, MOST_PROBLEMS).into_iter();
    problems
        .map(|problem| Problem {
            path: format!("metadata.{name}{}", problem.pointer),
            message: problem.message,
        })
        .collect()
}
