//! VS Code: the policy that makes this registry its gallery, and lets nothing else run. The list itself stays here, so the
//! file never grows old.

use serde_json::json;

use super::{About, Export, Format, Writing, Written};
use crate::serve::Served;

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

    fn begin(&self, about: &About) -> Box<dyn Writing> {
        Box::new(File {
            gallery: about.base.clone(),
        })
    }
}

struct File {
    gallery: String,
}

impl Writing for File {
    fn take(&mut self, _: &Served) {}

    fn finish(self: Box<Self>) -> Written {
        Written {
            document: json!({"ChatMCP": "registry", "McpGalleryServiceUrl": self.gallery}),
            left_out: Vec::new(),
        }
    }
}
