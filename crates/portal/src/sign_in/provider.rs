//! Over an identity provider: away, back, and what it says when a session of its own ends.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::header::CACHE_CONTROL;
use http::{HeaderMap, StatusCode};
use portreeve_access::{Next, Returned};

use super::{Browser, Whence, enter_as};
use crate::failure::Failure;
use crate::fields::{Form, Query};
use crate::router::Portal;
use crate::visitor::Visitor;

/// Sends the browser to the provider. A link and not a form: the redirect would be checked against `form-action`.
pub(crate) async fn begin(
    State(portal): State<Arc<Portal>>,
    Path(provider): Path<String>,
    (whence, headers): (Whence, HeaderMap),
    Query(fields): Query,
) -> Result<Response, Failure> {
    let next = Next::read(fields.get("next"));
    let browser = Browser::known(&portal, &headers);
    let login = &portal.parts.login;
    let address = login
        .begin(&provider, &next, (&browser.secret, whence.address))
        .await?;
    Ok(browser.keep(Redirect::to(address.as_str()).into_response()))
}

/// Takes the browser back. Only the browser that was sent has the cookie that its `state` is bound to.
pub(crate) async fn back(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path(provider): Path<String>,
    (whence, headers): (Whence, HeaderMap),
    Query(fields): Query,
) -> Result<Response, Failure> {
    let text = |name: &str| fields.get(name).map(str::to_owned);
    let returned = Returned {
        state: text("state"),
        code: text("code"),
        issuer: text("iss"),
        error: text("error"),
        description: text("error_description"),
        agent: whence.agent,
    };
    let browser = portal.browser_cookie.read(&headers);
    let login = &portal.parts.login;
    let signed_in = login
        .finish(&provider, &returned, (browser.as_ref(), whence.address))
        .await?;
    enter_as(&portal, &visitor, &signed_in).await
}

/// Ends the sessions that the provider says are over. It has no cookie and no origin: its signature is what counts.
pub(crate) async fn logout(
    State(portal): State<Arc<Portal>>,
    Path(provider): Path<String>,
    form: Result<Form, Failure>,
) -> Response {
    let token = form
        .ok()
        .and_then(|Form(fields)| fields.get("logout_token").map(str::to_owned));
    let unstored = [(CACHE_CONTROL, "no-store")];
    let Some(token) = token else {
        let said = serde_json::json!({ "error": "invalid_request", "error_description": "there is no `logout_token`" });
        return (StatusCode::BAD_REQUEST, unstored, Json(said)).into_response();
    };
    match portal.parts.login.back_channel_logout(&provider, &token).await {
        Ok(ended) => {
            tracing::info!(provider, ended, "An identity provider ended sessions");
            (StatusCode::OK, unstored).into_response()
        }
        Err(error) => {
            tracing::warn!(%error, "An identity provider's logout was refused");
            let said =
                serde_json::json!({ "error": "invalid_request", "error_description": error.to_string() });
            (StatusCode::BAD_REQUEST, unstored, Json(said)).into_response()
        }
    }
}
