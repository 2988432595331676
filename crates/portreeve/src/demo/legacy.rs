//! The legacy era (2025-03-26 to 2025-11-25): `initialize`, sessions, a GET stream for news.

use std::sync::Arc;

use axum::response::Response;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use serde_json::{Value, json};

use super::Port;
use super::harbour::{Harbour, Work};
use super::inspection::Inspection;
use super::wire::{Failure, Message, Stream, answer, empty, header, json_response, refuse};

/// The revisions with sessions that this server speaks, newest first.
pub(super) const REVISIONS: [&str; 3] = ["2025-11-25", "2025-06-18", "2025-03-26"];
/// The only revision with batches.
const WITH_BATCHES: &str = "2025-03-26";
const SESSION: &str = "mcp-session-id";

/// Answers a POST of one message.
pub(super) async fn post(port: &Arc<Port>, headers: &HeaderMap, message: Message) -> Response {
    if message.method.as_deref() == Some("initialize") {
        return initialize(port, &message);
    }
    let session = match session(port, headers, message.id.as_ref()) {
        Ok((session, _)) => session,
        Err(refusal) => return *refusal,
    };
    let (Some(id), Some(method)) = (message.id.clone(), message.method.as_deref()) else {
        receive(port, session, &message);
        return empty(StatusCode::ACCEPTED);
    };
    match begin(port, method, &message.params) {
        Work::Done(outcome) => json_response(StatusCode::OK, &answer(&id, outcome)),
        Work::Slow(inspection) => inspect(port, session, &message, inspection, accepts_events(headers)).await,
    }
}

/// Answers a POST of several messages, which exactly one revision knows.
pub(super) async fn batch(port: &Port, headers: &HeaderMap, batch: Vec<Value>) -> Response {
    let allowed = matches!(session(port, headers, None), Ok((_, WITH_BATCHES)));
    if !allowed || batch.is_empty() {
        let failure = Failure::new(-32600, "Invalid Request: batches are not supported");
        return refuse(StatusCode::BAD_REQUEST, None, &failure);
    }
    let mut answers = Vec::new();
    for message in batch {
        match Message::read(message) {
            Err(failure) => answers.push(answer(&Value::Null, Err(failure))),
            Ok(Message {
                id: Some(id),
                method: Some(method),
                params,
            }) => {
                let outcome = match begin(port, &method, &params) {
                    Work::Done(outcome) => outcome,
                    Work::Slow(inspection) => Ok(inspection.run(None).await),
                };
                answers.push(answer(&id, outcome));
            }
            Ok(_) => {}
        }
    }
    if answers.is_empty() {
        return empty(StatusCode::ACCEPTED);
    }
    json_response(StatusCode::OK, &Value::Array(answers))
}

/// Opens the session's stream for news. A second one takes the place of the first.
pub(super) fn get(port: &Port, headers: &HeaderMap) -> Response {
    let session = match session(port, headers, None) {
        Ok((session, _)) => session,
        Err(refusal) => return *refusal,
    };
    if !accepts_events(headers) {
        return empty(StatusCode::NOT_ACCEPTABLE);
    }
    let Some(ended) = port.sessions.take_stream(session) else {
        return unknown_session(None);
    };
    let signs = port.signs.starting_now();
    let (stream, response) = Stream::open();
    tokio::spawn(async move {
        let notice = json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"});
        let ended = async {
            let _ = ended.await;
        };
        signs.announce(&stream, &notice, ended).await
    });
    response
}

/// Ends the session.
pub(super) fn delete(port: &Port, headers: &HeaderMap) -> Response {
    match session(port, headers, None) {
        Err(refusal) => *refusal,
        Ok((session, _)) if port.sessions.close(session) => empty(StatusCode::NO_CONTENT),
        Ok(_) => unknown_session(None),
    }
}

fn initialize(port: &Port, message: &Message) -> Response {
    let Some(id) = &message.id else {
        let failure = Failure::new(-32600, "Invalid Request: `initialize` needs an id");
        return refuse(StatusCode::BAD_REQUEST, None, &failure);
    };
    let Some(asked) = message.params.get("protocolVersion").and_then(Value::as_str) else {
        let failure = Failure::new(-32602, "Invalid params: `protocolVersion` is missing");
        return json_response(StatusCode::OK, &answer(id, Err(failure)));
    };
    // A revision that is not spoken here is no error: the newest one is offered, and the client decides.
    let [newest, ..] = REVISIONS;
    let agreed = REVISIONS
        .into_iter()
        .find(|known| *known == asked)
        .unwrap_or(newest);
    let result = json!({
        "protocolVersion": agreed,
        "capabilities": Harbour::capabilities(),
        "serverInfo": Harbour::identity(),
        "instructions": Harbour::instructions(),
    });
    let mut response = json_response(StatusCode::OK, &answer(id, Ok(result)));
    if let Ok(session) = HeaderValue::from_str(&port.sessions.open(agreed)) {
        response
            .headers_mut()
            .insert(HeaderName::from_static(SESSION), session);
    }
    response
}

/// The session that the request names, with its revision; or the refusal.
fn session<'a>(
    port: &Port,
    headers: &'a HeaderMap,
    id: Option<&Value>,
) -> Result<(&'a str, &'static str), Box<Response>> {
    if let Some(named) = header(headers, "mcp-protocol-version")
        && !REVISIONS.contains(&named)
    {
        let text = format!("Bad Request: Unsupported protocol version `{named}`");
        return Err(Box::new(refuse(
            StatusCode::BAD_REQUEST,
            id,
            &Failure::new(-32000, text),
        )));
    }
    let Some(session) = header(headers, SESSION) else {
        let failure = Failure::new(-32000, "Bad Request: Mcp-Session-Id header is required");
        return Err(Box::new(refuse(StatusCode::BAD_REQUEST, id, &failure)));
    };
    match port.sessions.revision(session) {
        Some(revision) => Ok((session, revision)),
        None => Err(Box::new(unknown_session(id))),
    }
}

fn unknown_session(id: Option<&Value>) -> Response {
    refuse(
        StatusCode::NOT_FOUND,
        id,
        &Failure::new(-32001, "Session not found"),
    )
}

fn begin(port: &Port, method: &str, params: &Value) -> Work {
    if method == "ping" {
        return Work::Done(Ok(json!({})));
    }
    let nowhere = || Work::Done(Err(Failure::new(-32601, format!("Method not found: {method}"))));
    port.harbour.begin(method, params).unwrap_or_else(nowhere)
}

/// Takes a notification or a response. This server asks nothing, so a response answers nothing.
fn receive(port: &Port, session: &str, message: &Message) {
    if message.method.as_deref() == Some("notifications/cancelled")
        && let Some(request) = message.params.get("requestId")
        && let Some(cancel) = port.sessions.end_call(session, request)
    {
        // The call may have ended this instant: nobody to tell then.
        let _ = cancel.send(());
    }
}

/// Runs the slow tool. A client that goes away does not stop it in this era; only a cancellation does.
async fn inspect(
    port: &Arc<Port>,
    session: &str,
    message: &Message,
    inspection: Inspection,
    events: bool,
) -> Response {
    let Some(id) = message.id.clone() else {
        return empty(StatusCode::ACCEPTED);
    };
    let Some(cancelled) = port.sessions.begin_call(session, &id) else {
        return unknown_session(Some(&id));
    };
    let cancelled = async {
        if cancelled.await.is_err() {
            // The session ended or reused the id; the call goes on.
            std::future::pending::<()>().await;
        }
    };
    let Some(token) = message.meta("progressToken").filter(|_| events).cloned() else {
        return tokio::select! {
            result = inspection.run(None) => {
                port.sessions.end_call(session, &id);
                json_response(StatusCode::OK, &answer(&id, Ok(result)))
            }
            () = cancelled => empty(StatusCode::ACCEPTED),
        };
    };
    let (stream, response) = Stream::open();
    let (port, session) = (port.clone(), session.to_owned());
    tokio::spawn(async move {
        tokio::select! {
            result = inspection.run(Some((&stream, &token))) => stream.send(&answer(&id, Ok(result))).await,
            () = cancelled => {}
        }
        port.sessions.end_call(&session, &id);
    });
    response
}

fn accepts_events(headers: &HeaderMap) -> bool {
    header(headers, "accept")
        .is_some_and(|accept| accept.contains("text/event-stream") || accept.contains("*/*"))
}
