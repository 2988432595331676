//! How the sample API refuses: RFC 9457, with a sentence that helps.

use axum::body::Bytes;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use serde::de::DeserializeOwned;
use serde_json::json;

/// A refusal.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    title: &'static str,
    detail: Option<String>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, title: &'static str) -> Self {
        Self {
            status,
            title,
            detail: None,
        }
    }

    /// There is none.
    pub(super) fn missing(title: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, title).with(detail)
    }

    /// Not as things are.
    pub(super) fn conflict(title: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, title).with(detail)
    }

    /// The request is not what the description asks for.
    pub(super) fn unfit(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, "The request does not fit").with(detail)
    }

    fn with(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }
}

/// Reads a JSON body.
pub(super) fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Problem> {
    let reader = &mut serde_json::Deserializer::from_slice(body);
    serde_path_to_error::deserialize(reader)
        .map_err(|error| Problem::unfit(format!("{}: {}", error.path(), error.inner())))
}

/// Checks a text's length in characters.
pub(super) fn fits(name: &str, text: &str, longest: usize) -> Result<(), Problem> {
    match text.chars().count() {
        0 => Err(Problem::unfit(format!("{name}: it is empty"))),
        count if count > longest => Err(Problem::unfit(format!(
            "{name}: it has more than {longest} characters"
        ))),
        _ => Ok(()),
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = json!({"title": self.title, "status": self.status.as_u16()});
        if let Some(detail) = self.detail {
            body["detail"] = detail.into();
        }
        let kind = [(CONTENT_TYPE, "application/problem+json")];
        (self.status, kind, body.to_string()).into_response()
    }
}
