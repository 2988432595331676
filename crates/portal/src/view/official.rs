//! The public fields of a version, read from the official `server.json` shape that hosts read too.

use serde_json::Value;

use crate::view::badge::Badge;
use crate::words;

/// A server.json document (or the `server` part of a v0.1 answer) as pages show it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Official {
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) website: Option<String>,
    pub(crate) repository: Option<String>,
    pub(crate) remotes: Vec<String>,
    pub(crate) packages: Vec<Package>,
}

/// One package.
#[derive(Debug, Clone)]
pub(crate) struct Package {
    /// `npm`, `pypi`, `oci`, ...
    pub(crate) kind: String,
    pub(crate) identifier: String,
    pub(crate) version: String,
    pub(crate) transport: String,
    /// The environment variables it reads.
    pub(crate) needs: Vec<Need>,
}

/// One input that a package needs.
#[derive(Debug, Clone)]
pub(crate) struct Need {
    pub(crate) name: String,
    pub(crate) secret: bool,
    pub(crate) required: bool,
}

fn text(value: &Value, key: &str) -> String {
    words::visible(value.get(key).and_then(Value::as_str).unwrap_or_default().trim())
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    value.get(key).and_then(Value::as_array).into_iter().flatten()
}

fn flag(value: &Value, key: &str) -> bool {
    value.get(key).and_then(Value::as_bool).unwrap_or(false)
}

impl Official {
    /// Reads a document. What is missing or of another type stays empty: a page is shown in any case.
    pub(crate) fn read(document: &Value) -> Self {
        let name = text(document, "name");
        let title = match text(document, "title") {
            title if title.is_empty() => name
                .split_once('/')
                .map_or(name.clone(), |(_, short)| short.to_owned()),
            title => title,
        };
        let repository = document
            .get("repository")
            .map(|repository| text(repository, "url"));
        Self {
            title,
            description: text(document, "description"),
            website: Some(text(document, "websiteUrl")).filter(|url| !url.is_empty()),
            repository: repository.filter(|url| !url.is_empty()),
            remotes: list(document, "remotes")
                .map(|remote| text(remote, "url"))
                .collect(),
            packages: list(document, "packages").map(package).collect(),
        }
    }

    /// Reads a document from its text.
    pub(crate) fn parse(document: &str) -> Self {
        Self::read(&serde_json::from_str(document).unwrap_or(Value::Null))
    }

    /// The same without addresses of upstreams, for a version that no route serves.
    pub(crate) fn without_remotes(mut self) -> Self {
        self.remotes.clear();
        self
    }

    /// `Local, npm package` and the like, one badge for each way of packaging.
    pub(crate) fn package_badges(&self) -> Vec<Badge> {
        let mut kinds: Vec<&str> = self
            .packages
            .iter()
            .map(|package| package.kind.as_str())
            .collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds
            .into_iter()
            .map(|kind| Badge::kind(package_words(kind)))
            .collect()
    }
}

/// How people call a package of that registry.
fn package_words(kind: &str) -> String {
    match kind {
        "npm" => "Local, npm package".to_owned(),
        "pypi" => "Local, PyPI package".to_owned(),
        "nuget" => "Local, NuGet package".to_owned(),
        "cargo" => "Local, crate".to_owned(),
        "oci" => "Local, container".to_owned(),
        "mcpb" => "Local, bundle".to_owned(),
        other => format!("Local, {other} package"),
    }
}

fn package(package: &Value) -> Package {
    let transport = package.get("transport").map(|transport| text(transport, "type"));
    Package {
        kind: text(package, "registryType"),
        identifier: text(package, "identifier"),
        version: text(package, "version"),
        transport: transport.unwrap_or_default(),
        needs: list(package, "environmentVariables").map(need).collect(),
    }
}

fn need(input: &Value) -> Need {
    Need {
        name: text(input, "name"),
        secret: flag(input, "isSecret"),
        required: flag(input, "isRequired"),
    }
}
