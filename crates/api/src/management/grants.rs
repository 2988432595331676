//! `grants`: given, listed, taken back.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use portreeve_access::{NamedGrant, NewGrant, SubjectName};
use portreeve_core::caller::Caller;
use portreeve_core::grant::Subject;
use portreeve_core::id::GrantId;

use super::in_force;
use super::servers::Pages;
use crate::Api;
use crate::content::{self, Content};
use crate::credential::Known;
use crate::problem::Problem;
use crate::query::{PathParts, Query};
use crate::shapes::List;
use crate::shapes::identity::{GrantShape, NewGrantShape, SubjectShape};

/// List the grants
#[utoipa::path(
    get, path = "/api/v1/grants", tag = "identities", operation_id = "listGrants",
    params(crate::paging::Paging), responses((status = 200, body = List<GrantShape>))
)]
pub(crate) async fn list(
    State(api): State<Api>,
    Known(caller): Known,
    Query(paging): Pages,
) -> Result<Json<List<GrantShape>>, Problem> {
    let grants = api.access.named_grants(&caller).await?;
    let page = paging.page(grants, |named: &NamedGrant| named.grant.id.to_string())?;
    let items = page.items.iter().map(GrantShape::new);
    Ok(Json(List {
        items: items.collect(),
        next_cursor: page.next_cursor,
    }))
}

/// Grant something to a key, a user, or everybody in a group
#[utoipa::path(
    post, path = "/api/v1/grants", tag = "identities", operation_id = "addGrant",
    request_body = NewGrantShape, responses((status = 201, body = GrantShape))
)]
pub(crate) async fn add(
    State(api): State<Api>,
    Known(caller): Known,
    Content(new): Content<NewGrantShape>,
) -> Result<(StatusCode, Json<GrantShape>), Problem> {
    let subject = subject(&api, &caller, &new.subject).await?;
    // A client of that identity must be known; others look the same until they are.
    if let SubjectShape::Client(client) = &new.subject
        && !api.oauth.is_client(client).await?
    {
        return Err(Problem::not_found(format!("client `{client}`"))
            .hint("`portreeve client list` shows the clients"));
    }
    let new = NewGrant {
        subject,
        rights: new.rights,
        servers: new.servers,
        tools: new.tools,
        expires_at: new.expires_at,
    };
    let grant = in_force(&api, api.access.add_grant(&caller, new).await).await?;
    let named = api.access.named_grant(grant).await?;
    Ok((StatusCode::CREATED, Json(GrantShape::new(&named))))
}

/// Take a grant back
#[utoipa::path(
    delete, path = "/api/v1/grants/{grant}", tag = "identities", operation_id = "removeGrant",
    params(("grant" = String, Path, description = "The grant's identifier")),
    responses((status = 204))
)]
pub(crate) async fn remove(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(grant): PathParts<String>,
) -> Result<StatusCode, Problem> {
    let id = grant.strip_prefix("grant:").unwrap_or(&grant);
    let Ok(id) = id.parse::<GrantId>() else {
        // Whoever may not manage learns nothing here either.
        api.access.grants(&caller).await?;
        return Err(Problem::not_found(format!("grant `{grant}`")));
    };
    in_force(&api, api.access.remove_grant(&caller, id).await).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The subject that a name or an identifier stands for.
async fn subject(api: &Api, caller: &Caller, given: &SubjectShape) -> Result<Subject, Problem> {
    let name = match given {
        SubjectShape::Group(text) => SubjectName::Group(text),
        SubjectShape::Key(text) => SubjectName::Key(text),
        SubjectShape::User(text) => SubjectName::User(text),
        SubjectShape::Client(text) => SubjectName::Client(text),
    };
    let found = api.access.subject_named(caller, name).await?;
    found.ok_or_else(|| match given {
        SubjectShape::Key(text) => content::field("subject.key", format!("there is no live key `{text}`"))
            .hint("`portreeve key list` shows the keys"),
        SubjectShape::User(text) => content::field("subject.user", format!("there is no user `{text}`"))
            .hint("`portreeve user list` shows the users"),
        SubjectShape::Client(text) => {
            content::field("subject.client", format!("there is no OAuth client `{text}`"))
                .hint("`portreeve client list` shows the clients")
        }
        SubjectShape::Group(text) => {
            content::field("subject.group", format!("`{text}` is no name of a group"))
        }
    })
}
