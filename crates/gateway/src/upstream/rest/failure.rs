//! Failures of an API as words that a model can act on: what happened, and whether to change the arguments, wait or give
//! up. Never the API's address, and no secret.

use http::header::CONTENT_TYPE;
use http::response::Parts;
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt as _;
use portreeve_client::exchange::essence;
use portreeve_core::rest::{Binding, Retry};
use portreeve_net::{NetError, Phase, ResponseBody};
use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::credential::Presented;
use super::exchange::seconds;
use super::results::{Outcome, beginning};

/// The API could not be asked, or its answer did not come.
pub(super) fn unreached(error: &NetError, binding: &Binding) -> Outcome {
    let unknown = match binding.retry {
        Retry::Safe => "Try again later.",
        Retry::Never => "Whether it did what was asked is not known: look before you try again.",
    };
    Outcome::failure(match error {
        NetError::Timeout {
            phase: Phase::Head,
            limit,
            ..
        } => format!("The API did not answer within {} s. {unknown}", limit.as_secs_f64()),
        NetError::Timeout { .. } | NetError::Connect { .. } | NetError::Resolve { .. } => {
            "The API cannot be reached just now. Nothing was done. Try again later.".to_owned()
        }
        NetError::Refused { .. } => {
            "The gateway does not let this request out: an administrator must grant the API's host to the server."
                .to_owned()
        }
        NetError::Exchange { .. } | NetError::BodyBroken(_) => {
            format!("The connection to the API broke before its answer was there. {unknown}")
        }
        NetError::BodyTooLarge { limit } => {
            format!("The API's answer is longer than {limit} bytes. Ask for less of it.")
        }
        NetError::BodyLate { limit } => format!(
            "The API's answer did not arrive whole within {} s. {unknown}",
            limit.as_secs_f64()
        ),
        NetError::Tls { .. } => {
            "The API does not show a certificate that the gateway trusts. Nothing was done; tell an administrator."
                .to_owned()
        }
        _ => "The gateway cannot reach the API. Nothing was done; tell an administrator.".to_owned(),
    })
}

/// The vault has nothing to show to the API.
pub(super) fn without_credential() -> Outcome {
    Outcome::failure(
        "The gateway's credential for this API cannot be used. Nothing was done; tell an administrator.",
    )
}

/// The API answered with a status that is no success. What it says is told without the credentials that it was shown.
pub(super) async fn refused(
    (head, body): (&Parts, ResponseBody),
    most: usize,
    deadline: Instant,
    shown: &Presented,
) -> Outcome {
    let status = head.status;
    let mut text = format!("The API answered {}", status.as_u16());
    if let Some(reason) = status.canonical_reason() {
        text.push(' ');
        text.push_str(reason);
    }
    text.push('.');
    let detail = shown.redact(detail(&head.headers, &some(body, most, deadline).await));
    if !detail.is_empty() {
        text.push_str(" It says: ");
        text.push_str(&beginning(&detail, most));
    }
    if let Some(hint) = hint(status, &head.headers) {
        text.push(' ');
        text.push_str(&hint);
    }
    Outcome {
        status: Some(status),
        ..Outcome::failure(text)
    }
}

fn hint(status: StatusCode, headers: &HeaderMap) -> Option<String> {
    if let Some(wait) = seconds(headers) {
        return Some(format!("Try again in {} s.", wait.as_secs()));
    }
    let words = match status.as_u16() {
        300..=399 => "The gateway follows no redirects. Tell an administrator.",
        400 | 422 => "Change the arguments.",
        401 => "It wants another credential than the gateway has for it. Tell an administrator.",
        403 => "The gateway's credential does not allow this.",
        404 | 410 => "What the arguments name is not there.",
        429 => "Wait a while before you try again.",
        500..=599 => "It is the API that failed, not the arguments.",
        _ => return None,
    };
    Some(words.to_owned())
}

/// What a body says: JSON as it is, a text without what cannot be seen; a page for people says nothing here.
fn detail(headers: &HeaderMap, bytes: &[u8]) -> String {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .map(essence)
        .unwrap_or_default()
        .to_ascii_lowercase();
    if kind.contains("html") || kind.starts_with("image/") || bytes.contains(&0) {
        return String::new();
    }
    match serde_json::from_slice::<Value>(bytes) {
        Ok(value) => value.to_string(),
        Err(_) => String::from_utf8_lossy(bytes)
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
            .chars()
            .filter(|one| !one.is_control())
            .collect(),
    }
}

/// The beginning of a body.
async fn some(mut body: ResponseBody, most: usize, deadline: Instant) -> Vec<u8> {
    let mut read = Vec::new();
    while read.len() < most {
        let Ok(Some(Ok(frame))) = timeout_at(deadline, body.frame()).await else {
            break;
        };
        if let Some(data) = frame.data_ref() {
            let room = most - read.len();
            read.extend_from_slice(data.get(..room.min(data.len())).unwrap_or_default());
        }
    }
    read
}
