//! A piece of the index: some entries and the terms that they have. It never changes.
//!
//! Before: `facts` says what an entry is found by. After: `part` puts it into an index.

use std::collections::BTreeMap;

use portreeve_core::ports::Searchable;

use super::docs::{Described, Docs, Gathering, Traits};
use super::facts::{Facts, Worth};
use super::postings::{Doc, Lists, TermAt, Terms};
use super::texts::{Rows, number};
use super::words::{folded, runs, words};

/// The piece.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) docs: Docs,
    pub(crate) terms: Terms,
    /// The terms of each entry's public texts.
    of_doc: Rows<TermAt>,
}

// === impl Segment ===

impl Segment {
    /// Reads entries.
    pub(crate) fn read(entries: &[Searchable]) -> Self {
        let mut sorted: Vec<&Searchable> = entries.iter().collect();
        sorted.sort_by(|one, other| one.name.cmp(&other.name));
        sorted.dedup_by(|one, other| one.name == other.name);
        let mut docs = Gathering::default();
        let mut terms: BTreeMap<String, Lists> = BTreeMap::new();
        for (at, entry) in sorted.into_iter().enumerate() {
            let facts = Facts::read(entry);
            docs.push(&described(entry, &facts, &texts(entry)));
            note_terms(&mut terms, entry, facts, number(at));
        }
        let mut gathered = Terms::default();
        for (text, lists) in &terms {
            gathered.push(text, lists);
        }
        Self::join(docs.finish(), gathered)
    }

    pub(crate) fn join(docs: Docs, mut terms: Terms) -> Self {
        terms.shrink();
        let of_doc = terms.of_docs(docs.len());
        Self { docs, terms, of_doc }
    }

    /// The terms of an entry's public texts.
    pub(crate) fn terms_of(&self, doc: Doc) -> &[TermAt] {
        self.of_doc.get(doc)
    }

    pub(crate) fn bytes(&self) -> usize {
        self.docs.bytes() + self.terms.bytes() + self.of_doc.bytes()
    }
}

fn described<'a>(entry: &'a Searchable, facts: &'a Facts, texts: &'a str) -> Described<'a> {
    let all = |list: &'a [String]| list.iter().map(String::as_str).collect();
    Described {
        name: &entry.name,
        version: entry.shown.version.as_str(),
        traits: Traits {
            lifecycle: entry.shown.lifecycle,
            is_listed: entry.shown.is_listed(),
            is_remote: facts.is_remote,
        },
        registry_types: all(&facts.registry_types),
        tags: all(&facts.tags),
        inner_tags: all(&facts.inner_tags),
        profile_tags: all(&entry.profile.tags),
        tools: entry
            .tools
            .iter()
            .map(|(name, annotations)| (name.as_str(), *annotations))
            .collect(),
        environments: entry.environments.iter().map(|one| one.as_str()).collect(),
        texts,
    }
}

fn note_terms(terms: &mut BTreeMap<String, Lists>, entry: &Searchable, facts: Facts, doc: Doc) {
    for Worth { term, word, worth } in facts.terms {
        let lists = terms.entry(term).or_default();
        lists.note_word(&word);
        lists.public.push((doc, worth));
    }
    for Worth { term, word, worth } in facts.inner {
        let lists = terms.entry(term).or_default();
        lists.note_word(&word);
        lists.inner.push((doc, worth));
    }
    for (name, _) in &entry.tools {
        for word in runs(name).into_iter().chain(words(name)) {
            let lists = terms.entry(word.term).or_default();
            lists.note_word(&folded(name.get(word.start..word.end).unwrap_or_default()));
            if lists.tools.last() != Some(&doc) {
                lists.tools.push(doc);
            }
        }
    }
}

fn texts(entry: &Searchable) -> String {
    let mut texts = entry.name.as_str().to_ascii_lowercase();
    texts.push('\0');
    for text in &entry.texts {
        texts.push_str(text);
        texts.push('\0');
    }
    texts
}
