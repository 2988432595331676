//! The rules that a published document keeps beyond its form. An import may break them and is flagged; a publisher is
//! there to mend them.
//!
//! Before: `shape` looked at the form. After: `publishing` stores the document, or `issues` lists what is wrong.

use std::collections::HashSet;

use portreeve_core::limits::Limits;
use portreeve_mcp::server_json::{PUBLISHER_META, Problem};
use serde_json::{Map, Value};
use url::Url;

use super::{VALUES_META, shape};
use crate::validate::{Draft, Judgement};

/// The schemas that a document may follow when it is published, newest first.
const SCHEMAS: [&str; 2] = [
    "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json",
    "https://static.modelcontextprotocol.io/schemas/2025-10-17/server.schema.json",
];

/// Bytes of what a publisher may say about itself, as JSON.
const PUBLISHER_BYTES: usize = 4_096;

/// Judges a document as strictly as publishing asks for. What is wrong at one place is told once.
pub(super) fn judge(draft: Draft, public_url: &Url, limits: &Limits) -> Judgement {
    let form = shape::look(draft.raw());
    let mut notes = Notes::default();
    look(draft.raw(), limits, &mut notes);
    let mut judgement = draft.judge(public_url);
    let mut told: HashSet<String> = HashSet::new();
    let mut is_news = |problem: &Problem| told.insert(problem.path.clone());
    // What the reader says of one place is kept, even where it says two things.
    for problem in judgement.shape.iter().chain(&judgement.rules) {
        is_news(problem);
    }
    judgement.shape.extend(form.into_iter().filter(&mut is_news));
    judgement
        .rules
        .extend(notes.problems.into_iter().filter(&mut is_news));
    // What is refused needs no warning beside it.
    judgement.warnings.retain(|warning| !told.contains(&warning.path));
    judgement.warnings.extend(notes.warnings);
    for list in [
        &mut judgement.shape,
        &mut judgement.rules,
        &mut judgement.warnings,
    ] {
        list.truncate(limits.document_problems);
    }
    judgement
}

/// The URLs of the remotes, as they stand there.
pub(super) fn remote_urls(raw: &Map<String, Value>) -> Vec<String> {
    let remotes = objects(raw, "remotes").filter_map(|(_, remote)| text(remote, "url"));
    remotes.map(str::to_owned).collect()
}

#[derive(Default)]
struct Notes {
    problems: Vec<Problem>,
    warnings: Vec<Problem>,
}

impl Notes {
    fn problem(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.problems.push(Problem {
            path: path.into(),
            message: message.into(),
        });
    }

    fn warning(&mut self, path: impl Into<String>, message: impl Into<String>) {
        self.warnings.push(Problem {
            path: path.into(),
            message: message.into(),
        });
    }
}

/// The values of custom properties that a document brings along.
pub(super) fn values(raw: &Map<String, Value>) -> Option<Map<String, Value>> {
    raw.get("_meta")?.get(VALUES_META)?.as_object().cloned()
}

fn look(raw: &Map<String, Value>, limits: &Limits, notes: &mut Notes) {
    look_at_schema(raw, notes);
    if let Some(url) = text(raw, "websiteUrl").filter(|url| !url.starts_with("https://")) {
        let shown: String = url.chars().take(100).collect();
        notes.problem("websiteUrl", format!("`{shown}` is not an https URL"));
    }
    if let Some(Value::Object(repository)) = raw.get("repository") {
        look_at_repository(repository, notes);
    }
    if let Some(said) = raw.get("_meta").and_then(|meta| meta.get(PUBLISHER_META))
        && said.to_string().len() > PUBLISHER_BYTES
    {
        let path = format!("_meta.{PUBLISHER_META}");
        notes.problem(
            path,
            format!("it must have at most {PUBLISHER_BYTES} bytes as JSON"),
        );
    }
    let remotes = raw.get("remotes").and_then(Value::as_array).map_or(0, Vec::len);
    if remotes > limits.document_remotes {
        notes.problem(
            "remotes",
            format!("at most {} may stand there", limits.document_remotes),
        );
    }
    for (path, remote) in objects(raw, "remotes") {
        if text(remote, "url").is_some_and(|url| url.starts_with("http://")) {
            notes.warning(
                format!("{path}.url"),
                "it is plain http: what is sent there can be read on its way",
            );
        }
    }
    for (path, package) in objects(raw, "packages") {
        look_at_package(&path, package, notes);
    }
}

fn look_at_schema(raw: &Map<String, Value>, notes: &mut Notes) {
    match raw.get("$schema").and_then(Value::as_str) {
        Some(url) if url == SCHEMAS[0] => {}
        Some(url) if SCHEMAS.contains(&url) => {
            notes.warning("$schema", format!("there is a newer one: `{}`", SCHEMAS[0]));
        }
        _ => notes.problem("$schema", format!("it must be `{}`", SCHEMAS.join("` or `"))),
    }
}

fn look_at_repository(repository: &Map<String, Value>, notes: &mut Notes) {
    let Some(subfolder) = text(repository, "subfolder") else {
        return;
    };
    let is_clean = |part: &str| {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
        !part.is_empty() && part != "." && part != ".." && part.chars().all(is_plain)
    };
    if !subfolder.split('/').all(is_clean) {
        notes.problem(
            "repository.subfolder",
            "it must be a relative path of plain names, without `..`",
        );
    }
}

fn look_at_package(path: &str, package: &Map<String, Value>, notes: &mut Notes) {
    let kind = text(package, "registryType").unwrap_or_default();
    let mut forbid = |field: &str, kinds: &[&str], instead: &str| {
        if kinds.contains(&kind) && package.contains_key(field) {
            let message = format!("a package of type `{kind}` has none: {instead}");
            notes.problem(format!("{path}.{field}"), message);
        }
    };
    forbid("version", &["oci"], "put the tag into `identifier`");
    forbid(
        "registryBaseUrl",
        &["oci", "mcpb"],
        "`identifier` says where it is",
    );
    forbid(
        "fileSha256",
        &["npm", "pypi", "oci", "cargo"],
        "its registry guards the content",
    );
    if let Some(version) = text(package, "version")
        && version.parse::<portreeve_core::name::VersionText>().is_err()
    {
        notes.problem(
            format!("{path}.version"),
            "it must name one version, not `latest` and not a range",
        );
    }
    for list in ["runtimeArguments", "packageArguments"] {
        for (place, argument) in objects(package, list) {
            look_at_argument(&format!("{path}.{place}"), argument, notes);
        }
    }
}

fn look_at_argument(path: &str, argument: &Map<String, Value>, notes: &mut Notes) {
    let value = text(argument, "value").unwrap_or_default();
    if text(argument, "type") == Some("positional") {
        if !argument.contains_key("value") && !argument.contains_key("valueHint") {
            notes.problem(path, "a positional argument needs a `value` or a `valueHint`");
        }
        return;
    }
    let Some(name) = text(argument, "name") else {
        return;
    };
    if name.is_empty() || name.contains([' ', '<', '>', '$']) {
        notes.problem(
            format!("{path}.name"),
            "it must be the flag alone, without blanks, `<`, `>` and `$`",
        );
    } else if value.starts_with(name) {
        notes.problem(format!("{path}.value"), "it repeats the name of the flag");
    }
}

fn text<'a>(raw: &'a Map<String, Value>, key: &str) -> Option<&'a str> {
    raw.get(key).and_then(Value::as_str)
}

/// The objects of a list, with the path of each.
fn objects<'a>(
    raw: &'a Map<String, Value>,
    key: &'a str,
) -> impl Iterator<Item = (String, &'a Map<String, Value>)> {
    let items = raw.get(key).and_then(Value::as_array);
    items
        .into_iter()
        .flatten()
        .enumerate()
        .filter_map(move |(index, item)| Some((format!("{key}[{index}]"), item.as_object()?)))
}
