//! `GET /admin/deployments`: where the servers run that the visitor may publish, narrowed and paged.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use portreeve_registry::{DeploymentsQuery, RegistryError, Standing};
use url::form_urlencoded::Serializer;

use crate::failure::Failure;
use crate::fields::{Fields, Query};
use crate::frame;
use crate::router::Portal;
use crate::view::DeploymentsPage;
use crate::visitor::Visitor;

/// Deployments of one page.
const PAGE: u32 = 50;
/// The fields by which the list is narrowed.
const FILTERS: [&str; 3] = ["server", "environment", "state"];

pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Query(fields): Query,
) -> Result<Response, Failure> {
    let registry = &portal.parts.registry;
    let environments = registry.environments().await?;
    // What names nothing narrows nothing down: a form says what there is.
    let query = DeploymentsQuery {
        server: fields.get("server").and_then(|name| name.parse().ok()),
        environment: fields.get("environment").and_then(|name| name.parse().ok()),
        standing: fields.get("state").and_then(Standing::from_word),
        cursor: fields.get("cursor").map(str::to_owned),
        limit: Some(PAGE),
    };
    let found = match registry.all_deployments(&visitor.caller, query.clone()).await {
        // A cursor from before a restart: the list begins anew instead of ending in an error.
        Err(RegistryError::BadCursor) => return Ok(frame::redirect(&address(&fields, None))),
        other => other?,
    };
    let next = found.next_cursor.as_deref();
    let page = DeploymentsPage {
        next: next.map(|cursor| address(&fields, Some(cursor))),
        ..DeploymentsPage::new(
            visitor.shell(&portal, "Deployments", "governance"),
            &query,
            &environments,
            &found.items,
        )
    };
    frame::html(StatusCode::OK, &page)
}

fn address(fields: &Fields, cursor: Option<&str>) -> String {
    let mut parts = Serializer::new(String::new());
    for name in FILTERS {
        if let Some(value) = fields.get(name) {
            parts.append_pair(name, value);
        }
    }
    if let Some(cursor) = cursor {
        parts.append_pair("cursor", cursor);
    }
    match parts.finish() {
        parts if parts.is_empty() => "/admin/deployments".to_owned(),
        parts => format!("/admin/deployments?{parts}"),
    }
}
