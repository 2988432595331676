//! Records to fill a registry with: the ones of the official dump, replicated, or some of our own where there is no corpus.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

/// Words of our own records.
const WORDS: [&str; 40] = [
    "github",
    "issue",
    "pull",
    "search",
    "database",
    "postgres",
    "query",
    "weather",
    "calendar",
    "mail",
    "slack",
    "message",
    "file",
    "storage",
    "cloud",
    "deploy",
    "kubernetes",
    "metrics",
    "log",
    "payment",
    "invoice",
    "customer",
    "ticket",
    "document",
    "image",
    "video",
    "translate",
    "vector",
    "browser",
    "map",
    "flight",
    "stock",
    "health",
    "contract",
    "design",
    "wiki",
    "alert",
    "secret",
    "policy",
    "memory",
];

/// The records that are replicated.
pub(super) struct Corpus {
    records: Vec<Value>,
    words: Vec<String>,
    is_official: bool,
}

/// The folder of the corpus.
pub(super) fn folder(root: &Path) -> PathBuf {
    std::env::var_os("PORTREEVE_TEST_DATA").map_or_else(|| root.join("../shared/data"), PathBuf::from)
}

impl Corpus {
    pub(super) fn load(root: &Path) -> Self {
        let file = folder(root).join("registry/official-registry-dump-2026-01-11.json");
        let dump = std::fs::read_to_string(file).ok();
        let dump: Option<Value> = dump.and_then(|text| serde_json::from_str(&text).ok());
        let records = dump.and_then(|dump| dump.get("servers")?.as_array().cloned());
        let is_official = records.is_some();
        let records = records.unwrap_or_else(|| (0..2_400).map(own).collect());
        let mut words: Vec<String> = records.iter().flat_map(words_of).collect();
        words.sort_unstable();
        words.dedup();
        Self {
            records,
            words,
            is_official,
        }
    }

    /// The same with one version of each server.
    pub(super) fn of_servers(root: &Path) -> Self {
        let mut corpus = Self::load(root);
        let mut seen = BTreeSet::new();
        corpus.records.retain(|record| seen.insert(text(record, "name")));
        corpus
    }

    /// Where the records are from.
    pub(super) fn said(&self) -> String {
        let from = if self.is_official {
            "the official dump"
        } else {
            "our own"
        };
        format!("{} of {from}, replicated", self.records.len())
    }

    /// A record of a name of its own for each round through the corpus; words are exchanged, so that no two are alike.
    pub(super) fn record(&self, index: usize) -> Value {
        let round = index / self.records.len();
        let mut record = self
            .records
            .get(index % self.records.len())
            .cloned()
            .unwrap_or_default();
        if round > 0 {
            let name = text(&record, "name");
            record["server"]["name"] = json!(format!("{name}.r{round}"));
            let description = format!("{} {}", text(&record, "description"), self.word(index * 7));
            record["server"]["description"] = json!(description.chars().take(100).collect::<String>());
            // Addresses are no matter here: what is remote stays so.
        }
        record
    }

    fn word(&self, index: usize) -> String {
        let spread = index.wrapping_mul(2_654_435_761) % self.words.len().max(1);
        self.words.get(spread).cloned().unwrap_or_default()
    }

    /// One word, two words, or a word and a beginning.
    pub(super) fn question(&self, index: usize) -> String {
        let (one, other) = (self.word(index), self.word(index * 31 + 5));
        match index % 3 {
            0 => one,
            1 => format!("{one} {other}"),
            _ => format!("{one} {}", other.chars().take(3).collect::<String>()),
        }
    }

    /// A word with two neighbours exchanged.
    pub(super) fn slip(&self, index: usize) -> String {
        let long = (0..50)
            .map(|step| self.word(index * 53 + step))
            .find(|word| word.len() > 6);
        let mut letters: Vec<char> = long.unwrap_or_default().chars().collect();
        if letters.len() > 4 {
            letters.swap(2, 3);
        }
        letters.into_iter().collect()
    }

    /// A piece of a word.
    pub(super) fn part(&self, index: usize) -> String {
        let word = self.word(index * 17 + 3);
        word.chars().skip(1).take(5).collect()
    }

    /// The name of a record, whose page a visitor opens.
    pub(super) fn page(&self, index: usize) -> String {
        text(&self.record(index), "name")
    }

    /// What a host asks for in turn: mostly one server, sometimes a page, now and then a search.
    pub(super) fn paths(&self, reader: usize) -> Vec<String> {
        (0..40)
            .map(|step| {
                let name = text(&self.record(reader * 40 + step), "name").replace('/', "%2F");
                match step % 10 {
                    0 | 5 => "/v0.1/servers?limit=30&version=latest".to_owned(),
                    7 => format!("/api/v1/search?q={}", self.word(step)),
                    _ => format!("/v0.1/servers/{name}/versions/latest"),
                }
            })
            .collect()
    }
}

fn text(record: &Value, key: &str) -> String {
    record["server"][key].as_str().unwrap_or_default().to_owned()
}

fn words_of(record: &Value) -> Vec<String> {
    let all = format!("{} {}", text(record, "title"), text(record, "description")).to_lowercase();
    all.split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| word.len() > 3)
        .map(str::to_owned)
        .collect()
}

/// A record of our own: 970 names, two or three versions each.
fn own(index: usize) -> Value {
    let server = index % 970;
    let word = |step: usize| {
        WORDS
            .get((server * 7 + step * 13 + server / 40) % WORDS.len())
            .copied()
            .unwrap_or_default()
    };
    json!({
        "server": {
            "$schema": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
            "name": format!("io.github.maker-{}/{}-{}-{server}", server % 97, word(0), word(1)),
            "title": format!("{} {}", word(0), word(1)),
            "description": format!("A server for {} and {} with {} of every {}", word(0), word(1), word(2), word(3)),
            "version": format!("1.{}.0", index / 970),
            "packages": [{"registryType": "npm", "identifier": format!("@maker/{server}"), "version": "1.0.0",
                "transport": {"type": "stdio"}}],
        },
        "_meta": {"io.modelcontextprotocol.registry/official": {"status": "active",
            "publishedAt": format!("2026-01-{:02}T00:00:00Z", index / 970 + 1)}},
    })
}
