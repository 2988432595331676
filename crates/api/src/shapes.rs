//! What the management API shows and takes: JSON in camelCase, made from the product's nouns and never stored.
//!
//! Handlers of `management/` turn nouns into these; `openapi.rs` describes them.

pub(crate) mod access_policy;
pub(crate) mod access_request;
pub(crate) mod approval;
pub(crate) mod assessment;
pub(crate) mod audit;
pub(crate) mod client;
pub(crate) mod deployment;
pub(crate) mod environment;
pub(crate) mod explain;
pub(crate) mod export;
pub(crate) mod icon;
pub(crate) mod identity;
pub(crate) mod import;
pub(crate) mod install;
pub(crate) mod login;
pub(crate) mod member;
pub(crate) mod partner;
pub(crate) mod profile;
pub(crate) mod property;
pub(crate) mod registry;
pub(crate) mod rest;
pub(crate) mod route;
pub(crate) mod search;
pub(crate) mod secret;
pub(crate) mod server;
pub(crate) mod tool;
pub(crate) mod user;
pub(crate) mod waiting;
pub(crate) mod webhook;

use portreeve_core::name::Slug;
use serde::Serialize;
use url::Url;
use utoipa::ToSchema;

/// A list, or one page of it. Each item has a `name`.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) struct List<T> {
    /// The items.
    pub(crate) items: Vec<T>,
    /// Where the next page begins; null at the end.
    pub(crate) next_cursor: Option<String>,
}

impl<T> List<T> {
    /// A list on one page.
    pub(crate) fn whole(items: Vec<T>) -> Self {
        Self {
            items,
            next_cursor: None,
        }
    }
}

/// The gateway's MCP endpoint of a route.
pub(crate) fn endpoint_url(public_url: &Url, slug: &Slug) -> String {
    format!("{}/s/{slug}/mcp", public_url.as_str().trim_end_matches('/'))
}

/// Labels of things that are shown as text.
pub(crate) fn labels<T: ToString>(things: &[T]) -> Vec<String> {
    things.iter().map(ToString::to_string).collect()
}
