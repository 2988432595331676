//! Allow-lists: B7 (each file holds exactly what is approved, and has the form that its host reads) and B8 (a host that
//! obeys one lets the gateway's address pass, and the server's own not).

mod marketplace;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::node::Node;
use crate::upstream::{Speaks, Upstream};

/// A register with a served server, packages that can be named and one that cannot, and what must not be in any file.
struct Register {
    node: Node,
    upstream: Upstream,
    endpoint: String,
}

fn package(kind: &str, identifier: &str, arguments: Value) -> Value {
    json!({
        "registryType": kind, "identifier": identifier, "version": "2.0.0", "transport": {"type": "stdio"},
        "packageArguments": arguments,
        "environmentVariables": [{"name": "API_TOKEN", "isRequired": true, "isSecret": true}],
    })
}

impl Register {
    async fn open() -> Self {
        let node = Node::start().await;
        let upstream = Upstream::start(Speaks::Both).await;
        let slug = node.add("com.acme/billing", &upstream.url);
        let endpoint = node.endpoint(&slug);
        let register = Self {
            node,
            upstream,
            endpoint,
        };
        register.add(
            "com.acme/tool",
            "2.0.0",
            package("npm", "@acme/tool", json!([])),
            true,
        );
        register.add(
            "com.acme/wheel",
            "2.0.0",
            package("pypi", "acme-wheel", json!([])),
            true,
        );
        let asks = json!([{"type": "named", "name": "--root", "isRequired": true}]);
        register.add(
            "com.other/billing",
            "2.0.0",
            package("npm", "@other/billing", asks),
            true,
        );
        register.add(
            "com.acme/waiting",
            "2.0.0",
            package("npm", "@acme/waiting", json!([])),
            false,
        );
        register.add(
            "com.acme/gone",
            "2.0.0",
            package("npm", "@acme/gone", json!([])),
            true,
        );
        register.node.cli_json(&["server", "retire", "com.acme/gone"]);
        register
    }

    fn add(&self, name: &str, version: &str, package: Value, approve: bool) {
        let document = json!({
            "$schema": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
            "name": name, "description": "[listKeys('x')]", "version": version, "packages": [package],
        });
        let file = self.node.data().join("server.json");
        std::fs::write(&file, document.to_string()).unwrap();
        let mut arguments = vec!["server", "add", "--file", file.to_str().unwrap()];
        arguments.extend(approve.then_some("--approve"));
        self.node.cli_json(&arguments);
    }

    async fn file(&self, format: &str) -> Value {
        let answer = self.node.api("GET", &format!("/exports/{format}"), None).await;
        assert_eq!(answer.status, 200, "{format}: {}", answer.text());
        assert!(
            answer
                .header("content-disposition")
                .starts_with("attachment; filename=")
        );
        answer.json()
    }

    /// What a format leaves out, by its own account.
    async fn left_out(&self, format: &str) -> Vec<String> {
        let list = self.node.api("GET", "/exports", None).await.json();
        let items = list["items"].as_array().unwrap();
        let item = items.iter().find(|item| item["name"] == format).unwrap();
        let left_out = item["leftOut"].as_array().unwrap();
        left_out
            .iter()
            .map(|item| item["name"].as_str().unwrap().to_owned())
            .collect()
    }
}

fn fits(schema: &Value, file: &Value) {
    let validator = jsonschema::validator_for(schema).unwrap();
    let errors: Vec<_> = validator
        .iter_errors(file)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{file}: {errors:?}");
}

/// The keys that Copilot and Claude Code read, and no other.
fn allow_list_schema() -> Value {
    let entry = json!({"oneOf": [
        {"type": "object", "properties": {"serverUrl": {"type": "string"}}, "required": ["serverUrl"],
            "additionalProperties": false},
        {"type": "object", "properties": {"serverCommand": {"type": "array", "items": {"type": "string"},
            "minItems": 1}}, "required": ["serverCommand"], "additionalProperties": false},
    ]});
    json!({
        "type": "object",
        "properties": {
            "allowedMcpServers": {"type": "array", "items": entry},
            "deniedMcpServers": {"type": "array", "items": entry},
            "allowManagedMcpServersOnly": {"type": "boolean"},
        },
        "required": ["allowedMcpServers", "deniedMcpServers"],
        "additionalProperties": false,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn b7_allow_lists_name_exactly_what_is_approved() {
    let register = Register::open().await;
    let expected: BTreeSet<String> = [
        json!({"serverUrl": register.endpoint}),
        json!({"serverCommand": ["npx", "-y", "@acme/tool@2.0.0"]}),
        json!({"serverCommand": ["uvx", "acme-wheel==2.0.0"]}),
    ]
    .iter()
    .map(Value::to_string)
    .collect();
    for format in ["copilot", "claude-code-settings"] {
        let file = register.file(format).await;
        fits(&allow_list_schema(), &file);
        let allowed = file["allowedMcpServers"].as_array().unwrap();
        let found: BTreeSet<String> = allowed.iter().map(Value::to_string).collect();
        assert_eq!(found, expected, "{format}");
        assert_eq!(
            allowed.len(),
            expected.len(),
            "{format}: nothing stands there twice"
        );
        assert_eq!(file["deniedMcpServers"], json!([]));
        assert_eq!(register.left_out(format).await, ["com.other/billing"], "{format}");
    }
    assert_eq!(
        register.file("claude-code-settings").await["allowManagedMcpServersOnly"],
        true
    );

    // A version more is a command more, and a retired one is a command less.
    register.add(
        "com.acme/tool",
        "2.1.0",
        package("npm", "@acme/tool-next", json!([])),
        true,
    );
    let allowed = register.file("copilot").await["allowedMcpServers"].clone();
    assert_eq!(allowed.as_array().unwrap().len(), 4, "{allowed}");
    register.node.cli_json(&["server", "retire", "com.acme/billing"]);
    let allowed = register.file("copilot").await.to_string();
    assert!(!allowed.contains("serverUrl"), "{allowed}");
}

#[tokio::test(flavor = "multi_thread")]
async fn b7_files_that_list_servers_hold_exactly_what_is_approved() {
    let register = Register::open().await;
    let managed = register.file("claude-code-mcp").await;
    let server = json!({"oneOf": [
        {"type": "object", "properties": {"type": {"const": "http"}, "url": {"type": "string"},
            "headers": {"type": "object"}}, "required": ["type", "url"], "additionalProperties": false},
        {"type": "object", "properties": {"type": {"const": "stdio"}, "command": {"type": "string"},
            "args": {"type": "array", "items": {"type": "string"}}, "env": {"type": "object"}},
            "required": ["type", "command", "args"], "additionalProperties": false},
    ]});
    fits(
        &json!({"type": "object", "required": ["mcpServers"], "additionalProperties": false, "properties":
            {"mcpServers": {"type": "object", "additionalProperties": server,
                "propertyNames": {"pattern": "^[A-Za-z0-9_-]+$"}}}}),
        &managed,
    );
    let names: BTreeSet<_> = managed["mcpServers"]
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        names,
        BTreeSet::from(["billing", "tool", "wheel", "com_other_billing"])
    );
    assert_eq!(managed["mcpServers"]["billing"]["url"], register.endpoint);
    assert_eq!(
        managed["mcpServers"]["billing"]["headers"]["Authorization"],
        "Bearer ${PORTREEVE_KEY}"
    );

    let kiro = register.file("kiro").await;
    let names: Vec<_> = kiro["servers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|item| &item["server"]["name"])
        .collect();
    assert_eq!(
        names,
        [
            "com.acme/billing",
            "com.acme/tool",
            "com.acme/wheel",
            "com.other/billing"
        ]
    );
    for item in kiro["servers"].as_array().unwrap() {
        let keys: BTreeSet<_> = item["server"]
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        assert!(
            keys.is_superset(&BTreeSet::from(["name", "description", "version"])),
            "{keys:?}"
        );
        assert!(keys.contains("remotes") || keys.contains("packages"), "{item}");
    }

    let vscode = register.file("vscode").await;
    assert_eq!(
        vscode,
        json!({"ChatMCP": "registry", "McpGalleryServiceUrl": register.node.url})
    );

    for format in [
        "copilot",
        "claude-code-settings",
        "claude-code-mcp",
        "vscode",
        "kiro",
        "plugin-marketplace",
        "azure-api-center",
    ] {
        let text = register.file(format).await.to_string();
        for absent in ["waiting", "@acme/gone", &register.upstream.url] {
            assert!(!text.contains(absent), "{format} holds {absent}: {text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn b7_the_template_for_api_center_leads_to_the_gateway_and_runs_nothing() {
    let register = Register::open().await;
    let document = json!({
        "$schema": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
        "name": "com.acme/odd", "title": "[concat('a','b')]", "description": "[listKeys('x')]", "version": "1.0.0+b",
        "remotes": [{"type": "streamable-http", "url": register.upstream.url}],
    });
    let file = register.node.data().join("odd.json");
    std::fs::write(&file, document.to_string()).unwrap();
    register.node.cli_json(&[
        "server",
        "add",
        "--file",
        file.to_str().unwrap(),
        "--approve",
        "--internal",
    ]);
    let template = register.file("azure-api-center").await;
    assert_eq!(
        register.left_out("azure-api-center").await.len(),
        3,
        "packages are not served"
    );
    let resources = template["resources"].as_array().unwrap();
    let of = |kind: &str| -> Vec<&Value> {
        let kind = format!("Microsoft.ApiCenter/services/workspaces/{kind}");
        resources
            .iter()
            .filter(|resource| resource["type"] == kind.as_str())
            .collect()
    };
    assert_eq!(of("environments").len(), 1);
    for kind in [
        "apis",
        "apis/versions",
        "apis/versions/definitions",
        "apis/deployments",
    ] {
        assert_eq!(of(kind).len(), 2, "{kind}");
    }
    let uris: BTreeSet<_> = of("apis/deployments")
        .iter()
        .map(|deployment| {
            deployment["properties"]["server"]["runtimeUri"][0]
                .as_str()
                .unwrap()
        })
        .collect();
    assert_eq!(
        uris,
        BTreeSet::from([register.endpoint.as_str(), &register.node.endpoint("odd")])
    );
    for api in of("apis") {
        assert_eq!(api["properties"]["kind"], "mcp");
        let title = api["properties"]["title"].as_str().unwrap();
        // A text in brackets is an expression there, unless its first bracket stands twice.
        assert!(!title.starts_with('[') || title.starts_with("[["), "{title}");
    }
    let names: BTreeSet<_> = resources
        .iter()
        .map(|resource| resource["name"].as_str().unwrap())
        .collect();
    assert_eq!(names.len(), resources.len());
    for name in names {
        assert!(
            name.starts_with("[concat(parameters('apiCenterName'), '/default/"),
            "{name}"
        );
    }
}

/// A host in the mode "registry only", as registry.md 3.1 has it from VS Code: the entry's name must be in the registry,
/// and its URL one that the registry names for it.
async fn vs_code_runs(policy: &Value, node: &Node, name: &str, url: &str) -> bool {
    assert_eq!(policy["ChatMCP"], "registry");
    let base = policy["McpGalleryServiceUrl"].as_str().unwrap();
    let name = name.replace('/', "%2F");
    let found = node
        .web
        .get(&format!("{base}/v0.1/servers/{name}/versions/latest"))
        .await
        .unwrap();
    if found.status != 200 {
        return false;
    }
    let remotes = found.json()["server"]["remotes"].clone();
    remotes
        .as_array()
        .is_some_and(|remotes| remotes.iter().any(|remote| remote["url"] == url))
}

/// A host with an allow-list, as registry.md 3.2 has it from Copilot: what is denied is blocked, then only what is allowed
/// runs. An address in the list may end in `*`.
fn copilot_runs(settings: &Value, url: &str) -> bool {
    let matches = |list: &str| {
        let entries = settings[list].as_array().unwrap();
        entries
            .iter()
            .filter_map(|entry| entry["serverUrl"].as_str())
            .any(|known| match known.strip_suffix('*') {
                Some(start) => url.starts_with(start),
                None => url == known,
            })
    };
    !matches("deniedMcpServers") && matches("allowedMcpServers")
}

#[tokio::test(flavor = "multi_thread")]
async fn b8_a_host_that_obeys_runs_the_gateways_address_and_not_the_servers_own() {
    let register = Register::open().await;
    let policy = register.file("vscode").await;
    let settings = register.file("copilot").await;
    let name = "com.acme/billing";
    for (url, expected) in [
        (register.endpoint.as_str(), true),
        (register.upstream.url.as_str(), false),
        ("https://mcp.evil.example/mcp", false),
        (&format!("{}x", register.endpoint), false),
    ] {
        assert_eq!(
            vs_code_runs(&policy, &register.node, name, url).await,
            expected,
            "VS Code, {url}"
        );
        assert_eq!(copilot_runs(&settings, url), expected, "Copilot, {url}");
    }
    assert!(!vs_code_runs(&policy, &register.node, "com.acme/waiting", &register.endpoint).await);
    register.node.cli_json(&["server", "retire", name]);
    let settings = register.file("copilot").await;
    assert!(!vs_code_runs(&policy, &register.node, name, &register.endpoint).await);
    assert!(!copilot_runs(&settings, &register.endpoint));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_is_the_same_on_the_command_line_and_in_the_portal() {
    let register = Register::open().await;
    let node = &register.node;
    let api = node.api("GET", "/exports/copilot", None).await;
    let cli = node.cli(&["export-policy", "copilot"]);
    assert!(cli.status.success());
    assert_eq!(String::from_utf8_lossy(&cli.stdout), api.text());
    let page = node
        .web
        .get(&format!("{}/exports/copilot", node.url))
        .await
        .unwrap();
    assert_eq!(page.text(), api.text());
    assert_eq!(
        page.header("content-disposition"),
        "attachment; filename=\"managed-settings.json\""
    );
    let named = [
        "registry",
        "create",
        "acme",
        "--namespace",
        "com.acme",
        "--visibility",
        "anonymous",
    ];
    node.cli_json(&named);
    let of_acme = node
        .api("GET", "/exports/copilot?registry=acme", None)
        .await
        .text();
    let cli = node.cli(&["export-policy", "copilot", "--registry", "acme"]);
    assert_eq!(String::from_utf8_lossy(&cli.stdout), of_acme);
    let page = format!("{}/exports/copilot?registry=acme", node.url);
    assert_eq!(node.web.get(&page).await.unwrap().text(), of_acme);
    let list = node
        .cli_json(&["export-policy", "--registry", "acme"])
        .to_string();
    assert!(
        !list.contains("com.other/billing"),
        "it is not in that registry: {list}"
    );
    let nowhere = node.api("GET", "/exports/copilot?registry=never", None).await;
    assert_eq!(nowhere.status, 404, "{}", nowhere.text());

    let shown = node
        .web
        .get(&format!("{}/exports", node.url))
        .await
        .unwrap()
        .text();
    assert!(shown.contains("managed-mcp.json"), "{shown}");
    assert!(
        shown.contains("com.other/billing"),
        "what is left out is told: {shown}"
    );

    let tag = [
        ("authorization", format!("Bearer {}", node.key)),
        ("if-none-match", api.header("etag").to_owned()),
    ];
    let url = format!("{}/api/v1/exports/copilot", node.url);
    assert_eq!(
        node.web
            .ask("GET", &url, &tag, String::new())
            .await
            .unwrap()
            .status,
        304
    );
    let unknown = node.cli(&["export-policy", "nothing"]);
    let told = String::from_utf8_lossy(&unknown.stderr).into_owned();
    assert!(told.contains("export format `nothing` does not exist"), "{told}");
    let list = node.cli_json(&["export-policy"]);
    assert_eq!(list["items"].as_array().unwrap().len(), 7);
}
