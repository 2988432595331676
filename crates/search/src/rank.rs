//! Answers a question from the index: which entries, in which order, and why.
//!
//! Before: `index` holds what is known. After: `search` shows one page of it. A word that many entries have says little; a
//! name says more than a title, that more than a tag, and that more than a description; and who asks for three words
//! wants entries that have all three. At most [`MOST_RANKED`] entries are put in order.

use std::collections::HashSet;

use portreeve_core::name::{Environment, ServerName};
use portreeve_core::server::Lifecycle;
use portreeve_core::tool::ToolAnnotations;

use super::asked::{read, slips, written};
use super::docs::Entry;
use super::index::{Index, Place};
use super::tally::Tally;

/// Entries that are put in order, and counted.
pub const MOST_RANKED: usize = 1_000;
/// Fewer entries than this with every word: slips are looked for.
pub(crate) const ENOUGH: usize = 5;

/// Whether a caller may see a tool.
pub type SeesTool<'a> = &'a (dyn Fn(&ServerName, &str, &ToolAnnotations) -> bool + Sync);

/// Whether a caller may discover an entry, and so read what people say about it.
pub type Discovers<'a> = &'a (dyn Fn(&ServerName) -> bool + Sync);

/// Whether an entry exists for a caller, if it is listed.
pub type Exists<'a> = &'a (dyn Fn(&Entry<'_>) -> bool + Sync);

/// What a caller may see beyond the public texts.
#[derive(Clone, Copy)]
pub struct Inside<'a> {
    pub sees_tool: SeesTool<'a>,
    pub discovers: Discovers<'a>,
}

/// What is asked.
pub struct Question<'a> {
    pub text: &'a str,
    /// Whether entries that are not listed are found, too.
    pub sees_unlisted: bool,
    /// Which entries there are for the caller; `None`: all of them.
    pub exists: Option<Exists<'a>>,
    /// What the caller may see of the inside of entries; `None`: nothing.
    pub inside: Option<Inside<'a>>,
    pub narrow: &'a Narrow,
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
    /// Served in one of these environments.
    pub environments: Vec<Environment>,
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

impl Kind {
    /// The word by which it is asked for and shown.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Remote => "remote",
            Self::Local => "local",
        }
    }

    /// Reads the word.
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Remote, Self::Local]
            .into_iter()
            .find(|kind| kind.as_str() == word)
    }
}

/// An answer.
#[derive(Debug, Default)]
pub struct Ranked {
    /// Best first.
    pub hits: Vec<Hit>,
    /// The terms that made hits, for the marks.
    pub terms: HashSet<String>,
    /// Words that were taken for slips, and the word that was looked for instead.
    pub corrected: Vec<(String, String)>,
    /// Whether there are more than were put in order.
    pub more: bool,
}

/// An entry that was found.
#[derive(Debug, Clone)]
pub struct Hit {
    pub entry: Place,
    pub score: u64,
    /// Tools whose names were asked for, and that the caller may see.
    pub tools: Vec<String>,
}

/// Answers a question.
pub fn rank(index: &Index, question: &Question<'_>) -> Ranked {
    let mut asked = read(index, question);
    if asked.is_empty() {
        return browse(index, question);
    }
    let mut tally = Tally::of(index, question, &asked);
    let mut corrected = Vec::new();
    if tally.complete < ENOUGH {
        for word in asked.iter_mut().filter(|word| !word.is_known) {
            let meant = slips(index, question, &word.term);
            if let Some(best) = meant.first() {
                corrected.push((word.typed.clone(), written(index, best).to_owned()));
            }
            word.meant.extend(meant);
        }
        // Without a slip that was understood, it would be the same again.
        if !corrected.is_empty() {
            tally = Tally::of(index, question, &asked);
        }
    }
    let terms = asked.iter().flat_map(|word| &word.meant);
    Ranked {
        corrected,
        terms: terms.map(|meant| meant.text.to_owned()).collect(),
        ..tally.finish(index)
    }
}

/// Without words everything is found, by name.
fn browse(index: &Index, question: &Question<'_>) -> Ranked {
    let mut found = index.by_name(MOST_RANKED + 1, |entry| question.admits(entry));
    let more = found.len() > MOST_RANKED;
    found.truncate(MOST_RANKED);
    let hits = found.into_iter().map(|entry| Hit {
        entry,
        score: 0,
        tools: Vec::new(),
    });
    Ranked {
        hits: hits.collect(),
        more,
        ..Ranked::default()
    }
}

// === impl Question ===

impl Question<'_> {
    /// Whether the caller may discover the entry.
    pub fn discovers(&self, server: &ServerName) -> bool {
        self.inside.is_some_and(|inside| (inside.discovers)(server))
    }

    /// Whether the caller may know that there is such an entry.
    pub(crate) fn exists(&self, entry: &Entry<'_>) -> bool {
        (entry.is_listed() || self.sees_unlisted) && self.exists.is_none_or(|exists| exists(entry))
    }

    /// Whether the entry may be among the results.
    pub(crate) fn admits(&self, entry: &Entry<'_>) -> bool {
        let narrow = self.narrow;
        self.exists(entry)
            && (narrow.lifecycle.is_empty() || narrow.lifecycle.contains(&entry.lifecycle()))
            && narrow.kind.is_none_or(|kind| entry.kind() == kind)
            && (narrow.registry_types.is_empty()
                || entry
                    .registry_types()
                    .any(|own| narrow.registry_types.iter().any(|wanted| wanted == own)))
            && narrow.tags.iter().all(|wanted| {
                entry.tags().any(|own| own == wanted)
                    || (entry.inner_tags().any(|own| own == wanted) && self.discovers(entry.name()))
            })
            && (narrow.environments.is_empty() || self.runs_in_one(entry, &narrow.environments))
    }

    /// Whether an entry is served in one of these environments, as far as the caller may know.
    fn runs_in_one(&self, entry: &Entry<'_>, wanted: &[Environment]) -> bool {
        entry
            .environments()
            .filter(|own| wanted.iter().any(|wanted| wanted.as_str() == *own))
            .any(|own| own == Environment::PRODUCTION || self.discovers(entry.name()))
    }
}
