//! Results counted by what they are, so that a reader can narrow them.

use std::collections::BTreeMap;

use portreeve_core::name::{Environment, ServerName};

use super::index::Index;
use super::rank::Hit;

/// Values of one facet that are shown.
const MOST_VALUES: usize = 20;

/// A value and how many results have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facet {
    /// The value.
    pub value: String,
    /// How many of the results, at most 1,000.
    pub count: usize,
}

/// The results counted, most frequent first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facets {
    /// By stage.
    pub lifecycle: Vec<Facet>,
    /// By where they run: `remote` or `local`.
    pub kind: Vec<Facet>,
    /// By the registries of their packages.
    pub registry_types: Vec<Facet>,
    /// By tag.
    pub tags: Vec<Facet>,
    /// By the environments in which they are served.
    pub environments: Vec<Facet>,
}

// === impl Facets ===

impl Facets {
    /// Counts results. Tags that people gave an entry beside its document, and environments other than production, count
    /// for who may discover it.
    pub fn count(index: &Index, hits: &[Hit], discovers: impl Fn(&ServerName) -> bool) -> Self {
        let mut lifecycle = BTreeMap::new();
        let mut kind = BTreeMap::new();
        let mut registry_types = BTreeMap::new();
        let mut tags = BTreeMap::new();
        let mut environments = BTreeMap::new();
        for entry in hits.iter().filter_map(|hit| index.entry(hit.entry)) {
            note(&mut lifecycle, entry.lifecycle().as_str());
            note(&mut kind, entry.kind().as_str());
            for value in entry.registry_types() {
                note(&mut registry_types, value);
            }
            let inner = entry
                .inner_tags()
                .filter(|tag| !entry.tags().any(|one| one == *tag));
            let inner = inner.filter(|_| discovers(entry.name()));
            for value in entry.tags().chain(inner) {
                note(&mut tags, value);
            }
            let places = entry.environments();
            for value in places.filter(|own| *own == Environment::PRODUCTION || discovers(entry.name())) {
                note(&mut environments, value);
            }
        }
        Self {
            lifecycle: sorted(lifecycle),
            kind: sorted(kind),
            registry_types: sorted(registry_types),
            tags: sorted(tags),
            environments: sorted(environments),
        }
    }
}

fn note<'a>(counts: &mut BTreeMap<&'a str, usize>, value: &'a str) {
    *counts.entry(value).or_default() += 1;
}

fn sorted(counts: BTreeMap<&str, usize>) -> Vec<Facet> {
    let mut facets: Vec<Facet> = counts
        .into_iter()
        .map(|(value, count)| Facet {
            value: value.to_owned(),
            count,
        })
        .collect();
    facets.sort_by(|one, other| {
        other
            .count
            .cmp(&one.count)
            .then_with(|| one.value.cmp(&other.value))
    });
    facets.truncate(MOST_VALUES);
    facets
}
