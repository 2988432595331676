//! The page of partners: cards, what the badges prove, and where the list comes from.

use askama::Template;
use portreeve_core::name::VersionText;
use portreeve_core::partner::HealthState;
use portreeve_registry::partners::{Listing, ListingState, PartnersStatus, Tier};

use crate::narrow::Offers;
use crate::view::badge::{Badge, Monogram};
use crate::view::home::Card;
use crate::view::shell::Shell;
use crate::words::{self, Moment};

/// One server of a partner.
#[derive(Debug, Clone)]
pub(crate) struct PartnerCard {
    pub(crate) href: String,
    pub(crate) title: String,
    pub(crate) name: String,
    pub(crate) summary: String,
    pub(crate) monogram: Monogram,
    pub(crate) badges: Vec<Badge>,
}

/// On the page of a server that was made of a listing: where that is, and what is so of it today.
#[derive(Debug, Clone)]
pub(crate) struct PartnerMark {
    pub(crate) href: String,
    pub(crate) title: String,
    pub(crate) badges: Vec<Badge>,
    /// The version that was made of the listing, if another one is shown: nobody proved anything of that.
    pub(crate) made: Option<String>,
}

/// The page. Its block `results` is also sent alone, while a visitor types.
#[derive(Template)]
#[template(path = "discover.html", blocks = ["results"])]
pub(crate) struct DiscoverPage {
    pub(crate) shell: Shell,
    pub(crate) query: String,
    /// What the list can be narrowed by.
    pub(crate) offers: Vec<Offers>,
    /// What it is narrowed by, for the form of the words.
    pub(crate) kept: Vec<(&'static str, String)>,
    pub(crate) narrows: bool,
    /// How many there are, in words.
    pub(crate) count: String,
    pub(crate) cards: Vec<PartnerCard>,
    pub(crate) previous: Option<String>,
    pub(crate) next: Option<String>,
    /// Servers of one's own.
    pub(crate) own: Vec<Card>,
    /// Where all of those are.
    pub(crate) own_href: String,
    /// Where the list comes from.
    pub(crate) source: String,
}

/// How people call a tier.
pub(crate) const fn tier_title(tier: Tier) -> &'static str {
    match tier {
        Tier::Unverified => "Unverified",
        Tier::DomainVerified => "Domain verified",
        Tier::Verified => "Verified",
        Tier::Official => "Official partner",
    }
}

/// What a card says of a server that is registered.
const HERE: &str = "Registered here";

/// What each tier proves, from the best.
const LEGEND: [(Tier, &str); 4] = [
    (
        Tier::Official,
        "All that Verified proves, and a reviewer of this catalogue signed exactly this content.",
    ),
    (
        Tier::Verified,
        "The vendor’s domain signed it, and every check was made and passed: address, handshake, login, tools, texts, links. The verdict ends after 30 days.",
    ),
    (
        Tier::DomainVerified,
        "The vendor’s domain signed what is said here. Not every check was made, or passed.",
    ),
    (
        Tier::Unverified,
        "The keepers of the catalogue wrote it from what the vendor publishes. Nobody has shown that the vendor stands behind it, or the last verdict is too old.",
    ),
];

/// The badge of a tier.
pub(super) fn tier_badge(tier: Tier) -> Badge {
    let tone = match tier {
        Tier::Official | Tier::Verified => "badge-good",
        Tier::DomainVerified => "badge-info",
        Tier::Unverified => "badge-quiet",
    };
    Badge::new(tier_title(tier), "", tone)
}

/// What a server of a partner says about itself at a glance.
pub(super) fn badges(listing: &Listing) -> Vec<Badge> {
    let mut badges = vec![tier_badge(listing.standing.tier)];
    if listing.is_featured() {
        badges.push(Badge::new("Featured", "", "badge-warn"));
    }
    if listing.is_preview() {
        badges.push(Badge::new("Preview", "", "badge-info"));
    }
    badges.extend(match &listing.health {
        Some(health) => match health.state {
            HealthState::Healthy => None,
            HealthState::Failing => Some(Badge::new("Failing", "Health", "badge-bad")),
            HealthState::ToolsChanged => Some(Badge::new("Tools changed", "Health", "badge-warn")),
        },
        None => None,
    });
    badges.extend(match &listing.state {
        ListingState::Listed => None,
        ListingState::Delisted { .. } => Some(Badge::new("Delisted", "", "badge-warn")),
        ListingState::Revoked { .. } => Some(Badge::new("Revoked", "", "badge-bad")),
    });
    if let Some(here) = &listing.registered {
        badges.push(Badge::new(HERE, "", "badge-good"));
        if here.update_available {
            badges.push(Badge::new("Update available", "", "badge-warn"));
        }
        if !here.catalogue_trusted {
            badges.push(Badge::new("Catalogue not trusted", "", "badge-bad"));
        }
    }
    badges
}

/// The face of a partner: its picture as the catalogue carries it, or two letters.
pub(super) fn face(listing: &Listing) -> Monogram {
    let mut face = Monogram::new(&listing.title, &listing.server);
    face.icon = listing.about.icon.is_some().then(|| {
        let address = format!("/assets/partners/{}", words::encoded(&listing.partner));
        (address.clone(), address)
    });
    face
}

/// The page of one listing.
pub(super) fn address(listing: &Listing) -> String {
    // Their names are letters, digits and hyphens; nothing else comes into an address as it is.
    let part = |name: &str| words::encoded(name).replace("%2D", "-");
    let (partner, name) = (part(&listing.partner), part(&listing.name));
    format!("/discover/{partner}/{name}")
}

// === impl PartnerMark ===

impl PartnerMark {
    /// `shown`: the version on the page.
    pub(crate) fn new(listing: &Listing, shown: &VersionText) -> Self {
        let mut badges = badges(listing);
        badges.retain(|badge| badge.text != HERE);
        let made = listing.registered.as_ref().map(|here| here.version.as_str());
        Self {
            href: address(listing),
            title: words::visible(&listing.about.partner.title),
            badges,
            made: made.filter(|made| *made != shown.as_str()).map(words::visible),
        }
    }
}

// === impl PartnerCard ===

impl PartnerCard {
    pub(crate) fn new(listing: &Listing) -> Self {
        Self {
            href: address(listing),
            title: words::visible(&listing.title),
            name: words::visible(&listing.server),
            summary: words::visible(&listing.summary),
            monogram: face(listing),
            badges: badges(listing),
        }
    }
}

// === impl DiscoverPage ===

impl DiscoverPage {
    /// What each badge of a tier proves.
    pub(crate) fn legend(&self) -> Vec<(Badge, &'static str)> {
        LEGEND.map(|(tier, text)| (tier_badge(tier), text)).to_vec()
    }

    /// How many servers of partners there are.
    pub(crate) fn count_words(fit: usize, found: usize, asks_for_all: bool) -> String {
        match (fit, asks_for_all) {
            (0, true) => "No partners are listed".to_owned(),
            (0, false) => "None fits".to_owned(),
            (_, true) => words::count(fit, "server"),
            (_, false) if fit == found => format!("{} found", words::count(fit, "server")),
            (_, false) => format!("{fit} of {} found", words::count(found, "server")),
        }
    }

    /// Where the list comes from, in one sentence.
    pub(crate) fn source_words(status: &PartnersStatus) -> String {
        let mut text = match (status.version, &status.pulled_at) {
            (Some(version), Some(at)) => format!(
                "From catalogue {version}, signed, and taken in on {}.",
                Moment::new(*at).day
            ),
            (Some(version), None) => format!("From catalogue {version}."),
            (None, _) => "From the catalogue that this program carries: it needs no network.".to_owned(),
        };
        if let Some(problem) = &status.problem {
            text.push_str(" A newer one is not shown: ");
            text.push_str(&words::visible(problem));
            text.push('.');
        }
        text
    }
}
