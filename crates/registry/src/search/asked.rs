//! The words of a question, and the terms of the index that each stands for: itself, what begins like it, and what
//! somebody may have meant who slipped.
//!
//! Before: a person typed. After: `rank` gathers the entries that have the terms.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::index::{Index, TermPlace};
use super::rank::Question;
use super::typo;
use super::words::{folded, is_stop_word, runs, term};

/// Words of a question that are looked at.
const MOST_WORDS: usize = 10;
/// Terms that one beginning stands for.
const MOST_ENDINGS: usize = 40;
/// Terms that one slip stands for.
const MOST_MEANT: usize = 6;

/// A word of the question with the terms that it stands for.
pub(super) struct Asked {
    pub(super) typed: String,
    pub(super) term: String,
    /// The terms, each with a rate in percent.
    pub(super) meant: Vec<(TermPlace, u32)>,
    /// Whether a term is exactly this word.
    pub(super) is_known: bool,
}

/// The words of a question. Those that say nothing count only where there is nothing else.
pub(super) fn read(index: &Index, question: &Question<'_>) -> Vec<Asked> {
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
            .is_some_and(|term| !(term.postings.is_empty() && term.inner.is_empty() && term.tools.is_empty()))
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
pub(super) fn slips(index: &Index, question: &Question<'_>, word: &str) -> Vec<(TermPlace, u32)> {
    let letters: Vec<char> = word.chars().collect();
    let most = typo::allowed(letters.len());
    if most == 0 {
        return Vec::new();
    }
    let mut shared: HashMap<TermPlace, usize> = HashMap::new();
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
