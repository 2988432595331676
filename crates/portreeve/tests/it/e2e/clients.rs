//! `portreeve import clients` with a real node and a home folder in which every host has its file.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Output;

use serde_json::{Value, json};

use crate::node::Node;
use crate::upstream::{Speaks, Upstream};

const SECRET: &str = "hunter2-0a1b2c3d4e5f";

/// A machine with hosts that use one remote server and one package.
struct Desk {
    node: Node,
    upstream: Upstream,
    home: tempfile::TempDir,
}

/// The files of hosts that can be told an address, by host.
const REMOTE: [(&str, &str, &str); 11] = [
    (
        "vscode",
        ".config/Code/User/mcp.json",
        "{\n  // mine\n  \"servers\": {\n    \"billing\": {\n      \"type\": \"http\",\n      \"url\": \"URL\",\n      \"headers\": {\"X-Key\": \"SECRET\"},\n    },\n  },\n}\n",
    ),
    (
        "vscode-insiders",
        ".config/Code - Insiders/User/mcp.json",
        "{\"servers\": {\"billing\": {\"type\": \"http\", \"url\": \"URL\"}}}\n",
    ),
    (
        "cursor",
        ".cursor/mcp.json",
        "{\"mcpServers\": {\"billing\": {\"url\": \"URL\", \"headers\": {\"Authorization\": \"Bearer SECRET\"}}}}",
    ),
    (
        "claude-code",
        ".claude.json",
        "{\"history\": [1, 2],\n \"projects\": {\"/work\": {\"mcpServers\": {\"billing\": {\"type\": \"http\", \"url\": \"URL\"}}}}}",
    ),
    (
        "copilot-cli",
        ".copilot/mcp-config.json",
        "{\"mcpServers\": {\"billing\": {\"type\": \"http\", \"url\": \"URL\", \"tools\": [\"a\"]}}}",
    ),
    (
        "codex",
        ".codex/config.toml",
        "model = \"x\" # mine\n\n[mcp_servers.billing]\nurl = \"URL\"\nhttp_headers = { \"X-Key\" = \"SECRET\" }\n",
    ),
    (
        "gemini-cli",
        ".gemini/settings.json",
        "{\"mcpServers\": {\"billing\": {\"httpUrl\": \"URL\"}}, \"theme\": \"x\"}",
    ),
    (
        "windsurf",
        ".codeium/windsurf/mcp_config.json",
        "{\"mcpServers\": {\"billing\": {\"serverUrl\": \"URL\"}}}",
    ),
    (
        "kiro",
        ".kiro/settings/mcp.json",
        "{\"mcpServers\": {\"billing\": {\"url\": \"URL\", \"autoApprove\": [\"a\"]}}}",
    ),
    (
        "zed",
        ".config/zed/settings.json",
        "// mine\n{\"context_servers\": {\"billing\": {\"source\": \"custom\", \"url\": \"URL\"}}}",
    ),
    (
        "goose",
        ".config/goose/config.yaml",
        "GOOSE_MODEL: x # mine\nextensions:\n  billing:\n    type: streamable_http\n    uri: URL\n    headers:\n      X-Key: SECRET\n  developer:\n    type: builtin\n",
    ),
];
/// Others, and files that say something else.
const OTHER: [(&str, &str); 6] = [
    (
        ".mcp.json",
        "{\"servers\": {\"tool\": {\"type\": \"stdio\", \"command\": \"npx\", \"args\": [\"-y\", \"@acme/tool@2.0.0\"], \"env\": {\"API_TOKEN\": \"SECRET\"}}}}",
    ),
    (
        ".config/Claude/claude_desktop_config.json",
        "{\"mcpServers\": {\"billing\": {\"command\": \"npx\", \"args\": [\"mcp-remote\", \"URL\", \"--header\", \"X-Key: SECRET\"]}}}",
    ),
    (
        ".junie/mcp/mcp.json",
        "{\"mcpServers\": {\"tool\": {\"command\": \"npx\", \"args\": [\"@acme/tool\"], \"env\": {\"OTHER\": \"SECRET\"}}}}",
    ),
    (
        ".lmstudio/mcp.json",
        "{\"mcpServers\": {\"mine\": {\"command\": \"node\", \"args\": [\"/home/ann/x.js\", \"SECRET\"]}}}",
    ),
    (
        ".config/Code/User/settings.json",
        "{\n  \"mcp\": {\n    \"servers\": {\n      \"a\" {\"env\": \"SECRET\"}\n",
    ),
    (".config/copilot/mcp-config.json", ""),
];

impl Desk {
    async fn open() -> Self {
        let node = Node::start().await;
        let upstream = Upstream::start(Speaks::Both).await;
        let home = tempfile::tempdir().unwrap();
        let desk = Self { node, upstream, home };
        let remote = REMOTE.iter().map(|(_, path, text)| (path, text));
        for (path, text) in remote.chain(OTHER.iter().map(|(path, text)| (path, text))) {
            let path = desk.file(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, desk.said(text)).unwrap();
        }
        desk
    }

    fn file(&self, path: &str) -> PathBuf {
        self.home.path().join(path)
    }

    fn text(&self, path: &str) -> String {
        std::fs::read_to_string(self.file(path)).unwrap()
    }

    fn said(&self, text: &str) -> String {
        text.replace("URL", &self.upstream.url).replace("SECRET", SECRET)
    }

    fn run(&self, flags: &[&str]) -> Output {
        let home = self.home.path().to_str().unwrap();
        let project = self.file("work");
        std::fs::create_dir_all(&project).unwrap();
        let mut all = vec![
            "import",
            "clients",
            "--home",
            home,
            "--project",
            project.to_str().unwrap(),
        ];
        all.extend(flags);
        self.node.cli(&all)
    }

    fn json(&self, flags: &[&str]) -> Value {
        let mut all = vec!["--json"];
        all.extend(flags);
        let output = self.run(&all);
        let text = String::from_utf8_lossy(&output.stdout);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{flags:?}: {text} {error}");
        assert!(
            !text.contains(SECRET) && !error.contains(SECRET),
            "{text} {error}"
        );
        serde_json::from_str(&text).unwrap()
    }
}

fn entry<'a>(body: &'a Value, name: &str) -> &'a Value {
    let all = body["entries"].as_array().unwrap();
    all.iter()
        .find(|entry| entry["name"] == name)
        .unwrap_or_else(|| panic!("no {name}: {body}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn b6_hosts_are_read_and_nothing_is_sent_unless_somebody_says_so() {
    let desk = Desk::open().await;
    let shown = desk.json(&["--namespace", "com.acme", "--internal"]);
    let billing = entry(&shown, "com.acme/billing");
    let mut hosts: Vec<&str> = billing["hosts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|host| host.as_str().unwrap())
        .collect();
    hosts.sort_unstable();
    let mut expected: Vec<&str> = REMOTE
        .iter()
        .map(|(host, ..)| *host)
        .chain(["claude-desktop"])
        .collect();
    expected.sort_unstable();
    assert_eq!(hosts, expected);
    let document = &billing["request"]["document"];
    assert_eq!(document["remotes"][0]["url"], desk.upstream.url.as_str());
    let names: Vec<&Value> = document["remotes"][0]["headers"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["name"])
        .collect();
    assert_eq!(names, ["X-Key", "Authorization"]);
    let tool = entry(&shown, "com.acme/tool");
    assert_eq!(
        tool["request"]["document"]["packages"][0]["identifier"],
        "@acme/tool"
    );
    assert_eq!(tool["hosts"], json!(["visual-studio", "jetbrains"]));
    let broken = &shown["findings"][0];
    assert!(
        broken["file"].as_str().unwrap().ends_with("settings.json"),
        "{broken}"
    );
    assert_eq!(broken["line"], 4);
    let left: Vec<&Value> = shown["found"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|one| one["name"] == "mine")
        .collect();
    assert!(
        left[0]["becomes"]
            .as_str()
            .unwrap()
            .contains("a program of this machine"),
        "{left:?}"
    );
    let listed = desk.node.api("GET", "/servers?search=acme", None).await.json();
    assert!(!listed.to_string().contains("com.acme/tool"), "{listed}");

    // What is shown to people says the same, and no secret either.
    let output = desk.run(&["--namespace", "com.acme", "--internal", "--rewrite", "--dry-run"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        text.contains("POST /api/v1/servers") && text.contains("Nothing was sent or written"),
        "{text}"
    );
    assert!(
        text.contains("the value of the header `X-Key`") && !text.contains(SECRET),
        "{text}"
    );
    // Without `--internal` what only this machine reaches is no entry.
    let shown = desk.json(&["--namespace", "com.acme"]);
    assert_eq!(entry(&shown, "com.acme/billing")["state"], "local");
}

#[tokio::test(flavor = "multi_thread")]
async fn b6_hosts_are_pointed_at_the_gateway_behind_a_backup_and_back_again() {
    let desk = Desk::open().await;
    let how = "--namespace com.acme --internal --approve --yes --rewrite";
    let how: Vec<_> = how.split(' ').collect();
    std::fs::set_permissions(desk.file(REMOTE[0].1), std::fs::Permissions::from_mode(0o640)).unwrap();
    let done = desk.json(&how);
    for registered in done["registered"].as_array().unwrap() {
        assert_eq!(registered["approval"], "approved", "{done}");
    }
    let endpoint = desk.node.endpoint("billing");
    for (host, path, before) in REMOTE {
        let text = desk.text(path);
        assert!(text.contains(&endpoint), "{host}: {text} {}", done["rewrite"]);
        assert!(
            !text.contains(&desk.upstream.url) && !text.contains(SECRET),
            "{host}: {text}"
        );
        assert_eq!(text.contains("mine"), before.contains("mine"), "{host}: {text}");
    }
    assert!(
        desk.text(".kiro/settings/mcp.json").contains("autoApprove"),
        "what else stood there stays"
    );
    assert!(
        desk.text(".config/goose/config.yaml")
            .contains("developer:\n    type: builtin\n")
    );
    let mode = std::fs::metadata(desk.file(REMOTE[0].1))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o640);
    for (path, text) in OTHER {
        assert_eq!(desk.text(path), desk.said(text), "{path} stays");
    }
    let left = done["rewrite"]["left"].to_string();
    assert!(
        left.contains("claude-desktop") && left.contains("runs on this machine"),
        "{left}"
    );
    let folder = done["written"]["folder"].as_str().unwrap();
    assert!(Path::new(folder).starts_with(desk.node.data()));
    for entry in std::fs::read_dir(folder).unwrap() {
        let mode = entry.unwrap().metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "a copy holds secrets");
    }

    // Again: both are known, nothing is sent, and the hosts lead here already.
    let again = desk.json(&how);
    assert!(
        again.get("registered").is_none() && again.get("written").is_none(),
        "{again}"
    );
    assert_eq!(entry(&again, "com.acme/tool")["state"], "known");

    // A file that was changed since stays; the others are as they were, to the byte.
    let changed = format!("{} ", desk.text(".cursor/mcp.json"));
    std::fs::write(desk.file(".cursor/mcp.json"), &changed).unwrap();
    let before = desk.text(REMOTE[0].1);
    let output = desk.run(&["--restore"]);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        !output.status.success() && error.contains("no terminal to ask at"),
        "{error}"
    );
    assert!(!desk.run(&["--restore", "--dry-run"]).status.success());
    assert_eq!(desk.text(REMOTE[0].1), before, "nobody said so");
    let output = desk.run(&["--restore", "--yes"]);
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        !output.status.success() && told.contains("changed in the meantime"),
        "{told}"
    );
    for (host, path, before) in REMOTE {
        let expected = if host == "cursor" {
            changed.clone()
        } else {
            desk.said(before)
        };
        assert_eq!(desk.text(path), expected, "{host}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn j4_a_developer_s_servers_wait_in_the_namespace_of_his_right() {
    let desk = Desk::open().await;
    let key = desk.node.new_key("dev");
    desk.node.cli_json(&[
        "grant",
        "add",
        "--key",
        "dev",
        "--namespace",
        "org.team.*",
        "--publish",
    ]);
    let done = desk.json(&["--key", &key, "--host", "visual-studio", "--yes"]);
    assert_eq!(
        done["registered"],
        json!([{"name": "org.team/tool", "approval": "submitted"}])
    );
    let entry = desk
        .node
        .api("GET", "/servers/org.team%2Ftool", None)
        .await
        .json();
    let document = &entry["versions"][0]["document"];
    assert_eq!(document["version"], "2.0.0");
    assert!(!entry.to_string().contains(SECRET), "{entry}");
    // An unknown host is refused with those that are known.
    let output = desk.run(&["--host", "notepad"]);
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(error.contains("hint: these are: vscode"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn b6_a_host_that_leads_here_by_the_public_address_is_no_new_server() {
    let public = "http://127.0.0.1:9";
    let node = Node::start_with(&["--public-url", public]).await;
    let upstream = Upstream::start(Speaks::Both).await;
    let home = tempfile::tempdir().unwrap();
    let desk = Desk { node, upstream, home };
    desk.node.add("com.acme/billing", &desk.upstream.url);
    let servers = json!({
        "mine": {"url": format!("{public}/s/billing/mcp")},
        "theirs": {"url": "HTTP://127.0.0.1:9/mcp"},
        "near": {"url": desk.node.endpoint("billing")},
    });
    let file = desk.file(".cursor/mcp.json");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    let before = json!({"mcpServers": servers}).to_string();
    std::fs::write(&file, &before).unwrap();
    let done = desk.json(&["--namespace", "com.acme", "--internal", "--yes", "--rewrite"]);
    assert_eq!(done["entries"], json!([]), "{done}");
    for found in done["found"].as_array().unwrap() {
        let becomes = found["becomes"].as_str().unwrap();
        assert!(becomes.contains("through this Portreeve already"), "{found}");
    }
    assert!(done.get("registered").is_none(), "{done}");
    assert_eq!(desk.text(".cursor/mcp.json"), before, "nothing is pointed anew");
}
