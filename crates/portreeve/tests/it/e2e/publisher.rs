//! The official publisher (registry.md 2), replayed against a real node: sign in, publish, what it asks when it is
//! refused, status; with each kind of proof, looked up in doubles on this machine.

use std::net::TcpListener;
use std::path::PathBuf;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portreeve_core::time::{Clock as _, SystemClock};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::doubles::{Issuer, github, name_server, proxied_host};
use crate::node::Node;
use crate::web::Answer;

/// A node with a configuration file.
async fn node(folder: &TempDir, config: &str) -> Node {
    let file = folder.path().join("portreeve.toml");
    std::fs::write(&file, config).unwrap();
    Node::start_with(&["--config", file.to_str().unwrap()]).await
}

async fn send(node: &Node, method: &str, path: &str, token: &str, body: Value) -> Answer {
    let headers = [("authorization", format!("Bearer {token}"))];
    let headers = if token.is_empty() {
        &headers[..0]
    } else {
        &headers[..]
    };
    let body = if body.is_null() {
        String::new()
    } else {
        body.to_string()
    };
    node.web
        .ask(method, &format!("{}{path}", node.url), headers, body)
        .await
        .unwrap()
}

async fn sign_in(node: &Node, method: &str, claim: Value) -> Answer {
    send(node, "POST", &format!("/v0/auth/{method}"), "", claim).await
}

fn token(answer: &Answer) -> String {
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()["registry_token"].as_str().unwrap().to_owned()
}

/// A document that is only a package, so that nothing has to be reached.
fn document(name: &str, version: &str) -> Value {
    json!({
        "$schema": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
        "name": name, "description": "Mail for everyone", "version": version,
        "packages": [{"registryType": "npm", "identifier": "@acme/mail", "version": "1.0.0",
            "transport": {"type": "stdio"}}],
    })
}

/// What the publisher does once it has a token.
async fn publish_and_deprecate(node: &Node, token: &str, name: &str) {
    let refused = send(node, "POST", "/v0/publish", token, document(name, ">=1")).await;
    assert_eq!(refused.status, 422);
    let verdict = send(node, "POST", "/v0/validate", "", document(name, ">=1"))
        .await
        .json();
    assert_eq!(
        (&verdict["valid"], &verdict["issues"][0]["path"]),
        (&json!(false), &json!("version"))
    );

    let published = send(node, "POST", "/v0/publish", token, document(name, "1.0.0")).await;
    assert_eq!(published.status, 200, "{}", published.text());
    let path = format!("/v0/servers/{}/versions/1.0.0", name.replace('/', "%2F"));
    let seen = send(
        node,
        "GET",
        &format!("{path}?include_deleted=true"),
        token,
        Value::Null,
    )
    .await;
    let official = "io.modelcontextprotocol.registry/official";
    assert_eq!(seen.json()["_meta"][official]["status"], "active");
    assert_eq!(send(node, "GET", &path, "", Value::Null).await.status, 404);
    let change = json!({"status": "deprecated", "statusMessage": "use another"});
    let changed = send(node, "PATCH", &format!("{path}/status"), token, change).await;
    assert_eq!(
        changed.json()["_meta"][official]["status"],
        "deprecated",
        "{}",
        changed.text()
    );
}

async fn is_refused(node: &Node, token: &str, name: &str, granted: &str) {
    let foreign = send(node, "POST", "/v0/publish", token, document(name, "1.0.0")).await;
    assert_eq!(foreign.status, 403, "{name}");
    let detail = foreign.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains(granted), "{detail}");
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A key of a domain: its record, and how it signs.
struct DomainKey {
    record: String,
    sign: Box<dyn Fn(&str) -> String>,
}

fn ed25519() -> DomainKey {
    let pair = Ed25519KeyPair::from_seed_unchecked(&[3; 32]).unwrap();
    let point = STANDARD.encode(pair.public_key().as_ref());
    DomainKey {
        record: format!("v=MCPv1; k=ed25519; p={point}"),
        sign: Box::new(move |text| hex(pair.sign(text.as_bytes()).as_ref())),
    }
}

fn p384() -> DomainKey {
    let pair = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap();
    let point = pair.public_key().as_ref();
    // The second number of the point is left out; whether it is even tells which of two it is.
    let mut compressed = vec![2 + (point[96] & 1)];
    compressed.extend(&point[1..49]);
    DomainKey {
        record: format!("v=MCPv1; k=ecdsap384; p={}", STANDARD.encode(compressed)),
        sign: Box::new(move |text| hex(pair.sign(&SystemRandom::new(), text.as_bytes()).unwrap().as_ref())),
    }
}

fn claim(domain: &str, key: &DomainKey, seconds_ago: u64) -> Value {
    let at = SystemClock
        .now()
        .minus(std::time::Duration::from_secs(seconds_ago))
        .to_string();
    json!({"domain": domain, "timestamp": at, "signed_timestamp": (key.sign)(&at)})
}

#[tokio::test(flavor = "multi_thread")]
async fn a10_the_official_publisher_signs_in_by_dns() {
    let (one, other) = (ed25519(), p384());
    let texts = vec!["v=spf1 -all".to_owned(), one.record.clone(), other.record.clone()];
    let server = name_server("acme.example", texts).await;
    let folder = TempDir::new().unwrap();
    let node = node(
        &folder,
        &format!("[registry.auth]\ndns = true\nname_server = \"{server}\"\n"),
    )
    .await;
    for (key, name) in [(&one, "example.acme/mail"), (&other, "example.acme.dev/post")] {
        let good = claim("acme.example", key, 0);
        let token = token(&sign_in(&node, "dns", good.clone()).await);
        publish_and_deprecate(&node, &token, name).await;
        is_refused(
            &node,
            &token,
            "com.microsoft/mail",
            "`publish example.acme/*`, `publish example.acme.*`",
        )
        .await;
        let again = sign_in(&node, "dns", good).await;
        assert_eq!(again.status, 401, "{}", again.text());
    }
    for (domain, seconds_ago) in [
        ("acme.example", 20),
        ("dev.acme.example", 0),
        ("nowhere.example", 0),
    ] {
        let refused = sign_in(&node, "dns", claim(domain, &one, seconds_ago)).await;
        assert_eq!(refused.status, 401, "{domain}: {}", refused.text());
    }
}

/// A certificate for a name, and its key.
fn certificate(folder: &TempDir, name: &str) -> (PathBuf, PathBuf) {
    let made = rcgen::generate_simple_self_signed(vec![name.to_owned()]).unwrap();
    let (cert, key) = (folder.path().join("host.pem"), folder.path().join("host.key"));
    std::fs::write(&cert, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    (cert, key)
}

#[tokio::test(flavor = "multi_thread")]
async fn a10_the_official_publisher_signs_in_by_http() {
    let folder = TempDir::new().unwrap();
    let (cert, key) = certificate(&folder, "acme.example");
    let owner = ed25519();
    let proxy = proxied_host(&cert, &key, format!("{}\n", owner.record)).await;
    let config = format!(
        "[egress]\nproxy = \"http://{proxy}\"\nca_file = \"{}\"\n[registry.auth]\nhttp = true\n",
        cert.display()
    );
    let node = node(&folder, &config).await;
    let token = token(&sign_in(&node, "http", claim("acme.example", &owner, 0)).await);
    publish_and_deprecate(&node, &token, "example.acme/mail").await;
    is_refused(
        &node,
        &token,
        "example.acme.dev/mail",
        "it was granted `publish example.acme/*`",
    )
    .await;
    // What is no public host is not asked at all.
    for domain in ["metadata.google.internal", "billing.localhost"] {
        let refused = sign_in(&node, "http", claim(domain, &owner, 0)).await;
        assert_eq!(refused.status, 401, "{domain}: {}", refused.text());
        assert!(
            node.log_text().contains(&format!("`{domain}:443` is refused")),
            "{domain}"
        );
    }
    // A host whose certificate is not its own says nothing.
    let other = sign_in(&node, "http", claim("other.example", &owner, 0)).await;
    assert_eq!(other.status, 401, "{}", other.text());
    assert!(
        other.json()["detail"]
            .as_str()
            .unwrap()
            .contains("could not be read"),
        "{}",
        other.text()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a10_the_official_publisher_signs_in_with_tokens_of_issuers_and_of_github() {
    let issuer = Issuer::start().await;
    let api = github().await;
    let folder = TempDir::new().unwrap();
    let config = format!(
        "[registry.auth]\nnone = true\n\
         [registry.auth.github]\nclient_id = \"Iv1.test\"\napi_url = \"{api}\"\n\
         [registry.auth.github_oidc]\nissuer = \"{url}\"\n\
         [registry.auth.oidc]\nissuer = \"{url}\"\nclient_id = \"portreeve\"\nclaims = {{ groups = \"mcp\" }}\n\
         publish = [\"com.acme/*\"]\nedit = [\"com.acme/*\"]\n",
        url = issuer.url
    );
    let node = node(&folder, &config).await;
    assert!(node.log_text().contains("ANYBODY"), "a loud warning");
    let health = send(&node, "GET", "/v0/health", "", Value::Null).await.json();
    assert_eq!(health, json!({"status": "ok", "github_client_id": "Iv1.test"}));

    let nobody = token(&sign_in(&node, "none", Value::Null).await);
    publish_and_deprecate(&node, &nobody, "io.modelcontextprotocol.anonymous/mail").await;
    let octocat = token(&sign_in(&node, "github-at", json!({"github_token": "gho_octo"})).await);
    publish_and_deprecate(&node, &octocat, "io.github.octocat/mail").await;
    publish_and_deprecate(&node, &octocat, "io.github.acme-inc/mail").await;
    is_refused(
        &node,
        &octocat,
        "io.github.hubot/mail",
        "`publish io.github.octocat/*`, `publish io.github.acme-inc/*`",
    )
    .await;
    for (wrong, status) in [(json!({"github_token": "x"}), 401), (json!({}), 422)] {
        assert_eq!(sign_in(&node, "github-at", wrong).await.status, status);
    }

    let workflow = issuer.token(&json!({"aud": "mcp-registry", "repository_owner": "hubot"}));
    let hubot = token(&sign_in(&node, "github-oidc", json!({"oidc_token": workflow})).await);
    publish_and_deprecate(&node, &hubot, "io.github.hubot/mail").await;

    let ada = issuer.token(&json!({"aud": "portreeve", "sub": "ada", "groups": ["all", "mcp"]}));
    let ada = token(&sign_in(&node, "oidc", json!({"oidc_token": ada})).await);
    publish_and_deprecate(&node, &ada, "com.acme/mail").await;
    let mut edited = document("com.acme/mail", "1.0.0");
    edited["description"] = json!("Mail");
    let answer = send(
        &node,
        "PUT",
        "/v0.1/servers/com.acme/mail/versions/1.0.0",
        &ada,
        edited,
    )
    .await;
    assert_eq!(
        answer.json()["server"]["description"],
        "Mail",
        "{}",
        answer.text()
    );
    tokens_that_are_not_taken(&node, &issuer).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gw_9_a_proof_that_cannot_be_looked_into_is_none() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let api = github().await;
    let folder = TempDir::new().unwrap();
    let config = format!(
        "[registry.auth]\ndns = true\nname_server = \"{closed}\"\n\
         [registry.auth.github]\napi_url = \"{api}\"\n\
         [registry.auth.oidc]\nissuer = \"http://{closed}\"\nclient_id = \"x\"\npublish = [\"*\"]\n"
    );
    let node = node(&folder, &config).await;
    let issuer = Issuer::start().await;
    let id_token = issuer.token(&json!({"aud": "x", "sub": "ada", "iss": format!("http://{closed}")}));
    for (method, claim) in [
        ("dns", claim("acme.example", &ed25519(), 0)),
        ("github-at", json!({"github_token": "gho_busy"})),
        ("oidc", json!({"oidc_token": id_token})),
    ] {
        let answer = sign_in(&node, method, claim).await;
        assert_eq!(answer.status, 401, "{method}: {}", answer.text());
        let detail = answer.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains("could not be"), "{method}: {detail}");
    }
}

async fn tokens_that_are_not_taken(node: &Node, issuer: &Issuer) {
    let good = json!({"aud": "portreeve", "sub": "ada", "groups": "mcp"});
    let but = |field: &str, value: Value| {
        let mut claims = good.clone();
        claims[field] = value;
        issuer.token(&claims)
    };
    let stranger = Issuer::start().await;
    let mut foreign = good.clone();
    foreign["iss"] = json!(issuer.url);
    let whole = issuer.token(&good);
    let (signed, signature) = whole.rsplit_once('.').unwrap();
    let unsigned = {
        let body = whole.split('.').nth(1).unwrap();
        let head = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
        format!("{head}.{body}.")
    };
    for (what, token, status) in [
        ("another audience", but("aud", json!("mcp-registry")), 401),
        ("another issuer", but("iss", json!("https://else.example")), 401),
        ("too old", but("exp", json!(1_700_000_000)), 401),
        ("too early", but("nbf", json!(4_000_000_000_i64)), 401),
        ("another group", but("groups", json!(["all"])), 401),
        ("no subject", but("sub", json!(null)), 401),
        ("another key", stranger.token(&foreign), 401),
        (
            "a changed signature",
            format!("{signed}.{}", signature.chars().rev().collect::<String>()),
            401,
        ),
        ("no signature", unsigned, 422),
        ("no token", "nonsense".to_owned(), 422),
    ] {
        let answer = sign_in(node, "oidc", json!({"oidc_token": token})).await;
        assert_eq!(answer.status, status, "{what}: {}", answer.text());
    }
    assert_eq!(
        sign_in(node, "oidc", json!({"oidc_token": whole})).await.status,
        200
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_command_line_publishes_and_explains() {
    let folder = TempDir::new().unwrap();
    let node = node(&folder, "[registry]\nauto_approve = [\"com.trusted/*\"]\n").await;
    let write = |document: &Value| {
        let file = folder.path().join("server.json");
        std::fs::write(&file, document.to_string()).unwrap();
        file.to_str().unwrap().to_owned()
    };
    let run = |file: &str| {
        let output = node.cli(&["publish", file]);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr))
    };
    let waiting = run(&write(&document("com.acme/mail", "1.0.0")));
    assert_eq!(waiting.0, Some(0), "{waiting:?}");
    assert_eq!(
        waiting.1.trim(),
        "com.acme/mail 1.0.0 is published, and waits for approval."
    );
    let listed = run(&write(&document("com.trusted/mail", "1.0.0")));
    assert_eq!(
        listed.1.trim(),
        "com.trusted/mail 1.0.0 is published, and is listed."
    );
    let again = run(&write(&document("com.acme/mail", "1.0.0")));
    assert_eq!(again.0, Some(1));
    assert!(
        again.2.contains("cannot publish duplicate version `1.0.0`"),
        "{}",
        again.2
    );
    let mut bad = document("com.acme/mail", "^1");
    bad["packages"][0]["transport"]["type"] = json!("ws");
    let explained = run(&write(&bad));
    assert_eq!(explained.0, Some(1));
    for part in [
        "2 issues",
        "error: `version`: ",
        "error: `packages[0].transport.type`: ",
        "hint: ",
    ] {
        assert!(explained.2.contains(part), "{part}: {}", explained.2);
    }
    let seen = send(&node, "GET", "/v0.1/servers", "", Value::Null).await.json();
    assert_eq!(seen["metadata"]["count"], 1, "only what is approved");
}
