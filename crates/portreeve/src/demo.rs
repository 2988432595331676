//! The sample servers of `serve --demo`: a small port that speaks MCP in both eras, and beside it the REST API of a ship
//! chandler (`chandler.rs`), which speaks HTTP alone.
//!
//! The port stands where a company's own server would stand: `serve` starts it on a loopback port, the registry takes it
//! in like any other entry, and the gateway calls it as an upstream. Nothing in here knows that the gateway exists,
//! so what it accepts and refuses is what a strict server accepts and refuses.

mod chandler;
mod harbour;
mod inspection;
mod legacy;
mod listen;
mod modern;
mod sessions;
mod set_up;
mod wire;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, State};
use axum::response::Response;
use axum::routing::post;
use http::{HeaderMap, StatusCode};
use portreeve_core::time::SystemClock;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use self::harbour::Harbour;
use self::listen::Signs;
use self::sessions::Sessions;
use self::wire::{Failure, Message};

pub(crate) use self::set_up::{API, API_TOOL, NAME, TOOL, set_up};

/// The largest request that the sample server reads.
const LARGEST_REQUEST: usize = 1024 * 1024;
/// How many `subscriptions/listen` streams may be open at once.
const MOST_LISTENERS: usize = 1024;

/// Tool descriptions that differ from the built-in ones, by tool name.
pub(crate) type Descriptions = BTreeMap<String, String>;

/// A running sample server. Dropping it closes its streams in order and stops it.
#[derive(Debug)]
pub(crate) struct DemoServer {
    /// The MCP endpoint, for example `http://127.0.0.1:40123/mcp`.
    pub(crate) url: String,
    /// Where the REST API is: `http://127.0.0.1:40123/chandler/v1`.
    pub(crate) api_url: String,
    _alive: watch::Sender<()>,
}

/// What every request of the sample server shares.
struct Port {
    harbour: Harbour,
    sessions: Sessions,
    signs: Signs,
    listeners: Arc<Semaphore>,
}

/// Starts the sample server on this loopback port if it is free, so that what was approved stays true over a restart;
/// else on another one.
pub(crate) async fn start(port: u16) -> io::Result<DemoServer> {
    let listener = match TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await {
        Ok(listener) => listener,
        Err(_) => TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?,
    };
    let address = listener.local_addr()?;
    let (alive, stopped) = watch::channel(());
    let (_, descriptions) = watch::channel(Descriptions::new());
    let router = router(Port::new(descriptions, stopped.clone()));
    let router = router.merge(chandler::router(Arc::new(SystemClock)));
    tokio::spawn(async move {
        let mut stopped = stopped;
        let until = async move { while stopped.changed().await.is_ok() {} };
        axum::serve(listener, router).with_graceful_shutdown(until).await
    });
    Ok(DemoServer {
        url: format!("http://{address}/mcp"),
        api_url: format!("http://{address}{}", chandler::BASE_PATH),
        _alive: alive,
    })
}

fn router(port: Port) -> Router {
    Router::new()
        .route("/mcp", post(on_post).get(on_get).delete(on_delete))
        .layer(DefaultBodyLimit::max(LARGEST_REQUEST))
        .with_state(Arc::new(port))
}

async fn on_post(State(port): State<Arc<Port>>, headers: HeaderMap, body: Bytes) -> Response {
    if !is_local(&headers) {
        return wire::empty(StatusCode::FORBIDDEN);
    }
    let Ok(body) = serde_json::from_slice(&body) else {
        return wire::refuse(
            StatusCode::BAD_REQUEST,
            None,
            &Failure::new(-32700, "Parse error: not JSON"),
        );
    };
    if let serde_json::Value::Array(batch) = body {
        return legacy::batch(&port, &headers, batch).await;
    }
    match Message::read(body) {
        Err(failure) => wire::refuse(StatusCode::BAD_REQUEST, None, &failure),
        Ok(message) if modern::is_meant(&headers, &message) => modern::post(&port, &headers, message).await,
        Ok(message) => legacy::post(&port, &headers, message).await,
    }
}

async fn on_get(State(port): State<Arc<Port>>, headers: HeaderMap) -> Response {
    match is_local(&headers) {
        false => wire::empty(StatusCode::FORBIDDEN),
        true if modern::is_named(&headers) => wire::empty(StatusCode::METHOD_NOT_ALLOWED),
        true => legacy::get(&port, &headers),
    }
}

async fn on_delete(State(port): State<Arc<Port>>, headers: HeaderMap) -> Response {
    match is_local(&headers) {
        false => wire::empty(StatusCode::FORBIDDEN),
        true if modern::is_named(&headers) => wire::empty(StatusCode::METHOD_NOT_ALLOWED),
        true => legacy::delete(&port, &headers),
    }
}

/// A page on the internet that found the port by DNS rebinding sends its own name as `Host` or `Origin`.
fn is_local(headers: &HeaderMap) -> bool {
    let host = wire::header(headers, "host").is_none_or(is_loopback);
    let origin = wire::header(headers, "origin").is_none_or(|origin| {
        origin
            .split_once("://")
            .is_some_and(|(_, host)| is_loopback(host))
    });
    host && origin
}

fn is_loopback(authority: &str) -> bool {
    let name = match authority.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => authority,
    };
    matches!(name, "127.0.0.1" | "localhost" | "[::1]")
}

// === impl Port ===

impl Port {
    fn new(descriptions: watch::Receiver<Descriptions>, stopped: watch::Receiver<()>) -> Self {
        Self {
            harbour: Harbour::new(descriptions.clone()),
            sessions: Sessions::default(),
            signs: Signs::new(descriptions, stopped),
            listeners: Arc::new(Semaphore::new(MOST_LISTENERS)),
        }
    }
}
