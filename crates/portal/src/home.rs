//! `GET /`: the servers, found and paged.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use portreeve_registry::{EntriesQuery, RegistryError, SearchQuery};
use url::form_urlencoded::Serializer;

use crate::failure::Failure;
use crate::fields::Query;
use crate::frame;
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
    let query = fields.text("q");
    let cursor = fields.get("cursor").map(str::to_owned);
    let continued = cursor.is_some();
    let listed = if query.trim().is_empty() {
        all(&portal, &visitor, cursor).await
    } else {
        matching(&portal, &visitor, &query, cursor).await
    };
    let Listed {
        mut cards,
        next,
        corrected,
    } = match listed {
        // A cursor from before a restart: the list begins anew instead of ending in an error.
        Err(RegistryError::BadCursor) => return Ok(frame::redirect(&address(&query, None))),
        other => other?,
    };
    show_icons(&portal, &mut cards).await?;
    let next = next.as_deref().map(|cursor| address(&query, Some(cursor)));
    let page = HomePage {
        shell: visitor.shell(&portal, "MCP servers", "servers"),
        count: HomePage::count_words(cards.len(), &query, continued, next.is_some()),
        query,
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
}

/// Everything, by name.
async fn all(portal: &Portal, visitor: &Visitor, cursor: Option<String>) -> Result<Listed, RegistryError> {
    let asked = EntriesQuery {
        search: None,
        cursor,
        limit: Some(PAGE),
    };
    let page = portal.parts.registry.entries(&visitor.caller, asked).await?;
    Ok(Listed {
        cards: Card::of_servers(&page.items),
        next: page.next_cursor,
        corrected: None,
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
    query: &str,
    cursor: Option<String>,
) -> Result<Listed, RegistryError> {
    let asked = SearchQuery {
        text: query.to_owned(),
        cursor,
        limit: Some(PAGE),
        ..SearchQuery::default()
    };
    let page = portal.parts.registry.search(&visitor.caller, asked).await?;
    let corrected: Vec<String> = page.corrected.into_iter().map(|(_, meant)| meant).collect();
    Ok(Listed {
        cards: page.items.iter().map(Card::found).collect(),
        next: page.next_cursor,
        corrected: Some(corrected.join(", ")).filter(|words| !words.is_empty()),
    })
}

fn address(query: &str, cursor: Option<&str>) -> String {
    let mut parts = Serializer::new(String::new());
    if !query.is_empty() {
        parts.append_pair("q", query);
    }
    if let Some(cursor) = cursor {
        parts.append_pair("cursor", cursor);
    }
    match parts.finish() {
        parts if parts.is_empty() => "/".to_owned(),
        parts => format!("/?{parts}"),
    }
}
