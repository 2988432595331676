//! `doctor`: what is wrong with the installation.

use axum::Json;
use axum::extract::State;

use super::require_audit;
use crate::Api;
use crate::credential::Known;
use crate::problem::Problem;
use crate::shapes::List;
use crate::shapes::audit::CheckShape;

/// Examine the installation
#[utoipa::path(
    get, path = "/api/v1/doctor", tag = "insight", operation_id = "examine",
    responses((status = 200, body = List<CheckShape>))
)]
pub(crate) async fn examine(
    State(api): State<Api>,
    Known(caller): Known,
) -> Result<Json<List<CheckShape>>, Problem> {
    require_audit(&api, &caller, "examine this installation")?;
    let checks = api.doctor.examine().await;
    Ok(Json(List::whole(
        checks.into_iter().map(CheckShape::from).collect(),
    )))
}
