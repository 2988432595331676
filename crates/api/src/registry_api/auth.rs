//! How a publisher gets a registry token: proofs of namespaces, one path for each kind.
//!
//! Before it: the publisher's program. After it: `access::publishing`, which looks into the proof.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use portreeve_access::{Claim, ProofError};
use serde_json::json;

use crate::Api;
use crate::content::MaybeContent;
use crate::problem::Problem;
use crate::query::PathParts;

/// `POST /v0.1/auth/{method}`
pub(crate) async fn prove(
    State(api): State<Api>,
    PathParts(method): PathParts<String>,
    MaybeContent(claim): MaybeContent<Claim>,
) -> Result<Response, Problem> {
    let granted = api.publishing.prove(&method, &claim).await?;
    let body = Json(json!({
        "registry_token": granted.token.expose(),
        "expires_at": granted.expires_at.as_millis() / 1_000,
    }));
    let no_store = HeaderValue::from_static("no-store");
    Ok(([(header::CACHE_CONTROL, no_store)], body).into_response())
}

impl From<ProofError> for Problem {
    fn from(error: ProofError) -> Self {
        let (detail, hint) = (error.to_string(), error.hint());
        match error {
            ProofError::UnknownMethod { .. } => Self::new(StatusCode::NOT_FOUND, detail),
            ProofError::SwitchedOff { .. } => Self::forbidden(detail),
            ProofError::Malformed { .. } => Self::new(StatusCode::UNPROCESSABLE_ENTITY, detail),
            ProofError::Busy => Self::new(StatusCode::TOO_MANY_REQUESTS, detail).wait(Duration::from_secs(1)),
            ProofError::TooOften { wait, .. } => Self::new(StatusCode::TOO_MANY_REQUESTS, detail).wait(wait),
            ProofError::State(_) => Self::new(StatusCode::SERVICE_UNAVAILABLE, detail),
            ProofError::Audit(cause) => {
                tracing::error!(error = %cause, "The audit log cannot be written.");
                Self::new(StatusCode::SERVICE_UNAVAILABLE, detail)
            }
            ProofError::Refused { .. } | ProofError::Unreachable { .. } => {
                Self::unauthenticated("Bearer", detail)
            }
        }
        .hint(hint)
    }
}
