//! What a version's document says about its REST API. It stands in the part of `_meta` that belongs to publishers, so
//! that the content hash, which an approval is bound to, covers the tools; it is not shown to readers of a registry.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::served::{PUBLISHER_META, put_in_publisher_meta};

/// The member of [`PUBLISHER_META`] that this is.
pub const REST_META: &str = "portreeve/rest";

/// Says that a version is a REST API, and which tools it has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RestMark {
    /// What the paths of its operations are appended to: scheme, host and base path.
    pub base_url: String,
    /// The digest of its tools and their bindings: SHA-256, in hexadecimal.
    pub toolset: String,
}

impl RestMark {
    /// The mark of a document.
    pub fn of(document: &str) -> Option<Self> {
        // Most documents of a registry have none, and reading them costs more than this.
        if !document.contains(REST_META) {
            return None;
        }
        Self::of_value(&serde_json::from_str(document).ok()?)
    }

    /// The mark of a document that was read already.
    pub fn of_value(document: &Value) -> Option<Self> {
        let mark = document.get("_meta")?.get(PUBLISHER_META)?.get(REST_META)?;
        let mark: Self = serde_json::from_value(mark.clone()).ok()?;
        let is_digest = mark.toolset.len() == 64 && mark.toolset.bytes().all(|byte| byte.is_ascii_hexdigit());
        is_digest.then_some(mark)
    }

    /// Puts it into a document.
    pub fn put(&self, document: &mut Map<String, Value>) {
        let mark = serde_json::json!({"baseUrl": self.base_url, "toolset": self.toolset});
        put_in_publisher_meta(document, REST_META, mark);
    }
}
