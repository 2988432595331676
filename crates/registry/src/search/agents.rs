//! Search inside one registry: ranked as it is for people, of what its view holds, as hosts read it.
//!
//! Before: an agent says what it needs (`mcp_face`). After: it gets servers that it may install.

use std::collections::BTreeSet;

use portreeve_core::caller::Caller;
use portreeve_core::name::{Environment, ServerName};
use portreeve_core::view::Selection;
use serde::{Deserialize, Serialize};

use super::{Depth, Narrow};
use crate::error::RegistryError;
use crate::registry::Registry;
use crate::serve::Served;
use crate::serve::cursor::{CursorKind, opened, sealed};
use crate::views::View;

/// Servers that are read at once: most of what is ranked is in the registry.
const STEP: usize = 40;

/// What somebody asks a registry for.
pub(crate) enum Sought {
    /// These words, from the beginning.
    Words(String),
    /// More of what was asked before.
    More(String),
}

/// Where a page ended, and what was asked.
#[derive(Serialize, Deserialize)]
struct Place {
    #[serde(rename = "q")]
    text: String,
    #[serde(rename = "s", default)]
    score: Option<u64>,
    #[serde(rename = "n", default)]
    name: String,
}

// === impl Registry ===

impl Registry {
    /// A page of the servers that a registry holds and that were looked for, best first, each with its latest version; and
    /// where the next page begins.
    pub(crate) async fn seek(
        &self,
        (caller, view): (&Caller, &View),
        sought: Sought,
        limit: usize,
    ) -> Result<(Vec<Served>, Option<String>), RegistryError> {
        let place = match sought {
            Sought::Words(text) => Place {
                text,
                score: None,
                name: String::new(),
            },
            Sought::More(cursor) => opened(&cursor, found_by(view), &self.cursor_keys)?,
        };
        self.catch_up().await?;
        let ranked = self.ranked_in((caller, view), &place.text);
        let is_after = |(score, name): &(u64, ServerName)| {
            place
                .score
                .is_none_or(|last| *score < last || (*score == last && name.as_str() > place.name.as_str()))
        };
        let ranked: Vec<_> = ranked.into_iter().filter(is_after).collect();
        let mut found = Vec::new();
        for some in ranked.chunks(STEP) {
            let names: Vec<ServerName> = some.iter().map(|(_, name)| name.clone()).collect();
            let mut served = self.serve_latest_of(view, &names).await?;
            for (score, name) in some {
                let is_meant = |one: &Served| one.server.text("name").as_deref() == Some(name.as_str());
                // The index may know a little more than the registry holds: what changed just now.
                if let Some(at) = served.iter().position(is_meant) {
                    found.push((*score, name.clone(), served.swap_remove(at)));
                }
            }
            if found.len() > limit {
                break;
            }
        }
        let is_more = found.len() > limit;
        found.truncate(limit);
        let next = found.last().filter(|_| is_more).map(|(score, name, _)| {
            let place = Place {
                text: place.text.clone(),
                score: Some(*score),
                name: name.to_string(),
            };
            sealed(&place, found_by(view), &self.cursor_keys)
        });
        Ok((found.into_iter().map(|(_, _, served)| served).collect(), next))
    }

    fn ranked_in(&self, (caller, view): (&Caller, &View), text: &str) -> Vec<(u64, ServerName)> {
        let may_hold = |entry: &portreeve_search::Entry<'_>| may_hold(view.selection(), entry);
        let asked = (text, &Narrow::default());
        self.with_question(
            (caller, Depth::Listed),
            Some(&may_hold),
            asked,
            |index, question| {
                let ranked = portreeve_search::rank(index, question);
                let named = |hit: portreeve_search::Hit| {
                    let entry = index.entry(hit.entry)?;
                    Some((hit.score, entry.name().clone()))
                };
                ranked.hits.into_iter().filter_map(named).collect()
            },
        )
    }
}

/// Whether a registry holds an entry, as far as the index knows.
pub(crate) fn may_hold(selection: &Selection, entry: &portreeve_search::Entry<'_>) -> bool {
    let Selection {
        tags,
        environments,
        lifecycles,
        namespaces,
    } = selection;
    (lifecycles.is_empty() || lifecycles.contains(&entry.lifecycle()))
        && (tags.is_empty() || entry.profile_tags().any(|tag| tags.contains(tag)))
        && (environments.is_empty() || runs_in_one(entry, environments))
        && (namespaces.is_empty() || namespaces.iter().any(|one| one.matches(entry.name())))
}

fn runs_in_one(entry: &portreeve_search::Entry<'_>, environments: &BTreeSet<Environment>) -> bool {
    let mut own = entry.environments();
    own.any(|own| environments.iter().any(|wanted| wanted.as_str() == own))
}

fn found_by(view: &View) -> CursorKind<'_> {
    let (registry, reader) = view.reading();
    CursorKind::Found { registry, reader }
}
