//! The tools as hosts list them. Aliases are the names that other registries gave the same tools; they are callable, and
//! not listed, since a model should not choose between two names of one thing.

use portreeve_core::ports::Listing;
use serde_json::{Value, json};

use super::arguments::MOST;

/// What a name means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tool {
    Search,
    Fetch,
}

const NAMES: [(&str, Tool, Listing); 4] = [
    ("registry_search", Tool::Search, Listing::Shown),
    ("registry_fetch", Tool::Fetch, Listing::Shown),
    ("mcp_registry_search", Tool::Search, Listing::Alias),
    ("mcp_registry_fetch", Tool::Fetch, Listing::Alias),
];

/// The tool of that name.
pub(super) fn meant(name: &str) -> Option<Tool> {
    NAMES
        .iter()
        .find(|(known, ..)| *known == name)
        .map(|(_, tool, _)| *tool)
}

/// Every definition.
pub(super) fn all() -> Vec<(Value, Listing)> {
    NAMES
        .iter()
        .map(|(name, tool, listing)| {
            let definition = match tool {
                Tool::Search => search(name),
                Tool::Fetch => fetch(name),
            };
            (definition, *listing)
        })
        .collect()
}

fn hints() -> Value {
    json!({"readOnlyHint": true, "destructiveHint": false, "idempotentHint": true, "openWorldHint": false})
}

fn search(name: &str) -> Value {
    json!({
        "name": name,
        "title": "Search the registry",
        "description": "Finds approved MCP servers by what they are called or what they are for. Returns, for each, \
                        its name, description, version and what a host needs to install it.",
        "inputSchema": {
            "type": "object",
            "properties": {
                "query": {
                    "type": "string",
                    "description": "What it is for, in a few words: `send a slack message`. Leave it out to list all.",
                },
                "limit": {
                    "type": "integer", "minimum": 1, "maximum": MOST, "default": 10,
                    "description": "At most this many servers.",
                },
                "cursor": {
                    "type": "string",
                    "description": "`nextCursor` of the page before, alone.",
                },
            },
            "additionalProperties": false,
        },
        "outputSchema": {
            "type": "object",
            "properties": {
                "servers": {"type": "array", "items": {
                    "type": "object",
                    "properties": server_properties(),
                    "required": ["name", "description", "version", "status"],
                }},
                "nextCursor": {"type": "string", "description": "There is more: ask again with this as `cursor`."},
            },
            "required": ["servers"],
        },
        "annotations": hints(),
    })
}

fn fetch(name: &str) -> Value {
    let mut properties = server_properties();
    properties["hosts"] = json!({
        "type": "array",
        "description": "Links, commands and files, host by host.",
        "items": {
            "type": "object",
            "properties": {
                "host": {"type": "string"},
                "title": {"type": "string"},
                "kind": {"type": "string", "description": "`link`, `command` or `file`"},
                "text": {"type": "string"},
                "path": {"type": "string", "description": "Where a file goes in a project."},
            },
            "required": ["host", "title", "kind", "text"],
        },
    });
    properties["server"] = json!({"type": "object", "description": "The whole `server.json`."});
    json!({
        "name": name,
        "title": "Fetch a server",
        "description": "Returns one approved MCP server by its exact name: its whole `server.json` and how each host \
                        installs it.",
        "inputSchema": {
            "type": "object",
            "properties": {
                "name": {"type": "string", "description": "The name as `registry_search` gives it: `com.acme/billing`."},
                "version": {"type": "string", "description": "One version; the latest if left out."},
            },
            "required": ["name"],
            "additionalProperties": false,
        },
        "outputSchema": {
            "type": "object",
            "properties": properties,
            "required": ["name", "description", "version", "status", "hosts", "server"],
        },
        "annotations": hints(),
    })
}

/// What both tools say of a server.
fn server_properties() -> Value {
    json!({
        "name": {"type": "string"},
        "title": {"type": "string"},
        "description": {"type": "string"},
        "version": {"type": "string"},
        "status": {"type": "string", "description": "`active` or `deprecated`"},
        "statusMessage": {"type": "string"},
        "url": {"type": "string", "description": "Where it is served; missing where the host starts it."},
        "install": {
            "type": "object",
            "description": "What goes into a host's configuration; `${input:ID}` stands for an answer of the person. \
                            Missing where it is long (fetch the server then) or unknown.",
            "properties": {
                "config": {"type": "object"},
                "inputs": {"type": "array", "items": {"type": "object"}},
            },
            "required": ["config", "inputs"],
        },
    })
}
