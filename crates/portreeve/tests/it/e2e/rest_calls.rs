//! REST APIs as MCP servers, through a real node: what hosts of every transport see, what reaches the API, and that the
//! corridor is the same as for every server.

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
struct Seen {
    method: Method,
    uri: String,
    headers: HeaderMap,
    body: Bytes,
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
    if headers.contains_key("x-wants") {
        let shown = headers.get("authorization").cloned();
        return (StatusCode::UNAUTHORIZED, format!("not {shown:?}")).into_response();
    }
    match (method.as_str(), path.as_str()) {
        ("GET", "/base/v1/pets") => {
            axum::Json(json!([{"id": 1, "name": "Ada"}, {"id": 2, "name": "Bob"}])).into_response()
        }
        ("DELETE", _) => StatusCode::NO_CONTENT.into_response(),
        ("GET", "/base/v1/pets/0") => {
            (StatusCode::NOT_FOUND, axum::Json(json!({"title": "No pet"}))).into_response()
        }
        _ => axum::Json(json!({"id": 1, "name": "Ada"})).into_response(),
    }
}

struct Api {
    node: Node,
    book: Book,
    slug: String,
}

const NAME: &str = "com.acme/pets";

fn document(url: &str) -> Value {
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

impl Api {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let book = Book::default();
        let router = Router::new().fallback(answer).with_state(Arc::clone(&book));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let node = Node::start().await;
        let file = node.data().join("pets.json");
        std::fs::write(&file, document(&url).to_string()).unwrap();
        let file = file.display().to_string();
        node.cli_json(&[
            "server",
            "add",
            NAME,
            "--openapi",
            &file,
            "--internal",
            "--approve",
        ]);
        let routes = node.cli_json(&["route", "list"]);
        let slug = routes["items"][0]["slug"]
            .as_str()
            .unwrap_or_else(|| panic!("{routes}"))
            .to_owned();
        Self { node, book, slug }
    }

    fn seen(&self) -> Vec<Seen> {
        self.book.lock().unwrap().clone()
    }

    async fn legacy(&self, key: &str) -> LegacyHost {
        LegacyHost::connect(&self.node.web, &self.node.endpoint(&self.slug), Some(key)).await
    }

    async fn modern(&self, method: &str, params: Value) -> Value {
        let (headers, body) = modern(Some(&self.node.key), 1, method, params);
        let url = self.node.endpoint(&self.slug);
        self.node
            .web
            .ask("POST", &url, &headers, body)
            .await
            .unwrap()
            .json()
    }

    async fn call(&self, tool: &str, arguments: Value) -> Value {
        self.modern("tools/call", json!({"name": tool, "arguments": arguments}))
            .await
    }
}

fn names(list: &Value) -> Vec<String> {
    let tools = list["result"]["tools"]
        .as_array()
        .unwrap_or_else(|| panic!("{list}"));
    tools
        .iter()
        .map(|tool| tool["name"].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_of_both_eras_see_the_same_tools_and_reach_the_same_api() {
    let api = Api::start().await;
    let list = api.modern("tools/list", json!({})).await;
    let tools = names(&list);
    assert_eq!(tools.len(), 4, "{list}");
    let host = api.legacy(&api.node.key).await;
    let legacy = host.request(json!(1), "tools/list", json!({})).await.json();
    assert_eq!(legacy["result"]["tools"], list["result"]["tools"]);
    let put = tools
        .iter()
        .find(|name| name.to_lowercase().contains("put"))
        .unwrap();
    let arguments = json!({"id": "../../admin?a=b#c", "dryRun": true, "X-Trace": "t", "name": "Ada"});
    let called = api.call(put, arguments.clone()).await;
    assert_eq!(called["result"]["structuredContent"]["name"], "Ada", "{called}");
    let again = host
        .request(
            json!(2),
            "tools/call",
            json!({"name": put, "arguments": arguments}),
        )
        .await
        .json();
    assert_eq!(
        again["result"]["structuredContent"],
        called["result"]["structuredContent"]
    );
    let seen = api.seen();
    assert_eq!(seen.len(), 2, "{seen:?}");
    for one in seen {
        assert_eq!(one.method, "PUT");
        assert_eq!(one.uri, "/base/v1/pets/..%2F..%2Fadmin%3Fa%3Db%23c?dryRun=true");
        assert_eq!(one.headers["x-trace"], "t");
        let body: Value = serde_json::from_slice(&one.body).unwrap();
        assert_eq!(body, json!({"name": "Ada"}));
        assert!(
            !one.headers.contains_key("authorization"),
            "nothing of the caller reaches the API"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_fit_is_refused_and_what_fails_is_told() {
    let api = Api::start().await;
    let tools = names(&api.modern("tools/list", json!({})).await);
    let find = |word: &str| {
        tools
            .iter()
            .find(|name| name.to_lowercase().contains(word))
            .unwrap()
    };
    let refused = api.call(find("list"), json!({"limit": 1000})).await;
    assert_eq!(refused["error"]["code"], -32602, "{refused}");
    assert_eq!(refused["error"]["data"]["problems"][0]["path"], "/limit");
    let dots = api.call(find("getpet"), json!({"id": ".."})).await;
    assert_eq!(dots["error"]["data"]["problems"][0]["path"], "/id", "{dots}");
    assert_eq!(api.seen().len(), 0);
    let missing = api.call(find("getpet"), json!({"id": "0"})).await;
    assert_eq!(missing["result"]["isError"], true, "{missing}");
    let text = missing["result"]["content"][0]["text"].as_str().unwrap();
    assert!(text.contains("404") && text.contains("No pet"), "{text}");
    let gone = api.call(find("delete"), json!({"id": "1"})).await;
    assert_eq!(gone["result"].get("isError"), None, "{gone}");
    let unknown = api.call("no_such_tool", json!({})).await;
    assert_eq!(unknown["error"]["message"], "Unknown tool: no_such_tool");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_corridor_is_the_same_as_for_every_server() {
    let api = Api::start().await;
    let node = &api.node;
    let key = node.new_key("reader");
    node.cli_json(&["grant", "add", "--key", "reader", "--server", NAME, "--read-only"]);
    let reader = api.legacy(&key).await;
    let mut seen = names(&reader.request(json!(1), "tools/list", json!({})).await.json());
    seen.sort();
    assert_eq!(seen.len(), 2, "{seen:?}");
    let tools = names(&api.modern("tools/list", json!({})).await);
    let delete = tools
        .iter()
        .find(|name| !seen.contains(name) && name.to_lowercase().contains("delete"))
        .unwrap();
    let hidden = reader
        .request(
            json!(2),
            "tools/call",
            json!({"name": delete, "arguments": {"id": "1"}}),
        )
        .await
        .json();
    assert_eq!(hidden["error"]["message"], format!("Unknown tool: {delete}"));
    assert_eq!(api.seen().len(), 0);
    node.cli_json(&[
        "policy",
        "set",
        NAME,
        "rate_limit",
        "--calls",
        "1",
        "--per",
        "60s",
    ]);
    let params = json!({"name": seen[0], "arguments": {"id": "1"}});
    let mut limited = false;
    for number in 0..20 {
        let answer = reader.request(json!(number), "tools/call", params.clone()).await;
        limited |= answer.status == 429;
        if limited {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    assert!(limited, "the limit holds for tools of APIs");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_credential_comes_from_the_vault_and_shows_nowhere_else() {
    let api = Api::start().await;
    let node = &api.node;
    let secret = "s3cr3t-of-the-pets";
    let set = node.cli_with(&["secret", "set", "pets"], secret);
    assert!(set.status.success(), "{}", String::from_utf8_lossy(&set.stderr));
    let config = r#"{"scheme": "bearer", "secret": "secret:pets"}"#;
    node.cli_json(&["policy", "set", NAME, "credential", "--config", config]);
    let tools = names(&api.modern("tools/list", json!({})).await);
    let list = tools
        .iter()
        .find(|name| name.to_lowercase().contains("list"))
        .unwrap();
    let mut rounds = 0;
    let shown = loop {
        api.call(list, json!({})).await;
        let last = api.seen().pop().unwrap();
        if let Some(value) = last.headers.get("authorization") {
            break value.clone();
        }
        rounds += 1;
        assert!(rounds < 50, "the policy never came into force");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    };
    assert_eq!(shown, format!("Bearer {secret}"));
    let keys = node.cli_json(&["key", "list"]);
    let who = format!("key:{}", keys["items"][0]["name"].as_str().unwrap());
    let why = node.cli_json(&["why", "--as", &who, NAME, list]);
    let reasons = why["policies"].to_string();
    assert!(reasons.contains("secret:pets"), "{why}");
    let log = node.log_text();
    let audit = node.cli_json(&["audit", "list"]).to_string();
    assert!(!log.contains(secret) && !audit.contains(secret) && !why.to_string().contains(secret));
    let bad = node.cli(&[
        "policy",
        "set",
        NAME,
        "credential",
        "--config",
        r#"{"scheme": "bearer", "secret": "env:HOME"}"#,
    ]);
    assert!(!bad.status.success());
}
