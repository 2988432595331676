//! A server that is no entry: looked at and judged as one, for the partner programme. Whatever an assessment would say of it
//! once it is registered is said before.
//!
//! Before: `partners::sight` has a document and an address. After: the checks of partners read what was seen.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, header};
use portreeve_client::{Connection, Lines, Probe, Upstream, probe};
use portreeve_core::limits::Limits;
use portreeve_core::random::Rng;
use portreeve_core::time::Timestamp;
use portreeve_mcp::server_json::ServerJson;
use portreeve_net::{Egress, Reach};
use serde_json::{Map, Value, json};
use url::Url;

use super::authorization::Issuer;
use super::authorization::follow::Follow;
use super::look::{Seen, Sight};
use super::tls::Shown;
use super::{Finding, Subject, ask, authorization, links, poisoning, tls, tool_quality};

/// How it is looked at.
pub(crate) struct Outside<'a> {
    pub(crate) egress: &'a Egress,
    pub(crate) reach: &'a Reach,
    pub(crate) limits: &'a Limits,
    pub(crate) rng: &'a Arc<dyn Rng>,
    pub(crate) now: Timestamp,
}

/// What was seen of it.
#[derive(Debug, Clone)]
pub(crate) struct Looked {
    /// What it answers to somebody without a credential; `Err` when it does not answer.
    pub(crate) status: Result<u16, String>,
    /// The authorization servers that a 401 led to; `None` when there was no 401.
    pub(crate) issuers: Option<Vec<Issuer>>,
    /// The eras that it speaks, and its tools.
    pub(crate) probe: Result<Probe, String>,
    /// Whether the handshake succeeds, also when the tools then could not be had.
    pub(crate) shakes_hands: bool,
    /// What the assessors say: `tls`, `authorization`, `tool-quality`, `poisoning`.
    pub(crate) findings: Vec<Finding>,
}

// === impl Outside ===

impl Outside<'_> {
    /// Looks at a server at its address.
    pub(crate) async fn look(&self, document: &Map<String, Value>, url: &Url) -> Looked {
        let follow = Follow {
            egress: self.egress,
            reach: self.reach,
            limit: self.limits.probe,
        };
        let whole = self.limits.probe * 3;
        let (status, trail, shown, probe) = tokio::join!(
            self.status(url),
            within(whole, follow.follow(url)),
            self.greet(url),
            self.tools(url)
        );
        let trail = trail.flatten();
        let shakes_hands = match &probe {
            Ok(_) => true,
            Err(_) if trail.is_none() && status.is_ok() => self.shakes_hands(url).await,
            Err(_) => false,
        };
        let issuers = trail.as_ref().map(|trail| trail.issuers.clone());
        let nothing = Probe {
            eras: Vec::new(),
            uncertain: Vec::new(),
            tools: Vec::new(),
            server_info: None,
        };
        let mut seen = Seen::of(
            url.clone(),
            probe.as_ref().unwrap_or(&nothing),
            self.limits.tool_definition_bytes,
        );
        if let Err(reason) = &probe {
            let reason = reason.clone();
            seen.sight = Sight::Unseen { reason };
        }
        (seen.trail, seen.shown) = (trail, shown);
        let subject = Subject {
            view: ServerJson::view(document),
            document: document.clone(),
            places: vec![seen],
            neighbours: Arc::default(),
            protected: Vec::new(),
            vouched: Arc::default(),
            broken: Vec::new(),
            packages: Vec::new(),
            is_licensed: true,
            now: self.now,
        };
        let judged = tokio::task::spawn_blocking(move || {
            ask(
                &[
                    &tls::Tls,
                    &authorization::Authorization,
                    &tool_quality::ToolQuality,
                    &poisoning::Poisoning,
                ],
                &subject,
            )
        });
        Looked {
            status,
            issuers,
            probe,
            shakes_hands,
            findings: judged.await.unwrap_or_default(),
        }
    }

    /// The links that lead nowhere, by their names.
    pub(crate) async fn broken(&self, links: Vec<(String, Url)>) -> Vec<links::ask::Broken> {
        links::ask::broken((self.egress, self.reach), links, self.limits.probe).await
    }

    /// What it answers before anybody has said who he is.
    async fn status(&self, url: &Url) -> Result<u16, String> {
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
        let request = Request::builder()
            .method(Method::POST)
            .uri(url.as_str())
            .header(header::CONTENT_TYPE, "application/json")
            .header(header::ACCEPT, "application/json, text/event-stream")
            .header(header::ACCEPT_ENCODING, "identity")
            .body(Bytes::from(body.to_string()))
            .map_err(|error| error.to_string())?;
        let answer = self.egress.send(request, self.reach, self.limits.probe).await;
        answer
            .map(|answer| answer.status().as_u16())
            .map_err(|error| error.to_string())
    }

    async fn greet(&self, url: &Url) -> Shown {
        match within(self.limits.probe, self.egress.greet(url, self.reach)).await {
            Some(greeted) => Shown::of(greeted),
            None => Shown::Nothing,
        }
    }

    async fn tools(&self, url: &Url) -> Result<Probe, String> {
        let lines = Lines::new(Arc::clone(self.rng), self.limits);
        let upstream = Upstream::new(url.clone(), self.reach, self.limits.probe).over(&lines);
        let probe = probe(self.egress, &upstream, self.limits).await;
        probe.map_err(|error| error.to_string())
    }

    /// Whether one of the two handshakes succeeds.
    async fn shakes_hands(&self, url: &Url) -> bool {
        let lines = Lines::new(Arc::clone(self.rng), self.limits);
        let upstream = Upstream::new(url.clone(), self.reach, self.limits.probe).over(&lines);
        if let Ok(Some(_)) = Connection::modern(self.egress, &upstream, None, self.limits).await {
            return true;
        }
        match Connection::legacy(self.egress, &upstream, None, self.limits).await {
            Ok(connection) => {
                connection.close().await;
                true
            }
            Err(_) => false,
        }
    }
}

async fn within<T>(limit: Duration, work: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(limit, work).await.ok()
}
