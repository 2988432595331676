//! `audit`: read, and verified.

use axum::Json;
use axum::extract::State;
use portreeve_core::ports::AuditQuery;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::Api;
use crate::credential::Known;
use crate::paging;
use crate::problem::Problem;
use crate::query::Query;
use crate::shapes::List;
use crate::shapes::audit::{EventShape, ReportShape};

/// Which events are listed.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct EventsQuery {
    /// Only events of this actor label, as in `key:deploy`.
    actor: Option<String>,
    /// Only events about this server.
    server: Option<String>,
    /// Only this action; a trailing `*` matches any rest.
    action: Option<String>,
    /// Only this outcome: `permitted`, `refused`, `done` or `failed`.
    outcome: Option<String>,
    /// The `nextCursor` of the page before.
    cursor: Option<String>,
    /// Items on the page, 1 to 200; 100 unless given.
    limit: Option<u64>,
}

/// List events of the audit log, newest first
#[utoipa::path(
    get, path = "/api/v1/audit", tag = "insight", operation_id = "listAuditEvents",
    params(EventsQuery), responses((status = 200, body = List<EventShape>))
)]
pub(crate) async fn list(
    State(api): State<Api>,
    Known(caller): Known,
    Query(query): Query<EventsQuery>,
) -> Result<Json<List<EventShape>>, Problem> {
    let limit = paging::limit(query.limit)?;
    let query = AuditQuery {
        actor: query.actor,
        server: query.server,
        action: query.action,
        outcome: query.outcome,
        cursor: query.cursor,
        limit: u32::try_from(limit).unwrap_or(u32::MAX),
    };
    let page = api.insight.audit(&caller, &query).await?;
    Ok(Json(List {
        items: page.items.into_iter().map(EventShape::from).collect(),
        next_cursor: page.next_cursor,
    }))
}

/// Verify every hash, every sequence number and every signed checkpoint of the audit log
#[utoipa::path(
    get, path = "/api/v1/audit/verify", tag = "insight", operation_id = "verifyAudit",
    responses((status = 200, body = ReportShape))
)]
pub(crate) async fn verify(
    State(api): State<Api>,
    Known(caller): Known,
) -> Result<Json<ReportShape>, Problem> {
    let report = api.insight.verify_audit(&caller).await?;
    Ok(Json(report.into()))
}
