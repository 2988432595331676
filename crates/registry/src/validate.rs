//! Draft to Valid: everything that can be said about a document without the network. All problems, not the first.
//!
//! Before: `publish` received a text. After: `publish` asks the egress guard about the upstream and saves.

use portreeve_core::limits::Limits;
use portreeve_core::members::{VIRTUAL_META, VirtualServer};
use portreeve_core::name::{ServerName, VersionText};
use portreeve_core::rest::RestMark;
use portreeve_core::served::PUBLISHER_META;
use portreeve_inspect::content_hash;
use portreeve_mcp::server_json::{self, Problem, Reading, Remote};
use serde_json::{Map, Value};
use url::Url;

use crate::error::RegistryError;
use crate::mcp_face;

/// Members of a virtual server.
const MOST_MEMBERS: usize = Limits::MEMBERS;
/// Bytes of a deployment's address.
const LONGEST_URL: usize = 2_048;

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

/// What was said about a document.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Judgement {
    /// The document, if it can be told which one it is.
    pub(crate) valid: Option<Valid>,
    /// What does not have the form of a document.
    pub(crate) shape: Vec<Problem>,
    /// What breaks a rule.
    pub(crate) rules: Vec<Problem>,
    /// What should be mended.
    pub(crate) warnings: Vec<Problem>,
}

// === impl Draft ===

impl Draft {
    /// Reads a submitted text.
    pub(crate) fn read(text: &str, limits: &Limits) -> Result<Self, RegistryError> {
        let document = text.strip_prefix('\u{feff}').unwrap_or(text);
        let mut reading = server_json::parse(document, limits.document_bytes)
            .map_err(|error| RegistryError::invalid("$", error.to_string()))?;
        // Each of a hundred thousand things may be wrong; the first hundreds are enough to begin with.
        reading.problems.truncate(limits.document_problems);
        reading.warnings.truncate(limits.document_problems);
        Ok(Self {
            document: document.to_owned(),
            reading,
        })
    }

    /// The name that it claims, if that is a name.
    pub(crate) fn name(&self) -> Option<&ServerName> {
        self.reading.view.name.as_ref()
    }

    /// The document as it is.
    pub(crate) fn raw(&self) -> &Map<String, Value> {
        &self.reading.raw
    }

    /// The version that it claims, if that is a version.
    pub(crate) fn version(&self) -> Option<&VersionText> {
        self.reading.view.version.as_ref()
    }

    /// Judges it, and refuses it when anything is wrong.
    pub(crate) fn validate(self, public_url: &Url) -> Result<Valid, RegistryError> {
        self.judge(public_url).into_valid()
    }

    /// Everything that can be said about it.
    pub(crate) fn judge(self, public_url: &Url) -> Judgement {
        let Reading {
            raw,
            view,
            problems,
            warnings,
        } = self.reading;
        let mut rules = Vec::new();
        for (index, remote) in view.remotes.iter().enumerate() {
            check_remote(index, remote, public_url, &mut rules);
        }
        let mark = RestMark::of(&self.document);
        if let Some(mark) = &mark {
            check_api(mark, &view.remotes, public_url, &mut rules);
        }
        let api = mark.and_then(|mark| Url::parse(&mark.base_url).ok());
        let members = check_members(raw, &view.remotes, &mut rules);
        let members = members.and_then(|members| Url::parse(&members.address()).ok());
        let upstream = api.or(members).or_else(|| {
            view.upstream().and_then(|remote| match concrete(remote) {
                Ok(url) => Some(url),
                Err(problem) => {
                    rules.push(at(&view.remotes, remote, problem));
                    None
                }
            })
        });
        if view.name.as_ref().is_some_and(mcp_face::is_reserved) {
            rules.push(problem("name", "it stands for this registry itself"));
        }
        let content_hash = content_hash(&self.document)
            .map_err(|error| rules.push(problem("$", error.to_string())))
            .ok();
        let valid = match (view.name, view.version, content_hash) {
            (Some(name), Some(version), Some(content_hash)) => Some(Valid {
                name,
                version,
                document: self.document,
                content_hash,
                upstream,
            }),
            _ => None,
        };
        Judgement {
            valid,
            shape: problems,
            rules,
            warnings,
        }
    }
}

// === impl Judgement ===

impl Judgement {
    /// The document, if nothing is wrong with it.
    pub(crate) fn into_valid(self) -> Result<Valid, RegistryError> {
        let mut problems = self.shape;
        problems.extend(self.rules);
        match self.valid {
            Some(valid) if problems.is_empty() => Ok(valid),
            _ => Err(RegistryError::Invalid(problems)),
        }
    }
}

/// A REST API has one place, and that is in its mark.
fn check_api(mark: &RestMark, remotes: &[Remote], public_url: &Url, problems: &mut Vec<Problem>) {
    check_endpoint("_meta", &mark.base_url, public_url, problems);
    if !remotes.is_empty() {
        problems.push(problem(
            "remotes",
            "a REST API has no remotes: the gateway is its MCP endpoint",
        ));
    }
}

/// A virtual server has members, and nothing else to lead to.
fn check_members(
    raw: Map<String, Value>,
    remotes: &[Remote],
    problems: &mut Vec<Problem>,
) -> Option<VirtualServer> {
    let place = format!("_meta.{PUBLISHER_META}.{VIRTUAL_META}");
    let server = match VirtualServer::read(&Value::Object(raw))? {
        Ok(server) => server,
        Err(error) => {
            problems.push(problem(&place, error));
            return None;
        }
    };
    if let Err(error) = server.check(MOST_MEMBERS) {
        problems.push(problem(&place, error.to_string()));
    }
    if !remotes.is_empty() {
        problems.push(problem(
            "remotes",
            "a virtual server has no remotes: the gateway is its MCP endpoint",
        ));
    }
    Some(server)
}

/// Where a route to a stored document would lead. Documents of another time may not pass today's rules.
pub(crate) fn upstream_of(document: &str) -> Option<Url> {
    if let Some(mark) = RestMark::of(document) {
        return Url::parse(&mark.base_url).ok();
    }
    if let Some(server) = VirtualServer::of(document) {
        return Url::parse(&server.address()).ok();
    }
    let Value::Object(raw) = serde_json::from_str(document).ok()? else {
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
    if let Ok(url) = Url::parse(&remote.url) {
        check_url(&format!("remotes[{index}].url"), &url, public_url, problems);
    }
}

/// An address that a deployment leads to: one place, written out.
pub(crate) fn check_endpoint(path: &str, text: &str, public_url: &Url, problems: &mut Vec<Problem>) {
    if text.len() > LONGEST_URL || text.contains('{') {
        problems.push(problem(
            path,
            "it must be the address of one place, without variables and at most 2,048 bytes long",
        ));
        return;
    }
    match Url::parse(text) {
        Ok(url) if url.has_host() && matches!(url.scheme(), "http" | "https") => {
            check_url(path, &url, public_url, problems);
        }
        Ok(_) => problems.push(problem(path, "it is not the address of an HTTP server")),
        Err(error) => problems.push(problem(path, format!("it is not a URL: {error}"))),
    }
}

fn check_url(path: &str, url: &Url, public_url: &Url, problems: &mut Vec<Problem>) {
    if !url.username().is_empty() || url.password().is_some() {
        problems.push(problem(
            path,
            "it carries a user name or a password; documents are public",
        ));
    }
    let prefix = public_url.path().trim_end_matches('/');
    let below = url.path().strip_prefix(prefix).unwrap_or_default();
    if url.origin() == public_url.origin() && (below.starts_with("/s/") || below == "/mcp") {
        problems.push(problem(path, "it leads back to this gateway"));
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
