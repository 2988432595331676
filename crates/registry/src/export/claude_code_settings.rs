//! Claude Code: the allow-list in its managed settings. People add what is approved, and nothing else is loaded.

use serde_json::json;

use super::{Export, Format, Register, Written, allow_list};

pub(super) struct ClaudeCodeSettings;

impl Export for ClaudeCodeSettings {
    fn format(&self) -> Format {
        Format {
            id: "claude-code-settings",
            title: "Claude Code allow-list",
            file: "managed-settings.json",
            purpose: "Put it beside the other managed settings (`/etc/claude-code/` on Linux). People add servers \
                      themselves; those that are not approved are not loaded.",
        }
    }

    fn write(&self, register: &Register) -> Written {
        let (allowed, left_out) = allow_list(register);
        Written {
            document: json!({
                "allowedMcpServers": allowed,
                "deniedMcpServers": [],
                // Without it, people could widen the list in settings of their own.
                "allowManagedMcpServersOnly": true,
            }),
            left_out,
        }
    }
}
