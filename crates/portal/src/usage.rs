//! `GET /usage`: for managers, what was called, how often, how fast.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use portreeve_core::usage::UsageQuery;

use crate::failure::Failure;
use crate::fields::Query;
use crate::frame;
use crate::router::Portal;
use crate::view::{Range, UsagePage};
use crate::visitor::Visitor;

pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Query(fields): Query,
) -> Result<Response, Failure> {
    let range = Range::of(fields.get("range"));
    let now = portal.parts.clock.now();
    let query = UsageQuery {
        from: now.minus(range.span),
        to: now.plus(std::time::Duration::from_millis(1)),
        server: None,
        client: None,
    };
    let rows = portal.parts.insight.usage(&visitor.caller, &query).await?;
    let page = UsagePage::new(visitor.shell(&portal, "Usage", "usage"), range, &rows);
    frame::html(StatusCode::OK, &page)
}
