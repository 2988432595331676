//! Legacy sessions outlive the node that opened them, and are the same on every node; a server that loses its side of one
//! is none of the host's business. What two nodes in one process say of it is told in `kept_sessions`.

use std::time::{Duration, Instant};

use axum::response::IntoResponse as _;
use futures_util::StreamExt as _;
use http::StatusCode;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::node::{Engines, Node};
use crate::served::Served;
use crate::upstream::{Speaks, Upstream, events};
use crate::web::{Answer, LegacyHost, Stream, Web};

const SESSIONS: usize = 1_000;

/// Hosts that do something at once.
const AT_ONCE: usize = 32;

/// A host with one session, behind a balancer that takes the nodes in turn.
struct Host {
    web: Web,
    number: usize,
    headers: Vec<(&'static str, String)>,
}

impl Host {
    async fn connect(web: &Web, number: usize, nodes: &[(String, String)]) -> Self {
        let (url, key) = &nodes[number % nodes.len()];
        let host = LegacyHost::connect(web, url, Some(key)).await;
        Self {
            web: web.clone(),
            number,
            headers: host.headers,
        }
    }

    async fn call(&self, turn: usize, nodes: &[(String, String)]) -> Result<Answer, String> {
        let (url, _) = &nodes[(self.number + turn) % nodes.len()];
        let params = json!({"name": "echo", "arguments": {"host": self.number, "turn": turn}});
        let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params});
        self.web.ask("POST", url, &self.headers, call.to_string()).await
    }

    /// Calls, and looks at the answer.
    async fn is_answered(&self, turn: usize, nodes: &[(String, String)]) {
        let answer = self.call(turn, nodes).await.expect("an answer");
        assert_eq!(answer.status, 200, "{}: {}", self.number, answer.text());
        let text = answer.json()["result"]["content"][0]["text"].clone();
        let echoed: Value = serde_json::from_str(text.as_str().unwrap_or_default()).unwrap_or_default();
        assert_eq!(echoed, json!({"host": self.number, "turn": turn}));
    }

    async fn listen(&self, turn: usize, nodes: &[(String, String)]) -> Stream {
        let (url, _) = &nodes[(self.number + turn) % nodes.len()];
        let mut stream = self.web.open("GET", url, &self.headers, String::new()).await;
        assert_eq!(stream.status, 200, "{}", self.number);
        assert_eq!(
            stream.message().await.expect("the first message")["params"]["data"],
            "here"
        );
        stream
    }
}

/// All hosts, some at once.
async fn each<'a, T>(hosts: &'a [Host], what: impl AsyncFn(&'a Host) -> T) -> Vec<T> {
    let what = &what;
    futures_util::stream::iter(hosts)
        .map(|host| async move { what(host).await })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await
}

/// A server with a stream for every session.
async fn server() -> Upstream {
    let upstream = Upstream::start(Speaks::Legacy).await;
    upstream.set_script(|message| {
        let here = json!({"jsonrpc": "2.0", "method": "notifications/message", "params": {"level": "info", "data": "here"}});
        (message["method"] == "GET").then(|| events(&[here], Duration::from_secs(600)))
    });
    upstream
}

/// How many sessions hosts opened at the server.
fn opened(upstream: &Upstream) -> usize {
    let hello = |body: &[u8]| {
        let message: Value = serde_json::from_slice(body).unwrap_or_default();
        message["method"] == "initialize" && message["params"]["clientInfo"]["name"] == "test"
    };
    upstream.seen().iter().filter(|seen| hello(&seen.body)).count()
}

/// Room for so many hosts with one key.
fn roomy() -> (TempDir, String) {
    let folder = TempDir::new().expect("a temporary directory");
    let file = folder.path().join("portreeve.toml");
    std::fs::write(
        &file,
        "[limits]\nsessions_per_caller = 2000\nstreams_per_caller = 2000\n",
    )
    .expect("a file");
    let path = file.display().to_string();
    (folder, path)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_live_legacy_sessions_survive_kill_9_and_restart() {
    let (_folder, config) = roomy();
    let mut node = Node::start_on(Engines::Alone, &["--config", &config]).await;
    let upstream = server().await;
    let slug = node.add("com.acme/old", &upstream.url);
    let place = |node: &Node| [(node.endpoint(&slug), node.key.clone())];
    let nodes = place(&node);
    let begun = Instant::now();
    let hosts: Vec<Host> = futures_util::stream::iter(0..SESSIONS)
        .map(|number| Host::connect(&node.web, number, &nodes))
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    println!("{SESSIONS} sessions opened in {:?}", begun.elapsed());
    let streams = each(&hosts, async |host| host.listen(0, &nodes).await).await;
    let params = json!({"name": "slow", "arguments": {"ms": 60_000}});
    let slow = json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": params}).to_string();
    let mut in_flight = Vec::new();
    for host in hosts.iter().take(50) {
        let mut call = host
            .web
            .open("POST", &nodes[0].0, &host.headers, slow.clone())
            .await;
        assert!(call.message().await.is_some(), "it is under way");
        in_flight.push(call);
    }

    node.kill();
    for mut lost in in_flight.into_iter().chain(streams) {
        assert_eq!(
            lost.message().await,
            None,
            "what was in flight is lost, and nothing else"
        );
    }
    node.begin().await;
    let nodes = place(&node);
    each(&hosts, async |host| host.is_answered(1, &nodes).await).await;
    let streams = each(&hosts, async |host| host.listen(1, &nodes).await).await;
    assert_eq!(streams.len(), SESSIONS);
    assert_eq!(
        opened(&upstream),
        SESSIONS,
        "each has the session that it had at the server"
    );

    node.kill();
    drop(streams);
    upstream.forget_sessions();
    node.begin().await;
    let nodes = place(&node);
    each(&hosts, async |host| host.is_answered(2, &nodes).await).await;
    assert_eq!(opened(&upstream), 2 * SESSIONS, "each was greeted anew, once");
    each(&hosts, async |host| host.is_answered(3, &nodes).await).await;
    assert_eq!(opened(&upstream), 2 * SESSIONS);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_legacy_sessions_need_no_stickiness_and_survive_the_loss_of_a_node() {
    let engines = Engines::chosen();
    if matches!(engines, Engines::Alone) {
        println!("not run: one node alone (runs on PostgreSQL and Redis)");
        return;
    }
    let (_folder, config) = roomy();
    let mut one = Node::start_on(engines, &["--config", &config]).await;
    let two = Node::start_beside(&one, &["--config", &config]).await;
    let upstream = server().await;
    let slug = one.add("com.acme/old", &upstream.url);
    let key = one.new_key("shared");
    one.cli_json(&["grant", "add", "--key", "shared", "--all-servers"]);
    let place = |node: &Node| (node.endpoint(&slug), key.clone());
    let both = [place(&one), place(&two)];
    follows(&two, &both[1]).await;
    let begun = Instant::now();
    let hosts: Vec<Host> = futures_util::stream::iter(0..SESSIONS)
        .map(|number| Host::connect(&one.web, number, &both))
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    println!("{SESSIONS} sessions opened on two nodes in {:?}", begun.elapsed());
    for turn in 0..4 {
        each(&hosts, async |host| host.is_answered(turn, &both).await).await;
    }
    let streams = each(&hosts, async |host| host.listen(0, &both).await).await;

    one.kill();
    let left = [place(&two)];
    each(&hosts, async |host| host.is_answered(4, &left).await).await;
    one.begin().await;
    let both = [place(&one), place(&two)];
    for turn in 5..7 {
        each(&hosts, async |host| host.is_answered(turn, &both).await).await;
    }
    drop(streams);
    let streams = each(&hosts, async |host| host.listen(7, &both).await).await;
    assert_eq!(streams.len(), SESSIONS);
    assert_eq!(
        opened(&upstream),
        SESSIONS,
        "each has one session at the server, whichever node asks"
    );

    let ended = &hosts[0];
    let gone = one
        .web
        .ask("DELETE", &both[0].0, &ended.headers, String::new())
        .await;
    assert_eq!(gone.unwrap().status, 204);
    let begun = Instant::now();
    while ended.call(1, &both).await.unwrap().status != 404
        || ended.call(0, &both).await.unwrap().status != 404
    {
        assert!(
            begun.elapsed() < Duration::from_secs(30),
            "the other node serves it still"
        );
    }
}

/// Waits until a node knows the route and the key.
async fn follows(node: &Node, (url, key): &(String, String)) {
    let begun = Instant::now();
    let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "first", "version": "1"}}});
    let headers = [("authorization", format!("Bearer {key}"))];
    loop {
        let answer = node
            .web
            .ask("POST", url, &headers, hello.to_string())
            .await
            .unwrap();
        if answer.text().contains("scripted") {
            return;
        }
        assert!(begun.elapsed() < Duration::from_secs(10), "{}", answer.text());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p14_a_server_that_lost_the_session_is_greeted_anew_and_told_what_the_host_set() {
    let served = Served::start(Speaks::Legacy).await;
    let host = served.legacy().await;
    served.upstream.set_script(|message| {
        let is_set = matches!(
            message["method"].as_str(),
            Some("logging/setLevel" | "resources/subscribe" | "resources/unsubscribe")
        );
        let done = json!({"jsonrpc": "2.0", "id": message["id"], "result": {}});
        is_set.then(|| axum::Json(done).into_response())
    });
    for (method, params) in [
        ("logging/setLevel", json!({"level": "debug"})),
        ("logging/setLevel", json!({"level": "warning"})),
        ("resources/subscribe", json!({"uri": "test://a"})),
        ("resources/subscribe", json!({"uri": "test://b"})),
        ("resources/unsubscribe", json!({"uri": "test://a"})),
    ] {
        assert_eq!(
            host.request(json!(1), method, params).await.status,
            200,
            "{method}"
        );
    }
    let hello = served.upstream.seen().into_iter().map(|seen| seen.body);
    let hello: Vec<Value> = hello
        .filter_map(|body| serde_json::from_slice(&body).ok())
        .collect();
    let hello = hello
        .iter()
        .rfind(|message| message["method"] == "initialize")
        .unwrap()["params"]
        .clone();
    served.upstream.forget_sessions();
    served.upstream.forget();
    let calls = (0..8).map(|_| host.request(json!(1), "tools/list", json!({})));
    for answer in futures_util::future::join_all(calls).await {
        assert_eq!(answer.status, 200, "P14: {}", answer.text());
        assert_eq!(answer.json()["result"]["tools"].as_array().map(Vec::len), Some(3));
    }
    let said: Vec<(String, Value)> = served
        .upstream
        .seen()
        .iter()
        .filter_map(|seen| serde_json::from_slice::<Value>(&seen.body).ok())
        .map(|message| {
            (
                message["method"].as_str().unwrap_or_default().to_owned(),
                message["params"].clone(),
            )
        })
        .filter(|(method, _)| method != "tools/list")
        .collect();
    let expected = [
        ("initialize", hello),
        ("notifications/initialized", json!({})),
        ("logging/setLevel", json!({"level": "warning"})),
        ("resources/subscribe", json!({"uri": "test://b"})),
    ];
    let expected = expected.map(|(method, params)| (method.to_owned(), params));
    assert_eq!(said, expected, "once, for eight that came at the same time");
}

#[tokio::test(flavor = "multi_thread")]
async fn p14_p27_a_call_is_repeated_only_when_the_server_knew_no_session() {
    let served = Served::start(Speaks::Legacy).await;
    let refusal = |status: u16, id: &Value, message: &str, code: i64| {
        let body = json!({"jsonrpc": "2.0", "id": id, "error": {"code": code, "message": message}});
        (StatusCode::from_u16(status).unwrap(), axum::Json(body)).into_response()
    };
    for (name, status, message, code, is_lost) in [
        ("404", 404, "Session not found", -32001, true),
        (
            "400 of the SDK",
            400,
            "Bad Request: Server not initialized",
            -32000,
            true,
        ),
        (
            "400 that names it",
            400,
            "No valid session ID provided",
            -32000,
            true,
        ),
        (
            "400 about the call",
            400,
            "the session of parliament is over",
            -32602,
            false,
        ),
        ("500", 500, "no session in the database", -32603, false),
        ("own 404", 404, "There is no such session", -32000, false),
        ("own 400", 400, "Server not initialized", -32600, false),
        ("own 404 of the SDK", 404, "Session not found", -32001, true),
    ] {
        let is_own = name.starts_with("own");
        served.upstream.set_script(|_| None);
        let host = served.legacy().await;
        let theirs = served.upstream.seen().last().unwrap().headers["mcp-session-id"].clone();
        let (text, first) = (message.to_owned(), std::sync::atomic::AtomicBool::new(true));
        served.upstream.set_script(move |asked| {
            let is_first =
                asked["method"] == "tools/call" && first.swap(false, std::sync::atomic::Ordering::SeqCst);
            let id = if is_own { &asked["id"] } else { &Value::Null };
            is_first.then(|| refusal(status, id, &text, code))
        });
        served.upstream.forget();
        let calls = served.upstream.calls();
        let params = json!({"name": "echo", "arguments": {}});
        let answer = host.request(json!(1), "tools/call", params.clone()).await;
        assert_eq!(
            answer.json().get("result").is_some(),
            is_lost,
            "{name}: {}",
            answer.text()
        );
        assert_eq!(served.upstream.calls() - calls, u64::from(is_lost), "{name}");
        let last = served.upstream.seen().pop().unwrap();
        assert_eq!(last.headers["mcp-session-id"] != theirs, is_lost, "{name}");
        assert_eq!(
            host.request(json!(1), "tools/call", params).await.status,
            200,
            "{name}: it goes on"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn p14_a_host_begins_anew_only_where_its_server_is_another_one() {
    let served = Served::start(Speaks::Legacy).await;
    let host = served.legacy().await;
    served.upstream.forget_sessions();
    let older = json!({"protocolVersion": "2025-03-26", "capabilities": {}, "serverInfo": {"name": "s", "version": "0"}});
    served.upstream.set_script(move |message| {
        let agreed = json!({"jsonrpc": "2.0", "id": message["id"], "result": older});
        (message["method"] == "initialize")
            .then(|| ([("mcp-session-id", "older")], axum::Json(agreed)).into_response())
    });
    let answer = host.request(json!(1), "tools/list", json!({})).await;
    assert_eq!(answer.status, 404, "{}", answer.text());
    assert_eq!(
        host.request(json!(1), "tools/list", json!({})).await.status,
        404,
        "for good"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn p14_a_server_that_is_away_ends_no_session() {
    let served = Served::start(Speaks::Legacy).await;
    let host = served.legacy().await;
    served.upstream.forget_sessions();
    served.upstream.set_script(|message| {
        (message["method"] == "initialize").then(|| StatusCode::SERVICE_UNAVAILABLE.into_response())
    });
    let answer = host.request(json!(1), "tools/list", json!({})).await;
    assert_eq!(answer.status, 502, "{}", answer.text());
    served.upstream.set_script(|_| None);
    assert_eq!(host.request(json!(1), "tools/list", json!({})).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_kept_of_a_session_says_nothing_of_the_server() {
    let served = Served::start_with(&[], Speaks::Legacy).await;
    if !matches!(served.node.engines(), Engines::Alone) {
        println!("not run: the file of SQLite is looked at");
        return;
    }
    let host = served.legacy().await;
    host.request(json!(1), "resources/subscribe", json!({"uri": "test://telltale"}))
        .await;
    let theirs = served.upstream.seen().last().unwrap().headers["mcp-session-id"].clone();
    let mut held = Vec::new();
    for name in ["portreeve.db", "portreeve.db-wal"] {
        held.extend(std::fs::read(served.node.data().join(name)).unwrap_or_default());
    }
    let holds = |text: &str| held.windows(text.len()).any(|part| part == text.as_bytes());
    assert!(holds("host_sessions"));
    assert!(!holds(theirs.to_str().unwrap()) && !holds("telltale"));
}
