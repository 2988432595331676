//! The index: from terms to entries. Held in memory, brought up to date entry by entry.
//!
//! Before: `feed` brought what changed. After: `rank` answers questions.

use std::collections::{BTreeMap, HashMap};

use portreeve_core::name::ServerName;
use portreeve_core::ports::Searchable;
use portreeve_core::server::Lifecycle;
use portreeve_core::tool::ToolAnnotations;

use super::document::{Facts, Worth};
use super::typo::pairs;
use super::words::{folded, runs, words};

/// The place of an entry in the index.
pub(super) type Place = u32;
/// The place of a term.
pub(super) type TermPlace = u32;

/// An entry that has a term.
#[derive(Debug, Clone, Copy)]
pub(super) struct Posting {
    pub(super) entry: Place,
    /// What the term is worth there.
    pub(super) worth: u16,
}

/// A term.
#[derive(Debug)]
pub(super) struct Term {
    pub(super) text: Box<str>,
    /// How the first entry that had it writes it, for people.
    pub(super) word: Box<str>,
    /// Entries whose public texts have it.
    pub(super) postings: Vec<Posting>,
    /// Entries of which people say it beside the document. Asked only for those who may discover the entry.
    pub(super) inner: Vec<Posting>,
    /// Entries with a tool whose name has it. Asked only for those who may see the tool.
    pub(super) tools: Vec<Place>,
}

/// An entry.
#[derive(Debug)]
pub(super) struct Indexed {
    pub(super) name: ServerName,
    /// The version that is shown for it.
    pub(super) version: Box<str>,
    /// Whether everybody may know of it.
    pub(super) is_listed: bool,
    pub(super) lifecycle: Lifecycle,
    pub(super) is_remote: bool,
    pub(super) registry_types: Vec<Box<str>>,
    pub(super) tags: Vec<Box<str>>,
    /// Tags for who may discover it.
    pub(super) inner_tags: Vec<Box<str>>,
    pub(super) tools: Vec<(Box<str>, ToolAnnotations)>,
    terms: Vec<TermPlace>,
    inner_terms: Vec<TermPlace>,
    tool_terms: Vec<TermPlace>,
    /// Name, titles and descriptions of all its versions, in lower case, each ended by NUL.
    texts: Box<str>,
}

/// The index.
#[derive(Debug, Default)]
pub(super) struct Index {
    entries: Vec<Option<Indexed>>,
    free: Vec<Place>,
    by_name: BTreeMap<String, Place>,
    terms: Vec<Term>,
    by_term: BTreeMap<Box<str>, TermPlace>,
    by_pair: HashMap<[char; 2], Vec<TermPlace>>,
}

// === impl Index ===

impl Index {
    /// Takes an entry in, in place of what was known of it.
    pub(super) fn put(&mut self, entry: &Searchable) {
        self.remove(entry.name.as_str());
        let facts = Facts::read(entry);
        let place = self.free.pop().unwrap_or_else(|| {
            self.entries.push(None);
            Place::try_from(self.entries.len() - 1).unwrap_or(Place::MAX)
        });
        let mut terms = Vec::with_capacity(facts.terms.len());
        for Worth { term, word, worth } in facts.terms {
            let term = self.term_mut(term, word);
            terms.push(term);
            if let Some(term) = self.terms.get_mut(term as usize) {
                term.postings.push(Posting { entry: place, worth });
            }
        }
        let mut inner_terms = Vec::with_capacity(facts.inner.len());
        for Worth { term, word, worth } in facts.inner {
            let term = self.term_mut(term, word);
            inner_terms.push(term);
            if let Some(term) = self.terms.get_mut(term as usize) {
                term.inner.push(Posting { entry: place, worth });
            }
        }
        let mut tool_terms = Vec::new();
        for (name, _) in &entry.tools {
            for word in runs(name).into_iter().chain(words(name)) {
                let written = folded(name.get(word.start..word.end).unwrap_or_default());
                let term = self.term_mut(word.term, written);
                if !tool_terms.contains(&term) {
                    tool_terms.push(term);
                    if let Some(term) = self.terms.get_mut(term as usize) {
                        term.tools.push(place);
                    }
                }
            }
        }
        self.by_name.insert(entry.name.to_string(), place);
        let boxed = |list: Vec<String>| list.into_iter().map(String::into_boxed_str).collect();
        let indexed = Indexed {
            name: entry.name.clone(),
            version: entry.shown.version.as_str().into(),
            is_listed: entry.shown.is_listed(),
            lifecycle: facts.lifecycle,
            is_remote: facts.is_remote,
            registry_types: boxed(facts.registry_types),
            tags: boxed(facts.tags),
            inner_tags: boxed(facts.inner_tags),
            tools: entry
                .tools
                .iter()
                .map(|(name, annotations)| (name.as_str().into(), *annotations))
                .collect(),
            terms,
            inner_terms,
            tool_terms,
            texts: texts(entry),
        };
        if let Some(slot) = self.entries.get_mut(place as usize) {
            *slot = Some(indexed);
        }
    }

    /// Forgets an entry.
    pub(super) fn remove(&mut self, name: &str) {
        let Some(place) = self.by_name.remove(name) else {
            return;
        };
        let Some(entry) = self.entries.get_mut(place as usize).and_then(Option::take) else {
            return;
        };
        for term in entry.terms {
            if let Some(term) = self.terms.get_mut(term as usize)
                && let Some(at) = term.postings.iter().position(|posting| posting.entry == place)
            {
                term.postings.swap_remove(at);
            }
        }
        for term in entry.inner_terms {
            if let Some(term) = self.terms.get_mut(term as usize) {
                term.inner.retain(|posting| posting.entry != place);
            }
        }
        for term in entry.tool_terms {
            if let Some(term) = self.terms.get_mut(term as usize) {
                term.tools.retain(|entry| *entry != place);
            }
        }
        self.free.push(place);
    }

    fn term_mut(&mut self, text: String, word: String) -> TermPlace {
        let text = text.into_boxed_str();
        if let Some(place) = self.by_term.get(&text) {
            return *place;
        }
        let place = TermPlace::try_from(self.terms.len()).unwrap_or(TermPlace::MAX);
        for pair in pairs(&text) {
            let list = self.by_pair.entry(pair).or_default();
            if list.last() != Some(&place) {
                list.push(place);
            }
        }
        self.by_term.insert(text.clone(), place);
        self.terms.push(Term {
            text,
            word: word.into_boxed_str(),
            postings: Vec::new(),
            inner: Vec::new(),
            tools: Vec::new(),
        });
        place
    }

    /// How many places there are, free ones too.
    pub(super) fn places(&self) -> usize {
        self.entries.len()
    }

    /// How many entries there are.
    pub(super) fn len(&self) -> usize {
        self.by_name.len()
    }

    pub(super) fn entry(&self, place: Place) -> Option<&Indexed> {
        self.entries.get(place as usize)?.as_ref()
    }

    pub(super) fn term(&self, place: TermPlace) -> Option<&Term> {
        self.terms.get(place as usize)
    }

    /// The term of exactly this text.
    pub(super) fn find(&self, text: &str) -> Option<TermPlace> {
        self.by_term.get(text).copied()
    }

    /// The terms that begin like this.
    pub(super) fn beginning<'a>(&'a self, with: &'a str) -> impl Iterator<Item = TermPlace> + 'a {
        self.by_term
            .range::<str, _>((std::ops::Bound::Included(with), std::ops::Bound::Unbounded))
            .take_while(move |(text, _)| text.starts_with(with))
            .map(|(_, place)| *place)
    }

    /// Terms with a pair of characters.
    pub(super) fn with_pair(&self, pair: [char; 2]) -> &[TermPlace] {
        self.by_pair.get(&pair).map_or(&[], Vec::as_slice)
    }

    /// All entries, by name.
    pub(super) fn by_name(&self) -> impl Iterator<Item = (Place, &Indexed)> {
        self.by_name
            .values()
            .filter_map(|place| Some((*place, self.entry(*place)?)))
    }

    /// Names of entries that are admitted and in whose texts this stands, from a name on.
    pub(super) fn containing(
        &self,
        needle: &str,
        (from, most): (&str, usize),
        admits: impl Fn(&Indexed) -> bool,
    ) -> Vec<String> {
        let finder = memchr::memmem::Finder::new(needle);
        self.by_name
            .range::<str, _>((std::ops::Bound::Included(from), std::ops::Bound::Unbounded))
            .filter(|(_, place)| {
                self.entry(**place)
                    .is_some_and(|entry| admits(entry) && finder.find(entry.texts.as_bytes()).is_some())
            })
            .map(|(name, _)| name.clone())
            .take(most)
            .collect()
    }
}

fn texts(entry: &Searchable) -> Box<str> {
    let mut texts = entry.name.as_str().to_ascii_lowercase();
    texts.push('\0');
    for text in &entry.texts {
        texts.push_str(text);
        texts.push('\0');
    }
    texts.into_boxed_str()
}
