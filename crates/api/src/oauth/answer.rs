//! Refusals as RFC 6749, section 5.2 writes them.

use axum::Json;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use portreeve_access::{OauthCode, OauthError};
use serde_json::json;

use super::form::Basic;

/// A refusal with a status.
pub(super) fn refused(status: StatusCode, code: &str, description: &str) -> Response {
    let body = json!({ "error": code, "error_description": description });
    (status, Json(body)).into_response()
}

/// A refusal of the room. Who used `Authorization` is answered in its terms.
pub(super) fn refused_by(error: &OauthError, basic: Basic) -> Response {
    let status = match error.code {
        OauthCode::InvalidClient if basic == Basic::Used => StatusCode::UNAUTHORIZED,
        OauthCode::AccessDenied => StatusCode::FORBIDDEN,
        OauthCode::SlowDown => StatusCode::TOO_MANY_REQUESTS,
        OauthCode::TemporarilyUnavailable => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::BAD_REQUEST,
    };
    let mut response = refused(status, error.code.as_str(), &error.description);
    let headers = response.headers_mut();
    if status == StatusCode::UNAUTHORIZED {
        let challenge = HeaderValue::from_static("Basic realm=\"portreeve\"");
        headers.insert(header::WWW_AUTHENTICATE, challenge);
    }
    if let Some(wait) = error.wait {
        headers.insert(header::RETRY_AFTER, wait.as_secs().max(1).into());
    }
    response
}
