//! What waits for somebody, as one list: submitted versions with what was found about them, proposed deployments, tools
//! that are new or read differently than what was approved.
//!
//! Before: `publish`, `import`, `deployments` and `observe` made it wait. After: `approve`, `tools`.

use portreeve_core::caller::{Caller, Principal};
use portreeve_core::decision::Action;
use portreeve_core::id::ImportId;
use portreeve_core::ports::{Waiting, WaitingCounts, WaitingKind, WaitingPlace};
use portreeve_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::assess::{Brief, Finding};
use crate::error::RegistryError;
use crate::paging;
use crate::registry::{Registry, forbidden};
use crate::serve::cursor::{self, CursorKind};

/// Things on a page unless told otherwise, and most of them.
const PAGE: u32 = 30;
const MOST: u32 = 100;

/// A question about what waits.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WaitingQuery {
    /// Only things of this kind.
    pub kind: Option<WaitingKind>,
    /// Only versions that this run took in.
    pub import: Option<ImportId>,
    /// Only versions about whose record something was noticed when they were imported.
    pub flagged: bool,
    /// Where the last page ended.
    pub cursor: Option<String>,
    /// At most this many; 30 unless told, never more than 100.
    pub limit: Option<u32>,
}

/// Something that waits, and what is known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct WaitingItem {
    /// What waits.
    pub waiting: Waiting,
    /// The assessment of a version, if its present content was judged.
    pub assessment: Option<Brief>,
}

/// A page of what waits, what waits longest first.
#[derive(Debug, Clone, PartialEq)]
pub struct WaitingList {
    /// The things that the caller may see.
    pub items: Vec<WaitingItem>,
    /// Continue with this.
    pub next_cursor: Option<String>,
}

/// Where a page ended, and what was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    #[serde(rename = "k", default, skip_serializing_if = "Option::is_none")]
    kind: Option<String>,
    #[serde(rename = "i", default, skip_serializing_if = "Option::is_none")]
    import: Option<String>,
    #[serde(rename = "f", default)]
    flagged: bool,
    #[serde(rename = "t")]
    since: Timestamp,
    #[serde(rename = "w")]
    what: String,
    #[serde(rename = "n")]
    server: String,
    #[serde(rename = "p")]
    part: String,
}

// === impl Registry ===

impl Registry {
    /// A page of what waits in the caller's scope.
    pub async fn waiting(&self, caller: &Caller, query: WaitingQuery) -> Result<WaitingList, RegistryError> {
        if caller.principal == Principal::Anonymous {
            return Err(forbidden(caller, "see what waits".to_owned()));
        }
        let limit = paging::limit(query.limit, PAGE, MOST)?;
        let asked = portreeve_core::ports::WaitingQuery {
            kinds: query.kind.into_iter().collect(),
            import: query.import,
            flagged: query.flagged,
            after: None,
            limit,
        };
        let sees_all = self.sees_all(caller);
        let page = |after| {
            let asked = portreeve_core::ports::WaitingQuery {
                after,
                ..asked.clone()
            };
            async move { self.parts.waiting.waiting(&asked).await }
        };
        let mine = |item: &Waiting| sees_all || self.may_to(caller, Action::View, &item.server);
        let from = (self.waiting_place(&query)?, limit);
        let (items, next_cursor) = paging::of_somebody(from, page, Waiting::place, mine).await?;
        Ok(WaitingList {
            next_cursor: next_cursor.map(|place| Place::new(&query, place).seal(self)),
            items: items.into_iter().map(|waiting| self.known(waiting)).collect(),
        })
    }

    /// How much waits in the caller's scope, each kind counted up to a bound; of who sees some servers only, what stands
    /// on the first page.
    pub async fn waiting_counts(&self, caller: &Caller, most: u32) -> Result<WaitingCounts, RegistryError> {
        if !self.sees_all(caller) && self.parts.authorizer.views_some(caller) {
            let query = WaitingQuery {
                limit: Some(most),
                ..WaitingQuery::default()
            };
            let found = self.waiting(caller, query).await?.items;
            let of = |kind| found.iter().filter(|item| item.waiting.kind == kind).count() as u64;
            return Ok(WaitingCounts {
                versions: of(WaitingKind::Version),
                deployments: of(WaitingKind::Deployments),
                tools: of(WaitingKind::Tools),
            });
        }
        self.require_here(caller, Action::View, "count what waits")?;
        Ok(self.parts.waiting.waiting_counts(most).await?)
    }

    fn waiting_place(&self, query: &WaitingQuery) -> Result<Option<WaitingPlace>, RegistryError> {
        let Some(text) = query.cursor.as_deref().filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        let place: Place = cursor::opened(text, CursorKind::Waiting, &self.cursor_keys)?;
        let is_of_this_list = place.kind.as_deref() == query.kind.map(WaitingKind::as_str)
            && place.import == query.import.map(|id| id.to_string())
            && place.flagged == query.flagged;
        match WaitingKind::from_word(&place.what).filter(|_| is_of_this_list) {
            Some(kind) => Ok(Some(WaitingPlace {
                since: place.since,
                kind,
                server: place.server,
                part: place.part,
            })),
            None => Err(RegistryError::BadCursor),
        }
    }

    fn known(&self, waiting: Waiting) -> WaitingItem {
        let findings = waiting.assessed.as_deref();
        // What another Portreeve wrote is judged again in its turn.
        let findings = findings.and_then(|text| serde_json::from_str::<Vec<Finding>>(text).ok());
        WaitingItem {
            assessment: findings.map(|findings| self.in_brief(&findings)),
            waiting,
        }
    }
}

// === impl Place ===

impl Place {
    fn new(query: &WaitingQuery, place: WaitingPlace) -> Self {
        Self {
            kind: query.kind.map(|kind| kind.to_string()),
            import: query.import.map(|id| id.to_string()),
            flagged: query.flagged,
            since: place.since,
            what: place.kind.to_string(),
            server: place.server,
            part: place.part,
        }
    }

    fn seal(&self, registry: &Registry) -> String {
        cursor::sealed(self, CursorKind::Waiting, &registry.cursor_keys)
    }
}
