//! Kiro and Amazon Q Developer: a registry as one file, which the console is given the HTTPS address of.

use serde_json::{Map, Value, json};

use super::{About, Export, Format, LeftOut, NO_WAY, Writing, Written};
use crate::serve::Served;

pub(super) struct Kiro;

/// What the host reads of a document.
const FIELDS: [&str; 5] = ["name", "title", "description", "version", "remotes"];
/// The packages that the host can run.
const KINDS: [&str; 3] = ["npm", "pypi", "oci"];

impl Export for Kiro {
    fn format(&self) -> Format {
        Format {
            id: "kiro",
            title: "Kiro and Amazon Q registry file",
            file: "mcp-registry.json",
            purpose: "Serve it over HTTPS, and give its address to the console. Kiro and Amazon Q then offer only \
                      these servers.",
        }
    }

    fn begin(&self, _: &About) -> Box<dyn Writing> {
        Box::<File>::default()
    }
}

#[derive(Default)]
struct File {
    servers: Vec<Value>,
    left_out: Vec<LeftOut>,
}

impl Writing for File {
    fn take(&mut self, served: &Served) {
        if !served.meta.official.is_latest {
            return;
        }
        match entry(served) {
            Some(server) => self.servers.push(json!({"server": server})),
            None => self.left_out.push(LeftOut::new(served, NO_WAY)),
        }
    }

    fn finish(self: Box<Self>) -> Written {
        Written {
            document: json!({"servers": self.servers}),
            left_out: self.left_out,
        }
    }
}

/// The part of a document that the host reads; `None` when there is no way to use the server.
fn entry(served: &Served) -> Option<Map<String, Value>> {
    let mut document = served.server.to_map();
    let packages: Vec<Value> = match document.remove("packages") {
        Some(Value::Array(packages)) => packages.into_iter().filter(is_runnable).collect(),
        _ => Vec::new(),
    };
    document.retain(|key, _| FIELDS.contains(&key.as_str()));
    let has_remote = matches!(document.get("remotes"), Some(Value::Array(remotes)) if !remotes.is_empty());
    if !packages.is_empty() {
        document.insert("packages".to_owned(), packages.into());
    } else if !has_remote {
        return None;
    }
    Some(document)
}

fn is_runnable(package: &Value) -> bool {
    let kind = package["registryType"].as_str().unwrap_or_default();
    KINDS.contains(&kind) && package["transport"]["type"] == "stdio"
}
