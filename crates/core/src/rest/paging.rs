//! How further pages of a list are fetched and joined. An API whose pages the model asks for itself needs none of this.

use serde::{Deserialize, Serialize};

/// How pages are followed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Paging {
    /// How the next page is found.
    pub kind: PagingKind,
    /// Where the list is in each page, as a JSON pointer; the answer itself unless it is given. The lists are joined, and
    /// the rest is that of the first page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<String>,
    /// Most requests of one call, the first included.
    pub most_pages: u32,
}

/// How the next page is found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub enum PagingKind {
    /// The `Link` header with `rel="next"` (RFC 8288) names it: a URL of the same origin below the same base path.
    Link,
    /// The answer holds a token for it.
    Cursor {
        /// Where the token is, as a JSON pointer. Missing, null or empty: this was the last page.
        next: String,
        /// The query parameter that takes it, by its wire name.
        parameter: String,
    },
    /// Pages are counted. A page without items is the last one.
    Page {
        /// The query parameter that takes the number, by its wire name.
        parameter: String,
        /// The number of the first page.
        first: u64,
    },
    /// Items are counted: the next page begins behind those that came. A page without items is the last one.
    Offset {
        /// The query parameter that takes how many to skip, by its wire name.
        parameter: String,
    },
}
