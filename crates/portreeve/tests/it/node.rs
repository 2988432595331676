//! A real Portreeve: the built binary, started on a free port and an own data directory, on the engines that the
//! environment names (`PORTREEVE_E2E_ENGINES=servers`: PostgreSQL and Redis, else SQLite and memory).

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use crate::web::{Answer, Web};

/// The file with the master key, in the data directory.
const MASTER_KEY: &str = "master.key";

/// A running node. Killed when dropped.
pub(crate) struct Node {
    child: Option<Child>,
    /// Its origin.
    pub(crate) url: String,
    /// The admin key.
    pub(crate) key: String,
    data: PathBuf,
    engines: Engines,
    flags: Vec<String>,
    pub(crate) web: Web,
    _home: Option<TempDir>,
}

/// Where state is kept.
#[derive(Clone, Debug)]
pub(crate) enum Engines {
    /// In the data directory and in memory.
    Alone,
    /// In a database of its own on the shared servers.
    Servers { store: String, state: String },
}

impl Engines {
    /// What the environment names. Each call makes a fresh database.
    #[expect(
        clippy::disallowed_methods,
        reason = "the stage that runs the tests names the engines in the environment"
    )]
    pub(crate) fn chosen() -> Self {
        match (
            std::env::var("PORTREEVE_E2E_POSTGRES"),
            std::env::var("PORTREEVE_E2E_REDIS"),
        ) {
            (Ok(postgres), Ok(redis)) => Self::fresh(&postgres, &redis),
            _ => Self::Alone,
        }
    }

    fn fresh(postgres: &str, redis: &str) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("e2e_{}_{number}", std::process::id());
        let made = Command::new("psql")
            .args([postgres, "-qc", &format!("create database {name}")])
            .output();
        let made = made.expect("psql is needed for the tests on PostgreSQL");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let (server, _) = postgres.rsplit_once('/').expect("a URL with a database");
        // Redis has 16 databases; keys of different installations differ by their identifiers, but for those of locks.
        Self::Servers {
            store: format!("{server}/{name}"),
            state: format!("{redis}/{}", std::process::id().wrapping_add(number) % 16),
        }
    }
}

/// The binary under test.
pub(crate) fn binary() -> &'static str {
    env!("CARGO_BIN_EXE_portreeve")
}

impl Node {
    /// Starts a node with the chosen engines.
    pub(crate) async fn start() -> Self {
        Self::start_with(&[]).await
    }

    /// Starts one with more flags.
    pub(crate) async fn start_with(flags: &[&str]) -> Self {
        Self::start_on(Engines::chosen(), flags).await
    }

    /// Starts one on these engines.
    pub(crate) async fn start_on(engines: Engines, flags: &[&str]) -> Self {
        Self::start_as(engines, flags, Web::new()).await
    }

    /// Starts one that shows this certificate.
    pub(crate) async fn start_trusting(flags: &[&str], certificate: &[u8]) -> Self {
        Self::start_as(Engines::chosen(), flags, Web::trusting(certificate)).await
    }

    /// Starts another node of the same installation: the same engines, and the same master key.
    pub(crate) async fn start_beside(other: &Self, flags: &[&str]) -> Self {
        let mut node = Self::prepared(other.engines(), flags, Web::new());
        std::fs::create_dir_all(&node.data).expect("a data directory");
        std::fs::copy(other.data.join(MASTER_KEY), node.data.join(MASTER_KEY)).expect("a master key");
        node.begin().await;
        node
    }

    async fn start_as(engines: Engines, flags: &[&str], web: Web) -> Self {
        let mut node = Self::prepared(engines, flags, web);
        node.begin().await;
        node
    }

    fn prepared(engines: Engines, flags: &[&str], web: Web) -> Self {
        let home = TempDir::new().expect("a temporary directory");
        Self {
            child: None,
            url: String::new(),
            key: String::new(),
            data: home.path().join("data"),
            engines,
            flags: flags.iter().map(|flag| (*flag).to_owned()).collect(),
            web,
            _home: Some(home),
        }
    }

    /// The engines, for a second node on them.
    pub(crate) fn engines(&self) -> Engines {
        self.engines.clone()
    }

    /// The data directory.
    pub(crate) fn data(&self) -> &Path {
        &self.data
    }

    /// Starts the process (again) and waits until it answers.
    pub(crate) async fn begin(&mut self) {
        let marker = self.data.join("listen.url");
        let _ = std::fs::remove_file(&marker);
        let log = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.log())
            .expect("a log file");
        let mut command = Command::new(binary());
        command
            .arg("serve")
            .args(["--listen", "127.0.0.1:0", "--data"])
            .arg(&self.data);
        if !self.flags.iter().any(|flag| flag == "--metrics-listen") {
            command.args(["--metrics-listen", "off"]);
        }
        command.args(&self.flags).env("PORTREEVE_LOG", "debug");
        if let Engines::Servers { store, state } = &self.engines {
            command
                .env("PORTREEVE__STORE__URL", store)
                .env("PORTREEVE__STATE__URL", state);
        }
        command
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a log file"))
            .stderr(log);
        self.child = Some(command.spawn().expect("the binary starts"));
        let begun = Instant::now();
        loop {
            if let Ok(url) = std::fs::read_to_string(&marker) {
                self.url = url.trim().to_owned();
                if self
                    .web
                    .get(&format!("{}/readyz", self.url))
                    .await
                    .is_ok_and(|answer| answer.status == 200)
                {
                    break;
                }
            }
            let ended = self
                .child
                .as_mut()
                .and_then(|child| child.try_wait().ok().flatten());
            assert!(
                ended.is_none() && begun.elapsed() < Duration::from_secs(30),
                "no start: {}",
                self.log_text()
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.key = std::fs::read_to_string(self.data.join("admin.key")).expect("an admin key");
    }

    fn log(&self) -> PathBuf {
        self.data.with_extension("log")
    }

    /// Everything it printed.
    pub(crate) fn log_text(&self) -> String {
        std::fs::read_to_string(self.log()).unwrap_or_default()
    }

    /// How many descriptors it has open.
    pub(crate) fn descriptors(&self) -> u64 {
        let id = self.child.as_ref().map(Child::id).expect("a running node");
        let open = std::fs::read_dir(format!("/proc/{id}/fd")).expect("a folder of descriptors");
        open.count() as u64
    }

    /// A line of `/proc/<id>/status`, as a number: `VmRSS` is the memory that it has in KiB, `VmHWM` the most that it
    /// ever had, `Threads` its threads.
    pub(crate) fn memory(&self, line: &str) -> u64 {
        let id = self.child.as_ref().map(Child::id).expect("a running node");
        let status = std::fs::read_to_string(format!("/proc/{id}/status")).unwrap_or_default();
        let value = status
            .lines()
            .find_map(|text| text.strip_prefix(line)?.strip_prefix(':'));
        let value = value.and_then(|value| value.split_whitespace().next()?.parse().ok());
        value.unwrap_or_else(|| panic!("no {line}: {status}"))
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }

    /// SIGTERM. Returns at once.
    pub(crate) fn terminate(&self) {
        let id = self
            .child
            .as_ref()
            .map(|child| child.id().to_string())
            .expect("a running node");
        let sent = Command::new("kill").args(["-TERM", &id]).status().expect("kill");
        assert!(sent.success());
    }

    /// Waits until it ended by itself. Tells whether it said that all was well.
    pub(crate) async fn wait(&mut self) -> bool {
        let begun = Instant::now();
        while begun.elapsed() < Duration::from_secs(40) {
            let ended = self
                .child
                .as_mut()
                .and_then(|child| child.try_wait().expect("a child"));
            if let Some(status) = ended {
                self.child = None;
                return status.success();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.kill();
        false
    }

    /// Runs the command line against it, as its admin.
    pub(crate) fn cli(&self, arguments: &[&str]) -> Output {
        Command::new(binary())
            .args(arguments)
            .env("PORTREEVE_URL", &self.url)
            .env("PORTREEVE_DATA", &self.data)
            .stdin(Stdio::null())
            .output()
            .expect("the command line runs")
    }

    /// Runs the command line with this on its standard input.
    pub(crate) fn cli_with(&self, arguments: &[&str], input: &str) -> Output {
        let mut child = Command::new(binary())
            .args(arguments)
            .env("PORTREEVE_URL", &self.url)
            .env("PORTREEVE_DATA", &self.data)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command line runs");
        let mut stdin = child.stdin.take().expect("a pipe");
        stdin.write_all(input.as_bytes()).expect("it is read");
        drop(stdin);
        child.wait_with_output().expect("the command line ends")
    }

    /// Runs the command line, which must succeed, and reads its JSON.
    pub(crate) fn cli_json(&self, arguments: &[&str]) -> Value {
        let mut all = vec!["--json"];
        all.extend(arguments);
        let output = self.cli(&all);
        let text = String::from_utf8_lossy(&output.stdout);
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "portreeve {arguments:?}: {text} {error}");
        serde_json::from_str(&text)
            .unwrap_or_else(|problem| panic!("portreeve {arguments:?}: {problem}: {text}"))
    }

    /// Asks the management API as the admin.
    pub(crate) async fn api(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let url = format!("{}/api/v1{path}", self.url);
        let headers = [("authorization", format!("Bearer {}", self.key))];
        self.web
            .ask(
                method,
                &url,
                &headers,
                body.map(|body| body.to_string()).unwrap_or_default(),
            )
            .await
            .expect("an answer")
    }

    /// The MCP endpoint of a route.
    pub(crate) fn endpoint(&self, slug: &str) -> String {
        format!("{}/s/{slug}/mcp", self.url)
    }

    /// Registers and approves a server; returns its route's slug.
    pub(crate) fn add(&self, name: &str, url: &str) -> String {
        let added = self.cli_json(&["server", "add", name, "--url", url, "--approve"]);
        let slug = added.pointer("/route/slug").and_then(Value::as_str);
        slug.unwrap_or_else(|| panic!("no route: {added}")).to_owned()
    }

    /// Makes a key.
    pub(crate) fn new_key(&self, name: &str) -> String {
        let made = self.cli_json(&["key", "create", name]);
        let secret = ["secret", "key"]
            .iter()
            .find_map(|field| made.get(*field).and_then(Value::as_str));
        secret.unwrap_or_else(|| panic!("no secret: {made}")).to_owned()
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        self.kill();
    }
}
