//! How a visitor narrows the list of partners: what was chosen, what can be, and the addresses of both.

use std::collections::BTreeMap;

use portreeve_registry::partners::{Category, Listing, PartnersQuery, Tier};
use url::form_urlencoded::Serializer;

use crate::fields::Fields;
use crate::narrow::{Offer, Offers};
use crate::view::tier_title;

/// What was asked for.
#[derive(Debug, Clone, Default)]
pub(super) struct Choice {
    pub(super) words: String,
    category: Option<Category>,
    /// At least this.
    tier: Option<Tier>,
    /// Only what is finished.
    finished: bool,
    /// Only what is here.
    here: bool,
    /// The page, from zero.
    pub(super) page: usize,
}

/// From the best, without the least: everything is at least that.
const TIERS: [Tier; 3] = [Tier::Official, Tier::Verified, Tier::DomainVerified];

// === impl Choice ===

impl Choice {
    /// What an address says. What it says that nobody can mean is not there.
    pub(super) fn read(fields: &Fields) -> Self {
        let tier = fields.get("tier").unwrap_or_default();
        Self {
            words: fields.text("q"),
            category: fields.get("category").and_then(Category::of),
            tier: TIERS.into_iter().find(|one| word(*one) == tier),
            finished: fields.get("preview") == Some("no"),
            here: fields.get("registered") == Some("yes"),
            page: fields
                .get("page")
                .and_then(|page| page.parse::<usize>().ok())
                .map_or(0, |page| page.saturating_sub(1)),
        }
    }

    /// The question with its words alone.
    pub(super) fn words_alone(&self) -> PartnersQuery {
        PartnersQuery {
            search: Some(self.words.clone()).filter(|words| !words.is_empty()),
            ..PartnersQuery::default()
        }
    }

    /// Whether results must be anything in particular.
    pub(super) const fn narrows(&self) -> bool {
        self.category.is_some() || self.tier.is_some() || self.finished || self.here
    }

    /// Whether everything is asked for.
    pub(super) fn is_empty(&self) -> bool {
        self.words.is_empty() && !self.narrows()
    }

    /// Whether a listing is all that was chosen.
    pub(super) fn fits(&self, listing: &Listing) -> bool {
        self.category
            .is_none_or(|one| listing.about.partner.categories.contains(&one))
            && self.tier.is_none_or(|least| listing.standing.tier >= least)
            && (!self.finished || !listing.is_preview())
            && (!self.here || listing.registered.is_some())
    }

    /// Names and values besides the words.
    pub(super) fn kept(&self) -> Vec<(&'static str, String)> {
        let mut kept = Vec::new();
        kept.extend(self.category.map(|one| ("category", one.as_str().to_owned())));
        kept.extend(self.tier.map(|one| ("tier", word(one).to_owned())));
        kept.extend(self.finished.then(|| ("preview", "no".to_owned())));
        kept.extend(self.here.then(|| ("registered", "yes".to_owned())));
        kept
    }

    /// The address of this, on that page.
    pub(super) fn address(&self, page: usize) -> String {
        let mut parts = Serializer::new(String::new());
        if !self.words.is_empty() {
            parts.append_pair("q", &self.words);
        }
        parts.extend_pairs(self.kept());
        if page > 0 {
            parts.append_pair("page", &(page + 1).to_string());
        }
        match parts.finish() {
            parts if parts.is_empty() => "/discover".to_owned(),
            parts => format!("/discover?{parts}"),
        }
    }

    /// Where the same words look through one's own servers.
    pub(super) fn own_address(&self) -> String {
        if self.words.is_empty() {
            return "/".to_owned();
        }
        let mut parts = Serializer::new(String::new());
        format!("/?{}", parts.append_pair("q", &self.words).finish())
    }

    /// What there is to choose, with how much each would leave.
    pub(super) fn offers(&self, found: &[Listing]) -> Vec<Offers> {
        let offer = |text: String, (chosen, other): (bool, Self)| {
            let count = found.iter().filter(|one| other.fits(one)).count();
            Offer {
                text,
                count: (!chosen).then_some(count),
                href: other.address(0),
                is_chosen: chosen,
            }
        };
        let tiers = TIERS.into_iter().map(|one| {
            let mut other = self.clone();
            let chosen = self.tier == Some(one);
            other.tier = (!chosen).then_some(one);
            offer(tier_title(one).to_owned(), (chosen, other))
        });
        let state = [
            (
                "Finished",
                self.finished,
                Self {
                    finished: !self.finished,
                    ..self.clone()
                },
            ),
            (
                "Registered here",
                self.here,
                Self {
                    here: !self.here,
                    ..self.clone()
                },
            ),
        ];
        let state = state.map(|(text, chosen, other)| offer(text.to_owned(), (chosen, other)));
        let mut categories: BTreeMap<Category, ()> = BTreeMap::new();
        for one in found {
            categories.extend(one.about.partner.categories.iter().map(|one| (*one, ())));
        }
        categories.extend(self.category.map(|one| (one, ())));
        let categories = categories.into_keys().map(|one| {
            let mut other = self.clone();
            let chosen = self.category == Some(one);
            other.category = (!chosen).then_some(one);
            offer(one.as_str().to_owned(), (chosen, other))
        });
        let leaves = |offer: &Offer| offer.is_chosen || offer.count.is_some_and(|count| count > 0);
        let groups = [
            ("tier", "At least", tiers.filter(leaves).collect::<Vec<_>>()),
            ("state", "State", state.into_iter().filter(leaves).collect()),
            ("category", "Category", categories.filter(leaves).collect()),
        ];
        let groups = groups.into_iter().filter(|(.., offers)| !offers.is_empty());
        groups
            .map(|(id, title, offers)| Offers { id, title, offers })
            .collect()
    }
}

/// A tier in an address.
const fn word(tier: Tier) -> &'static str {
    match tier {
        Tier::Unverified => "unverified",
        Tier::DomainVerified => "domain-verified",
        Tier::Verified => "verified",
        Tier::Official => "official",
    }
}
