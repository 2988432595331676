//! Values of one version, over those of its server: said, checked, saved. They void no approval, as a profile does not.
//!
//! Before: the version exists, or comes into being. After: submitting and approving judge both together.

use portreeve_core::caller::Caller;
use portreeve_core::name::{ServerName, VersionText};
use portreeve_core::ports::Entry;
use portreeve_core::profile::Metadata;
use portreeve_core::property::PropertyOwner;
use portreeve_mcp::server_json::Problem;
use serde_json::{Value, json};

use super::Known;
use crate::error::RegistryError;
use crate::registry::Registry;
use crate::work::Work;

// === impl Registry ===

impl Registry {
    /// Changes the values of one version, at the revision of the entry that the caller saw; without one, the last writer
    /// wins. A value that is null ends, and that of the server holds again; others stay.
    pub async fn describe_version(
        &self,
        caller: &Caller,
        (name, version): (&ServerName, &VersionText),
        patch: Metadata,
        expected: Option<i64>,
    ) -> Result<Entry, RegistryError> {
        self.require_publish(caller, name)?;
        let known = self.known_properties().await?;
        self.change(caller, name, |work| {
            work.expect(expected)?;
            self.value_in(caller, work, version, (&patch, &known))
        })
        .await
    }

    /// The same, in an entry that is being changed.
    pub(crate) fn value_in(
        &self,
        caller: &Caller,
        work: &mut Work,
        version: &VersionText,
        (patch, known): (&Metadata, &Known),
    ) -> Result<(), RegistryError> {
        let most = self.parts.limits.metadata_bytes;
        let server = work.server.name.clone();
        let Some(found) = work.version_mut(version) else {
            return Err(RegistryError::NotFound {
                what: format!("version `{version}` of server `{server}`"),
            });
        };
        let mut after = found.metadata.clone();
        for (name, value) in patch {
            match value {
                Value::Null => drop(after.remove(name)),
                value => drop(after.insert(name.clone(), value.clone())),
            }
        }
        // Values that nobody touches may fail by now; whoever changes another one is not made to mend them.
        let given = patch.iter().filter(|(_, value)| !value.is_null());
        let given = given.map(|(name, value)| (name.clone(), value.clone()));
        let mut problems = known.given(PropertyOwner::Server, &given.collect());
        if serde_json::to_string(&after).map_or(usize::MAX, |text| text.len()) > most {
            problems.push(Problem {
                path: "metadata".to_owned(),
                message: format!("all values together have at most {most} bytes"),
            });
        }
        if !problems.is_empty() {
            return Err(RegistryError::Invalid(problems));
        }
        if after == found.metadata {
            return Ok(());
        }
        // What the official registry API shows is the same as before, so its dates are, too.
        found.metadata = after;
        let mut event = self.event(caller, "server.describe", &server);
        event.target = Some(version.to_string());
        let names: Vec<&String> = patch.keys().collect();
        event.detail = Some(json!({ "fields": ["metadata"], "properties": names }));
        work.events.push(event);
        work.server.updated_at = self.parts.clock.now();
        Ok(())
    }
}
