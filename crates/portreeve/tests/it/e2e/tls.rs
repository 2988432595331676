//! TLS by certificate files, read again when they change.

use std::path::Path;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::Request;
use portreeve_net::{Egress, EgressConfig, Reach};

use crate::node::Node;

/// A self-signed certificate for 127.0.0.1, written as two files; returns the certificate's PEM.
fn certificate(directory: &Path) -> Vec<u8> {
    let made = rcgen::generate_simple_self_signed(vec!["127.0.0.1".to_owned()]).expect("a certificate");
    let pem = made.cert.pem().into_bytes();
    std::fs::write(directory.join("key.pem"), made.signing_key.serialize_pem()).expect("a key file");
    std::fs::write(directory.join("cert.pem"), &pem).expect("a certificate file");
    pem
}

async fn answers(url: &str, trusted: &[u8]) -> bool {
    let config = EgressConfig {
        ca_pem: Some(trusted.to_vec()),
        ..EgressConfig::default()
    };
    let egress = Egress::new(&config).expect("a way out");
    let request = Request::get(format!("{url}/healthz"))
        .body(Bytes::new())
        .expect("a request");
    let answer = egress
        .send(request, &Reach::Operator, Duration::from_secs(5))
        .await;
    answer.is_ok_and(|answer| answer.status() == 200)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_certificate_is_taken_up_and_a_broken_one_is_not() {
    let files = tempfile::TempDir::new().expect("a temporary directory");
    let first = certificate(files.path());
    let (cert, key) = (files.path().join("cert.pem"), files.path().join("key.pem"));
    let flags = [
        "--tls-cert",
        cert.to_str().unwrap(),
        "--tls-key",
        key.to_str().unwrap(),
    ];
    let node = Node::start_trusting(&flags, &first).await;
    assert!(node.url.starts_with("https://"));
    assert!(answers(&node.url, &first).await);

    std::fs::write(&cert, "nonsense").expect("a certificate file");
    tokio::time::sleep(Duration::from_secs(6)).await;
    assert!(
        answers(&node.url, &first).await,
        "a broken file leaves the old certificate"
    );

    let second = certificate(files.path());
    let begun = Instant::now();
    while !answers(&node.url, &second).await {
        assert!(
            begun.elapsed() < Duration::from_secs(15),
            "the new certificate is not taken up"
        );
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!(!answers(&node.url, &first).await);
}
