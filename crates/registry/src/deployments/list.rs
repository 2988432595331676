//! Deployments of every server that the caller may publish, as one list.

use portreeve_core::caller::{Caller, Principal};
use portreeve_core::deployment::DeploymentState;
use portreeve_core::name::{Environment, ServerName};
use portreeve_core::ports::{DeployedServer, DeploymentPlace};
use serde::{Deserialize, Serialize};

use crate::error::RegistryError;
use crate::paging;
use crate::registry::{Registry, forbidden};
use crate::serve::cursor::{self, CursorKind};

/// Deployments on a page unless told otherwise, and most of them.
const PAGE: u32 = 30;
const MOST: u32 = 100;

/// Which deployments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// In force and served.
    Active,
    /// In force and kept without being served.
    Inactive,
    /// Waiting for an approval.
    Proposed,
}

/// A question about deployments.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DeploymentsQuery {
    /// Only of this server.
    pub server: Option<ServerName>,
    /// Only in this environment.
    pub environment: Option<Environment>,
    /// Only those that stand so.
    pub standing: Option<Standing>,
    /// Where the last page ended.
    pub cursor: Option<String>,
    /// At most this many; 30 unless told, never more than 100.
    pub limit: Option<u32>,
}

/// A page of deployments, by server, environment and major version.
#[derive(Debug, Clone, PartialEq)]
pub struct DeploymentsPage {
    /// Those of servers that the caller may publish.
    pub items: Vec<DeployedServer>,
    /// Continue with this.
    pub next_cursor: Option<String>,
}

/// Where a page ended, and what was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Mark {
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    server: Option<ServerName>,
    #[serde(rename = "e", default, skip_serializing_if = "Option::is_none")]
    environment: Option<Environment>,
    #[serde(rename = "w", default, skip_serializing_if = "Option::is_none")]
    standing: Option<Standing>,
    #[serde(rename = "p")]
    place: DeploymentPlace,
}

// === impl Standing ===

impl Standing {
    /// The word by which it is asked for.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Inactive => "inactive",
            Self::Proposed => "proposed",
        }
    }

    /// Reads the word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Active, Self::Inactive, Self::Proposed]
            .into_iter()
            .find(|standing| standing.as_str() == word)
    }
}

// === impl Registry ===

impl Registry {
    /// A page of the deployments of servers that the caller may publish. Where a server really runs is nobody else's
    /// business.
    pub async fn all_deployments(
        &self,
        caller: &Caller,
        query: DeploymentsQuery,
    ) -> Result<DeploymentsPage, RegistryError> {
        if caller.principal == Principal::Anonymous {
            return Err(forbidden(caller, "see where servers run".to_owned()));
        }
        let limit = paging::limit(query.limit, PAGE, MOST)?;
        let asked = portreeve_core::ports::DeploymentQuery {
            server: query.server.clone(),
            environment: query.environment.clone(),
            state: match query.standing {
                Some(Standing::Active) => Some(DeploymentState::Active),
                Some(Standing::Inactive) => Some(DeploymentState::Inactive),
                Some(Standing::Proposed) | None => None,
            },
            proposed: query.standing.map(|standing| standing == Standing::Proposed),
            after: None,
            limit,
        };
        let sees_all = self.sees_all(caller);
        let page = |after| {
            let asked = portreeve_core::ports::DeploymentQuery {
                after,
                ..asked.clone()
            };
            async move { self.parts.governance.deployed(&asked).await }
        };
        let mine = |item: &DeployedServer| sees_all || self.may_see(caller, &item.server);
        let from = (self.place_of(&query)?, limit);
        let (items, next) = paging::of_somebody(from, page, DeployedServer::place, mine).await?;
        let mark = next.map(|place| Mark {
            server: query.server,
            environment: query.environment,
            standing: query.standing,
            place,
        });
        let seal = |mark: Mark| cursor::sealed(&mark, CursorKind::Deployments, &self.cursor_keys);
        Ok(DeploymentsPage {
            items,
            next_cursor: mark.map(seal),
        })
    }

    fn place_of(&self, query: &DeploymentsQuery) -> Result<Option<DeploymentPlace>, RegistryError> {
        let Some(text) = query.cursor.as_deref().filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let mark: Mark = cursor::opened(text, CursorKind::Deployments, &self.cursor_keys)?;
        let is_of_this_list = mark.server == query.server
            && mark.environment == query.environment
            && mark.standing == query.standing;
        if is_of_this_list {
            Ok(Some(mark.place))
        } else {
            Err(RegistryError::BadCursor)
        }
    }
}
