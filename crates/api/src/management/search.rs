//! `search`: servers by what they are called, what they do and what their tools are called.

use axum::Json;
use axum::extract::State;
use portreeve_core::name::Environment;
use portreeve_core::server::Lifecycle;
use portreeve_registry::{Kind, Narrow, SearchQuery};
use serde::Deserialize;
use utoipa::IntoParams;

use crate::Api;
use crate::credential::Known;
use crate::paging;
use crate::problem::Problem;
use crate::query::Query;
use crate::shapes::search::SearchShape;

/// What is looked for.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// Words, as a person types them. Without any, everything is found, by name.
    q: Option<String>,
    /// Only these stages: `production,preview`.
    lifecycle: Option<String>,
    /// Only `remote` or only `local` servers.
    kind: Option<String>,
    /// Only servers with a package of one of these registries: `npm,oci`.
    registry_type: Option<String>,
    /// Only servers with all of these tags, separated by commas.
    tag: Option<String>,
    /// Only servers that are served in one of these environments: `production,test`; elsewhere than in production those that
    /// the caller may discover.
    environment: Option<String>,
    /// Whether results are counted by what they are.
    facets: Option<bool>,
    /// The `nextCursor` of the page before.
    cursor: Option<String>,
    /// Results on the page, 1 to 100; 20 unless given.
    limit: Option<u64>,
}

/// Find servers
///
/// Best first: names count more than titles, those more than tags, use cases and descriptions. The last word may be a
/// beginning; slips of the fingers are forgiven when little is found. Tools count where the caller may call them.
#[utoipa::path(
    get, path = "/api/v1/search", tag = "servers", operation_id = "searchServers",
    params(Wanted), responses((status = 200, body = SearchShape))
)]
pub(crate) async fn find(
    State(api): State<Api>,
    Known(caller): Known,
    Query(wanted): Query<Wanted>,
) -> Result<Json<SearchShape>, Problem> {
    let limit = wanted.limit.map(|limit| paging::limit(Some(limit))).transpose()?;
    let query = SearchQuery {
        text: wanted.q.unwrap_or_default(),
        narrow: Narrow {
            lifecycle: stages(wanted.lifecycle.as_deref())?,
            kind: kind(wanted.kind.as_deref())?,
            registry_types: listed(wanted.registry_type.as_deref()),
            tags: listed(wanted.tag.as_deref()),
            environments: environments(wanted.environment.as_deref())?,
        },
        cursor: wanted.cursor,
        limit: limit.and_then(|limit| u32::try_from(limit).ok()),
        facets: wanted.facets.unwrap_or(false),
    };
    let page = api.registry.search(&caller, query).await?;
    Ok(Json(SearchShape::new(page, &api.public_url)))
}

fn listed(text: Option<&str>) -> Vec<String> {
    let parts = text.unwrap_or_default().split(',');
    parts
        .map(|part| part.trim().to_lowercase())
        .filter(|part| !part.is_empty())
        .take(20)
        .collect()
}

fn stages(text: Option<&str>) -> Result<Vec<Lifecycle>, Problem> {
    listed(text)
        .iter()
        .map(|word| {
            Lifecycle::from_word(word).ok_or_else(|| {
                let shown: String = word.chars().take(40).collect();
                Problem::bad_request(format!("the query is wrong: `{shown}` is not a `lifecycle`"))
            })
        })
        .collect()
}

fn environments(text: Option<&str>) -> Result<Vec<Environment>, Problem> {
    listed(text)
        .iter()
        .map(|word| {
            word.parse::<Environment>().map_err(|_| {
                let shown: String = word.chars().take(40).collect();
                Problem::bad_request(format!("the query is wrong: `{shown}` is not an `environment`"))
            })
        })
        .collect()
}

fn kind(text: Option<&str>) -> Result<Option<Kind>, Problem> {
    match text {
        None | Some("") => Ok(None),
        Some(word) => Kind::from_word(word)
            .map(Some)
            .ok_or_else(|| Problem::bad_request("the query is wrong: `kind` is `remote` or `local`")),
    }
}
