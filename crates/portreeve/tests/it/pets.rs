//! An API of pets, its description, and a node that serves it as an MCP server.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, Method, StatusCode, Uri};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::node::Node;
use crate::web::{LegacyHost, modern};

/// A request as the API got it.
#[derive(Clone, Debug)]
pub(crate) struct Seen {
    pub(crate) method: Method,
    pub(crate) uri: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

type Book = Arc<Mutex<Vec<Seen>>>;

async fn answer(
    State(book): State<Book>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let path = uri.path().to_owned();
    book.lock().unwrap().push(Seen {
        method: method.clone(),
        uri: uri.to_string(),
        headers: headers.clone(),
        body: body.clone(),
    });
    match (method.as_str(), path.as_str()) {
        ("GET", "/base/v1/pets") => {
            axum::Json(json!([{"id": 1, "name": "Ada"}, {"id": 2, "name": "Bob"}])).into_response()
        }
        ("GET", "/base/v1/pets/forbidden") => {
            let shown = headers
                .get("authorization")
                .map_or(&b"nothing"[..], |shown| shown.as_bytes());
            let said = format!("{} does not do", String::from_utf8_lossy(shown));
            (StatusCode::FORBIDDEN, said).into_response()
        }
        ("DELETE", _) => StatusCode::NO_CONTENT.into_response(),
        ("GET", "/base/v1/pets/0") => {
            (StatusCode::NOT_FOUND, axum::Json(json!({"title": "No pet"}))).into_response()
        }
        _ => axum::Json(json!({"id": 1, "name": "Ada"})).into_response(),
    }
}

/// An API of pets behind a node.
pub(crate) struct Pets {
    pub(crate) node: Node,
    book: Book,
    /// Where it is.
    pub(crate) url: String,
    pub(crate) slug: String,
}

pub(crate) const NAME: &str = "com.acme/pets";

pub(crate) fn document(url: &str) -> Value {
    let pet = json!({"type": "object", "properties": {"id": {"type": "integer"}, "name": {"type": "string"}}, "required": ["name"]});
    let ok = |schema: Value| json!({"200": {"description": "ok", "content": {"application/json": {"schema": schema}}}});
    let id = json!({"name": "id", "in": "path", "required": true, "schema": {"type": "string"}});
    json!({
        "openapi": "3.1.0", "info": {"title": "Pets", "version": "1.0.0"}, "servers": [{"url": format!("{url}/base")}],
        "paths": {
            "/v1/pets": {"get": {"operationId": "listPets", "summary": "Lists pets", "responses": ok(json!({"type": "array", "items": pet})),
                "parameters": [{"name": "limit", "in": "query", "schema": {"type": "integer", "maximum": 100}}]}},
            "/v1/pets/{id}": {
                "get": {"operationId": "getPet", "summary": "Shows a pet", "parameters": [id], "responses": ok(pet.clone())},
                "put": {"operationId": "putPet", "summary": "Changes a pet", "responses": ok(pet.clone()),
                    "parameters": [id, {"name": "dryRun", "in": "query", "schema": {"type": "boolean"}}, {"name": "X-Trace", "in": "header", "schema": {"type": "string"}}],
                    "requestBody": {"required": true, "content": {"application/json": {"schema": pet}}}},
                "delete": {"operationId": "deletePet", "summary": "Deletes a pet", "parameters": [id], "responses": {"204": {"description": "gone"}}},
            },
        },
    })
}

impl Pets {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let book = Book::default();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&book));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let node = Node::start().await;
        import(&node, &document(&url), &["--approve"]);
        let routes = node.cli_json(&["route", "list"]);
        let slug = routes["items"][0]["slug"]
            .as_str()
            .unwrap_or_else(|| panic!("{routes}"))
            .to_owned();
        Self {
            node,
            book,
            url,
            slug,
        }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.book.lock().unwrap().clone()
    }

    pub(crate) async fn legacy(&self, key: &str) -> LegacyHost {
        LegacyHost::connect(&self.node.web, &self.node.endpoint(&self.slug), Some(key)).await
    }

    pub(crate) async fn modern(&self, method: &str, params: Value) -> Value {
        let (headers, body) = modern(Some(&self.node.key), 1, method, params);
        let url = self.node.endpoint(&self.slug);
        self.node
            .web
            .ask("POST", &url, &headers, body)
            .await
            .unwrap()
            .json()
    }

    pub(crate) async fn call(&self, tool: &str, arguments: Value) -> Value {
        self.modern("tools/call", json!({"name": tool, "arguments": arguments}))
            .await
    }
}

impl Pets {
    /// Shows the API a token of the vault, from now on.
    pub(crate) async fn show_token(&self, secret: &str) {
        let set = self.node.cli_with(&["secret", "set", "pets"], secret);
        assert!(set.status.success(), "{}", String::from_utf8_lossy(&set.stderr));
        let config = r#"{"scheme": "bearer", "secret": "secret:pets"}"#;
        self.node
            .cli_json(&["policy", "set", NAME, "credential", "--config", config]);
        let wanted = format!("Bearer {secret}");
        for _ in 0..50 {
            self.call("listPets", json!({})).await;
            let last = self.seen().pop().unwrap();
            if last
                .headers
                .get("authorization")
                .is_some_and(|shown| *shown == wanted)
            {
                return;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        panic!("the policy never came into force");
    }
}

/// Imports a description of the API.
pub(crate) fn import(node: &Node, document: &Value, more: &[&str]) -> Value {
    let file = node.data().join("pets.json");
    std::fs::write(&file, document.to_string()).unwrap();
    let file = file.display().to_string();
    let words = ["server", "add", NAME, "--openapi", &file, "--internal"];
    node.cli_json(&[&words[..], more].concat())
}

/// The names of the tools in a list.
pub(crate) fn names(list: &Value) -> Vec<String> {
    let tools = list["result"]["tools"]
        .as_array()
        .unwrap_or_else(|| panic!("{list}"));
    tools
        .iter()
        .map(|tool| tool["name"].as_str().unwrap().to_owned())
        .collect()
}
