//! Around every page: the visitor before it, the designed failure page and the headers after it.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{Html, IntoResponse, Redirect, Response};
use http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, VARY, X_CONTENT_TYPE_OPTIONS};
use http::{HeaderName, HeaderValue, Method, StatusCode};

use crate::failure::Failure;
use crate::router::Portal;
use crate::visitor::Visitor;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The same for pages whose form leads on to where a client waits: browsers apply `form-action` to every redirect that
/// follows a form, and would stop the one to the client (A-CD-10).
const LEADING_ON: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";

const FIXED: [(HeaderName, &str); 5] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), geolocation=(), microphone=(), payment=()",
    ),
];

/// Finds the visitor, calls the page, and turns a failure into its page.
pub(crate) async fn pages(State(portal): State<Arc<Portal>>, mut request: Request, next: Next) -> Response {
    let changes = !matches!(*request.method(), Method::GET | Method::HEAD);
    let mut visitor = Visitor::anonymous();
    let checked = if changes {
        portal.forms.check_origin(request.headers())
    } else {
        Ok(())
    };
    let found = match checked {
        Ok(()) => Visitor::find(&portal, request.headers()).await,
        Err(refused) => Err(refused),
    };
    let mut response = match found {
        Ok(found) => {
            visitor = found.clone();
            request.extensions_mut().insert(found);
            next.run(request).await
        }
        Err(failure) => failure.into_response(),
    };
    if let Some(failure) = response.extensions_mut().remove::<Failure>() {
        response = failure.page(&portal, &visitor);
    }
    let headers = response.headers_mut();
    // Pages of a session must not come back from a cache after signing out.
    let caching = if visitor.is_signed_in() || changes {
        "no-store"
    } else {
        "private, no-cache"
    };
    headers.insert(CACHE_CONTROL, HeaderValue::from_static(caching));
    headers.insert(VARY, HeaderValue::from_static("cookie"));
    response
}

/// Puts the fixed headers on every answer, assets included.
pub(crate) async fn security_headers(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    let leads_back = path.starts_with("/authorize") || path.starts_with("/sign-in");
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    if leads_back {
        // A host that opened these in a window of its own waits for that window's word from the page behind them.
        let none = HeaderValue::from_static("unsafe-none");
        headers
            .entry(HeaderName::from_static("cross-origin-opener-policy"))
            .or_insert(none);
    }
    for (name, value) in FIXED {
        // A page may have a stricter policy of its own.
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
    headers
        .entry(REFERRER_POLICY)
        .or_insert(HeaderValue::from_static("same-origin"));
    response
}

/// Writes a template out.
pub(crate) fn html(status: StatusCode, template: &impl Template) -> Result<Response, Failure> {
    Ok((status, Html(text(template)?)).into_response())
}

/// The same as a text.
pub(crate) fn text(template: &impl Template) -> Result<String, Failure> {
    template.render().map_err(|error| {
        tracing::error!(%error, "a page could not be written");
        Failure::Broken
    })
}

/// Lets the forms of a page lead on beyond this site.
pub(crate) fn leading_on(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(LEADING_ON));
    response
}

/// Sends the browser to the sign-in, which leads back to `here`.
pub(crate) fn sign_in_first(here: &str) -> Response {
    redirect(&format!("/sign-in?next={here}"))
}

/// Sends the browser elsewhere on this site, as a GET.
pub(crate) fn redirect(to: &str) -> Response {
    Redirect::to(to).into_response()
}
