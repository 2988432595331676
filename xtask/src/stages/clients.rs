//! The official clients in both eras, through the gateway, to the sample server and to a real legacy server; and whether
//! they take the lists of tools that are made of descriptions of REST APIs.

mod lists;

use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};

use crate::context::Context;
use crate::house::House;
use crate::install::node::Node;
use crate::install::python;
use crate::process::{self, Log, Service};

const LIMIT: Duration = Duration::from_secs(120);
/// The route of the sample server that `serve --demo` registers.
const DEMO: &str = "port";
/// The name under which the real server is registered; its last part becomes the route.
const EVERYTHING: &str = "com.example/everything";

/// Which server, asked in which mode, must come out in which era.
const CASES: [(&str, &str, &str); 5] = [
    ("demo", "legacy", "legacy"),
    ("demo", "modern", "modern"),
    ("demo", "auto", "modern"),
    ("everything", "legacy", "legacy"),
    // A legacy upstream answers the modern probe with an error, and the client must find its way back.
    ("everything", "auto", "legacy"),
];

pub(crate) fn run(context: &mut Context, log: &mut Log) -> Result<String> {
    let node = Node::ready(context, log)?;
    let python = python::ready(context, log)?;
    let house = House::start(context, log)?;
    let (_everything, port) = everything(log, &node)?;
    let url = format!("http://127.0.0.1:{port}/mcp");
    house.run(log, &["server", "add", EVERYTHING, "--url", &url, "--approve"])?;

    let lists = lists::ready(context, &house)?;

    let mut failed = Vec::new();
    let mut count = 0;
    let mut check = |log: &mut Log, name: String, mut command: Command| {
        house.tell(&mut command);
        count += 1;
        if log.run(&mut command, LIMIT).is_err() {
            failed.push(name);
        }
    };
    for (server, mode, era) in CASES {
        let endpoint = house.endpoint(if server == "demo" { DEMO } else { "everything" });
        let words = [
            "--url", &endpoint, "--server", server, "--mode", mode, "--era", era,
        ];
        let mut sdk = node.command("peers/sdk_client.mjs");
        sdk.args(words);
        check(log, format!("TypeScript {mode} to {server}"), sdk);
        let mut client = process::bound(&python);
        client
            .arg(node.scripts.join("peers/python_client.py"))
            .args(words);
        check(log, format!("Python {mode} to {server}"), client);
    }
    for (server, slug) in [("demo", DEMO), ("everything", "everything")] {
        let endpoint = house.endpoint(slug).replace("/mcp", "/sse");
        let words = [
            "--url",
            &endpoint,
            "--server",
            server,
            "--mode",
            "legacy",
            "--era",
            "legacy",
            "--transport",
            "sse",
        ];
        let mut sdk = node.command("peers/sdk_client.mjs");
        sdk.args(words);
        check(log, format!("TypeScript HTTP+SSE to {server}"), sdk);
        let mut client = process::bound(&python);
        client
            .arg(node.scripts.join("peers/python_client.py"))
            .args(words);
        check(log, format!("Python HTTP+SSE to {server}"), client);
        let mut inspector = node.command("peers/inspector.mjs");
        inspector.args(["--url", &house.endpoint(slug), "--server", server]);
        check(log, format!("inspector to {server}"), inspector);
    }
    let mut inspector = node.command("peers/inspector.mjs");
    inspector.args(["--url", &format!("{}/mcp", house.url), "--server", "registry"]);
    check(log, "inspector to the registry".to_owned(), inspector);
    for (name, command) in lists
        .iter()
        .flat_map(|list| list.commands(&house, &node, &python))
    {
        check(log, name, command);
    }
    match failed.len() {
        0 => Ok(format!("{count} runs")),
        _ => bail!("{} of {count} runs failed: {}", failed.len(), failed.join(", ")),
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
