//! Streams that tell hosts when the prompts and resources of an API changed: when an entry was applied. What becomes of its
//! tools every stream tells by itself, for the caller alone (`relay/changes.rs`).

use std::sync::Arc;

use bytes::Bytes;
use http::StatusCode;
use portreeve_client::{Reply, ReplyBody};
use portreeve_core::rest::Bindings;
use portreeve_mcp::{answer, sse};
use portreeve_net::ResponseBody;
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

use super::told::reply;
use super::{Api, Commons};
use crate::route::Routes;
use crate::upstream::Way;

/// News that wait for the reader; what one list tells, the next one tells as well.
const WAITING: usize = 4;

/// A kind of news.
struct Kind {
    /// Its member of `notifications` in a subscription.
    wanted: &'static str,
    method: &'static str,
    /// Whether what hosts were told of is different now. A host that was told of no resources does not ask for them.
    changed: fn(&Bindings, &Bindings) -> bool,
}

const KINDS: [Kind; 3] = [
    Kind {
        wanted: "toolsListChanged",
        method: "notifications/tools/list_changed",
        changed: |_, _| false,
    },
    Kind {
        wanted: "resourcesListChanged",
        method: "notifications/resources/list_changed",
        changed: |known, now| {
            let (known, now) = (&known.resources, &now.resources);
            !known.is_empty() && known != now
        },
    },
    Kind {
        wanted: "promptsListChanged",
        method: "notifications/prompts/list_changed",
        changed: |known, now| {
            let (known, now) = (&known.prompts, &now.prompts);
            !known.is_empty() && known != now
        },
    },
];

/// What one stream tells, each kind with its message.
type Told = Vec<(&'static Kind, Bytes)>;

impl Api {
    /// The stream of a legacy session.
    pub fn listen(&self) -> Reply {
        self.stream(Vec::new(), &json!({}), KINDS.iter().collect())
    }

    /// A subscription (2026-07-28): first what of it is honoured, then the news.
    pub(super) fn subscribed(&self, id: &RawValue, params: Option<&RawValue>) -> Reply {
        let wanted = params.and_then(|params| serde_json::from_str::<Value>(params.get()).ok());
        let wanted = wanted.unwrap_or_default();
        let there_is = |kind: &Kind| match kind.wanted {
            "resourcesListChanged" => !self.bindings.resources.is_empty(),
            "promptsListChanged" => !self.bindings.prompts.is_empty(),
            _ => true,
        };
        let kinds: Vec<&'static Kind> = KINDS
            .iter()
            .filter(|kind| wanted["notifications"][kind.wanted] == true && there_is(kind))
            .collect();
        let meta = json!({"io.modelcontextprotocol/subscriptionId": id});
        let honoured = kinds.iter().map(|kind| (kind.wanted.to_owned(), json!(true)));
        let honoured: Map<String, Value> = honoured.collect();
        let acknowledged = answer::request(
            None,
            "notifications/subscriptions/acknowledged",
            json!({"_meta": meta, "notifications": honoured}),
        );
        self.stream(acknowledged, &json!({"_meta": meta}), kinds)
    }

    fn stream(&self, first: Vec<u8>, params: &Value, kinds: Vec<&'static Kind>) -> Reply {
        let (sender, body) = mpsc::channel(WAITING);
        let told: Told = kinds
            .into_iter()
            .map(|kind| {
                (
                    kind,
                    sse::message(&answer::request(None, kind.method, params.clone())),
                )
            })
            .collect();
        let commons = Arc::clone(&self.commons);
        let slug = Arc::clone(&self.route);
        tokio::spawn(async move {
            if !first.is_empty() && sender.send(sse::message(&first)).await.is_err() {
                return;
            }
            if !told.is_empty() {
                tell(&commons, &slug, &sender, &told).await;
            }
            // A stream without news stays open until the host leaves it.
            sender.closed().await;
        });
        reply(StatusCode::OK, Some(ReplyBody::Events(ResponseBody::piped(body))))
    }
}

async fn tell(commons: &Commons, slug: &str, sender: &mpsc::Sender<Bytes>, told: &Told) {
    let mut routes = commons.routes.subscribe();
    let mut known = bindings(&routes.borrow_and_update(), slug);
    loop {
        tokio::select! {
            () = sender.closed() => return,
            moved = routes.changed() => {
                if moved.is_err() {
                    return;
                }
            }
        }
        let now = bindings(&routes.borrow_and_update(), slug);
        for (kind, message) in told {
            if (kind.changed)(&known, &now) && sender.send(message.clone()).await.is_err() {
                return;
            }
        }
        known = now;
    }
}

/// What hosts are told of: nothing, when the route is not served.
fn bindings(routes: &Routes, slug: &str) -> Arc<Bindings> {
    match routes.by_slug.get(slug).map(|route| &route.upstream) {
        Some(Way::Rest(api)) => Arc::clone(&api.bindings),
        _ => Arc::new(Bindings::none()),
    }
}
