//! VS Code, stable and insiders: links, `code --add-mcp`, and `.vscode/mcp.json` with inputs.

use serde_json::{Map, Value, json};

use super::words::{Shell, Spelled, encoded, input, pretty, with_type};
use super::{Host, Launch, Setup, Snippet, SnippetKind};

/// An edition of VS Code.
pub(super) struct VsCode {
    id: &'static str,
    title: &'static str,
    install: &'static str,
    scheme: &'static str,
    web: &'static str,
    /// What the web form ends with.
    quality: &'static str,
    program: &'static str,
}

const FILE: SnippetKind = SnippetKind::File {
    path: ".vscode/mcp.json",
};
const GALLERY: &str = "Where this registry is the gallery of VS Code (`chat.mcp.gallery.serviceUrl`), the server is \
                       looked up in it, with its icon; in the mode \"registry only\" it has to be.";

impl VsCode {
    pub(super) const STABLE: Self = Self {
        id: "vscode",
        title: "VS Code",
        install: "Install in VS Code",
        scheme: "vscode",
        web: "https://vscode.dev/redirect",
        quality: "",
        program: "code",
    };
    pub(super) const INSIDERS: Self = Self {
        id: "vscode-insiders",
        title: "VS Code Insiders",
        install: "Install in VS Code Insiders",
        scheme: "vscode-insiders",
        web: "https://insiders.vscode.dev/redirect",
        quality: "&quality=insiders",
        program: "code-insiders",
    };
}

impl Host for VsCode {
    fn id(&self) -> &'static str {
        self.id
    }

    fn title(&self) -> &'static str {
        self.title
    }

    fn snippets(&self, setup: &Setup) -> Vec<Snippet> {
        let Some(config) = config(setup) else {
            return Vec::new();
        };
        let snippet = |title, kind, text: String| Snippet::new(self.id, title, kind, text);
        let payload = payload(setup, &config);
        let mut gallery = payload.clone();
        gallery["gallery"] = Value::Bool(true);
        let link = |payload: &Value| format!("{}:mcp/install?{}", self.scheme, encoded(&payload.to_string()));
        let redirect = format!("{}?url={}", self.web, encoded(&link(&gallery)));
        let command = |shell: Shell| format!("{} --add-mcp {}", self.program, shell.json(&payload));
        let mut snippets = vec![
            snippet(self.install, SnippetKind::Link, link(&payload)).shows(&payload),
            snippet("Install from the gallery", SnippetKind::Link, link(&gallery))
                .shows(&gallery)
                .note(GALLERY)
                .looked_up(),
            snippet(
                "Link for a README",
                SnippetKind::WebLink,
                self.web_link(setup, &config),
            )
            .shows(&payload),
            snippet(
                "Link for a README, from the gallery",
                SnippetKind::WebLink,
                redirect,
            )
            .shows(&gallery)
            .note(GALLERY)
            .looked_up(),
            snippet(
                "Add on the command line",
                SnippetKind::Command,
                command(Shell::Posix),
            ),
        ];
        if Shell::PowerShell.takes(setup) {
            snippets.push(snippet(
                "Add in PowerShell",
                SnippetKind::PowerShell,
                command(Shell::PowerShell),
            ));
        }
        snippets.push(snippet(
            "Add to a project",
            FILE,
            project_file(&setup.name, setup, config),
        ));
        snippets
    }
}

impl VsCode {
    /// GitHub strips links with a scheme of their own, so a README needs this one.
    fn web_link(&self, setup: &Setup, config: &Map<String, Value>) -> String {
        let config = Value::Object(config.clone()).to_string();
        let mut link = format!(
            "{}/mcp/install?name={}&config={}",
            self.web,
            encoded(&setup.name),
            encoded(&config)
        );
        if !setup.prompts.is_empty() {
            link.push_str("&inputs=");
            link.push_str(&encoded(&inputs(setup).to_string()));
        }
        link.push_str(self.quality);
        link
    }
}

/// The link that a README has, of the stable edition.
pub(super) fn readme_link(setup: &Setup) -> Option<String> {
    Some(VsCode::STABLE.web_link(setup, &config(setup)?))
}

/// A file with `servers` and `inputs`, as VS Code and Visual Studio read it.
pub(super) fn project_file(key: &str, setup: &Setup, config: Map<String, Value>) -> String {
    let mut servers = Map::new();
    servers.insert(key.to_owned(), Value::Object(config));
    let mut file = json!({ "servers": servers });
    if !setup.prompts.is_empty() {
        file["inputs"] = inputs(setup);
    }
    pretty(&file)
}

/// The entry's key is the registry's name: in the mode "registry only", VS Code compares the two.
pub(super) fn payload(setup: &Setup, config: &Map<String, Value>) -> Value {
    let mut payload = Map::new();
    payload.insert("name".to_owned(), json!(setup.name));
    payload.extend(config.clone());
    payload.insert("version".to_owned(), json!(setup.version));
    if !setup.prompts.is_empty() {
        payload.insert("inputs".to_owned(), inputs(setup));
    }
    Value::Object(payload)
}

pub(super) fn config(setup: &Setup) -> Option<Map<String, Value>> {
    let config = Spelled { setup, prompt: input }.config("url")?;
    let kind = match setup.launch {
        Launch::Http { .. } => "http",
        Launch::Stdio { .. } | Launch::Bundle { .. } => "stdio",
    };
    Some(with_type(kind, config))
}

pub(super) fn inputs(setup: &Setup) -> Value {
    let input = |prompt: &super::Prompt| {
        json!({
            "id": prompt.id,
            "type": "promptString",
            "description": prompt.description,
            "password": prompt.is_secret,
        })
    };
    setup.prompts.iter().map(input).collect()
}
