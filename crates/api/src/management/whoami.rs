//! `whoami`: the caller, as the rooms see it.

use axum::Json;
use axum::extract::State;
use portreeve_core::decision::{Action, Target};
use portreeve_core::ports::Authorizer;

use crate::Api;
use crate::credential::Known;
use crate::shapes::identity::{RoleShape, WhoAmI};

/// Show who the key belongs to
#[utoipa::path(
    get, path = "/api/v1/whoami", tag = "identities", operation_id = "whoAmI",
    responses((status = 200, body = WhoAmI))
)]
pub(crate) async fn show(State(api): State<Api>, Known(caller): Known) -> Json<WhoAmI> {
    let decision = api.access.may(&caller, Action::Manage, &Target::Installation);
    Json(WhoAmI {
        name: caller.label.to_string(),
        principal: caller.principal.to_string(),
        key: caller.key.map(|key| key.to_string()),
        groups: crate::shapes::labels(&caller.groups),
        manage: decision.is_permit(),
        roles: api
            .access
            .roles(&caller)
            .into_iter()
            .map(RoleShape::from)
            .collect(),
    })
}
