//! Answers a question from the index: which entries, in which order, and why.
//!
//! Before: `index` holds what is known. After: `search` shows one page of it. A word that many entries have says little; a
//! name says more than a title, that more than a tag, and that more than a description; and who asks for three words
//! wants entries that have all three. At most [`MOST_RANKED`] entries are put in order.

use std::collections::{HashMap, HashSet};

use portreeve_core::name::ServerName;
use portreeve_core::server::Lifecycle;
use portreeve_core::tool::ToolAnnotations;

use super::asked::{Asked, read, slips};
use super::index::{Index, Indexed, Place};
use super::words::runs;

/// Entries that are put in order, and counted.
pub(crate) const MOST_RANKED: usize = 1_000;
/// Fewer entries than this with every word: slips are looked for.
const ENOUGH: usize = 5;
/// Tools and entries of one question about which it is asked whether the caller may see them.
const MOST_ASKED: usize = 2_000;
/// What a tool's name is worth.
const TOOL_WORTH: u32 = 50;

/// Whether a caller may see a tool.
pub(crate) type SeesTool<'a> = &'a (dyn Fn(&ServerName, &str, &ToolAnnotations) -> bool + Sync);

/// Whether a caller may discover an entry, and so read what people say about it.
pub(crate) type Discovers<'a> = &'a (dyn Fn(&ServerName) -> bool + Sync);

/// What a caller may see beyond the public texts.
#[derive(Clone, Copy)]
pub(crate) struct Inside<'a> {
    pub(crate) sees_tool: SeesTool<'a>,
    pub(crate) discovers: Discovers<'a>,
}

/// What is asked.
pub(crate) struct Question<'a> {
    pub(crate) text: &'a str,
    /// Whether entries that are not listed are found, too.
    pub(crate) sees_unlisted: bool,
    /// What the caller may see of the inside of entries; `None`: nothing.
    pub(crate) inside: Option<Inside<'a>>,
    pub(crate) narrow: &'a Narrow,
}

/// What results must be. An empty list asks for nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Narrow {
    /// One of these stages.
    pub lifecycle: Vec<Lifecycle>,
    /// `remote` or `local`.
    pub kind: Option<Kind>,
    /// One of these registries of packages: `npm`, `oci`.
    pub registry_types: Vec<String>,
    /// All of these tags.
    pub tags: Vec<String>,
}

/// Where a server runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Somewhere for everyone.
    Remote,
    /// Where it is installed.
    Local,
}

/// An answer.
#[derive(Debug, Default)]
pub(crate) struct Ranked {
    /// Best first.
    pub(crate) hits: Vec<Hit>,
    /// The terms that made hits, for the marks.
    pub(crate) terms: HashSet<String>,
    /// Words that were taken for slips, and the word that was looked for instead.
    pub(crate) corrected: Vec<(String, String)>,
    /// Whether there are more than were put in order.
    pub(crate) more: bool,
}

/// An entry that was found.
#[derive(Debug, Clone)]
pub(crate) struct Hit {
    pub(crate) entry: Place,
    pub(crate) score: u64,
    /// Tools whose names were asked for, and that the caller may see.
    pub(crate) tools: Vec<String>,
}

/// Answers a question.
pub(crate) fn rank(index: &Index, question: &Question<'_>) -> Ranked {
    let mut asked = read(index, question);
    if asked.is_empty() {
        return browse(index, question);
    }
    let mut tally = Tally::of(index, question, &asked);
    let mut corrected = Vec::new();
    if tally.complete(index, question, asked.len()) < ENOUGH {
        for word in asked.iter_mut().filter(|word| !word.is_known) {
            let meant = slips(index, question, &word.term);
            if let Some((best, _)) = meant.first()
                && let Some(term) = index.term(*best)
            {
                corrected.push((word.typed.clone(), term.word.to_string()));
            }
            word.meant.extend(meant);
        }
        tally = Tally::of(index, question, &asked);
    }
    let mut ranked = tally.finish(index, question);
    ranked.corrected = corrected;
    ranked.terms = asked
        .iter()
        .flat_map(|word| &word.meant)
        .filter_map(|(term, _)| Some(index.term(*term)?.text.to_string()))
        .collect();
    ranked
}

/// Without words everything is found, by name.
fn browse(index: &Index, question: &Question<'_>) -> Ranked {
    let mut found = index
        .by_name()
        .filter(|(_, entry)| admits(question, entry))
        .map(|(entry, _)| Hit {
            entry,
            score: 0,
            tools: Vec::new(),
        });
    let hits = found.by_ref().take(MOST_RANKED).collect();
    Ranked {
        hits,
        more: found.next().is_some(),
        ..Ranked::default()
    }
}

fn admits(question: &Question<'_>, entry: &Indexed) -> bool {
    let narrow = question.narrow;
    let has = |list: &[Box<str>], wanted: &String| list.iter().any(|one| **one == **wanted);
    (entry.is_listed || question.sees_unlisted)
        && (narrow.lifecycle.is_empty() || narrow.lifecycle.contains(&entry.lifecycle))
        && narrow
            .kind
            .is_none_or(|kind| entry.is_remote == (kind == Kind::Remote))
        && (narrow.registry_types.is_empty()
            || narrow
                .registry_types
                .iter()
                .any(|wanted| has(&entry.registry_types, wanted)))
        && narrow.tags.iter().all(|wanted| {
            has(&entry.tags, wanted) || (has(&entry.inner_tags, wanted) && question.discovers(&entry.name))
        })
}

/// The worth of entries while the words are gone through.
struct Tally {
    /// By the entry's place.
    sums: Vec<Sum>,
    /// How rare all words are, together.
    whole: u64,
    touched: Vec<Place>,
    tools: HashMap<Place, Vec<String>>,
}

/// Asks whether the caller may see the inside of entries, so often and no more.
struct Asking<'a> {
    index: &'a Index,
    inside: Inside<'a>,
    left: usize,
    /// What was asked of entries already.
    discovered: HashMap<Place, bool>,
}

/// What an entry has of what was asked for.
#[derive(Clone, Copy, Default)]
struct Sum {
    /// What its words are worth.
    total: u64,
    /// How rare they are, together.
    share: u64,
    /// How many of them it has.
    words: usize,
}

// === impl Question ===

impl Question<'_> {
    /// Whether the caller may discover the entry.
    pub(crate) fn discovers(&self, server: &ServerName) -> bool {
        self.inside.is_some_and(|inside| (inside.discovers)(server))
    }
}

// === impl Asking ===

impl Asking<'_> {
    fn discovers(&mut self, place: Place) -> bool {
        if let Some(known) = self.discovered.get(&place) {
            return *known;
        }
        let Some(entry) = self.index.entry(place).filter(|_| self.left > 0) else {
            return false;
        };
        self.left -= 1;
        let may = (self.inside.discovers)(&entry.name);
        self.discovered.insert(place, may);
        may
    }
}

// === impl Tally ===

impl Tally {
    fn of(index: &Index, question: &Question<'_>, asked: &[Asked]) -> Self {
        let places = index.places();
        let mut tally = Self {
            sums: vec![Sum::default(); places],
            whole: 0,
            touched: Vec::new(),
            tools: HashMap::new(),
        };
        let mut best: Vec<u32> = vec![0; places];
        let mut asking = question.inside.map(|inside| Asking {
            index,
            inside,
            left: MOST_ASKED,
            discovered: HashMap::new(),
        });
        for word in asked {
            let mut here: Vec<Place> = Vec::new();
            let mut note = |place: Place, worth: u32| {
                if let Some(slot) = best.get_mut(place as usize) {
                    if *slot == 0 {
                        here.push(place);
                    }
                    *slot = (*slot).max(worth);
                }
            };
            let mut entries = 0;
            for (place, rate) in &word.meant {
                let Some(term) = index.term(*place) else { continue };
                entries += term.postings.len() + term.inner.len();
                for posting in &term.postings {
                    note(posting.entry, u32::from(posting.worth) * rate / 100);
                }
                if let Some(asking) = &mut asking {
                    for posting in &term.inner {
                        if asking.discovers(posting.entry) {
                            note(posting.entry, u32::from(posting.worth) * rate / 100);
                        }
                    }
                    for entry in &term.tools {
                        if tally.ask_tools(asking, *entry, &term.text) {
                            note(*entry, TOOL_WORTH * rate / 100);
                        }
                    }
                }
            }
            let rarity = rarity(index.len(), entries);
            tally.whole += rarity;
            for place in here {
                let worth = best.get_mut(place as usize).map(std::mem::take);
                tally.add(place, worth.unwrap_or_default(), rarity);
            }
        }
        tally
    }

    /// Adds a word that an entry has.
    fn add(&mut self, place: Place, worth: u32, rarity: u64) {
        let Some(sum) = self.sums.get_mut(place as usize) else {
            return;
        };
        if sum.words == 0 {
            self.touched.push(place);
        }
        sum.words += 1;
        sum.share += rarity;
        sum.total += u64::from(worth) * rarity;
    }

    fn sum(&self, place: Place) -> Sum {
        self.sums.get(place as usize).copied().unwrap_or_default()
    }

    /// Whether the caller may see a tool of this entry whose name has the term.
    fn ask_tools(&mut self, asking: &mut Asking<'_>, place: Place, term: &str) -> bool {
        let Some(entry) = asking.index.entry(place) else {
            return false;
        };
        let mut any = false;
        for (name, annotations) in &entry.tools {
            let has = runs(name)
                .into_iter()
                .chain(super::words::words(name))
                .any(|word| word.term == term);
            if !has || asking.left == 0 {
                continue;
            }
            asking.left -= 1;
            if (asking.inside.sees_tool)(&entry.name, name, annotations) {
                any = true;
                let seen = self.tools.entry(place).or_default();
                if !seen.iter().any(|known| **known == **name) {
                    seen.push(name.to_string());
                }
            }
        }
        any
    }

    /// How many entries have every word.
    fn complete(&self, index: &Index, question: &Question<'_>, words: usize) -> usize {
        self.touched
            .iter()
            .filter(|place| self.sum(**place).words == words)
            .filter(|place| index.entry(**place).is_some_and(|entry| admits(question, entry)))
            .take(ENOUGH)
            .count()
    }

    fn finish(mut self, index: &Index, question: &Question<'_>) -> Ranked {
        // An entry without the rare word is not what was looked for, however many of the others it has.
        let whole = self.whole.max(1);
        let mut found: Vec<(u64, Place, &str)> = self
            .touched
            .iter()
            .filter_map(|place| {
                let entry = index.entry(*place).filter(|entry| admits(question, entry))?;
                let sum = self.sum(*place);
                let score = sum.total * sum.share / whole * sum.share / whole;
                Some((score, *place, entry.name.as_str()))
            })
            .collect();
        // Who asks for four words does not want what has one of them, if there is better.
        let third = |place: Place| self.sum(place).share * 3 >= whole;
        if found.iter().any(|(_, place, _)| third(*place)) {
            found.retain(|(_, place, _)| third(*place));
        }
        let order = |one: &(u64, Place, &str), other: &(u64, Place, &str)| {
            other.0.cmp(&one.0).then_with(|| one.2.cmp(other.2))
        };
        let more = found.len() > MOST_RANKED;
        if more {
            found.select_nth_unstable_by(MOST_RANKED, order);
            found.truncate(MOST_RANKED);
        }
        found.sort_unstable_by(order);
        let hits = found
            .into_iter()
            .map(|(score, entry, _)| Hit {
                entry,
                score,
                tools: self.tools.remove(&entry).unwrap_or_default(),
            })
            .collect();
        Ranked {
            hits,
            more,
            ..Ranked::default()
        }
    }
}

/// What a word is worth that so many of all entries have.
fn rarity(all: usize, with: usize) -> u64 {
    // Counts of entries are far below what a double holds exactly, and the result is small.
    let worth = (((all + 1) as f64 / (with.min(all) + 1) as f64).ln() * 50.0) as u64;
    worth + 10
}
