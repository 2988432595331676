//! A segment in an index, with the entries of it that were replaced or removed since.
//!
//! Before: `segment` made it. After: everything that asks the index goes through its parts.

use std::sync::Arc;

use super::docs::Entry;
use super::postings::{Doc, TermAt};
use super::segment::Segment;
use super::texts::number;

/// The part.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    segment: Arc<Segment>,
    buried: Option<Arc<Buried>>,
}

/// What of a segment does not count any more.
#[derive(Debug, Clone)]
struct Buried {
    /// A bit for each entry.
    bits: Vec<u64>,
    count: usize,
    /// How many of the entries of each term do not count.
    of_terms: Vec<u32>,
}

// === impl Part ===

impl Part {
    pub(crate) fn new(segment: Arc<Segment>) -> Self {
        Self {
            segment,
            buried: None,
        }
    }

    pub(crate) fn segment(&self) -> &Arc<Segment> {
        &self.segment
    }

    /// How many entries count.
    pub(crate) fn len(&self) -> usize {
        self.segment.docs.len() - self.buried()
    }

    /// How many do not.
    pub(crate) fn buried(&self) -> usize {
        self.buried.as_ref().map_or(0, |buried| buried.count)
    }

    pub(crate) fn is_alive(&self, doc: Doc) -> bool {
        self.buried.as_ref().is_none_or(|buried| !buried.has(doc))
    }

    /// The entries that count, by name.
    pub(crate) fn alive(&self) -> impl Iterator<Item = (Doc, Entry<'_>)> {
        self.alive_from(0)
    }

    /// The same, from a place on.
    pub(crate) fn alive_from(&self, from: Doc) -> impl Iterator<Item = (Doc, Entry<'_>)> {
        (from..number(self.segment.docs.len()))
            .filter(|doc| self.is_alive(*doc))
            .filter_map(|doc| Some((doc, self.segment.docs.entry(doc)?)))
    }

    /// The entry of this name, if it counts.
    pub(crate) fn find(&self, name: &str) -> Option<Doc> {
        self.segment.docs.find(name).filter(|doc| self.is_alive(*doc))
    }

    /// How many entries have the term in their public texts.
    pub(crate) fn used(&self, term: TermAt) -> usize {
        let all = self.segment.terms.public(term).docs.len();
        let gone = self
            .buried
            .as_ref()
            .and_then(|buried| buried.of_terms.get(term as usize));
        all - gone.map_or(0, |gone| *gone as usize)
    }

    /// Whether anything that counts has the term.
    pub(crate) fn has(&self, term: TermAt) -> bool {
        let terms = &self.segment.terms;
        let alive = |docs: &[Doc]| docs.iter().any(|doc| self.is_alive(*doc));
        self.used(term) > 0 || alive(terms.inner(term).docs) || alive(terms.tools(term))
    }

    /// The same part without these entries.
    pub(crate) fn without(&self, docs: &[Doc]) -> Self {
        let mut buried = self
            .buried
            .as_ref()
            .map_or_else(|| Buried::none(&self.segment), |buried| Buried::clone(buried));
        for doc in docs {
            buried.take(&self.segment, *doc);
        }
        Self {
            segment: Arc::clone(&self.segment),
            buried: Some(Arc::new(buried)),
        }
    }

    pub(crate) fn bytes(&self) -> usize {
        let buried = self.buried.as_ref();
        let buried = buried.map_or(0, |buried| {
            buried.bits.capacity() * 8 + buried.of_terms.capacity() * 4
        });
        self.segment.bytes() + buried
    }
}

// === impl Buried ===

impl Buried {
    fn none(segment: &Segment) -> Self {
        Self {
            bits: vec![0; segment.docs.len().div_ceil(64)],
            count: 0,
            of_terms: vec![0; segment.terms.len()],
        }
    }

    fn has(&self, doc: Doc) -> bool {
        let word = self.bits.get(doc as usize / 64);
        word.is_some_and(|word| word & (1 << (doc % 64)) != 0)
    }

    fn take(&mut self, segment: &Segment, doc: Doc) {
        let Some(word) = self.bits.get_mut(doc as usize / 64) else {
            return;
        };
        let bit = 1 << (doc % 64);
        if *word & bit != 0 {
            return;
        }
        *word |= bit;
        self.count += 1;
        for term in segment.terms_of(doc) {
            if let Some(gone) = self.of_terms.get_mut(*term as usize) {
                *gone += 1;
            }
        }
    }
}
