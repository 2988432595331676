//! Access tokens at a registry: its MCP endpoint and its API are one resource.

use serde_json::json;

use crate::minted::Mint;
use crate::node::Node;
use crate::web::{Answer, modern};

async fn read(node: &Node, path: &str, token: Option<&str>) -> Answer {
    let headers: Vec<_> = token
        .map(|token| ("authorization", format!("Bearer {token}")))
        .into_iter()
        .collect();
    let url = format!("{}{path}", node.url);
    node.web.ask("GET", &url, &headers, String::new()).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rs_12_a_registry_is_a_resource_and_takes_its_tokens() {
    let node = Node::start().await;
    node.cli_json(&["registry", "create", "inner"]);
    node.cli_json(&[
        "registry",
        "edit",
        "inner",
        "--visibility",
        "only",
        "--reader",
        "user:admin",
    ]);
    let mint = Mint::of(&node).await;
    let metadata = "/.well-known/oauth-protected-resource/registries/inner/v0.1";
    let document = read(&node, metadata, None).await.json();
    assert_eq!(
        document["resource"],
        format!("{}/registries/inner/v0.1", node.url),
        "{document}"
    );
    assert_eq!(document["authorization_servers"], json!([node.url]));
    assert_eq!(
        document["scopes_supported"],
        json!(["registry/inner:read", "registry/inner:write"])
    );

    let servers = "/registries/inner/v0.1/servers";
    let stranger = read(&node, servers, None).await;
    assert_eq!(stranger.status, 401);
    let challenge = stranger.header("www-authenticate");
    let expected = format!(
        "Bearer resource_metadata=\"{}{metadata}\", scope=\"registry/inner:read\"",
        node.url
    );
    assert_eq!(challenge, expected);

    let face = format!("{}/registries/inner/mcp", node.url);
    let token = mint.token(&face, "registry/inner:read").await;
    let answer = read(&node, servers, Some(&token)).await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    let (headers, body) = modern(Some(&token), 1, "tools/list", json!({}));
    let answer = node.web.ask("POST", &face, &headers, body).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());

    for (name, token) in [
        (
            "for another registry",
            mint.token(&format!("{}/mcp", node.url), "registry/inner:read")
                .await,
        ),
        ("for nothing of it", mint.token(&face, "billing:read").await),
    ] {
        let refused = read(&node, servers, Some(&token)).await;
        assert_eq!(refused.status, 401, "{name}");
        assert!(
            refused.header("www-authenticate").contains("invalid_token"),
            "{name}"
        );
    }
    let managed = read(&node, "/api/v1/routes", Some(&token)).await;
    assert_eq!(managed.status, 401, "a token opens nothing of the management API");
    mint.close().await;
}
