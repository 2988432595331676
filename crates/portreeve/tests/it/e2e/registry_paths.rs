//! Names and versions in paths, on every way to the node: directly, over TLS, and through nginx (A6).

use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::node::Node;
use crate::web::Web;

/// Publishes `com.acme/billing` in a version whose text needs care.
async fn stock(node: &Node) {
    let document = json!({
        "$schema": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
        "name": "com.acme/billing", "description": "Invoices", "version": "1.0.0+b1",
        "packages": [{"registryType": "npm", "identifier": "@acme/billing", "version": "1.0.0",
            "transport": {"type": "stdio"}}],
    });
    let headers = [("authorization", format!("Bearer {}", node.key))];
    let url = format!("{}/v0.1/publish", node.url);
    let published = node
        .web
        .ask("POST", &url, &headers, document.to_string())
        .await
        .unwrap();
    assert_eq!(published.status, 200, "{}", published.text());
    node.cli_json(&["server", "approve", "com.acme/billing"]);
}

async fn every_form_of_a_path_is_understood(web: &Web, base: &str) {
    for (path, status) in [
        ("/v0.1/servers/com.acme%2Fbilling/versions/1.0.0%2Bb1", 200),
        ("/v0.1/servers/com.acme%2fbilling/versions/1.0.0+b1", 200),
        ("/v0.1/servers/com.acme/billing/versions/1.0.0%2Bb1", 200),
        ("/v0/servers/com.acme%2Fbilling/versions/latest", 200),
        ("/v0.1/servers/com.acme%2Fbilling/versions", 200),
        ("/v0.1/servers/v0.1/servers", 200),
        ("/v0.1/servers/com.acme%252Fbilling/versions/latest", 404),
        ("/v0.1/servers/com.acme%2Fbilling/versions/1.0.0%20b1", 404),
        ("/v0.1/servers/com.acme%2Fnever/versions/latest", 404),
        ("/v0.1/servers/?limit=1", 308),
    ] {
        let answer = web.get(&format!("{base}{path}")).await.unwrap();
        assert_eq!(answer.status, status, "{base}{path}: {}", answer.text());
        assert_eq!(answer.header("access-control-allow-origin"), "*", "{path}");
        if status == 200 && path.contains("b1") {
            let body: Value = answer.json();
            assert_eq!(body["server"]["version"], "1.0.0+b1", "{path}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a6_paths_are_understood_directly_and_over_tls() {
    let node = Node::start().await;
    stock(&node).await;
    every_form_of_a_path_is_understood(&node.web, &node.url).await;

    let files = TempDir::new().unwrap();
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).unwrap();
    let (cert, key) = (files.path().join("cert.pem"), files.path().join("key.pem"));
    let pem = made.cert.pem().into_bytes();
    std::fs::write(&cert, &pem).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let flags = [
        "--tls-cert",
        cert.to_str().unwrap(),
        "--tls-key",
        key.to_str().unwrap(),
    ];
    let node = Node::start_trusting(&flags, &pem).await;
    let document = files.path().join("server.json");
    std::fs::write(
        &document,
        include_str!("../../samples/server.json").replace(
            "\"version\": \"1.4.0\",\n  \"packages\"",
            "\"version\": \"1.0.0+b1\",\n  \"packages\"",
        ),
    )
    .unwrap();
    let published = Command::new(crate::node::binary())
        .args([
            "--url",
            &node.url,
            "--key",
            &node.key,
            "publish",
            document.to_str().unwrap(),
        ])
        .env("SSL_CERT_FILE", &cert)
        .output()
        .unwrap();
    assert!(published.status.success(), "{published:?}");
    let approve = node
        .api("POST", "/servers/com.acme%2Fbilling/approve", Some(json!({})))
        .await;
    assert_eq!(approve.status, 200, "{}", approve.text());
    every_form_of_a_path_is_understood(&node.web, &node.url).await;
}

/// nginx in front of a node, as docs/configuration.md shows it. Stopped when dropped.
struct Nginx {
    child: Child,
    url: String,
    _folder: TempDir,
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Nginx {
    /// `None` where there is no nginx.
    async fn before(node: &Node) -> Option<Self> {
        let found = ["/usr/sbin/nginx", "/usr/bin/nginx", "/usr/local/bin/nginx"];
        let Some(program) = found.into_iter().find(|program| Path::new(program).exists()) else {
            println!("not run: no nginx");
            return None;
        };
        let folder = TempDir::new().unwrap();
        let port = TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        let place = folder.path().display();
        let config = format!(
            "daemon off; master_process off; error_log {place}/error.log; pid {place}/pid;\n\
             events {{}}\n\
             http {{ access_log off; client_body_temp_path {place}/body; proxy_temp_path {place}/proxy;\n\
             fastcgi_temp_path {place}/f; uwsgi_temp_path {place}/u; scgi_temp_path {place}/s;\n\
             server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass {};\n\
             proxy_http_version 1.1; proxy_set_header Connection \"\"; }} }} }}\n",
            node.url
        );
        let file = folder.path().join("nginx.conf");
        std::fs::write(&file, config).unwrap();
        let child = Command::new(program)
            .args(["-p", &place.to_string(), "-c", file.to_str().unwrap()])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let nginx = Self {
            child,
            url: format!("http://127.0.0.1:{port}"),
            _folder: folder,
        };
        let begun = Instant::now();
        while node.web.get(&format!("{}/v0.1/ping", nginx.url)).await.is_err() {
            assert!(begun.elapsed() < Duration::from_secs(15), "nginx does not answer");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        Some(nginx)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a6_paths_are_understood_through_nginx() {
    let node = Node::start().await;
    stock(&node).await;
    let Some(nginx) = Nginx::before(&node).await else {
        return;
    };
    every_form_of_a_path_is_understood(&node.web, &nginx.url).await;
    let headers = [("authorization", format!("Bearer {}", node.key))];
    let status = format!(
        "{}/v0.1/servers/com.acme%2Fbilling/versions/1.0.0%2Bb1/status",
        nginx.url
    );
    let body = json!({"status": "deprecated"}).to_string();
    let changed = node.web.ask("PATCH", &status, &headers, body).await.unwrap();
    assert_eq!(changed.status, 200, "{}", changed.text());
}
