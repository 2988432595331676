//! GitHub Copilot: `managed-settings.json`, in the repository `.github-private` of an enterprise or by device management.

use serde_json::json;

use super::allow_list::AllowList;
use super::{About, Export, Format, Writing, Written};
use crate::serve::Served;

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
            document: json!({"allowedMcpServers": self.0.allowed, "deniedMcpServers": []}),
            left_out: self.0.left_out,
        }
    }
}
