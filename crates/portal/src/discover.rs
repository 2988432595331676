//! `GET /discover`: servers of partners and of one's own, found, narrowed and paged; and the picture of a partner.
//!
//! Partners are answered from memory; of one's own servers a handful is shown, and where the others are.

mod choice;
mod one;

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use portreeve_registry::partners::{Listing, PartnersQuery};
use portreeve_registry::{EntriesQuery, RegistryError, SearchQuery};

use crate::failure::Failure;
use crate::fields::Query;
use crate::frame;
use crate::router::Portal;
use crate::view::{Card, DiscoverPage, PartnerCard};
use crate::visitor::Visitor;

use choice::Choice;
pub(crate) use one::{page as one, register};

/// Servers of partners on one page.
const PAGE: usize = 24;
/// Servers of one's own that are shown beside them.
const OWN: u32 = 6;
/// An SVG that is opened by itself is a page: it may style itself, and do nothing else.
const PICTURE: &str =
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'none'; sandbox";

pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Query(fields): Query,
) -> Result<Response, Failure> {
    let choice = Choice::read(&fields);
    let partners = &portal.parts.partners;
    // Everything that the words find, so that each group can say how much it would leave.
    let found = partners.list(&visitor.caller, &choice.words_alone());
    let fits: Vec<&Listing> = found.iter().filter(|one| choice.fits(one)).collect();
    let skipped = choice.page.saturating_mul(PAGE);
    let shown = fits.iter().skip(skipped).take(PAGE);
    let more = fits.len() > skipped.saturating_add(PAGE);
    let page = DiscoverPage {
        shell: visitor.shell(&portal, "Discover", "discover"),
        count: DiscoverPage::count_words(fits.len(), found.len(), choice.is_empty()),
        cards: shown.map(|one| PartnerCard::new(one)).collect(),
        offers: choice.offers(&found),
        kept: choice.kept(),
        narrows: choice.narrows(),
        previous: (choice.page > 0).then(|| choice.address(choice.page - 1)),
        next: more.then(|| choice.address(choice.page + 1)),
        own: own(&portal, &visitor, &choice).await?,
        own_href: choice.own_address(),
        source: DiscoverPage::source_words(&partners.status()),
        query: choice.words,
    };
    if fields.get("part") == Some("results") {
        return frame::html(StatusCode::OK, &page.as_results());
    }
    frame::html(StatusCode::OK, &page)
}

/// A few servers of one's own that the words find; the first ones without words.
async fn own(portal: &Portal, visitor: &Visitor, choice: &Choice) -> Result<Vec<Card>, Failure> {
    let registry = &portal.parts.registry;
    let mut cards: Vec<Card> = if choice.words.is_empty() {
        let asked = EntriesQuery {
            limit: Some(OWN),
            ..EntriesQuery::default()
        };
        let page = registry.entries(&visitor.caller, asked).await?;
        Card::of_servers(&page.items)
    } else {
        let asked = SearchQuery {
            text: choice.words.clone(),
            limit: Some(OWN),
            ..SearchQuery::default()
        };
        match registry.search(&visitor.caller, asked).await {
            Ok(page) => page.items.iter().map(Card::found).collect(),
            // Partners are found all the same.
            Err(RegistryError::Warming { .. }) => Vec::new(),
            Err(error) => return Err(error.into()),
        }
    };
    let names: Vec<_> = cards.iter().map(|card| card.of.clone()).collect();
    let icons = registry.shown_icons(&names).await?;
    for card in &mut cards {
        card.monogram.shows(icons.get(&card.of));
    }
    Ok(cards)
}

/// `GET /assets/partners/{partner}`: the picture of a partner, as the catalogue carries it.
pub(crate) async fn picture(
    State(portal): State<Arc<Portal>>,
    Path(partner): Path<String>,
) -> Result<Response, StatusCode> {
    let nobody = portreeve_core::caller::Caller::anonymous();
    let found = portal.parts.partners.list(&nobody, &PartnersQuery::default());
    let listing = found.into_iter().find(|one| one.partner == partner);
    let listing = listing.ok_or(StatusCode::NOT_FOUND)?;
    let icon = listing.about.icon.as_ref().ok_or(StatusCode::NOT_FOUND)?;
    let bytes = STANDARD.decode(&icon.data).map_err(|_| StatusCode::NOT_FOUND)?;
    let mut response = bytes.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(icon.kind.media_type()));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("public, max-age=3600"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(PICTURE));
    Ok(response)
}
