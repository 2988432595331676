//! The endpoints of the authorization server that programs ask. Pages (`/authorize`) are the portal's.
//!
//! Before it: a host that was refused with a challenge, or a browser's page of any origin. After it: `access`, which holds
//! every rule. A refusal has the form of RFC 6749, section 5.2, not that of our own APIs: hosts read it.

mod answer;
mod form;

use std::net::IpAddr;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use http::{Extensions, HeaderValue, Method, StatusCode, header};
use http_body_util::{BodyExt as _, Limited};
use portreeve_access::{Access, AuthorizationServer, OauthError, TokenRequest};
use portreeve_core::caller::PeerAddress;
use serde_json::{Value, json};

use crate::cors::{self, Methods};

use answer::{refused, refused_by};
use form::Form;

/// Bytes of a form or of a registration that are read: what is longer is told so by the room.
const BODY_BYTES: usize = 64 * 1024;

/// What the handlers share.
#[derive(Clone)]
struct Server {
    oauth: Arc<AuthorizationServer>,
    access: Arc<Access>,
}

/// The router of the endpoints.
pub(crate) fn router(oauth: Arc<AuthorizationServer>, access: Arc<Access>) -> Router {
    let read = Router::new()
        .route("/.well-known/oauth-authorization-server", get(metadata))
        .route("/.well-known/openid-configuration", get(metadata))
        .route("/jwks.json", get(keys))
        .layer(from_fn(readable));
    let sent = Router::new()
        .route("/token", post(token))
        .route("/register", post(register))
        .route("/revoke", post(revoke))
        .method_not_allowed_fallback(|| async {
            let error = json!({ "error": "invalid_request", "error_description": "only POST works here" });
            (
                StatusCode::METHOD_NOT_ALLOWED,
                [(header::ALLOW, "OPTIONS, POST")],
                Json(error),
            )
        })
        .layer(from_fn(sendable));
    read.merge(sent).with_state(Server { oauth, access })
}

/// Pages of any origin may ask: no cookie counts here.
async fn readable(request: Request, next: Next) -> Response {
    shared(Methods::Read, request, next).await
}

async fn sendable(request: Request, next: Next) -> Response {
    let mut response = shared(Methods::Send, request, next).await;
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    response
}

async fn shared(methods: Methods, request: Request, next: Next) -> Response {
    if request.method() == Method::OPTIONS {
        return cors::preflight(methods, request.headers());
    }
    let mut response = next.run(request).await;
    cors::allow(methods, response.headers_mut());
    let nosniff = HeaderValue::from_static("nosniff");
    response
        .headers_mut()
        .insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
    response
}

/// RFC 8414, and what OpenID Connect calls the same.
async fn metadata(State(server): State<Server>) -> Response {
    let kept = [(header::CACHE_CONTROL, "public, max-age=300")];
    (kept, Json(server.oauth.metadata())).into_response()
}

/// RFC 7517: the keys that access tokens are signed with.
async fn keys(State(server): State<Server>) -> Response {
    match server.access.jwks().await {
        Ok(keys) => ([(header::CACHE_CONTROL, "public, max-age=300")], Json(keys)).into_response(),
        Err(error) => {
            tracing::error!(%error, "The signing keys cannot be shown.");
            let problem = json!({ "error": "temporarily_unavailable", "error_description": "the keys cannot be read: try again in a moment" });
            (StatusCode::SERVICE_UNAVAILABLE, Json(problem)).into_response()
        }
    }
}

/// RFC 6749, section 3.2.
async fn token(State(server): State<Server>, request: Request) -> Response {
    let form = match Form::read(request).await {
        Ok(form) => form,
        Err(refused) => return refused,
    };
    let asked = TokenRequest {
        grant_type: form.text("grant_type"),
        credential: form.credential(),
        code: form.secret("code"),
        redirect_uri: form.text("redirect_uri"),
        code_verifier: form.secret("code_verifier"),
        refresh_token: form.secret("refresh_token"),
        assertion: form.secret("assertion"),
        scope: form.text("scope"),
        resources: form.all("resource"),
    };
    match server.oauth.token(&asked).await {
        Ok(answer) => {
            let mut body = json!({
                "access_token": answer.access_token.expose(),
                "token_type": "Bearer",
                "expires_in": answer.expires_in.as_secs(),
                "scope": answer.scope.to_string(),
            });
            if let (Some(refresh), Some(fields)) = (&answer.refresh_token, body.as_object_mut()) {
                fields.insert("refresh_token".to_owned(), refresh.expose().into());
            }
            Json(body).into_response()
        }
        Err(error) => refused_by(&error, form.used_basic()),
    }
}

/// RFC 7009.
async fn revoke(State(server): State<Server>, request: Request) -> Response {
    let form = match Form::read(request).await {
        Ok(form) => form,
        Err(refused) => return refused,
    };
    let token = form.text("token");
    match server.oauth.revoke(&form.credential(), token.as_deref()).await {
        Ok(()) => StatusCode::OK.into_response(),
        Err(error) => refused_by(&error, form.used_basic()),
    }
}

/// RFC 7591.
async fn register(State(server): State<Server>, request: Request) -> Response {
    let from = peer(request.extensions());
    let (head, body) = request.into_parts();
    let is_json = head
        .headers
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .is_some_and(|kind| kind.split(';').next().unwrap_or_default().trim() == "application/json");
    if !is_json {
        return refused(
            StatusCode::BAD_REQUEST,
            "invalid_client_metadata",
            "send `application/json`",
        );
    }
    let Some(body) = read(body).await else {
        return refused(
            StatusCode::BAD_REQUEST,
            "invalid_client_metadata",
            "the metadata has more than 16 KiB",
        );
    };
    let registered: Result<Value, OauthError> = server.oauth.register(from, &body).await;
    match registered {
        Ok(client) => (StatusCode::CREATED, Json(client)).into_response(),
        Err(error) => refused_by(&error, form::Basic::Unused),
    }
}

/// Where the connection comes from.
fn peer(extensions: &Extensions) -> Option<IpAddr> {
    extensions.get::<PeerAddress>().map(|peer| peer.0)
}

/// A whole body, unless it is too long or does not arrive.
async fn read(body: Body) -> Option<Bytes> {
    let read = Limited::new(body, BODY_BYTES).collect().await.ok()?;
    Some(read.to_bytes())
}
