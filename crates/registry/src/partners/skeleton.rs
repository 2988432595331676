//! A partner's two files before anybody has said anything: right in form, and with everything that only the partner knows
//! left to fill in, where the check for placeholders finds it.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::category::Category;
use super::format::{Contact, Link, Named, Partner, ServerNote, UseCase, Vendor};

/// The domain of somebody who has not said it. Nobody can own it (RFC 2606).
pub(super) const UNKNOWN_DOMAIN: &str = "fill-in.example";
pub(super) const UNKNOWN_NAMESPACE: &str = "example.fill-in";
/// What begins every text that waits for the partner.
pub(super) const FILL_IN: &str = "FILL IN";

/// A partner of this name with one server.
pub fn skeleton(name: &str) -> (Partner, Map<String, Value>) {
    let page = |path: &str| format!("https://{UNKNOWN_DOMAIN}/{path}");
    let partner = Partner {
        name: name.to_owned(),
        title: format!("{FILL_IN}: the name that people read")
            .chars()
            .take(50)
            .collect(),
        summary: format!("{FILL_IN}: one line for a card"),
        description: format!("{FILL_IN}: what the server does, and for whom"),
        vendor: Vendor::Partner,
        domain: UNKNOWN_DOMAIN.to_owned(),
        namespace: UNKNOWN_NAMESPACE.to_owned(),
        categories: vec![Category::DeveloperTools],
        tags: Vec::new(),
        preview: false,
        featured: false,
        icon: None,
        terms: Some(page("terms")),
        privacy: Some(page("privacy")),
        license: Named {
            name: "Terms of service".to_owned(),
            url: page("terms"),
        },
        documentation: Link {
            title: "Documentation".to_owned(),
            url: page("docs"),
        },
        support: Contact {
            name: "Support".to_owned(),
            email: None,
            url: Some(page("support")),
        },
        security: Some(Contact {
            name: "Security".to_owned(),
            email: Some(format!("security@{UNKNOWN_DOMAIN}")),
            url: None,
        }),
        use_cases: vec![UseCase {
            name: format!("{FILL_IN}: a use case"),
            description: format!("{FILL_IN}: what somebody does with it"),
        }],
        servers: BTreeMap::from([(name.to_owned(), ServerNote::default())]),
    };
    let server = json!({
        "$schema": "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
        "name": format!("{UNKNOWN_NAMESPACE}/{name}"),
        "title": format!("{FILL_IN}: the name that people read"),
        "description": format!("{FILL_IN}: what the server does, in 100 characters"),
        "version": "1.0.0",
        "websiteUrl": page("docs"),
        "remotes": [{"type": "streamable-http", "url": page("mcp")}],
    });
    let server = match server {
        Value::Object(server) => server,
        _ => Map::new(),
    };
    (partner, server)
}
