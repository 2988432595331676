//! `GET /audit` and `POST /audit/verify`: for managers, what happened, and whether the log of it is whole.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use portreeve_core::ports::AuditQuery;
use url::form_urlencoded::Serializer;

use crate::failure::Failure;
use crate::fields::{Fields, Form, Query};
use crate::forms::Purpose;
use crate::frame;
use crate::router::Portal;
use crate::view::{AuditFilter, AuditPageView, ReportView};
use crate::visitor::Visitor;

/// Events of one page.
const PAGE: u32 = 50;

pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Query(fields): Query,
) -> Result<Response, Failure> {
    let page = view(&portal, &visitor, &fields).await?;
    frame::html(StatusCode::OK, &page)
}

/// Reads the whole log; a POST, so that neither a link nor a crawler makes the server do it.
pub(crate) async fn verify(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::VerifyAudit, fields.get("csrf"))?;
    let report = portal.parts.insight.verify_audit(&visitor.caller).await?;
    let mut page = view(&portal, &visitor, &Fields::default()).await?;
    page.report = Some(ReportView::new(&report));
    frame::html(StatusCode::OK, &page)
}

async fn view(portal: &Portal, visitor: &Visitor, fields: &Fields) -> Result<AuditPageView, Failure> {
    let filter = AuditFilter {
        actor: fields.text("actor"),
        server: fields.text("server"),
        action: fields.text("action"),
        outcome: fields.text("outcome"),
    };
    let given = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let query = AuditQuery {
        actor: given(&filter.actor),
        server: given(&filter.server),
        action: given(&filter.action),
        outcome: given(&filter.outcome),
        cursor: fields.get("cursor").map(str::to_owned),
        limit: PAGE,
    };
    let found = portal.parts.insight.audit(&visitor.caller, &query).await?;
    let next = found.next_cursor.map(|cursor| older(&filter, &cursor));
    let mut page = AuditPageView::new(visitor.shell(portal, "Audit", "audit"), filter, &found.items);
    if query.cursor.is_some() {
        page.heading = "Older events";
    }
    page.verify_token = visitor.token(portal, Purpose::VerifyAudit);
    page.next = next;
    Ok(page)
}

fn older(filter: &AuditFilter, cursor: &str) -> String {
    let fields = [
        ("actor", filter.actor.as_str()),
        ("server", &filter.server),
        ("action", &filter.action),
        ("outcome", &filter.outcome),
        ("cursor", cursor),
    ];
    let mut query = Serializer::new(String::new());
    query.extend_pairs(fields.into_iter().filter(|(_, value)| !value.is_empty()));
    format!("/audit?{}", query.finish())
}
