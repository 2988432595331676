//! Chooses versions, as the store chooses them for the same question.
//!
//! Before: `lists` has a question. After: what was found is written or told apart, in `found`.

use std::ops::ControlFlow;
use std::sync::Arc;

use portreeve_core::ports::{ServedOrder, ServedQuery, VersionFilter};
use portreeve_core::served::PublicDocument;
use portreeve_core::server::Lifecycle;
use portreeve_core::time::Timestamp;
use portreeve_core::view::Selection;
use portreeve_core::visibility::Visibility;

use super::Shelf;
use super::block::{Block, Server, Torn, Version};
use super::found::{Found, Pick};
use super::signs::Signs;

/// The beginning of a text, before the document.
const SERVER: &str = "{\"server\":";

/// What a version must be.
struct Sieve<'a> {
    selection: Option<(&'a Selection, Signs)>,
    versions: &'a VersionFilter,
    since: Option<Timestamp>,
    include_retired: bool,
    /// What is contained, in lower case.
    needle: Option<String>,
    /// What it comes behind.
    after: Option<(&'a str, &'a str)>,
}

/// The texts of the block that was looked into last.
#[derive(Default)]
struct Opened(Option<(Arc<Block>, Vec<u8>)>);

// === impl Shelf ===

impl Shelf {
    /// What a question finds. `None` when it is about more than the shelf holds.
    pub(crate) fn find(&self, query: &ServedQuery) -> Result<Option<Found>, Torn> {
        let Some(sieve) = Sieve::of(query) else {
            return Ok(None);
        };
        let most = match query.order {
            ServedOrder::Name => usize::try_from(query.versions.limit).unwrap_or(usize::MAX),
            // All of them must be known, to say which are the newest.
            ServedOrder::Newest => usize::MAX,
        };
        let mut found = Found::default();
        let mut opened = Opened::default();
        let mut take = |block: &Arc<Block>, server: &Server| {
            sieve.sift(block, server, &mut opened, |pick| found.take(pick, most))
        };
        match &query.among {
            None => drop(self.all(&sieve, &mut take)?),
            Some(names) => drop(self.among(names, &mut take)?),
        }
        if query.order == ServedOrder::Newest {
            found.newest(query.versions.limit);
        }
        Ok(Some(found))
    }

    fn all(
        &self,
        sieve: &Sieve<'_>,
        take: &mut impl FnMut(&Arc<Block>, &Server) -> Result<ControlFlow<()>, Torn>,
    ) -> Result<ControlFlow<()>, Torn> {
        let start = sieve.after.map_or(0, |after| {
            self.blocks.partition_point(|block| block.last_key() <= after)
        });
        for block in self.blocks.iter().skip(start) {
            if !sieve.may_be_in(block) {
                continue;
            }
            for server in block.servers() {
                if take(block, server)?.is_break() {
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    fn among(
        &self,
        names: &[String],
        take: &mut impl FnMut(&Arc<Block>, &Server) -> Result<ControlFlow<()>, Torn>,
    ) -> Result<ControlFlow<()>, Torn> {
        let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            let from = self.ending_before(name);
            let holding = self
                .blocks
                .iter()
                .skip(from)
                .take_while(|block| block.first_name() <= name);
            for block in holding {
                let servers = block.servers();
                let at = servers.binary_search_by(|server| block.text(server.name).cmp(name));
                if let Some(server) = at.ok().and_then(|at| servers.get(at))
                    && take(block, server)?.is_break()
                {
                    return Ok(ControlFlow::Break(()));
                }
            }
        }
        Ok(ControlFlow::Continue(()))
    }
}

// === impl Sieve ===

impl<'a> Sieve<'a> {
    fn of(query: &'a ServedQuery) -> Option<Self> {
        let versions = &query.versions;
        let selection = match &versions.visibility {
            Visibility::Listed => None,
            Visibility::Selected(selection) => Some((&**selection, Signs::of(selection))),
            // Some of what this sees is not on the shelf.
            Visibility::All => return None,
        };
        let needle = versions.search.as_deref().filter(|text| !text.is_empty());
        let after = versions.after.as_ref();
        Some(Self {
            selection,
            versions: &versions.versions,
            since: versions.updated_since,
            include_retired: versions.include_retired,
            needle: needle.map(str::to_lowercase),
            after: after.map(|(name, version)| (name.as_str(), version.as_str())),
        })
    }

    /// Whether anything that stays may be in a block.
    fn may_be_in(&self, block: &Block) -> bool {
        self.since.is_none_or(|since| block.newest() > since)
            && self
                .selection
                .as_ref()
                .is_none_or(|(_, signs)| block.may_hold(signs))
    }

    /// Hands over the versions of a server that stay.
    fn sift(
        &self,
        block: &Arc<Block>,
        server: &Server,
        opened: &mut Opened,
        mut take: impl FnMut(Pick) -> ControlFlow<()>,
    ) -> Result<ControlFlow<()>, Torn> {
        let name = block.text(server.name);
        if self.after.is_some_and(|(after, _)| name < after) || !self.holds(block, server, name) {
            return Ok(ControlFlow::Continue(()));
        }
        let is_named = self
            .needle
            .as_ref()
            .is_none_or(|needle| name.to_ascii_lowercase().contains(needle));
        for at in server.versions.clone() {
            let Some(version) = block.version(at) else {
                continue;
            };
            if !self.admits(name, block, version) {
                continue;
            }
            if !is_named
                && let Some(needle) = &self.needle
                && !opened.contains(block, version, needle)?
            {
                continue;
            }
            if take(Pick::new(block, at)).is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// As `Selection::admits` says it of an entry.
    fn holds(&self, block: &Block, server: &Server, name: &str) -> bool {
        let Some((selection, _)) = self.selection else {
            return true;
        };
        let Selection {
            tags,
            environments,
            lifecycles,
            namespaces,
        } = selection;
        let is_served = |one: &str| environments.iter().any(|wanted| wanted.as_str() == one);
        (lifecycles.is_empty() || server.stage.is_some_and(|stage| lifecycles.contains(&stage)))
            && (tags.is_empty() || block.labels(&server.tags).any(|tag| tags.contains(tag)))
            && (environments.is_empty() || block.labels(&server.environments).any(is_served))
            && (namespaces.is_empty() || namespaces.iter().any(|one| one.matches_text(name)))
    }

    fn admits(&self, name: &str, block: &Block, version: &Version) -> bool {
        let is_behind = self.after.is_none_or(|after| match self.versions {
            // There is one of each server, and a mark that moves meanwhile repeats none.
            VersionFilter::Latest => name > after.0,
            _ => (name, block.text(version.version)) > after,
        });
        let is_meant = match self.versions {
            VersionFilter::Any => true,
            VersionFilter::Latest => version.is_latest,
            VersionFilter::Exact(text) => block.text(version.version) == text,
        };
        is_behind
            && is_meant
            && (self.include_retired || version.lifecycle != Lifecycle::Retired)
            && self.since.is_none_or(|since| version.updated_at > since)
    }
}

// === impl Opened ===

impl Opened {
    /// Whether a version's title or description contains something.
    fn contains(&mut self, block: &Arc<Block>, version: &Version, needle: &str) -> Result<bool, Torn> {
        let is_open = |(open, _): &(Arc<Block>, Vec<u8>)| Arc::ptr_eq(open, block);
        if !self.0.as_ref().is_some_and(is_open) {
            self.0 = Some((Arc::clone(block), block.texts()?));
        }
        let Some((_, texts)) = &self.0 else {
            return Ok(false);
        };
        let head = texts
            .get(version.begin as usize..version.cut as usize)
            .ok_or(Torn)?;
        let head = head.strip_prefix(SERVER.as_bytes()).ok_or(Torn)?;
        // The head ends before the end of the document.
        let document = [head, b"}"].concat();
        let document: PublicDocument = serde_json::from_slice(&document).map_err(|_| Torn)?;
        Ok(["title", "description"].into_iter().any(|field| {
            let text = document
                .last_text(field)
                .map(|text| text.to_lowercase().replace('\0', "\u{fffd}"));
            text.is_some_and(|text| text.contains(needle))
        }))
    }
}
