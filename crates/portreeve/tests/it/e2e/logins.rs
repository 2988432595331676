//! Protected servers: Portreeve logs in with a secret of the vault, at one URL and nowhere else; and says what a host that
//! looks for the way to a credential finds.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, Method, StatusCode, Uri};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::node::Node;

const SECRET: &str = "hush-Zaubereule-4711";
const NAME: &str = "com.acme/billing";

struct Book {
    /// What it wants to see in `Authorization`; nothing: it asks for no credential.
    wants: Option<String>,
    challenge: Option<String>,
    /// What it serves, by path.
    documents: Vec<(String, Value)>,
    seen: Vec<HeaderMap>,
}

/// An MCP server of the legacy era that asks for a credential.
#[derive(Clone)]
struct Guarded {
    origin: String,
    book: Arc<Mutex<Book>>,
}

impl Guarded {
    async fn start(wants: Option<&str>) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let book = Arc::new(Mutex::new(Book {
            wants: wants.map(str::to_owned),
            challenge: None,
            documents: Vec::new(),
            seen: Vec::new(),
        }));
        let router = Router::new().fallback(answer).with_state(Arc::clone(&book));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { origin, book }
    }

    fn url(&self) -> String {
        format!("{}/mcp", self.origin)
    }

    /// What it says to somebody without a credential.
    fn says(&self, challenge: Option<&str>, documents: &[(&str, Value)]) {
        let mut book = self.book.lock().unwrap();
        book.challenge = challenge.map(str::to_owned);
        book.documents = documents
            .iter()
            .map(|(path, document)| ((*path).to_owned(), document.clone()))
            .collect();
    }

    /// Every `Authorization` that came.
    fn presented(&self) -> Vec<String> {
        let book = self.book.lock().unwrap();
        let values = book
            .seen
            .iter()
            .filter_map(|headers| headers.get("authorization"));
        values.map(|value| value.to_str().unwrap().to_owned()).collect()
    }
}

async fn answer(
    State(book): State<Arc<Mutex<Book>>>,
    (method, uri): (Method, Uri),
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut book = book.lock().unwrap();
    book.seen.push(headers.clone());
    if method == Method::GET {
        let found = book.documents.iter().find(|(path, _)| path == uri.path());
        return match found {
            Some((_, document)) => axum::Json(document.clone()).into_response(),
            None => StatusCode::NOT_FOUND.into_response(),
        };
    }
    let shown = headers.get("authorization").and_then(|value| value.to_str().ok());
    if book.wants.is_some() && shown != book.wants.as_deref() {
        let mut refused = StatusCode::UNAUTHORIZED.into_response();
        if let Some(challenge) = &book.challenge {
            refused
                .headers_mut()
                .insert("www-authenticate", challenge.parse().unwrap());
        }
        return refused;
    }
    let message: Value = serde_json::from_slice(&body).unwrap_or_default();
    let result = match message["method"].as_str() {
        Some("initialize") => json!({
            "protocolVersion": "2025-06-18", "capabilities": {"tools": {}},
            "serverInfo": {"name": "guarded", "version": "1"},
        }),
        Some("tools/list") => json!({"tools": [{
            "name": "list", "description": "Lists the invoices of a month.",
            "inputSchema": {"type": "object"},
        }]}),
        Some("server/discover") => {
            let error =
                json!({"jsonrpc": "2.0", "id": message["id"], "error": {"code": -32601, "message": "no"}});
            return axum::Json(error).into_response();
        }
        _ => return StatusCode::ACCEPTED.into_response(),
    };
    axum::Json(json!({"jsonrpc": "2.0", "id": message["id"], "result": result})).into_response()
}

/// The findings of one assessor: path, message, evidence.
async fn found(node: &Node, assessor: &str) -> Vec<(String, String, String)> {
    let answer = node
        .api("POST", "/servers/com.acme%2Fbilling/assess", Some(json!({})))
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let text = |finding: &Value, field: &str| finding[field].as_str().unwrap_or_default().to_owned();
    let body = answer.json();
    let findings = body["findings"].as_array().unwrap().iter();
    let findings = findings.filter(|finding| finding["assessor"] == assessor);
    findings
        .map(|finding| {
            (
                text(finding, "path"),
                text(finding, "message"),
                text(finding, "evidence"),
            )
        })
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_protected_server_is_seen_with_a_login_and_nobody_else_gets_its_secret() {
    let node = Node::start().await;
    let server = Guarded::start(Some(&format!("Bearer {SECRET}"))).await;
    let url = server.url();
    node.cli_json(&["server", "add", NAME, "--url", &url, "--internal"]);
    let unseen = found(&node, "reachable").await;
    assert!(
        unseen[0]
            .1
            .starts_with("tools not seen: the server asks for a credential"),
        "{unseen:?}"
    );
    let set = node.cli_with(&["secret", "set", "acme"], SECRET);
    assert!(set.status.success());
    let login = node.cli_json(&["server", "login", NAME, "--bearer", "acme"]);
    assert_eq!(login["name"], url.as_str());
    assert_eq!(
        login["login"],
        json!({"scheme": "bearer", "secret": "secret:acme"})
    );
    assert!(found(&node, "reachable").await.is_empty());
    assert!(
        server
            .presented()
            .iter()
            .all(|shown| shown == &format!("Bearer {SECRET}"))
    );

    // What is seen so is pinned by an approval, too.
    node.cli_json(&["server", "approve", NAME]);
    let tools = node.cli_json(&["server", "tools", NAME]);
    assert_eq!(tools["items"][0]["name"], "list", "{tools}");

    // Somebody who may publish leads the next version to a place of their own.
    let elsewhere = Guarded::start(None).await;
    let other_url = elsewhere.url();
    let add = [
        "server",
        "add",
        NAME,
        "--url",
        &other_url,
        "--version",
        "2.0.0",
        "--internal",
    ];
    node.cli_json(&add);
    found(&node, "reachable").await;
    assert!(!elsewhere.book.lock().unwrap().seen.is_empty(), "it was asked");
    assert_eq!(elsewhere.presented(), Vec::<String>::new());

    let refused = node.cli(&["secret", "delete", "acme"]);
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        told.contains(&format!("is used by login `{NAME} at {url}`")),
        "{told}"
    );
    assert!(
        node.cli(&["secret", "delete", "acme", "--force"])
            .status
            .success()
    );
    node.cli(&["server", "remove", NAME]);
    node.cli_json(&["server", "add", NAME, "--url", &url, "--internal"]);
    let logins = node.cli_json(&["server", "logins", NAME]);
    assert_eq!(logins["items"], json!([]), "a login goes with its server");
    let audit = node.api("GET", "/audit?action=server.log*", None).await;
    assert!(audit.text().contains("server.login") && !audit.text().contains(SECRET));
    assert!(!node.log_text().contains(SECRET));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_is_for_administrators_and_says_what_is_missing() {
    let node = Node::start().await;
    let server = Guarded::start(Some("hush")).await;
    node.cli_json(&["server", "add", NAME, "--url", &server.url(), "--internal"]);
    assert!(node.cli_with(&["secret", "set", "acme"], "hush").status.success());
    let owner = node.new_key("owner");
    node.cli_json(&["grant", "add", "--key", "owner", "--publish", "--server", NAME]);
    let path = format!("{}/api/v1/servers/com.acme%2Fbilling/logins", node.url);
    let login = json!({"login": {"scheme": "bearer", "secret": "secret:acme"}});
    let headers = [("authorization", format!("Bearer {owner}"))];
    let refused = node
        .web
        .ask("PUT", &path, &headers, login.to_string())
        .await
        .unwrap();
    assert_eq!(
        refused.status, 403,
        "it would show any secret to a server of the owner's"
    );

    for (login, told) in [
        (
            json!({"scheme": "bearer", "secret": "secret:nowhere"}),
            "no secret `nowhere`",
        ),
        (json!({"scheme": "bearer", "secret": "hush"}), "secret:NAME"),
        (
            json!({"scheme": "header", "header": "Host", "secret": "secret:acme"}),
            "carries the protocol",
        ),
        (
            json!({"scheme": "basic", "user": "a:b", "secret": "secret:acme"}),
            "`user`",
        ),
    ] {
        let answer = node
            .api(
                "PUT",
                "/servers/com.acme%2Fbilling/logins",
                Some(json!({ "login": login })),
            )
            .await;
        assert_eq!(answer.status, 422, "{login}: {}", answer.text());
        assert!(answer.text().contains(told), "{login}: {}", answer.text());
    }
    node.cli_json(&["server", "login", NAME, "--header", "Authorization=acme"]);
    assert!(found(&node, "reachable").await.is_empty());
    assert!(
        node.cli(&["secret", "delete", "acme", "--force"])
            .status
            .success()
    );
    let unseen = found(&node, "reachable").await;
    assert!(unseen[0].2.contains("no secret `acme`"), "{unseen:?}");
    assert!(node.cli(&["server", "logout", NAME]).status.success());
    assert!(!node.cli(&["server", "logout", NAME]).status.success());
}

const RESOURCE: &str = "/.well-known/oauth-protected-resource/mcp";
const ISSUER: &str = "/.well-known/oauth-authorization-server";

/// What a server shows to somebody without a credential, and what is to be found in it.
struct Case {
    is_challenged: bool,
    documents: Vec<(&'static str, Value)>,
    expected: &'static str,
}

fn with(document: &Value, field: &str, value: Value) -> Value {
    let mut document = document.clone();
    document[field] = value;
    document
}

/// The documents in which nothing is wrong, and what may be.
fn cases(url: &str, origin: &str) -> (Vec<(&'static str, Value)>, Vec<Case>) {
    let resource = json!({"resource": url, "authorization_servers": [origin]});
    let issuer = json!({
        "issuer": origin, "authorization_endpoint": format!("{origin}/a"), "token_endpoint": format!("{origin}/t"),
        "code_challenge_methods_supported": ["S256"],
    });
    let case = |documents: &[(&'static str, &Value)], expected| Case {
        is_challenged: true,
        documents: documents
            .iter()
            .map(|(path, document)| (*path, (*document).clone()))
            .collect(),
        expected,
    };
    let other = with(&resource, "resource", json!("https://other.example/mcp"));
    let nobody = with(&resource, "authorization_servers", json!([]));
    let metadata = with(
        &resource,
        "authorization_servers",
        json!(["http://169.254.169.254"]),
    );
    let plain = with(&issuer, "code_challenge_methods_supported", json!(["plain"]));
    let all = vec![(RESOURCE, resource.clone()), (ISSUER, issuer.clone())];
    let bare = Case {
        is_challenged: false,
        documents: all.clone(),
        expected: "challenge: answers 401 without",
    };
    let cases = vec![
        bare,
        case(&[], "resource: the metadata of the protected resource"),
        case(
            &[(RESOURCE, &other), (ISSUER, &issuer)],
            "resource: says that it is about another resource",
        ),
        case(&[(RESOURCE, &nobody)], "resource: names no authorization server"),
        case(
            &[(RESOURCE, &metadata)],
            "issuer: names a place that Portreeve does not go to",
        ),
        case(
            &[(RESOURCE, &resource)],
            "issuer: the metadata of the authorization server",
        ),
        case(
            &[(RESOURCE, &resource), (ISSUER, &plain)],
            "issuer: the authorization server does not say that it takes PKCE with S256",
        ),
    ];
    (all, cases)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_host_without_a_credential_finds_is_followed_and_judged() {
    let node = Node::start().await;
    let server = Guarded::start(Some("hush")).await;
    let origin = server.origin.clone();
    node.cli_json(&["server", "add", NAME, "--url", &server.url(), "--internal"]);
    let challenge = format!("Bearer resource_metadata=\"{origin}{RESOURCE}\"");
    // Nothing here has TLS; what is told besides that is what the case is about.
    let told = async || -> Vec<String> {
        let found = found(&node, "authorization").await;
        for (path, _, evidence) in &found {
            assert!(
                path.starts_with("authorization.") && !evidence.is_empty(),
                "{found:?}"
            );
        }
        let others = found
            .iter()
            .filter(|(_, message, _)| !message.contains("without TLS"));
        others
            .map(|(path, message, _)| format!("{path}: {message}"))
            .collect()
    };
    let (all, cases) = cases(&server.url(), &origin);
    server.says(Some(&challenge), &all);
    assert_eq!(told().await, Vec::<String>::new());
    for case in cases {
        server.says(case.is_challenged.then_some(challenge.as_str()), &case.documents);
        let told = told().await;
        assert_eq!(told.len(), 1, "{}: {told:?}", case.expected);
        let told = told[0].strip_prefix("authorization.").unwrap();
        assert!(told.starts_with(case.expected), "{}: {told}", case.expected);
    }
    let presented = server.presented();
    assert!(
        presented.is_empty(),
        "nothing is presented on the way: {presented:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_registry_that_is_not_open_is_read_with_a_secret() {
    let node = Node::start().await;
    let registry = Guarded::start(None).await;
    let entry = json!({"server": {
        "$schema": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
        "name": "com.other/mail", "description": "Mail", "version": "1.0.0",
        "packages": [{
            "registryType": "npm", "identifier": "mail", "version": "1.0.0", "transport": {"type": "stdio"}
        }],
    }, "_meta": {}});
    let page = json!({"servers": [entry], "metadata": {"count": 1}});
    registry.says(None, &[("/v0.1/servers", page)]);
    let line = [
        "import",
        "registry",
        &registry.origin,
        "--every",
        "1h",
        "--internal",
        "--basic",
        "ada=acme",
    ];
    let refused = node.cli(&line);
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(told.contains("no secret `acme`"), "{told}");
    assert!(node.cli_with(&["secret", "set", "acme"], "pw").status.success());
    let scheduled = node.cli_json(&line);
    assert_eq!(
        scheduled["login"],
        json!({"scheme": "basic", "user": "ada", "secret": "secret:acme"})
    );
    let refused = node.cli(&["secret", "delete", "acme"]);
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(told.contains("is used by import `"), "{told}");
    let begun = std::time::Instant::now();
    loop {
        let found = node.api("GET", "/servers/com.other%2Fmail", None).await;
        if found.status == 200 {
            break;
        }
        assert!(
            begun.elapsed().as_secs() < 40,
            "nothing was imported: {}",
            node.log_text()
        );
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
    // RFC 7617: `ada:pw` in base64.
    assert!(registry.presented().iter().all(|shown| shown == "Basic YWRhOnB3"));
    assert!(!registry.presented().is_empty());
    let runs = node.api("GET", "/imports", None).await;
    assert!(!runs.text().contains("YWRhOnB3"), "{}", runs.text());
}
