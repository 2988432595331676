//! What `serve` prints when it is ready: where everything is, and commands that can be pasted as they stand.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use portreeve_core::secret::Secret;
use url::Url;

/// What is told.
pub(crate) struct Banner<'a> {
    /// How long the start took.
    pub(crate) took: Duration,
    /// The public origin.
    pub(crate) public_url: &'a Url,
    /// The listener's own address, as commands on this machine reach it.
    pub(crate) local_url: &'a Url,
    /// The one-time link's secret.
    pub(crate) link: &'a Secret,
    /// The data directory.
    pub(crate) data: &'a Path,
    /// Whether the data directory is not the default one.
    pub(crate) own_data: bool,
    /// The server and tool of the demo, and its route.
    pub(crate) demo: Option<DemoFacts<'a>>,
}

/// The demo's names.
pub(crate) struct DemoFacts<'a> {
    /// The server.
    pub(crate) name: &'a str,
    /// The slug of its route.
    pub(crate) slug: &'a str,
    /// A read-only tool.
    pub(crate) tool: &'a str,
    /// The server that is a REST API, and a read-only tool of it, if it is there.
    pub(crate) api: Option<(&'a str, &'a str)>,
}

impl Banner<'_> {
    /// Prints it.
    pub(crate) fn print(&self) {
        let _ = writeln!(std::io::stdout().lock(), "{}", self.text());
    }

    fn text(&self) -> String {
        let public = self.public_url.as_str().trim_end_matches('/');
        let local = self.local_url.as_str().trim_end_matches('/');
        let command = self.command(local);
        let key = self.data.join("admin.key");
        let key = key.display();
        let (name, slug, tool) = match &self.demo {
            Some(demo) => (demo.name, demo.slug, demo.tool),
            None => ("com.example/weather", "weather", "TOOL"),
        };
        let mut text = format!(
            "\nPortreeve {version} is ready ({took} ms)\n\n  \
             Portal      {public}/\n  \
             Sign in     {public}/admin/welcome?link={link}\n              (works once, within the hour)\n  \
             Registry    {public}/v0.1/servers\n  \
             Admin key   {key}\n\n\
             In another terminal, one after the other:\n\n",
            version = env!("CARGO_PKG_VERSION"),
            took = self.took.as_millis(),
            link = self.link.expose(),
        );
        if self.demo.is_none() {
            text.push_str(&format!(
                "  {command} server add {name} --url https://mcp.example.com/mcp --approve\n"
            ));
        }
        text.push_str(&format!(
            "  {command} server list\n  \
             {command} server tools {name}\n  \
             {command} call {name} {tool}\n\
             {api}  \
             {command} audit list\n\n\
             For hosts:\n\n  \
             Claude Code   claude mcp add --transport http {slug} {public}/s/{slug}/mcp --header \"Authorization: Bearer $(cat {key})\"\n  \
             Inspector     npx @modelcontextprotocol/inspector --cli {public}/s/{slug}/mcp --transport http --header \"Authorization: Bearer $(cat {key})\" --method tools/list\n  \
             VS Code       {vscode}\n  \
             Gallery       \"chat.mcp.gallery.serviceUrl\": \"{public}\"\n",
            api = self.api(&command),
            vscode = vscode(slug, public),
        ));
        text
    }

    /// A REST API as a server: what was made of it, a search that turns its pages, and an order without what nobody asked for.
    fn api(&self, command: &str) -> String {
        match self.demo.as_ref().and_then(|demo| demo.api) {
            Some((name, tool)) => format!(
                "  {command} server openapi {name}\n  \
                 {command} call {name} {tool} --arg word=line\n  \
                 {command} call {name} show_order --arg order=O-1011\n"
            ),
            None => String::new(),
        }
    }

    /// How this very binary is called from the directory it was started in.
    fn command(&self, local: &str) -> String {
        let mut command = program();
        if local != "http://127.0.0.1:8080" {
            command.push_str(&format!(" --url {local}"));
        }
        if self.own_data {
            command.push_str(&format!(" --data {}", self.data.display()));
        }
        command
    }
}

/// `.vscode/mcp.json`, on one line; VS Code asks for the key and keeps it.
fn vscode(slug: &str, public: &str) -> String {
    format!(
        "{{\"servers\":{{\"{slug}\":{{\"type\":\"http\",\"url\":\"{public}/s/{slug}/mcp\",\"headers\":{{\"Authorization\":\"Bearer ${{input:portreeve_key}}\"}}}}}},\
         \"inputs\":[{{\"id\":\"portreeve_key\",\"type\":\"promptString\",\"description\":\"Portreeve key\",\"password\":true}}]}}"
    )
}

fn program() -> String {
    let Ok(path) = std::env::current_exe() else {
        return "portreeve".to_owned();
    };
    let on_path = crate::environment::variable("PATH").is_some_and(|list| {
        std::env::split_paths(&list).any(|directory| directory.join("portreeve") == path)
    });
    if on_path {
        return "portreeve".to_owned();
    }
    let here: PathBuf = std::env::current_dir().unwrap_or_default();
    match path.strip_prefix(&here) {
        Ok(relative) => format!("./{}", relative.display()),
        Err(_) => path.display().to_string(),
    }
}
