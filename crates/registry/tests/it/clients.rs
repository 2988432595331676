//! Hosts' files as people write them, and the documents that are made of them. Above all: what may not be in a document.

mod apart;

use std::path::{Path, PathBuf};

use portreeve_registry::clients::{
    CLIENTS, Client, Found, Identity, Proposals, Surroundings, System, found, proposals,
};
use proptest::prelude::*;
use serde_json::{Value, json};

const ORIGIN: &str = "https://gw.acme.example";

fn around(system: System) -> Surroundings {
    Surroundings::new(
        system,
        PathBuf::from("/home/ann"),
        None,
        PathBuf::from("/code/shop"),
    )
}

fn client(id: &str) -> &'static dyn Client {
    *CLIENTS.iter().find(|client| client.id() == id).unwrap()
}

/// The servers of a host's first file.
fn of(id: &str, file: &Value) -> Vec<Found> {
    let client = client(id);
    let place = client.places(&around(System::Linux)).remove(0);
    found(client, &place, file)
}

fn made(all: &[Found]) -> Proposals {
    proposals(all, "com.acme", &[ORIGIN.parse().unwrap()])
}

fn one(id: &str, file: &Value) -> Value {
    let made = made(&of(id, file));
    assert!(made.left_out.is_empty(), "{file}: {:?}", made.left_out);
    assert_eq!(made.proposals.len(), 1, "{file}");
    made.proposals[0].document.clone()
}

fn cursor(server: &Value) -> Value {
    json!({"mcpServers": {"tool": server}})
}

#[test]
fn b6_every_host_keeps_its_files_where_its_maker_says() {
    let told = |system: System, id: &str| -> Vec<String> {
        let places = client(id).places(&around(system));
        places
            .iter()
            .map(|place| place.path.display().to_string())
            .collect()
    };
    for (system, id, path) in [
        (System::Linux, "vscode", "/home/ann/.config/Code/User/mcp.json"),
        (System::Linux, "vscode", "/code/shop/.vscode/settings.json"),
        (
            System::MacOs,
            "vscode-insiders",
            "/home/ann/Library/Application Support/Code - Insiders/User/mcp.json",
        ),
        (
            System::Windows,
            "vscode",
            "/home/ann/AppData/Roaming/Code/User/mcp.json",
        ),
        (System::Windows, "visual-studio", "/home/ann/.mcp.json"),
        (System::Linux, "claude-code", "/home/ann/.claude.json"),
        (System::Linux, "claude-code", "/code/shop/.mcp.json"),
        (
            System::MacOs,
            "claude-desktop",
            "/home/ann/Library/Application Support/Claude/claude_desktop_config.json",
        ),
        (System::Linux, "cursor", "/code/shop/.cursor/mcp.json"),
        (System::Linux, "copilot-cli", "/home/ann/.copilot/mcp-config.json"),
        (System::Linux, "codex", "/home/ann/.codex/config.toml"),
        (System::Linux, "gemini-cli", "/home/ann/.gemini/settings.json"),
        (System::Linux, "jetbrains", "/home/ann/.junie/mcp/mcp.json"),
        (
            System::Windows,
            "jetbrains",
            "/home/ann/AppData/Local/github-copilot/intellij/mcp.json",
        ),
        (
            System::Linux,
            "windsurf",
            "/home/ann/.codeium/windsurf/mcp_config.json",
        ),
        (System::Linux, "kiro", "/code/shop/.kiro/settings/mcp.json"),
        (System::MacOs, "zed", "/home/ann/.config/zed/settings.json"),
        (System::Linux, "goose", "/home/ann/.config/goose/config.yaml"),
        (
            System::Windows,
            "goose",
            "/home/ann/AppData/Roaming/Block/goose/config/config.yaml",
        ),
        (System::Linux, "lm-studio", "/home/ann/.lmstudio/mcp.json"),
    ] {
        let places = told(system, id);
        assert!(
            places.contains(&path.to_owned()),
            "{id}: {path} is not in {places:?}"
        );
    }
}

#[test]
fn b6_each_host_s_words_lead_to_the_same_remote() {
    let url = "https://mcp.linear.example/mcp";
    let document = |id: &str, file: Value| one(id, &file)["remotes"].clone();
    let open = json!([{"type": "streamable-http", "url": url}]);
    assert_eq!(
        document("vscode", json!({"servers": {"l": {"type": "http", "url": url}}})),
        open
    );
    assert_eq!(
        document("cursor", json!({"mcpServers": {"l": {"url": url}}})),
        open
    );
    assert_eq!(
        document("windsurf", json!({"mcpServers": {"l": {"serverUrl": url}}})),
        open
    );
    assert_eq!(
        document("gemini-cli", json!({"mcpServers": {"l": {"httpUrl": url}}})),
        open
    );
    assert_eq!(
        document("codex", json!({"mcp_servers": {"l": {"url": url}}})),
        open
    );
    let goose = json!({"extensions": {"l": {"type": "streamable_http", "uri": url}, "developer": {"type": "builtin"}}});
    let all = of("goose", &goose);
    let found = made(&all);
    assert_eq!(found.proposals[0].document["remotes"], open);
    assert_eq!(all[found.left_out[0].0].name(), "developer");
    let bridged = json!({"mcpServers": {"l": {"command": "npx", "args": ["-y", "mcp-remote@latest", url]}}});
    assert_eq!(document("claude-desktop", bridged), open);
    let sse = json!([{"type": "sse", "url": url}]);
    assert_eq!(
        document("gemini-cli", json!({"mcpServers": {"l": {"url": url}}})),
        sse
    );
    assert_eq!(
        document(
            "cursor",
            json!({"mcpServers": {"l": {"type": "sse", "url": url}}})
        ),
        sse
    );
    let key = json!([{"type": "streamable-http", "url": url, "headers": [
        {"name": "Authorization", "description": "The header Authorization", "isRequired": true, "isSecret": true}]}]);
    let codex = json!({"mcp_servers": {"l": {"url": url, "bearer_token_env_var": "LINEAR"}}});
    assert_eq!(document("codex", codex), key);
}

#[test]
fn b6_commands_are_told_as_the_packages_that_they_run() {
    let package = |server: Value| one("cursor", &cursor(&server))["packages"][0].clone();
    let npm = package(
        json!({"command": "npx", "args": ["-y", "@acme/tool@1.2.3", "--root", "/home/ann/x", "--port=80"],
        "env": {"API_TOKEN": "s3cr3t-value", "REGION": "eu"}}),
    );
    assert_eq!(
        npm,
        json!({
            "registryType": "npm", "identifier": "@acme/tool", "version": "1.2.3", "transport": {"type": "stdio"},
            "packageArguments": [
                {"type": "named", "name": "--root", "valueHint": "root", "isRequired": true, "format": "filepath",
                    "description": "The value of --root"},
                {"type": "positional", "value": "--port=80"},
            ],
            "environmentVariables": [
                {"name": "API_TOKEN", "description": "The variable API_TOKEN", "isRequired": true, "isSecret": true},
                {"name": "REGION", "description": "The variable REGION", "isRequired": true},
            ],
        })
    );
    let pypi = package(json!({"command": "/opt/bin/uvx", "args": ["--from", "acme-tool==2.0", "acme-run"]}));
    assert_eq!(
        (&pypi["registryType"], &pypi["identifier"], &pypi["version"]),
        (&json!("pypi"), &json!("acme-tool"), &json!("2.0"))
    );
    let oci = package(
        json!({"command": "docker", "args": ["run", "-i", "--rm", "-e", "TOKEN", "-e",
        "KEY=s3cr3t-value", "-v", "/home/ann:/data", "ghcr.io/acme/tool:1", "serve"], "env": {"TOKEN": "other-secret"}}),
    );
    assert_eq!(oci["identifier"], "ghcr.io/acme/tool:1");
    assert_eq!(oci["runtimeArguments"][0]["name"], "-v");
    assert_eq!(
        oci["packageArguments"],
        json!([{"type": "positional", "value": "serve"}])
    );
    let names: Vec<&Value> = oci["environmentVariables"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["name"])
        .collect();
    assert_eq!(names, ["TOKEN", "KEY"]);
    let windows = package(json!({"command": "cmd", "args": ["/c", "npx", "tool"]}));
    assert_eq!(windows["identifier"], "tool");
    let nuget = package(json!({"command": "dnx", "args": ["Acme.Tool@1.0.0", "--yes", "--", "serve"]}));
    assert_eq!(nuget["packageArguments"][0]["value"], "serve");

    for local in [
        json!({"command": "node", "args": ["/home/ann/server.js"]}),
        json!({"command": "npx", "args": ["-y", "./here"]}),
        json!({"command": "npx", "args": ["github:acme/tool"]}),
        json!({"command": "uvx", "args": ["--from", "git+https://git.example/x", "x"]}),
        json!({"command": "bash", "args": ["-c", "npx tool"]}),
        json!({"command": "docker", "args": ["run", "--frobnicate", "image", "tool"]}),
        json!({"note": "nothing"}),
    ] {
        let made = made(&of("cursor", &cursor(&local)));
        assert_eq!((made.proposals.len(), made.left_out.len()), (0, 1), "{local}");
    }
}

#[test]
fn b6_one_server_of_several_hosts_is_one_entry() {
    let mut all = of(
        "cursor",
        &json!({"mcpServers": {
            "Acme Billing": {"url": "HTTPS://MCP.acme.example:443/mcp#top", "headers": {"X-Key": "abcdefgh1"}},
            "gate": {"url": "https://GW.acme.example/s/billing/mcp"},
        }}),
    );
    all.extend(of("vscode", &json!({"servers": {
        "billing": {"type": "http", "url": "https://mcp.acme.example/mcp", "headers": {"Authorization": "Bearer ${input:k}"}},
        "other": {"type": "http", "url": "https://mcp.other.example/billing"},
    }})));
    let made = made(&all);
    let names: Vec<&str> = made.proposals.iter().map(|proposal| proposal.name()).collect();
    assert_eq!(names, ["com.acme/acme-billing", "com.acme/other"]);
    let headers = made.proposals[0].document["remotes"][0]["headers"]
        .as_array()
        .unwrap();
    assert_eq!(headers.len(), 2, "what either asks for is asked for");
    assert_eq!(made.proposals[0].seen.len(), 2);
    assert!(made.left_out[0].1.contains("already"), "{:?}", made.left_out);
    let known = Identity::of_document(&json!({"remotes": [{"url": "https://mcp.acme.example/mcp"}]}));
    assert!(known.contains(&made.proposals[0].identity));
    let image = Identity::of_document(
        &json!({"packages": [{"registryType": "oci", "identifier": "docker.io/a/b:2"}]}),
    );
    let other =
        Identity::of_document(&json!({"packages": [{"registryType": "oci", "identifier": "a/b@sha256:0a"}]}));
    assert_eq!(image, other);
}

#[test]
fn b6_credentials_in_addresses_become_inputs() {
    let document = one(
        "cursor",
        &cursor(&json!({
            "url": "https://ann:pa55word@mcp.acme.example/t/0a1b2c3d4e5f60718293/mcp?api_key=abc&readonly=true&x=Some%20Text",
        })),
    );
    let remote = &document["remotes"][0];
    assert_eq!(
        remote["url"],
        "https://mcp.acme.example/t/{path_2}/mcp?api_key={api_key}&readonly=true&x={x}"
    );
    let variables: Vec<&String> = remote["variables"].as_object().unwrap().keys().collect();
    assert_eq!(variables, ["path_2", "api_key", "x"]);
    assert_eq!(remote["headers"][0]["name"], "Authorization");
}

/// Where a value may stand besides headers and the environment.
fn server(place: usize, value: &str) -> Value {
    match place % 10 {
        0 => json!({"command": "npx", "args": ["tool", value], "env": {"A": value}}),
        1 => {
            json!({"command": "npx", "args": ["tool", format!("--flag={value}"), format!("pre{value}post")], "env": {"A": value}})
        }
        2 => json!({"command": "npx", "args": ["tool", "--flag", value], "env": {"A": value}}),
        3 => json!({"command": "docker", "args": ["run", "-e", format!("A={value}"), "image", value]}),
        4 => json!({"url": format!("https://a.example/{value}/mcp"), "headers": {"X": value}}),
        5 => {
            json!({"url": format!("https://a.example/mcp?k={value}"), "headers": {"Authorization": format!("Bearer {value}")}})
        }
        6 => {
            json!({"url": "https://a.example/mcp", "headers": {"Authorization": format!("Bearer {value}"), value: "x"}})
        }
        7 => {
            json!({"command": "npx", "args": ["mcp-remote", "https://a.example", "--header", format!("K: {value}")]})
        }
        8 => json!({"command": "uvx", "args": ["tool"], "env": {"A": value, value: value}}),
        _ => json!({"command": "npx", "args": [value], "env": {"A": value}}),
    }
}

fn texts(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::String(text) => into.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| texts(item, into)),
        Value::Object(members) => members.iter().for_each(|(name, value)| {
            into.push(name.clone());
            texts(value, into);
        }),
        _ => {}
    }
}

proptest! {
    #[test]
    fn b6_no_value_of_headers_or_of_the_environment_is_in_what_is_sent(
        servers in proptest::collection::vec((0..20_usize, "[A-Za-z0-9/+=_.:@-]{8,40}"), 1..6),
        hosts in proptest::collection::vec(prop::sample::select(vec!["cursor", "windsurf", "claude-code"]), 6),
    ) {
        let mut all = Vec::new();
        for ((place, value), host) in servers.iter().zip(hosts) {
            // The name may be the value as well.
            let name = if *place >= 10 { value.as_str() } else { "server" };
            all.extend(of(host, &json!({"mcpServers": {name: server(*place, value)}})));
        }
        let made = made(&all);
        let mut said = Vec::new();
        for proposal in &made.proposals {
            texts(&proposal.document, &mut said);
        }
        for (_, value) in &servers {
            for text in &said {
                prop_assert!(!text.contains(value.as_str()), "{} is in {}", value, text);
            }
        }
    }
}

/// Where a value may stand in the words of a command, and nowhere else.
fn words(place: usize, value: &str) -> Value {
    let docker =
        |option: String| json!({"command": "docker", "args": ["run", "-dit", option, "image", "serve"]});
    let npx = |words: &[&str]| {
        let mut args = vec!["tool"];
        args.extend(words);
        json!({"command": "npx", "args": args})
    };
    let variable = format!("API_KEY={value}");
    match place {
        0 => docker(format!("-e{variable}")),
        1 => docker(format!("-e={variable}")),
        2 => docker(format!("--env={variable}")),
        3 => json!({"command": "docker", "args": ["run", "--privileged", "image", value]}),
        4 => npx(&["-e", &variable]),
        5 => npx(&["--env", &variable]),
        6 => npx(&["--set", &variable]),
        7 => npx(&["--header", &format!("X-Api-Key:{value}")]),
        8 => npx(&["--header", &format!("Authorization: Bearer {value}")]),
        9 => json!({"command": "uvx", "args": ["mcp-proxy", "--headers", "X-Api-Key", value]}),
        10 => npx(&[&format!("-p{value}")]),
        11 => npx(&["-p", value]),
        12 => npx(&["--flag", value]),
        13 => npx(&[&format!("--header=X-Api-Key:{value}")]),
        _ => npx(&["serve", value]),
    }
}

#[test]
fn b6_a_variable_or_a_header_is_named_and_its_value_stays() {
    let package = |server: Value| one("cursor", &cursor(&server))["packages"][0].clone();
    let image = package(words(0, "hunter2"));
    assert_eq!(image["identifier"], "image");
    assert_eq!(image["environmentVariables"][0]["name"], "API_KEY");
    assert_eq!(
        image["packageArguments"],
        json!([{"type": "positional", "value": "serve"}])
    );
    let privileged = package(words(3, "hunter2"));
    assert_eq!(privileged["identifier"], "image");
    assert_eq!(privileged["runtimeArguments"][0]["name"], "--privileged");
    let variable = package(words(5, "hunter2"));
    assert_eq!(variable["packageArguments"][0]["value"], "API_KEY={api_key}");
    let header = package(words(7, "hunter2"));
    assert_eq!(header["packageArguments"][0]["value"], "X-Api-Key:{x_api_key}");
    assert_eq!(
        header["packageArguments"][0]["variables"]["x_api_key"]["isSecret"],
        true
    );
    let pair = package(json!({"command": "npx", "args": ["tool", "c2VjcmV0MTI="]}));
    assert!(!pair.to_string().contains("c2Vjcm"), "{pair}");
    for (word, is_sent) in [
        ("8080", true),
        ("stdio", true),
        ("https://a.example/mcp", true),
        ("hunter2", false),
        ("123456", false),
        ("https://a.example/mcp?key=1", false),
    ] {
        let package = package(json!({"command": "npx", "args": ["tool", "--port", word]}));
        assert_eq!(package["packageArguments"][0]["value"] == word, is_sent, "{word}");
    }
}

proptest! {
    #[test]
    fn b6_no_value_of_an_argument_is_in_what_is_sent(place in 0..15_usize, value in "[A-Za-z0-9][A-Za-z0-9/+_.@-]{4,39}[A-Za-z]") {
        let made = made(&of("cursor", &cursor(&words(place, &value))));
        let mut said = Vec::new();
        for proposal in &made.proposals {
            texts(&proposal.document, &mut said);
        }
        for text in &said {
            prop_assert!(!text.contains(value.as_str()), "{} is in {}", value, text);
        }
    }
}

#[test]
fn nothing_of_a_value_is_shown_by_debug() {
    let all = of("cursor", &cursor(&server(5, "s3cr3t-value")));
    assert!(!format!("{all:?}").contains("s3cr3t"), "{all:?}");
    assert_eq!(all[0].shown(), "https://a.example/mcp?k={k}");
    assert_eq!(all[0].file, Path::new("/home/ann/.cursor/mcp.json"));
}
