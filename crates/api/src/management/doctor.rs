//! `doctor`: what is wrong with the installation.

use axum::Json;
use axum::extract::State;
use portreeve_core::decision::{Action, Target};
use portreeve_core::ports::Authorizer;

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
    // The port knows no callers, so this face asks for the right that every other answer about the inside needs.
    let decision = api.access.may(&caller, Action::Manage, &Target::Installation);
    if !decision.is_permit() {
        return Err(
            Problem::forbidden(format!("`{}` may not examine this installation", caller.label))
                .hint("use a key of an administrator, or ask one for the right to manage"),
        );
    }
    let checks = api.doctor.examine().await;
    Ok(Json(List::whole(
        checks.into_iter().map(CheckShape::from).collect(),
    )))
}
