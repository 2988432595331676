//! The plugin marketplace among the exports: what it holds, and how each plugin enters.

use serde_json::json;

use super::{Register, fits};

#[tokio::test(flavor = "multi_thread")]
async fn b7_a_marketplace_offers_each_server_as_a_plugin() {
    let register = Register::open().await;
    let file = register.file("plugin-marketplace").await;
    // What Claude Code wants of such a file, and of a plugin that has no files of its own.
    let server =
        json!({"type": "object", "required": ["type"], "properties": {"type": {"enum": ["http", "stdio"]}}});
    let plugin = json!({
        "type": "object", "additionalProperties": false,
        "required": ["name", "source", "description", "strict", "mcpServers"],
        "properties": {
            "name": {"type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$"}, "source": {"const": "./"},
            "strict": {"const": false}, "description": {"type": "string"}, "version": {"type": "string"},
            "homepage": {"type": "string", "pattern": "^http"},
            "mcpServers": {"type": "object", "minProperties": 1, "maxProperties": 1, "additionalProperties": server},
        },
    });
    fits(
        &json!({"type": "object", "required": ["name", "owner", "plugins"], "properties": {
            "name": {"type": "string", "pattern": "^[a-z0-9]+(-[a-z0-9]+)*$"},
            "owner": {"type": "object", "required": ["name"]}, "metadata": {"type": "object"},
            "plugins": {"type": "array", "items": plugin}}, "additionalProperties": false}),
        &file,
    );
    let plugins = file["plugins"].as_array().unwrap();
    let names: Vec<&str> = plugins
        .iter()
        .map(|plugin| plugin["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        names,
        [
            "com-acme-billing",
            "com-acme-tool",
            "com-acme-wheel",
            "com-other-billing"
        ]
    );
    // Its route takes access tokens: the URL is all, and the host signs the person in.
    let billing = &plugins[0];
    assert_eq!(
        billing["mcpServers"]["com-acme-billing"],
        json!({"type": "http", "url": register.endpoint})
    );
    assert_eq!(
        billing["homepage"],
        format!("{}/servers/com.acme/billing", register.node.url)
    );
    let tool = &plugins[1]["mcpServers"]["com-acme-tool"];
    assert_eq!(tool["args"], json!(["-y", "@acme/tool@2.0.0"]));
    assert_eq!(tool["env"], json!({"API_TOKEN": "${API_TOKEN}"}));
    // A route for keys only names the variable that the key comes from.
    let keys = json!({"credentials": {"tokens": false, "keys": true, "issuers": []}});
    let route = register.node.api("GET", "/routes/billing", None).await;
    let tag = route.header("etag").to_owned();
    let url = format!("{}/api/v1/routes/billing", register.node.url);
    let headers = [
        ("authorization", format!("Bearer {}", register.node.key)),
        ("content-type", "application/json".to_owned()),
        ("if-match", tag),
    ];
    let changed = register
        .node
        .web
        .ask("PATCH", &url, &headers, keys.to_string())
        .await
        .unwrap();
    assert_eq!(changed.status, 200, "{}", changed.text());
    let file = register.file("plugin-marketplace").await;
    let value = &file["plugins"][0]["mcpServers"]["com-acme-billing"]["headers"]["Authorization"];
    assert_eq!(value, "Bearer ${PORTREEVE_KEY}");
    assert!(register.left_out("plugin-marketplace").await.is_empty());
}
