//! A Portreeve to measure, set up as a person would: through its command line.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::contestants::{GATEWAY_CORE, pinned};
use super::descriptors::Descriptors;
use crate::files::TemporaryFolder;
use crate::process::{self, Log, Service, output_of};

const START_LIMIT: Duration = Duration::from_secs(60);
/// The name of the measured server; its last part becomes the route.
const SERVER: &str = "com.example/bench";
/// The same as a REST API.
const REST: &str = "com.example/rest";
/// The same, where it knows one era alone.
const LEGACY: &str = "com.example/to-legacy";
const LEGACY_SHARED: &str = "com.example/to-legacy-shared";
const MODERN: &str = "com.example/to-modern";
const KEY: &str = "bench";

/// What stands between a call and the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Checks {
    /// An anonymous route without a policy.
    None,
    /// A key, a grant that decides, and a limit that is never reached.
    All,
}

/// A Portreeve and its data.
#[derive(Debug)]
pub(crate) struct Node {
    binary: PathBuf,
    descriptors: Descriptors,
    pub(crate) port: u16,
    metrics: u16,
    /// What callers send, unless the route is anonymous.
    pub(crate) key: Option<String>,
    service: Option<Service>,
    data: TemporaryFolder,
}

impl Node {
    /// Starts one on an empty folder and sets it up.
    pub(crate) fn start(
        log: &mut Log,
        binary: &Path,
        upstream: u16,
        checks: Checks,
        descriptors: Descriptors,
    ) -> Result<Self> {
        let mut node = Self {
            binary: binary.to_path_buf(),
            descriptors,
            port: process::free_port()?,
            metrics: process::free_port()?,
            key: None,
            service: None,
            data: TemporaryFolder::new("portreeve")?,
        };
        // Everything else is as it comes: audit, metrics and usage are on.
        fs::write(
            node.configuration(),
            "[limits]\nstreams_per_caller = 20000\nstreams_per_node = 20000\n",
        )?;
        node.begin(log)?;
        node.until_ready()?;
        node.set_up(upstream, checks)?;
        Ok(node)
    }

    /// Starts the process, and does not wait for it.
    pub(crate) fn begin(&mut self, log: &mut Log) -> Result<()> {
        let mut serve = pinned(GATEWAY_CORE, self.descriptors, &self.binary);
        serve
            .args(["serve", "--listen", &format!("127.0.0.1:{}", self.port)])
            .args(["--metrics-listen", &format!("127.0.0.1:{}", self.metrics)])
            .arg("--config")
            .arg(self.configuration())
            .arg("--data")
            .arg(self.folder());
        self.service = Some(log.serve("portreeve serve", &mut serve, "TERM")?);
        Ok(())
    }

    /// Stops the process and waits for it.
    pub(crate) fn end(&mut self) {
        self.service = None;
    }

    /// The process.
    pub(crate) fn process(&self) -> Result<u32> {
        let service = self.service.as_ref().context("Portreeve does not run")?;
        Ok(service.process())
    }

    /// The path of the measured route.
    pub(crate) fn path() -> &'static str {
        "/s/bench/mcp"
    }

    /// The path of the route to the REST API.
    pub(crate) fn rest_path() -> &'static str {
        "/s/rest/mcp"
    }

    /// The path of the route to the server that knows the legacy era alone.
    pub(crate) fn legacy_path() -> &'static str {
        "/s/to-legacy/mcp"
    }

    /// The path of the route to the same server, where calls share a session.
    pub(crate) fn legacy_shared_path() -> &'static str {
        "/s/to-legacy-shared/mcp"
    }

    /// The path of the route to the server that knows the modern era alone.
    pub(crate) fn modern_path() -> &'static str {
        "/s/to-modern/mcp"
    }

    fn until_ready(&mut self) -> Result<()> {
        let (port, key) = (self.port, self.folder().join("admin.key"));
        let service = self.service.as_mut().context("Portreeve does not run")?;
        service.until(START_LIMIT, || key.is_file() && process::accepts(port))
    }

    fn set_up(&mut self, upstream: u16, checks: Checks) -> Result<()> {
        let url = format!("http://127.0.0.1:{upstream}/mcp");
        self.ask(&["server", "add", SERVER, "--url", &url, "--approve"])?;
        self.ask(&["tool", "hide", SERVER, "hidden"])?;
        if checks == Checks::None {
            self.ask(&["route", "set", SERVER, "--anonymous", "on"])?;
            return Ok(());
        }
        let made = self.ask(&["key", "create", KEY])?;
        let secret = made.get("secret").and_then(Value::as_str);
        self.key = Some(secret.context("a new key has no `secret`")?.to_owned());
        let description = self.data.path().join("rest.json");
        fs::write(&description, describe(upstream).to_string())?;
        let description = description.display().to_string();
        self.ask(&[
            "server",
            "add",
            REST,
            "--openapi",
            &description,
            "--internal",
            "--approve",
        ])?;
        for (server, path) in [(LEGACY, "legacy"), (LEGACY_SHARED, "legacy"), (MODERN, "modern")] {
            let url = format!("http://127.0.0.1:{upstream}/{path}/mcp");
            self.ask(&["server", "add", server, "--url", &url, "--approve"])?;
        }
        self.ask(&["route", "set", LEGACY_SHARED, "--sessions", "principal"])?;
        let limit = ["--calls", "1000000", "--per", "1s"];
        for server in [SERVER, REST, LEGACY, LEGACY_SHARED, MODERN] {
            self.ask(&["grant", "add", "--key", KEY, "--server", server])?;
            self.ask(&[&["policy", "set", server, "rate_limit"], &limit[..]].concat())?;
        }
        Ok(())
    }

    fn ask(&self, words: &[&str]) -> Result<Value> {
        let mut command = Command::new(&self.binary);
        command
            .arg("--json")
            .args(words)
            .env("PORTREEVE_URL", format!("http://127.0.0.1:{}", self.port))
            .env("PORTREEVE_DATA", self.folder());
        let said = output_of(&mut command);
        let said = said.with_context(|| format!("`portreeve {}` failed", words.join(" ")))?;
        serde_json::from_str(&said).with_context(|| format!("`portreeve {}` said `{said}`", words.join(" ")))
    }

    fn configuration(&self) -> PathBuf {
        self.data.path().join("portreeve.toml")
    }

    fn folder(&self) -> PathBuf {
        self.data.path().join("data")
    }
}

/// The REST API of the server, described.
fn describe(upstream: u16) -> Value {
    let text = json!({"type": "object", "properties": {"text": {"type": "string"}}, "required": ["text"]});
    let content = json!({"application/json": {"schema": text}});
    let operation = json!({
        "operationId": "echo",
        "requestBody": {"required": true, "content": content},
        "responses": {"200": {"description": "The same", "content": content}},
    });
    json!({
        "openapi": "3.1.0", "info": {"title": "Echo", "version": "1.0.0"},
        "servers": [{"url": format!("http://127.0.0.1:{upstream}/rest")}],
        "paths": {"/echo": {"post": operation}},
    })
}
