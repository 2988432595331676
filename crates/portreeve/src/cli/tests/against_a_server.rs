//! Commands against a small server of our own: what is sent, what is read, what is said about refusals.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use http::{StatusCode, header};
use serde_json::{Value, json};

use super::{parse, remote};
use crate::cli::{Failure, Reply, Verdict, answer};

/// What a request was: method, path with query, key, `If-Match`, content.
#[derive(Debug, Clone, PartialEq)]
struct Seen(String, String, Option<String>, Value);

/// A server that answers with a function, and remembers what was asked.
struct Server {
    address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    async fn start(reply: fn(&Seen) -> Response) -> Self {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let remembered = Arc::clone(&seen);
        let router = Router::new().fallback(move |request: Request| {
            let remembered = Arc::clone(&remembered);
            async move {
                let (head, body) = request.into_parts();
                let text = |name| {
                    head.headers
                        .get(name)
                        .map(|value| value.to_str().unwrap().to_owned())
                };
                let bytes = axum::body::to_bytes(body, 1 << 20).await.unwrap();
                let key = text(header::AUTHORIZATION).unwrap_or_default();
                let seen = Seen(
                    format!("{} {}", head.method, head.uri),
                    key,
                    text(header::IF_MATCH),
                    serde_json::from_slice(&bytes).unwrap_or(Value::Null),
                );
                let response = reply(&seen);
                remembered.lock().unwrap().push(seen);
                response
            }
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        Self { address, seen }
    }

    async fn run(&self, line: &str) -> Result<Reply, Failure> {
        self.run_with("--key prv_test", line).await
    }

    async fn run_with(&self, options: &str, line: &str) -> Result<Reply, Failure> {
        let (global, command) = remote(parse(&format!("--url http://{} {options} {line}", self.address)));
        answer(&global, command).await
    }

    fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

fn json_response(status: u16, body: Value) -> Response {
    let mut response = (StatusCode::from_u16(status).unwrap(), body.to_string()).into_response();
    let media_type = if status < 400 {
        "application/json"
    } else {
        "application/problem+json"
    };
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, media_type.parse().unwrap());
    response
}

#[tokio::test]
async fn all_pages_of_a_list_are_read() {
    let server = Server::start(|seen| {
        let page = match seen.0.as_str() {
            "GET /api/v1/servers?search=a%26b" => json!({"items": [{"name": "a/1"}], "nextCursor": "x y"}),
            "GET /api/v1/servers?search=a%26b&cursor=x%20y" => {
                json!({"items": [{"name": "a/2"}], "nextCursor": null})
            }
            other => json!({"items": [{"name": other}], "nextCursor": null}),
        };
        json_response(200, page)
    })
    .await;
    let reply = server.run("server list --search a&b").await.unwrap();
    assert_eq!(
        reply.body,
        json!({"items": [{"name": "a/1"}, {"name": "a/2"}], "nextCursor": null})
    );
    assert_eq!(server.seen()[0].1, "Bearer prv_test");
}

#[tokio::test]
async fn a_policy_is_set_on_the_route_as_it_was_read() {
    let server = Server::start(|seen| match seen.0.as_str() {
        "GET /api/v1/servers/com.acme%2Fbilling" => json_response(
            200,
            json!({"routes": [{"slug": "billing--test", "environment": "test"}, {"slug": "billing", "environment": "production"}]}),
        ),
        "GET /api/v1/routes/billing" => {
            let route = json!({"slug": "billing", "policies": [{"kind": "cache"}, {"kind": "rate_limit", "calls": 1}]});
            let mut response = json_response(200, route);
            response.headers_mut().insert(header::ETAG, "\"7\"".parse().unwrap());
            response
        }
        _ => json_response(200, json!({"slug": "billing", "policies": seen.3["policies"]})),
    })
    .await;
    let reply = server
        .run("policy set com.acme/billing rate_limit --calls 5 --per 2m")
        .await
        .unwrap();
    let last = server.seen().pop().unwrap();
    assert_eq!(last.0, "PATCH /api/v1/routes/billing");
    assert_eq!(last.2.as_deref(), Some("\"7\""));
    let policies = json!([{"kind": "cache"}, {"kind": "rate_limit", "calls": 5, "per_seconds": 120}]);
    assert_eq!(last.3, json!({ "policies": policies }));
    assert_eq!(reply.body["items"][1]["name"], "rate_limit");
    let missing = server
        .run("policy remove billing quota")
        .await
        .unwrap_err()
        .to_string();
    assert!(missing.contains("no policy of kind `quota`"), "{missing}");
}

#[tokio::test]
async fn a_refusal_is_told_in_the_servers_words() {
    let server = Server::start(|_| {
        json_response(
            422,
            json!({
                "title": "Unprocessable Content", "status": 422, "detail": "the document has 2 problems",
                "hint": "correct it and send it again",
                "errors": [{"path": "name", "message": "is missing"}, {"message": "rude\u{1b}[2J"}]
            }),
        )
    })
    .await;
    let failure = server
        .run("server add a/b --url http://c")
        .await
        .unwrap_err()
        .to_string();
    assert_eq!(
        failure,
        "error: the document has 2 problems\n  `name`: is missing\n  rude [2J\nhint: correct it and send it again"
    );
}

#[tokio::test]
async fn a_missing_key_is_told_with_where_it_was_looked_for() {
    let server = Server::start(|seen| {
        assert_eq!(seen.1, "");
        json_response(
            401,
            json!({"title": "Unauthorized", "detail": "this needs an API key"}),
        )
    })
    .await;
    let failure = server
        .run_with("--data /nonexistent", "whoami")
        .await
        .unwrap_err()
        .to_string();
    assert!(
        failure.starts_with("error: this needs an API key\nhint: "),
        "{failure}"
    );
    assert!(failure.contains("`/nonexistent/admin.key`"), "{failure}");
}

#[tokio::test]
async fn the_admin_key_is_read_from_the_data_directory() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("admin.key"), "prv_admin\n").unwrap();
    let server = Server::start(|_| json_response(200, json!({"name": "user:admin", "manage": true}))).await;
    let options = format!("--data {}", directory.path().display());
    let reply = server.run_with(&options, "whoami").await.unwrap();
    assert!(reply.text.contains("user:admin"), "{}", reply.text);
    assert_eq!(server.seen()[0].1, "Bearer prv_admin");
}

#[tokio::test]
async fn another_program_at_the_url_is_told() {
    let server = Server::start(|_| (StatusCode::NOT_FOUND, "<h1>nginx</h1>").into_response()).await;
    let failure = server.run("doctor").await.unwrap_err().to_string();
    assert!(
        failure.contains("does not answer as Portreeve does: 404 Not Found"),
        "{failure}"
    );
    let server = Server::start(|_| "<h1>hello</h1>".into_response()).await;
    let failure = server.run("doctor").await.unwrap_err().to_string();
    assert!(failure.contains("the answer is not JSON"), "{failure}");
}

#[tokio::test]
async fn a_failed_check_decides_how_the_process_ends() {
    let server =
        Server::start(|_| json_response(200, json!({"items": [{"name": "disk", "status": "warning"}]})))
            .await;
    assert_eq!(
        server.run("doctor").await.map(|reply| reply.verdict),
        Ok(Verdict::Good)
    );
    let server =
        Server::start(|_| json_response(200, json!({"items": [{"name": "disk", "status": "failure"}]})))
            .await;
    assert_eq!(
        server.run("doctor").await.map(|reply| reply.verdict),
        Ok(Verdict::Bad)
    );
}

#[tokio::test]
async fn names_are_one_segment_each() {
    let server = Server::start(|_| json_response(200, json!({"items": []}))).await;
    server.run("tool hide com.acme/billing a/b%2F?#").await.unwrap();
    assert_eq!(
        server.seen()[0].0,
        "POST /api/v1/servers/com.acme%2Fbilling/tools/a%2Fb%252F%3F%23/hide"
    );
}

#[tokio::test]
async fn a_server_is_registered_from_a_name_or_from_a_file() {
    let server = Server::start(|seen| {
        let version = json!({"name": seen.3["document"]["name"], "version": "1.0.0", "approval": "draft"});
        json_response(201, json!({"version": version, "tools": {"state": "no-route"}}))
    })
    .await;
    let reply = server
        .run("server add com.acme/billing --url https://m.example/mcp")
        .await
        .unwrap();
    assert_eq!(
        reply.text,
        "com.acme/billing 1.0.0 is draft.\nNext: portreeve server submit com.acme/billing"
    );
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("server.json");
    std::fs::write(&file, r#"{"name":"com.acme/other","version":"2.0.0"}"#).unwrap();
    server
        .run(&format!("server add --file {} --approve", file.display()))
        .await
        .unwrap();
    let seen = server.seen();
    assert_eq!(
        seen[0].3["document"]["remotes"][0]["url"],
        "https://m.example/mcp"
    );
    assert_eq!(
        seen[1].3["document"],
        json!({"name": "com.acme/other", "version": "2.0.0"})
    );
    assert_eq!(seen[1].3["approve"], true);
    let missing = server
        .run("server add --file /nonexistent.json")
        .await
        .unwrap_err()
        .to_string();
    assert!(missing.contains("cannot read `/nonexistent.json`"), "{missing}");
}

#[tokio::test]
async fn a_refused_document_is_explained() {
    let server = Server::start(|seen| match seen.0.as_str() {
        "POST /v0.1/publish" => {
            json_response(422, json!({"detail": "`version`: it is a range", "hint": "x"}))
        }
        _ => json_response(
            200,
            json!({"valid": false, "issues": [
                {"severity": "error", "path": "version", "message": "it is a range"},
                {"severity": "warning", "path": "", "message": "it is \u{1b}[31mred"}]}),
        ),
    })
    .await;
    let failure = server.run("publish tests/samples/server.json").await.unwrap_err();
    assert_eq!(
        failure.to_string(),
        "error: `com.acme/billing` cannot be published: 2 issues\n  error: `version`: it is a range\n  \
         warning: the document: it is  [31mred\nhint: mend the errors and publish again; warnings may stay"
    );
    let seen: Vec<String> = server.seen().into_iter().map(|seen| seen.0).collect();
    assert_eq!(seen, ["POST /v0.1/publish", "POST /v0.1/validate"]);
}

#[tokio::test]
async fn a_published_version_says_where_it_stands() {
    let server = Server::start(|seen| {
        let review = json!({"io.portreeve/review": {"approval": "submitted"}});
        json_response(200, json!({"server": seen.3, "_meta": review}))
    })
    .await;
    let reply = server.run("publish tests/samples/server.json").await.unwrap();
    assert_eq!(
        reply.text,
        "com.acme/billing 1.4.0 is published, and waits for approval."
    );
    let seen = server.seen();
    let document: Value = serde_json::from_str(include_str!("../../../tests/samples/server.json")).unwrap();
    assert_eq!((seen.len(), &seen[0].3), (1, &document));
}
