//! In and out: `/sign-in` shows how people sign in here, `/admin/welcome` takes a one-time link, `/sign-out` ends the session,
//! and `/signed-out` says what may go on elsewhere.
//!
//! `?next=` says where the way goes on, on our own origin; every way in keeps it. A browser that is about to sign in has a
//! cookie of its own, to which the forms and the way over a provider are bound.

pub(crate) mod departed;
pub(crate) mod local;
pub(crate) mod provider;

use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::{FromRequestParts, State};
use axum::response::Response;
use http::header::{REFERRER_POLICY, SET_COOKIE, USER_AGENT};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, StatusCode};
use portreeve_access::{Next, SignedIn};
use portreeve_core::caller::PeerAddress;
use portreeve_core::secret::Secret;

use crate::failure::Failure;
use crate::fields::{Form, Query};
use crate::forms::Purpose;
use crate::frame;
use crate::router::Portal;
use crate::view::WelcomePage;
use crate::view::sign_in::{LocalForm, SignInPage};
use crate::visitor::Visitor;
use crate::words;

/// From where a request comes, and what its browser calls itself.
#[derive(Debug, Clone, Default)]
pub(crate) struct Whence {
    pub(crate) address: Option<IpAddr>,
    pub(crate) agent: Option<String>,
}

impl<S: Sync> FromRequestParts<S> for Whence {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        let agent = parts.headers.get(USER_AGENT);
        Ok(Self {
            address: parts.extensions.get::<PeerAddress>().map(|peer| peer.0),
            agent: agent.and_then(|agent| agent.to_str().ok()).map(str::to_owned),
        })
    }
}

/// The browser that is about to sign in, and its cookie if that must be set first.
pub(crate) struct Browser {
    pub(crate) secret: Secret,
    cookie: Option<HeaderValue>,
}

impl Browser {
    /// The browser behind a request. One that comes for the first time gets a cookie.
    pub(crate) fn known(portal: &Portal, headers: &HeaderMap) -> Self {
        if let Some(secret) = portal.browser_cookie.read(headers) {
            // Set anew, so that it does not end while its browser is away.
            let cookie = portal.browser_cookie.set(&secret);
            return Self { secret, cookie };
        }
        let secret = portal.parts.login.browser_secret();
        Self {
            cookie: portal.browser_cookie.set(&secret),
            secret,
        }
    }

    /// Sets the cookie where that is needed.
    pub(crate) fn keep(self, mut response: Response) -> Response {
        if let Some(cookie) = self.cookie {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
        response
    }
}

pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    headers: HeaderMap,
    Query(fields): Query,
) -> Result<Response, Failure> {
    let next = Next::read(fields.get("next"));
    show(&portal, &visitor, (&headers, next), None)
}

/// The page, perhaps with what was wrong with a name and a password.
pub(crate) fn show(
    portal: &Portal,
    visitor: &Visitor,
    (headers, next): (&HeaderMap, Next),
    wrong: Option<(StatusCode, LocalForm)>,
) -> Result<Response, Failure> {
    let browser = Browser::known(portal, headers);
    let login = &portal.parts.login;
    let (status, local) = match wrong {
        Some((status, form)) => (status, Some(form)),
        None => (StatusCode::OK, login.takes_passwords().then(LocalForm::default)),
    };
    let after = |name: &str| {
        let query = if next.is_home() {
            String::new()
        } else {
            format!("?next={}", words::encoded(next.as_str()))
        };
        format!("/sign-in/{name}{query}")
    };
    let page = SignInPage {
        shell: visitor.shell(portal, "Sign in", "sign-in"),
        providers: login
            .providers()
            .into_iter()
            .map(|provider| (after(&provider.name), provider.title))
            .collect(),
        local,
        next: next.as_str().to_owned(),
        token: portal.forms.token(Purpose::SignIn, &browser.secret),
    };
    let mut response = frame::html(status, &page)?;
    if !next.is_home() {
        // For who comes back by a one-time link, which knows nothing of it.
        let kept = portal
            .next_cookie
            .set(&Secret::new(words::encoded(next.as_str())));
        response
            .headers_mut()
            .extend(kept.map(|cookie| (SET_COOKIE, cookie)));
        response = frame::leading_on(response);
    }
    Ok(browser.keep(response))
}

/// Shows the form that spends the link. Looking does not spend it: chat programs and mail scanners look at links.
pub(crate) async fn welcome(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    headers: HeaderMap,
    Query(fields): Query,
) -> Result<Response, Failure> {
    let link = Secret::new(fields.get("link").ok_or(Failure::Link)?);
    let page = WelcomePage {
        shell: visitor.shell(&portal, "Welcome", "sign-in"),
        host: portal.parts.public_url.host_str().unwrap_or_default().to_owned(),
        link: link.expose().to_owned(),
        next: kept_next(&portal, fields.get("next"), &headers)
            .as_str()
            .to_owned(),
        token: portal.forms.token(Purpose::SignIn, &link),
    };
    let mut response = frame::html(StatusCode::OK, &page)?;
    if page.next != "/" {
        response = frame::leading_on(response);
    }
    let headers = response.headers_mut();
    // The address holds the link: no other request may repeat it. `no-referrer` would take the Origin from the form.
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("strict-origin"));
    Ok(response)
}

/// Spends the link, and starts the session. A former session of this browser ends.
pub(crate) async fn enter(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    (whence, headers): (Whence, HeaderMap),
    Form(fields): Form,
) -> Result<Response, Failure> {
    let link = Secret::new(fields.get("link").ok_or(Failure::Link)?);
    portal
        .forms
        .check_token(Purpose::SignIn, &link, fields.get("csrf"))?;
    let access = &portal.parts.access;
    let (caller, session) = access.sign_in(link.expose(), whence.agent.as_deref()).await?;
    let next = kept_next(&portal, fields.get("next"), &headers);
    let signed_in = SignedIn {
        caller,
        session,
        next,
    };
    enter_as(&portal, &visitor, &signed_in).await
}

/// Where the way goes on: as the address or the form says, else as the page to sign in was asked for it.
fn kept_next(portal: &Portal, said: Option<&str>, headers: &HeaderMap) -> Next {
    let said = Next::read(said);
    if !said.is_home() {
        return said;
    }
    let kept = portal.next_cookie.read(headers);
    let decoded = kept.map(|kept| {
        percent_encoding::percent_decode_str(kept.expose())
            .decode_utf8_lossy()
            .into_owned()
    });
    Next::read(decoded.as_deref())
}

/// Gives the browser its session and leads it on. A former session of this browser ends: nobody keeps one that somebody
/// else may have prepared.
pub(crate) async fn enter_as(
    portal: &Portal,
    visitor: &Visitor,
    signed_in: &SignedIn,
) -> Result<Response, Failure> {
    if let Some(former) = visitor.session()
        && let Err(error) = portal.parts.access.sign_out(former.expose()).await
    {
        tracing::warn!(%error, "the former session of a browser could not be ended");
    }
    let response = frame::redirect(signed_in.next.as_str());
    let mut response = with_cookie(response, portal.cookie.set(&signed_in.session))?;
    if !signed_in.next.is_home() {
        let cleared = portal.next_cookie.clear();
        let headers = response.headers_mut();
        cleared.into_iter().for_each(|cookie| {
            headers.append(SET_COOKIE, cookie);
        });
    }
    Ok(response)
}

pub(crate) async fn leave(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Form(fields): Form,
) -> Result<Response, Failure> {
    // Nobody signed in: there is nothing to end, and nothing to complain about.
    let mut ended = None;
    if let Some(session) = visitor.session() {
        visitor.check(&portal, Purpose::SignOut, fields.get("csrf"))?;
        ended = portal.parts.access.sign_out(session.expose()).await?;
    }
    let provider = ended.and_then(|session| portal.parts.login.left_behind(&session));
    // Never from here to the provider: browsers apply `form-action` to every redirect that follows a form.
    let to = provider.map_or_else(|| "/".to_owned(), |name| format!("/signed-out?from={name}"));
    with_cookie(frame::redirect(&to), portal.cookie.clear())
}

fn with_cookie(mut response: Response, cookie: Option<HeaderValue>) -> Result<Response, Failure> {
    let cookie = cookie.ok_or(Failure::Broken)?;
    response.headers_mut().insert(SET_COOKIE, cookie);
    Ok(response)
}
