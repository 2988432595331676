//! What there is to install of a version.

use portreeve_registry::install::{
    Auth, HostOffer, Installation, Launch, Offer, Prompt, Snippet, SnippetKind,
};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// What there is to install of a version, for the caller.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Installation)]
pub(crate) struct InstallationShape {
    name: String,
    version: String,
    /// What a host is given that takes a registry for its gallery, such as VS Code: paths of the registry API are appended
    /// to it.
    gallery: String,
    /// The ways to the server; the gateway's stands first.
    ways: Vec<WayShape>,
    /// Whether there is a connector file (`GET /api/v1/servers/{name}/connector`).
    connector: bool,
}

/// One way to a server.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = InstallWay)]
struct WayShape {
    /// `gateway`, or the kind of the package that a host runs: `npm`, `pypi`, `nuget`, `oci`, `mcpb`.
    source: &'static str,
    /// `open`: nothing is asked for; `oauth`: the host needs nothing but the URL, and signs the person in; `key`: the
    /// person is asked for a key.
    auth: &'static str,
    /// The address, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    /// The SHA-256 of a bundle.
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
    /// What a person is asked for.
    prompts: Vec<PromptShape>,
    /// The configuration in the words of VS Code: `${input:ID}` stands for an answer.
    config: Map<String, Value>,
    /// The hosts that can be told, each with what one clicks or pastes.
    hosts: Vec<HostShape>,
}

/// Something that a person is asked for.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = InstallPrompt)]
struct PromptShape {
    /// Its name in hosts that ask.
    id: String,
    /// The environment variable in hosts that do not.
    variable: String,
    description: String,
    /// It must not be shown.
    secret: bool,
}

/// What one host is told.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = InstallHost)]
struct HostShape {
    /// Its name in `?host=`.
    id: &'static str,
    title: &'static str,
    /// The best first.
    snippets: Vec<SnippetShape>,
}

/// Something to click or to paste. No secret value is ever in it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = InstallSnippet)]
struct SnippetShape {
    title: &'static str,
    /// `link`, `web-link` (for a text that others read), `command` (POSIX), `powershell`, `file`, `value` (a field of a form) or `markdown`.
    kind: &'static str,
    /// Where a file lies; below a project, unless it begins with `~`.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<&'static str>,
    text: String,
    /// What stands in a link, as the host reads it.
    #[serde(skip_serializing_if = "Option::is_none")]
    decoded: Option<String>,
    /// What a person should know about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<&'static str>,
}

impl From<Installation> for InstallationShape {
    fn from(found: Installation) -> Self {
        Self {
            name: found.name,
            version: found.version,
            // What is asked for here is asked for in a registry.
            gallery: found.gallery.unwrap_or_default(),
            connector: found.connector.is_some(),
            ways: found.offers.into_iter().map(WayShape::from).collect(),
        }
    }
}

impl From<Offer> for WayShape {
    fn from(offer: Offer) -> Self {
        let config = offer.config().0;
        let (url, sha256) = match &offer.setup.launch {
            Launch::Http { url, .. } => (Some(url.clone()), None),
            Launch::Bundle { url, sha256 } => (Some(url.clone()), Some(sha256.clone())),
            Launch::Stdio { .. } => (None, None),
        };
        Self {
            source: offer.setup.source,
            auth: match offer.setup.auth {
                Auth::Open => "open",
                Auth::SignIn { .. } => "oauth",
                Auth::Key => "key",
            },
            url,
            sha256,
            prompts: offer.setup.prompts.iter().map(PromptShape::from).collect(),
            config,
            hosts: offer.hosts.into_iter().map(HostShape::from).collect(),
        }
    }
}

impl From<&Prompt> for PromptShape {
    fn from(prompt: &Prompt) -> Self {
        Self {
            id: prompt.id.clone(),
            variable: prompt.variable(),
            description: prompt.description.clone(),
            secret: prompt.is_secret,
        }
    }
}

impl From<HostOffer> for HostShape {
    fn from(host: HostOffer) -> Self {
        Self {
            id: host.id,
            title: host.title,
            snippets: host.snippets.into_iter().map(SnippetShape::from).collect(),
        }
    }
}

impl From<Snippet> for SnippetShape {
    fn from(snippet: Snippet) -> Self {
        Self {
            title: snippet.title,
            kind: snippet.kind.as_str(),
            path: match snippet.kind {
                SnippetKind::File { path } => Some(path),
                _ => None,
            },
            text: snippet.text,
            decoded: snippet.shows,
            note: snippet.note,
        }
    }
}
