//! Server Cards and the catalogue that leads to them: B12, SEP-2127.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::node::Node;
use crate::upstream::{Speaks, Upstream};
use crate::web::Answer;

/// The published schema of a card; `None` where there is no corpus.
fn schema() -> Option<Value> {
    #[expect(
        clippy::disallowed_methods,
        reason = "only this variable says where the corpus is"
    )]
    let folder = std::env::var("PORTREEVE_TEST_DATA").map_or_else(
        |_| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data"),
        PathBuf::from,
    );
    let file = folder.join("registry/schemas/server-card-experimental-2026-07.schema.json");
    let Ok(text) = std::fs::read_to_string(file) else {
        #[expect(clippy::print_stdout, reason = "the stage summary shows what did not run")]
        {
            println!("not run: no corpus");
        }
        return None;
    };
    let mut schema: Value = serde_json::from_str(&text).unwrap();
    schema["$ref"] = json!("#/$defs/ServerCard");
    Some(schema)
}

fn fits(card: &Value) {
    let Some(schema) = schema() else { return };
    let validator = jsonschema::validator_for(&schema).unwrap();
    assert!(!validator.is_valid(&json!({})), "the schema says something");
    let errors: Vec<_> = validator
        .iter_errors(card)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{card}: {errors:?}");
}

/// What every one of these documents must have.
fn is_public(answer: &Answer, kind: &str) {
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.header("content-type"), kind);
    assert_eq!(answer.header("access-control-allow-origin"), "*");
    assert_eq!(answer.header("access-control-expose-headers"), "ETag");
    assert_eq!(answer.header("cache-control"), "public, max-age=3600");
    assert!(answer.header("etag").starts_with('"'));
}

async fn get(node: &Node, path: &str) -> Answer {
    node.web.get(&format!("{}{path}", node.url)).await.unwrap()
}

const CARD: &str = "application/mcp-server-card+json";
const CATALOG: &str = "application/ai-catalog+json";

#[tokio::test(flavor = "multi_thread")]
async fn b12_a_served_server_has_a_card_that_fits_the_schema() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Both).await;
    let document = json!({
        "$schema": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
        "name": "com.acme/billing", "title": "Billing", "description": "Invoices and refunds", "version": "1.2.0",
        "websiteUrl": "https://acme.example/billing",
        "repository": {"url": "https://github.com/acme/billing", "source": "github"},
        "icons": [{"src": "https://acme.example/icon.png", "mimeType": "image/png", "sizes": ["48x48"]}],
        "packages": [{"registryType": "npm", "identifier": "@acme/billing", "version": "1.2.0",
            "transport": {"type": "stdio"}}],
        "remotes": [{"type": "streamable-http", "url": upstream.url}],
        "_meta": {"io.modelcontextprotocol.registry/publisher-provided": {"team": "internal-name"}},
    });
    let file = node.data().join("server.json");
    std::fs::write(&file, document.to_string()).unwrap();
    let added = node.cli_json(&[
        "server",
        "add",
        "--file",
        file.to_str().unwrap(),
        "--approve",
        "--internal",
    ]);
    let slug = added["route"]["slug"].as_str().unwrap();
    let answer = get(&node, &format!("/s/{slug}/mcp/server-card")).await;
    is_public(&answer, CARD);
    let card = answer.json();
    fits(&card);
    assert_eq!(card["name"], "com.acme/billing");
    assert_eq!(card["title"], "Billing");
    assert_eq!(card["icons"], document["icons"]);
    assert_eq!(card["remotes"].as_array().unwrap().len(), 1);
    assert_eq!(card["remotes"][0]["url"], node.endpoint(slug));
    assert_eq!(
        card["remotes"][0]["supportedProtocolVersions"],
        json!(["2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"])
    );
    for absent in ["packages", "_meta", "tools"] {
        assert!(card.get(absent).is_none(), "{absent}: {card}");
    }
    assert!(!card.to_string().contains(&upstream.url), "{card}");

    let own = get(&node, "/mcp/server-card").await;
    is_public(&own, CARD);
    fits(&own.json());
    assert_eq!(own.json()["remotes"][0]["url"], format!("{}/mcp", node.url));
}

#[tokio::test(flavor = "multi_thread")]
async fn b12_a_copy_is_kept_until_the_server_changes() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Both).await;
    let slug = node.add("com.acme/billing", &upstream.url);
    let path = format!("/s/{slug}/mcp/server-card");
    for (path, kind) in [
        (path.as_str(), CARD),
        ("/mcp/server-card", CARD),
        ("/.well-known/ai-catalog.json", CATALOG),
    ] {
        let url = format!("{}{path}", node.url);
        let whole = get(&node, path).await;
        is_public(&whole, kind);
        let tag = [("if-none-match", whole.header("etag").to_owned())];
        let fresh = node.web.ask("GET", &url, &tag, String::new()).await.unwrap();
        assert_eq!((fresh.status, fresh.body.len()), (304, 0), "{path}");
        assert_eq!(fresh.header("etag"), whole.header("etag"));
        assert_eq!(fresh.header("access-control-allow-origin"), "*");
        let head = node.web.ask("HEAD", &url, &[], String::new()).await.unwrap();
        is_public(&head, kind);
        assert_eq!(head.body.len(), 0);
        let asked = [
            ("origin", "https://elsewhere.example".to_owned()),
            ("access-control-request-method", "GET".to_owned()),
            ("access-control-request-headers", "if-none-match".to_owned()),
        ];
        let preflight = node
            .web
            .ask("OPTIONS", &url, &asked, String::new())
            .await
            .unwrap();
        assert_eq!(preflight.status, 204);
        assert!(preflight.header("access-control-allow-methods").contains("GET"));
        assert!(
            preflight
                .header("access-control-allow-headers")
                .contains("If-None-Match")
        );
        assert_eq!(
            node.web
                .ask("POST", &url, &[], "{}".to_owned())
                .await
                .unwrap()
                .status,
            405,
            "{path}"
        );
    }
    let before = get(&node, &path).await.header("etag").to_owned();
    node.cli_json(&[
        "server",
        "add",
        "com.acme/billing",
        "--url",
        &upstream.url,
        "--version",
        "1.1.0",
        "--approve",
    ]);
    let after = get(&node, &path).await;
    assert_eq!(after.json()["version"], "1.1.0");
    assert_ne!(after.header("etag"), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn b12_no_private_server_is_in_the_catalogue_or_has_a_card() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Legacy).await;
    let open = node.add("com.acme/billing", &upstream.url);
    let gone = node.add("com.acme/gone", &upstream.url);
    let off = node.add("com.acme/off", &upstream.url);
    node.cli_json(&[
        "server",
        "add",
        "com.acme/waiting",
        "--url",
        &upstream.url,
        "--internal",
    ]);
    assert_eq!(
        get(&node, &format!("/s/{gone}/mcp/server-card")).await.status,
        200
    );
    node.cli_json(&["server", "retire", "com.acme/gone"]);
    node.cli_json(&["route", "set", &off, "--state", "inactive"]);

    let catalogue = get(&node, "/.well-known/ai-catalog.json").await;
    is_public(&catalogue, CATALOG);
    let catalogue = catalogue.json();
    assert_eq!(catalogue["specVersion"], "1.0");
    let entries = catalogue["entries"].as_array().unwrap();
    let identifiers: Vec<_> = entries
        .iter()
        .map(|entry| entry["identifier"].as_str().unwrap())
        .collect();
    assert_eq!(
        identifiers,
        ["urn:air:127.0.0.1:mcp:registry", "urn:air:acme.com:mcp:billing"]
    );
    for entry in entries {
        assert_eq!(entry["type"], CARD);
        let card = node.web.get(entry["url"].as_str().unwrap()).await.unwrap();
        is_public(&card, CARD);
        fits(&card.json());
    }
    let legacy = get(&node, &format!("/s/{open}/mcp/server-card")).await.json();
    let versions = &legacy["remotes"][0]["supportedProtocolVersions"];
    // What the server itself does not speak is bridged.
    assert_eq!(
        *versions,
        json!(["2025-03-26", "2025-06-18", "2025-11-25", "2026-07-28"])
    );

    // With the admin's key, too: a card is the same for everyone, so that caches may keep it.
    let key = [("authorization", format!("Bearer {}", node.key))];
    let mut told = Vec::new();
    for slug in [gone.as_str(), &off, "waiting", "never", "A%2Fb"] {
        for headers in [&key[..], &[]] {
            let url = format!("{}/s/{slug}/mcp/server-card", node.url);
            let answer = node.web.ask("GET", &url, headers, String::new()).await.unwrap();
            assert_eq!(answer.status, 404, "{slug}: {}", answer.text());
            assert_eq!(answer.header("etag"), "", "{slug}");
            if !slug.contains('%') {
                told.push(answer.text().replace(slug, "X"));
            }
        }
    }
    told.dedup();
    assert_eq!(told.len(), 1, "{told:?}");
}
