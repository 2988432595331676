//! J6 without the products: a scripted client does what VS Code, Copilot Studio and Foundry do with what they are given.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::node::Node;
use crate::upstream::{Speaks, Upstream};

const NAME: &str = "com.acme/billing";

struct Shop {
    node: Node,
    endpoint: String,
    slug: String,
    _upstream: Upstream,
}

impl Shop {
    /// A server that the gateway serves, and one that runs where the host runs.
    async fn open() -> Self {
        let node = Node::start().await;
        let upstream = Upstream::start(Speaks::Both).await;
        let slug = node.add(NAME, &upstream.url);
        let document = json!({
            "$schema": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
            "name": "com.acme/tool", "description": "Runs here", "version": "2.0.0",
            "packages": [{
                "registryType": "npm", "identifier": "@acme/tool", "version": "2.0.0", "transport": {"type": "stdio"},
                "environmentVariables": [{"name": "API_TOKEN", "isRequired": true, "isSecret": true}],
            }],
        });
        let file = node.data().join("tool.json");
        std::fs::write(&file, document.to_string()).unwrap();
        node.cli_json(&["server", "add", "--file", file.to_str().unwrap(), "--approve"]);
        Self {
            endpoint: node.endpoint(&slug),
            slug,
            node,
            _upstream: upstream,
        }
    }

    /// What anybody is told, without a key.
    async fn told(&self, name: &str, query: &str) -> Value {
        let url = format!("{}/api/v1/servers/{name}/install{query}", self.node.url);
        let answer = self.node.web.get(&url).await.unwrap();
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }
}

fn snippets<'a>(told: &'a Value, host: &str) -> Vec<&'a Value> {
    let hosts = told["ways"][0]["hosts"].as_array().unwrap();
    let host = hosts.iter().find(|found| found["id"] == host).unwrap();
    host["snippets"].as_array().unwrap().iter().collect()
}

fn payload(link: &str) -> Value {
    let text = link.strip_prefix("vscode:mcp/install?").unwrap();
    let text = percent_encoding::percent_decode_str(text).decode_utf8().unwrap();
    serde_json::from_str(&text).unwrap()
}

fn value<'a>(told: &'a Value, host: &str, title: &str) -> &'a str {
    let all = snippets(told, host);
    let found = all.iter().find(|snippet| snippet["title"] == title);
    found.unwrap_or_else(|| panic!("{title}: {all:?}"))["text"]
        .as_str()
        .unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn j6_step_1_vs_code_opens_with_a_complete_payload_and_needs_nothing_but_the_url() {
    let shop = Shop::open().await;
    let told = shop.told("com.acme%2Fbilling", "?host=vscode").await;
    let links = snippets(&told, "vscode");
    let payload_of = |place: usize| payload(links[place]["text"].as_str().unwrap());
    let expected = json!({"name": NAME, "type": "http", "url": shop.endpoint, "version": "1.0.0"});
    assert_eq!(payload_of(0), expected);
    let mut gallery = expected.clone();
    gallery["gallery"] = json!(true);
    assert_eq!(payload_of(1), gallery);
    let shown: Value = serde_json::from_str(links[0]["decoded"].as_str().unwrap()).unwrap();
    assert_eq!(
        shown, expected,
        "what is shown before the click is what the link holds"
    );

    // A host that goes there without a credential is told where one signs in.
    let hello = json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "j6", "version": "1"}}});
    let head = [
        ("content-type", "application/json".to_owned()),
        ("accept", "application/json, text/event-stream".to_owned()),
    ];
    let web = &shop.node.web;
    let refused = web
        .ask("POST", &shop.endpoint, &head, hello.to_string())
        .await
        .unwrap();
    assert_eq!(refused.status, 401, "{}", refused.text());
    let challenge = refused.header("www-authenticate").to_owned();
    let metadata = challenge
        .split("resource_metadata=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let metadata = web.get(metadata).await.unwrap().json();
    assert_eq!(metadata["resource"], shop.endpoint.as_str());
    assert_eq!(metadata["authorization_servers"][0], shop.node.url.as_str());

    // The local one asks for its token in the host, and the link does not hold it.
    let told = shop.told("com.acme/tool", "?host=vscode").await;
    let payload = payload(snippets(&told, "vscode")[0]["text"].as_str().unwrap());
    assert_eq!(payload["command"], "npx");
    assert_eq!(payload["args"], json!(["-y", "@acme/tool@2.0.0"]));
    assert_eq!(payload["env"], json!({"API_TOKEN": "${input:API_TOKEN}"}));
    assert_eq!(
        (&payload["inputs"][0]["id"], &payload["inputs"][0]["password"]),
        (&json!("API_TOKEN"), &json!(true))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn j6_step_2_both_base_urls_list_servers_and_the_page_says_what_it_saw() {
    let shop = Shop::open().await;
    let told = shop.told("com.acme%2Fbilling", "").await;
    let gallery = told["gallery"].as_str().unwrap();
    let web = &shop.node.web;
    for base in [gallery.to_owned(), format!("{gallery}/v0.1/servers")] {
        let answer = web.get(&format!("{base}/v0.1/servers?limit=1")).await.unwrap();
        assert_eq!(answer.status, 200, "{base}");
        assert_eq!(answer.json()["servers"][0]["server"]["name"], NAME, "{base}");
        assert_eq!(answer.header("access-control-allow-origin"), "*");
        let asked: String = url::form_urlencoded::byte_serialize(base.as_bytes()).collect();
        let page = web
            .get(&format!("{}/hosts?url={asked}", shop.node.url))
            .await
            .unwrap()
            .text();
        assert!(page.contains("It answers 200 with what VS Code needs."), "{page}");
        assert_eq!(
            page.contains("stand in the address twice"),
            base != gallery,
            "{page}"
        );
    }
    let page = web
        .get(&format!(
            "{}/hosts?url=https%3A%2F%2Fgallery.example",
            shop.node.url
        ))
        .await
        .unwrap();
    assert!(page.text().contains("This is another server."), "{}", page.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn j6_step_4_copilot_studio_gets_its_values_and_a_connector_that_is_swagger() {
    let shop = Shop::open().await;
    let told = shop.told("com.acme%2Fbilling", "?host=copilot-studio").await;
    assert_eq!(value(&told, "copilot-studio", "Server URL"), shop.endpoint);
    assert_eq!(
        value(&told, "copilot-studio", "Authentication"),
        "OAuth 2.0, Dynamic discovery"
    );
    let place = value(&told, "copilot-studio", "Authorization URL");
    assert_eq!(place, format!("{}/authorize", shop.node.url));

    let url = format!("{}/api/v1/servers/com.acme%2Fbilling/connector", shop.node.url);
    let json_file = shop.node.web.get(&url).await.unwrap();
    assert_eq!(json_file.status, 200);
    assert_eq!(
        json_file.header("content-disposition"),
        "attachment; filename=\"billing.swagger.json\""
    );
    let yaml_file = shop.node.web.get(&format!("{url}?format=yaml")).await.unwrap();
    assert_eq!(yaml_file.header("content-type"), "application/yaml");
    let document = json_file.json();
    let path = shop.endpoint.strip_prefix(&shop.node.url).unwrap();
    let operation = &document["paths"][path]["post"];
    assert_eq!(operation["x-ms-agentic-protocol"], "mcp-streamable-1.0");
    assert_eq!(operation["operationId"], "InvokeMCP");
    let (scheme, host) = shop.node.url.split_once("://").unwrap();
    assert_eq!(
        (&document["schemes"], &document["host"]),
        (&json!([scheme]), &json!(host))
    );
    // The address that it leads to is the one that the gateway serves.
    assert_eq!(format!("{scheme}://{host}{path}"), shop.endpoint);

    // Our own reader of descriptions takes both files for Swagger 2.0.
    for (name, text) in [
        ("connector.json", json_file.text()),
        ("connector.yaml", yaml_file.text()),
    ] {
        let file = shop.node.data().join(name);
        std::fs::write(&file, text).unwrap();
        let preview = shop.node.cli(&[
            "server",
            "add",
            "com.acme/connector",
            "--openapi",
            file.to_str().unwrap(),
            "--dry-run",
            "--json",
        ]);
        let told = String::from_utf8_lossy(&preview.stdout).into_owned();
        assert!(
            preview.status.success(),
            "{name}: {told}{}",
            String::from_utf8_lossy(&preview.stderr)
        );
        assert!(
            told.contains("InvokeMCP") || told.contains("invoke_mcp"),
            "{name}: {told}"
        );
    }
    let none = format!("{}/api/v1/servers/com.acme%2Ftool/connector", shop.node.url);
    let none = shop.node.web.get(&none).await.unwrap();
    assert_eq!(none.status, 404);
    assert!(none.text().contains("has no route"), "{}", none.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn j6_step_5_foundry_gets_its_values_and_a_template_of_its_own() {
    let shop = Shop::open().await;
    let told = shop.told("com.acme%2Fbilling", "?host=foundry").await;
    assert_eq!(
        value(&told, "foundry", "Remote MCP server endpoint"),
        shop.endpoint
    );
    let template: Value = serde_json::from_str(value(&told, "foundry", "Add to an API Center")).unwrap();
    let whole = shop
        .node
        .api("GET", "/exports/azure-api-center", None)
        .await
        .json();
    // The title is for people, and differs where a document has none.
    let resources = |template: &Value| -> BTreeSet<String> {
        let all = template["resources"].as_array().unwrap().iter();
        all.map(|one| format!("{} {} {}", one["type"], one["name"], one["properties"]["server"]))
            .collect()
    };
    assert!(resources(&template).len() > 4);
    assert!(resources(&template).is_subset(&resources(&whole)), "{template}");
}

#[tokio::test(flavor = "multi_thread")]
async fn b6_the_command_line_and_the_badge_say_the_same() {
    let shop = Shop::open().await;
    let node = &shop.node;
    let told = shop.told("com.acme%2Fbilling", "?host=claude-code").await;
    let cli = node.cli_json(&["server", "install", NAME, "--host", "claude-code"]);
    assert_eq!(cli, told);
    let shown = node.cli(&["server", "install", NAME, "--host", "claude-code"]);
    let shown = String::from_utf8_lossy(&shown.stdout).into_owned();
    let command = format!("claude mcp add --transport http billing {}", shop.endpoint);
    assert!(shown.contains(&command), "{shown}");
    let list = node.cli(&["server", "install", "com.acme/tool", "--list"]);
    let list = String::from_utf8_lossy(&list.stdout).into_owned();
    for host in ["vscode", "visual-studio", "codex", "goose", "npm"] {
        assert!(list.contains(host), "{list}");
    }
    assert!(!list.contains("copilot-studio"), "it starts nothing: {list}");
    let connector = node.cli_json(&["server", "install", NAME, "--connector"]);
    assert_eq!(connector["swagger"], "2.0");
    let unknown = node.cli(&["server", "install", NAME, "--host", "netscape"]);
    let unknown = String::from_utf8_lossy(&unknown.stderr).into_owned();
    assert!(unknown.contains("host `netscape` does not exist"), "{unknown}");

    let badge = shop.told("com.acme%2Fbilling", "?host=readme").await;
    let markdown = value(&badge, "readme", "Markdown");
    let image = markdown.split("](").nth(1).unwrap().split(')').next().unwrap();
    let image = node.web.get(image).await.unwrap();
    assert_eq!(
        (image.status, image.header("content-type")),
        (200, "image/svg+xml")
    );
    assert_eq!(image.header("cross-origin-resource-policy"), "cross-origin");
}

#[tokio::test(flavor = "multi_thread")]
async fn b6_what_asks_for_a_key_follows_the_route_and_the_registry() {
    let shop = Shop::open().await;
    let node = &shop.node;
    let slug = &shop.slug;
    let change = json!({"credentials": {"tokens": false, "keys": true, "issuers": []}});
    let tag = node
        .api("GET", &format!("/routes/{slug}"), None)
        .await
        .header("etag")
        .to_owned();
    let head = [
        ("authorization", format!("Bearer {}", node.key)),
        ("content-type", "application/json".to_owned()),
        ("if-match", tag),
    ];
    let url = format!("{}/api/v1/routes/{slug}", node.url);
    let answer = node
        .web
        .ask("PATCH", &url, &head, change.to_string())
        .await
        .unwrap();
    assert_eq!(answer.status, 200, "{}", answer.text());
    let told = shop.told("com.acme%2Fbilling", "").await;
    assert_eq!(told["ways"][0]["auth"], "key");
    let payload = payload(snippets(&told, "vscode")[0]["text"].as_str().unwrap());
    assert_eq!(
        payload["headers"]["Authorization"],
        "Bearer ${input:portreeve_key}"
    );
    assert!(!told.to_string().contains("prv_"), "{told}");

    // A registry for members has nothing to install for strangers.
    node.cli_json(&["registry", "create", "inner", "--namespace", "com.acme"]);
    let url = format!(
        "{}/api/v1/servers/com.acme%2Fbilling/install?registry=inner",
        node.url
    );
    let answer = node.web.get(&url).await.unwrap();
    assert_eq!(answer.status, 401, "{}", answer.text());
    let answer = node
        .api("GET", "/servers/com.acme%2Fbilling/install?registry=inner", None)
        .await;
    assert_eq!(answer.status, 200, "{}", answer.text());
    assert_eq!(answer.json()["gallery"], format!("{}/registries/inner", node.url));
    assert!(answer.header("cache-control").contains("private"));
}
