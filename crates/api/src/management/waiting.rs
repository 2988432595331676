//! `waiting`: what the caller may decide about, and decisions about many versions at once.

use axum::Json;
use axum::extract::State;
use portreeve_core::ports::WaitingKind;
use portreeve_registry::WaitingQuery;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::Api;
use crate::content::Content;
use crate::credential::Known;
use crate::paging;
use crate::problem::Problem;
use crate::query::Query;
use crate::shapes::List;
use crate::shapes::waiting::{DecisionShape, FailingShape, Proposals, WaitingShape};

/// Which of what waits.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// Only `version`, `deployments` or `tools`.
    kind: Option<String>,
    /// Only versions that this import took in.
    import: Option<String>,
    /// Only versions about whose record something was noticed when they were imported.
    flagged: Option<bool>,
    /// The `nextCursor` of the page before.
    cursor: Option<String>,
    /// Things on the page, 1 to 100; 30 unless given.
    limit: Option<u64>,
}

/// List what waits for the caller
///
/// Submitted versions, proposed deployments, and tools that are new or read differently than what was approved: of
/// servers that the caller manages, what waits longest first.
#[utoipa::path(
    get, path = "/api/v1/waiting", tag = "servers", operation_id = "listWaiting",
    params(Wanted), responses((status = 200, body = List<WaitingShape>))
)]
pub(crate) async fn list(
    State(api): State<Api>,
    Known(caller): Known,
    Query(wanted): Query<Wanted>,
) -> Result<Json<List<WaitingShape>>, Problem> {
    let query = WaitingQuery {
        kind: wanted.kind.as_deref().map(kind).transpose()?,
        import: wanted
            .import
            .as_deref()
            .map(super::imports::import_id)
            .transpose()?,
        flagged: wanted.flagged.unwrap_or_default(),
        cursor: wanted.cursor,
        limit: super::imports::limit(wanted.limit)?,
    };
    let page = api.registry.waiting(&caller, query).await?;
    Ok(Json(List {
        items: page.items.into_iter().map(WaitingShape::new).collect(),
        next_cursor: page.next_cursor,
    }))
}

/// Approve versions that were looked at as a list
///
/// Each is approved by itself, if its content is still the one that is named; the answer says what became of each.
#[utoipa::path(
    post, path = "/api/v1/waiting/approve", tag = "servers", operation_id = "approveWaiting",
    request_body = Proposals, responses((status = 200, body = List<DecisionShape>))
)]
pub(crate) async fn approve(
    State(api): State<Api>,
    Known(caller): Known,
    Content(proposals): Content<Proposals>,
) -> Result<Json<List<DecisionShape>>, Problem> {
    let decisions = api.registry.approve_many(&caller, proposals.read()?).await?;
    let items = decisions.into_iter().map(DecisionShape::new);
    Ok(Json(List::whole(items.collect())))
}

/// List the servers that do not meet what the custom properties ask
///
/// They are served on; nothing of them can be submitted or approved until they do.
#[utoipa::path(
    get, path = "/api/v1/metadata-failures", tag = "metadata", operation_id = "listMetadataFailures",
    params(crate::paging::Paging), responses((status = 200, body = List<FailingShape>))
)]
pub(crate) async fn failing(
    State(api): State<Api>,
    Known(caller): Known,
    Query(paging): Query<paging::Paging>,
) -> Result<Json<List<FailingShape>>, Problem> {
    let limit = super::imports::limit(paging.limit)?;
    let cursor = paging.cursor.as_deref();
    let page = api.registry.failing_servers(&caller, cursor, limit).await?;
    Ok(Json(List {
        items: page.items.into_iter().map(FailingShape::new).collect(),
        next_cursor: page.next,
    }))
}

fn kind(word: &str) -> Result<WaitingKind, Problem> {
    WaitingKind::from_word(word).ok_or_else(|| {
        Problem::bad_request("the query is wrong: `kind` must be `version`, `deployments` or `tools`")
    })
}
