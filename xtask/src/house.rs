//! A running Portreeve for the stages that look at it from outside, as a person's machine would have it.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::context::Context;
use crate::files::TemporaryFolder;
use crate::process::{self, Log, Service};

const START_LIMIT: Duration = Duration::from_secs(60);
const COMMAND_LIMIT: Duration = Duration::from_secs(60);

/// `portreeve serve --demo`, listening.
#[derive(Debug)]
pub(crate) struct House {
    /// Its origin, without a slash at the end.
    pub(crate) url: String,
    /// The local admin's key.
    pub(crate) key: String,
    binary: std::path::PathBuf,
    // Before the folder: the server must be gone when its data goes.
    service: Service,
    _data: TemporaryFolder,
}

impl House {
    pub(crate) fn start(context: &mut Context, log: &mut Log) -> Result<Self> {
        Self::start_with(context, log, 0, &[])
    }

    /// With more flags, on a port that somebody must know beforehand; 0 is any.
    pub(crate) fn start_with(
        context: &mut Context,
        log: &mut Log,
        port: u16,
        flags: &[&str],
    ) -> Result<Self> {
        context.build_tests(log)?;
        let binary = context.binary();
        let data = TemporaryFolder::new("data")?;
        let mut serve = process::bound(&binary);
        serve
            .args([
                "serve",
                "--demo",
                "--listen",
                &format!("127.0.0.1:{port}"),
                "--metrics-listen",
                "off",
                "--data",
            ])
            .arg(data.path())
            .args(flags);
        let mut service = log.serve("portreeve serve", &mut serve, "TERM")?;
        let (url, key) = (data.path().join("listen.url"), data.path().join("admin.key"));
        let filled =
            |path: &std::path::Path| fs::read_to_string(path).is_ok_and(|text| !text.trim().is_empty());
        service.until(START_LIMIT, || filled(&url) && filled(&key))?;
        let read = |path: &std::path::Path| {
            fs::read_to_string(path).map(|text| text.trim().trim_end_matches('/').to_owned())
        };
        Ok(Self {
            url: read(&url)?,
            key: read(&key)?,
            binary,
            service,
            _data: data,
        })
    }

    /// Runs a command of the binary against this server.
    pub(crate) fn run(&self, log: &mut Log, words: &[&str]) -> Result<()> {
        let mut command = process::bound(&self.binary);
        command
            .args(words)
            .env("PORTREEVE_URL", &self.url)
            .env("PORTREEVE_KEY", &self.key);
        log.run(&mut command, COMMAND_LIMIT)
    }

    /// Runs a command of the binary against this server, and reads what it prints.
    pub(crate) fn json(&self, words: &[&str]) -> Result<serde_json::Value> {
        let mut command = process::bound(&self.binary);
        command
            .arg("--json")
            .args(words)
            .env("PORTREEVE_URL", &self.url)
            .env("PORTREEVE_KEY", &self.key);
        let text =
            process::output_of(&mut command).with_context(|| format!("`{}` failed", words.join(" ")))?;
        Ok(serde_json::from_str(&text)?)
    }

    /// The one-time link that it prints when it is ready.
    pub(crate) fn sign_in_link(&mut self, log: &Log) -> Result<String> {
        let find = || {
            let text = log.text().unwrap_or_default();
            let mut words = text.split_whitespace();
            words
                .find(|word| word.starts_with("http") && word.contains(SIGN_IN_PATH))
                .map(str::to_owned)
        };
        self.service
            .until(START_LIMIT, || find().is_some())
            .with_context(|| format!("no link with `{SIGN_IN_PATH}` was printed"))?;
        find().context("the link is gone")
    }

    /// The MCP endpoint of a route.
    pub(crate) fn endpoint(&self, slug: &str) -> String {
        format!("{}/s/{slug}/mcp", self.url)
    }

    /// Gives a client program what it needs to call in.
    pub(crate) fn tell(&self, command: &mut Command) {
        command.env("PORTREEVE_KEY", &self.key);
    }
}

/// What the path of a sign-in link contains.
const SIGN_IN_PATH: &str = "/admin/welcome";
