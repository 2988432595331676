//! GitHub Copilot: `managed-settings.json`, in the repository `.github-private` of an enterprise or by device management.

use serde_json::json;

use super::{Export, Format, Register, Written, allow_list};

pub(super) struct Copilot;

impl Export for Copilot {
    fn format(&self) -> Format {
        Format {
            id: "copilot",
            title: "GitHub Copilot allow-list",
            file: "managed-settings.json",
            purpose: "Put it into the repository `.github-private` of the enterprise, or onto machines by device \
                      management. Copilot then starts no other MCP server.",
        }
    }

    fn write(&self, register: &Register) -> Written {
        let (allowed, left_out) = allow_list(register);
        Written {
            document: json!({"allowedMcpServers": allowed, "deniedMcpServers": []}),
            left_out,
        }
    }
}
