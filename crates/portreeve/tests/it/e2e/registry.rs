//! The registry as hosts read it: VS Code's and Copilot's requests (registry.md 3.1, 3.2), replayed.

use serde_json::{Value, json};

use crate::node::Node;
use crate::upstream::{Speaks, Upstream};

async fn get(node: &Node, path: &str) -> crate::web::Answer {
    node.web.get(&format!("{}{path}", node.url)).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a7_vs_code_finds_pages_through_and_installs() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Both).await;
    for number in 0..7 {
        let name = format!("com.acme/mail-{number}");
        node.cli_json(&[
            "server",
            "add",
            &name,
            "--url",
            &upstream.url,
            "--description",
            "Mail for everyone",
            "--approve",
        ]);
    }
    let slug = node.add("com.acme/billing", &upstream.url);
    assert_eq!(get(&node, "/v0.1/servers?limit=1").await.status, 200, "the probe");

    let mut names = Vec::new();
    let mut page = get(&node, "/v0.1/servers?limit=3&version=latest&search=mail")
        .await
        .json();
    loop {
        for item in page["servers"].as_array().unwrap() {
            assert!(
                item["_meta"]["io.modelcontextprotocol.registry/official"]["isLatest"].is_boolean(),
                "{item}"
            );
            names.push(item["server"]["name"].as_str().unwrap().to_owned());
        }
        let Some(cursor) = page["metadata"]["nextCursor"]
            .as_str()
            .filter(|cursor| !cursor.is_empty())
        else {
            break;
        };
        assert!(
            cursor
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')),
            "{cursor}"
        );
        // Following pages come without the search, and the cursor is pasted raw.
        page = get(
            &node,
            &format!("/v0.1/servers?limit=3&version=latest&cursor={cursor}"),
        )
        .await
        .json();
    }
    let expected: Vec<_> = (0..7).map(|number| format!("com.acme/mail-{number}")).collect();
    assert_eq!(names, expected);

    let one = get(&node, "/v0.1/servers/com.acme%2Fbilling/versions/latest")
        .await
        .json();
    assert_eq!(
        one["server"]["remotes"][0]["url"],
        node.endpoint(&slug),
        "the gateway's URL, never the upstream's"
    );
    assert_eq!(one["server"]["remotes"][0]["type"], "streamable-http");
    assert!(!one.to_string().contains(&upstream.url));
    for missing in ["com.acme%2Fnope", "com.acme%252Fbilling"] {
        assert_eq!(
            get(&node, &format!("/v0.1/servers/{missing}/versions/latest"))
                .await
                .status,
            404,
            "{missing}"
        );
    }
    for alias in [
        "/v0/servers",
        "/v0.1/servers/com.acme/billing/versions",
        "/v0.1/servers/com.acme/billing/versions/1.0.0",
    ] {
        assert_eq!(get(&node, alias).await.status, 200, "{alias}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a8_copilot_gets_its_cross_origin_headers() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Both).await;
    node.add("com.acme/billing", &upstream.url);
    let origin = [
        ("origin", "https://github.com".to_owned()),
        ("access-control-request-method", "GET".to_owned()),
        ("access-control-request-headers", "authorization".to_owned()),
    ];
    for path in [
        "",
        "/com.acme%2Fbilling/versions/latest",
        "/com.acme%2Fbilling/versions/1.0.0",
    ] {
        let url = format!("{}/v0.1/servers{path}", node.url);
        let preflight = node
            .web
            .ask("OPTIONS", &url, &origin, String::new())
            .await
            .unwrap();
        assert!((200..300).contains(&preflight.status), "{path}");
        let answer = node
            .web
            .ask("GET", &url, &origin[..1], String::new())
            .await
            .unwrap();
        for headers in [&preflight, &answer] {
            assert_eq!(headers.header("access-control-allow-origin"), "*", "{path}");
            assert!(
                headers.header("access-control-allow-methods").contains("GET"),
                "{path}"
            );
            assert!(
                headers
                    .header("access-control-allow-headers")
                    .to_ascii_lowercase()
                    .contains("authorization"),
                "{path}"
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_what_is_approved_is_listed() {
    let node = Node::start().await;
    let upstream = Upstream::start(Speaks::Both).await;
    node.cli_json(&[
        "server",
        "add",
        "com.acme/draft",
        "--url",
        &upstream.url,
        "--internal",
    ]);
    node.add("com.acme/billing", &upstream.url);
    let names = |list: &Value| {
        let items = list["servers"].as_array().unwrap();
        items
            .iter()
            .map(|item| item["server"]["name"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(
        names(&get(&node, "/v0.1/servers").await.json()),
        [json!("com.acme/billing")]
    );
    assert_eq!(
        get(&node, "/v0.1/servers/com.acme%2Fdraft/versions/latest")
            .await
            .status,
        404
    );
    node.cli_json(&["server", "approve", "com.acme/draft"]);
    assert_eq!(names(&get(&node, "/v0.1/servers").await.json()).len(), 2);
    node.cli_json(&["server", "retire", "com.acme/billing"]);
    assert_eq!(
        names(&get(&node, "/v0.1/servers").await.json()),
        [json!("com.acme/draft")]
    );
    let gone = node
        .web
        .ask("POST", &node.endpoint("billing"), &[], String::new())
        .await
        .unwrap();
    assert_eq!(gone.status, 404);
}
