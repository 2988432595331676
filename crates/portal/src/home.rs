//! `GET /`: the servers, found, narrowed and paged.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use portreeve_registry::{EntriesQuery, Facets, RegistryError, SearchQuery};

use crate::failure::Failure;
use crate::fields::Query;
use crate::frame;
use crate::narrow::Choice;
use crate::router::Portal;
use crate::view::{Card, HomePage};
use crate::visitor::Visitor;

/// Versions or results of one page.
const PAGE: u32 = 24;

pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Query(fields): Query,
) -> Result<Response, Failure> {
    let choice = Choice::read(&fields);
    let cursor = fields.get("cursor").map(str::to_owned);
    let continued = cursor.is_some();
    let listed = if choice.is_empty() {
        all(&portal, &visitor, cursor).await
    } else {
        matching(&portal, &visitor, &choice, cursor).await
    };
    let Listed {
        mut cards,
        next,
        corrected,
        facets,
    } = match listed {
        // A cursor from before a restart: the list begins anew instead of ending in an error.
        Err(RegistryError::BadCursor) => return Ok(frame::redirect(&choice.address(None))),
        other => other?,
    };
    show_icons(&portal, &mut cards).await?;
    let next = next.as_deref().map(|cursor| choice.address(Some(cursor)));
    let page = HomePage {
        shell: visitor.shell(&portal, "MCP servers", "servers"),
        count: HomePage::count_words(cards.len(), &choice, continued, next.is_some()),
        offers: choice.offers(&facets),
        kept: choice.kept(),
        narrows: choice.narrows(),
        query: choice.words,
        cards,
        next,
        corrected,
        continued,
        add_remote: "portreeve server add com.acme/billing --url https://billing.acme.example/mcp --approve"
            .to_owned(),
        add_local: "portreeve server add com.acme/notes --file server.json --approve".to_owned(),
        registry_url: portal.origin().to_owned(),
    };
    if fields.get("part") == Some("results") {
        return frame::html(StatusCode::OK, &page.as_results());
    }
    frame::html(StatusCode::OK, &page)
}

/// One page of servers.
struct Listed {
    cards: Vec<Card>,
    next: Option<String>,
    corrected: Option<String>,
    facets: Facets,
}

/// Everything, by name, with what it can be narrowed by.
async fn all(portal: &Portal, visitor: &Visitor, cursor: Option<String>) -> Result<Listed, RegistryError> {
    let asked = EntriesQuery {
        search: None,
        cursor,
        limit: Some(PAGE),
    };
    let registry = &portal.parts.registry;
    let page = registry.entries(&visitor.caller, asked).await?;
    Ok(Listed {
        cards: Card::of_servers(&page.items),
        next: page.next_cursor,
        corrected: None,
        facets: registry.facets(&visitor.caller)?,
    })
}

/// Puts their icons on the cards.
async fn show_icons(portal: &Portal, cards: &mut [Card]) -> Result<(), RegistryError> {
    let names: Vec<_> = cards.iter().map(|card| card.of.clone()).collect();
    let icons = portal.parts.registry.shown_icons(&names).await?;
    for card in cards {
        card.monogram.shows(icons.get(&card.of));
    }
    Ok(())
}

/// What was looked for, best first.
async fn matching(
    portal: &Portal,
    visitor: &Visitor,
    choice: &Choice,
    cursor: Option<String>,
) -> Result<Listed, RegistryError> {
    let asked = SearchQuery {
        text: choice.words.clone(),
        narrow: choice.narrow(),
        cursor,
        limit: Some(PAGE),
        facets: true,
    };
    let page = portal.parts.registry.search(&visitor.caller, asked).await?;
    let corrected: Vec<String> = page.corrected.into_iter().map(|(_, meant)| meant).collect();
    Ok(Listed {
        cards: page.items.iter().map(Card::found).collect(),
        next: page.next_cursor,
        corrected: Some(corrected.join(", ")).filter(|words| !words.is_empty()),
        facets: page.facets.unwrap_or_default(),
    })
}
