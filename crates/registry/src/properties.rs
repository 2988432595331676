//! Custom properties: what there are, who must have them, and what fails once they change.
//!
//! Before: an administrator says what must be known. After: submitting and approving ask here; what is served already
//! goes on, and the change lists who fails.

mod check;
mod define;
mod failing;
mod versions;

pub(crate) use check::Known;
pub use define::{NewProperty, PropertyPatch};
pub use failing::{FailingPage, FailingServer};

use portreeve_core::audit::AuditEvent;
use portreeve_core::caller::Caller;
use portreeve_core::decision::Action;
use portreeve_core::id::EventId;
use portreeve_core::name::{PropertyName, ServerName};
use portreeve_core::ports::ServerValues;
use portreeve_core::property::{PropertyOwner, PropertyRecord};
use serde_json::json;

use crate::error::RegistryError;
use crate::registry::Registry;

/// Servers that are read at once.
const PAGE: u32 = 500;
/// Failures that are listed; all of them are counted.
const MOST_FAILURES: usize = 100;

/// A property, and who fails because of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Defined {
    /// The property.
    pub record: PropertyRecord,
    /// Who fails by now, the first hundred.
    pub failing: Vec<Failing>,
    /// How many fail.
    pub count: usize,
}

/// Something that does not meet what is asked of it any more. It is served on; nothing of it can be submitted or
/// approved until that is mended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failing {
    /// What: `server com.acme/billing`, `environment test`.
    pub subject: String,
    /// What is wrong.
    pub problem: String,
}

/// How much a property is used.
#[derive(Debug, Default)]
struct Use {
    values: usize,
    failing: Vec<Failing>,
    count: usize,
}

// === impl Registry ===

impl Registry {
    /// All properties, by name.
    pub async fn properties(&self) -> Result<Vec<PropertyRecord>, RegistryError> {
        Ok(self.parts.governance.properties().await?)
    }

    /// One property, and who fails because of it.
    pub async fn property(&self, caller: &Caller, name: &PropertyName) -> Result<Defined, RegistryError> {
        let record = self.find_property(name).await?;
        if !self.sees_all(caller) {
            return Ok(Defined {
                record,
                failing: Vec::new(),
                count: 0,
            });
        }
        self.defined(record).await
    }

    /// Defines a property.
    pub async fn create_property(&self, caller: &Caller, new: NewProperty) -> Result<Defined, RegistryError> {
        self.require_here(caller, Action::Operate, "define properties")?;
        let most = self.parts.limits.properties;
        if self.properties().await?.len() >= most {
            return Err(RegistryError::State {
                what: format!("there are {most} properties already, the most there may be"),
                hint: "remove one that nobody uses",
            });
        }
        let record = new.define(self.parts.clock.now(), &self.parts.limits)?;
        let event = self.property_event(caller, "property.create", &record);
        self.parts.governance.add_property(&record, most, event).await?;
        self.defined(record).await
    }

    /// Changes a property at the revision that the caller saw; without one, the last writer wins. Its type cannot
    /// change while somebody has a value of it.
    pub async fn change_property(
        &self,
        caller: &Caller,
        name: &PropertyName,
        patch: PropertyPatch,
        expected: Option<i64>,
    ) -> Result<Defined, RegistryError> {
        self.require_here(caller, Action::Operate, &format!("change property `{name}`"))?;
        let before = self.find_property(name).await?;
        require_revision(&before, expected)?;
        let mut record = patch.apply(before.clone(), &self.parts.limits)?;
        if record == before {
            return self.defined(record).await;
        }
        if record.kind != before.kind {
            let used = self.used(&before).await?.values;
            if used > 0 {
                return Err(in_use(name, used, "its type cannot change from one to another"));
            }
        }
        record.updated_at = self.parts.clock.now();
        let event = self.property_event(caller, "property.change", &record);
        record.revision = self.parts.governance.save_property(&record, event).await?;
        self.defined(record).await
    }

    /// Removes a property that nobody has a value of.
    pub async fn remove_property(
        &self,
        caller: &Caller,
        name: &PropertyName,
        expected: Option<i64>,
    ) -> Result<(), RegistryError> {
        self.require_here(caller, Action::Operate, &format!("remove property `{name}`"))?;
        let record = self.find_property(name).await?;
        require_revision(&record, expected)?;
        let used = self.used(&record).await?.values;
        if used > 0 {
            return Err(in_use(name, used, "it cannot be removed"));
        }
        let event = self.property_event(caller, "property.delete", &record);
        let removed = self
            .parts
            .governance
            .remove_property(name, record.revision, event);
        Ok(removed.await?)
    }

    /// What is known of properties at this moment, to judge values with.
    pub(crate) async fn known_properties(&self) -> Result<Known, RegistryError> {
        Known::compile(self.properties().await?)
    }

    async fn find_property(&self, name: &PropertyName) -> Result<PropertyRecord, RegistryError> {
        let all = self.properties().await?;
        let found = all.into_iter().find(|record| record.name == *name);
        found.ok_or_else(|| RegistryError::NotFound {
            what: format!("property `{name}`"),
        })
    }

    async fn defined(&self, record: PropertyRecord) -> Result<Defined, RegistryError> {
        let Use { failing, count, .. } = self.used(&record).await?;
        Ok(Defined {
            record,
            failing,
            count,
        })
    }

    /// Looks at every server and environment for values of a property.
    async fn used(&self, record: &PropertyRecord) -> Result<Use, RegistryError> {
        let known = Known::compile(vec![record.clone()])?;
        let mut found = Use::default();
        for environment in self.environments().await? {
            let problems = known.of(PropertyOwner::Environment, &environment.metadata);
            let subject = format!("environment `{}`", environment.name);
            found.note(
                environment.metadata.contains_key(record.name.as_str()),
                subject,
                problems,
            );
        }
        let mut after: Option<ServerName> = None;
        loop {
            let page = self.parts.governance.server_values(after.as_ref(), PAGE).await?;
            for server in &page {
                found.server(&known, record, server);
            }
            match page.last() {
                Some(last) if page.len() == PAGE as usize => after = Some(last.name.clone()),
                _ => return Ok(found),
            }
        }
    }

    fn property_event(&self, caller: &Caller, action: &str, record: &PropertyRecord) -> AuditEvent {
        let (clock, rng) = (self.parts.clock.as_ref(), self.parts.rng.as_ref());
        let mut event = AuditEvent::new(EventId::new(clock, rng), clock.now(), action, caller);
        event.target = Some(format!("property:{}", record.name));
        event.detail = Some(json!({ "kind": record.kind, "assignments": record.assignments }));
        event
    }
}

// === impl Use ===

impl Use {
    fn server(&mut self, known: &Known, record: &PropertyRecord, server: &ServerValues) {
        let has = |metadata: &portreeve_core::profile::Metadata| metadata.contains_key(record.name.as_str());
        let problems = known.of_versions(server);
        let subject = format!("server `{}`", server.name);
        self.note(has(&server.metadata), subject.clone(), problems);
        for version in &server.versions {
            self.values += usize::from(has(&version.metadata));
        }
        for deployment in &server.deployments {
            let problems = known.of(PropertyOwner::Deployment, &deployment.metadata);
            let subject = format!("{subject} in {}", deployment.place());
            self.note(has(&deployment.metadata), subject, problems);
        }
    }

    fn note(&mut self, is_used: bool, subject: String, problems: Vec<portreeve_mcp::server_json::Problem>) {
        self.values += usize::from(is_used);
        if let Some(problem) = problems.into_iter().next() {
            self.count += 1;
            if self.failing.len() < MOST_FAILURES {
                self.failing.push(Failing {
                    subject,
                    problem: problem.message,
                });
            }
        }
    }
}

fn require_revision(record: &PropertyRecord, expected: Option<i64>) -> Result<(), RegistryError> {
    if expected.is_none_or(|expected| expected == record.revision) {
        return Ok(());
    }
    Err(RegistryError::Conflict {
        what: format!("property `{}`", record.name),
    })
}

fn in_use(name: &PropertyName, used: usize, consequence: &str) -> RegistryError {
    RegistryError::State {
        what: format!("property `{name}` has {used} values, so {consequence}"),
        hint: "define another property, or take the values away first",
    }
}
