//! A partner's server in the words of the Azure catalogue: read into our two files, and written out again equal in content.
//!
//! What both forms know stands where ours keeps it. The rest (`authSchemas`, `audience`, `securitySchemes`, `customProperties`
//! ...), and what the two would say differently, is kept word for word under one key of the server's `_meta`, and wins over
//! what is derived: so an edit of `partner.toml` is seen in the export, and nothing is lost.

use std::collections::BTreeMap;

use portreeve_core::served::PUBLISHER_META;
use serde_json::{Map, Value, json};

use super::category::Category;
use super::format::{Contact, Link, Login, Named, Partner, ServerNote, UseCase, Vendor};
use super::skeleton::{UNKNOWN_DOMAIN, UNKNOWN_NAMESPACE};
use crate::import::partner_files::{PARTNER_META, written};

/// Members that a derived file has and the kept one had not.
const ABSENT: &str = "$absent";

/// A partner and a server that were one file.
#[derive(Debug, Clone, PartialEq)]
pub struct Converted {
    /// The partner.
    pub partner: Partner,
    /// What the server's file is called, without its ending.
    pub stem: String,
    /// The `server.json`.
    pub server: Map<String, Value>,
}

/// Reads a file of the Azure catalogue; `None` when it has no name.
pub fn from_azure(file: &Map<String, Value>) -> Option<Converted> {
    let made = written(file)?;
    let mut server = made.document;
    let namespace = made.namespace.unwrap_or_else(|| UNKNOWN_NAMESPACE.to_owned());
    let stem = stem(file);
    server.insert("name".to_owned(), json!(format!("{namespace}/{stem}")));
    // An empty list says nothing that is not said by none.
    server.retain(|_, value| value.as_array().is_none_or(|list| !list.is_empty()));
    let domain = match namespace.as_str() {
        UNKNOWN_NAMESPACE => UNKNOWN_DOMAIN.to_owned(),
        known => known.rsplit('.').collect::<Vec<_>>().join("."),
    };
    let partner = partner(file, (&stem, domain, namespace));
    let derived = derived(&partner, &server);
    let mut kept: Map<String, Value> = file
        .iter()
        .filter(|(key, value)| derived.get(*key) != Some(*value))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let absent: Vec<&String> = derived.keys().filter(|key| !file.contains_key(*key)).collect();
    if !absent.is_empty() {
        kept.insert(ABSENT.to_owned(), json!(absent));
    }
    server.insert(
        "_meta".to_owned(),
        json!({ PUBLISHER_META: { PARTNER_META: kept } }),
    );
    Some(Converted {
        partner,
        stem,
        server,
    })
}

/// Writes a server of a partner as a file of the Azure catalogue.
pub fn to_azure(partner: &Partner, server: &Map<String, Value>) -> Map<String, Value> {
    let mut file = derived(partner, server);
    for (key, value) in kept(server).into_iter().flatten() {
        if key == ABSENT {
            for absent in value.as_array().into_iter().flatten().filter_map(Value::as_str) {
                file.remove(absent);
            }
        } else {
            file.insert(key.clone(), value.clone());
        }
    }
    file
}

/// What a server keeps of its Azure file.
pub(super) fn kept(server: &Map<String, Value>) -> Option<&Map<String, Value>> {
    server
        .get("_meta")?
        .get(PUBLISHER_META)?
        .get(PARTNER_META)?
        .as_object()
}

/// The schemes by which the kept file says that hosts get in.
pub(super) fn schemes(server: &Map<String, Value>) -> impl Iterator<Item = (&String, &Value)> {
    let schemes = kept(server).and_then(|kept| kept.get("securitySchemes"));
    schemes.and_then(Value::as_object).into_iter().flatten()
}

/// What can be said without what was kept.
fn derived(partner: &Partner, server: &Map<String, Value>) -> Map<String, Value> {
    let mut file = Map::new();
    let mut put = |key: &str, value: Value| file.insert(key.to_owned(), value);
    let name = server.get("name").and_then(Value::as_str).unwrap_or_default();
    put("name", json!(name.rsplit('/').next().unwrap_or_default()));
    put(
        "title",
        server
            .get("title")
            .cloned()
            .unwrap_or_else(|| json!(partner.title)),
    );
    put("summary", json!(partner.summary));
    put("description", json!(partner.description));
    put("kind", json!("mcp"));
    put("vendor", json!(partner.vendor));
    put("license", json!(partner.license));
    put("externalDocumentation", json!(partner.documentation));
    put("supportContactInfo", json!(partner.support));
    put("useCases", json!(partner.use_cases));
    let categories: Vec<&str> = partner.categories.iter().map(|one| one.as_str()).collect();
    put("categories", json!(categories.join(", ")));
    put("customProperties", json!({"x-ms-preview": partner.preview}));
    put("versionName", server.get("version").cloned().unwrap_or_default());
    if !partner.tags.is_empty() {
        put("tags", json!(partner.tags));
    }
    if let Some(icon) = partner.icon.as_ref().filter(|icon| icon.contains("://")) {
        put("icon", json!(icon));
    }
    if let Some(repository) = server.get("repository") {
        put("repository", repository.clone());
    }
    let remote = server.get("remotes").and_then(|remotes| remotes.get(0));
    for (theirs, ours) in [("remote", "url"), ("remoteType", "type")] {
        if let Some(value) = remote.and_then(|remote| remote.get(ours)) {
            put(theirs, value.clone());
        }
    }
    file
}

fn partner(file: &Map<String, Value>, (stem, domain, namespace): (&str, String, String)) -> Partner {
    let text = |key: &str| {
        file.get(key)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let inner = |outer: &str, key: &str| {
        let value = file.get(outer).and_then(|outer| outer.get(key));
        value.and_then(Value::as_str).map(str::to_owned)
    };
    let texts = |key: &str| file.get(key).and_then(Value::as_array).into_iter().flatten();
    Partner {
        name: stem.to_owned(),
        title: text("title"),
        summary: text("summary"),
        description: text("description"),
        vendor: match text("vendor").as_str() {
            "Microsoft" => Vendor::Microsoft,
            "None" => Vendor::None,
            _ => Vendor::Partner,
        },
        domain,
        namespace,
        categories: text("categories").split(',').filter_map(Category::of).collect(),
        tags: texts("tags")
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        preview: file
            .get("customProperties")
            .and_then(|own| own.get("x-ms-preview"))
            == Some(&json!(true)),
        featured: false,
        icon: Some(text("icon")).filter(|icon| !icon.is_empty()),
        terms: None,
        privacy: None,
        license: Named {
            name: inner("license", "name").unwrap_or_default(),
            url: inner("license", "url").unwrap_or_default(),
        },
        documentation: Link {
            title: inner("externalDocumentation", "title").unwrap_or_default(),
            url: inner("externalDocumentation", "url").unwrap_or_default(),
        },
        support: Contact {
            name: inner("supportContactInfo", "name").unwrap_or_default(),
            email: inner("supportContactInfo", "email"),
            url: inner("supportContactInfo", "url"),
        },
        security: None,
        use_cases: texts("useCases")
            .map(|one| UseCase {
                name: one["name"].as_str().unwrap_or_default().to_owned(),
                description: one["description"].as_str().unwrap_or_default().to_owned(),
            })
            .collect(),
        servers: BTreeMap::from([(stem.to_owned(), note(file))]),
    }
}

/// What the schemes promise of the way in.
fn note(file: &Map<String, Value>) -> ServerNote {
    let schemes = file.get("securitySchemes").and_then(Value::as_object);
    let mut kinds = schemes
        .into_iter()
        .flatten()
        .filter_map(|(_, scheme)| scheme["type"].as_str());
    let login = match kinds.clone().next() {
        None => Login::None,
        Some(_) if kinds.any(|kind| kind == "oauth2") => Login::Oauth,
        Some(_) => Login::Key,
    };
    ServerNote {
        login,
        ..ServerNote::default()
    }
}

/// A name that a folder and a file can have. The catalogue's own names are such, the files beside it not all.
fn stem(file: &Map<String, Value>) -> String {
    let name = ["id", "name"]
        .iter()
        .find_map(|key| file.get(*key).and_then(Value::as_str))
        .unwrap_or_default();
    let parts = name.split(|c: char| !c.is_ascii_alphanumeric());
    let parts: Vec<&str> = parts.filter(|part| !part.is_empty()).collect();
    parts
        .join("-")
        .chars()
        .take(50)
        .collect::<String>()
        .trim_end_matches('-')
        .to_owned()
}
