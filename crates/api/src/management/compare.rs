//! `compare`: two versions of a server side by side.

use axum::Json;
use axum::extract::State;
use portreeve_core::name::VersionText;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::Api;
use crate::credential::Known;
use crate::problem::Problem;
use crate::query::{PathParts, Query, server_name, version_text};
use crate::shapes::rest::ChangeShape;

/// Which versions are compared.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wanted {
    /// The version that is compared with; the latest unless given, or the one before where that is the latest.
    from: Option<String>,
    /// The version that is looked at.
    to: String,
}

/// What differs between two versions.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Comparison)]
pub(crate) struct ComparisonShape {
    /// The server.
    name: String,
    /// Nothing when there is no version before.
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    to: String,
    /// At most a hundred, and a remark when there are more.
    changes: Vec<FieldChangeShape>,
    /// The tools, resources and prompts that differ between two versions of a REST API, for who manages the server.
    #[serde(skip_serializing_if = "Option::is_none")]
    tools: Option<Vec<ChangeShape>>,
}

/// One field that differs.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = FieldChange)]
struct FieldChangeShape {
    /// A JSON pointer (RFC 6901); empty for the whole document.
    path: String,
    /// As JSON, cut to a readable length; left out when the field is new.
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<String>,
    /// The same; left out when the field is gone.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<String>,
}

/// Compare two versions
///
/// Field by field; neither the order of fields nor the way in which a number is written counts.
#[utoipa::path(
    get, path = "/api/v1/servers/{name}/compare", tag = "servers", operation_id = "compareVersions",
    params(("name" = String, Path, description = "The server's name, encoded or as two segments"), Wanted),
    responses((status = 200, body = ComparisonShape))
)]
pub(crate) async fn show(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(name): PathParts<String>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<ComparisonShape>, Problem> {
    let name = server_name(&name)?;
    let from: Option<VersionText> = wanted.from.as_deref().map(version_text).transpose()?;
    let to = version_text(&wanted.to)?;
    let found = api.registry.compare(&caller, &name, (from.as_ref(), &to)).await?;
    let change = |change: portreeve_registry::FieldChange| FieldChangeShape {
        path: change.path,
        before: change.before,
        after: change.after,
    };
    Ok(Json(ComparisonShape {
        name: name.to_string(),
        from: found.from.map(|version| version.to_string()),
        to: found.to.to_string(),
        changes: found.changes.into_iter().map(change).collect(),
        tools: found
            .tools
            .map(|tools| tools.into_iter().map(ChangeShape::new).collect()),
    }))
}
