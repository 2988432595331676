//! Streams that wait for news: the GET stream of the legacy era and `subscriptions/listen` of the modern one.

use std::future::{Future, pending};
use std::time::Duration;

use axum::response::Response;
use http::StatusCode;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time;

use super::wire::{Failure, Message, Stream, answer, refuse};
use super::{Descriptions, Port};

/// How long a stream stays silent at most. Proxies cut what is silent for longer.
const LONGEST_SILENCE: Duration = Duration::from_secs(15);

/// What can happen to the whole server: its tools change, or it stops.
#[derive(Debug, Clone)]
pub(super) struct Signs {
    descriptions: watch::Receiver<Descriptions>,
    stopped: watch::Receiver<()>,
}

/// Why a stream ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// The client stopped reading, or something else took the stream's place.
    Gone,
    /// The server stops.
    Stopping,
}

impl Signs {
    pub(super) fn new(descriptions: watch::Receiver<Descriptions>, stopped: watch::Receiver<()>) -> Self {
        Self {
            descriptions,
            stopped,
        }
    }

    /// From here on, only new changes count.
    pub(super) fn starting_now(&self) -> Self {
        let mut signs = self.clone();
        signs.descriptions.mark_unchanged();
        signs
    }

    async fn tools_changed(descriptions: &mut watch::Receiver<Descriptions>) {
        if descriptions.changed().await.is_err() {
            // Nobody can change anything any more.
            pending::<()>().await;
        }
    }

    async fn stopping(stopped: &mut watch::Receiver<()>) {
        while stopped.changed().await.is_ok() {}
    }

    /// Sends `notice` at every change of the tools, until the client is gone, `ended` resolves or the server stops.
    pub(super) async fn announce(
        mut self,
        stream: &Stream,
        notice: &Value,
        ended: impl Future<Output = ()>,
    ) -> Ending {
        tokio::pin!(ended);
        loop {
            tokio::select! {
                () = stream.gone() => return Ending::Gone,
                () = &mut ended => return Ending::Gone,
                () = Self::stopping(&mut self.stopped) => return Ending::Stopping,
                () = Self::tools_changed(&mut self.descriptions) => stream.send(notice).await,
                () = time::sleep(LONGEST_SILENCE) => stream.keep_alive().await,
            }
        }
    }
}

/// Answers `subscriptions/listen`: the acknowledgement first, then the news, and the result when the server stops.
pub(super) fn subscribe(port: &Port, id: Value, message: &Message) -> Response {
    let Some(wanted) = message.params.get("notifications").and_then(Value::as_object) else {
        let failure = Failure::new(-32602, "Invalid params: `notifications` must be an object");
        return refuse(StatusCode::BAD_REQUEST, Some(&id), &failure);
    };
    let Ok(permit) = port.listeners.clone().try_acquire_owned() else {
        let failure = Failure::new(-32603, "Too many subscriptions are open");
        return super::wire::json_response(StatusCode::OK, &answer(&id, Err(failure)));
    };
    let wants_tools = wanted.get("toolsListChanged").and_then(Value::as_bool) == Some(true);
    let signs = port.signs.starting_now();
    let (stream, response) = Stream::open();
    tokio::spawn(async move {
        let _permit = permit;
        let honoured = if wants_tools {
            json!({"toolsListChanged": true})
        } else {
            json!({})
        };
        stream.send(&acknowledgement(&id, &honoured)).await;
        let notice = tagged(&id, "notifications/tools/list_changed");
        let ending = if wants_tools {
            signs.announce(&stream, &notice, pending()).await
        } else {
            signs.silenced().announce(&stream, &notice, pending()).await
        };
        if ending == Ending::Stopping {
            let result = json!({"resultType": "complete", "_meta": {SUBSCRIPTION: id}});
            stream.send(&answer(&id, Ok(result))).await;
        }
    });
    response
}

/// The `_meta` key that says which subscription a notification belongs to.
const SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";

fn acknowledgement(id: &Value, honoured: &Value) -> Value {
    json!({
        "jsonrpc": "2.0",
        "method": "notifications/subscriptions/acknowledged",
        "params": {"_meta": {SUBSCRIPTION: id}, "notifications": honoured},
    })
}

fn tagged(id: &Value, method: &str) -> Value {
    json!({"jsonrpc": "2.0", "method": method, "params": {"_meta": {SUBSCRIPTION: id}}})
}

impl Signs {
    /// The same, blind to changes of the tools.
    fn silenced(self) -> Self {
        let (_, descriptions) = watch::channel(Descriptions::new());
        Self { descriptions, ..self }
    }
}
