//! REST APIs whose lists of tools the official clients must take: the sample API, and the public descriptions.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::context::{Context, Corpus};
use crate::house::House;
use crate::install::node::Node;
use crate::process;

/// The route of the sample API that `serve --demo` registers.
const SAMPLE: &str = "chandler";

/// A list of tools: the route, and how many there must be.
pub(super) struct List {
    pub(super) slug: String,
    pub(super) tools: u64,
}

// === impl List ===

impl List {
    /// What asks for it, each with its name.
    pub(super) fn commands(&self, house: &House, node: &Node, python: &Path) -> [(String, Command); 2] {
        let (endpoint, tools) = (house.endpoint(&self.slug), self.tools.to_string());
        let words = ["--url", &endpoint, "--tools", &tools];
        let mut sdk = node.command("peers/lists.mjs");
        sdk.args(words);
        let mut client = process::bound(python);
        client.arg(node.scripts.join("peers/lists.py")).args(words);
        [
            (format!("TypeScript lists {}", self.slug), sdk),
            (format!("Python lists {}", self.slug), client),
        ]
    }
}

/// Imports all descriptions, and tells the sample's route and theirs.
pub(super) fn ready(context: &Context, house: &House) -> Result<Vec<List>> {
    let sample = house.json(&["server", "openapi", &format!("com.example/{SAMPLE}")])?;
    let mut lists = vec![List {
        slug: SAMPLE.to_owned(),
        tools: made(&sample).context("the sample API has no report")?,
    }];
    let Corpus::At(folder) = &context.corpus else {
        return Ok(lists);
    };
    let mut files = Vec::new();
    descriptions(&folder.join("openapi"), &mut files)?;
    files.sort();
    for (number, file) in files.iter().enumerate() {
        let slug = format!("list-{number}");
        let (name, file) = (format!("com.corpus/{slug}"), file.display().to_string());
        // Nothing is called, so the API may be anywhere.
        let place = ["--base-url", "http://127.0.0.1:9/", "--internal", "--approve"];
        let added = house.json(&[&["server", "add", &name, "--openapi", &file], &place[..]].concat())?;
        let preview = added.get("preview").unwrap_or(&Value::Null);
        let tools = made(preview).with_context(|| format!("no report of `{file}`"))?;
        lists.push(List { slug, tools });
    }
    Ok(lists)
}

fn made(of: &Value) -> Option<u64> {
    of.get("report")?.get("tools")?.as_u64()
}

/// The descriptions below a folder; of one that is spread over files, the first.
fn descriptions(folder: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let text = path.to_string_lossy();
        let is_part = text.contains("multifile") && !text.ends_with("/lob-api-public.yml");
        let is_known = [".json", ".yml", ".yaml"].iter().any(|end| text.ends_with(end));
        if path.is_dir() {
            descriptions(&path, found)?;
        } else if is_known && !is_part {
            found.push(path);
        }
    }
    Ok(())
}
