//! Search as people like it: by what a server is called, what it does and what its tools are called, with beginnings of
//! words and slips of the fingers. Answered from memory, the same on every engine.
//!
//! Before: entries in the store, which `search/feed.rs` follows. After: `api` and `portal` show the page.

mod agents;
mod feed;
mod job;

use portreeve_core::caller::{Caller, Principal};
use portreeve_core::decision::{Action, Target};
use portreeve_core::name::Environment;
use portreeve_core::page::PageOf;
use portreeve_core::ports::{ListedVersion, VersionQuery};
use portreeve_core::visibility::Visibility;
use portreeve_search::{Exists, Index, Inside, Question, Ranked};
pub use portreeve_search::{Facet, Facets, Kind, Mark, Narrow};
use serde::{Deserialize, Serialize};

use crate::error::RegistryError;
use crate::horizon::Horizon;
use crate::paging;
use crate::registry::Registry;
use crate::serve::cursor::{CursorKind, opened, sealed};
use crate::serve::read_search;
pub(crate) use agents::{Sought, may_hold};
pub use feed::{SearchState, Searcher};
pub use job::SearchJob;

/// Results of one page unless told otherwise, and at most.
const PAGE: u32 = 20;
const MOST: u32 = 100;

/// What is looked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SearchQuery {
    /// Words, as a person types them. Without any, everything is found, by name.
    pub text: String,
    /// What results must be.
    pub narrow: Narrow,
    /// Where the last page ended.
    pub cursor: Option<String>,
    /// At most this many; 20 unless told, never more than 100.
    pub limit: Option<u32>,
    /// Whether results are counted by what they are.
    pub facets: bool,
}

/// A page of results, best first.
#[derive(Debug, Clone, PartialEq)]
pub struct SearchPage {
    /// The results: one version of each server.
    pub items: Vec<Found>,
    /// Continue with this.
    pub next_cursor: Option<String>,
    /// How many were found, at most 1,000.
    pub found: usize,
    /// Whether there are more than that.
    pub more: bool,
    /// Words that nobody uses, and the word that was looked for instead.
    pub corrected: Vec<(String, String)>,
    /// The results counted by what they are, if that was asked.
    pub facets: Option<Facets>,
}

/// A result.
#[derive(Debug, Clone, PartialEq)]
pub struct Found {
    /// The version.
    pub listed: ListedVersion,
    /// Where in its name, title and description what was looked for stands.
    pub marks: Vec<Mark>,
    /// Tools that were looked for by name, and that the caller may see.
    pub tools: Vec<String>,
}

/// Where a page ended: the place in the order, and what was asked.
#[derive(Serialize, Deserialize)]
struct Place {
    #[serde(rename = "q")]
    text: String,
    #[serde(rename = "w")]
    narrow: Narrow,
    #[serde(rename = "s")]
    score: u64,
    #[serde(rename = "n")]
    name: String,
}

// === impl Registry ===

impl Registry {
    /// A page of what was looked for, as far as the caller may know of it.
    pub async fn search(&self, caller: &Caller, query: SearchQuery) -> Result<SearchPage, RegistryError> {
        let horizon = self.horizon(caller)?;
        let asked = Asked::read(query, |text| opened(text, CursorKind::Search, &self.cursor_keys))?;
        let visibility = self.parts.authorizer.visibility(caller);
        self.catch_up().await?;
        let depth = self.depth(caller, &visibility);
        let chosen = self.choose((caller, &horizon), depth, &asked);
        let keys: Vec<(String, String)> = chosen.hits.iter().map(|hit| hit.key.clone()).collect();
        let visibility = if depth == Depth::Some {
            Visibility::All
        } else {
            visibility
        };
        let mut listed = self.parts.feed.listed(&visibility, &keys).await?;
        let mut items = Vec::with_capacity(listed.len());
        for hit in chosen.hits {
            let found = listed.iter().position(|item| {
                let version = &item.version;
                (version.name.as_str(), version.version.as_str()) == (hit.key.0.as_str(), hit.key.1.as_str())
            });
            // What changed in this moment is found by the next search.
            let Some(item) = found.map(|at| listed.swap_remove(at)) else {
                continue;
            };
            let item = if depth == Depth::All || self.may_see(caller, &item.version.name) {
                item
            } else if item.version.is_listed() {
                self.veiled(item)?
            } else {
                continue;
            };
            items.push(Found {
                marks: portreeve_search::marks(
                    &item.version.document,
                    item.version.name.as_str(),
                    &chosen.terms,
                ),
                listed: item,
                tools: hit.tools,
            });
        }
        Ok(SearchPage {
            items,
            next_cursor: chosen
                .next
                .map(|place| sealed(&place, CursorKind::Search, &self.cursor_keys)),
            found: chosen.found,
            more: chosen.more,
            corrected: chosen.corrected,
            facets: chosen.facets,
        })
    }

    /// What the servers that the caller may know of can be narrowed by, as far as the index came: nobody waits for it.
    pub fn facets(&self, caller: &Caller) -> Result<Facets, RegistryError> {
        let horizon = self.horizon(caller)?;
        let visibility = self.parts.authorizer.visibility(caller);
        let asked = Asked {
            text: String::new(),
            narrow: Narrow::default(),
            after: None,
            limit: 1,
            facets: true,
        };
        let depth = self.depth(caller, &visibility);
        let chosen = self.choose((caller, &horizon), depth, &asked);
        Ok(chosen.facets.unwrap_or_default())
    }

    /// How far a search looks for somebody.
    fn depth(&self, caller: &Caller, visibility: &Visibility) -> Depth {
        if *visibility == Visibility::All {
            Depth::All
        } else if self.parts.authorizer.views_some(caller) {
            Depth::Some
        } else {
            Depth::Listed
        }
    }

    /// How far the index is.
    pub fn search_state(&self) -> SearchState {
        self.searcher.state()
    }

    /// Waits until the index knows what changed up to now, but not for long: a large import is followed step by step, and
    /// a search answers from as far as the index came. Before it knows everything once, there is no answer.
    async fn catch_up(&self) -> Result<(), RegistryError> {
        if self.follows_in_time().await? || self.searcher.is_whole() {
            return Ok(());
        }
        Err(RegistryError::Warming {
            known: self.searcher.index().len(),
        })
    }

    /// Whether the index knows everything up to now, without reading all of it for this.
    pub(crate) async fn knows_all(&self) -> Result<bool, RegistryError> {
        Ok(self.searcher.is_whole() && self.follows_in_time().await?)
    }

    async fn follows_in_time(&self) -> Result<bool, RegistryError> {
        match tokio::time::timeout(self.parts.limits.search_wait, self.searcher.follow()).await {
            Ok(followed) => Ok(followed.map(|()| true)?),
            Err(_) => Ok(false),
        }
    }

    /// Ranks, and cuts the page out. Nothing waits in here.
    fn choose(&self, (caller, horizon): (&Caller, &Horizon<'_>), depth: Depth, asked: &Asked) -> Chosen {
        // What is not listed is found by who sees its inside, asked entry by entry unless that is all of them.
        let exists = |entry: &portreeve_search::Entry<'_>| {
            (depth != Depth::Some || entry.is_listed() || self.may_see(caller, entry.name()))
                && horizon.finds(entry)
        };
        let is_plain = horizon.is_open() && depth != Depth::Some;
        let exists: Option<Exists<'_>> = if is_plain { None } else { Some(&exists) };
        let who = (caller, depth);
        self.with_question(who, exists, (&asked.text, &asked.narrow), |index, question| {
            let ranked = portreeve_search::rank(index, question);
            let facets = asked
                .facets
                .then(|| Facets::count(index, &ranked.hits, |server| question.discovers(server)));
            Chosen::cut(index, ranked, asked, facets)
        })
    }

    /// Asks the index, as somebody who sees of the inside of entries what he has a right to.
    fn with_question<T>(
        &self,
        (caller, depth): (&Caller, Depth),
        exists: Option<Exists<'_>>,
        (text, narrow): (&str, &Narrow),
        ask: impl FnOnce(&Index, &Question<'_>) -> T,
    ) -> T {
        // Where nobody names an environment, that one is meant.
        let production = Environment::production();
        let sees = |server: &_, tool: &str, annotations: &_| {
            let target = Target::Tool {
                server,
                tool,
                annotations,
                arguments: None,
            };
            self.parts
                .authorizer
                .may_in(caller, Action::CallTool, &target, &production)
                .is_permit()
        };
        let discovers = |server: &_| depth == Depth::All || self.may_discover(caller, server);
        // Who has no identity has no rights to an inside either.
        let is_known = caller.principal != Principal::Anonymous;
        let question = Question {
            text,
            sees_unlisted: depth != Depth::Listed,
            exists,
            inside: is_known.then_some(Inside {
                sees_tool: &sees,
                discovers: &discovers,
            }),
            narrow,
        };
        ask(&self.searcher.index(), &question)
    }

    /// A page of versions. A text that must be contained is looked up in memory first.
    pub(crate) async fn page_of(&self, query: &VersionQuery) -> Result<PageOf<ListedVersion>, RegistryError> {
        match query.search.as_deref().filter(|text| !text.is_empty()) {
            Some(text) => self.list_containing(query, text).await,
            None => Ok(self.parts.entries.list(query).await?),
        }
    }

    /// As [`portreeve_core::ports::EntryStore::list`] with a text to be contained: only entries that may contain it are
    /// read.
    async fn list_containing(
        &self,
        query: &VersionQuery,
        text: &str,
    ) -> Result<PageOf<ListedVersion>, RegistryError> {
        if !self.knows_all().await? {
            // The store finds the same, and takes longer.
            return Ok(self.parts.entries.list(query).await?);
        }
        let wanted = usize::try_from(query.limit).unwrap_or(usize::MAX);
        let mut query = query.clone();
        let mut items: Vec<ListedVersion> = Vec::new();
        let mut from = query
            .after
            .as_ref()
            .map(|(name, _)| name.clone())
            .unwrap_or_default();
        // Most servers have few versions, so the first step mostly suffices.
        let mut step = wanted.saturating_add(1).clamp(8, 256);
        loop {
            let (now, next) = self.containing(&query, text, (&from, step));
            let page = self.parts.feed.list_among(&query, &now).await?;
            items.extend(page.items);
            if items.len() > wanted || page.more || next.is_none() {
                let more = page.more || items.len() > wanted;
                items.truncate(wanted);
                return Ok(PageOf { items, more });
            }
            query.limit = u32::try_from(wanted - items.len()).unwrap_or(u32::MAX).max(1);
            from = next.unwrap_or_default();
            query.after = None;
            step = 256;
        }
    }

    /// Names of entries that may contain a text, from one name on, and the name that follows them.
    pub(crate) fn containing(
        &self,
        query: &VersionQuery,
        text: &str,
        (from, most): (&str, usize),
    ) -> (Vec<String>, Option<String>) {
        let needle = text.to_lowercase();
        // Where nothing is listed of an entry, only these two see something of it.
        let sees_unlisted = query.visibility == Visibility::All || query.include_retired;
        let admits = |entry: &portreeve_search::Entry<'_>| sees_unlisted || entry.is_listed();
        let mut names = self
            .searcher
            .index()
            .containing(&needle, (from, most + 1), admits);
        let next = if names.len() > most { names.pop() } else { None };
        (names, next)
    }
}

/// How far a search looks for somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Depth {
    /// Into what is listed.
    Listed,
    /// Into what is listed, and into servers whose inside he sees.
    Some,
    /// Into everything.
    All,
}

/// What is asked, judged.
struct Asked {
    text: String,
    narrow: Narrow,
    after: Option<(u64, String)>,
    limit: usize,
    facets: bool,
}

impl Asked {
    fn read(
        query: SearchQuery,
        open: impl Fn(&str) -> Result<Place, RegistryError>,
    ) -> Result<Self, RegistryError> {
        let limit = paging::limit(query.limit, PAGE, MOST)? as usize;
        let text = read_search(query.text.trim())?;
        let Some(cursor) = query.cursor.filter(|cursor| !cursor.is_empty()) else {
            return Ok(Self {
                text,
                narrow: query.narrow,
                after: None,
                limit,
                facets: query.facets,
            });
        };
        let place = open(&cursor)?;
        // A cursor carries what was asked; asking something else beside it is a mistake that would be silent.
        let differs = (!text.is_empty() && text != place.text)
            || (query.narrow != Narrow::default() && query.narrow != place.narrow);
        if differs {
            return Err(RegistryError::BadCursor);
        }
        Ok(Self {
            text: place.text,
            narrow: place.narrow,
            after: Some((place.score, place.name)),
            limit,
            facets: query.facets,
        })
    }
}

/// One page, chosen but not read from the store.
struct Chosen {
    hits: Vec<ChosenHit>,
    terms: std::collections::HashSet<String>,
    next: Option<Place>,
    found: usize,
    more: bool,
    corrected: Vec<(String, String)>,
    facets: Option<Facets>,
}

struct ChosenHit {
    /// Name and version.
    key: (String, String),
    score: u64,
    tools: Vec<String>,
}

impl Chosen {
    fn cut(index: &Index, ranked: Ranked, asked: &Asked, facets: Option<Facets>) -> Self {
        let found = ranked.hits.len();
        let mut hits: Vec<ChosenHit> = ranked
            .hits
            .into_iter()
            .filter_map(|hit| {
                let entry = index.entry(hit.entry)?;
                let is_after = match &asked.after {
                    None => true,
                    Some((score, name)) => {
                        hit.score < *score || (hit.score == *score && entry.name().as_str() > name.as_str())
                    }
                };
                is_after.then(|| ChosenHit {
                    key: (entry.name().to_string(), entry.version().to_owned()),
                    score: hit.score,
                    tools: hit.tools,
                })
            })
            .take(asked.limit + 1)
            .collect();
        let is_last = hits.len() <= asked.limit;
        hits.truncate(asked.limit);
        let next = hits.last().filter(|_| !is_last).map(|last| Place {
            text: asked.text.clone(),
            narrow: asked.narrow.clone(),
            score: last.score,
            name: last.key.0.clone(),
        });
        Self {
            hits,
            terms: ranked.terms,
            next,
            found,
            more: ranked.more,
            corrected: ranked.corrected,
            facets,
        }
    }
}
