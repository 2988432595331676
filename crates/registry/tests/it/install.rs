//! Install snippets: golden texts, links that decode to what they say, and no secret anywhere.

mod decode;
mod entries;
mod golden;
mod hosts;
mod random;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use portreeve_core::route::Access;
use portreeve_registry::install::{self, Installation, Snippet, SnippetKind};
use portreeve_registry::{RoutePatch, Served};
use serde_json::{Value, json};

use crate::world::{NAME, URL, World, admin, remote};

async fn served(document: &str) -> Served {
    let world = World::new();
    let version = world.approved(document).await.version;
    world
        .registry
        .serve_version_in(&world.everybody(), (&version.name, "latest"), false)
        .await
        .unwrap()
}

/// What an agent is told of a version whose routes are not known: it is entered as its document says.
fn snippets(served: &Served) -> Vec<Snippet> {
    let document = served.server.to_map();
    install::snippets(&Installation::of(
        &document,
        Some(String::new()),
        ("https://gw.example", &[]),
    ))
}

async fn remote_snippets() -> Vec<Snippet> {
    snippets(&served(&remote(NAME, "1.0.0", URL)).await)
}

fn find<'a>(snippets: &'a [Snippet], host: &str, kind: SnippetKind) -> &'a str {
    let found = snippets
        .iter()
        .find(|snippet| snippet.host == host && snippet.kind == kind);
    &found.unwrap().text
}

fn decoded(text: &str) -> String {
    percent_encoding::percent_decode_str(text)
        .decode_utf8()
        .unwrap()
        .into_owned()
}

const FILE_VSCODE: SnippetKind = SnippetKind::File {
    path: ".vscode/mcp.json",
};
const FILE_CLAUDE: SnippetKind = SnippetKind::File { path: ".mcp.json" };
const FILE_CURSOR: SnippetKind = SnippetKind::File {
    path: ".cursor/mcp.json",
};

#[tokio::test]
async fn a_remote_server_in_vs_code() {
    let snippets = remote_snippets().await;
    let inputs = json!([{
        "id": "portreeve_key",
        "type": "promptString",
        "description": "A Portreeve key, as `portreeve key create` prints it",
        "password": true,
    }]);
    let config = json!({
        "type": "http",
        "url": "https://gw.example/s/billing/mcp",
        "headers": {"Authorization": "Bearer ${input:portreeve_key}"},
    });
    let link = find(&snippets, "vscode", SnippetKind::Link);
    let payload: Value =
        serde_json::from_str(&decoded(link.strip_prefix("vscode:mcp/install?").unwrap())).unwrap();
    let mut expected = config.clone();
    expected["name"] = json!(NAME);
    expected["version"] = json!("1.0.0");
    expected["inputs"] = inputs.clone();
    assert_eq!(payload, expected);
    assert!(
        link.starts_with(
            "vscode:mcp/install?%7B%22name%22%3A%22com.acme%2Fbilling%22%2C%22type%22%3A%22http%22"
        ),
        "{link}"
    );

    let links: Vec<&str> = snippets
        .iter()
        .filter(|snippet| {
            snippet.host == "vscode" && matches!(snippet.kind, SnippetKind::Link | SnippetKind::WebLink)
        })
        .map(|snippet| snippet.text.as_str())
        .collect();
    expected["gallery"] = json!(true);
    let payload = decoded(links[1].strip_prefix("vscode:mcp/install?").unwrap());
    assert_eq!(serde_json::from_str::<Value>(&payload).unwrap(), expected);
    let web = links[2]
        .strip_prefix("https://vscode.dev/redirect/mcp/install?name=com.acme%2Fbilling&config=")
        .unwrap();
    let (found, asked) = web.split_once("&inputs=").unwrap();
    assert_eq!(serde_json::from_str::<Value>(&decoded(found)).unwrap(), config);
    assert_eq!(serde_json::from_str::<Value>(&decoded(asked)).unwrap(), inputs);

    let command = find(&snippets, "vscode", SnippetKind::Command);
    let payload = command
        .strip_prefix("code --add-mcp '")
        .unwrap()
        .strip_suffix('\'')
        .unwrap();
    expected.as_object_mut().unwrap().remove("gallery");
    assert_eq!(serde_json::from_str::<Value>(payload).unwrap(), expected);

    assert_eq!(
        find(&snippets, "vscode", FILE_VSCODE),
        r#"{
  "servers": {
    "com.acme/billing": {
      "type": "http",
      "url": "https://gw.example/s/billing/mcp",
      "headers": {
        "Authorization": "Bearer ${input:portreeve_key}"
      }
    }
  },
  "inputs": [
    {
      "id": "portreeve_key",
      "type": "promptString",
      "description": "A Portreeve key, as `portreeve key create` prints it",
      "password": true
    }
  ]
}
"#
    );
}

#[tokio::test]
async fn a_remote_server_in_claude_code() {
    let snippets = remote_snippets().await;
    assert_eq!(
        find(&snippets, "claude-code", SnippetKind::Command),
        "claude mcp add --transport http billing https://gw.example/s/billing/mcp \
         --header \"Authorization: Bearer ${PORTREEVE_KEY}\""
    );
    assert_eq!(
        find(&snippets, "claude-code", FILE_CLAUDE),
        r#"{
  "mcpServers": {
    "billing": {
      "type": "http",
      "url": "https://gw.example/s/billing/mcp",
      "headers": {
        "Authorization": "Bearer ${PORTREEVE_KEY}"
      }
    }
  }
}
"#
    );
}

#[tokio::test]
async fn a_remote_server_in_cursor() {
    let snippets = remote_snippets().await;
    let link = find(&snippets, "cursor", SnippetKind::Link);
    let rest = link
        .strip_prefix("cursor://anysphere.cursor-deeplink/mcp/install?name=billing&config=")
        .unwrap();
    assert!(
        rest.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'%'),
        "{rest}"
    );
    let config: Value = serde_json::from_slice(&STANDARD.decode(decoded(rest)).unwrap()).unwrap();
    let expected = json!({
        "type": "http",
        "url": "https://gw.example/s/billing/mcp",
        "headers": {"Authorization": "Bearer ${env:PORTREEVE_KEY}"},
    });
    assert_eq!(config, expected);
    let file: Value = serde_json::from_str(find(&snippets, "cursor", FILE_CURSOR)).unwrap();
    assert_eq!(file, json!({"mcpServers": {"billing": expected}}));
}

#[tokio::test]
async fn an_anonymous_route_asks_for_nothing() {
    let world = World::new();
    world.approved(&remote(NAME, "1.0.0", URL)).await;
    let patch = RoutePatch {
        access: Some(Access::Anonymous),
        ..RoutePatch::default()
    };
    world
        .registry
        .change_route(&admin(), &"billing".parse().unwrap(), patch, None)
        .await
        .unwrap();
    let served = world
        .registry
        .serve_version_in(&world.everybody(), (&NAME.parse().unwrap(), "latest"), false)
        .await
        .unwrap();
    let snippets = snippets(&served);
    let file: Value = serde_json::from_str(find(&snippets, "vscode", FILE_VSCODE)).unwrap();
    assert_eq!(
        file,
        json!({"servers": {NAME: {"type": "http", "url": "https://gw.example/s/billing/mcp"}}})
    );
    assert_eq!(
        find(&snippets, "claude-code", SnippetKind::Command),
        "claude mcp add --transport http billing https://gw.example/s/billing/mcp"
    );
}

fn local(package: &Value) -> String {
    json!({"name": NAME, "description": "d", "version": "1.0.0", "packages": [package]}).to_string()
}

#[tokio::test]
async fn packages_become_commands() {
    let npm = json!({
        "registryType": "npm", "identifier": "@acme/billing", "version": "1.2.3", "transport": {"type": "stdio"},
        "runtimeArguments": [{"type": "positional", "value": "-y"}],
        "packageArguments": [
            {"type": "named", "name": "--mode", "value": "a b"},
            {"type": "named", "name": "--verbose"},
            {"type": "positional", "valueHint": "folder", "isRequired": true},
            {"type": "positional", "valueHint": "optional"},
        ],
        "environmentVariables": [
            {"name": "API_KEY", "isSecret": true, "isRequired": true, "value": "s3cr3t-value", "description": "Your key"},
            {"name": "TOKEN", "isSecret": true, "default": "s3cr3t-default"},
            {"name": "REGION", "default": "eu"},
            {"name": "OPTIONAL"},
        ],
    });
    let snippets = snippets(&served(&local(&npm)).await);
    let file: Value = serde_json::from_str(find(&snippets, "vscode", FILE_VSCODE)).unwrap();
    assert_eq!(
        file["servers"][NAME],
        json!({
            "type": "stdio",
            "command": "npx",
            "args": ["-y", "@acme/billing@1.2.3", "--mode", "a b", "--verbose", "${input:folder}"],
            "env": {"API_KEY": "${input:API_KEY}", "TOKEN": "${input:TOKEN}", "REGION": "eu"},
        })
    );
    assert_eq!(file["inputs"][1]["description"], "Your key");
    assert_eq!(file["inputs"][0]["password"], false);
    assert_eq!(
        find(&snippets, "claude-code", SnippetKind::Command),
        "claude mcp add billing --env \"API_KEY=${API_KEY}\" --env \"TOKEN=${TOKEN}\" --env REGION=eu -- npx -y \
         @acme/billing@1.2.3 --mode 'a b' --verbose \"${FOLDER}\""
    );
    for snippet in &snippets {
        let mut text = decoded(&snippet.text);
        if let Some((_, config)) = text.split_once("&config=")
            && let Ok(bytes) = STANDARD.decode(config)
        {
            text = String::from_utf8(bytes).unwrap();
        }
        assert!(!text.contains("s3cr3t"), "{text}");
    }
}

#[tokio::test]
async fn each_kind_of_package_has_its_command() {
    for (package, expected) in [
        (
            json!({"registryType": "pypi", "identifier": "acme-billing", "version": "1.2.3"}),
            json!({"command": "uvx", "args": ["acme-billing==1.2.3"]}),
        ),
        (
            json!({"registryType": "nuget", "identifier": "Acme.Billing", "version": "1.2.3",
                "packageArguments": [{"type": "positional", "value": "run"}]}),
            json!({"command": "dnx", "args": ["Acme.Billing@1.2.3", "--yes", "--", "run"]}),
        ),
        (
            json!({"registryType": "oci", "identifier": "ghcr.io/acme/billing:1.2.3",
                "environmentVariables": [{"name": "K", "isSecret": true}]}),
            json!({"command": "docker", "args": ["run", "-i", "--rm", "-e", "K", "ghcr.io/acme/billing:1.2.3"],
                "env": {"K": "${input:K}"}}),
        ),
    ] {
        let mut package = package;
        package["transport"] = json!({"type": "stdio"});
        let snippets = snippets(&served(&local(&package)).await);
        let file: Value = serde_json::from_str(find(&snippets, "vscode", FILE_VSCODE)).unwrap();
        let mut expected = expected;
        expected["type"] = json!("stdio");
        assert_eq!(file["servers"][NAME], expected);
    }
}

#[tokio::test]
async fn what_is_not_safe_to_hand_on_is_not() {
    let good =
        json!({"registryType": "npm", "identifier": "p", "version": "1", "transport": {"type": "stdio"}});
    assert!(!snippets(&served(&local(&good)).await).is_empty());
    for (field, value) in [
        ("identifier", json!("p;rm${IFS}-rf")),
        ("identifier", json!("p$(id)")),
        ("version", json!("1 && id")),
        ("registryType", json!("cargo")),
        (
            "packageArguments",
            json!([{"type": "positional", "value": "${env:AWS_SECRET_ACCESS_KEY}"}]),
        ),
        ("environmentVariables", json!([{"name": "A B", "value": "x"}])),
        (
            "environmentVariables",
            json!([{"name": "A", "value": "${command:evil}"}]),
        ),
    ] {
        let mut package = good.clone();
        package[field] = value.clone();
        let found = snippets(&served(&local(&package)).await);
        assert!(found.is_empty(), "{field} {value}: {found:?}");
    }
}

#[tokio::test]
async fn shell_characters_are_quoted() {
    let package = json!({
        "registryType": "npm", "identifier": "p", "version": "1", "transport": {"type": "stdio"},
        "packageArguments": [
            {"type": "positional", "value": "it's $HOME `id` \"x\" !! ; |"},
            {"type": "named", "name": "--url", "value": "https://{host}/{path}!",
             "variables": {"host": {"isRequired": true}}},
        ],
    });
    let snippets = snippets(&served(&local(&package)).await);
    assert_eq!(
        find(&snippets, "claude-code", SnippetKind::Command),
        r#"claude mcp add billing -- npx -y p@1 'it'\''s $HOME `id` "x" !! ; |' --url https://"${HOST}"'/{path}!'"#
    );
    let command = find(&snippets, "vscode", SnippetKind::Command);
    assert!(command.contains(r"it\u0027s \u0024HOME"), "{command}");
}
