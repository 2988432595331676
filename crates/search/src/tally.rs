//! Goes through the lists of all terms at once and sums up what each entry has of the question. Entries are taken in
//! blocks, so that the sums of a block stay near the processor and nothing grows with the index.
//!
//! Before: `asked` found the terms. After: `best` keeps the entries that are worth most.

use std::collections::HashMap;

use super::asked::{Asked, Meant};
use super::best::Best;
use super::index::{Index, Place};
use super::part::Part;
use super::postings::{Doc, Listed};
use super::rank::{ENOUGH, Hit, Inside, Question, Ranked};
use super::texts::number;
use super::words::{runs, words};

/// Entries of one block.
const BLOCK: usize = 4_096;
/// Tools and entries of one question about which it is asked whether the caller may see them.
const MOST_ASKED: usize = 2_000;
/// What a tool's name is worth.
const TOOL_WORTH: u32 = 50;

/// What was summed up.
pub(crate) struct Tally {
    /// How many entries have every word; more than enough are not counted.
    pub(crate) complete: usize,
    best: Best,
    tools: HashMap<Place, Vec<String>>,
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

/// Asks whether the caller may see the inside of entries, so often and no more.
struct Asking<'a> {
    index: &'a Index,
    inside: Inside<'a>,
    left: usize,
    /// What was asked of entries already.
    discovered: HashMap<Place, bool>,
}

/// The lists of one term in one part, and how far they were gone through.
struct Lists<'a> {
    text: &'a str,
    rate: u32,
    public: Listed<'a>,
    inner: Listed<'a>,
    tools: &'a [Doc],
}

/// The sums of a block.
struct Block {
    first: Doc,
    sums: Vec<Sum>,
    /// What the word at hand is worth in each entry.
    worth: Vec<u32>,
    /// The entries that have it.
    here: Vec<usize>,
    /// The entries that have any.
    touched: Vec<usize>,
}

/// What is summed up where.
struct Round<'a, 'q> {
    part: (usize, &'a Part),
    question: &'a Question<'q>,
    asking: Option<Asking<'a>>,
    rarities: &'a [u64],
    whole: u64,
}

// === impl Tally ===

impl Tally {
    pub(crate) fn of<'a>(index: &'a Index, question: &'a Question<'a>, asked: &[Asked<'a>]) -> Self {
        let rarities: Vec<u64> = asked.iter().map(|word| rarity(index, word)).collect();
        let whole = rarities.iter().sum::<u64>().max(1);
        let mut tally = Self {
            complete: 0,
            best: Best::default(),
            tools: HashMap::new(),
        };
        let mut asking = question.inside.map(|inside| Asking {
            index,
            inside,
            left: MOST_ASKED,
            discovered: HashMap::new(),
        });
        let mut block = Block::default();
        for (at, part) in index.parts().iter().enumerate() {
            let mut words: Vec<Vec<Lists<'a>>> = asked.iter().map(|word| lists(at, part, word)).collect();
            let mut round = Round {
                part: (at, part),
                question,
                asking: asking.take(),
                rarities: &rarities,
                whole,
            };
            let docs = part.segment().docs.len();
            for first in (0..docs).step_by(BLOCK) {
                block.begin(number(first));
                for (word, rarity) in words.iter_mut().zip(&rarities) {
                    round.sum(&mut tally, &mut block, word);
                    block.add(*rarity);
                }
                round.close(&mut tally, &block, index);
            }
            asking = round.asking;
        }
        tally
    }

    /// The results, best first.
    pub(crate) fn finish(mut self, index: &Index) -> Ranked {
        let (found, more) = self.best.finish(index);
        let hits = found.into_iter().map(|(score, entry)| Hit {
            entry,
            score,
            tools: self.tools.remove(&entry).unwrap_or_default(),
        });
        Ranked {
            hits: hits.collect(),
            more,
            ..Ranked::default()
        }
    }
}

/// The lists of a word in a part.
fn lists<'a>(at: usize, part: &'a Part, word: &Asked<'a>) -> Vec<Lists<'a>> {
    let terms = &part.segment().terms;
    let places = word.meant.iter().flat_map(|meant: &Meant<'a>| {
        let here = meant.places.iter().filter(move |(part, _)| *part == at);
        here.map(move |(_, term)| (meant, *term))
    });
    let lists = places.map(|(meant, term)| Lists {
        text: meant.text,
        rate: meant.rate,
        public: terms.public(term),
        inner: terms.inner(term),
        tools: terms.tools(term),
    });
    lists.collect()
}

/// What a word is worth that so many of all entries have.
fn rarity(index: &Index, word: &Asked<'_>) -> u64 {
    let places = word.meant.iter().flat_map(|meant| &meant.places);
    let with: usize = places
        .filter_map(|(at, term)| Some((index.parts().get(*at)?, *term)))
        .map(|(part, term)| {
            let inner = part.segment().terms.inner(term).docs.iter();
            part.used(term) + inner.filter(|doc| part.is_alive(**doc)).count()
        })
        .sum();
    let all = index.len();
    // Counts of entries are far below what a double holds exactly, and the result is small.
    let worth = (((all + 1) as f64 / (with.min(all) + 1) as f64).ln() * 50.0) as u64;
    worth + 10
}

// === impl Round ===

impl Round<'_, '_> {
    /// Notes in which entries of the block a word is, and what it is worth there.
    fn sum(&mut self, tally: &mut Tally, block: &mut Block, word: &mut [Lists<'_>]) {
        let (at, part) = self.part;
        for lists in word {
            let rate = lists.rate;
            for (doc, worth) in lists.public.take_until(block.end()) {
                if part.is_alive(doc) {
                    block.note(doc, u32::from(worth) * rate / 100);
                }
            }
            let inner = lists.inner.take_until(block.end());
            let tools = take_until(&mut lists.tools, block.end());
            let Some(asking) = &mut self.asking else { continue };
            for (doc, worth) in inner {
                if part.is_alive(doc) && asking.discovers(Place::new(at, doc)) {
                    block.note(doc, u32::from(worth) * rate / 100);
                }
            }
            for doc in tools {
                let place = Place::new(at, *doc);
                if part.is_alive(*doc) && asking.sees_a_tool(place, lists.text, &mut tally.tools) {
                    block.note(*doc, TOOL_WORTH * rate / 100);
                }
            }
        }
    }

    /// Takes the entries of a block that are admitted over.
    fn close(&self, tally: &mut Tally, block: &Block, index: &Index) {
        let (at, part) = self.part;
        for slot in &block.touched {
            let doc = block.first + number(*slot);
            let entry = part.segment().docs.entry(doc);
            if !entry.is_some_and(|entry| self.question.admits(&entry)) {
                continue;
            }
            let Some(sum) = block.sums.get(*slot) else {
                continue;
            };
            if sum.words == self.rarities.len() && tally.complete < ENOUGH {
                tally.complete += 1;
            }
            // An entry without the rare word is not what was looked for, however many of the others it has.
            let score = sum.total * sum.share / self.whole * sum.share / self.whole;
            // Who asks for four words does not want what has one of them, if there is better.
            let is_near = sum.share * 3 >= self.whole;
            tally.best.take(index, (score, Place::new(at, doc)), is_near);
        }
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
        let may = (self.inside.discovers)(entry.name());
        self.discovered.insert(place, may);
        may
    }

    /// Whether the caller may see a tool of this entry whose name has the term. Those that he may see are noted.
    fn sees_a_tool(&mut self, place: Place, term: &str, seen: &mut HashMap<Place, Vec<String>>) -> bool {
        let Some(entry) = self.index.entry(place) else {
            return false;
        };
        let mut any = false;
        for (name, annotations) in entry.tools() {
            let mut terms = runs(name).into_iter().chain(words(name));
            if self.left == 0 || !terms.any(|word| word.term == term) {
                continue;
            }
            self.left -= 1;
            if (self.inside.sees_tool)(entry.name(), name, annotations) {
                any = true;
                let seen = seen.entry(place).or_default();
                if !seen.iter().any(|known| known == name) {
                    seen.push(name.to_owned());
                }
            }
        }
        any
    }
}

// === impl Block ===

impl Default for Block {
    fn default() -> Self {
        Self {
            first: 0,
            sums: vec![Sum::default(); BLOCK],
            worth: vec![0; BLOCK],
            here: Vec::new(),
            touched: Vec::new(),
        }
    }
}

impl Block {
    fn begin(&mut self, first: Doc) {
        self.first = first;
        for slot in self.touched.drain(..) {
            if let Some(sum) = self.sums.get_mut(slot) {
                *sum = Sum::default();
            }
        }
    }

    /// The first entry behind the block.
    fn end(&self) -> Doc {
        self.first.saturating_add(number(BLOCK))
    }

    /// The word at hand is in an entry, and worth so much there.
    fn note(&mut self, doc: Doc, worth: u32) {
        // What is worth next to nothing is there nevertheless.
        let worth = worth.max(1);
        let slot = doc.saturating_sub(self.first) as usize;
        if let Some(present) = self.worth.get_mut(slot) {
            if *present == 0 {
                self.here.push(slot);
            }
            *present = (*present).max(worth);
        }
    }

    /// Adds the word at hand to the entries that have it.
    fn add(&mut self, rarity: u64) {
        for slot in self.here.drain(..) {
            let (Some(worth), Some(sum)) = (self.worth.get_mut(slot), self.sums.get_mut(slot)) else {
                continue;
            };
            if sum.words == 0 {
                self.touched.push(slot);
            }
            sum.words += 1;
            sum.share += rarity;
            sum.total += u64::from(std::mem::take(worth)) * rarity;
        }
    }
}

// === impl Listed ===

impl<'a> Listed<'a> {
    /// Takes what stands before an entry.
    fn take_until(&mut self, end: Doc) -> impl Iterator<Item = (Doc, u16)> + use<'a> {
        let docs = take_until(&mut self.docs, end);
        let (worths, rest) = self.worths.split_at(docs.len().min(self.worths.len()));
        self.worths = rest;
        docs.iter().copied().zip(worths.iter().copied())
    }
}

fn take_until<'a>(docs: &mut &'a [Doc], end: Doc) -> &'a [Doc] {
    let is_short = docs.last().is_none_or(|last| *last < end);
    let count = if is_short {
        docs.len()
    } else {
        docs.partition_point(|doc| *doc < end)
    };
    let (now, rest) = docs.split_at(count);
    *docs = rest;
    now
}
