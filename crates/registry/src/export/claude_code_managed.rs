//! Claude Code: `managed-mcp.json`. Every machine gets exactly these servers, and nobody can add another.

use std::collections::HashSet;

use serde_json::{Map, Value, json};

use super::{About, Export, Format, LeftOut, NO_WAY, Writing, Written};
use crate::install::{Setup, claude_code_config};
use crate::serve::Served;

pub(super) struct ClaudeCodeManaged;

impl Export for ClaudeCodeManaged {
    fn format(&self) -> Format {
        Format {
            id: "claude-code-mcp",
            title: "Claude Code, the same servers for everyone",
            file: "managed-mcp.json",
            purpose: "Put it beside the managed settings (`/etc/claude-code/` on Linux). Everyone gets the latest \
                      version of every server, and nobody can add one. Keys come from environment variables.",
        }
    }

    fn begin(&self, _: &About) -> Box<dyn Writing> {
        Box::<File>::default()
    }
}

#[derive(Default)]
struct File {
    servers: Map<String, Value>,
    left_out: Vec<LeftOut>,
    taken: HashSet<String>,
}

impl Writing for File {
    fn take(&mut self, served: &Served) {
        if !served.meta.official.is_latest {
            return;
        }
        match Setup::of(&served.server.to_map()) {
            Some(setup) => {
                let key = key(&setup, &mut self.taken);
                self.servers.insert(key, claude_code_config(&setup));
            }
            None => self.left_out.push(LeftOut::new(served, NO_WAY)),
        }
    }

    fn finish(self: Box<Self>) -> Written {
        Written {
            document: json!({"mcpServers": self.servers}),
            left_out: self.left_out,
        }
    }
}

/// The short name, or the whole one where the short one is another server's already.
fn key(setup: &Setup, taken: &mut HashSet<String>) -> String {
    if taken.insert(setup.key.clone()) {
        return setup.key.clone();
    }
    let whole: String = setup
        .name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') {
                c
            } else {
                '_'
            }
        })
        .collect();
    let mut key = whole.clone();
    let mut number = 2;
    // `a.b/c` and `a-b/c` are two names, and may become one key.
    while !taken.insert(key.clone()) {
        key = format!("{whole}_{number}");
        number += 1;
    }
    key
}
