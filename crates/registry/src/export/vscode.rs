//! VS Code: the policy that makes this registry its gallery, and lets nothing else run. The list itself stays here, so the
//! file never grows old.

use serde_json::json;

use super::{Export, Format, Register, Written};

pub(super) struct VsCode;

impl Export for VsCode {
    fn format(&self) -> Format {
        Format {
            id: "vscode",
            title: "VS Code policy",
            file: "policy.json",
            purpose: "Put it to `/etc/vscode/policy.json` on Linux, or set the two policies by Group Policy or a \
                      configuration profile. VS Code then runs only servers that this registry lists.",
        }
    }

    fn write(&self, register: &Register) -> Written {
        Written {
            document: json!({"ChatMCP": "registry", "McpGalleryServiceUrl": register.origin()}),
            left_out: Vec::new(),
        }
    }
}
