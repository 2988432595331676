//! `webhooks`: made, shown, changed, removed, tried; and their deliveries, looked at, sent again, dropped.

use axum::Json;
use axum::extract::State;
use axum::response::IntoResponse;
use http::{HeaderMap, StatusCode};
use portreeve_core::event::EventKind;
use portreeve_core::id::EventId;
use portreeve_core::name::WebhookName;
use portreeve_core::webhook::{DeliveryState, Webhook};
use portreeve_insight::WebhookError;
use serde::Deserialize;
use utoipa::IntoParams;

use super::servers::{Pages, read_expected};
use crate::content::Content;
use crate::credential::Known;
use crate::problem::Problem;
use crate::query::{PathParts, Query};
use crate::shapes::List;
use crate::shapes::webhook::{
    DeliveryCountShape, DeliveryShape, EventKindShape, NewWebhookShape, WebhookChangeShape, WebhookShape,
};
use crate::{Api, etag, paging};

/// Which deliveries are listed.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct DeliveriesQuery {
    /// Only those in this state: `waiting`, `delivered` or `dead`.
    state: Option<String>,
    /// The `nextCursor` of the page before.
    cursor: Option<String>,
    /// Items on the page, 1 to 200; 100 unless given.
    limit: Option<u64>,
}

/// List the kinds of events that webhooks are told of
#[utoipa::path(
    get, path = "/api/v1/webhook-events", tag = "webhooks", operation_id = "listEventKinds",
    params(crate::paging::Paging), responses((status = 200, body = List<EventKindShape>))
)]
pub(crate) async fn kinds(
    Known(_): Known,
    Query(paging): Pages,
) -> Result<Json<List<EventKindShape>>, Problem> {
    let page = paging.page(EventKind::ALL.to_vec(), ToString::to_string)?;
    Ok(Json(List {
        items: page.items.into_iter().map(EventKindShape::from).collect(),
        next_cursor: page.next_cursor,
    }))
}

/// List the webhooks
#[utoipa::path(
    get, path = "/api/v1/webhooks", tag = "webhooks", operation_id = "listWebhooks",
    params(crate::paging::Paging), responses((status = 200, body = List<WebhookShape>))
)]
pub(crate) async fn list(
    State(api): State<Api>,
    Known(caller): Known,
    Query(paging): Pages,
) -> Result<Json<List<WebhookShape>>, Problem> {
    let all = api.webhooks.list(&caller).await?;
    let page = paging.page(all, |webhook: &Webhook| webhook.name.to_string())?;
    Ok(Json(List {
        items: page.items.iter().map(WebhookShape::from).collect(),
        next_cursor: page.next_cursor,
    }))
}

/// Make a webhook
///
/// It is told what happens from now on. Every event is signed with the secret, as Standard Webhooks says.
#[utoipa::path(
    post, path = "/api/v1/webhooks", tag = "webhooks", operation_id = "createWebhook",
    request_body = NewWebhookShape, responses((status = 201, body = WebhookShape))
)]
pub(crate) async fn create(
    State(api): State<Api>,
    Known(caller): Known,
    Content(new): Content<NewWebhookShape>,
) -> Result<impl IntoResponse, Problem> {
    let webhook = api.webhooks.create(&caller, new.into_new()).await?;
    Ok((StatusCode::CREATED, tagged(&webhook)))
}

/// Show a webhook
#[utoipa::path(
    get, path = "/api/v1/webhooks/{webhook}", tag = "webhooks", operation_id = "getWebhook",
    params(("webhook" = String, Path, description = "The webhook's name")),
    responses((status = 200, body = WebhookShape,
        headers(("ETag" = String, description = "The webhook's revision"))))
)]
pub(crate) async fn show(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(name): PathParts<String>,
) -> Result<impl IntoResponse, Problem> {
    let webhook = api.webhooks.show(&caller, &webhook_name(&name)?).await?;
    Ok(tagged(&webhook))
}

/// Change a webhook
///
/// From then on it acts for who changed it. To replace the secret without losing an event, name the new one as `secret`
/// and the old one as `formerSecret`, until the receiver knows the new one.
#[utoipa::path(
    patch, path = "/api/v1/webhooks/{webhook}", tag = "webhooks", operation_id = "changeWebhook",
    params(
        ("webhook" = String, Path, description = "The webhook's name"),
        ("If-Match" = String, Header, description = "The webhook's `ETag`, or `*`")
    ),
    request_body = WebhookChangeShape,
    responses((status = 200, body = WebhookShape,
        headers(("ETag" = String, description = "The webhook's revision"))))
)]
pub(crate) async fn change(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(name): PathParts<String>,
    headers: HeaderMap,
    Content(change): Content<WebhookChangeShape>,
) -> Result<impl IntoResponse, Problem> {
    let name = webhook_name(&name)?;
    let expected = read_expected(&headers)?;
    let changed = api
        .webhooks
        .change(&caller, &name, (change.into_patch(), expected));
    let webhook = changed.await.map_err(|error| match error {
        WebhookError::Conflict { .. } => etag::stale(),
        error => error.into(),
    })?;
    Ok(tagged(&webhook))
}

/// Delete a webhook, with everything that waits for it
#[utoipa::path(
    delete, path = "/api/v1/webhooks/{webhook}", tag = "webhooks", operation_id = "deleteWebhook",
    params(("webhook" = String, Path, description = "The webhook's name")),
    responses((status = 204))
)]
pub(crate) async fn remove(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(name): PathParts<String>,
) -> Result<StatusCode, Problem> {
    api.webhooks.remove(&caller, &webhook_name(&name)?, None).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Send a ping to a webhook
///
/// Whatever kinds of events it takes. The ping is a delivery like any other: the answer says where to look for it.
#[utoipa::path(
    post, path = "/api/v1/webhooks/{webhook}/test", tag = "webhooks", operation_id = "testWebhook",
    params(("webhook" = String, Path, description = "The webhook's name")),
    responses((status = 202, body = DeliveryShape))
)]
pub(crate) async fn test(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(name): PathParts<String>,
) -> Result<impl IntoResponse, Problem> {
    let due = api.webhooks.test(&caller, &webhook_name(&name)?).await?;
    Ok((StatusCode::ACCEPTED, Json(DeliveryShape::from(due))))
}

/// List the deliveries of a webhook, newest first
///
/// Those that are `dead` were tried as often as they are, and wait for a person. What was delivered is kept for 7 days,
/// everything else for 30.
#[utoipa::path(
    get, path = "/api/v1/webhooks/{webhook}/deliveries", tag = "webhooks", operation_id = "listDeliveries",
    params(("webhook" = String, Path, description = "The webhook's name"), DeliveriesQuery),
    responses((status = 200, body = List<DeliveryShape>))
)]
pub(crate) async fn deliveries(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(name): PathParts<String>,
    Query(query): Query<DeliveriesQuery>,
) -> Result<Json<List<DeliveryShape>>, Problem> {
    let wrong = |what: &str| Problem::bad_request(format!("the query is wrong: {what}"));
    let state = match query.state.as_deref() {
        None => None,
        Some(word) => Some(
            DeliveryState::from_word(word)
                .ok_or_else(|| wrong("`state` must be `waiting`, `delivered` or `dead`"))?,
        ),
    };
    let before = match query.cursor.as_deref() {
        None => None,
        Some(text) => Some(
            text.parse::<i64>()
                .map_err(|_| wrong("`cursor` is not one of this list"))?,
        ),
    };
    let limit = u32::try_from(paging::limit(query.limit)?).unwrap_or(u32::MAX);
    let name = webhook_name(&name)?;
    let page = api
        .webhooks
        .deliveries(&caller, &name, (state, before, limit))
        .await?;
    Ok(Json(List {
        items: page.items.iter().map(DeliveryShape::from).collect(),
        next_cursor: page.next.map(|position| position.to_string()),
    }))
}

/// Show a delivery, with what is sent
#[utoipa::path(
    get, path = "/api/v1/webhooks/{webhook}/deliveries/{delivery}", tag = "webhooks", operation_id = "getDelivery",
    params(
        ("webhook" = String, Path, description = "The webhook's name"),
        ("delivery" = String, Path, description = "The event's identity")
    ),
    responses((status = 200, body = DeliveryShape))
)]
pub(crate) async fn delivery(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts((name, event)): PathParts<(String, String)>,
) -> Result<Json<DeliveryShape>, Problem> {
    let (name, event) = (webhook_name(&name)?, event_id(&event)?);
    let due = api.webhooks.delivery(&caller, &name, event).await?;
    Ok(Json(due.into()))
}

/// Send an event to a webhook again, from the first attempt on
#[utoipa::path(
    post, path = "/api/v1/webhooks/{webhook}/deliveries/{delivery}/send-again", tag = "webhooks",
    operation_id = "sendDeliveryAgain",
    params(
        ("webhook" = String, Path, description = "The webhook's name"),
        ("delivery" = String, Path, description = "The event's identity")
    ),
    responses((status = 202, body = DeliveryCountShape))
)]
pub(crate) async fn send_again(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts((name, event)): PathParts<(String, String)>,
) -> Result<impl IntoResponse, Problem> {
    let (name, event) = (webhook_name(&name)?, event_id(&event)?);
    let count = api.webhooks.send_again(&caller, &name, Some(event)).await?;
    Ok((StatusCode::ACCEPTED, Json(DeliveryCountShape { count })))
}

/// Send every dead event to a webhook again
#[utoipa::path(
    post, path = "/api/v1/webhooks/{webhook}/send-again", tag = "webhooks", operation_id = "sendDeadAgain",
    params(("webhook" = String, Path, description = "The webhook's name")),
    responses((status = 202, body = DeliveryCountShape))
)]
pub(crate) async fn send_dead_again(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(name): PathParts<String>,
) -> Result<impl IntoResponse, Problem> {
    let count = api
        .webhooks
        .send_again(&caller, &webhook_name(&name)?, None)
        .await?;
    Ok((StatusCode::ACCEPTED, Json(DeliveryCountShape { count })))
}

/// Drop a delivery: it is not sent any more
#[utoipa::path(
    delete, path = "/api/v1/webhooks/{webhook}/deliveries/{delivery}", tag = "webhooks",
    operation_id = "dropDelivery",
    params(
        ("webhook" = String, Path, description = "The webhook's name"),
        ("delivery" = String, Path, description = "The event's identity")
    ),
    responses((status = 204))
)]
pub(crate) async fn drop_one(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts((name, event)): PathParts<(String, String)>,
) -> Result<StatusCode, Problem> {
    let (name, event) = (webhook_name(&name)?, event_id(&event)?);
    api.webhooks.drop_deliveries(&caller, &name, Some(event)).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn tagged(webhook: &Webhook) -> impl IntoResponse + use<> {
    (
        etag::of_revision(webhook.revision),
        Json(WebhookShape::from(webhook)),
    )
}

fn webhook_name(text: &str) -> Result<WebhookName, Problem> {
    text.parse().map_err(|_| nothing("webhook", text))
}

fn event_id(text: &str) -> Result<EventId, Problem> {
    text.parse().map_err(|_| nothing("delivery", text))
}

/// A text that is no name names nothing.
fn nothing(what: &str, text: &str) -> Problem {
    let shown: String = text.chars().take(100).collect();
    Problem::new(StatusCode::NOT_FOUND, format!("there is no {what} `{shown}`"))
        .hint("list what there is and take a name or an id from there")
}
