//! Streams that tell hosts when the tools of an API changed: when an entry was applied, a tool approved or hidden.

use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;
use portreeve_client::{Reply, ReplyBody};
use portreeve_mcp::{answer, sse};
use portreeve_net::ResponseBody;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use super::told::reply;
use super::{Api, Commons};
use crate::route::Routes;
use crate::upstream::Way;

/// News that wait for the reader; what one list tells, the next one tells as well.
const WAITING: usize = 4;

impl Api {
    /// The stream of a legacy session.
    pub fn listen(&self) -> Reply {
        self.stream(Vec::new(), json!({}), true)
    }

    /// A subscription (2026-07-28): first what of it is honoured, then the news.
    pub(super) fn subscribed(&self, id: &RawValue, params: Option<&RawValue>) -> Reply {
        let wanted = params.and_then(|params| serde_json::from_str::<Value>(params.get()).ok());
        let tells = wanted.is_some_and(|wanted| wanted["notifications"]["toolsListChanged"] == true);
        let meta = json!({"io.modelcontextprotocol/subscriptionId": id});
        let honoured = if tells {
            json!({"toolsListChanged": true})
        } else {
            json!({})
        };
        let acknowledged = answer::request(
            None,
            "notifications/subscriptions/acknowledged",
            json!({"_meta": meta, "notifications": honoured}),
        );
        self.stream(acknowledged, json!({"_meta": meta}), tells)
    }

    fn stream(&self, first: Vec<u8>, params: Value, tells: bool) -> Reply {
        let (sender, body) = mpsc::channel(WAITING);
        let changed = sse::message(&answer::request(None, "notifications/tools/list_changed", params));
        let commons = Arc::clone(&self.commons);
        let slug = Arc::clone(&self.route);
        tokio::spawn(async move {
            if !first.is_empty() && sender.send(sse::message(&first)).await.is_err() {
                return;
            }
            if tells {
                tell(&commons, &slug, &sender, &changed).await;
            }
            // A stream without news stays open until the host leaves it.
            sender.closed().await;
        });
        reply(StatusCode::OK, Some(ReplyBody::Events(ResponseBody::piped(body))))
    }
}

async fn tell(commons: &Commons, slug: &str, sender: &mpsc::Sender<Bytes>, changed: &Bytes) {
    let mut routes = commons.routes.subscribe();
    let mut known = state(&routes.borrow_and_update(), slug);
    loop {
        tokio::select! {
            () = sender.closed() => return,
            moved = routes.changed() => {
                if moved.is_err() {
                    return;
                }
            }
        }
        let now = state(&routes.borrow_and_update(), slug);
        if now != known {
            known = now;
            if sender.send(changed.clone()).await.is_err() {
                return;
            }
        }
    }
}

/// The hashes of all tools that can be called; `None` when the route is not served.
fn state(routes: &Routes, slug: &str) -> Option<Vec<[Option<Arc<str>>; 2]>> {
    let Way::Rest(api) = &routes.by_slug.get(slug)?.upstream else {
        return None;
    };
    let [legacy, modern] = &api.tools;
    let names = legacy.keys().chain(modern.keys());
    let hash = |tool: Option<&super::Approved>| tool.map(|tool| Arc::clone(&tool.hash));
    Some(
        names
            .map(|name| [hash(legacy.get(name)), hash(modern.get(name))])
            .collect(),
    )
}
