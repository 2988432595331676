//! `grants`: given, listed, taken back.

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use portreeve_access::NewGrant;
use portreeve_core::caller::{ApiKey, User};
use portreeve_core::grant::{Grant, Subject};
use portreeve_core::id::{ClientIdentity, GrantId};

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
    let grants = api.access.grants(&caller).await?;
    let keys = api.access.keys(&caller).await?;
    let users = api.access.users(&caller).await?;
    let page = paging.page(grants, |grant: &Grant| grant.id.to_string())?;
    let items = page
        .items
        .iter()
        .map(|grant| GrantShape::new(grant, &keys, &users));
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
    let keys = api.access.keys(&caller).await?;
    let users = api.access.users(&caller).await?;
    // A client of that identity must be known; others look the same until they are.
    if let SubjectShape::Client(client) = &new.subject {
        api.oauth.client_entry(&caller, client).await?;
    }
    let new = NewGrant {
        subject: subject(&new.subject, &keys, &users)?,
        rights: new.rights,
        servers: new.servers,
        tools: new.tools,
    };
    let grant = in_force(&api, api.access.add_grant(&caller, new).await).await?;
    Ok((StatusCode::CREATED, Json(GrantShape::new(&grant, &keys, &users))))
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

/// The subject that a name or an identifier stands for. A revoked key gives its name up.
fn subject(given: &SubjectShape, keys: &[ApiKey], users: &[User]) -> Result<Subject, Problem> {
    let found = match given {
        SubjectShape::Group(text) => {
            let group = text.strip_prefix("group:").unwrap_or(text);
            let group = group
                .parse()
                .map_err(|error: portreeve_core::name::InvalidName| {
                    content::field("subject.group", error.to_string())
                })?;
            return Ok(Subject::Group(group));
        }
        SubjectShape::Key(text) => keys
            .iter()
            .filter(|key| key.revoked_at.is_none())
            .filter(|key| key.name == *text || key.id.to_string() == *text)
            .max_by_key(|key| key.created_at)
            .map(|key| Subject::Key(key.id)),
        SubjectShape::User(text) => users
            .iter()
            .find(|user| user.name == *text || user.id.to_string() == *text)
            .map(|user| Subject::User(user.id)),
        SubjectShape::Client(text) => text
            .parse()
            .ok()
            .map(|client| Subject::Client(ClientIdentity::of(&client))),
    };
    found.ok_or_else(|| match given {
        SubjectShape::Key(text) => content::field("subject.key", format!("there is no live key `{text}`"))
            .hint("`portreeve key list` shows the keys"),
        SubjectShape::User(text) => content::field("subject.user", format!("there is no user `{text}`"))
            .hint("`portreeve user list` shows the users"),
        SubjectShape::Client(text) => {
            content::field("subject.client", format!("there is no OAuth client `{text}`"))
                .hint("`portreeve client list` shows the clients")
        }
        SubjectShape::Group(text) => content::field("subject.group", format!("`{text}` is no group")),
    })
}
