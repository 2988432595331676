//! The way out of the real binary: what it refuses to reach, the proxy it takes, the authorities it trusts.

use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use portreeve_net::TlsAcceptor;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::json;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};

use crate::node::Node;
use crate::upstream::{Speaks, Upstream};
use crate::web::{LegacyHost, modern};

/// A configuration file with this section.
fn configured(folder: &Path, egress: &str) -> String {
    let file = folder.join("portreeve.toml");
    std::fs::write(&file, format!("[egress]\n{egress}\n")).expect("a configuration file");
    file.display().to_string()
}

/// Calls the route's tool in both eras.
async fn both_eras_answer(node: &Node, slug: &str) {
    let params = json!({"name": "echo", "arguments": {"a": 1}});
    let (headers, body) = modern(Some(&node.key), 1, "tools/call", params.clone());
    let endpoint = node.endpoint(slug);
    let answer = node.web.ask("POST", &endpoint, &headers, body).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    let host = LegacyHost::connect(&node.web, &endpoint, Some(&node.key)).await;
    let answer = host.request(json!(1), "tools/call", params).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
}

async fn is_out_of_reach(node: &Node, slug: &str) {
    let (headers, body) = modern(Some(&node.key), 1, "tools/list", json!({}));
    let answer = node
        .web
        .ask("POST", &node.endpoint(slug), &headers, body)
        .await
        .unwrap();
    let message = answer.json()["error"]["message"].clone();
    assert_eq!(
        (answer.status, &answer.json()["id"]),
        (502, &json!(1)),
        "{}",
        answer.text()
    );
    assert_eq!(message, "Upstream error: the server cannot be reached");
}

#[tokio::test(flavor = "multi_thread")]
async fn b11_what_leads_inside_is_not_registered_without_a_grant() {
    let node = Node::start().await;
    let before = node.cli_json(&["server", "list"]);
    for (number, url) in [
        "http://127.0.0.1/mcp",
        "http://0x7f.1/mcp",
        "http://2130706433/mcp",
        "http://0177.0.0.1/mcp",
        "http://127.1/mcp",
        "http://localhost./mcp",
        "http://LOCALHOST/mcp",
        "http://a.localhost/mcp",
        "http://[::1]/mcp",
        "http://[::ffff:127.0.0.1]/mcp",
        "http://[64:ff9b::7f00:1]/mcp",
        "http://[2002:7f00:1::]/mcp",
        "http://[::127.0.0.1]/mcp",
        "http://10.0.0.1/mcp",
        "http://billing.internal/mcp",
        "https://127.0.0.1/mcp",
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("com.acme/inside{number}");
        let refused = node.cli(&["server", "add", &name, "--url", url]);
        let error = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success(), "{url}");
        assert!(error.contains("--internal"), "{url}: {error}");
    }
    assert_eq!(
        node.cli_json(&["server", "list"]),
        before,
        "nothing was left behind"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn b11_no_grant_leads_to_a_metadata_service() {
    let node = Node::start().await;
    let before = node.cli_json(&["server", "list"]);
    for (number, url) in [
        "http://169.254.169.254/latest/meta-data/",
        "http://0xa9fea9fe/latest/meta-data/",
        "http://[::ffff:169.254.169.254]/",
        "http://[64:ff9b::a9fe:a9fe]/",
        "http://[fd00:ec2::254]/",
        "http://[fe80::1]/",
        "http://metadata.google.internal/",
        "http://metadata.goog./",
        "http://100.100.100.200/",
        "http://0.0.0.0/",
    ]
    .into_iter()
    .enumerate()
    {
        let name = format!("com.acme/never{number}");
        let refused = node.cli(&["server", "add", &name, "--url", url, "--internal", "--approve"]);
        assert!(!refused.status.success(), "{url}");
    }
    for url in [
        "http://user:word@127.0.0.1/mcp",
        "ftp://127.0.0.1/mcp",
        "file:///etc/passwd",
    ] {
        let refused = node.cli(&[
            "server",
            "add",
            "com.acme/odd",
            "--url",
            url,
            "--internal",
            "--approve",
        ]);
        assert!(!refused.status.success(), "{url}");
    }
    assert_eq!(
        node.cli_json(&["server", "list"]),
        before,
        "nothing was left behind"
    );
}

/// A proxy that knows where `billing.internal` is, and notes what it is asked for.
async fn proxy(billing: u16) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let heads: Arc<Mutex<Vec<String>>> = Arc::default();
    let noted = Arc::clone(&heads);
    tokio::spawn(async move {
        while let Ok((host, _)) = listener.accept().await {
            tokio::spawn(pass(host, billing, Arc::clone(&noted)));
        }
    });
    (port, heads)
}

async fn pass(mut host: TcpStream, port: u16, noted: Arc<Mutex<Vec<String>>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match host.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let text = String::from_utf8_lossy(&head).into_owned();
    let Ok(mut server) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await else {
        return;
    };
    if text.starts_with("CONNECT ") {
        let _ = host.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").await;
    } else {
        let _ = server.write_all(&head).await;
    }
    noted.lock().unwrap().push(text);
    let _ = copy_bidirectional(&mut host, &mut server).await;
}

fn port_of(url: &str) -> u16 {
    url::Url::parse(url)
        .ok()
        .and_then(|url| url.port())
        .expect("a port")
}

#[tokio::test(flavor = "multi_thread")]
async fn everything_takes_the_configured_proxy() {
    let upstream = Upstream::start(Speaks::Both).await;
    let port = port_of(&upstream.url);
    let (proxy, heads) = proxy(port).await;
    let folder = TempDir::new().expect("a temporary directory");
    let file = configured(
        folder.path(),
        &format!("proxy = \"http://gate:w%C3%B6rd@127.0.0.1:{proxy}\"\nno_proxy = [\"direct.internal\"]"),
    );
    let node = Node::start_with(&["--config", &file]).await;
    // Nothing but the proxy knows this name.
    let slug = node.add("com.acme/billing", &format!("http://billing.internal:{port}/mcp"));
    both_eras_answer(&node, &slug).await;
    let heads = heads.lock().unwrap().clone();
    assert!(!heads.is_empty());
    for head in &heads {
        let target = format!("http://billing.internal:{port}/mcp HTTP/1.1\r\n");
        let line = head.split_once(' ').map(|(_, rest)| rest).unwrap_or_default();
        assert!(line.starts_with(&target), "{head}");
        assert!(
            head.contains("proxy-authorization: Basic Z2F0ZTp3w7ZyZA==\r\n"),
            "{head}"
        );
    }
    for seen in upstream.seen_of_all() {
        assert!(!seen.headers.contains_key("authorization"));
    }
    let log = node.log_text();
    assert!(
        !log.contains("wörd") && !log.contains("w%C3%B6rd"),
        "the password is in the log"
    );
}

/// A private authority, and a certificate of it for a name.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).expect("parameters");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().expect("a key");
        Self(CertifiedIssuer::self_signed(params, key).expect("an authority"))
    }

    fn write(&self, folder: &Path) -> PathBuf {
        let file = folder.join("ca.pem");
        std::fs::write(&file, self.0.pem()).expect("a file");
        file
    }

    fn acceptor(&self, name: &str, folder: &Path) -> TlsAcceptor {
        let key = KeyPair::generate().expect("a key");
        let params = CertificateParams::new(vec![name.to_owned()]).expect("parameters");
        let certificate = params.signed_by(&key, &self.0).expect("a certificate");
        let (cert_file, key_file) = (folder.join("cert.pem"), folder.join("key.pem"));
        std::fs::write(&cert_file, certificate.pem()).expect("a file");
        std::fs::write(&key_file, key.serialize_pem()).expect("a file");
        TlsAcceptor::load(&cert_file, &key_file).expect("an acceptor")
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_private_authority_is_trusted_where_it_is_configured_and_nowhere_else() {
    let folder = TempDir::new().expect("a temporary directory");
    let authority = Authority::new();
    let acceptor = authority.acceptor("127.0.0.1", folder.path());
    let upstream = Upstream::start_over_tls(Speaks::Both, acceptor).await;
    assert!(upstream.url.starts_with("https://"));

    let file = configured(
        folder.path(),
        &format!("ca_file = \"{}\"", authority.write(folder.path()).display()),
    );
    let trusting = Node::start_with(&["--config", &file]).await;
    let slug = trusting.add("com.acme/billing", &upstream.url);
    both_eras_answer(&trusting, &slug).await;
    // It asks again by itself, to look after the pins.
    drop(trusting);

    let other = Node::start().await;
    let seen = upstream.seen_of_all().len();
    let slug = other.add("com.acme/billing", &upstream.url);
    is_out_of_reach(&other, &slug).await;
    assert_eq!(
        upstream.seen_of_all().len(),
        seen,
        "nothing was asked over a connection that is not trusted"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tunnel_through_the_proxy_ends_at_the_server_that_was_meant() {
    let folder = TempDir::new().expect("a temporary directory");
    let authority = Authority::new();
    let acceptor = authority.acceptor("billing.internal", folder.path());
    let upstream = Upstream::start_over_tls(Speaks::Both, acceptor).await;
    let port = port_of(&upstream.url);
    let (proxy, heads) = proxy(port).await;
    let ca = authority.write(folder.path());
    let file = configured(
        folder.path(),
        &format!(
            "proxy = \"http://127.0.0.1:{proxy}\"\nca_file = \"{}\"",
            ca.display()
        ),
    );
    let node = Node::start_with(&["--config", &file]).await;
    let slug = node.add(
        "com.acme/billing",
        &format!("https://billing.internal:{port}/mcp"),
    );
    both_eras_answer(&node, &slug).await;
    let heads = heads.lock().unwrap().clone();
    let tunnel = format!("CONNECT billing.internal:{port} HTTP/1.1\r\n");
    assert!(
        !heads.is_empty() && heads.iter().all(|head| head.starts_with(&tunnel)),
        "{heads:?}"
    );
    // The certificate is for another name: the proxy may lead where it likes, and gets no further.
    let slug = node.add("com.acme/other", &format!("https://other.internal:{port}/mcp"));
    is_out_of_reach(&node, &slug).await;
}
