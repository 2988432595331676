//! How a visitor narrows the list of servers: what was chosen, what can be, and the addresses of both.

use portreeve_core::name::Environment;
use portreeve_core::server::Lifecycle;
use portreeve_registry::{Facet, Facets, Kind, Narrow};
use url::form_urlencoded::Serializer;

use crate::fields::Fields;
use crate::view::badge::Badge;
use crate::words;

/// Tags that are offered; the most frequent ones.
const MOST_TAGS: usize = 12;

/// What was asked for: words, and what results must be.
#[derive(Debug, Clone, Default)]
pub(crate) struct Choice {
    pub(crate) words: String,
    pairs: Vec<(Group, String)>,
}

/// What results differ in, and the name of that in an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Group {
    Kind,
    Stage,
    Environment,
    Package,
    Tag,
}

/// One value that results can have, with the address that chooses it, or no longer.
#[derive(Debug, Clone)]
pub(crate) struct Offer {
    pub(crate) text: String,
    pub(crate) count: Option<usize>,
    pub(crate) href: String,
    pub(crate) is_chosen: bool,
}

/// Values that stand together.
#[derive(Debug, Clone)]
pub(crate) struct Offers {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) offers: Vec<Offer>,
}

// === impl Choice ===

impl Choice {
    /// What an address says. What it says that nobody can mean is not there.
    pub(crate) fn read(fields: &Fields) -> Self {
        let mut pairs = Vec::new();
        for group in Group::ALL {
            for value in fields.all(group.name()).map(str::trim) {
                let pair = (group, value.to_owned());
                if group.knows(value) && !pairs.contains(&pair) {
                    pairs.push(pair);
                }
            }
        }
        Self {
            words: fields.text("q"),
            pairs,
        }
    }

    /// Whether results must be anything in particular.
    pub(crate) const fn narrows(&self) -> bool {
        !self.pairs.is_empty()
    }

    /// Whether everything is asked for.
    pub(crate) fn is_empty(&self) -> bool {
        self.words.trim().is_empty() && !self.narrows()
    }

    /// The same for the search.
    pub(crate) fn narrow(&self) -> Narrow {
        let of = |group: Group| {
            let values = self.pairs.iter().filter(move |(found, _)| *found == group);
            values.map(|(_, value)| value.as_str())
        };
        Narrow {
            lifecycle: of(Group::Stage).filter_map(Lifecycle::from_word).collect(),
            kind: of(Group::Kind).find_map(Kind::from_word),
            registry_types: of(Group::Package).map(str::to_owned).collect(),
            tags: of(Group::Tag).map(str::to_owned).collect(),
            environments: of(Group::Environment)
                .filter_map(|name| name.parse().ok())
                .collect(),
        }
    }

    /// Names and values besides the words, for a form that keeps them.
    pub(crate) fn kept(&self) -> Vec<(&'static str, String)> {
        let pairs = self.pairs.iter();
        pairs
            .map(|(group, value)| (group.name(), value.clone()))
            .collect()
    }

    /// The address of this, at a place in the list.
    pub(crate) fn address(&self, cursor: Option<&str>) -> String {
        let mut parts = Serializer::new(String::new());
        if !self.words.is_empty() {
            parts.append_pair("q", &self.words);
        }
        for (group, value) in &self.pairs {
            parts.append_pair(group.name(), value);
        }
        if let Some(cursor) = cursor {
            parts.append_pair("cursor", cursor);
        }
        match parts.finish() {
            parts if parts.is_empty() => "/".to_owned(),
            parts => format!("/?{parts}"),
        }
    }

    /// What there is to choose: what results differ in, and what was chosen already.
    pub(crate) fn offers(&self, facets: &Facets) -> Vec<Offers> {
        let groups = [
            (Group::Kind, &facets.kind, usize::MAX),
            (Group::Stage, &facets.lifecycle, usize::MAX),
            (Group::Environment, &facets.environments, usize::MAX),
            (Group::Package, &facets.registry_types, usize::MAX),
            (Group::Tag, &facets.tags, MOST_TAGS),
        ];
        let offered = groups.into_iter().filter_map(|(group, counted, most)| {
            let offers = self.offers_of(group, counted.get(..most).unwrap_or(counted));
            // What all results are tells nobody anything.
            let differs = offers.len() > 1 || offers.iter().any(|offer| offer.is_chosen);
            differs.then(|| Offers {
                id: group.name(),
                title: group.title(),
                offers,
            })
        });
        offered.collect()
    }

    fn offers_of(&self, group: Group, counted: &[Facet]) -> Vec<Offer> {
        let mut offers: Vec<Offer> = counted
            .iter()
            .map(|facet| self.offer(group, &facet.value, Some(facet.count)))
            .collect();
        // What was chosen can be given up, though nothing is like that.
        for (found, value) in &self.pairs {
            let is_there = counted.iter().any(|facet| facet.value == *value);
            if *found == group && !is_there {
                offers.push(self.offer(group, value, None));
            }
        }
        offers
    }

    fn offer(&self, group: Group, value: &str, count: Option<usize>) -> Offer {
        let pair = (group, value.to_owned());
        let is_chosen = self.pairs.contains(&pair);
        let mut other = self.clone();
        if is_chosen {
            other.pairs.retain(|found| *found != pair);
        } else {
            // A server runs here or there: the other one is given up.
            other
                .pairs
                .retain(|(found, _)| group != Group::Kind || *found != group);
            other.pairs.push(pair);
        }
        Offer {
            text: group.text(value),
            count,
            href: other.address(None),
            is_chosen,
        }
    }
}

// === impl Group ===

impl Group {
    const ALL: [Self; 5] = [
        Self::Kind,
        Self::Stage,
        Self::Environment,
        Self::Package,
        Self::Tag,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Kind => "kind",
            Self::Stage => "stage",
            Self::Environment => "environment",
            Self::Package => "package",
            Self::Tag => "tag",
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Self::Kind => "Runs",
            Self::Stage => "Stage",
            Self::Environment => "Environment",
            Self::Package => "Package",
            Self::Tag => "Tag",
        }
    }

    fn knows(self, value: &str) -> bool {
        match self {
            Self::Kind => Kind::from_word(value).is_some(),
            Self::Stage => Lifecycle::from_word(value).is_some(),
            Self::Environment => value.parse::<Environment>().is_ok(),
            Self::Package | Self::Tag => !value.is_empty(),
        }
    }

    fn text(self, value: &str) -> String {
        match self {
            Self::Kind => match Kind::from_word(value) {
                Some(Kind::Remote) => "Behind a URL".to_owned(),
                _ => "On your machine".to_owned(),
            },
            Self::Stage => match Lifecycle::from_word(value) {
                Some(stage) => Badge::lifecycle(stage).text,
                None => words::visible(value),
            },
            Self::Environment | Self::Package | Self::Tag => words::visible(value),
        }
    }
}
