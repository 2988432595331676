//! Tools that are served while a newer description of their API does not have their operations any more. They are marked
//! before anybody approves that description, so that nobody calls into nothing.
//!
//! Only who manages the server marks, since a mark takes a tool away from those who use it, and only by a description of
//! the same API: of the same address and the same major version. A newer API beside it says nothing of this one. When the
//! version that a mark came from is sent back or retired, the mark goes with it.

use std::collections::BTreeSet;

use portreeve_core::caller::Caller;
use portreeve_core::decision::Action;
use portreeve_core::name::VersionText;
use portreeve_core::ports::Entry;
use portreeve_core::rest::RestMark;
use portreeve_core::route::RouteState;
use portreeve_core::server::{Approval, Lifecycle, Version};
use serde_json::json;

use super::{Known, RestPreview, details};
use crate::error::RegistryError;
use crate::import::openapi::{MadeTool, Report};
use crate::latest::major_of;
use crate::registry::Registry;

/// The tools whose operations a description does not have.
pub(super) fn among(tools: &[MadeTool], report: &Report) -> Vec<String> {
    let exists = |tool: &&MadeTool| {
        let is_it = |method: &str, path: &str| tool.operation.split_once(' ') == Some((method, path));
        let mut all = report.operations.iter();
        all.any(|one| is_it(&one.method, &one.path))
    };
    let gone = tools.iter().filter(|tool| !exists(tool));
    gone.map(|tool| tool.definition.name.clone()).collect()
}

/// Whether a version describes the API that is known already, as it is now.
fn is_same_api(known: &Known, version: &VersionText, base_url: &str) -> bool {
    known.base_url == base_url && major_of(known.version.as_str()) == major_of(version.as_str())
}

impl Registry {
    /// Says of tools that are served that their operations are gone, if the caller may say so.
    pub(super) async fn note_vanished(
        &self,
        caller: &Caller,
        entry: &Entry,
        known: &Known,
        preview: &RestPreview,
    ) -> Result<(), RegistryError> {
        let may = self.may_to(caller, Action::Operate, &entry.server.name);
        if may && is_same_api(known, &preview.version, &preview.report.base_url) {
            self.mark_vanished(caller, entry, known, &preview.vanished)
                .await?;
        }
        Ok(())
    }

    /// Takes marks away that no waiting version supports any more.
    pub(crate) async fn lift_vanished(&self, caller: &Caller, entry: &Entry) -> Result<(), RegistryError> {
        let Some(known) = self.known_toolset(Some(entry)).await? else {
            return Ok(());
        };
        if known.toolset.vanished.is_empty() {
            return Ok(());
        }
        let waits = |version: &&Version| {
            matches!(version.approval, Approval::Draft | Approval::Submitted)
                && version.lifecycle != Lifecycle::Retired
        };
        let mut supported = BTreeSet::new();
        for version in entry.versions.iter().filter(waits) {
            let Some(mark) = RestMark::of(&version.document) else {
                continue;
            };
            if !is_same_api(&known, &version.version, &mark.base_url) {
                continue;
            }
            if let Some(toolset) = self.parts.toolsets.toolset(&mark.toolset).await? {
                supported.extend(among(&known.tools, &details(&toolset)?.report));
            }
        }
        let mut left = known.toolset.vanished.clone();
        left.retain(|name| supported.contains(name));
        self.mark_vanished(caller, entry, &known, &left).await
    }

    async fn mark_vanished(
        &self,
        caller: &Caller,
        entry: &Entry,
        known: &Known,
        vanished: &[String],
    ) -> Result<(), RegistryError> {
        if known.toolset.vanished == vanished {
            return Ok(());
        }
        let mut event = self.event(caller, "tools.vanished", &entry.server.name);
        event.target = Some(known.version.to_string());
        event.detail =
            Some(json!({"count": vanished.len(), "tools": vanished.iter().take(100).collect::<Vec<_>>()}));
        self.parts
            .toolsets
            .note_vanished(&known.toolset.digest, vanished, event)
            .await?;
        for route in &entry.routes {
            if route.state == RouteState::Active && route.version == known.version {
                self.look_again(route).await?;
            }
        }
        self.parts.refresh.refresh().await;
        Ok(())
    }
}
