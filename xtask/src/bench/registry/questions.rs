//! How well real questions are answered: the share whose answer is among the first five results.

use std::path::Path;

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use super::corpus::folder;
use super::{Node, http};

/// The packages that the questions are about, if they are there.
pub(super) fn data(root: &Path) -> Option<Value> {
    let file = folder(root).join("registry/toolsdk-packages-list-2026-07.json");
    serde_json::from_str(&std::fs::read_to_string(file).ok()?).ok()
}

/// Fills an empty node with the packages and asks.
pub(super) fn ask(node: &Node, root: &Path, data: &Value) -> Result<String> {
    let packages = data
        .get("packages")
        .and_then(Value::as_object)
        .context("no packages")?;
    let records: Vec<Value> = packages.iter().enumerate().map(record).collect();
    node.take(&records)?;
    let questions = std::fs::read_to_string(root.join("tests/questions/toolsdk.txt"))?;
    let mut client = node.client()?;
    let (mut asked, mut missed) = (0, Vec::new());
    for line in questions.lines().filter(|line| !line.starts_with('#')) {
        let Some((question, expected)) = line.split_once(" | ") else {
            continue;
        };
        asked += 1;
        let body = client.get(&format!("/api/v1/search?limit=5&q={}", http::encoded(question)))?;
        let page: Value = serde_json::from_slice(&body)?;
        let names = page.get("items").and_then(Value::as_array).into_iter().flatten();
        let mut names = names.filter_map(|item| item.get("name")?.as_str());
        if !names.any(|name| expected.split(", ").any(|part| name.contains(part))) {
            missed.push(question);
        }
    }
    let share = 100.0 * (asked - missed.len()) as f64 / asked.max(1) as f64;
    let missed = if missed.is_empty() {
        String::new()
    } else {
        format!("; missed: {}", missed.join(", "))
    };
    Ok(format!("recall at 5: {share:.1} % of {asked} questions{missed}"))
}

/// A package as a record of a registry: what the list knows of it.
fn record((index, (key, package)): (usize, (&String, &Value))) -> Value {
    let plain: String = key
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    let tools = package.get("tools").and_then(Value::as_object);
    let tools: Vec<Value> = tools
        .into_iter()
        .flatten()
        .map(|(name, tool)| json!({"name": name, "description": tool.get("description")}))
        .collect();
    json!({"server": {
        "name": format!("sdk.tool/{}-{index}", plain.trim_matches('-')),
        "title": key.chars().take(100).collect::<String>(),
        "description": "A package of the list",
        "version": "1.0.0",
        "_meta": {"io.modelcontextprotocol.registry/publisher-provided":
            {"category": package.get("category"), "tools": tools}},
    }})
}
