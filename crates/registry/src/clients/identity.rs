//! By what a server is recognised: where it is, or which package it is, however a host or a document writes that.
//!
//! Before: an address or a package was read. After: `proposal` makes one entry of what is one server, and the command
//! line tells what is registered already.

use std::collections::BTreeSet;

use portreeve_inspect::sha256_hex;
use serde_json::Value;
use url::Url;

/// By what a server is the same wherever it is named.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Identity {
    /// Where it is.
    Endpoint {
        /// What its host is called.
        host: String,
        /// Stands for the whole address, path and query as they are: two queries are two servers. The address itself may
        /// hold a credential, and is not kept here.
        digest: String,
    },
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
        let (host, whole) = match Url::parse(url.trim()) {
            Ok(mut parsed) => {
                let host = parsed.host_str().map(host_word).unwrap_or_default();
                // Who calls and which part of a page is meant are not where the server is.
                parsed.set_fragment(None);
                if parsed.query() == Some("") {
                    parsed.set_query(None);
                }
                let has_no_user = parsed.set_username("").is_ok() && parsed.set_password(None).is_ok();
                let whole = if has_no_user { parsed.as_str() } else { url };
                (host, whole.to_owned())
            }
            Err(_) => (String::new(), url.to_owned()),
        };
        Self::Endpoint {
            host,
            digest: sha256_hex(whole.as_bytes()),
        }
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
        match self {
            Self::Endpoint { host, .. } => host.clone(),
            Self::Package(_, identifier) => identifier.rsplit('/').next().unwrap_or(identifier).to_owned(),
        }
    }
}

/// The first label of a host that says whose it is.
fn host_word(host: &str) -> String {
    let mut labels = host.split('.');
    let word = labels.find(|label| !matches!(*label, "mcp" | "www" | "api"));
    word.unwrap_or_default().to_owned()
}
