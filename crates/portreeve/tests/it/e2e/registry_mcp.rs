//! The registry as an MCP server at `/mcp`: agents of both eras find what is approved, and nothing else.

use serde_json::{Value, json};

use crate::node::Node;
use crate::upstream::{Speaks, Upstream};
use crate::web::{Answer, LegacyHost, modern};

struct Register {
    node: Node,
    url: String,
    slug: String,
    upstream: Upstream,
}

impl Register {
    /// Two servers that are approved, one that waits, one that has left.
    async fn open() -> Self {
        let node = Node::start().await;
        let upstream = Upstream::start(Speaks::Both).await;
        let add = |name: &str, words: &str, more: &[&str]| {
            let mut arguments = vec![
                "server",
                "add",
                name,
                "--url",
                &upstream.url,
                "--description",
                words,
            ];
            arguments.extend(more);
            node.cli_json(&arguments)
        };
        let billing = add("com.acme/billing", "Invoices and refunds", &["--approve"]);
        add("com.acme/tickets", "Tickets and refunds", &["--approve"]);
        add("com.acme/waiting", "Refunds that wait", &["--internal"]);
        add("com.acme/gone", "Refunds that were", &["--approve"]);
        node.cli_json(&["server", "retire", "com.acme/gone"]);
        Self {
            url: format!("{}/mcp", node.url),
            slug: billing["route"]["slug"].as_str().unwrap().to_owned(),
            node,
            upstream,
        }
    }

    async fn ask(&self, key: Option<&str>, method: &str, params: Value) -> Answer {
        let (headers, body) = modern(key, 7, method, params);
        let answer = self.node.web.ask("POST", &self.url, &headers, body);
        answer.await.unwrap()
    }

    async fn call(&self, key: Option<&str>, tool: &str, arguments: Value) -> Value {
        let params = json!({"name": tool, "arguments": arguments});
        let answer = self.ask(key, "tools/call", params).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["result"].clone()
    }
}

/// The names in a search result.
fn names(result: &Value) -> Vec<&str> {
    let servers = result["structuredContent"]["servers"].as_array();
    let servers = servers.unwrap_or_else(|| panic!("{result}"));
    servers
        .iter()
        .map(|server| server["name"].as_str().unwrap())
        .collect()
}

fn complaint(result: &Value) -> &str {
    assert_eq!(result["isError"], true, "{result}");
    result["content"][0]["text"].as_str().unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn j3_an_agent_without_a_key_finds_what_is_approved_and_its_install_data() {
    let register = Register::open().await;
    let discovered = register.ask(None, "server/discover", json!({})).await.json();
    let discovered = &discovered["result"];
    assert!(
        discovered["supportedVersions"]
            .as_array()
            .unwrap()
            .contains(&json!("2026-07-28"))
    );
    assert_eq!(discovered["capabilities"], json!({"tools": {}}));
    assert_eq!(discovered["resultType"], "complete");

    let list = register.ask(None, "tools/list", json!({})).await.json();
    let tools = list["result"]["tools"].as_array().unwrap();
    let listed: Vec<_> = tools.iter().map(|tool| tool["name"].as_str().unwrap()).collect();
    assert_eq!(listed, ["registry_search", "registry_fetch"]);
    for tool in tools {
        assert_eq!(tool["annotations"]["readOnlyHint"], true, "{tool}");
        assert_eq!(tool["outputSchema"]["type"], "object", "{tool}");
    }

    let result = register
        .call(None, "registry_search", json!({"query": "REFUNDS"}))
        .await;
    assert_eq!(names(&result), ["com.acme/billing", "com.acme/tickets"]);
    let text: Value = serde_json::from_str(result["content"][0]["text"].as_str().unwrap()).unwrap();
    assert_eq!(
        text, result["structuredContent"],
        "older hosts read the same as a text"
    );
    let endpoint = register.node.endpoint(&register.slug);
    let billing = &result["structuredContent"]["servers"][0];
    assert_eq!(billing["url"], endpoint);
    assert_eq!(billing["version"], "1.0.0");
    assert_eq!(billing["install"]["config"]["url"], endpoint);
    // Its route takes access tokens: nobody is asked for a key, neither here nor host by host.
    assert_eq!(billing["install"]["inputs"], json!([]), "{billing}");

    let fetched = register
        .call(None, "registry_fetch", json!({"name": "com.acme/billing"}))
        .await;
    let fetched = &fetched["structuredContent"];
    assert_eq!(fetched["server"]["remotes"][0]["url"], endpoint);
    let hosts: Vec<_> = fetched["hosts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|host| &host["host"])
        .collect();
    for host in ["vscode", "claude-code", "cursor"] {
        assert!(hosts.contains(&&json!(host)), "{hosts:?}");
    }
    let said = format!("{}{}", fetched["install"], fetched["hosts"]);
    assert!(!said.to_lowercase().contains("portreeve_key"), "{said}");
    assert!(!fetched.to_string().contains(&register.upstream.url), "{fetched}");
    for schema in tools.iter().map(|tool| &tool["outputSchema"]) {
        let shown = if schema["properties"]["servers"].is_object() {
            &result["structuredContent"]
        } else {
            fetched
        };
        let validator = jsonschema::validator_for(schema).unwrap();
        let errors: Vec<_> = validator
            .iter_errors(shown)
            .map(|error| error.to_string())
            .collect();
        assert!(errors.is_empty(), "{errors:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_approved_or_has_left_does_not_exist_for_an_agent_whoever_it_is() {
    let register = Register::open().await;
    let admin = register.node.key.clone();
    let nobody = register.node.new_key("nobody");
    for key in [None, Some(admin.as_str()), Some(nobody.as_str())] {
        let all = register.call(key, "registry_search", json!({})).await;
        assert_eq!(names(&all), ["com.acme/billing", "com.acme/tickets"], "{key:?}");
        let mut told = Vec::new();
        for name in ["com.acme/waiting", "com.acme/gone", "com.acme/never"] {
            let result = register.call(key, "registry_fetch", json!({"name": name})).await;
            told.push(complaint(&result).replace(name, "X"));
        }
        told.dedup();
        assert_eq!(told.len(), 1, "they differ in nothing but the name: {told:?}");
        let list = register.ask(key, "tools/list", json!({})).await.json();
        assert_eq!(list["result"]["tools"].as_array().unwrap().len(), 2, "{key:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn legacy_hosts_open_a_session_and_search_in_it() {
    let register = Register::open().await;
    for key in [None, Some(register.node.key.as_str())] {
        let host = LegacyHost::connect(&register.node.web, &register.url, key).await;
        let hello = host.hello.json();
        assert_eq!(hello["result"]["protocolVersion"], "2025-11-25");
        assert_eq!(hello["result"]["serverInfo"]["name"], "portreeve/registry");
        assert!(
            hello["result"]["instructions"]
                .as_str()
                .unwrap()
                .contains("Search")
        );
        assert!(!host.hello.header("mcp-session-id").is_empty());
        assert_eq!(
            host.request(json!("p"), "ping", json!({})).await.json()["result"],
            json!({})
        );
        let list = host.request(json!(2), "tools/list", json!({})).await.json();
        assert_eq!(list["result"]["tools"].as_array().unwrap().len(), 2);
        // The name under which the other registry has it.
        let params = json!({"name": "mcp_registry_search", "arguments": {"query": "tickets"}});
        let answer = host.request(json!("x-1"), "tools/call", params).await.json();
        assert_eq!(answer["id"], "x-1");
        assert_eq!(names(&answer["result"]), ["com.acme/tickets"]);
        let unknown = host.request(json!(3), "prompts/list", json!({})).await;
        assert_eq!(
            (unknown.status, &unknown.json()["error"]["code"]),
            (200, &json!(-32601))
        );
        let stream = host.ask("GET").await;
        assert_eq!(stream.status, 405, "it has no news to tell: {}", stream.text());
        assert_eq!(host.ask("DELETE").await.status, 204);
        assert_eq!(host.request(json!(4), "ping", json!({})).await.status, 404);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_pages_by_its_cursor_and_what_is_wrong_is_told_to_the_model() {
    let register = Register::open().await;
    let first = register
        .call(None, "registry_search", json!({"query": "refunds", "limit": 1}))
        .await;
    assert_eq!(names(&first), ["com.acme/billing"]);
    let cursor = first["structuredContent"]["nextCursor"].clone();
    let second = register
        .call(None, "registry_search", json!({"cursor": cursor, "limit": 1}))
        .await;
    assert_eq!(names(&second), ["com.acme/tickets"]);
    assert_eq!(second["structuredContent"].get("nextCursor"), None);

    for (tool, arguments, word) in [
        ("registry_search", json!({"limit": 21}), "from 1 to 20"),
        ("registry_search", json!({"limit": "ten"}), "from 1 to 20"),
        ("registry_search", json!({"q": "refunds"}), "no such argument"),
        ("registry_search", json!({"query": ["refunds"]}), "must be a text"),
        ("registry_search", json!({"query": "x".repeat(300)}), "256"),
        ("registry_search", json!({"cursor": "made-up"}), "cursor"),
        ("registry_fetch", json!({}), "required"),
        ("registry_fetch", json!({"name": "billing"}), "com.acme/billing"),
        (
            "registry_fetch",
            json!({"name": "com.acme/billing", "version": "9"}),
            "does not exist",
        ),
    ] {
        let result = register.call(None, tool, arguments.clone()).await;
        assert!(complaint(&result).contains(word), "{arguments}: {result}");
    }
    let unknown = register
        .ask(
            None,
            "tools/call",
            json!({"name": "registry_drop", "arguments": {}}),
        )
        .await
        .json();
    assert_eq!(unknown["error"]["code"], -32602, "{unknown}");
    let unknown = register.ask(None, "resources/list", json!({})).await;
    assert_eq!(
        (unknown.status, &unknown.json()["error"]["code"]),
        (404, &json!(-32601))
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_route_is_a_route_like_others_and_in_nobodys_way() {
    let register = Register::open().await;
    let node = &register.node;
    let metadata = node
        .web
        .get(&format!("{}/.well-known/oauth-protected-resource/mcp", node.url))
        .await
        .unwrap()
        .json();
    assert_eq!(metadata["resource"], register.url);
    let wrong = register
        .ask(
            Some("prv_00000000000000000000000000000000_x"),
            "tools/list",
            json!({}),
        )
        .await;
    assert_eq!(wrong.status, 401, "a bad credential is not taken for none");
    assert!(
        wrong
            .header("www-authenticate")
            .contains("oauth-protected-resource/mcp")
    );

    register
        .call(
            Some(&node.key),
            "registry_search",
            json!({"query": "secret plans"}),
        )
        .await;
    register
        .call(None, "registry_search", json!({"query": "secret plans"}))
        .await;
    let log = node
        .api("GET", "/audit?action=tools/call&limit=2", None)
        .await
        .json();
    let actors: Vec<_> = log["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| &event["actor"])
        .collect();
    assert_eq!(actors.len(), 2, "{log}");
    assert!(actors.contains(&&json!("anonymous")), "{actors:?}");
    for event in log["items"].as_array().unwrap() {
        assert_eq!(event["route"], "/mcp", "{event}");
        assert_eq!(event["target"], "registry_search", "{event}");
        assert_eq!(event["policies"], json!(["route:registry"]), "{event}");
        assert!(!event.to_string().contains("secret plans"), "{event}");
    }
    let refused = node.cli(&[
        "server",
        "add",
        "Portreeve/registry",
        "--url",
        "https://mcp.example.com/mcp",
    ]);
    assert!(!refused.status.success());
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("stands for this registry itself"), "{said}");
    let routes = node.api("GET", "/routes", None).await.text();
    assert!(!routes.contains("\"/mcp\""), "it is in no store: {routes}");
    // A server whose name ends in `mcp` has a route of its own, and `/mcp` stays what it is.
    node.add("com.acme/mcp", &register.upstream.url);
    let list = register.ask(None, "tools/list", json!({})).await.json();
    assert_eq!(list["result"]["tools"][0]["name"], "registry_search");
}

#[tokio::test(flavor = "multi_thread")]
async fn b12_a_closed_registry_is_closed_to_agents_and_has_no_cards() {
    let register = Register::open().await;
    let (node, slug) = (&register.node, &register.slug);
    let card = format!("{}/s/{slug}/mcp/server-card", node.url);
    assert_eq!(node.web.get(&card).await.unwrap().status, 200);
    node.cli_json(&["registry", "edit", "default", "--visibility", "members"]);

    for (tool, arguments) in [
        ("registry_search", json!({"query": "refunds"})),
        ("registry_fetch", json!({"name": "com.acme/billing"})),
    ] {
        let refused = register.call(None, tool, arguments.clone()).await;
        assert!(complaint(&refused).contains("API key"), "{refused}");
        assert!(!refused.to_string().contains("billing"), "{refused}");
        let answered = register.call(Some(&node.key), tool, arguments).await;
        assert!(answered["isError"].is_null(), "{answered}");
        assert!(answered.to_string().contains("com.acme/billing"), "{answered}");
    }
    assert_eq!(node.web.get(&card).await.unwrap().status, 404);
    let catalog = format!("{}/.well-known/ai-catalog.json", node.url);
    let catalog = node.web.get(&catalog).await.unwrap().json();
    assert_eq!(catalog["entries"], json!([]), "nothing is for everybody");
    let own = node.web.get(&format!("{}/mcp/server-card", node.url)).await;
    assert_eq!(own.unwrap().status, 404);
}
