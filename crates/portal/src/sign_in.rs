//! In and out: `/sign-in` explains, `/admin/welcome` takes a one-time link, `/sign-out` ends the session.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::header::{REFERRER_POLICY, SET_COOKIE};
use http::{HeaderValue, StatusCode};
use portreeve_core::secret::Secret;

use crate::failure::Failure;
use crate::fields::{Form, Query};
use crate::forms::Purpose;
use crate::frame;
use crate::router::Portal;
use crate::view::{SignInPage, WelcomePage};
use crate::visitor::Visitor;

pub(crate) async fn page(State(portal): State<Arc<Portal>>, visitor: Visitor) -> Result<Response, Failure> {
    let shell = visitor.shell(&portal, "Sign in", "sign-in");
    frame::html(StatusCode::OK, &SignInPage { shell })
}

/// Shows the form that spends the link. Looking does not spend it: chat programs and mail scanners look at links.
pub(crate) async fn welcome(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Query(fields): Query,
) -> Result<Response, Failure> {
    let link = Secret::new(fields.get("link").ok_or(Failure::Link)?);
    let page = WelcomePage {
        shell: visitor.shell(&portal, "Welcome", "sign-in"),
        host: portal.parts.public_url.host_str().unwrap_or_default().to_owned(),
        link: link.expose().to_owned(),
        token: portal.forms.token(Purpose::SignIn, &link),
    };
    let mut response = frame::html(StatusCode::OK, &page)?;
    let headers = response.headers_mut();
    // The address holds the link: no other request may repeat it. `no-referrer` would take the Origin from the form.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("strict-origin"));
    Ok(response)
}

/// Spends the link, and starts the session. A former session of this browser ends.
pub(crate) async fn enter(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Form(fields): Form,
) -> Result<Response, Failure> {
    let link = Secret::new(fields.get("link").ok_or(Failure::Link)?);
    portal
        .forms
        .check_token(Purpose::SignIn, &link, fields.get("csrf"))?;
    let access = &portal.parts.access;
    let (_, session) = access.sign_in(link.expose()).await?;
    if let Some(former) = visitor.session()
        && let Err(error) = access.sign_out(former.expose()).await
    {
        tracing::warn!(%error, "the former session of a browser could not be ended");
    }
    with_cookie(frame::redirect("/"), portal.cookie.set(&session))
}

pub(crate) async fn leave(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Form(fields): Form,
) -> Result<Response, Failure> {
    // Nobody signed in: there is nothing to end, and nothing to complain about.
    if let Some(session) = visitor.session() {
        visitor.check(&portal, Purpose::SignOut, fields.get("csrf"))?;
        portal.parts.access.sign_out(session.expose()).await?;
    }
    with_cookie(frame::redirect("/"), portal.cookie.clear())
}

fn with_cookie(mut response: Response, cookie: Option<HeaderValue>) -> Result<Response, Failure> {
    let cookie = cookie.ok_or(Failure::Broken)?;
    response.headers_mut().insert(SET_COOKIE, cookie);
    Ok(response)
}
