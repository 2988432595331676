//! What of a server can be tried.

use askama::Template;
use portreeve_core::tool::ToolDefinition;
use serde_json::Value;

use crate::view::shell::Shell;
use crate::words;

/// Characters of a description in a list.
const SHOWN: usize = 300;

/// One of what can be tried.
#[derive(Debug, Clone)]
pub(crate) struct Offer {
    pub(crate) href: String,
    pub(crate) name: String,
    pub(crate) description: String,
}

/// What a server lists, or why it cannot be said.
#[derive(Debug, Clone)]
pub(crate) struct Offered {
    pub(crate) list: Vec<Offer>,
    pub(crate) problem: Option<String>,
}

/// The page.
#[derive(Template)]
#[template(path = "try_offers.html")]
pub(crate) struct TryOffersPage {
    pub(crate) shell: Shell,
    /// The server.
    pub(crate) name: String,
    pub(crate) tools: Vec<Offer>,
    pub(crate) resources: Offered,
    pub(crate) prompts: Offered,
    /// Where the form for any address goes.
    pub(crate) read_any: String,
    pub(crate) route: String,
}

// === impl Offer ===

impl Offer {
    fn new((value, href): (&str, &str), name: &str, description: &str) -> Self {
        let described: String = words::visible(description.trim()).chars().take(SHOWN).collect();
        Self {
            href: format!("{href}{}", words::encoded(value)),
            name: words::visible(name),
            description: described,
        }
    }

    pub(crate) fn tool(tool: &ToolDefinition, href: &str) -> Self {
        let json: Value = serde_json::from_str(&tool.definition).unwrap_or(Value::Null);
        Self::new((&tool.name, href), &tool.name, text(&json, "description"))
    }

    pub(crate) fn resource(item: &Value, href: &str) -> Self {
        let uri = text(item, "uri");
        let name = [text(item, "title"), text(item, "name"), uri];
        let name = name.into_iter().find(|name| !name.is_empty());
        let described = format!("{uri} {}", text(item, "description"));
        Self::new((uri, href), name.unwrap_or_default(), &described)
    }

    pub(crate) fn prompt(item: &Value, href: &str) -> Self {
        let name = text(item, "name");
        Self::new((name, href), name, text(item, "description"))
    }
}

// === impl Offered ===

impl Offered {
    pub(crate) fn new(listed: Result<Vec<Value>, String>, offer: impl Fn(&Value) -> Offer) -> Self {
        match listed {
            Ok(listed) => Self {
                list: listed.iter().map(offer).collect(),
                problem: None,
            },
            Err(problem) => Self {
                list: Vec::new(),
                problem: Some(words::visible(&problem)),
            },
        }
    }
}

fn text<'a>(item: &'a Value, key: &str) -> &'a str {
    item.get(key).and_then(Value::as_str).unwrap_or_default()
}
