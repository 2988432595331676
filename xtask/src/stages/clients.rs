//! The official clients in both eras, old and new, through the gateway, to the sample server, to a real legacy server and
//! to one that only the modern era reaches; and whether they take the lists of tools that are made of descriptions of REST APIs.

mod lists;

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};

use super::tally::{Case, Tally};
use crate::context::Context;
use crate::fixture;
use crate::house::House;
use crate::install::node::Node;
use crate::install::python;
use crate::process::{self, Log, Service};

const LIMIT: Duration = Duration::from_secs(120);
/// The route of the sample server that `serve --demo` registers.
const DEMO: &str = "port";
/// The name under which the real server is registered; its last part becomes the route.
const EVERYTHING: &str = "com.example/everything";

/// A server that only the modern era reaches.
const MODERN: &str = "com.example/fixture";

/// Which server, asked in which mode by clients that have several, must come out in which era.
const CASES: [(&str, &str, &str); 9] = [
    ("demo", "legacy", "legacy"),
    ("demo", "modern", "modern"),
    ("demo", "auto", "modern"),
    ("everything", "legacy", "legacy"),
    ("everything", "modern", "modern"),
    // The server knows nothing of it, and its hosts need not know that.
    ("everything", "auto", "modern"),
    ("fixture", "legacy", "legacy"),
    ("fixture", "modern", "modern"),
    ("fixture", "auto", "modern"),
];

/// What is asked by clients that know the legacy era alone: the older SDK, HTTP+SSE, the inspector.
const LEGACY_SERVERS: [&str; 3] = ["demo", "everything", "fixture"];

/// What starts clients.
struct Clients<'a> {
    house: &'a House,
    node: &'a Node,
    python: &'a Path,
}

pub(crate) fn run(context: &mut Context, log: &mut Log) -> Result<String> {
    let node = Node::ready(context, log)?;
    let python = python::ready(context, log)?;
    let house = House::start(context, log)?;
    let (_everything, port) = everything(log, &node)?;
    let url = format!("http://127.0.0.1:{port}/mcp");
    house.run(log, &["server", "add", EVERYTHING, "--url", &url, "--approve"])?;
    let (_modern, url) = fixture::start(context, log, &["--era", "modern"])?;
    house.run(log, &["server", "add", MODERN, "--url", &url, "--approve"])?;
    let lists = lists::ready(context, &house)?;

    let clients = Clients {
        house: &house,
        node: &node,
        python: &python,
    };
    let mut tally = Tally::default();
    let mut cases = clients.of_both_eras();
    cases.extend(clients.of_the_legacy_era());
    for case in cases {
        tally.check(&house, log, case, LIMIT);
    }
    for (name, command) in lists
        .iter()
        .flat_map(|list| list.commands(&house, &node, &python))
    {
        tally.check(&house, log, Case { name, command }, LIMIT);
    }
    tally.told()
}

/// The route of a server that the scripts know by this name.
fn slug(server: &str) -> &str {
    match server {
        "demo" => DEMO,
        other => other,
    }
}

// === impl Clients ===

impl Clients<'_> {
    fn script(&self, name: &str) -> Command {
        match name.ends_with(".py") {
            true => {
                let mut client = process::bound(self.python);
                client.arg("-B").arg(self.node.scripts.join("peers").join(name));
                client
            }
            false => self.node.command(&format!("peers/{name}")),
        }
    }

    fn of_both_eras(&self) -> Vec<Case> {
        let mut cases = Vec::new();
        for (server, mode, era) in CASES {
            for (client, script) in [
                ("TypeScript", "sdk_client.mjs"),
                ("Python", "python_client.py"),
                ("FastMCP", "fastmcp_client.py"),
            ] {
                let mut command = self.script(script);
                let endpoint = self.house.endpoint(slug(server));
                command.args(["--url", &endpoint, "--server", server]);
                command.args(["--mode", mode, "--era", era]);
                let name = format!("{client} {mode} to {server}");
                cases.push(Case { name, command });
            }
        }
        cases
    }

    fn of_the_legacy_era(&self) -> Vec<Case> {
        let mut cases = Vec::new();
        for server in LEGACY_SERVERS {
            let http = self.house.endpoint(slug(server));
            let sse = http.replace("/mcp", "/sse");
            let mut add = |name: &str, script: &str, endpoint: &str, more: &[&str]| {
                let mut command = self.script(script);
                command.args(["--url", endpoint, "--server", server]).args(more);
                let name = format!("{name} to {server}");
                cases.push(Case { name, command });
            };
            let oldest = ["--mode", "legacy", "--transport", "sse"];
            add("TypeScript SDK 1", "sdk1_client.mjs", &http, &[]);
            add("TypeScript SDK 1 HTTP+SSE", "sdk1_client.mjs", &sse, &oldest);
            add("TypeScript HTTP+SSE", "sdk_client.mjs", &sse, &oldest);
            add("Python HTTP+SSE", "python_client.py", &sse, &oldest);
            add("FastMCP HTTP+SSE", "fastmcp_client.py", &sse, &oldest);
            add("inspector", "inspector.mjs", &http, &[]);
        }
        let mut command = self.script("inspector.mjs");
        command.args([
            "--url",
            &format!("{}/mcp", self.house.url),
            "--server",
            "registry",
        ]);
        cases.push(Case {
            name: "inspector to the registry".to_owned(),
            command,
        });
        cases
    }
}

/// The reference server of the MCP project, on a port of its own.
fn everything(log: &mut Log, node: &Node) -> Result<(Service, u16)> {
    let port = process::free_port()?;
    let mut serve = node.command("node_modules/@modelcontextprotocol/server-everything/dist/index.js");
    serve.arg("streamableHttp").env("PORT", port.to_string());
    let mut service = log.serve("server-everything", &mut serve, "TERM")?;
    service
        .until(Duration::from_secs(30), || process::accepts(port))
        .context("the real MCP server did not start")?;
    Ok((service, port))
}
