//! The version that an import makes: its number and its `server.json`.

use portreeve_core::name::VersionText;
use portreeve_core::ports::Entry;
use portreeve_core::rest::RestMark;
use portreeve_core::server::Approval;
use serde_json::{Map, json};

use super::{NewRest, RestPreview};
use crate::error::RegistryError;
use crate::import::openapi::Report;

const SCHEMA: &str = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json";
/// Longest description that the official registry takes, in characters.
const LONGEST: usize = 100;
/// How many versions are tried before somebody must name one.
const TRIES: u32 = 1_000;

/// The version that was asked for, or that of the description, or the next one that is free.
pub(super) fn choose(
    new: &NewRest,
    report: &Report,
    entry: Option<&Entry>,
) -> Result<VersionText, RegistryError> {
    if let Some(version) = &new.version {
        return Ok(version.clone());
    }
    let said: Option<VersionText> = report.version.parse().ok();
    let said = match said {
        Some(version) => version,
        None => "1.0.0".parse().map_err(|_| unnamed())?,
    };
    let is_taken = |version: &VersionText| {
        let versions = entry.map(|entry| entry.versions.as_slice()).unwrap_or_default();
        versions.iter().any(|known| {
            known.version == *version && matches!(known.approval, Approval::Approved | Approval::Submitted)
        })
    };
    let next = (0..TRIES).map(|step| bumped(said.as_str(), step));
    next.filter_map(|text| text.parse().ok())
        .find(|version| !is_taken(version))
        .ok_or_else(unnamed)
}

fn unnamed() -> RegistryError {
    RegistryError::invalid(
        "version",
        "no version follows from the description, so one must be named",
    )
}

/// `1.2.3` becomes `1.2.4`; what has no number at its end gets one.
fn bumped(version: &str, step: u32) -> String {
    if step == 0 {
        return version.to_owned();
    }
    let parts: Vec<&str> = version.split('.').collect();
    match parts.as_slice() {
        [major, minor, patch]
            if [major, minor, patch]
                .iter()
                .all(|part| part.parse::<u32>().is_ok()) =>
        {
            let patch = patch.parse::<u32>().unwrap_or_default().saturating_add(step);
            format!("{major}.{minor}.{patch}")
        }
        _ => format!("{version}-{step}"),
    }
}

/// The `server.json` of the version.
pub(super) fn document(new: &NewRest, preview: &RestPreview, mark: &RestMark) -> String {
    let title = &preview.report.title;
    let about = new.about.clone().unwrap_or_else(|| match title.as_str() {
        "" => format!("The API {}", new.name.short()),
        title => title.to_owned(),
    });
    let about: String = about.chars().take(LONGEST).collect();
    let mut document = Map::new();
    document.insert("$schema".to_owned(), json!(SCHEMA));
    document.insert("name".to_owned(), json!(new.name));
    if !title.is_empty() {
        let title: String = title.chars().take(LONGEST).collect();
        document.insert("title".to_owned(), json!(title));
    }
    document.insert("description".to_owned(), json!(about));
    document.insert("version".to_owned(), json!(preview.version));
    mark.put(&mut document);
    serde_json::Value::Object(document).to_string()
}
