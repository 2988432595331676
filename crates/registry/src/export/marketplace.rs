//! A plugin marketplace, as Claude Code reads `.claude-plugin/marketplace.json` of a Git repository: each server is a
//! plugin that people install by its name.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::{About, Export, Format, LeftOut, NO_WAY, Writing, Written};
use crate::install::{Door, Setup, claude_code_config};
use crate::serve::Served;

/// Characters of a plugin's name.
const LONGEST_NAME: usize = 64;

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
            taken: HashSet::new(),
        })
    }
}

struct File {
    name: String,
    origin: String,
    doors: Vec<Door>,
    plugins: Vec<Value>,
    left_out: Vec<LeftOut>,
    taken: HashSet<String>,
}

impl File {
    fn plugin(&mut self, setup: &Setup) -> Option<Value> {
        let config = claude_code_config(setup);
        if config.as_object().is_none_or(Map::is_empty) {
            return None;
        }
        let name = self.name_of(setup);
        let mut plugin = json!({
            "name": name,
            "description": setup.description,
            // Everything about the plugin stands here: the repository has no files for it.
            "source": "./",
            "strict": false,
            "homepage": format!("{}/servers/{}", self.origin, setup.name),
            "mcpServers": { name: config },
        });
        // A plugin's version is one of three numbers; another text would not be taken for one.
        if setup.version.split('.').count() == 3 && setup.version.starts_with(|c: char| c.is_ascii_digit()) {
            plugin["version"] = json!(setup.version);
        }
        Some(plugin)
    }

    /// The short name in small letters and dashes, or the whole one where the short one is another server's already.
    fn name_of(&mut self, setup: &Setup) -> String {
        let short = setup.name.rsplit('/').next().unwrap_or(&setup.name);
        let mut name = kebab(short);
        if self.taken.contains(&name) {
            name = kebab(&setup.name);
        }
        let (base, mut number) = (name.clone(), 2);
        while !self.taken.insert(name.clone()) {
            name = format!("{base}-{number}");
            number += 1;
        }
        name
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
        Written {
            document: json!({
                "name": self.name,
                "owner": { "name": self.origin },
                "metadata": { "description": format!("What {} approves", self.origin) },
                "plugins": self.plugins,
            }),
            left_out: self.left_out,
        }
    }
}

fn kebab(text: &str) -> String {
    let mut word = String::new();
    for c in text.chars().take(LONGEST_NAME) {
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
