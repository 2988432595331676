//! Claude Code: `managed-mcp.json`. Every machine gets exactly these servers, and nobody can add another.

use std::collections::HashSet;

use serde_json::{Map, json};

use super::{Export, Format, LeftOut, NO_WAY, Register, Written};
use crate::install::{Setup, claude_code_config};

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

    fn write(&self, register: &Register) -> Written {
        let (mut servers, mut left_out, mut taken) = (Map::new(), Vec::new(), HashSet::new());
        for served in register.latest() {
            let Some(setup) = Setup::of(&served.server.to_map()) else {
                left_out.push(LeftOut::new(served, NO_WAY));
                continue;
            };
            servers.insert(key(&setup, &mut taken), claude_code_config(&setup));
        }
        Written {
            document: json!({"mcpServers": servers}),
            left_out,
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
