//! The index: some segments, of which each entry counts in one. It never changes; what changes makes a new one that shares
//! most of its segments, so nobody who asks waits for somebody who writes.
//!
//! Before: the registry read what changed. After: `rank` answers questions.

use std::sync::Arc;

use portreeve_core::ports::Searchable;

use super::docs::Entry;
use super::merge::{Merge, Merged};
use super::part::Part;
use super::postings::Doc;
use super::segment::Segment;
use super::texts::number;

/// So many segments of about one size are joined.
const FAN: usize = 4;
/// A segment of which fewer entries count than do not is written anew, if there are more than these.
const MOST_BURIED: usize = 256;

/// The index.
#[derive(Debug, Clone, Default)]
pub struct Index {
    parts: Vec<Part>,
}

/// The place of an entry in an index. It belongs to that index alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    part: u32,
    doc: Doc,
}

// === impl Place ===

impl Place {
    pub(crate) fn new(part: usize, doc: Doc) -> Self {
        Self {
            part: number(part),
            doc,
        }
    }
}

// === impl Index ===

impl Index {
    /// An index in which what changed is as it is now: names without an entry are forgotten.
    #[must_use]
    pub fn with(&self, names: &[String], entries: &[Searchable]) -> Self {
        let mut parts = Vec::with_capacity(self.parts.len() + 1);
        for part in &self.parts {
            let changed = entries.iter().map(|entry| entry.name.as_str());
            let changed = changed.chain(names.iter().map(String::as_str));
            let gone: Vec<Doc> = changed.filter_map(|name| part.find(name)).collect();
            let part = if gone.is_empty() {
                part.clone()
            } else {
                part.without(&gone)
            };
            if part.len() > 0 {
                parts.push(part);
            }
        }
        if !entries.is_empty() {
            parts.push(Part::new(Arc::new(Segment::read(entries))));
        }
        Self { parts }
    }

    /// What should be joined next, as far as that are no more entries than these.
    pub fn to_merge(&self, most: usize) -> Option<Merge> {
        let level = |part: &Part| part.len().max(1).ilog(FAN);
        let decayed = |part: &&Part| part.buried() > MOST_BURIED.max(part.len());
        let chosen = |parts: Vec<Part>| {
            let entries: usize = parts.iter().map(Part::len).sum();
            (entries <= most).then_some(Merge { parts })
        };
        let levels = 0..=self.parts.iter().map(level).max()?;
        let crowded = levels
            .map(|wanted| self.parts.iter().filter(move |part| level(part) == wanted))
            .find(|parts| parts.clone().count() >= FAN);
        crowded
            .and_then(|parts| chosen(parts.cloned().collect()))
            .or_else(|| chosen(vec![self.parts.iter().find(decayed)?.clone()]))
    }

    /// An index with what was joined. What changed since in the segments that were joined is changed there, too.
    #[must_use]
    pub fn with_merged(&self, merged: Merged) -> Self {
        let mut gone: Vec<Doc> = Vec::new();
        for from in &merged.from {
            let is_same = |part: &&Part| Arc::ptr_eq(part.segment(), from.segment());
            let now = self.parts.iter().find(is_same);
            let names = from
                .alive()
                .filter(|(doc, _)| now.is_none_or(|now| !now.is_alive(*doc)))
                .filter_map(|(_, entry)| merged.segment.docs.find(entry.name().as_str()));
            gone.extend(names);
        }
        let is_other = |part: &&Part| {
            let mut from = merged.from.iter();
            !from.any(|from| Arc::ptr_eq(part.segment(), from.segment()))
        };
        let mut parts: Vec<Part> = self.parts.iter().filter(is_other).cloned().collect();
        let part = Part::new(merged.segment);
        let part = if gone.is_empty() {
            part
        } else {
            part.without(&gone)
        };
        if part.len() > 0 {
            parts.push(part);
        }
        Self { parts }
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.parts.iter().map(Part::len).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// How many segments there are.
    pub fn segments(&self) -> usize {
        self.parts.len()
    }

    /// How much memory it takes, about.
    pub fn bytes(&self) -> usize {
        self.parts.iter().map(Part::bytes).sum()
    }

    /// The entry of a place of this index.
    pub fn entry(&self, place: Place) -> Option<Entry<'_>> {
        self.parts
            .get(place.part as usize)?
            .segment()
            .docs
            .entry(place.doc)
    }

    /// The name of the entry of a place; nothing where there is none.
    pub(crate) fn name(&self, place: Place) -> &str {
        self.entry(place).map_or("", |entry| entry.name().as_str())
    }

    pub(crate) fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The first entries by name that are admitted, at most so many.
    pub(crate) fn by_name(&self, most: usize, admits: impl Fn(&Entry<'_>) -> bool) -> Vec<Place> {
        let mut found: Vec<(&str, Place)> = Vec::new();
        for (at, part) in self.parts.iter().enumerate() {
            let admitted = part.alive().filter(|(_, entry)| admits(entry)).take(most);
            found.extend(admitted.map(|(doc, entry)| (entry.name().as_str(), Place::new(at, doc))));
        }
        found.sort_by_key(|(name, _)| *name);
        found.into_iter().map(|(_, place)| place).take(most).collect()
    }

    /// Names of entries that are admitted and in whose texts this stands, from a name on.
    pub fn containing(
        &self,
        needle: &str,
        (from, most): (&str, usize),
        admits: impl Fn(&Entry<'_>) -> bool,
    ) -> Vec<String> {
        let finder = memchr::memmem::Finder::new(needle);
        let mut found: Vec<&str> = Vec::new();
        for part in &self.parts {
            let docs = &part.segment().docs;
            let first = docs.names().partition_point(|name| name.as_str() < from);
            let texts = docs.texts();
            let mut at = texts.range(number(first)).start;
            let end = found.len() + most;
            while first < docs.len() && found.len() < end {
                let rest = texts.whole().as_bytes().get(at..).unwrap_or_default();
                let Some(hit) = finder.find(rest) else { break };
                let doc = texts.at_byte(at + hit);
                if let Some(entry) = docs.entry(doc)
                    && part.is_alive(doc)
                    && admits(&entry)
                {
                    found.push(entry.name().as_str());
                }
                at = texts.range(doc).end;
            }
        }
        found.sort_unstable();
        found.into_iter().take(most).map(str::to_owned).collect()
    }
}
