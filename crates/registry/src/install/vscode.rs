//! VS Code: links, `code --add-mcp`, and `.vscode/mcp.json` with inputs.

use serde_json::{Map, Value, json};

use super::{Host, Launch, Prompt, Setup, Snippet, SnippetKind, encoded, pretty};

pub(super) struct VsCode;

impl Host for VsCode {
    fn id(&self) -> &'static str {
        "vscode"
    }

    fn snippets(&self, setup: &Setup) -> Vec<Snippet> {
        let snippet = |title, kind, text| Snippet {
            host: self.id(),
            title,
            kind,
            text,
        };
        let file = SnippetKind::File {
            path: ".vscode/mcp.json",
        };
        vec![
            snippet("Install in VS Code", SnippetKind::Link, link(setup)),
            snippet(
                "Install in VS Code, when this registry is its gallery",
                SnippetKind::Link,
                gallery_link(setup),
            ),
            snippet("Link for a README", SnippetKind::Link, web_link(setup)),
            snippet("Add on the command line", SnippetKind::Command, command(setup)),
            snippet("Add to a project", file, pretty(&project_file(setup))),
        ]
    }
}

/// The entry's key is the registry's name: in the mode "registry only", VS Code compares the two.
fn link(setup: &Setup) -> String {
    format!("vscode:mcp/install?{}", encoded(&payload(setup).to_string()))
}

/// VS Code looks the name up in its gallery first and takes icon and description from there.
fn gallery_link(setup: &Setup) -> String {
    let mut payload = payload(setup);
    payload["gallery"] = Value::Bool(true);
    format!("vscode:mcp/install?{}", encoded(&payload.to_string()))
}

/// GitHub strips links with a scheme of their own, so a README needs this one.
fn web_link(setup: &Setup) -> String {
    let mut link = format!(
        "https://vscode.dev/redirect/mcp/install?name={}&config={}",
        encoded(&setup.name),
        encoded(&Value::Object(config(setup)).to_string())
    );
    if !setup.prompts.is_empty() {
        link.push_str("&inputs=");
        link.push_str(&encoded(&inputs(setup).to_string()));
    }
    link
}

fn command(setup: &Setup) -> String {
    // Nothing in it is a secret, so single quotes around the whole are all it needs.
    let payload = payload(setup).to_string().replace('\'', r"'\''");
    format!("code --add-mcp '{payload}'")
}

fn project_file(setup: &Setup) -> Value {
    let mut servers = Map::new();
    servers.insert(setup.name.clone(), Value::Object(config(setup)));
    let mut file = json!({ "servers": servers });
    if !setup.prompts.is_empty() {
        file["inputs"] = inputs(setup);
    }
    file
}

fn payload(setup: &Setup) -> Value {
    let mut payload = Map::new();
    payload.insert("name".to_owned(), json!(setup.name));
    payload.append(&mut config(setup));
    payload.insert("version".to_owned(), json!(setup.version));
    if !setup.prompts.is_empty() {
        payload.insert("inputs".to_owned(), inputs(setup));
    }
    Value::Object(payload)
}

pub(super) fn config(setup: &Setup) -> Map<String, Value> {
    let shown = |prompt: &Prompt| format!("${{input:{}}}", prompt.id);
    let pairs = |pairs: &[(String, super::Words)]| -> Map<String, Value> {
        let pair = |(name, words): &(String, super::Words)| {
            (name.clone(), json!(words.render(&setup.prompts, shown)))
        };
        pairs.iter().map(pair).collect()
    };
    let mut config = Map::new();
    match &setup.launch {
        Launch::Http { url, headers } => {
            config.insert("type".to_owned(), json!("http"));
            config.insert("url".to_owned(), json!(url));
            if !headers.is_empty() {
                config.insert("headers".to_owned(), Value::Object(pairs(headers)));
            }
        }
        Launch::Stdio { command, args, env } => {
            let args: Vec<String> = args
                .iter()
                .map(|words| words.render(&setup.prompts, shown))
                .collect();
            config.insert("type".to_owned(), json!("stdio"));
            config.insert("command".to_owned(), json!(command));
            config.insert("args".to_owned(), json!(args));
            if !env.is_empty() {
                config.insert("env".to_owned(), Value::Object(pairs(env)));
            }
        }
    }
    config
}

pub(super) fn inputs(setup: &Setup) -> Value {
    let input = |prompt: &Prompt| {
        json!({
            "id": prompt.id,
            "type": "promptString",
            "description": prompt.description,
            "password": prompt.is_secret,
        })
    };
    setup.prompts.iter().map(input).collect()
}
