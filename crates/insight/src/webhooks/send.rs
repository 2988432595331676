//! One attempt: the event is signed and sent, and what comes back is one of three things.
//!
//! Of an answer only the head counts. A body is read for no longer than it takes to use the connection again, and a
//! redirect is a failure: where events go is what an administrator wrote down.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, header};
use portreeve_core::caller::Caller;
use portreeve_core::ports::{Due, Purpose};
use portreeve_core::time::Timestamp;
use portreeve_core::webhook::Webhook;
use portreeve_net::{Destination, Reach, ResponseBody, read_body};
use url::Url;

use super::retries::asked_for;
use super::sign::{SigningKey, seconds, signatures};
use super::{WebhookError, WebhookParts, may_be_told};

/// How much of an answer's body is read, and for how long, so that its connection can be used again.
const BODY: usize = 4 * 1024;
const BODY_TIME: Duration = Duration::from_secs(1);
/// Characters of a reason that are kept.
const REASON: usize = 300;

/// What an attempt came to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The receiver took it.
    Taken(u16),
    /// The receiver says that nobody is there any more.
    Gone(u16),
    /// It failed.
    Failed {
        /// The status that came back, if one did.
        status: Option<u16>,
        /// Why.
        reason: String,
        /// Until when the receiver asks to be left alone.
        not_before: Option<Timestamp>,
    },
}

impl Outcome {
    fn failed(reason: impl std::fmt::Display) -> Self {
        Self::Failed {
            status: None,
            reason: reason.to_string().chars().take(REASON).collect(),
            not_before: None,
        }
    }
}

/// Sends an event to a webhook.
pub(super) async fn attempt(parts: &WebhookParts, webhook: &Webhook, due: &Due) -> Outcome {
    let owner = Caller::acting_for(webhook.owner, &webhook.updated_by);
    if !may_be_told(&*parts.authorizer, &owner) {
        return Outcome::failed(format!(
            "`{}`, who saved this webhook last, may not operate this Portreeve any more; somebody who may can save it anew",
            webhook.updated_by
        ));
    }
    let keys = match keys(parts, webhook).await {
        Ok(keys) => keys,
        Err(error) => return Outcome::failed(error),
    };
    let now = parts.clock.now();
    let request = match request(webhook, due, (now, &keys)) {
        Ok(request) => request,
        Err(reason) => return Outcome::failed(reason),
    };
    let to = Url::parse(&webhook.url)
        .map_err(|error| error.to_string())
        .and_then(|url| {
            Destination::new(&url, &Reach::granted(&webhook.private_hosts)).map_err(|error| error.to_string())
        });
    let to = match to {
        Ok(to) => to,
        Err(reason) => return Outcome::failed(reason),
    };
    match parts
        .egress
        .send_to(&to, request, parts.limits.webhook_attempt)
        .await
    {
        Err(error) => Outcome::failed(error),
        Ok(response) => {
            let (head, body) = response.into_parts();
            finish(body).await;
            judged(head.status, &head.headers, parts.clock.now())
        }
    }
}

/// The keys that sign: the current one must be there, the former one counts while it is.
async fn keys(parts: &WebhookParts, webhook: &Webhook) -> Result<Vec<SigningKey>, WebhookError> {
    let mut keys = Vec::with_capacity(2);
    for name in webhook.secrets() {
        let opened = match parts.outgoing.open(name, Purpose::Deliver).await {
            Err(_) if !keys.is_empty() => continue,
            opened => opened?,
        };
        match SigningKey::read(&opened) {
            Ok(key) => keys.push(key),
            Err(_) if !keys.is_empty() => {}
            Err(problem) => {
                let name = name.clone();
                return Err(WebhookError::NoKey { name, problem });
            }
        }
    }
    Ok(keys)
}

fn request(
    webhook: &Webhook,
    due: &Due,
    (now, keys): (Timestamp, &[SigningKey]),
) -> Result<Request<Bytes>, http::Error> {
    let id = due.delivery.event.to_string();
    Request::builder()
        .method(Method::POST)
        .uri(&webhook.url)
        .header(header::CONTENT_TYPE, "application/json")
        .header(header::USER_AGENT, "Portreeve")
        .header("webhook-id", &id)
        .header("webhook-timestamp", seconds(now))
        .header("webhook-signature", signatures(keys, &id, now, &due.body))
        .body(Bytes::from(due.body.clone()))
}

/// Reads what little a receiver says, or leaves a long answer where it is: dropping it closes the connection.
async fn finish(body: ResponseBody) {
    let _ = read_body(body, BODY, BODY_TIME).await;
}

fn judged(status: StatusCode, headers: &HeaderMap, now: Timestamp) -> Outcome {
    let code = status.as_u16();
    if status.is_success() {
        return Outcome::Taken(code);
    }
    if status == StatusCode::GONE {
        return Outcome::Gone(code);
    }
    let reason = if status.is_redirection() {
        format!("the receiver answered {code}, and redirects are not followed")
    } else {
        format!("the receiver answered {code}")
    };
    let asked = headers.get(header::RETRY_AFTER);
    let asked = asked.and_then(|value| asked_for(value.to_str().ok()?, now));
    Outcome::Failed {
        status: Some(code),
        reason,
        not_before: asked.filter(|_| code == 429 || status.is_server_error()),
    }
}
