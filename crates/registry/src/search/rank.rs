//! Answers a question from the index: which entries, in which order, and why.
//!
//! Before: `index` holds what is known. After: `search` shows one page of it. A word that many entries have says little; a
//! name says more than a title, that more than a tag, and that more than a description; and who asks for three words
//! wants entries that have all three. At most [`MOST_RANKED`] entries are put in order.

use std::cmp::Reverse;
use std::collections::HashSet;

use portreeve_core::name::ServerName;
use portreeve_core::server::Lifecycle;
use portreeve_core::tool::ToolAnnotations;

use super::index::{Index, Indexed, Place, TermPlace};
use super::typo;
use super::words::{folded, is_stop_word, runs, term};

/// Entries that are put in order, and counted.
pub(crate) const MOST_RANKED: usize = 1_000;
/// Words of a question that are looked at.
const MOST_WORDS: usize = 10;
/// Terms that one beginning stands for.
const MOST_ENDINGS: usize = 40;
/// Terms that one slip stands for.
const MOST_MEANT: usize = 6;
/// Fewer entries than this with every word: slips are looked for.
const ENOUGH: usize = 5;
/// Tools of one question about which it is asked whether the caller may see them.
const MOST_TOOLS: usize = 1_000;
/// What a tool's name is worth.
const TOOL_WORTH: u32 = 50;

/// Whether a caller may see a tool.
pub(crate) type SeesTool<'a> = &'a (dyn Fn(&ServerName, &str, &ToolAnnotations) -> bool + Sync);

/// What is asked.
pub(crate) struct Question<'a> {
    pub(crate) text: &'a str,
    /// Whether entries that are not listed are found, too.
    pub(crate) sees_unlisted: bool,
    pub(crate) sees_tool: Option<SeesTool<'a>>,
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

/// A word of the question with the terms that it stands for.
struct Asked {
    typed: String,
    term: String,
    /// The terms, each with a rate in percent.
    meant: Vec<(TermPlace, u32)>,
    /// Whether a term is exactly this word.
    is_known: bool,
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
        && narrow.tags.iter().all(|wanted| has(&entry.tags, wanted))
}

/// The words of a question. Those that say nothing count only where there is nothing else.
fn read(index: &Index, question: &Question<'_>) -> Vec<Asked> {
    let text = question.text;
    let typed: Vec<String> = runs(text)
        .into_iter()
        .filter_map(|word| Some(folded(text.get(word.start..word.end)?)))
        .collect();
    let telling: Vec<&String> = typed.iter().filter(|word| !is_stop_word(word)).collect();
    let chosen = if telling.is_empty() {
        typed.iter().collect()
    } else {
        telling
    };
    let last = typed.last();
    let mut asked: Vec<Asked> = Vec::new();
    for word in chosen.into_iter().take(MOST_WORDS) {
        let term = term(word);
        if asked.iter().any(|before| before.term == term) {
            continue;
        }
        asked.push(meaning(index, question, (word, term), last == Some(word)));
    }
    asked
}

/// What a word stands for: its term, and what begins like it where it is the last one or nobody uses it so.
fn meaning(index: &Index, question: &Question<'_>, (typed, term): (&str, String), is_last: bool) -> Asked {
    let has_entries = |place: &TermPlace| {
        index
            .term(*place)
            .is_some_and(|term| !(term.postings.is_empty() && term.tools.is_empty()))
    };
    let exact = index.find(&term).filter(has_entries);
    let is_known = exact.is_some_and(|place| exists(index, question, place));
    let mut meant: Vec<(TermPlace, u32)> = exact.iter().map(|place| (*place, 100)).collect();
    if is_last || !is_known {
        let count = |place: &TermPlace| index.term(*place).map_or(0, |term| term.postings.len());
        let beginning = if typed.starts_with(&term) { &term } else { typed };
        let mut endings: Vec<TermPlace> = index
            .beginning(beginning)
            .filter(|place| Some(*place) != exact)
            .filter(has_entries)
            .collect();
        endings.sort_unstable_by_key(|place| Reverse(count(place)));
        endings.truncate(MOST_ENDINGS);
        meant.extend(
            endings
                .into_iter()
                .map(|place| (place, rate(index, place, beginning))),
        );
    }
    Asked {
        typed: typed.to_owned(),
        term,
        is_known,
        meant,
    }
}

/// Whether the caller may know that somebody uses the term: what is not listed must not show by what is taken for a slip.
fn exists(index: &Index, question: &Question<'_>, place: TermPlace) -> bool {
    let Some(term) = index.term(place) else {
        return false;
    };
    term.postings.iter().any(|posting| {
        question.sees_unlisted || index.entry(posting.entry).is_some_and(|entry| entry.is_listed)
    })
}

/// A beginning says the more the less is missing.
fn rate(index: &Index, place: TermPlace, beginning: &str) -> u32 {
    let whole = index
        .term(place)
        .map_or(1, |term| term.text.chars().count().max(1));
    let part = beginning.chars().count();
    u32::try_from(70 * part / whole).unwrap_or(70).clamp(15, 70)
}

/// The terms that somebody may have meant, nearest and most used first.
fn slips(index: &Index, question: &Question<'_>, word: &str) -> Vec<(TermPlace, u32)> {
    let letters: Vec<char> = word.chars().collect();
    let most = typo::allowed(letters.len());
    if most == 0 {
        return Vec::new();
    }
    let mut shared: std::collections::HashMap<TermPlace, usize> = std::collections::HashMap::new();
    for pair in typo::pairs(word) {
        for term in index.with_pair(pair) {
            *shared.entry(*term).or_default() += 1;
        }
    }
    // One slip spoils at most three pairs (two neighbours that changed places).
    let fewest = (letters.len() + 1).saturating_sub(3 * most).max(1);
    let mut meant: Vec<(usize, Reverse<usize>, TermPlace)> = shared
        .into_iter()
        .filter(|(_, count)| *count >= fewest)
        .filter_map(|(place, _)| {
            let term = index.term(place)?;
            let other: Vec<char> = term.text.chars().collect();
            let distance = typo::distance(&letters, &other, most)?;
            exists(index, question, place).then_some((distance, Reverse(term.postings.len()), place))
        })
        .collect();
    meant.sort_unstable_by_key(|(distance, used, place)| {
        (*distance, *used, index.term(*place).map(|term| term.text.clone()))
    });
    meant.truncate(MOST_MEANT);
    meant
        .into_iter()
        .map(|(distance, _, place)| (place, if distance <= 1 { 45 } else { 30 }))
        .collect()
}

/// The worth of entries while the words are gone through.
struct Tally {
    /// By the entry's place.
    sums: Vec<Sum>,
    /// How rare all words are, together.
    whole: u64,
    touched: Vec<Place>,
    tools: std::collections::HashMap<Place, Vec<String>>,
}

/// Asks whether the caller may see tools, so often and no more.
struct Asking<'a> {
    index: &'a Index,
    sees: SeesTool<'a>,
    left: usize,
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

// === impl Tally ===

impl Tally {
    fn of(index: &Index, question: &Question<'_>, asked: &[Asked]) -> Self {
        let places = index.places();
        let mut tally = Self {
            sums: vec![Sum::default(); places],
            whole: 0,
            touched: Vec::new(),
            tools: std::collections::HashMap::new(),
        };
        let mut best: Vec<u32> = vec![0; places];
        let mut asking = question.sees_tool.map(|sees| Asking {
            index,
            sees,
            left: MOST_TOOLS,
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
                entries += term.postings.len();
                for posting in &term.postings {
                    note(posting.entry, u32::from(posting.worth) * rate / 100);
                }
                if let Some(asking) = &mut asking {
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
            if (asking.sees)(&entry.name, name, annotations) {
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
