//! Records of the official registry, from its API or a dump of it: the document, and what the registry says beside it.

use portreeve_core::import::ImportKind;
use portreeve_core::limits::Limits;
use portreeve_core::served::OFFICIAL_META;
use portreeve_core::time::Timestamp;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::page::items_of;
use super::server_json::{Beside, candidate};
use super::{Candidate, Importer, Record, SourceStatus};

/// The importer.
pub(super) struct OfficialRegistry(pub(super) ImportKind);

/// A record, or a list of them.
#[derive(Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    server: Option<&'a RawValue>,
    #[serde(borrow)]
    servers: Option<&'a RawValue>,
    #[serde(borrow, rename = "_meta")]
    meta: Option<&'a RawValue>,
}

/// What the registry says beside the document.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Official {
    status: Option<String>,
    published_at: Option<String>,
    #[serde(rename = "published_at")]
    published_at_old: Option<String>,
}

impl Importer for OfficialRegistry {
    fn kind(&self) -> ImportKind {
        self.0
    }

    fn read(&self, record: &Record, limits: &Limits) -> Vec<Candidate> {
        let text = record.text.trim_start_matches('\u{feff}');
        let Ok(envelope) = serde_json::from_str::<Envelope<'_>>(text) else {
            return vec![candidate(record, text, Beside::default(), limits)];
        };
        let Some(servers) = envelope.servers else {
            return vec![one(record, text, &envelope, limits)];
        };
        let servers = match items_of(servers, limits.import_batch_records) {
            Ok(servers) => servers.into_iter().enumerate(),
            Err(error) => return vec![Candidate::refused(record, "servers", error.to_string())],
        };
        let read = |(index, server): (usize, &RawValue)| {
            let inner = Record {
                place: format!("{}servers[{index}]", prefix(&record.place)),
                text: server.get().to_owned(),
            };
            match serde_json::from_str::<Envelope<'_>>(&inner.text) {
                // Lists in lists could be as deep as somebody likes.
                Ok(envelope) if envelope.servers.is_some() => {
                    Candidate::refused(&inner, "servers", "a list stands within a list")
                }
                Ok(envelope) => one(&inner, &inner.text, &envelope, limits),
                Err(_) => candidate(&inner, &inner.text, Beside::default(), limits),
            }
        };
        servers.map(read).collect()
    }
}

/// One server, with what the registry says beside it.
fn one(record: &Record, text: &str, envelope: &Envelope<'_>, limits: &Limits) -> Candidate {
    // A document without an envelope has a `_meta` of its own, which is not the registry's.
    let Some(server) = envelope.server else {
        return candidate(record, text, Beside::default(), limits);
    };
    let official = envelope.meta.map(read_official).unwrap_or_default();
    let published = official.published_at.or(official.published_at_old);
    let beside = Beside {
        status: official.status.as_deref().map(SourceStatus::from_word),
        published_at: published.as_deref().and_then(Timestamp::parse),
    };
    candidate(record, server.get(), beside, limits)
}

fn prefix(place: &str) -> String {
    if place.is_empty() {
        String::new()
    } else {
        format!("{place}#")
    }
}

/// Other registries speak under keys of their own; the first that knows a status is heard.
fn read_official(meta: &RawValue) -> Official {
    let Ok(parts) = serde_json::from_str::<std::collections::BTreeMap<String, Box<RawValue>>>(meta.get())
    else {
        return Official::default();
    };
    if let Some(official) = parts.get(OFFICIAL_META) {
        return serde_json::from_str(official.get()).unwrap_or_default();
    }
    parts
        .values()
        .filter_map(|part| serde_json::from_str::<Official>(part.get()).ok())
        .find(|official| official.status.is_some())
        .unwrap_or_default()
}
