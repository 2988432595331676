//! Partner files as the Azure catalogue keeps them: one JSON object for each server, with much that a `server.json` has no
//! member for. All of it is kept under one key of `_meta`, so nothing is lost.
//!
//! A partner's name is a short word; the namespace comes from the host of its endpoint or, where it has none, of its
//! documentation.

use portreeve_core::import::{Finding, ImportKind};
use portreeve_core::limits::Limits;
use portreeve_mcp::server_json::PUBLISHER_META;
use serde_json::{Map, Value, json};
use url::Url;

use super::server_json::{Beside, built, modern};
use super::{Candidate, Importer, Record, finding};

/// Where the file is kept as it came.
pub(crate) const PARTNER_META: &str = "com.azure.mcp/partner";

const SCHEMA: &str = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json";

/// The importer.
pub(super) struct PartnerFiles;

impl Importer for PartnerFiles {
    fn kind(&self) -> ImportKind {
        ImportKind::Partners
    }

    fn read(&self, record: &Record, limits: &Limits) -> Vec<Candidate> {
        let text = record.text.trim_start_matches('\u{feff}');
        if text.len() > limits.document_bytes {
            let size = format!(
                "it has {} bytes, and {} are allowed",
                text.len(),
                limits.document_bytes
            );
            return vec![Candidate::refused(record, "$", size)];
        }
        match serde_json::from_str::<Value>(text) {
            Ok(Value::Object(file)) => vec![partner(record, file)],
            Ok(Value::Array(files)) => files
                .into_iter()
                .enumerate()
                .map(|(index, file)| {
                    let inner = Record {
                        place: format!("{}#[{index}]", record.place),
                        text: file.to_string(),
                    };
                    match file {
                        Value::Object(file) => partner(&inner, file),
                        _ => Candidate::refused(&inner, "$", "it must be a JSON object"),
                    }
                })
                .collect(),
            Ok(_) => vec![Candidate::refused(record, "$", "it must be a JSON object")],
            Err(error) => vec![Candidate::refused(
                record,
                "$",
                format!("it is not valid JSON: {error}"),
            )],
        }
    }
}

fn partner(record: &Record, file: Map<String, Value>) -> Candidate {
    let Some(written) = written(&file) else {
        return Candidate::refused(record, "name", "it is required");
    };
    let Written {
        mut document,
        namespace,
        remotes,
    } = written;
    let mut noticed = Noticed::default();
    if namespace.is_none() {
        let said = "neither an endpoint nor documentation says which domain it belongs to";
        noticed.grave("$", said);
    }
    noticed.look(&file, &remotes);
    document.insert("_meta".to_owned(), meta(&file));
    let mut candidate = built(record, &Value::Object(document), Beside::default());
    candidate.needs_eyes |= noticed.is_grave;
    candidate.findings.extend(noticed.findings);
    candidate
}

/// A partner file as a `server.json`, without what only the partner file has.
pub(crate) struct Written {
    pub(crate) document: Map<String, Value>,
    /// The domain turned round; `None` when nothing says which it is.
    pub(crate) namespace: Option<String>,
    remotes: Vec<Value>,
}

/// Writes it; `None` when it has no name.
pub(crate) fn written(file: &Map<String, Value>) -> Option<Written> {
    let text = |key: &str| file.get(key).and_then(Value::as_str).unwrap_or_default();
    // The file of the community names a server by its `id`, and shows its `name`.
    let short = [text("id"), text("name")]
        .into_iter()
        .find(|name| !name.is_empty())?;
    let remotes = remotes(file);
    let namespace = namespace_host(file, &remotes).map(|host| reversed(&host));
    let of = namespace.as_deref().unwrap_or("invalid.unknown");
    let mut document = Map::new();
    document.insert("$schema".to_owned(), json!(SCHEMA));
    document.insert("name".to_owned(), json!(format!("{of}/{}", plain(short))));
    let title = [text("title"), text("name")]
        .into_iter()
        .find(|title| !title.trim().is_empty())
        .unwrap_or(short);
    document.insert("title".to_owned(), json!(cut(title, 100)));
    let summary = [text("summary"), text("description"), title]
        .into_iter()
        .find(|summary| !summary.trim().is_empty())
        .unwrap_or(short);
    document.insert("description".to_owned(), json!(cut(summary.trim(), 100)));
    document.insert(
        "version".to_owned(),
        json!(version(text("versionName"), text("version"))),
    );
    links(file, &mut document);
    if let Some(packages) = file.get("packages") {
        let old = Map::from_iter([("packages".to_owned(), packages.clone())]);
        document.extend(modern(old).into_iter().filter(|(key, _)| key == "packages"));
    }
    if !remotes.is_empty() {
        document.insert("remotes".to_owned(), Value::Array(remotes.clone()));
    }
    Some(Written {
        document,
        namespace,
        remotes,
    })
}

/// Where one reads more, and what it looks like.
fn links(file: &Map<String, Value>, document: &mut Map<String, Value>) {
    let text = |key: &str| file.get(key).and_then(Value::as_str).unwrap_or_default();
    let documentation = file.get("externalDocumentation").and_then(|page| page.get("url"));
    if let Some(url) = documentation.and_then(Value::as_str).filter(|url| is_web(url)) {
        document.insert("websiteUrl".to_owned(), json!(url));
    }
    let repository = file.get("repository").and_then(Value::as_object);
    if let Some(repository) = repository.filter(|one| one.contains_key("url")) {
        document.insert("repository".to_owned(), Value::Object(repository.clone()));
    }
    let icon = [text("icon"), text("x-ms-icon")]
        .into_iter()
        .find(|icon| icon.starts_with("https://"));
    if let Some(icon) = icon.filter(|icon| icon.chars().count() <= 255) {
        document.insert("icons".to_owned(), json!([{ "src": icon }]));
    }
}

/// What hosts may see stands under the publisher's key; the whole file under its own.
fn meta(file: &Map<String, Value>) -> Value {
    let mut shown = Map::new();
    for key in ["tags", "categories", "useCases", "vendor", "license"] {
        if let Some(value) = file.get(key) {
            shown.insert(key.to_owned(), value.clone());
        }
    }
    json!({ PUBLISHER_META: shown, PARTNER_META: file })
}

fn remotes(file: &Map<String, Value>) -> Vec<Value> {
    let kind = file.get("remoteType").and_then(Value::as_str).unwrap_or("sse");
    if let Some(url) = file.get("remote").and_then(Value::as_str) {
        let mut remote = json!({ "type": kind, "url": url });
        let variables: Map<String, Value> = portreeve_mcp::server_json::placeholders(url)
            .map(|name| (name.to_owned(), json!({ "isRequired": true })))
            .collect();
        if !variables.is_empty() {
            remote["variables"] = Value::Object(variables);
        }
        return vec![remote];
    }
    let old = Map::from_iter([(
        "remotes".to_owned(),
        file.get("remotes").cloned().unwrap_or_else(|| json!([])),
    )]);
    match modern(old).remove("remotes") {
        Some(Value::Array(remotes)) => remotes,
        _ => Vec::new(),
    }
}

/// What the programme's own checks let through.
#[derive(Default)]
struct Noticed {
    findings: Vec<Finding>,
    is_grave: bool,
}

impl Noticed {
    fn say(&mut self, path: &str, message: &str) {
        self.findings.push(finding(path, message));
    }

    /// A person must look at it before it is served.
    fn grave(&mut self, path: &str, message: &str) {
        self.say(path, message);
        self.is_grave = true;
    }

    fn look(&mut self, file: &Map<String, Value>, remotes: &[Value]) {
        let text = |key: &str| file.get(key).and_then(Value::as_str).unwrap_or_default();
        if remotes.is_empty() && !file.contains_key("packages") {
            self.say("$", "it has neither an endpoint nor a package");
        }
        if file.contains_key("remote") && !file.contains_key("remoteType") {
            let said = "it is missing, so the endpoint counts as `sse`; ask the endpoint";
            self.say("remoteType", said);
        }
        for key in ["remote", "icon"] {
            if text(key).contains("://placeholder.") {
                self.grave(key, "it is a placeholder");
            }
        }
        if text("categories").contains(',') {
            self.say("categories", "it names more than one category");
        }
    }
}

fn namespace_host(file: &Map<String, Value>, remotes: &[Value]) -> Option<String> {
    let inside = |outer: &str| {
        file.get(outer)
            .and_then(|value| value.get("url"))
            .and_then(Value::as_str)
    };
    let urls = remotes
        .first()
        .and_then(|remote| remote.get("url"))
        .and_then(Value::as_str)
        .into_iter()
        .chain(inside("externalDocumentation"))
        .chain(inside("supportContactInfo"))
        .chain(inside("repository"))
        .chain(inside("license"));
    urls.filter_map(host).next()
}

/// The host of a URL, without what stands in braces: `{tenant}.acme.com` belongs to `acme.com`.
fn host(url: &str) -> Option<String> {
    let rest = url.split_once("://")?.1;
    let authority = rest.split(['/', '?', '#']).next()?;
    let fixed = authority
        .rsplit(['}', '>'])
        .next()?
        .trim_start_matches(['.', '-']);
    let parsed = Url::parse(&format!("https://{fixed}/")).ok()?;
    let host = parsed.domain()?;
    (host.contains('.') && !host.starts_with("placeholder.")).then(|| host.to_owned())
}

/// `mcp.acme.co.uk` becomes `uk.co.acme`: the domain that somebody registered, turned round.
fn reversed(host: &str) -> String {
    let labels: Vec<&str> = host.split('.').collect();
    let second = labels.len().checked_sub(2).and_then(|at| labels.get(at)).copied();
    let country = labels.last().is_some_and(|last| last.len() == 2);
    let is_shared =
        country && second.is_some_and(|label| matches!(label, "co" | "com" | "org" | "net" | "gov" | "ac"));
    let kept = if is_shared { 3 } else { 2 };
    let mut kept: Vec<&str> = labels.iter().rev().take(kept).copied().collect();
    kept.retain(|label| !label.is_empty());
    kept.join(".")
}

/// Only what a server's name may have.
fn plain(short: &str) -> String {
    let plain: String = short
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-') {
                c
            } else {
                '-'
            }
        })
        .take(100)
        .collect();
    plain
        .trim_matches(|c: char| !c.is_ascii_alphanumeric())
        .to_owned()
}

/// `original` says that there are no versions.
fn version(named: &str, version: &str) -> String {
    let said = [version, named]
        .into_iter()
        .find(|text| !text.is_empty() && !text.eq_ignore_ascii_case("original"));
    said.unwrap_or("1.0.0").to_owned()
}

fn is_web(url: &str) -> bool {
    Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "https" | "http"))
}

fn cut(text: &str, characters: usize) -> String {
    text.chars()
        .take(characters)
        .collect::<String>()
        .trim_end()
        .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_is_the_registered_domain_turned_round() {
        assert_eq!(
            host("https://{tenant}.mcp.acme.com/x").as_deref(),
            Some("mcp.acme.com")
        );
        assert_eq!(
            host("https://<INSTANCE_ID>.acme.com/x").as_deref(),
            Some("acme.com")
        );
        assert_eq!(host("https://{pod-name}/x"), None);
        assert_eq!(host("https://placeholder.example.com/x"), None);
        assert_eq!(reversed("mcp.acme.com"), "com.acme");
        assert_eq!(reversed("mcp.acme.co.uk"), "uk.co.acme");
        assert_eq!(plain("Work IQ (Mail)"), "Work-IQ--Mail");
    }
}
