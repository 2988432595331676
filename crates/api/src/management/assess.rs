//! `assess`: what a reviewer should know about a version before approving it.

use axum::Json;
use axum::extract::State;

use crate::Api;
use crate::credential::Known;
use crate::problem::Problem;
use crate::query::{PathParts, server_name, version_text};
use crate::shapes::assessment::AssessmentShape;

/// Judge the version that waits, or else the latest
///
/// Asks its server for its tools, for at most ten seconds.
#[utoipa::path(
    post, path = "/api/v1/servers/{name}/assess", tag = "servers", operation_id = "assessServer",
    params(("name" = String, Path, description = "The server's name, encoded or as two segments")),
    responses((status = 200, body = AssessmentShape))
)]
pub(crate) async fn server(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(name): PathParts<String>,
) -> Result<Json<AssessmentShape>, Problem> {
    let name = server_name(&name)?;
    let assessment = api.registry.assess(&caller, &name, None).await?;
    Ok(Json(AssessmentShape::new(name.to_string(), assessment)))
}

/// Judge a version
///
/// Asks its server for its tools, for at most ten seconds.
#[utoipa::path(
    post, path = "/api/v1/servers/{name}/versions/{version}/assess", tag = "servers",
    operation_id = "assessVersion",
    params(
        ("name" = String, Path, description = "The server's name, encoded or as two segments"),
        ("version" = String, Path, description = "The version")
    ),
    responses((status = 200, body = AssessmentShape))
)]
pub(crate) async fn version(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts((name, version)): PathParts<(String, String)>,
) -> Result<Json<AssessmentShape>, Problem> {
    let (name, version) = (server_name(&name)?, version_text(&version)?);
    let assessment = api.registry.assess(&caller, &name, Some(&version)).await?;
    Ok(Json(AssessmentShape::new(name.to_string(), assessment)))
}

/// Show the last assessment of a version
///
/// 404 while its present content was not judged.
#[utoipa::path(
    get, path = "/api/v1/servers/{name}/versions/{version}/assessment", tag = "servers",
    operation_id = "getAssessment",
    params(
        ("name" = String, Path, description = "The server's name, encoded or as two segments"),
        ("version" = String, Path, description = "The version")
    ),
    responses((status = 200, body = AssessmentShape))
)]
pub(crate) async fn show(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts((name, version)): PathParts<(String, String)>,
) -> Result<Json<AssessmentShape>, Problem> {
    let (name, version) = (server_name(&name)?, version_text(&version)?);
    match api.registry.assessment(&caller, &name, Some(&version)).await? {
        Some(assessment) => Ok(Json(AssessmentShape::new(name.to_string(), assessment))),
        None => Err(
            Problem::not_found(format!("an assessment of version `{version}` of server `{name}`"))
                .hint("`portreeve server assess NAME` makes one"),
        ),
    }
}
