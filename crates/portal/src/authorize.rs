//! `/authorize`: a program wants to act in the visitor's name. Who is not signed in signs in first, and comes back.
//!
//! Nothing of the request is in a cookie, and nothing waits before there is a session: what waits is bound to the session
//! that it was shown in, so that no other browser can be led to decide it.

use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_SECURITY_POLICY, LOCATION, REFERRER_POLICY, X_FRAME_OPTIONS};
use http::{HeaderValue, StatusCode, Uri};
use portreeve_access::{Begun, Choice, Destination, Fresh, Writing};
use portreeve_core::secret::Secret;
use url::{Host, form_urlencoded};

use crate::failure::Failure;
use crate::fields::Form;
use crate::forms::Purpose;
use crate::frame;
use crate::router::Portal;
use crate::sign_in::Whence;
use crate::view::{ConsentPage, ConsentParts};
use crate::visitor::Visitor;

/// Says in the address that the visitor signed in for this request. Who adds it gets a page more, and nothing else.
const SIGNED_IN: &str = "portreeve_signed_in";

/// Bytes of a query: an address that signing in leads back to holds it twice encoded.
const QUERY_BYTES: usize = 8 * 1024;

/// The policy of the page. It has no `form-action`: browsers apply that to where the answer is sent on to, which is the
/// client's own address, and the forms of this page are written by us alone.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
     connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";

pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    (whence, uri): (Whence, Uri),
) -> Result<Response, Failure> {
    let query = uri.query().unwrap_or_default();
    if query.len() > QUERY_BYTES {
        return Err(Failure::Client {
            text: "The request has more than 8 KiB.".to_owned(),
        });
    }
    let mut pairs: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let before = pairs.len();
    pairs.retain(|(name, _)| name != SIGNED_IN);
    let fresh = if pairs.len() < before {
        Fresh::Yes
    } else {
        Fresh::No
    };
    let who = visitor.session().map(|session| (&visitor.caller, session));
    match portal
        .parts
        .oauth
        .begin(who, &pairs, (fresh, whence.address))
        .await?
    {
        Begun::SignIn => Ok(sign_in(&pairs)),
        Begun::Answer(to) => leave(&to),
        Begun::Ask(asked) => {
            let token = bound(&portal, &visitor, asked.request.expose())?;
            let parts = ConsentParts {
                asked: &asked,
                label: &visitor.caller.label,
                token,
            };
            let shell = visitor.shell(&portal, "Connect a program", "");
            let response = frame::html(StatusCode::OK, &ConsentPage::new(shell, &parts))?;
            Ok(guarded(&portal, response))
        }
    }
}

pub(crate) async fn decide(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Form(fields): Form,
) -> Result<Response, Failure> {
    let request = fields.text("request");
    let session = visitor.session().ok_or_else(|| Failure::forbidden(&visitor))?;
    let right = bound_to(session, &request);
    let checked = portal
        .forms
        .check_token(Purpose::Authorize, &right, fields.get("csrf"));
    if let Err(forged) = checked {
        portal.parts.oauth.note_forgery(&visitor.caller, &request).await?;
        return Err(forged);
    }
    let choice = match fields.get("decision") {
        Some("allow") => Choice::Allow {
            resource: fields.get("resource").map(str::to_owned),
            writing: match fields.get("write") {
                Some("yes") => Writing::Allowed,
                _ => Writing::Refused,
            },
        },
        _ => Choice::Refuse,
    };
    let who = (&visitor.caller, session);
    let to = portal.parts.oauth.decide(who, &request, &choice).await?;
    leave(&to)
}

/// The token of the form: of this session and of this request, so that two tabs have two.
fn bound(portal: &Portal, visitor: &Visitor, request: &str) -> Result<String, Failure> {
    let session = visitor.session().ok_or_else(|| Failure::forbidden(visitor))?;
    Ok(portal
        .forms
        .token(Purpose::Authorize, &bound_to(session, request)))
}

fn bound_to(session: &Secret, request: &str) -> Secret {
    Secret::new(format!("{}\n{request}", session.expose()))
}

/// To the sign-in, and from there back to this request.
fn sign_in(pairs: &[(String, String)]) -> Response {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(pairs).append_pair(SIGNED_IN, "yes");
    let next = format!("/authorize?{}", query.finish());
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.append_pair("next", &next);
    frame::redirect(&format!("/sign-in?{}", query.finish()))
}

/// To the client. Its address was registered, so it may be of another origin, or of a program of the system.
fn leave(to: &Destination) -> Result<Response, Failure> {
    let location = HeaderValue::try_from(&to.0).map_err(|_| Failure::Broken)?;
    let mut response = (StatusCode::SEE_OTHER, [(LOCATION, location)]).into_response();
    let headers = response.headers_mut();
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    Ok(response)
}

/// The headers of the page.
fn guarded(portal: &Portal, mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    // Without a referrer, forms have no origin either. On plain http beyond this machine nothing else tells browsers'
    // forms from those of other sites.
    let url = &portal.parts.public_url;
    let is_local = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    };
    let referrer = if url.scheme() == "https" || is_local {
        "no-referrer"
    } else {
        "strict-origin"
    };
    headers.insert(REFERRER_POLICY, HeaderValue::from_static(referrer));
    response
}
