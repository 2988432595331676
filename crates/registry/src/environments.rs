//! Environments as administrators make and describe them.
//!
//! Before: three exist from the start. After: deployments name them, registries select by them.

use portreeve_core::audit::AuditEvent;
use portreeve_core::caller::Caller;
use portreeve_core::decision::Action;
use portreeve_core::deployment::{EnvironmentKind, EnvironmentRecord, Major};
use portreeve_core::id::EventId;
use portreeve_core::name::Environment;
use portreeve_core::profile::Metadata;
use portreeve_core::property::PropertyOwner;
use portreeve_mcp::server_json::Problem;
use serde_json::json;

use crate::error::RegistryError;
use crate::registry::Registry;

/// Characters of a title.
const LONGEST_TITLE: usize = 100;
/// Characters of a description or of what a newcomer is told.
const LONGEST_TEXT: usize = 4_000;

/// An environment to be made.
#[derive(Debug, Clone, PartialEq)]
pub struct NewEnvironment {
    /// Its name; never changes.
    pub name: Environment,
    /// What it is for.
    pub kind: EnvironmentKind,
    /// The rest of it.
    pub patch: EnvironmentPatch,
}

/// What of an environment shall change; what is `None` stays.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct EnvironmentPatch {
    /// The name people read.
    pub title: Option<String>,
    /// What it is for.
    pub kind: Option<EnvironmentKind>,
    /// What people should know of it.
    pub description: Option<String>,
    /// How somebody gets access to it.
    pub onboarding: Option<String>,
    /// Its place in lists.
    pub position: Option<i64>,
    /// Values of custom properties, all of them.
    pub metadata: Option<Metadata>,
}

// === impl Registry ===

impl Registry {
    /// All environments, in their order. They are no secret: slugs carry their names.
    pub async fn environments(&self) -> Result<Vec<EnvironmentRecord>, RegistryError> {
        Ok(self.parts.governance.environments().await?)
    }

    /// One environment.
    pub async fn environment(&self, name: &Environment) -> Result<EnvironmentRecord, RegistryError> {
        let all = self.environments().await?;
        let found = all.into_iter().find(|record| record.name == *name);
        found.ok_or_else(|| RegistryError::NotFound {
            what: format!("environment `{name}`"),
        })
    }

    /// Makes an environment.
    pub async fn create_environment(
        &self,
        caller: &Caller,
        new: NewEnvironment,
    ) -> Result<EnvironmentRecord, RegistryError> {
        self.require_here(caller, Action::Operate, "make environments")?;
        check_name(&new.name)?;
        let most = self.parts.limits.environments;
        let present = self.environments().await?;
        if present.len() >= most {
            return Err(RegistryError::State {
                what: format!("there are {most} environments already, the most there may be"),
                hint: "remove one that nothing is in, or use one of those",
            });
        }
        let now = self.parts.clock.now();
        let mut record = EnvironmentRecord {
            title: new.name.to_string(),
            name: new.name,
            kind: new.kind,
            description: String::new(),
            onboarding: String::new(),
            position: present.iter().map(|record| record.position).max().unwrap_or(0) + 10,
            metadata: Metadata::new(),
            revision: 1,
            created_at: now,
            updated_at: now,
        };
        apply(&mut record, &new.patch)?;
        self.check_values(&record).await?;
        let event = self.environment_event(caller, "environment.create", &record);
        self.parts
            .governance
            .add_environment(&record, most, event)
            .await?;
        Ok(record)
    }

    /// Changes an environment at the revision that the caller saw; without one, the last writer wins.
    pub async fn change_environment(
        &self,
        caller: &Caller,
        name: &Environment,
        patch: EnvironmentPatch,
        expected: Option<i64>,
    ) -> Result<EnvironmentRecord, RegistryError> {
        self.require_here(caller, Action::Operate, &format!("change environment `{name}`"))?;
        let mut record = self.environment(name).await?;
        require_revision(&record, expected)?;
        let before = record.clone();
        apply(&mut record, &patch)?;
        if record == before {
            return Ok(record);
        }
        if record.metadata != before.metadata {
            self.check_values(&record).await?;
        }
        record.updated_at = self.parts.clock.now();
        let event = self.environment_event(caller, "environment.change", &record);
        record.revision = self.parts.governance.save_environment(&record, event).await?;
        Ok(record)
    }

    /// Removes an environment that nothing is in.
    pub async fn remove_environment(
        &self,
        caller: &Caller,
        name: &Environment,
        expected: Option<i64>,
    ) -> Result<(), RegistryError> {
        self.require_here(caller, Action::Operate, &format!("remove environment `{name}`"))?;
        if *name == Environment::production() {
            return Err(RegistryError::State {
                what: "environment `production` cannot be removed".to_owned(),
                hint: "a server's own remote is deployed there",
            });
        }
        let record = self.environment(name).await?;
        require_revision(&record, expected)?;
        let registries = self.parts.governance.registries().await?;
        if let Some(one) = registries
            .iter()
            .find(|one| one.selection.environments.contains(name))
        {
            return Err(RegistryError::State {
                what: format!("registry `{}` selects environment `{name}`", one.name),
                hint: "let the registry select something else first",
            });
        }
        let event = self.environment_event(caller, "environment.delete", &record);
        let removed = self
            .parts
            .governance
            .remove_environment(name, record.revision, event);
        removed.await.map_err(|error| match error {
            portreeve_core::ports::StoreError::Conflict { .. } => RegistryError::State {
                what: format!("environment `{name}` is in use, or was changed meanwhile"),
                hint: "deployments and routes in it keep it: `portreeve route list` shows them",
            },
            other => other.into(),
        })
    }

    async fn check_values(&self, record: &EnvironmentRecord) -> Result<(), RegistryError> {
        let known = self.known_properties().await?;
        let problems = known.strictly(PropertyOwner::Environment, &record.metadata);
        if problems.is_empty() {
            Ok(())
        } else {
            Err(RegistryError::Invalid(problems))
        }
    }

    fn environment_event(&self, caller: &Caller, action: &str, record: &EnvironmentRecord) -> AuditEvent {
        let (clock, rng) = (self.parts.clock.as_ref(), self.parts.rng.as_ref());
        let mut event = AuditEvent::new(EventId::new(clock, rng), clock.now(), action, caller);
        event.target = Some(format!("environment:{}", record.name));
        event.detail = Some(json!({
            "title": record.title, "kind": record.kind, "position": record.position,
        }));
        event
    }
}

fn require_revision(record: &EnvironmentRecord, expected: Option<i64>) -> Result<(), RegistryError> {
    if expected.is_none_or(|expected| expected == record.revision) {
        return Ok(());
    }
    Err(RegistryError::Conflict {
        what: format!("environment `{}`", record.name),
    })
}

/// `billing--v1` is a major version, so no environment is called `v1`.
fn check_name(name: &Environment) -> Result<(), RegistryError> {
    let is_major = name.as_str().starts_with('v') && name.as_str().parse::<Major>().is_ok();
    if is_major || name.as_str().contains("--") {
        return Err(RegistryError::invalid(
            "name",
            format!("`{name}` would be mistaken for something else in a slug such as `billing--{name}`"),
        ));
    }
    Ok(())
}

fn apply(record: &mut EnvironmentRecord, patch: &EnvironmentPatch) -> Result<(), RegistryError> {
    let mut problems = Vec::new();
    let mut text = |path: &str, given: &Option<String>, longest: usize, into: &mut String| {
        let Some(given) = given else { return };
        if given.chars().count() > longest || given.contains('\0') {
            problems.push(Problem {
                path: path.to_owned(),
                message: format!("it must have at most {longest} characters, none of them NUL"),
            });
        }
        given.trim().clone_into(into);
    };
    text("title", &patch.title, LONGEST_TITLE, &mut record.title);
    text(
        "description",
        &patch.description,
        LONGEST_TEXT,
        &mut record.description,
    );
    text(
        "onboarding",
        &patch.onboarding,
        LONGEST_TEXT,
        &mut record.onboarding,
    );
    if record.title.is_empty() {
        record.title = record.name.to_string();
    }
    record.kind = patch.kind.unwrap_or(record.kind);
    record.position = patch.position.unwrap_or(record.position);
    if let Some(metadata) = &patch.metadata {
        record.metadata.clone_from(metadata);
    }
    if problems.is_empty() {
        Ok(())
    } else {
        Err(RegistryError::Invalid(problems))
    }
}
