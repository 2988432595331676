//! Starting, stopping, certificates, usage, doctor.

use std::time::{Duration, Instant};

use axum::response::IntoResponse as _;
use serde_json::{Value, json};

use crate::node::{Node, binary};
use crate::upstream::{Speaks, Upstream};
use crate::web::modern;

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_finishes_the_calls_in_flight() {
    let mut node = Node::start().await;
    let upstream = Upstream::start(Speaks::Both).await;
    let slug = node.add("com.acme/billing", &upstream.url);
    let params = json!({"name": "slow", "arguments": {"ms": 1500}, "_meta": {"progressToken": 1}});
    let (headers, body) = modern(Some(&node.key), 4, "tools/call", params);
    let mut stream = node.web.open("POST", &node.endpoint(&slug), &headers, body).await;
    assert_eq!(
        stream.message().await.unwrap()["method"],
        "notifications/progress"
    );
    node.terminate();
    assert_eq!(stream.message().await.unwrap()["id"], 4, "the call is not cut");
    assert!(node.wait().await, "{}", node.log_text());
}

#[tokio::test(flavor = "multi_thread")]
async fn handshakes_that_hang_hold_up_no_stop() {
    let home = tempfile::TempDir::new().unwrap();
    let file = |name: &str| home.path().join(name).display().to_string();
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(file("cert.pem"), made.cert.pem()).unwrap();
    std::fs::write(file("key.pem"), made.signing_key.serialize_pem()).unwrap();
    let mut child = std::process::Command::new(binary())
        .args(["serve", "--listen", "127.0.0.1:0", "--metrics-listen", "off"])
        .args(["--data", &file("data")])
        .args(["--tls-cert", &file("cert.pem"), "--tls-key", &file("key.pem")])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    let silent = loop {
        let url = std::fs::read_to_string(file("data/listen.url")).unwrap_or_default();
        if let Ok(stream) = tokio::net::TcpStream::connect(url.trim_start_matches("https://")).await {
            break stream;
        }
        assert!(begun.elapsed() < Duration::from_secs(30), "no start");
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    tokio::time::sleep(Duration::from_millis(300)).await;
    let asked = Instant::now();
    let id = child.id().to_string();
    let sent = std::process::Command::new("kill").args(["-TERM", &id]).status();
    assert!(sent.unwrap().success());
    while child.try_wait().unwrap().is_none() {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(asked.elapsed() < Duration::from_secs(6), "{:?}", asked.elapsed());
    drop(silent);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo_is_ready_to_be_called_as_printed() {
    let node = Node::start_with(&["--demo"]).await;
    let printed = node.log_text();
    assert!(
        printed.contains("Sign in") && printed.contains("/admin/welcome?link="),
        "{printed}"
    );
    let called = node.cli(&["call", "com.example/port", "list_ships"]);
    assert!(
        called.status.success(),
        "{}",
        String::from_utf8_lossy(&called.stderr)
    );
    let slow = node.cli(&[
        "call",
        "com.example/port",
        "inspect_cargo",
        "--arg",
        "seconds=1",
        "--json",
    ]);
    assert!(
        String::from_utf8_lossy(&slow.stderr).contains("progress"),
        "{}",
        String::from_utf8_lossy(&slow.stderr)
    );
    for line in printed
        .lines()
        .filter(|line| line.trim_start().starts_with(binary()))
    {
        let output = std::process::Command::new("sh")
            .arg("-c")
            .arg(line)
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{line}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restarted_demo_keeps_its_route() {
    let mut node = Node::start_with(&["--demo"]).await;
    // The test listens on another port each time; everything else stays.
    let shown = |node: &Node| {
        node.cli_json(&["server", "show", "com.example/port"])
            .to_string()
            .replace(&node.url, "")
    };
    let before = shown(&node);
    node.terminate();
    assert!(node.wait().await);
    node.begin().await;
    assert_eq!(before, shown(&node));
}

#[tokio::test(flavor = "multi_thread")]
async fn usage_survives_a_restart_and_equals_the_count() {
    let mut node = Node::start().await;
    let upstream = Upstream::start(Speaks::Both).await;
    let slug = node.add("com.acme/billing", &upstream.url);
    node.cli_json(&[
        "policy",
        "set",
        "com.acme/billing",
        "rate_limit",
        "--calls",
        "7",
        "--per",
        "3600s",
    ]);
    for tool in ["echo", "wipe"] {
        for _ in 0..10 {
            let (headers, body) = modern(
                Some(&node.key),
                1,
                "tools/call",
                json!({"name": tool, "arguments": {}}),
            );
            node.web
                .ask("POST", &node.endpoint(&slug), &headers, body)
                .await
                .unwrap();
        }
    }
    node.terminate();
    assert!(node.wait().await);
    node.begin().await;
    let usage = node.cli_json(&["usage", "--since", "1h"]);
    for tool in ["echo", "wipe"] {
        let rows = usage["items"].as_array().unwrap();
        let row = rows
            .iter()
            .find(|row| row["tool"] == tool)
            .unwrap_or_else(|| panic!("{usage}"));
        assert_eq!(
            (&row["calls"], &row["limited"], &row["errors"]),
            (&json!(10), &json!(3), &json!(0)),
            "{row}"
        );
        assert!(row["p95Us"].as_u64().is_some_and(|micros| micros > 0), "{row}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn usage_counts_the_last_bytes_of_a_stream() {
    let mut node = Node::start().await;
    let upstream = Upstream::start(Speaks::Both).await;
    let slug = node.add("com.acme/billing", &upstream.url);
    // Answer and end of the stream come together.
    upstream.set_script(|message| {
        let answer = json!({"jsonrpc": "2.0", "id": message["id"], "result": {"resultType": "complete", "content": []}});
        (message["method"] == "tools/call").then(|| {
            let stream = [("content-type", "text/event-stream")];
            (stream, format!("data: {answer}\n\n")).into_response()
        })
    });
    let (headers, body) = modern(
        Some(&node.key),
        1,
        "tools/call",
        json!({"name": "echo", "arguments": {}}),
    );
    let answer = node
        .web
        .ask("POST", &node.endpoint(&slug), &headers, body)
        .await
        .unwrap();
    node.terminate();
    assert!(node.wait().await);
    node.begin().await;
    let usage = node.cli_json(&["usage", "--since", "1h"]);
    let rows = usage["items"].as_array().unwrap();
    let row = rows.iter().find(|row| row["tool"] == "echo");
    assert_eq!(
        row.unwrap_or_else(|| panic!("{usage}"))["bytesOut"],
        json!(answer.body.len())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_process_on_the_same_data_directory_is_refused() {
    let node = Node::start().await;
    let data = node.data().display().to_string();
    let second = node.cli(&[
        "serve",
        "--data",
        &data,
        "--listen",
        "127.0.0.1:0",
        "--metrics-listen",
        "off",
    ]);
    let error = String::from_utf8_lossy(&second.stderr).into_owned();
    assert_eq!(second.status.code(), Some(1), "{error}");
    assert!(
        error.contains("another Portreeve runs") && error.contains("hint:"),
        "{error}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_as_19_unsafe_listeners_are_refused() {
    let node = Node::start().await;
    let home = tempfile::TempDir::new().unwrap();
    let data = home.path().join("data").display().to_string();
    for (flags, word) in [
        (vec!["--demo", "--listen", "0.0.0.0:0"], "--demo"),
        (
            vec![
                "--listen",
                "127.0.0.1:0",
                "--public-url",
                "http://mcp.acme.example",
            ],
            "--insecure-http",
        ),
        (
            vec!["--tls-cert", "/nowhere.pem", "--tls-key", "/nowhere.key"],
            "/nowhere.pem",
        ),
    ] {
        let mut all = vec!["serve", "--data", &data, "--metrics-listen", "off"];
        all.extend(flags);
        let output = node.cli(&all);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(1), "{all:?}: {error}");
        assert!(error.contains(word), "{all:?}: {error}");
    }
}

fn status_of(node: &Node, name: &str) -> (Value, Option<i32>) {
    let output = node.cli(&["--json", "doctor"]);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
    let checks = report["items"].as_array().cloned().unwrap_or_default();
    let check = checks.iter().find(|check| check["name"] == name).cloned();
    (
        check.unwrap_or_else(|| panic!("no check `{name}`: {report}"))["status"].clone(),
        output.status.code(),
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_finds_open_data_and_servers_that_are_down() {
    use std::os::unix::fs::PermissionsExt as _;
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Both).await;
    node.add("com.acme/up", &upstream.url);
    for name in [
        "data rights",
        "store",
        "migrations",
        "state",
        "disk",
        "public URL",
        "journal",
        "search index",
        "upstream com.acme/up",
    ] {
        assert_eq!(status_of(&node, name), (json!("ok"), Some(0)), "{name}");
    }
    let key = node.data().join("master.key");
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(status_of(&node, "data rights"), (json!("failure"), Some(1)));
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
    node.cli_json(&[
        "server",
        "add",
        "com.acme/down",
        "--url",
        "http://127.0.0.1:9/mcp",
        "--approve",
    ]);
    assert_eq!(
        status_of(&node, "upstream com.acme/down"),
        (json!("failure"), Some(1))
    );
    assert_eq!(status_of(&node, "upstream com.acme/up").0, json!("ok"));
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_finds_a_public_url_that_leads_nowhere() {
    let node = Node::start_with(&["--public-url", "http://127.0.0.1:9"]).await;
    assert_eq!(status_of(&node, "public URL"), (json!("warning"), Some(0)));
}

#[tokio::test(flavor = "multi_thread")]
async fn doctor_finds_a_store_that_is_locked_and_migrations_it_does_not_know() {
    let node = Node::start().await;
    let file = node.data().join("portreeve.db");
    if !file.exists() {
        println!("not run: the store is not SQLite");
        return;
    }
    let sqlite = |script: &str| {
        let mut command = std::process::Command::new("python3");
        command.args([
            "-c",
            &format!(
                "import sqlite3, sys, time\nd = sqlite3.connect(sys.argv[1], isolation_level=None)\n{script}"
            ),
        ]);
        command.arg(&file);
        command
    };
    let unknown = "d.execute('update _sqlx_migrations set version = version')\n\
        d.execute(\"insert into _sqlx_migrations (version, description, success, checksum, execution_time) values (9999, 'from tomorrow', 1, x'00', 0)\")";
    assert!(sqlite(unknown).status().unwrap().success());
    assert_eq!(status_of(&node, "migrations"), (json!("failure"), Some(1)));
    assert!(
        sqlite("d.execute('delete from _sqlx_migrations where version = 9999')")
            .status()
            .unwrap()
            .success()
    );
    assert_eq!(status_of(&node, "migrations").0, json!("ok"));

    let mut holder = sqlite("d.execute('begin exclusive')\nprint('held', flush=True)\ntime.sleep(60)");
    let mut holder = holder.stdout(std::process::Stdio::piped()).spawn().unwrap();
    // Kept open: a Python that writes without a buffer dies of a closed pipe, and its lock with it.
    let mut told = holder.stdout.take().unwrap();
    std::io::Read::read_exact(&mut told, &mut [0; 4]).unwrap();
    assert_eq!(status_of(&node, "store"), (json!("failure"), Some(1)));
    holder.kill().unwrap();
    holder.wait().unwrap();
    assert_eq!(status_of(&node, "store").0, json!("ok"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_that_was_acknowledged_survives_kill_9() {
    let mut node = Node::start().await;
    let upstream = Upstream::start(Speaks::Both).await;
    for number in 0..5 {
        let name = format!("com.acme/server-{number}");
        node.add(&name, &upstream.url);
        node.kill();
        node.begin().await;
        let shown = node.cli_json(&["server", "show", &name]);
        assert_eq!(shown["versions"][0]["approval"], "approved", "{shown}");
    }
    let verified = node.cli_json(&["audit", "verify"]);
    assert_eq!(verified["findings"], json!([]), "{verified}");
    let approvals = node
        .api("GET", "/audit?action=server.approve&limit=100", None)
        .await
        .json();
    assert_eq!(
        approvals["items"].as_array().map(Vec::len),
        Some(5),
        "each once: {approvals}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_master_key_is_not_made_anew() {
    let mut node = Node::start().await;
    node.terminate();
    assert!(node.wait().await);
    let key = node.data().join("master.key");
    std::fs::remove_file(&key).unwrap();
    let data = node.data().display().to_string();
    let output = node.cli(&[
        "serve",
        "--data",
        &data,
        "--listen",
        "127.0.0.1:0",
        "--metrics-listen",
        "off",
    ]);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(
        error.contains("master key") && error.contains("hint: restore it"),
        "{error}"
    );
    assert!(!key.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_have_a_listener_of_their_own() {
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let node = Node::start_with(&["--metrics-listen", &port.to_string()]).await;
    let upstream = Upstream::start(Speaks::Both).await;
    let slug = node.add("com.acme/billing", &upstream.url);
    let (headers, body) = modern(
        Some(&node.key),
        1,
        "tools/call",
        json!({"name": "echo", "arguments": {}}),
    );
    node.web
        .ask("POST", &node.endpoint(&slug), &headers, body)
        .await
        .unwrap();
    assert_eq!(node.api("GET", "/search?q=billing", None).await.status, 200);
    let metrics = node
        .web
        .get(&format!("http://{port}/metrics"))
        .await
        .unwrap()
        .text();
    let line = r#"portreeve_requests_total{route="billing",method="tools/call",outcome="ok"} 1"#;
    for line in [
        line,
        "portreeve_search_servers 1\n",
        "portreeve_search_index_whole 1\n",
    ] {
        assert!(metrics.contains(line), "{metrics}");
    }
    assert!(metrics.ends_with("# EOF\n"), "{metrics}");
    assert_eq!(
        node.web
            .get(&format!("{}/metrics", node.url))
            .await
            .unwrap()
            .status,
        404
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn health_answers_without_a_credential() {
    let node = Node::start().await;
    for path in ["/healthz", "/readyz"] {
        assert_eq!(
            node.web.get(&format!("{}{path}", node.url)).await.unwrap().status,
            200,
            "{path}"
        );
    }
    tokio::time::sleep(Duration::from_millis(10)).await;
}
