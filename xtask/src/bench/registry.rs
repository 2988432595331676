//! `cargo xtask bench registry`: how the registry reads, searches and takes in at the size of the official one, and how
//! that grows. One node on a core of its own, asked over HTTP as hosts ask, one after the other for the latencies.

mod corpus;
mod http;
mod questions;
pub(super) mod servers;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use self::corpus::Corpus;
use self::http::Client;
use super::contestants::{GATEWAY_CORE, OnLoadCore, pinned};
use super::descriptors::Descriptors;
use super::usage::{self, Withheld};
use crate::context::Context;
use crate::files::TemporaryFolder;
use crate::process::{self, Log, Service, output_of};
use crate::say;
use crate::services::{Durability, Postgres};

/// Versions in the registry when it is measured; three in ten are the first of their name.
pub(super) const SIZES: [usize; 3] = [1_000, 8_000, 66_000];
const START_LIMIT: Duration = Duration::from_secs(60);
/// How long a node may work on what an import left, and how often it is looked whether it still does.
const SETTLE_LIMIT: Duration = Duration::from_secs(120);
const SETTLE_STEP: Duration = Duration::from_secs(1);
/// How long requests are sent while others publish.
const THROUGHPUT: Duration = Duration::from_secs(5);
/// Time between two publications meanwhile.
const PUBLISH_EVERY: Duration = Duration::from_millis(100);
/// Questions of one kind.
const QUESTIONS: usize = 400;

/// What is held against the goals of the largest size, in milliseconds, requests a second and MiB.
const GOALS: [(&str, f64); 8] = [
    ("list of 100, p99 ms", 2.0),
    ("page of a server, p99 ms", 30.0),
    ("page of partners, p99 ms", 50.0),
    ("search, p99 ms", 5.0),
    ("slip, p99 ms", 50.0),
    ("contained text, p99 ms", 5.0),
    ("requests/s while publishing", 2_000.0),
    ("resident MiB", 150.0),
];

/// Where the host of a virtual machine keeps a hundredth of the time to itself, a p99 is its doing.
const WITHHELD: &str = "kept from the core by its host, %";

/// One size with what was measured.
type Figures = BTreeMap<&'static str, f64>;

/// What the registry is stored in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Engine {
    /// A file of the node.
    Sqlite,
    /// A cluster of its own, with the settings that PostgreSQL comes with.
    Postgres,
}

/// What is measured.
pub(super) struct Subject<'a> {
    pub(super) binary: &'a Path,
    pub(super) sizes: &'a [usize],
    pub(super) engines: &'a [Engine],
}

/// Measures a binary, and prints a table for each engine.
pub(super) fn measure(context: &mut Context, log: &mut Log, subject: &Subject<'_>) -> Result<()> {
    let corpus = Corpus::load(&context.root);
    say(&format!("records  {}\n", corpus.said()));
    for engine in subject.engines {
        measure_on(context, log, (subject, *engine, &corpus))?;
    }
    if let Some(data) = questions::data(&context.root) {
        let node = Node::start(log, subject.binary, None)?;
        say(&format!("\n{}\n", questions::ask(&node, &context.root, &data)?));
    } else {
        say("\nquestions: not run, no corpus\n");
    }
    Ok(())
}

fn measure_on(
    context: &mut Context,
    log: &mut Log,
    (subject, engine, corpus): (&Subject<'_>, Engine, &Corpus),
) -> Result<()> {
    let postgres = match engine {
        Engine::Sqlite => None,
        Engine::Postgres => Some(Postgres::start(context, log, Durability::AsItComes)?),
    };
    let url = postgres.as_ref().map(|postgres| postgres.url.as_str());
    let node = Node::start(log, subject.binary, url)?;
    let _beside_the_node = OnLoadCore::take()?;
    let mut columns = Vec::new();
    let mut before = 0;
    say(&format!("{}\n", engine.name()));
    for &size in subject.sizes {
        say(&format!("{size:<8} "));
        let taken = node.import(corpus, before..size)?;
        let settled = node.settle()?;
        let mut figures = node.figures(corpus, size)?;
        figures.insert("import, records/s", taken);
        figures.insert("at rest after it, s", settled.as_secs_f64());
        columns.push((size, figures));
        before = size;
        say("\n");
    }
    say(&format!("\n{}\n\n{}\n\n", engine.name(), table(&columns, &GOALS)));
    Ok(())
}

impl Engine {
    /// Those of this word: `sqlite`, `postgres`.
    pub(super) fn named(word: &str) -> Option<Self> {
        [Self::Sqlite, Self::Postgres]
            .into_iter()
            .find(|engine| engine.name().eq_ignore_ascii_case(word))
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "SQLite",
            Self::Postgres => "Postgres",
        }
    }
}

fn table(columns: &[(usize, Figures)], goals: &[(&str, f64)]) -> String {
    let mut lines = vec![
        format!(
            "| |{} goal |",
            columns
                .iter()
                .map(|(size, _)| format!(" {size} versions |"))
                .collect::<String>()
        ),
        format!("|---|{}---:|", "---:|".repeat(columns.len())),
    ];
    let names = columns
        .first()
        .map(|(_, figures)| figures.keys())
        .into_iter()
        .flatten();
    for name in names {
        let cells: String = columns
            .iter()
            .map(|(_, figures)| format!(" {:.2} |", figures.get(name).copied().unwrap_or_default()))
            .collect();
        let goal = goals.iter().find(|(goal, _)| goal == name);
        let goal = goal.map_or_else(String::new, |(_, goal)| format!("{goal}"));
        lines.push(format!("| {name} |{cells} {goal} |"));
    }
    lines.join("\n")
}

/// A node with its data.
pub(super) struct Node {
    binary: PathBuf,
    port: u16,
    key: String,
    service: Service,
    data: TemporaryFolder,
}

impl Node {
    fn start(log: &mut Log, binary: &Path, store: Option<&str>) -> Result<Self> {
        let data = TemporaryFolder::new("registry")?;
        let port = process::free_port()?;
        let mut serve = pinned(GATEWAY_CORE, Descriptors::look()?, binary);
        serve
            .args(["serve", "--listen", &format!("127.0.0.1:{port}")])
            .args(["--metrics-listen", "off"])
            .arg("--data")
            .arg(data.path().join("data"));
        if let Some(url) = store {
            serve.env("PORTREEVE__STORE__URL", url);
        }
        let mut service = log.serve("portreeve serve", &mut serve, "TERM")?;
        let file = data.path().join("data/admin.key");
        service.until(START_LIMIT, || file.is_file() && process::accepts(port))?;
        let key = std::fs::read_to_string(&file).context("no admin key")?;
        Ok(Self {
            binary: binary.to_path_buf(),
            port,
            key: key.trim().to_owned(),
            service,
            data,
        })
    }

    /// Takes a dump in through the command line, approved. Returns records a second.
    pub(super) fn take(&self, records: &[Value]) -> Result<f64> {
        let file = self.data.path().join("dump.json");
        std::fs::write(&file, json!({ "servers": records }).to_string())?;
        let begun = Instant::now();
        let mut command = std::process::Command::new(&self.binary);
        command
            .args(["--json", "import", "dump"])
            .arg(&file)
            .arg("--approve")
            .env("PORTREEVE_URL", format!("http://127.0.0.1:{}", self.port))
            .env("PORTREEVE_DATA", self.data.path().join("data"));
        let said = output_of(&mut command).context("`portreeve import dump` failed")?;
        let said: Value = serde_json::from_str(&said)?;
        let taken = said
            .pointer("/counts/added")
            .and_then(Value::as_u64)
            .unwrap_or_default();
        if taken != u64::try_from(records.len())? {
            bail!(
                "{taken} of {} records were taken in: {}",
                records.len(),
                said["counts"]
            );
        }
        Ok(records.len() as f64 / begun.elapsed().as_secs_f64())
    }

    fn import(&self, corpus: &Corpus, range: std::ops::Range<usize>) -> Result<f64> {
        let records: Vec<Value> = range.map(|index| corpus.record(index)).collect();
        self.take(&records)
    }

    /// Waits until what an import leaves to do is done, as far as it takes a tenth of a core or more. Returns how long that was.
    fn settle(&self) -> Result<Duration> {
        let begun = Instant::now();
        let mut used = usage::processor_seconds(self.service.process())?;
        while begun.elapsed() < SETTLE_LIMIT {
            std::thread::sleep(SETTLE_STEP);
            let now = usage::processor_seconds(self.service.process())?;
            if now - used < SETTLE_STEP.as_secs_f64() / 10.0 {
                break;
            }
            used = now;
        }
        Ok(begun.elapsed())
    }

    pub(super) fn client(&self) -> Result<Client> {
        Client::open(self.port, &self.key)
    }

    fn figures(&self, corpus: &Corpus, size: usize) -> Result<Figures> {
        let withheld = Withheld::look(GATEWAY_CORE)?;
        let mut client = self.client()?;
        // The first search reads everything.
        let begun = Instant::now();
        client.get("/api/v1/search?q=warm")?;
        let mut figures = Figures::new();
        figures.insert("first search, ms", millis(begun.elapsed()));
        let note =
            |name50: &'static str, name99: &'static str, mut times: Vec<Duration>, figures: &mut Figures| {
                times.sort_unstable();
                figures.insert(name50, millis(part(&times, 0.50)));
                figures.insert(name99, millis(part(&times, 0.99)));
            };
        note(
            "list of 100, p50 ms",
            "list of 100, p99 ms",
            walk(&mut client)?,
            &mut figures,
        );
        let searches: Vec<String> = (0..QUESTIONS).map(|index| corpus.question(index)).collect();
        note(
            "search, p50 ms",
            "search, p99 ms",
            ask(&mut client, "/api/v1/search?q=", &searches)?,
            &mut figures,
        );
        let slips: Vec<String> = (0..QUESTIONS / 4).map(|index| corpus.slip(index)).collect();
        note(
            "slip, p50 ms",
            "slip, p99 ms",
            ask(&mut client, "/api/v1/search?q=", &slips)?,
            &mut figures,
        );
        let contained: Vec<String> = (0..QUESTIONS).map(|index| corpus.part(index)).collect();
        let path = "/v0.1/servers?limit=30&version=latest&search=";
        note(
            "contained text, p50 ms",
            "contained text, p99 ms",
            ask(&mut client, path, &contained)?,
            &mut figures,
        );
        let pages: Vec<String> = (0..QUESTIONS)
            .map(|index| corpus.page(index * size / QUESTIONS))
            .collect();
        note(
            "page of a server, p50 ms",
            "page of a server, p99 ms",
            ask(&mut client, "/servers/", &pages)?,
            &mut figures,
        );
        note(
            "page of partners, p50 ms",
            "page of partners, p99 ms",
            ask(&mut client, "/discover", &vec![String::new(); QUESTIONS / 4])?,
            &mut figures,
        );
        figures.insert("requests/s while publishing", self.throughput(corpus)?);
        figures.insert(
            "resident MiB",
            usage::resident_kib(self.service.process())? / 1024.0,
        );
        figures.insert(WITHHELD, withheld.percent()?);
        say(".");
        Ok(figures)
    }

    /// Requests as hosts make them, on four connections, while somebody publishes ten times a second.
    fn throughput(&self, corpus: &Corpus) -> Result<f64> {
        let stop = Arc::new(AtomicBool::new(false));
        let publisher = {
            let (stop, mut client) = (Arc::clone(&stop), self.client()?);
            std::thread::spawn(move || -> Result<()> {
                let mut number = 0;
                while !stop.load(Ordering::Relaxed) {
                    number += 1;
                    let nonce = std::process::id();
                    let document = json!({"name": format!("com.published/p-{nonce}-{number}"), "version": "1.0.0",
                        "description": "Published meanwhile"});
                    let name = Instant::now();
                    client.post("/api/v1/servers", &json!({ "document": document }).to_string())?;
                    std::thread::sleep(PUBLISH_EVERY.saturating_sub(name.elapsed()));
                }
                Ok(())
            })
        };
        let begun = Instant::now();
        let mut readers = Vec::new();
        for reader in 0..4 {
            let (mut client, paths) = (self.client()?, corpus.paths(reader));
            readers.push(std::thread::spawn(move || -> Result<usize> {
                let mut count = 0;
                while begun.elapsed() < THROUGHPUT {
                    for path in &paths {
                        client.get(path)?;
                        count += 1;
                    }
                }
                Ok(count)
            }));
        }
        let mut count = 0;
        for reader in readers {
            count += reader.join().map_err(|_| anyhow::anyhow!("a reader failed"))??;
        }
        let took = begun.elapsed().as_secs_f64();
        stop.store(true, Ordering::Relaxed);
        publisher
            .join()
            .map_err(|_| anyhow::anyhow!("the publisher failed"))??;
        Ok(count as f64 / took)
    }
}

/// Every page of the list, from the first to the last.
fn walk(client: &mut Client) -> Result<Vec<Duration>> {
    let mut times = Vec::new();
    let mut path = "/v0.1/servers?limit=100".to_owned();
    loop {
        let begun = Instant::now();
        let body = client.get(&path)?;
        times.push(begun.elapsed());
        match cursor_of(&body)? {
            Some(cursor) => path = format!("/v0.1/servers?limit=100&cursor={cursor}"),
            None => return Ok(times),
        }
    }
}

/// The cursor of the next page. A page is not read as JSON, which takes ten times as long as to make one, and leaves the
/// node's core to whatever else the machine does.
fn cursor_of(page: &[u8]) -> Result<Option<&str>> {
    let page = std::str::from_utf8(page)?;
    // What is said of a page stands behind its servers.
    let (_, metadata) = page
        .rsplit_once(r#""metadata":{"#)
        .context("a page says nothing of itself")?;
    let cursor = metadata.split_once(r#""nextCursor":""#).map(|(_, rest)| rest);
    Ok(cursor.and_then(|rest| rest.split('"').next()))
}

fn ask(client: &mut Client, path: &str, texts: &[String]) -> Result<Vec<Duration>> {
    let mut times = Vec::with_capacity(texts.len());
    for text in texts {
        let path = format!("{path}{}", http::encoded(text));
        let begun = Instant::now();
        client.get(&path)?;
        times.push(begun.elapsed());
    }
    Ok(times)
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1_000.0
}

fn part(sorted: &[Duration], part: f64) -> Duration {
    let last = sorted.len().saturating_sub(1);
    let at = (last as f64 * part).round() as usize;
    sorted.get(at).copied().unwrap_or_default()
}
