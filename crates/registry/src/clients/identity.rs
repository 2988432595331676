//! By what a server is recognised: where it is, or which package it is, however a host or a document writes that.
//!
//! Before: an address or a package was read. After: `proposal` makes one entry of what is one server, and the command
//! line tells what is registered already.

use std::collections::BTreeSet;

use serde_json::Value;
use url::Url;

use super::private;

/// By what a server is the same wherever it is named.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Identity {
    /// Where it is, without what may be a secret.
    Endpoint(String),
    /// Its package: where that is from, and its name there.
    Package(String, String),
}

impl Identity {
    /// Those of a document that is registered already.
    pub fn of_document(document: &Value) -> BTreeSet<Self> {
        let list = |name: &str| document.get(name).and_then(Value::as_array).into_iter().flatten();
        let text = |item: &Value, name: &str| item.get(name).and_then(Value::as_str).map(str::to_owned);
        let remotes = list("remotes").filter_map(|remote| Some(Self::endpoint(&text(remote, "url")?)));
        let packages = list("packages").filter_map(|package| {
            let identifier = text(package, "identifier")?;
            Some(Self::package(&text(package, "registryType")?, &identifier))
        });
        remotes.chain(packages).collect()
    }

    pub(super) fn endpoint(url: &str) -> Self {
        let whole = match Url::parse(url) {
            Ok(_) if !url.contains('{') => private::shown_url(url),
            _ => url.to_owned(),
        };
        let base = whole.split('?').next().unwrap_or(&whole);
        Self::Endpoint(base.trim_end_matches('/').to_ascii_lowercase())
    }

    pub(super) fn package(kind: &str, identifier: &str) -> Self {
        let plain = match kind {
            // An image is the same in every tag.
            "oci" => {
                let base = identifier.split('@').next().unwrap_or(identifier);
                let tag = base
                    .rfind(':')
                    .filter(|place| !base.get(*place..).unwrap_or_default().contains('/'));
                let base = tag.and_then(|place| base.get(..place)).unwrap_or(base);
                base.strip_prefix("docker.io/").unwrap_or(base).to_owned()
            }
            "pypi" => identifier.to_ascii_lowercase().replace(['_', '.'], "-"),
            _ => identifier.to_ascii_lowercase(),
        };
        Self::Package(kind.to_owned(), plain)
    }

    /// A word that a search for it would find.
    pub fn word(&self) -> String {
        let (text, separator) = match self {
            Self::Endpoint(url) => {
                let host = Url::parse(url)
                    .ok()
                    .and_then(|url| url.host_str().map(str::to_owned));
                let host = host.unwrap_or_default();
                let mut labels: Vec<&str> = host.split('.').collect();
                labels.retain(|label| !matches!(*label, "mcp" | "www" | "api"));
                return labels
                    .first()
                    .map(|label| (*label).to_owned())
                    .unwrap_or_default();
            }
            Self::Package(_, identifier) => (identifier, '/'),
        };
        text.rsplit(separator).next().unwrap_or(text).to_owned()
    }
}
