//! Claude Code: the allow-list in its managed settings. People add what is approved, and nothing else is loaded.

use serde_json::json;

use super::allow_list::AllowList;
use super::{About, Export, Format, Writing, Written};
use crate::serve::Served;

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

    fn begin(&self, _: &About) -> Box<dyn Writing> {
        Box::new(File(AllowList::default()))
    }
}

struct File(AllowList);

impl Writing for File {
    fn take(&mut self, served: &Served) {
        self.0.take(served);
    }

    fn finish(self: Box<Self>) -> Written {
        Written {
            document: json!({
                "allowedMcpServers": self.0.allowed,
                "deniedMcpServers": [],
                // Without it, people could widen the list in settings of their own.
                "allowManagedMcpServersOnly": true,
            }),
            left_out: self.0.left_out,
        }
    }
}
