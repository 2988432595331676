//! One request to the API: to its origin and below its base path, with the gateway's own fields and the route's
//! credential. Sent again only where twice does what once does, within a budget.

use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, RETRY_AFTER, USER_AGENT};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use portreeve_core::rest::{Binding, Retry};
use portreeve_mcp::header::TRACEPARENT;
use portreeve_net::{Destination, Egress, NetError, Phase, ResponseBody};
use tokio::time::Instant;

use super::credential::Presented;
use super::{Api, Base};
use crate::translate::rest::RestRequest;

const AGENT: &str = concat!("portreeve/", env!("CARGO_PKG_VERSION"));

/// How often a request is sent at most.
const TRIES: u32 = 3;
/// The wait before the second time; twice as long before the third. Up to as much again is added at random.
const PAUSE: Duration = Duration::from_millis(50);
/// Longest wait that an API may ask for before the gateway leaves it to the caller.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// A retry is paid with what so many requests bring in: an API that fails gets a tenth more requests at most.
pub(super) const COST: i64 = 10;
/// Retries that are there at the beginning, and never more.
pub(super) const RETRIES_AT_ONCE: i64 = 20;

/// One call on its way: what all its requests share.
pub(super) struct Trip<'a> {
    pub(super) egress: &'a Egress,
    pub(super) binding: &'a Binding,
    pub(super) base: &'a Base,
    pub(super) timeout: Duration,
    /// By when the head of the answer must be there, retries included.
    pub(super) deadline: Instant,
    pub(super) traceparent: Option<&'a str>,
    pub(super) credentials: Presented,
}

/// Why there is no answer.
pub(super) enum NotSent {
    /// The network, or the egress guard.
    Net(NetError),
    /// The credential has no form that could be sent.
    Credential,
}

/// A path and a query, both encoded, on the origin of a base.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target {
    pub(super) path: String,
    pub(super) query: String,
}

/// A query without the parameter of a name: an API that names its next page may repeat what it was shown.
fn without(query: &str, name: &str) -> String {
    let is_other = |pair: &&str| {
        let named = pair.split('=').next().unwrap_or_default();
        let decoded = percent_encoding::percent_decode_str(named).decode_utf8_lossy();
        !decoded.eq_ignore_ascii_case(name)
    };
    let others: Vec<&str> = query.split('&').filter(is_other).collect();
    others.join("&")
}

impl Trip<'_> {
    /// Where a request goes. The path is the gateway's own writing, so it is one.
    pub(super) fn destination(&self, request: &RestRequest) -> Result<Destination, NetError> {
        self.at(&Target {
            path: format!("{}{}", self.base.path(), request.path),
            query: request.query.clone(),
        })
    }

    /// Where a target on the base's origin is, with the credentials that stand in the query.
    pub(super) fn at(&self, target: &Target) -> Result<Destination, NetError> {
        let base = self.base.destination.as_ref().map_err(Clone::clone)?;
        let mut path = target.path.clone();
        let mut query = target.query.clone();
        let mut parts = Vec::new();
        for (name, own) in self.credentials.query() {
            query = without(&query, name);
            parts.push(own);
        }
        parts.push(query);
        let mut mark = '?';
        for part in parts.iter().filter(|part| !part.is_empty()) {
            path.push(mark);
            path.push_str(part);
            mark = '&';
        }
        base.at(&path)
    }

    /// The fields; `None` when a credential is nothing that a field holds.
    fn fields(&self, request: &RestRequest) -> Option<HeaderMap> {
        let mut headers = request.headers.clone();
        headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        let accept = self.binding.answers.accept.join(", ");
        let accept = HeaderValue::from_str(&accept)
            .ok()
            .filter(|accept| !accept.is_empty())
            .unwrap_or(HeaderValue::from_static("*/*"));
        headers.insert(ACCEPT, accept);
        if let Some(body) = &request.body {
            headers.insert(CONTENT_TYPE, body.content_type.clone());
        }
        if let Some(Ok(trace)) = self.traceparent.map(HeaderValue::from_str) {
            headers.insert(TRACEPARENT, trace);
        }
        self.credentials.put(&mut headers)?;
        Some(headers)
    }
}

impl Api {
    /// Sends a request, and again while that is allowed and of use.
    pub(super) async fn send(
        &self,
        trip: &Trip<'_>,
        to: &Destination,
        request: &RestRequest,
    ) -> Result<Response<ResponseBody>, NotSent> {
        let headers = trip.fields(request).ok_or(NotSent::Credential)?;
        let method = Method::from_bytes(trip.binding.method.as_str().as_bytes()).unwrap_or_default();
        let body = request
            .body
            .as_ref()
            .map_or_else(Bytes::new, |body| body.bytes.clone());
        let mut tries = 1;
        loop {
            let mut sent = Request::new(body.clone());
            *sent.method_mut() = method.clone();
            *sent.headers_mut() = headers.clone();
            let began = Instant::now();
            let left = trip.deadline.saturating_duration_since(began);
            let answer = trip
                .egress
                .send_to(to, sent, left)
                .await
                .map_err(|error| match error {
                    // What was left of the time is nobody's setting.
                    NetError::Timeout { host, phase, .. } => NetError::Timeout {
                        host,
                        phase,
                        limit: trip.timeout,
                    },
                    other => other,
                });
            let status = answer.as_ref().ok().map(Response::status);
            self.commons
                .metrics
                .rest_answered(&self.route, status, began.elapsed());
            self.retries
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                    Some((left + 1).min(RETRIES_AT_ONCE * COST))
                })
                .ok();
            let Some(pause) = self.pause(trip, &answer, tries) else {
                return answer.map_err(NotSent::Net);
            };
            tokio::time::sleep(pause).await;
            tries += 1;
        }
    }

    /// How long to wait before the request is sent again; `None`: it is not.
    fn pause(
        &self,
        trip: &Trip<'_>,
        answer: &Result<Response<ResponseBody>, NetError>,
        tries: u32,
    ) -> Option<Duration> {
        if trip.binding.retry != Retry::Safe || tries >= TRIES {
            return None;
        }
        let asked = match answer {
            Ok(answer) => match answer.status() {
                StatusCode::BAD_GATEWAY | StatusCode::SERVICE_UNAVAILABLE | StatusCode::GATEWAY_TIMEOUT => {
                    seconds(answer.headers()).unwrap_or_default()
                }
                // Without a time it is the caller who is too fast, not the API that is out of breath.
                StatusCode::TOO_MANY_REQUESTS => seconds(answer.headers())?,
                _ => return None,
            },
            Err(NetError::Connect { .. } | NetError::Exchange { .. })
            | Err(NetError::Timeout {
                phase: Phase::Connect | Phase::Handshake,
                ..
            }) => Duration::ZERO,
            Err(_) => return None,
        };
        let mut random = [0_u8; 1];
        self.commons.rng.fill(&mut random);
        let [random] = random;
        let own = PAUSE * 2_u32.pow(tries - 1);
        let pause = asked.max(own + own * u32::from(random) / 256);
        let is_in_time = Instant::now() + pause < trip.deadline && asked <= LONGEST_PAUSE;
        let paid = || {
            self.retries
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
                    (left >= COST).then_some(left - COST)
                })
        };
        (is_in_time && paid().is_ok()).then_some(pause)
    }
}

/// `Retry-After` in seconds. A date is left to the caller.
pub(super) fn seconds(headers: &HeaderMap) -> Option<Duration> {
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?;
    text.trim().parse().ok().map(Duration::from_secs)
}
