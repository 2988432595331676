//! What was found on the shelf: written as it is sent, or told apart without being written.
//!
//! Before: `find` chose. After: `lists` puts the page around it.

use std::ops::ControlFlow;
use std::sync::Arc;

use portreeve_core::served::RemotesText;

use super::block::{Block, Route, Torn, Version};

/// Versions in the order in which they are sent.
#[derive(Debug, Clone, Default)]
pub(crate) struct Found {
    picks: Vec<Pick>,
    more: bool,
}

/// A version of a block.
#[derive(Debug, Clone)]
pub(super) struct Pick {
    block: Arc<Block>,
    at: u32,
}

// === impl Pick ===

impl Pick {
    pub(super) fn new(block: &Arc<Block>, at: u32) -> Self {
        Self {
            block: Arc::clone(block),
            at,
        }
    }

    fn version(&self) -> Option<&Version> {
        self.block.version(self.at)
    }

    /// The routes of these environments.
    fn routes<'a>(&'a self, version: &Version, remotes: &RemotesText) -> impl Iterator<Item = &'a Route> {
        let is_shown = |route: &&Route| {
            let name = self.block.text(route.environment);
            remotes.environments.iter().any(|one| one.as_str() == name)
        };
        self.block.routes_of(version).iter().filter(is_shown)
    }

    /// Writes them as the `remotes` of the version, with the comma before them; nothing where there are none.
    fn write_remotes(&self, version: &Version, remotes: &RemotesText, out: &mut Vec<u8>) {
        let mut is_first = true;
        for route in self.routes(version, remotes) {
            let text = remotes.of(route.entrance);
            let before: &[u8] = if is_first { b",\"remotes\":[" } else { b"," };
            is_first = false;
            out.extend_from_slice(before);
            out.extend_from_slice(text.before.as_bytes());
            out.extend_from_slice(self.block.text(route.slug).as_bytes());
            out.extend_from_slice(text.after.as_bytes());
        }
        if !is_first {
            out.push(b']');
        }
    }
}

// === impl Found ===

impl Found {
    /// Takes one more, unless there are so many already.
    pub(super) fn take(&mut self, pick: Pick, most: usize) -> ControlFlow<()> {
        if self.picks.len() >= most {
            self.more = true;
            return ControlFlow::Break(());
        }
        self.picks.push(pick);
        ControlFlow::Continue(())
    }

    /// The newest published first (ties: by version text, descending), and no more than these.
    pub(super) fn newest(&mut self, limit: u32) {
        self.picks.sort_by(|one, other| {
            let key = |pick: &Pick| {
                let version = pick.version();
                version.map(|version| (version.published_at, pick.block.text(version.version).to_owned()))
            };
            key(other).cmp(&key(one))
        });
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        self.more = self.picks.len() > limit;
        self.picks.truncate(limit);
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.picks.len()
    }

    /// The (name, version) of the last one, if more follow.
    pub(crate) fn next(&self) -> Option<(String, String)> {
        if self.more { self.last() } else { None }
    }

    /// The (name, version) of the last one.
    pub(crate) fn last(&self) -> Option<(String, String)> {
        let last = self.picks.last()?;
        let (block, version) = (&last.block, last.version()?);
        let mut servers = block.servers().iter();
        let server = servers.find(|server| server.versions.contains(&last.at))?;
        Some((
            block.text(server.name).to_owned(),
            block.text(version.version).to_owned(),
        ))
    }

    /// Adds what was found behind it.
    pub(crate) fn append(&mut self, other: Self) {
        self.picks.extend(other.picks);
        self.more = other.more;
    }

    /// Bytes that tell what is written from everything else that may be.
    pub(crate) fn marks(&self, remotes: &RemotesText) -> Vec<u8> {
        let mut marks = Vec::with_capacity(self.picks.len() * 24);
        for pick in &self.picks {
            let Some(version) = pick.version() else { continue };
            marks.extend_from_slice(&version.mark);
            pick.write_remotes(version, remotes, &mut marks);
            marks.push(0);
        }
        marks
    }

    /// Bytes that it takes, about.
    pub(crate) fn size(&self, remotes: &RemotesText) -> usize {
        let around = remotes.key.before.len() + remotes.key.after.len() + 100;
        let size = |pick: &Pick| {
            let version = pick.version()?;
            let routes = pick.routes(version, remotes).count();
            Some((version.end - version.begin) as usize + routes * around + 1)
        };
        self.picks.iter().filter_map(size).sum()
    }

    /// Writes it, with commas between the versions.
    pub(crate) fn write(&self, remotes: &RemotesText, out: &mut Vec<u8>) -> Result<(), Torn> {
        let mut texts = Vec::new();
        let mut open: Option<&Arc<Block>> = None;
        for (index, pick) in self.picks.iter().enumerate() {
            if !open.is_some_and(|open| Arc::ptr_eq(open, &pick.block)) {
                pick.block.texts_into(&mut texts)?;
                open = Some(&pick.block);
            }
            if index > 0 {
                out.push(b',');
            }
            let version = pick.version().ok_or(Torn)?;
            let part = |from: u32, to: u32| texts.get(from as usize..to as usize).ok_or(Torn);
            out.extend_from_slice(part(version.begin, version.cut)?);
            pick.write_remotes(version, remotes, out);
            out.extend_from_slice(part(version.cut, version.end)?);
        }
        Ok(())
    }
}
