//! `approvals`: calls that a person must allow first.

use axum::Json;
use axum::extract::State;
use portreeve_core::id::ApprovalId;
use portreeve_registry::RegistryError;

use super::servers::Pages;
use crate::Api;
use crate::content::Content;
use crate::credential::Known;
use crate::problem::Problem;
use crate::query::{PathParts, Query};
use crate::shapes::List;
use crate::shapes::approval::{ApprovalShape, DenialShape};

/// List the calls that wait for a person
///
/// Those that the caller may decide about, and the caller's own; oldest first. Calls that were made or waited too long are
/// in the audit log.
#[utoipa::path(
    get, path = "/api/v1/approvals", tag = "approvals", operation_id = "listApprovals",
    params(crate::paging::Paging), responses((status = 200, body = List<ApprovalShape>))
)]
pub(crate) async fn list(
    State(api): State<Api>,
    Known(caller): Known,
    Query(paging): Pages,
) -> Result<Json<List<ApprovalShape>>, Problem> {
    let limit = paging.limit()?;
    let after = paging.cursor.as_deref().filter(|cursor| !cursor.is_empty());
    let after = after
        .map(str::parse::<ApprovalId>)
        .transpose()
        .map_err(|_| RegistryError::BadCursor)?;
    let mut found = api.approvals.list(&caller, after, limit + 1).await?;
    let is_more = found.len() > limit;
    found.truncate(limit);
    let next_cursor = found
        .last()
        .filter(|_| is_more)
        .map(|last| last.approval.id.to_string());
    Ok(Json(List {
        items: found.into_iter().map(ApprovalShape::new).collect(),
        next_cursor,
    }))
}

/// Show a call that waits for a person
#[utoipa::path(
    get, path = "/api/v1/approvals/{approval}", tag = "approvals", operation_id = "getApproval",
    params(("approval" = String, Path, description = "The approval's identity")),
    responses((status = 200, body = ApprovalShape))
)]
pub(crate) async fn show(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(approval): PathParts<String>,
) -> Result<Json<ApprovalShape>, Problem> {
    let shown = api.approvals.show(&caller, identity(&approval)?).await?;
    Ok(Json(ApprovalShape::new(shown)))
}

/// Allow a call
///
/// This caller may make the call of this tool with these arguments once, until it expires.
#[utoipa::path(
    post, path = "/api/v1/approvals/{approval}/allow", tag = "approvals", operation_id = "allowCall",
    params(("approval" = String, Path, description = "The approval's identity")),
    responses((status = 200, body = ApprovalShape))
)]
pub(crate) async fn allow(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(approval): PathParts<String>,
) -> Result<Json<ApprovalShape>, Problem> {
    let decided = api
        .approvals
        .decide(&caller, identity(&approval)?, true, None)
        .await?;
    Ok(Json(ApprovalShape::new(decided)))
}

/// Deny a call
///
/// It is not asked for again before it expires: the caller is told the reason instead.
#[utoipa::path(
    post, path = "/api/v1/approvals/{approval}/deny", tag = "approvals", operation_id = "denyCall",
    params(("approval" = String, Path, description = "The approval's identity")),
    request_body = DenialShape, responses((status = 200, body = ApprovalShape))
)]
pub(crate) async fn deny(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(approval): PathParts<String>,
    Content(denial): Content<DenialShape>,
) -> Result<Json<ApprovalShape>, Problem> {
    let decided = api
        .approvals
        .decide(&caller, identity(&approval)?, false, denial.reason)
        .await?;
    Ok(Json(ApprovalShape::new(decided)))
}

fn identity(text: &str) -> Result<ApprovalId, Problem> {
    text.parse().map_err(|_| {
        Problem::not_found(format!(
            "approval `{}`",
            text.chars().take(200).collect::<String>()
        ))
    })
}
