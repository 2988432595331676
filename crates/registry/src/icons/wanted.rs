//! Which icons an entry names: those of its profile before those of the document that hosts get.

use portreeve_core::icon::IconTheme;
use portreeve_core::limits::Limits;
use portreeve_core::ports::Entry;
use portreeve_core::server::Version;
use serde_json::Value;

/// An icon that shall be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    /// Where it is named.
    pub(super) path: String,
    /// Where it lies.
    pub(super) url: String,
    /// What it is made for.
    pub(super) theme: Option<IconTheme>,
}

/// The icons of an entry, each address once. None while no version of it is listed.
pub(super) fn wanted(entry: &Entry, limits: &Limits) -> Vec<Wanted> {
    let versions = &entry.versions;
    let latest = versions
        .iter()
        .find(|version| version.is_latest && version.is_listed());
    let Some(version) = latest.or_else(|| versions.iter().find(|version| version.is_listed())) else {
        return Vec::new();
    };
    let icons = entry.server.profile.icons.iter().enumerate();
    let of_profile = icons.map(|(index, url)| Wanted {
        path: format!("profile.icons[{index}]"),
        url: url.clone(),
        theme: None,
    });
    let mut wanted: Vec<Wanted> = Vec::new();
    for icon in of_profile.chain(of_document(version)) {
        if wanted.len() == limits.icons_per_server {
            break;
        }
        if icon.url.len() <= limits.url_bytes && !wanted.iter().any(|known| known.url == icon.url) {
            wanted.push(icon);
        }
    }
    wanted
}

fn of_document(version: &Version) -> Vec<Wanted> {
    let document: Value = serde_json::from_str(&version.document).unwrap_or_default();
    let icons = document["icons"]
        .as_array()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let named = |(index, icon): (usize, &Value)| {
        Some(Wanted {
            path: format!("icons[{index}]"),
            url: icon["src"].as_str()?.to_owned(),
            theme: icon["theme"].as_str().and_then(IconTheme::from_word),
        })
    };
    icons.iter().enumerate().filter_map(named).collect()
}
