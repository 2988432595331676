//! `partners` and `partner-catalogue`: listed, registered, updated, withdrawn; and the catalogue that they come from.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use portreeve_registry::partners::{Category, PartnersQuery, Tier};
use serde::Deserialize;

use super::servers::Nothing;
use crate::Api;
use crate::content::{self, Content, MaybeContent};
use crate::credential::Known;
use crate::problem::Problem;
use crate::query::{PathParts, Query};
use crate::shapes::List;
use crate::shapes::partner::{
    PartnerCatalogueShape, PartnerRegisteredShape, PartnerRegistrationShape, PartnerServerShape,
    PartnerUpdateShape, PartnerWithdrawalShape,
};

/// Which partners.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct PartnersParams {
    search: Option<String>,
    category: Option<String>,
    tier: Option<Tier>,
    preview: Option<bool>,
    registered: Option<bool>,
}

/// List partners' servers
#[utoipa::path(
    get, path = "/api/v1/partners", tag = "partners", operation_id = "listPartners",
    params(
        ("search" = Option<String>, Query, description = "Words; every one stands somewhere in names, texts or tags"),
        ("category" = Option<String>, Query, description = "What it is about, as `Developer Tools`"),
        ("tier" = Option<String>, Query,
            description = "At least `unverified`, `domain-verified`, `verified` or `official`"),
        ("preview" = Option<bool>, Query, description = "Whether it is not finished yet"),
        ("registered" = Option<bool>, Query, description = "Whether it is registered here")
    ),
    responses((status = 200, body = List<PartnerServerShape>))
)]
pub(crate) async fn list(
    State(api): State<Api>,
    Known(caller): Known,
    Query(params): Query<PartnersParams>,
) -> Result<Json<List<PartnerServerShape>>, Problem> {
    let category = match params.category.filter(|words| !words.is_empty()) {
        None => None,
        Some(words) => Some(Category::of(&words).ok_or_else(|| {
            content::field("category", format!("`{words}` is none of the thirty categories"))
        })?),
    };
    let query = PartnersQuery {
        search: params.search,
        category,
        tier: params.tier,
        preview: params.preview,
        registered: params.registered,
    };
    let all = api.partners.list(&caller, &query);
    Ok(Json(List::whole(
        all.iter().map(PartnerServerShape::new).collect(),
    )))
}

/// Show the servers of a partner
#[utoipa::path(
    get, path = "/api/v1/partners/{partner}", tag = "partners", operation_id = "getPartner",
    params(("partner" = String, Path, description = "The partner's short name")),
    responses((status = 200, body = List<PartnerServerShape>))
)]
pub(crate) async fn show(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(partner): PathParts<String>,
) -> Result<Json<List<PartnerServerShape>>, Problem> {
    let all = api.partners.partner(&caller, &partner)?;
    Ok(Json(List::whole(
        all.iter().map(PartnerServerShape::new).collect(),
    )))
}

/// Register a partner's server
#[utoipa::path(
    post, path = "/api/v1/partners/{partner}/servers/{server}/register", tag = "partners",
    operation_id = "registerPartnerServer",
    params(
        ("partner" = String, Path, description = "The partner's short name"),
        ("server" = String, Path, description = "The server within the partner")
    ),
    request_body = PartnerRegistrationShape, responses((status = 201, body = PartnerRegisteredShape))
)]
pub(crate) async fn register(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts((partner, server)): PathParts<(String, String)>,
    MaybeContent(new): MaybeContent<PartnerRegistrationShape>,
) -> Result<(StatusCode, Json<PartnerRegisteredShape>), Problem> {
    let made = api
        .partners
        .register(&caller, (&partner, &server), new.into_new())
        .await?;
    let shape = PartnerRegisteredShape::new(&made, &api.public_url);
    Ok((StatusCode::CREATED, Json(shape)))
}

/// Show what an update of a registered partner's server would change
#[utoipa::path(
    get, path = "/api/v1/partners/{partner}/servers/{server}/update", tag = "partners",
    operation_id = "getPartnerServerUpdate",
    params(
        ("partner" = String, Path, description = "The partner's short name"),
        ("server" = String, Path, description = "The server within the partner")
    ),
    responses((status = 200, body = PartnerUpdateShape))
)]
pub(crate) async fn changes(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts((partner, server)): PathParts<(String, String)>,
) -> Result<Json<PartnerUpdateShape>, Problem> {
    let update = api.partners.changes(&caller, (&partner, &server)).await?;
    Ok(Json(update.into()))
}

/// Take in what the catalogue changed, as a new version
#[utoipa::path(
    post, path = "/api/v1/partners/{partner}/servers/{server}/update", tag = "partners",
    operation_id = "updatePartnerServer",
    params(
        ("partner" = String, Path, description = "The partner's short name"),
        ("server" = String, Path, description = "The server within the partner")
    ),
    request_body = PartnerRegistrationShape, responses((status = 201, body = PartnerRegisteredShape))
)]
pub(crate) async fn update(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts((partner, server)): PathParts<(String, String)>,
    MaybeContent(new): MaybeContent<PartnerRegistrationShape>,
) -> Result<(StatusCode, Json<PartnerRegisteredShape>), Problem> {
    let made = api
        .partners
        .update(&caller, (&partner, &server), new.into_new())
        .await?;
    let shape = PartnerRegisteredShape::new(&made, &api.public_url);
    Ok((StatusCode::CREATED, Json(shape)))
}

/// Delist or revoke a partner or one of its servers, or take that back
#[utoipa::path(
    put, path = "/api/v1/partners/{partner}/state", tag = "partners", operation_id = "setPartnerState",
    params(("partner" = String, Path, description = "The partner's short name")),
    request_body = PartnerWithdrawalShape, responses((status = 204))
)]
pub(crate) async fn set_state(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(partner): PathParts<String>,
    Content(wish): Content<PartnerWithdrawalShape>,
) -> Result<StatusCode, Problem> {
    api.partners.withdraw(&caller, wish.into_wish(partner)).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Say where the partner catalogue stands
#[utoipa::path(
    get, path = "/api/v1/partner-catalogue", tag = "partners", operation_id = "getPartnerCatalogue",
    responses((status = 200, body = PartnerCatalogueShape))
)]
pub(crate) async fn status(
    State(api): State<Api>,
    Known(_): Known,
    Query(Nothing {}): Query<Nothing>,
) -> Result<Json<PartnerCatalogueShape>, Problem> {
    Ok(Json(api.partners.status().into()))
}

/// Ask for a newer partner catalogue now
#[utoipa::path(
    post, path = "/api/v1/partner-catalogue/pull", tag = "partners", operation_id = "pullPartnerCatalogue",
    responses((status = 200, body = PartnerCatalogueShape))
)]
pub(crate) async fn pull(
    State(api): State<Api>,
    Known(caller): Known,
) -> Result<Json<PartnerCatalogueShape>, Problem> {
    Ok(Json(api.partners.pull(&caller).await?.into()))
}
