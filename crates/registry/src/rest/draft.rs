//! A REST API while somebody looks at it: the description is kept under a name of its own, with what was made of it, so
//! that choices can be tried one after the other before a version is made. No version names a draft, and nothing is served
//! from one; drafts are forgotten after a day.

use std::time::Duration;

use portreeve_core::caller::Caller;
use portreeve_core::name::ServerName;
use portreeve_core::ports::Toolset;
use portreeve_inspect::sha256_hex;
use serde_json::json;

use super::{Description, NewRest, RestDetails, RestPreview, bindings, details, preview};
use crate::error::RegistryError;
use crate::import::openapi::Imported;
use crate::registry::Registry;

/// How long a draft is kept.
const LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// A REST API that somebody looks at.
#[derive(Debug, Clone, PartialEq)]
pub struct RestDraft {
    /// The draft's name: made of the description and the choices, so the same ones have the same name.
    pub id: String,
    /// What an import would do.
    pub preview: RestPreview,
    /// What is known of it besides: the choices, where it was read.
    pub details: RestDetails,
}

// === impl Registry ===

impl Registry {
    /// Keeps a description with choices for somebody who may publish the server, to look at. No version is made.
    pub async fn draft_rest(&self, caller: &Caller, new: &NewRest) -> Result<RestDraft, RegistryError> {
        self.require_publish(caller, &new.name)?;
        let made = self.make(caller, new).await?;
        let mut toolset = self.toolset_from(new, &made)?;
        let named = json!([made.text, toolset.details]).to_string();
        toolset.digest = format!("{}{}", Toolset::DRAFT, sha256_hex(named.as_bytes()));
        let before = self.parts.clock.now().minus(LIFE);
        let most = self.parts.limits.rest_drafts;
        self.parts.toolsets.sweep_drafts(before, most).await?;
        self.parts.toolsets.keep_toolset(&toolset).await?;
        let entry = self.parts.entries.entry(&new.name).await?;
        let known = self.known_toolset(entry.as_ref()).await?;
        Ok(RestDraft {
            id: toolset.digest.clone(),
            details: details(&toolset)?,
            preview: preview(new, made.imported, entry.as_ref(), known.as_ref())?,
        })
    }

    /// A draft again, compared with what the server has now.
    pub async fn rest_draft(&self, caller: &Caller, new: &NewRest) -> Result<RestDraft, RegistryError> {
        self.require_publish(caller, &new.name)?;
        let Description::Draft(id) = &new.description else {
            return Err(gone());
        };
        let toolset = self.draft(id).await?;
        let details = details(&toolset)?;
        let imported = Imported {
            report: details.report.clone(),
            tools: details.tools.clone(),
            bindings: bindings(&toolset)?,
        };
        let entry = self.parts.entries.entry(&new.name).await?;
        let known = self.known_toolset(entry.as_ref()).await?;
        Ok(RestDraft {
            id: toolset.digest,
            preview: preview(new, imported, entry.as_ref(), known.as_ref())?,
            details,
        })
    }

    /// The choices that a server's tools were made with, where there are some that its publishers may know.
    pub async fn known_choices(
        &self,
        caller: &Caller,
        name: &ServerName,
    ) -> Result<Option<RestDetails>, RegistryError> {
        self.require_publish(caller, name)?;
        let entry = self.parts.entries.entry(name).await?;
        let known = self.known_toolset(entry.as_ref()).await?;
        known.map(|known| details(&known.toolset)).transpose()
    }

    pub(super) async fn draft(&self, id: &str) -> Result<Toolset, RegistryError> {
        let found = match id.starts_with(Toolset::DRAFT) {
            true => self.parts.toolsets.toolset(id).await?,
            false => None,
        };
        found.ok_or_else(gone)
    }
}

fn gone() -> RegistryError {
    RegistryError::State {
        what: "this draft is gone".to_owned(),
        hint: "drafts are forgotten after a day: begin again with the description",
    }
}
