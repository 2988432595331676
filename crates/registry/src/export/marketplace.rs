//! A plugin marketplace, as Claude Code reads `.claude-plugin/marketplace.json` of a Git repository: each server is a
//! plugin that people install by its name. That name says the whole name of the server, so that it never comes to mean
//! another one when servers come and go.

use std::collections::HashMap;

use portreeve_inspect::sha256_hex;
use serde_json::{Map, Value, json};

use super::{About, Export, Format, LeftOut, NO_WAY, Writing, Written};
use crate::install::{Door, Setup, claude_code_config};
use crate::serve::Served;

/// Characters of a plugin's name.
const LONGEST_NAME: usize = 64;

/// Characters of the digest that keeps two names apart.
const DIGEST: usize = 12;

pub(super) struct Marketplace;

impl Export for Marketplace {
    fn format(&self) -> Format {
        Format {
            id: "plugin-marketplace",
            title: "Plugin marketplace of Claude Code",
            file: "marketplace.json",
            purpose: "Commit it as `.claude-plugin/marketplace.json` to a Git repository without other files. People \
                      add that with `/plugin marketplace add`, and install each server as a plugin.",
        }
    }

    fn begin(&self, about: &About) -> Box<dyn Writing> {
        Box::new(File {
            name: about.marketplace(),
            origin: about.origin.clone(),
            doors: about.doors.clone(),
            plugins: Vec::new(),
            left_out: Vec::new(),
        })
    }
}

struct File {
    name: String,
    origin: String,
    doors: Vec<Door>,
    plugins: Vec<Plugin>,
    left_out: Vec<LeftOut>,
}

/// A plugin whose name is not settled: who else wants it is known at the end.
struct Plugin {
    server: String,
    /// The server's name in small letters and dashes.
    word: String,
    config: Value,
    /// All of it but what its name goes into.
    said: Value,
}

impl File {
    fn plugin(&self, setup: &Setup) -> Option<Plugin> {
        let config = claude_code_config(setup);
        if config.as_object().is_none_or(Map::is_empty) {
            return None;
        }
        let mut said = json!({
            "name": null,
            "description": setup.description,
            // Everything about the plugin stands here: the repository has no files for it.
            "source": "./",
            "strict": false,
            "homepage": format!("{}/servers/{}", self.origin, setup.name),
            "mcpServers": null,
        });
        // A plugin's version is one of three numbers; another text would not be taken for one.
        if setup.version.split('.').count() == 3 && setup.version.starts_with(|c: char| c.is_ascii_digit()) {
            said["version"] = json!(setup.version);
        }
        Some(Plugin {
            server: setup.name.clone(),
            word: kebab(&setup.name, LONGEST_NAME),
            config,
            said,
        })
    }
}

impl Plugin {
    /// With its name. Servers that want the same one all get a digest of their own name behind it, whichever was there
    /// first; so does one whose name looks as if it had such a digest.
    fn named(&self, is_alone: bool) -> Value {
        let name = if is_alone && !ends_in_digest(&self.word) {
            self.word.clone()
        } else {
            let digest: String = sha256_hex(self.server.as_bytes()).chars().take(DIGEST).collect();
            format!("{}-{digest}", kebab(&self.server, LONGEST_NAME - DIGEST - 1))
        };
        let mut plugin = self.said.clone();
        plugin["name"] = json!(name);
        plugin["mcpServers"] = json!({ name: self.config });
        plugin
    }
}

impl Writing for File {
    fn take(&mut self, served: &Served) {
        if !served.meta.official.is_latest {
            return;
        }
        let setups = Setup::entered(&served.server.to_map(), &self.origin, &self.doors);
        let plugin = setups.iter().find_map(|setup| self.plugin(setup));
        match plugin {
            Some(plugin) => self.plugins.push(plugin),
            None => self.left_out.push(LeftOut::new(served, NO_WAY)),
        }
    }

    fn finish(self: Box<Self>) -> Written {
        let mut wanted: HashMap<&str, usize> = HashMap::new();
        for plugin in &self.plugins {
            *wanted.entry(&plugin.word).or_default() += 1;
        }
        let named = |plugin: &Plugin| plugin.named(wanted.get(plugin.word.as_str()) == Some(&1));
        let plugins: Vec<Value> = self.plugins.iter().map(named).collect();
        Written {
            document: json!({
                "name": self.name,
                "owner": { "name": self.origin },
                "metadata": { "description": format!("What {} approves", self.origin) },
                "plugins": plugins,
            }),
            left_out: self.left_out,
        }
    }
}

fn ends_in_digest(word: &str) -> bool {
    word.rsplit_once('-')
        .is_some_and(|(_, end)| end.len() == DIGEST && end.bytes().all(|b| b.is_ascii_hexdigit()))
}

fn kebab(text: &str, most: usize) -> String {
    let mut word = String::new();
    for c in text.chars().take(most) {
        match c.to_ascii_lowercase() {
            c if c.is_ascii_alphanumeric() => word.push(c),
            _ if !word.is_empty() && !word.ends_with('-') => word.push('-'),
            _ => {}
        }
    }
    let word = word.trim_end_matches('-');
    if word.is_empty() {
        "server".to_owned()
    } else {
        word.to_owned()
    }
}
