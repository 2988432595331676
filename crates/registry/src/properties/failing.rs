//! Who does not meet what the properties ask by now: served on, and stuck until somebody says what is missing.

use portreeve_core::caller::Caller;
use portreeve_core::decision::Action;
use portreeve_core::name::ServerName;
use portreeve_core::ports::ServerValues;
use portreeve_core::property::PropertyOwner;
use portreeve_mcp::server_json::Problem;
use serde::{Deserialize, Serialize};

use super::check::Known;
use crate::error::RegistryError;
use crate::paging;
use crate::registry::Registry;
use crate::serve::cursor::{CursorKind, opened, sealed};

/// Servers that are read at once, and most pages of them for one answer.
const PAGE: u32 = 500;
const PAGES: usize = 20;
/// Servers of an answer unless told otherwise, and most of them.
const ANSWER: u32 = 30;
const MOST: u32 = 100;

/// A server that does not meet what is asked of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailingServer {
    /// The server.
    pub name: ServerName,
    /// What is wrong with its values, and with those of its deployments.
    pub problems: Vec<Problem>,
}

/// A page of them, by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailingPage {
    /// The servers. May be empty although there are more: so many were looked at that met everything.
    pub items: Vec<FailingServer>,
    /// Continue with this. It does not say at which server the looking ended: that may be none of the reader's.
    pub next: Option<String>,
}

/// Where a page ended.
#[derive(Serialize, Deserialize)]
struct Mark {
    #[serde(rename = "n")]
    server: ServerName,
}

// === impl Registry ===

impl Registry {
    /// Servers that do not meet what the properties ask, from where a page ended.
    pub async fn failing_servers(
        &self,
        caller: &Caller,
        cursor: Option<&str>,
        limit: Option<u32>,
    ) -> Result<FailingPage, RegistryError> {
        let sees_all = self.sees_all(caller);
        if !sees_all && !self.parts.authorizer.views_some(caller) {
            self.require_here(caller, Action::View, "see what fails")?;
        }
        let wanted = paging::limit(limit, ANSWER, MOST)? as usize;
        let cursor = cursor.filter(|cursor| !cursor.is_empty());
        let from = cursor.map(|text| opened::<Mark>(text, CursorKind::Failing, &self.cursor_keys));
        let mut after = from.transpose()?.map(|mark| mark.server);
        let mut items = Vec::new();
        let known = self.known_properties().await?;
        if known.is_empty() {
            return Ok(FailingPage { items, next: None });
        }
        for _ in 0..PAGES {
            let page = self.parts.governance.server_values(after.as_ref(), PAGE);
            let page = page.await?;
            for server in &page {
                after = Some(server.name.clone());
                if !sees_all && !self.may_see(caller, &server.name) {
                    continue;
                }
                let problems = known.of_server(server);
                if !problems.is_empty() {
                    items.push(FailingServer {
                        name: server.name.clone(),
                        problems,
                    });
                }
                if items.len() == wanted {
                    let next = self.after_server(after);
                    return Ok(FailingPage { items, next });
                }
            }
            if page.len() < PAGE as usize {
                after = None;
                break;
            }
        }
        let next = self.after_server(after);
        Ok(FailingPage { items, next })
    }

    fn after_server(&self, server: Option<ServerName>) -> Option<String> {
        let mark = server.map(|server| Mark { server })?;
        Some(sealed(&mark, CursorKind::Failing, &self.cursor_keys))
    }
}

// === impl Known ===

impl Known {
    /// What is wrong with a server and its deployments.
    fn of_server(&self, server: &ServerValues) -> Vec<Problem> {
        let mut problems = self.of_versions(server);
        for deployment in &server.deployments {
            let of_this = self.of(PropertyOwner::Deployment, &deployment.metadata);
            problems.extend(of_this.into_iter().map(|problem| Problem {
                path: format!("deployments.{}.{}", deployment.place(), problem.path),
                message: problem.message,
            }));
        }
        problems
    }

    /// What is wrong with a server's own values, unless those of its latest version stand over them, and with those of
    /// each version that has some.
    pub(super) fn of_versions(&self, server: &ServerValues) -> Vec<Problem> {
        let mut problems = Vec::new();
        if !server.versions.iter().any(|version| version.is_latest) {
            problems.extend(self.of(PropertyOwner::Server, &server.metadata));
        }
        for version in &server.versions {
            let mut values = server.metadata.clone();
            values.extend(version.metadata.clone());
            let of_this = self.of(PropertyOwner::Server, &values);
            problems.extend(of_this.into_iter().map(|problem| Problem {
                path: format!("versions.{}.{}", version.version, problem.path),
                message: problem.message,
            }));
        }
        problems
    }
}
