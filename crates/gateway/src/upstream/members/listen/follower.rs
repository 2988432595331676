//! Listens to one member, again and again: what it says first is what it will tell, and every later first means that something
//! may have been missed.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, Response};
use http_body_util::BodyExt as _;
use portreeve_core::name::Slug;
use portreeve_mcp::bridge::{Wanted, tagged};
use portreeve_mcp::envelope::Message;
use portreeve_mcp::sse;
use serde_json::json;
use serde_json::value::RawValue;
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::super::asking::Asked;
use crate::respond::Body;

/// The pauses before a member is listened to again: this one, doubled each time, up to the other.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

const METHOD: &str = "subscriptions/listen";
const ACKNOWLEDGED: &str = "notifications/subscriptions/acknowledged";

/// What comes of a member.
pub(super) enum Said {
    /// What this member will tell.
    Acknowledged(Wanted),
    /// A notification.
    Message(Bytes),
}

/// Whoever listens to one member.
pub(super) struct Follower {
    pub(super) member: Slug,
    pub(super) share: Wanted,
    pub(super) id: Box<RawValue>,
    pub(super) asked: Arc<Asked>,
    pub(super) said: mpsc::Sender<Said>,
}

/// How one stream ended.
enum End {
    /// The member has no such streams.
    Never,
    /// It broke off, or could not be opened.
    Broken,
    /// Nobody listens any more.
    Over,
}

impl Follower {
    pub(super) async fn run(self) {
        let (mut pause, mut promised) = (FIRST_PAUSE, None);
        loop {
            let opened = Instant::now();
            match self.once(&mut promised).await {
                End::Over => return,
                End::Never => {
                    self.promise_nothing().await;
                    return;
                }
                End::Broken => {}
            }
            if promised.is_none() {
                // The others are not kept waiting for it.
                self.promise_nothing().await;
                promised = Some(Wanted::default());
            }
            if opened.elapsed() >= LONGEST_PAUSE {
                pause = FIRST_PAUSE;
            }
            tokio::select! {
                () = self.said.closed() => return,
                () = tokio::time::sleep(pause) => {}
            }
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn promise_nothing(&self) {
        // Where nobody listens any more, the next look finds out.
        let _ = self.said.send(Said::Acknowledged(Wanted::default())).await;
    }

    /// Listens once, until the stream ends.
    async fn once(&self, promised: &mut Option<Wanted>) -> End {
        let response = self.open().await;
        let status = response.status();
        let kind = response.headers().get(CONTENT_TYPE);
        let is_stream = kind.is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        if !is_stream {
            let is_refused = !status.is_server_error() && status.as_u16() != 429;
            return if is_refused { End::Never } else { End::Broken };
        }
        let mut body = response.into_body();
        let mut events = sse::Reader::new(self.asked.gateway.limits.held_result_bytes);
        loop {
            let frame = tokio::select! {
                () = self.said.closed() => return End::Over,
                frame = body.frame() => frame,
            };
            let Some(Ok(frame)) = frame else {
                return End::Broken;
            };
            let Ok(data) = frame.into_data() else { continue };
            events.feed(&data);
            loop {
                match events.next_event() {
                    Ok(Some(event)) => {
                        let Some(data) = event.data else { continue };
                        if !self.take(data, promised).await {
                            return End::Over;
                        }
                    }
                    Ok(None) => break,
                    Err(_) => return End::Broken,
                }
            }
        }
    }

    async fn open(&self) -> Response<Body> {
        let meta = self.asked.asking(|asking| asking.meta().map(ToOwned::to_owned));
        let mut params = json!({"notifications": self.share});
        if let Some(meta) = meta.and_then(|meta| serde_json::from_str::<serde_json::Value>(meta.get()).ok()) {
            params["_meta"] = meta;
        }
        let body = json!({"jsonrpc": "2.0", "id": self.id, "method": METHOD, "params": params});
        let body = Bytes::from(body.to_string());
        let member = &self.member;
        let request = self
            .asked
            .asking(|asking| asking.request(member, METHOD, (None, HeaderMap::new()), body));
        self.asked.send(request).await
    }

    /// Takes one message. Whether anybody still listens.
    async fn take(&self, data: Bytes, promised: &mut Option<Wanted>) -> bool {
        match method(&data).as_deref() {
            Some(ACKNOWLEDGED) => {
                let share = Wanted::read_told(&data).unwrap_or_default();
                if promised.replace(share.clone()).is_none() {
                    return self.said.send(Said::Acknowledged(share)).await.is_ok();
                }
                for missed in share.notifications() {
                    let Ok(missed) = tagged(&missed, &self.id) else {
                        continue;
                    };
                    if self.said.send(Said::Message(missed.into())).await.is_err() {
                        return false;
                    }
                }
                true
            }
            Some(_) => self.said.send(Said::Message(data)).await.is_ok(),
            // The end of the subscription; its stream ends with it.
            None => true,
        }
    }
}

/// The method of a notification.
pub(super) fn method(message: &[u8]) -> Option<String> {
    match Message::parse(message).ok()? {
        Message::Notification { method, .. } => Some(method.into_owned()),
        _ => None,
    }
}
