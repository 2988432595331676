//! JSON content of requests: of the right type, within the limits, with every field known.
//!
//! It comes after `credential.rs`; what it refuses names the field.

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request};
use http::{HeaderMap, StatusCode, header};
use http_body_util::LengthLimitError;
use portreeve_core::limits::Limits;
use serde::de::DeserializeOwned;

use crate::Api;
use crate::problem::Problem;

/// Content that must be there.
#[derive(Debug)]
pub(crate) struct Content<T>(pub(crate) T);

/// Content that may be left out: then everything in it has its default.
#[derive(Debug)]
pub(crate) struct MaybeContent<T>(pub(crate) T);

/// Content that is kept as it was sent.
#[derive(Debug)]
pub(crate) struct Document(pub(crate) String);

/// Content with many records, which may be larger than any other.
#[derive(Debug)]
pub(crate) struct LargeContent<T>(pub(crate) T);

impl FromRequest<Api> for Document {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Problem> {
        require_json(request.headers())?;
        let bytes = read(request.into_body(), &api.limits, api.limits.api_body_bytes).await?;
        match String::from_utf8(bytes.into()) {
            Ok(text) => Ok(Self(text)),
            Err(_) => Err(Problem::bad_request("the content is not UTF-8")),
        }
    }
}

impl<T: DeserializeOwned> FromRequest<Api> for LargeContent<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Problem> {
        require_json(request.headers())?;
        let bytes = read(request.into_body(), &api.limits, api.limits.import_batch_bytes).await?;
        parse(&bytes).map(Self)
    }
}

impl<T: DeserializeOwned> FromRequest<Api> for Content<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Problem> {
        require_json(request.headers())?;
        let bytes = read(request.into_body(), &api.limits, api.limits.api_body_bytes).await?;
        parse(&bytes).map(Self)
    }
}

impl<T: DeserializeOwned + Default> FromRequest<Api> for MaybeContent<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, api: &Api) -> Result<Self, Problem> {
        let (head, body) = request.into_parts();
        let bytes = read(body, &api.limits, api.limits.api_body_bytes).await?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        require_json(&head.headers)?;
        parse::<Option<T>>(&bytes).map(|content| Self(content.unwrap_or_default()))
    }
}

fn require_json(headers: &HeaderMap) -> Result<(), Problem> {
    let value = headers.get(header::CONTENT_TYPE);
    let value = value.and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") {
        return Ok(());
    }
    let detail = if essence.is_empty() {
        "the content has no type".to_owned()
    } else {
        format!("content of type `{essence}` is not read here")
    };
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail)
        .hint("send `Content-Type: application/json`"))
}

async fn read(body: Body, limits: &Limits, most: usize) -> Result<Bytes, Problem> {
    let whole = axum::body::to_bytes(body, most);
    match tokio::time::timeout(limits.body_read, whole).await {
        Err(_) => Err(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            format!(
                "the content did not arrive within {} s",
                limits.body_read.as_secs()
            ),
        )),
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) if is_too_long(&error) => Err(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("the content is longer than {most} bytes"),
        )),
        Ok(Err(_)) => Err(Problem::bad_request("the content broke off")),
    }
}

fn is_too_long(error: &axum::Error) -> bool {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.is::<LengthLimitError>() {
            return true;
        }
        cause = error.source();
    }
    false
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let value = serde_path_to_error::deserialize(&mut reader).map_err(|error| {
        let path = error.path().to_string();
        wrong(&path, error.into_inner())
    })?;
    match reader.end() {
        Ok(()) => Ok(value),
        Err(error) => Err(wrong(".", error)),
    }
}

fn wrong(path: &str, error: serde_json::Error) -> Problem {
    if !error.is_data() {
        return Problem::bad_request(format!("the content is not JSON: {error}"));
    }
    // The place in the text helps nobody who sent a structure; the path does.
    let message = error.to_string();
    let message = message
        .rsplit_once(" at line ")
        .map_or(message.as_str(), |(message, _)| message);
    let path = if path == "." { "" } else { path };
    Problem::unprocessable(path, message)
}

/// A problem of one field, for checks that need more than its type.
pub(crate) fn field(path: &str, message: impl Into<String>) -> Problem {
    Problem::unprocessable(path, message)
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(rename_all = "camelCase", deny_unknown_fields)]
    struct Sample {
        #[serde(rename = "maxCalls")]
        _max_calls: u32,
        #[serde(rename = "raw")]
        _raw: Option<Box<serde_json::value::RawValue>>,
    }

    async fn refusal(content: &str) -> (u16, String) {
        let response = parse::<Sample>(content.as_bytes()).unwrap_err().into_response();
        let status = response.status().as_u16();
        let bytes = axum::body::to_bytes(response.into_body(), 10_000).await.unwrap();
        let body: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        (status, body["detail"].as_str().unwrap().to_owned())
    }

    #[tokio::test]
    async fn the_field_that_is_wrong_is_named() {
        let unknown = refusal(r#"{"maxCalls":5,"maxcalls":6}"#).await;
        assert_eq!(unknown.0, 422);
        assert!(unknown.1.contains("unknown field `maxcalls`"), "{}", unknown.1);
        let wrong = refusal(r#"{"maxCalls":"5"}"#).await;
        assert_eq!(
            (wrong.0, wrong.1.starts_with("`maxCalls`: invalid type")),
            (422, true),
            "{}",
            wrong.1
        );
        let twice = refusal(r#"{"maxCalls":5,"maxCalls":6}"#).await;
        assert!(twice.1.contains("duplicate field `maxCalls`"), "{}", twice.1);
    }

    #[tokio::test]
    async fn what_is_not_json_is_a_bad_request() {
        for content in ["", "{", "{\"maxCalls\":5} x", "\u{0}"] {
            assert_eq!(refusal(content).await.0, 400, "{content}");
        }
    }

    #[test]
    fn raw_members_keep_their_bytes() {
        let sample = parse::<Sample>(br#"{"maxCalls":5,"raw":{"a": 1.0}}"#).unwrap();
        assert_eq!(
            sample._raw.map(|raw| raw.get().to_owned()),
            Some(r#"{"a": 1.0}"#.to_owned())
        );
    }
}
