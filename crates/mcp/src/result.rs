//! Narrow views of results: tools of a list, the end of a call, what a handshake says.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::envelope::present;

/// A page of `tools/list`.
#[derive(Debug, Deserialize)]
pub struct ToolPage<'a> {
    /// The definitions as they were written.
    #[serde(borrow)]
    pub tools: Vec<&'a RawValue>,
    /// Where the next page begins; `None` on the last one. An empty text is a cursor too.
    #[serde(borrow, default, rename = "nextCursor", deserialize_with = "present")]
    pub next_cursor: Option<&'a RawValue>,
}

/// The name of a tool definition.
#[derive(Debug, Deserialize)]
pub struct ToolName<'a> {
    /// Its name.
    #[serde(borrow)]
    pub name: Cow<'a, str>,
}

/// What a result says about how the call went.
#[derive(Debug, Default, Deserialize)]
pub struct CallEnd {
    /// `isError` of a tool result.
    #[serde(default, rename = "isError")]
    pub is_error: bool,
}

/// What `initialize` answers, as far as it matters here.
#[derive(Debug, Deserialize)]
pub struct Initialized<'a> {
    /// The negotiated version.
    #[serde(borrow, rename = "protocolVersion")]
    pub protocol_version: Cow<'a, str>,
    /// The server's capabilities.
    #[serde(borrow, default, deserialize_with = "present")]
    pub capabilities: Option<&'a RawValue>,
    /// Name and version of the server, unverified.
    #[serde(borrow, default, rename = "serverInfo", deserialize_with = "present")]
    pub server_info: Option<&'a RawValue>,
}

/// What `server/discover` answers, as far as it matters here.
#[derive(Debug, Deserialize)]
pub struct Discovered<'a> {
    /// The versions that the server speaks.
    #[serde(borrow, rename = "supportedVersions")]
    pub supported_versions: Vec<Cow<'a, str>>,
    /// The array as it was written, to be replaced.
    #[serde(borrow, default, deserialize_with = "present")]
    pub capabilities: Option<&'a RawValue>,
}

/// The place of `supportedVersions` in a discover result.
#[derive(Debug, Deserialize)]
pub struct DiscoveredVersions<'a> {
    /// The array as it was written.
    #[serde(borrow, rename = "supportedVersions")]
    pub supported_versions: &'a RawValue,
}

/// The place of the tools in a list result.
#[derive(Debug, Deserialize)]
pub struct ToolsPlace<'a> {
    /// The array as it was written.
    #[serde(borrow)]
    pub tools: &'a RawValue,
}
