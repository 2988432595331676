//! The words of a question, and the terms of the index that each stands for: itself, what begins like it, and what
//! somebody may have meant who slipped.
//!
//! Before: a person typed. After: `rank` gathers the entries that have the terms.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::index::Index;
use super::part::Part;
use super::postings::TermAt;
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
pub(crate) struct Asked<'a> {
    pub(crate) typed: String,
    pub(crate) term: String,
    pub(crate) meant: Vec<Meant<'a>>,
    /// Whether a term is exactly this word.
    pub(crate) is_known: bool,
}

/// A term that a word stands for.
pub(crate) struct Meant<'a> {
    pub(crate) text: &'a str,
    /// What it counts, in percent.
    pub(crate) rate: u32,
    /// Where it is: the number of a part, and its place there.
    pub(crate) places: Vec<(usize, TermAt)>,
}

/// Terms near a word: how far each is from it, and where it is.
type Near<'a> = BTreeMap<&'a str, (usize, Vec<(usize, TermAt)>)>;

/// The words of a question. Those that say nothing count only where there is nothing else.
pub(crate) fn read<'a>(index: &'a Index, question: &Question<'_>) -> Vec<Asked<'a>> {
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
    let mut asked: Vec<Asked<'a>> = Vec::new();
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
fn meaning<'a>(
    index: &'a Index,
    question: &Question<'_>,
    (typed, term): (&str, String),
    is_last: bool,
) -> Asked<'a> {
    let mut meant: Vec<Meant<'a>> = exactly(index, &term).into_iter().collect();
    let is_known = meant.first().is_some_and(|term| exists(index, question, term));
    if is_last || !is_known {
        let beginning = if typed.starts_with(&term) { &term } else { typed };
        meant.extend(endings(index, beginning, &term));
    }
    Asked {
        typed: typed.to_owned(),
        term,
        is_known,
        meant,
    }
}

/// The term itself, if something has it.
fn exactly<'a>(index: &'a Index, term: &str) -> Option<Meant<'a>> {
    let parts = index.parts().iter().enumerate();
    let places: Vec<(usize, TermAt)> = parts
        .filter_map(|(at, part)| {
            Some((
                at,
                part.segment().terms.find(term).filter(|term| part.has(*term))?,
            ))
        })
        .collect();
    let (part, at) = places.first().copied()?;
    Some(Meant {
        text: index.parts().get(part)?.segment().terms.text(at),
        rate: 100,
        places,
    })
}

/// Terms that begin like this, but for one; those that most entries have.
fn endings<'a>(index: &'a Index, beginning: &str, but: &str) -> Vec<Meant<'a>> {
    let mut found: Vec<(&'a str, usize, TermAt)> = Vec::new();
    for (at, part) in index.parts().iter().enumerate() {
        let terms = part.segment().terms.beginning(beginning);
        found.extend(
            terms
                .filter(|(_, text)| *text != but)
                .map(|(term, text)| (text, at, term)),
        );
    }
    // Each part is in order already, which a stable sort makes use of.
    found.sort_by_key(|(text, ..)| *text);
    let mut terms: Vec<(Reverse<usize>, &'a str, std::ops::Range<usize>)> = Vec::new();
    let mut at = 0;
    for same in found.chunk_by(|one, other| one.0 == other.0) {
        let range = at..at + same.len();
        at = range.end;
        let part = |at: usize| index.parts().get(at);
        let used = same
            .iter()
            .map(|(_, at, term)| part(*at).map_or(0, |part| part.used(*term)))
            .sum();
        let is_there = used > 0
            || same
                .iter()
                .any(|(_, at, term)| part(*at).is_some_and(|part| part.has(*term)));
        if let (true, Some((text, ..))) = (is_there, same.first()) {
            terms.push((Reverse(used), text, range));
        }
    }
    if terms.len() > MOST_ENDINGS {
        terms.select_nth_unstable_by(MOST_ENDINGS, |one, other| (one.0, one.1).cmp(&(other.0, other.1)));
        terms.truncate(MOST_ENDINGS);
    }
    terms.sort_unstable_by(|one, other| (one.0, one.1).cmp(&(other.0, other.1)));
    let meant = terms.into_iter().map(|(_, text, range)| Meant {
        text,
        rate: rate(text, beginning),
        places: found
            .get(range)
            .unwrap_or_default()
            .iter()
            .map(|(_, at, term)| (*at, *term))
            .collect(),
    });
    meant.collect()
}

/// Whether the caller may know that somebody uses the term: what is not listed must not show by what is taken for a slip.
fn exists(index: &Index, question: &Question<'_>, meant: &Meant<'_>) -> bool {
    let shows = |part: &Part, term: TermAt| {
        let segment = part.segment();
        let mut docs = segment.terms.public(term).docs.iter();
        docs.any(|doc| {
            part.is_alive(*doc)
                && segment
                    .docs
                    .entry(*doc)
                    .is_some_and(|entry| question.exists(&entry))
        })
    };
    let mut places = meant.places.iter();
    places.any(|(at, term)| index.parts().get(*at).is_some_and(|part| shows(part, *term)))
}

/// A beginning says the more the less is missing.
fn rate(text: &str, beginning: &str) -> u32 {
    let (whole, part) = (text.chars().count().max(1), beginning.chars().count());
    u32::try_from(70 * part / whole).unwrap_or(70).clamp(15, 70)
}

/// The terms that somebody may have meant, nearest and most used first.
pub(crate) fn slips<'a>(index: &'a Index, question: &Question<'_>, word: &str) -> Vec<Meant<'a>> {
    let letters: Vec<char> = word.chars().collect();
    let most = typo::allowed(letters.len());
    if most == 0 {
        return Vec::new();
    }
    let mask = typo::letters(word);
    let mut near: Near<'a> = BTreeMap::new();
    for (at, part) in index.parts().iter().enumerate() {
        let terms = &part.segment().terms;
        for (term, own) in (0..).zip(terms.letters()) {
            if !typo::may_be_near(mask, *own, most) {
                continue;
            }
            let text = terms.text(term);
            let other: Vec<char> = text.chars().collect();
            if let Some(distance) = typo::distance(&letters, &other, most) {
                near.entry(text)
                    .or_insert((distance, Vec::new()))
                    .1
                    .push((at, term));
            }
        }
    }
    let used = |meant: &Meant<'_>| -> usize {
        let parts = meant.places.iter();
        parts
            .map(|(at, term)| index.parts().get(*at).map_or(0, |part| part.used(*term)))
            .sum()
    };
    let mut meant: Vec<(usize, Reverse<usize>, Meant<'a>)> = near
        .into_iter()
        .map(|(text, (distance, places))| {
            let rate = if distance <= 1 { 45 } else { 30 };
            (distance, Meant { text, rate, places })
        })
        .filter(|(_, meant)| exists(index, question, meant))
        .map(|(distance, meant)| (distance, Reverse(used(&meant)), meant))
        .collect();
    meant.sort_unstable_by(|one, other| (one.0, one.1, one.2.text).cmp(&(other.0, other.1, other.2.text)));
    meant.truncate(MOST_MEANT);
    meant.into_iter().map(|(.., meant)| meant).collect()
}

/// How people write a term: the shortest form of it.
pub(crate) fn written<'a>(index: &'a Index, meant: &Meant<'_>) -> &'a str {
    let forms = meant
        .places
        .iter()
        .filter_map(|(at, term)| Some(index.parts().get(*at)?.segment().terms.word(*term)));
    forms.min_by_key(|word| (word.len(), *word)).unwrap_or_default()
}
