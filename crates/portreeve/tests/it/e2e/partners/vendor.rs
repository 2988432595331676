//! A vendor: its MCP server with TLS and without, its web site, and what can be wrong with them.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use http::{StatusCode, header};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use portreeve_net::TlsAcceptor;
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// What the vendor's machines do.
#[derive(Debug, Clone, Default)]
pub(super) struct Manners {
    /// Whether the server answers 401 to everybody.
    pub(super) is_shut: bool,
    /// Whether it shows the metadata of RFC 9728 and 8414.
    pub(super) shows_metadata: bool,
    /// Whether it speaks MCP at all.
    pub(super) is_mute: bool,
    /// Whether a call of a tool takes a minute.
    pub(super) is_slow: bool,
    /// How many of those came.
    pub(super) slow_calls: Arc<AtomicUsize>,
    /// What stands in its list of tools; `None`: it refuses to list them.
    pub(super) tools: Option<Vec<Value>>,
    /// What the site shows as an icon.
    pub(super) icon: String,
}

/// A vendor that runs.
pub(super) struct Vendor {
    pub(super) secure: SocketAddr,
    pub(super) plain: SocketAddr,
    manners: Arc<Mutex<Manners>>,
}

/// One good tool.
pub(super) fn berth() -> Value {
    json!({
        "name": "find_berth", "description": "Finds a free berth for a ship of a given length.",
        "inputSchema": {"type": "object", "properties": {"length": {"type": "number", "description": "Metres"}}},
    })
}

impl Manners {
    /// Nothing is wrong.
    pub(super) fn good() -> Self {
        Self {
            tools: Some(vec![berth()]),
            icon:
                "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 8 8\"><path d=\"M0 0h8v8z\"/></svg>"
                    .to_owned(),
            ..Self::default()
        }
    }
}

type Shared = (Arc<Mutex<Manners>>, String);

impl Vendor {
    /// Starts one with the certificate `cert.pem` and `key.pem` of a folder.
    pub(super) async fn start(files: &Path) -> Self {
        let manners = Arc::new(Mutex::new(Manners::good()));
        let tls = Arc::new(TlsAcceptor::load(&files.join("cert.pem"), &files.join("key.pem")).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let secure = listener.local_addr().unwrap();
        let site = router((Arc::clone(&manners), format!("https://{secure}")));
        let served = site.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (tls, service) = (Arc::clone(&tls), TowerToHyperService::new(served.clone()));
                tokio::spawn(async move {
                    let Ok(stream) = tls.acceptor().accept(stream).await else {
                        return;
                    };
                    let serving = Builder::new(TokioExecutor::new());
                    let _ = serving.serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let plain = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, site).await });
        Self {
            secure,
            plain,
            manners,
        }
    }

    /// Changes how it behaves.
    pub(super) fn behave(&self, manners: Manners) {
        *self.manners.lock().unwrap() = manners;
    }
}

fn router(shared: Shared) -> Router {
    Router::new()
        .route("/mcp", post(mcp))
        .route("/docs", get(async || "The manual"))
        .route("/terms", get(async || "The terms"))
        .route("/icon.svg", get(icon))
        .route("/.well-known/oauth-protected-resource/mcp", get(resource))
        .route("/.well-known/oauth-authorization-server", get(issuer))
        .with_state(shared)
}

async fn icon(State((manners, _)): State<Shared>) -> String {
    manners.lock().unwrap().icon.clone()
}

async fn resource(State((manners, origin)): State<Shared>) -> Response {
    if !manners.lock().unwrap().shows_metadata {
        return StatusCode::NOT_FOUND.into_response();
    }
    axum::Json(json!({"resource": format!("{origin}/mcp"), "authorization_servers": [origin]}))
        .into_response()
}

async fn issuer(State((manners, origin)): State<Shared>) -> Response {
    if !manners.lock().unwrap().shows_metadata {
        return StatusCode::NOT_FOUND.into_response();
    }
    let body = json!({
        "issuer": origin, "authorization_endpoint": format!("{origin}/authorize"),
        "token_endpoint": format!("{origin}/token"), "code_challenge_methods_supported": ["S256"],
    });
    axum::Json(body).into_response()
}

/// A server of the legacy era.
async fn mcp(State((manners, origin)): State<Shared>, body: Bytes) -> Response {
    let manners = manners.lock().unwrap().clone();
    if manners.is_shut {
        let metadata = format!("{origin}/.well-known/oauth-protected-resource/mcp");
        let challenge = format!("Bearer resource_metadata=\"{metadata}\"");
        return (StatusCode::UNAUTHORIZED, [(header::WWW_AUTHENTICATE, challenge)]).into_response();
    }
    if manners.is_mute {
        return "Welcome".into_response();
    }
    let asked: Value = serde_json::from_slice(&body).unwrap_or_default();
    if manners.is_slow && asked["method"] == "tools/call" {
        manners.slow_calls.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(Duration::from_secs(60)).await;
    }
    let error = |code: i64, message: &str| json!({"error": {"code": code, "message": message}});
    let mut answer = match (asked["method"].as_str().unwrap_or_default(), manners.tools) {
        ("initialize", _) => json!({"result": {
            "protocolVersion": "2025-11-25", "capabilities": {"tools": {}},
            "serverInfo": {"name": "harbour", "version": "1"},
        }}),
        ("notifications/initialized", _) => return StatusCode::ACCEPTED.into_response(),
        ("ping", _) => json!({"result": {}}),
        ("tools/list", Some(tools)) => json!({"result": {"tools": tools}}),
        ("tools/list", None) => error(-32603, "the list is lost"),
        _ => error(-32601, "Method not found"),
    };
    answer["jsonrpc"] = json!("2.0");
    answer["id"] = asked["id"].clone();
    axum::Json(answer).into_response()
}
