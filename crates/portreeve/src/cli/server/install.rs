//! `portreeve server install`: what makes a host use a server. It prints, and changes nothing on this machine.

use clap::Args;
use serde_json::{Value, json};

use super::super::connection::{Connection, api_path, segment};
use super::super::reply::{joined, table, text};
use super::super::{Failure, Reply};

/// `portreeve server install`
#[derive(Debug, Clone, Args)]
pub(crate) struct InstallArgs {
    /// The server's name
    name: String,
    /// Only for this host, as `--list` names it
    #[arg(long, value_name = "HOST", conflicts_with = "list")]
    host: Option<String>,
    /// List the hosts instead of showing what each is told
    #[arg(long)]
    list: bool,
    /// The version [default: the latest]
    #[arg(long)]
    version: Option<String>,
    /// As this registry shows it, instead of the default one
    #[arg(long, value_name = "NAME")]
    registry: Option<String>,
    /// Print the Swagger 2.0 file of a custom connector for Power Platform and Copilot Studio
    #[arg(long, conflicts_with_all = ["host", "list"])]
    connector: bool,
}

pub(super) async fn run(connection: &Connection, args: &InstallArgs) -> Result<Reply, Failure> {
    let mut query = Vec::new();
    let mut add = |name: &str, value: &Option<String>| {
        query.extend(value.iter().map(|value| format!("{name}={}", segment(value))));
    };
    add("host", &args.host);
    add("registry", &args.registry);
    let path = match &args.version {
        _ if args.connector => {
            add("version", &args.version);
            api_path!("servers/{}/connector", args.name)
        }
        Some(version) => api_path!("servers/{}/versions/{}/install", args.name, version),
        None => api_path!("servers/{}/install", args.name),
    };
    let query = match query.is_empty() {
        true => String::new(),
        false => format!("?{}", query.join("&")),
    };
    let body = connection.get(&format!("{path}{query}")).await?.body;
    let shown = if args.connector {
        serde_json::to_string_pretty(&body).unwrap_or_default()
    } else if args.list {
        list(&body)
    } else {
        render(&body)
    };
    Ok(Reply::new(body, shown))
}

fn members<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value
        .get(name)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

/// The hosts, each with the ways that it can go.
pub(crate) fn list(body: &Value) -> String {
    let mut hosts: Vec<Value> = Vec::new();
    for way in members(body, "ways") {
        let source = text(way, "source");
        for host in members(way, "hosts") {
            let known = hosts.iter_mut().find(|known| known.get("id") == host.get("id"));
            match known
                .and_then(|known| known.get_mut("sources"))
                .and_then(Value::as_array_mut)
            {
                Some(sources) => sources.push(source.clone().into()),
                None => hosts.push(json!({
                    "id": text(host, "id"), "title": text(host, "title"), "sources": [source.clone()],
                })),
            }
        }
    }
    table(
        &json!({ "items": hosts }),
        &[
            ("HOST", |host| text(host, "id")),
            ("NAME", |host| text(host, "title")),
            ("FROM", |host| joined(host, "sources")),
        ],
        "There is nothing to install: this version has no route, and no package that a host can run.",
    )
}

/// What each host is told, the texts as they are so that they can be copied.
pub(crate) fn render(body: &Value) -> String {
    let mut lines = vec![format!("{} {}", text(body, "name"), text(body, "version"))];
    let ways = members(body, "ways");
    if ways.is_empty() {
        lines.push(
            "There is nothing to install: this version has no route, and no package that a host can run."
                .to_owned(),
        );
    }
    for way in ways {
        let from = match (text(way, "source").as_str(), text(way, "auth").as_str()) {
            ("gateway", "oauth") => "through the gateway; the host signs you in".to_owned(),
            ("gateway", "key") => "through the gateway, with a key".to_owned(),
            ("gateway", _) => "through the gateway".to_owned(),
            (package, _) => format!("from its {package} package, on your machine"),
        };
        lines.push(format!("\nInstalled {from}"));
        for prompt in members(way, "prompts") {
            let secret = if prompt.get("secret") == Some(&Value::Bool(true)) {
                " (secret)"
            } else {
                ""
            };
            lines.push(format!(
                "  asks for {}{secret}: {}",
                text(prompt, "variable"),
                text(prompt, "description")
            ));
        }
        for host in members(way, "hosts") {
            lines.push(format!("\n# {} ({})", text(host, "title"), text(host, "id")));
            lines.extend(members(host, "snippets").iter().map(snippet));
        }
    }
    lines.join("\n")
}

fn snippet(snippet: &Value) -> String {
    let title = text(snippet, "title");
    let content = text(snippet, "text");
    let content = content.trim_end();
    let mut shown = match text(snippet, "kind").as_str() {
        "value" => format!("{title}: {content}"),
        "file" => format!("{title}, {}:\n{content}", text(snippet, "path")),
        _ => format!("{title}:\n{content}"),
    };
    let note = text(snippet, "note");
    if !note.is_empty() {
        shown.push_str(&format!("\n({note})"));
    }
    shown
}
