//! `policies`: access policies as text, checked, tried, saved with their tests, switched, removed.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use http::{HeaderMap, StatusCode, header};
use portreeve_access::{Access, DryRunOf, MOST_CHANGES, NewPolicy, PolicyError, Standing, Switch};
use portreeve_core::access_policy::AccessPolicy;
use portreeve_core::caller::Caller;
use portreeve_core::name::PolicyName;

use super::servers::{Nothing, Pages};
use crate::Api;
use crate::content::Content;
use crate::credential::Known;
use crate::etag::{self, Expected};
use crate::problem::{Problem, ProblemItem};
use crate::query::{PathParts, Query};
use crate::shapes::List;
use crate::shapes::access_policy::{
    AccessPolicyShape, CheckedShape, DryRunShape, NewAccessPolicyShape, PolicyDryRunShape, PolicySchemaShape,
    PolicyTextShape, TestOutcomeShape,
};

/// List the access policies by name
#[utoipa::path(
    get, path = "/api/v1/policies", tag = "policies", operation_id = "listAccessPolicies",
    params(crate::paging::Paging), responses((status = 200, body = List<AccessPolicyShape>))
)]
pub(crate) async fn list(
    State(api): State<Api>,
    Known(caller): Known,
    Query(paging): Pages,
) -> Result<Json<List<AccessPolicyShape>>, Problem> {
    let policies = api.access.access_policies(&caller).await?;
    let page = paging.page(policies, |policy: &AccessPolicy| policy.name.to_string())?;
    Ok(Json(List {
        items: page.items.iter().map(AccessPolicyShape::from).collect(),
        next_cursor: page.next_cursor,
    }))
}

/// Show an access policy
#[utoipa::path(
    get, path = "/api/v1/policies/{policy}", tag = "policies", operation_id = "getAccessPolicy",
    params(("policy" = String, Path, description = "The policy's name")),
    responses((status = 200, body = AccessPolicyShape, headers(("ETag" = String, description = "Its revision"))))
)]
pub(crate) async fn show(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(policy): PathParts<String>,
) -> Result<impl IntoResponse, Problem> {
    let policy = api.access.access_policy(&caller, &name_of(&policy)?).await?;
    Ok(shown(&policy))
}

/// Save an access policy
///
/// Without `If-Match` it must be new. A text with problems is refused, with all of them; so is one that fails a test.
#[utoipa::path(
    put, path = "/api/v1/policies/{policy}", tag = "policies", operation_id = "setAccessPolicy",
    params(
        ("policy" = String, Path, description = "The policy's name: `[a-z0-9-]`, 1 to 40 characters"),
        ("If-Match" = Option<String>, Header, description = "The `ETag` of the policy that is replaced, or `*`")
    ),
    request_body = NewAccessPolicyShape,
    responses(
        (status = 200, body = AccessPolicyShape, description = "Replaced"),
        (status = 201, body = AccessPolicyShape, description = "New")
    )
)]
pub(crate) async fn set(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(policy): PathParts<String>,
    headers: HeaderMap,
    Content(new): Content<NewAccessPolicyShape>,
) -> Result<impl IntoResponse, Problem> {
    let new = NewPolicy {
        name: name_of(&policy)?,
        description: new.description,
        text: new.text,
        tests: new.tests,
        enabled: new.enabled,
    };
    let standing = match headers.contains_key(header::IF_MATCH) {
        true => standing_of(&headers)?,
        false => Standing::New,
    };
    let saved = api.access.set_access_policy(&caller, new, standing).await?;
    api.refresh.refresh().await;
    let status = if saved.revision == 1 {
        StatusCode::CREATED
    } else {
        StatusCode::OK
    };
    Ok((status, shown(&saved)))
}

/// Remove an access policy
#[utoipa::path(
    delete, path = "/api/v1/policies/{policy}", tag = "policies", operation_id = "removeAccessPolicy",
    params(
        ("policy" = String, Path, description = "The policy's name"),
        ("If-Match" = Option<String>, Header, description = "The policy's `ETag`, or `*`")
    ),
    responses((status = 204))
)]
pub(crate) async fn remove(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(policy): PathParts<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let (name, standing) = (name_of(&policy)?, any_or(&headers)?);
    api.access.remove_access_policy(&caller, &name, standing).await?;
    api.refresh.refresh().await;
    Ok(StatusCode::NO_CONTENT)
}

/// Put an access policy into force
#[utoipa::path(
    post, path = "/api/v1/policies/{policy}/enable", tag = "policies", operation_id = "enableAccessPolicy",
    params(("policy" = String, Path, description = "The policy's name")),
    responses((status = 200, body = AccessPolicyShape))
)]
pub(crate) async fn enable(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(policy): PathParts<String>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    switched(&api, &caller, (&policy, &headers), Switch::On).await
}

/// Take an access policy out of force, and keep it
#[utoipa::path(
    post, path = "/api/v1/policies/{policy}/disable", tag = "policies", operation_id = "disableAccessPolicy",
    params(("policy" = String, Path, description = "The policy's name")),
    responses((status = 200, body = AccessPolicyShape))
)]
pub(crate) async fn disable(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(policy): PathParts<String>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Problem> {
    switched(&api, &caller, (&policy, &headers), Switch::Off).await
}

/// Check the text of an access policy, and run tests on it; nothing is saved
#[utoipa::path(
    post, path = "/api/v1/policies/{policy}/check", tag = "policies", operation_id = "checkAccessPolicy",
    params(("policy" = String, Path, description = "The name that it would have")),
    request_body = PolicyTextShape, responses((status = 200, body = CheckedShape))
)]
pub(crate) async fn check(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(policy): PathParts<String>,
    Content(text): Content<PolicyTextShape>,
) -> Result<Json<CheckedShape>, Problem> {
    let name = name_of(&policy)?;
    let checked = api
        .access
        .check_access_policy(&caller, (&name, &text.text), &text.tests)
        .await?;
    Ok(Json(checked.into()))
}

/// Say what would change if a text were in force; nothing is saved
#[utoipa::path(
    post, path = "/api/v1/policies/{policy}/dry-run", tag = "policies", operation_id = "dryRunAccessPolicy",
    params(("policy" = String, Path, description = "The policy that is or would be")),
    request_body = PolicyDryRunShape, responses((status = 200, body = DryRunShape))
)]
pub(crate) async fn dry_run(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(policy): PathParts<String>,
    Content(tried): Content<PolicyDryRunShape>,
) -> Result<Json<DryRunShape>, Problem> {
    let of = DryRunOf {
        name: name_of(&policy)?,
        text: tried.text,
        who: tried.who,
        from: tried.from,
        limit: tried.limit.unwrap_or(MOST_CHANGES),
    };
    let tools = api.gateway.approved_tools();
    Ok(Json(api.access.dry_run(&caller, &of, &tools).await?.into()))
}

/// Run the tests of an access policy
#[utoipa::path(
    post, path = "/api/v1/policies/{policy}/test", tag = "policies", operation_id = "testAccessPolicy",
    params(("policy" = String, Path, description = "The policy's name")),
    responses((status = 200, body = List<TestOutcomeShape>))
)]
pub(crate) async fn test(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(policy): PathParts<String>,
) -> Result<Json<List<TestOutcomeShape>>, Problem> {
    let name = name_of(&policy)?;
    let outcomes = api.access.test_access_policies(&caller, Some(&name)).await?;
    Ok(Json(List::whole(
        outcomes.into_iter().map(TestOutcomeShape::from).collect(),
    )))
}

/// Run the tests of all access policies
#[utoipa::path(
    post, path = "/api/v1/policy-tests", tag = "policies", operation_id = "testAccessPolicies",
    responses((status = 200, body = List<TestOutcomeShape>))
)]
pub(crate) async fn test_all(
    State(api): State<Api>,
    Known(caller): Known,
) -> Result<Json<List<TestOutcomeShape>>, Problem> {
    let outcomes = api.access.test_access_policies(&caller, None).await?;
    Ok(Json(List::whole(
        outcomes.into_iter().map(TestOutcomeShape::from).collect(),
    )))
}

/// Show the words of access policies
#[utoipa::path(
    get, path = "/api/v1/policy-schema", tag = "policies", operation_id = "getPolicySchema",
    responses((status = 200, body = PolicySchemaShape))
)]
pub(crate) async fn schema(Known(_): Known, Query(Nothing {}): Query<Nothing>) -> Json<PolicySchemaShape> {
    Json(PolicySchemaShape {
        schema: Access::policy_schema(),
    })
}

async fn switched(
    api: &Api,
    caller: &Caller,
    (policy, headers): (&str, &HeaderMap),
    switch: Switch,
) -> Result<impl IntoResponse + use<>, Problem> {
    let (name, standing) = (name_of(policy)?, any_or(headers)?);
    let saved = api
        .access
        .switch_access_policy(caller, &name, switch, standing)
        .await?;
    api.refresh.refresh().await;
    Ok(shown(&saved))
}

fn shown(policy: &AccessPolicy) -> impl IntoResponse + use<> {
    (
        etag::of_revision(policy.revision),
        Json(AccessPolicyShape::from(policy)),
    )
}

fn name_of(text: &str) -> Result<PolicyName, Problem> {
    text.parse().map_err(|error: portreeve_core::name::InvalidName| {
        Problem::unprocessable("policy", error.to_string())
    })
}

fn standing_of(headers: &HeaderMap) -> Result<Standing, Problem> {
    let revision = Expected::from_headers(headers)?.revision();
    Ok(revision.map_or(Standing::Any, Standing::At))
}

/// What changes no text may be said without having read it.
fn any_or(headers: &HeaderMap) -> Result<Standing, Problem> {
    if headers.contains_key(header::IF_MATCH) {
        standing_of(headers)
    } else {
        Ok(Standing::Any)
    }
}

impl From<PolicyError> for Problem {
    fn from(error: PolicyError) -> Self {
        let (detail, hint) = (error.to_string(), error.hint());
        match error {
            PolicyError::Access(error) => error.into(),
            PolicyError::Changed { .. } => etag::stale().hint(hint),
            PolicyError::Text { problems, .. } => Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
                .items(problems.into_iter().map(|problem| ProblemItem {
                    path: Some(format!("text:{}:{}", problem.line, problem.column)),
                    message: match problem.hint {
                        Some(hint) => format!("{}; {hint}", problem.problem),
                        None => problem.problem,
                    },
                }))
                .hint(hint),
            PolicyError::Tests { failed, .. } => Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail)
                .items(failed.iter().map(|test| ProblemItem {
                    path: Some(format!("tests[{}]", test.number - 1)),
                    message: test.to_string(),
                }))
                .hint(hint),
        }
    }
}
