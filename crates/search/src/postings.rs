//! The terms of a segment in their order, and the entries that have each.
//!
//! Before: `segment` or `merge` gathered them, term by term. After: `asked` finds terms, `tally` goes through their lists.

use super::texts::{Rows, Texts, number};
use super::typo;

/// The place of an entry in its segment.
pub(crate) type Doc = u32;
/// The place of a term in its segment.
pub(crate) type TermAt = u32;

/// The lists of one term while it is gathered: entries in their order.
#[derive(Debug, Default)]
pub(crate) struct Lists {
    /// How somebody writes the term; the shortest form that was seen.
    pub(crate) word: String,
    /// Entries whose public texts have it, and what it is worth there.
    pub(crate) public: Vec<(Doc, u16)>,
    /// Entries of which people say it beside the document. Asked only for those who may discover the entry.
    pub(crate) inner: Vec<(Doc, u16)>,
    /// Entries with a tool whose name has it. Asked only for those who may see the tool.
    pub(crate) tools: Vec<Doc>,
}

/// Entries with what a term is worth there.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Listed<'a> {
    pub(crate) docs: &'a [Doc],
    pub(crate) worths: &'a [u16],
}

/// The terms.
#[derive(Debug, Default)]
pub(crate) struct Terms {
    texts: Texts,
    /// How somebody writes it; nothing where that is the term itself.
    words: Texts,
    /// Which letters a term has, for `typo`.
    letters: Vec<u64>,
    public: (Rows<Doc>, Vec<u16>),
    inner: (Rows<Doc>, Vec<u16>),
    tools: Rows<Doc>,
}

// === impl Lists ===

impl Lists {
    /// Notes how somebody writes the term.
    pub(crate) fn note_word(&mut self, word: &str) {
        let is_better = self.word.is_empty() || (word.len(), word) < (self.word.len(), self.word.as_str());
        if is_better {
            word.clone_into(&mut self.word);
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.public.is_empty() && self.inner.is_empty() && self.tools.is_empty()
    }
}

// === impl Terms ===

impl Terms {
    /// Takes the next term. Terms come in their order, and so do the entries of each.
    pub(crate) fn push(&mut self, text: &str, lists: &Lists) {
        self.texts.push(text);
        self.words.push(if lists.word == text { "" } else { &lists.word });
        self.letters.push(typo::letters(text));
        for (listed, from) in [(&mut self.public, &lists.public), (&mut self.inner, &lists.inner)] {
            listed.0.push(from.iter().map(|(doc, _)| *doc));
            listed.1.extend(from.iter().map(|(_, worth)| *worth));
        }
        self.tools.push(lists.tools.iter().copied());
    }

    pub(crate) fn len(&self) -> usize {
        self.texts.len()
    }

    pub(crate) fn text(&self, term: TermAt) -> &str {
        self.texts.get(term)
    }

    /// How people write it.
    pub(crate) fn word(&self, term: TermAt) -> &str {
        match self.words.get(term) {
            "" => self.text(term),
            word => word,
        }
    }

    /// The term of exactly this text.
    pub(crate) fn find(&self, text: &str) -> Option<TermAt> {
        let at = self.texts.lower_bound(text);
        (self.texts.get(at) == text && !text.is_empty()).then_some(at)
    }

    /// For each entry, the terms that its public texts have.
    pub(crate) fn of_docs(&self, docs: usize) -> Rows<TermAt> {
        self.public.0.turned(docs)
    }

    /// The terms that begin like this.
    pub(crate) fn beginning<'a, 'w>(
        &'a self,
        with: &'w str,
    ) -> impl Iterator<Item = (TermAt, &'a str)> + use<'a, 'w> {
        (self.texts.lower_bound(with)..number(self.len()))
            .map(|at| (at, self.text(at)))
            .take_while(move |(_, text)| text.starts_with(with))
    }

    /// Which letters each term has.
    pub(crate) fn letters(&self) -> &[u64] {
        &self.letters
    }

    pub(crate) fn public(&self, term: TermAt) -> Listed<'_> {
        listed(&self.public, term)
    }

    pub(crate) fn inner(&self, term: TermAt) -> Listed<'_> {
        listed(&self.inner, term)
    }

    pub(crate) fn tools(&self, term: TermAt) -> &[Doc] {
        self.tools.get(term)
    }

    pub(crate) fn shrink(&mut self) {
        self.texts.shrink();
        self.words.shrink();
        self.letters.shrink_to_fit();
        for (docs, worths) in [&mut self.public, &mut self.inner] {
            docs.shrink();
            worths.shrink_to_fit();
        }
        self.tools.shrink();
    }

    pub(crate) fn bytes(&self) -> usize {
        let listed = |(docs, worths): &(Rows<Doc>, Vec<u16>)| docs.bytes() + worths.capacity() * 2;
        self.texts.bytes()
            + self.words.bytes()
            + self.letters.capacity() * 8
            + listed(&self.public)
            + listed(&self.inner)
            + self.tools.bytes()
    }
}

fn listed((docs, worths): &(Rows<Doc>, Vec<u16>), term: TermAt) -> Listed<'_> {
    let range = docs.range(term);
    Listed {
        docs: docs.get(term),
        worths: worths.get(range).unwrap_or_default(),
    }
}

// === impl Listed ===

impl Listed<'_> {
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Doc, u16)> {
        self.docs.iter().copied().zip(self.worths.iter().copied())
    }
}
