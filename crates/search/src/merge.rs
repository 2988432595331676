//! Joins segments into one, without the entries that were replaced or removed. As many small ones are joined as there are
//! of about one size, so that there are never many, and each entry is moved a few times in its life.
//!
//! Before: `index` chose what to join. After: it puts the result in their place.

use std::sync::Arc;

use super::docs::{Docs, Gathering};
use super::part::Part;
use super::postings::{Doc, Lists, TermAt, Terms};
use super::segment::Segment;
use super::texts::number;

/// What shall be joined. That takes time, and needs nothing but this.
#[derive(Debug)]
pub struct Merge {
    pub(crate) parts: Vec<Part>,
}

/// What was joined.
#[derive(Debug)]
pub struct Merged {
    pub(crate) from: Vec<Part>,
    pub(crate) segment: Arc<Segment>,
}

/// The new places of the entries of one part.
struct Moved<'a> {
    part: &'a Part,
    /// `None`: it is gone.
    to: Vec<Option<Doc>>,
    next: TermAt,
}

// === impl Merge ===

impl Merge {
    /// Joins. Takes about a second for two million words.
    pub fn run(self) -> Merged {
        let (docs, mut moved) = move_docs(&self.parts);
        let terms = move_terms(&mut moved);
        Merged {
            segment: Arc::new(Segment::join(docs, terms)),
            from: self.parts,
        }
    }
}

fn move_docs(parts: &[Part]) -> (Docs, Vec<Moved<'_>>) {
    let mut order: Vec<(&str, usize, Doc)> = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        order.extend(part.alive().map(|entry| (entry.1.name().as_str(), at, entry.0)));
    }
    // Each part is in order already, which a stable sort makes use of.
    order.sort();
    let mut moved: Vec<Moved<'_>> = parts
        .iter()
        .map(|part| Moved {
            part,
            to: vec![None; part.segment().docs.len()],
            next: 0,
        })
        .collect();
    let mut docs = Gathering::default();
    for (to, (_, at, doc)) in order.into_iter().enumerate() {
        if let Some(moved) = moved.get_mut(at)
            && let Some(entry) = moved.part.segment().docs.entry(doc)
            && let Some(place) = moved.to.get_mut(doc as usize)
        {
            *place = Some(number(to));
            docs.push(&entry.described());
        }
    }
    (docs.finish(), moved)
}

fn move_terms(moved: &mut [Moved<'_>]) -> Terms {
    let mut terms = Terms::default();
    while let Some(text) = moved.iter().filter_map(Moved::head).min() {
        let mut lists = Lists::default();
        for from in moved.iter_mut().filter(|from| from.head() == Some(text)) {
            from.take(&mut lists);
        }
        lists.public.sort_unstable();
        lists.inner.sort_unstable();
        lists.tools.sort_unstable();
        if !lists.is_empty() {
            terms.push(text, &lists);
        }
    }
    terms
}

// === impl Moved ===

impl<'a> Moved<'a> {
    /// The next term, if there is one.
    fn head(&self) -> Option<&'a str> {
        let terms = &self.part.segment().terms;
        ((self.next as usize) < terms.len()).then(|| terms.text(self.next))
    }

    /// Moves the lists of the next term over.
    fn take(&mut self, lists: &mut Lists) {
        let terms = &self.part.segment().terms;
        let to = |doc: Doc| self.to.get(doc as usize).copied().flatten();
        let before = (lists.public.len(), lists.inner.len(), lists.tools.len());
        for (moved, listed) in [
            (&mut lists.public, terms.public(self.next)),
            (&mut lists.inner, terms.inner(self.next)),
        ] {
            moved.extend(listed.iter().filter_map(|(doc, worth)| Some((to(doc)?, worth))));
        }
        lists
            .tools
            .extend(terms.tools(self.next).iter().copied().filter_map(to));
        if before != (lists.public.len(), lists.inner.len(), lists.tools.len()) {
            lists.note_word(terms.word(self.next));
        }
        self.next += 1;
    }
}
