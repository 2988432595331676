//! The shelf: every approved version as hosts read it, packed in memory in the order of lists, so that a page is found and
//! written without asking the store. A shelf never changes; what changes makes a new one that shares most of its blocks.
//!
//! Before: `keeper` read entries that changed. After: `lists` answers with what it finds here.

mod block;
mod find;
mod found;
mod signs;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use portreeve_core::ports::ServedEntry;

pub(crate) use block::Torn;
pub(super) use block::mark;
use block::{Block, size_of_version};
pub(crate) use found::Found;

/// Bytes of the texts of one block, about: of less, little is packed together, and of more, much is unpacked for one
/// version.
const BLOCK_BYTES: usize = 16 * 1024;

/// The shelf.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shelf {
    /// In the order of names and versions; none is empty. The versions of a server may go on in the next block.
    blocks: Vec<Arc<Block>>,
    bytes: usize,
}

/// What changed in blocks that follow each other.
struct Group<'a> {
    blocks: Range<usize>,
    names: Vec<&'a str>,
}

// === impl Shelf ===

impl Shelf {
    /// A shelf on which these entries are as they are now: names without an entry are forgotten.
    pub(crate) fn with(&self, names: &[String], entries: Vec<ServedEntry>) -> Result<Self, Torn> {
        let mut changed: BTreeMap<&str, Option<ServedEntry>> =
            names.iter().map(|name| (name.as_str(), None)).collect();
        for entry in entries {
            if let Some(place) = changed.get_mut(entry.name.as_str()) {
                *place = Some(entry);
            }
        }
        let groups = self.groups(changed.keys().copied());
        let mut blocks = Vec::with_capacity(self.blocks.len() + groups.len());
        let mut kept = 0;
        let mut groups = groups.into_iter().peekable();
        while let Some(group) = groups.next() {
            let limit = groups.peek().map_or(self.blocks.len(), |next| next.blocks.start);
            let mut loose = Vec::new();
            for block in self.blocks.get(group.blocks.clone()).unwrap_or_default() {
                let stays = |entry: &ServedEntry| !changed.contains_key(entry.name.as_str());
                loose.extend(block.unpack()?.into_iter().filter(stays));
            }
            let new = group
                .names
                .iter()
                .filter_map(|name| changed.get_mut(name)?.take());
            loose.extend(new);
            let mut end = group.blocks.end;
            // There shall not be many small ones.
            while size_of(&loose) < BLOCK_BYTES / 2
                && let Some(next) = self.blocks.get(end).filter(|_| end < limit)
            {
                loose.extend(next.unpack()?);
                end += 1;
            }
            blocks.extend(self.blocks.iter().take(group.blocks.start).skip(kept).cloned());
            blocks.extend(bound(loose));
            kept = end;
        }
        blocks.extend(self.blocks.iter().skip(kept).cloned());
        let bytes = blocks.iter().map(|block| block.bytes()).sum();
        Ok(Self { blocks, bytes })
    }

    /// Which blocks change together. The names come in their order.
    fn groups<'a>(&self, names: impl Iterator<Item = &'a str>) -> Vec<Group<'a>> {
        let mut groups: Vec<Group<'a>> = Vec::new();
        for name in names {
            let blocks = self.touched(name);
            match groups.last_mut() {
                Some(last) if blocks.start < last.blocks.end || blocks == last.blocks => {
                    last.blocks.end = last.blocks.end.max(blocks.end);
                    last.names.push(name);
                }
                _ => groups.push(Group {
                    blocks,
                    names: vec![name],
                }),
            }
        }
        groups
    }

    /// The blocks that hold a name, or else the one in which it would stand.
    fn touched(&self, name: &str) -> Range<usize> {
        let start = self.ending_before(name).min(self.blocks.len().saturating_sub(1));
        let rest = self.blocks.get(start..).unwrap_or_default();
        let holding = rest.partition_point(|block| block.first_name() <= name);
        start..(start + holding.max(1)).min(self.blocks.len())
    }

    /// How many blocks end before a name.
    fn ending_before(&self, name: &str) -> usize {
        self.blocks.partition_point(|block| block.last_key().0 < name)
    }

    /// How much memory it takes, about.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }
}

fn size_of(entries: &[ServedEntry]) -> usize {
    let versions = entries.iter().flat_map(|entry| &entry.versions);
    versions.map(size_of_version).sum()
}

/// Puts entries in their order, and binds them into blocks of about one size.
fn bound(mut entries: Vec<ServedEntry>) -> Vec<Arc<Block>> {
    entries.sort_by(|one, other| one.name.cmp(&other.name));
    let whole = size_of(&entries);
    let share = whole / ((whole + BLOCK_BYTES / 2) / BLOCK_BYTES).max(1);
    let mut blocks = Vec::new();
    let mut open: Vec<ServedEntry> = Vec::new();
    let mut size = 0;
    for entry in entries {
        let ServedEntry {
            name,
            tags,
            stage,
            environments,
            versions,
        } = entry;
        for version in versions {
            if size >= share {
                blocks.push(Arc::new(Block::pack(&open)));
                open.clear();
                size = 0;
            }
            size += size_of_version(&version);
            match open.last_mut().filter(|last| last.name == name) {
                Some(last) => last.versions.push(version),
                None => open.push(ServedEntry {
                    name: name.clone(),
                    tags: tags.clone(),
                    stage,
                    environments: environments.clone(),
                    versions: vec![version],
                }),
            }
        }
    }
    if !open.is_empty() {
        blocks.push(Arc::new(Block::pack(&open)));
    }
    blocks
}
