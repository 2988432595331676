//! Draft to Valid: everything that can be said about a document without the network. All problems, not the first.
//!
//! Before: `publish` received a text. After: `publish` asks the egress guard about the upstream and saves.

use portreeve_core::limits::Limits;
use portreeve_core::name::{ServerName, VersionText};
use portreeve_inspect::content_hash;
use portreeve_mcp::server_json::{self, Problem, Reading, Remote};
use url::Url;

use crate::error::RegistryError;
use crate::mcp_face;

/// A document that may be stored.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Valid {
    pub(crate) name: ServerName,
    pub(crate) version: VersionText,
    /// The text as it was sent, without a byte order mark.
    pub(crate) document: String,
    pub(crate) content_hash: String,
    /// Where a route would lead.
    pub(crate) upstream: Option<Url>,
}

/// A document that was read, but not judged: enough to know whom it concerns.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Draft {
    document: String,
    reading: Reading,
}

// === impl Draft ===

impl Draft {
    /// Reads a submitted text.
    pub(crate) fn read(text: &str, limits: &Limits) -> Result<Self, RegistryError> {
        let document = text.strip_prefix('\u{feff}').unwrap_or(text);
        let reading = server_json::parse(document, limits.document_bytes)
            .map_err(|error| RegistryError::invalid("$", error.to_string()))?;
        Ok(Self {
            document: document.to_owned(),
            reading,
        })
    }

    /// The name that it claims, if that is a name.
    pub(crate) fn name(&self) -> Option<&ServerName> {
        self.reading.view.name.as_ref()
    }

    /// Judges it.
    pub(crate) fn validate(self, public_url: &Url) -> Result<Valid, RegistryError> {
        let Reading {
            view, mut problems, ..
        } = self.reading;
        for (index, remote) in view.remotes.iter().enumerate() {
            check_remote(index, remote, public_url, &mut problems);
        }
        let upstream = view.upstream().and_then(|remote| match concrete(remote) {
            Ok(url) => Some(url),
            Err(problem) => {
                problems.push(at(&view.remotes, remote, problem));
                None
            }
        });
        if view.name.as_ref().is_some_and(mcp_face::is_reserved) {
            problems.push(problem("name", "it stands for this registry itself"));
        }
        let content_hash = content_hash(&self.document)
            .map_err(|error| problems.push(problem("$", error.to_string())))
            .ok();
        match (view.name, view.version, content_hash) {
            (Some(name), Some(version), Some(content_hash)) if problems.is_empty() => Ok(Valid {
                name,
                version,
                document: self.document,
                content_hash,
                upstream,
            }),
            _ => Err(RegistryError::Invalid(problems)),
        }
    }
}

/// Where a route to a stored document would lead. Documents of another time may not pass today's rules.
pub(crate) fn upstream_of(document: &str) -> Option<Url> {
    let serde_json::Value::Object(raw) = serde_json::from_str(document).ok()? else {
        return None;
    };
    let view = server_json::ServerJson::view(&raw);
    view.upstream().and_then(|remote| concrete(remote).ok())
}

fn concrete(remote: &Remote) -> Result<Url, String> {
    if remote.is_templated() {
        return Err("it has variables; fill them in, since a route leads to one place".to_owned());
    }
    Url::parse(&remote.url).map_err(|error| format!("it is not a URL: {error}"))
}

fn check_remote(index: usize, remote: &Remote, public_url: &Url, problems: &mut Vec<Problem>) {
    let Ok(url) = Url::parse(&remote.url) else {
        return;
    };
    let path = format!("remotes[{index}].url");
    if !url.username().is_empty() || url.password().is_some() {
        problems.push(problem(
            &path,
            "it carries a user name or a password; documents are public",
        ));
    }
    let prefix = public_url.path().trim_end_matches('/');
    let below = url.path().strip_prefix(prefix).unwrap_or_default();
    if url.origin() == public_url.origin() && (below.starts_with("/s/") || below == "/mcp") {
        problems.push(problem(&path, "it leads back to this gateway"));
    }
}

fn at(remotes: &[Remote], remote: &Remote, message: String) -> Problem {
    let index = remotes
        .iter()
        .position(|other| other == remote)
        .unwrap_or_default();
    problem(&format!("remotes[{index}].url"), message)
}

fn problem(path: &str, message: impl Into<String>) -> Problem {
    Problem {
        path: path.to_owned(),
        message: message.into(),
    }
}
