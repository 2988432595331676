//! The part of a server's page that makes a host use it: one host at a time, chosen by a link.
//!
//! Before: `registry::install` wrote what each host is told. After: `server.html` and `install.html` show it.

use portreeve_registry::install::{
    Auth, HostOffer, Installation, Launch, Offer, Prompt, Snippet, SnippetKind,
};

use crate::view::form::Tab;
use crate::words;

/// One thing to click or to copy.
#[derive(Debug, Clone)]
pub(crate) struct Way {
    /// Identity of the text on the page.
    pub(crate) id: String,
    /// What it does: `Install in VS Code`, `Add on the command line`.
    pub(crate) title: String,
    /// Where a file lies.
    pub(crate) path: Option<&'static str>,
    /// The address of ways that are clicked.
    pub(crate) link: Option<String>,
    /// The text of ways that are copied.
    pub(crate) text: String,
    /// What stands in a link.
    pub(crate) decoded: Option<String>,
    /// What one should know about it.
    pub(crate) note: Option<String>,
}

/// Something that a person is asked for.
#[derive(Debug, Clone)]
pub(crate) struct Ask {
    pub(crate) variable: String,
    pub(crate) description: String,
    pub(crate) secret: bool,
}

/// The part of the page.
#[derive(Debug, Clone)]
pub(crate) struct InstallView {
    /// Where it comes from, where there is a choice.
    pub(crate) sources: Vec<Tab>,
    /// The hosts.
    pub(crate) hosts: Vec<Tab>,
    /// The host that is shown.
    pub(crate) title: &'static str,
    /// How one is let in, as a sentence.
    pub(crate) entry: &'static str,
    /// What a person is asked for.
    pub(crate) asks: Vec<Ask>,
    /// What is clicked, the best first.
    pub(crate) clicks: Vec<Way>,
    /// What is copied: fields, commands, files.
    pub(crate) texts: Vec<Way>,
    /// Links for texts that others read.
    pub(crate) links: Vec<Way>,
    /// Where the connector files are, JSON and YAML.
    pub(crate) connector: Option<(String, String)>,
    /// The registry that a host may be given, where the visitor reads the server in one.
    pub(crate) gallery: Option<String>,
}

/// What is chosen on the page.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Choice<'a> {
    pub(crate) host: Option<&'a str>,
    pub(crate) source: Option<&'a str>,
    /// The version in the address, if one was named.
    pub(crate) version: Option<&'a str>,
}

impl InstallView {
    /// What is chosen, or the first of it where that is not there.
    pub(crate) fn new(found: &Installation, choice: Choice<'_>) -> Option<Self> {
        let chosen = choice.source.and_then(|place| place.parse::<usize>().ok());
        let chosen = chosen.filter(|place| *place < found.offers.len()).unwrap_or(0);
        let offer = found.offers.get(chosen)?;
        let by_id = offer.hosts.iter().find(|host| Some(host.id) == choice.host);
        let host = by_id.or_else(|| offer.hosts.first())?;
        let address = |place: usize, host: &str| {
            let mut query = url::form_urlencoded::Serializer::new(String::new());
            if let Some(version) = choice.version {
                query.append_pair("version", version);
            }
            if place != 0 {
                query.append_pair("from", &place.to_string());
            }
            query.append_pair("host", host);
            format!("/servers/{}?{}#install", found.name, query.finish())
        };
        let several = found.offers.len() > 1;
        let source = |(place, other): (usize, &Offer)| Tab {
            href: address(place, host.id),
            text: source_title(other.setup.source).to_owned(),
            current: place == chosen,
        };
        let sources = found
            .offers
            .iter()
            .enumerate()
            .filter(|_| several)
            .map(source)
            .collect();
        let hosts = offer.hosts.iter().map(|one| Tab {
            href: address(chosen, one.id),
            text: one.title.to_owned(),
            current: one.id == host.id,
        });
        let of = |kinds: fn(SnippetKind) -> bool| ways(host, kinds);
        Some(Self {
            sources,
            hosts: hosts.collect(),
            title: host.title,
            entry: entry(offer, host),
            asks: asks(offer, host),
            clicks: of(|kind| kind == SnippetKind::Link),
            texts: of(|kind| !matches!(kind, SnippetKind::Link | SnippetKind::WebLink)),
            links: of(|kind| kind == SnippetKind::WebLink),
            connector: connector(found, host, choice.version),
            gallery: found.gallery.clone(),
        })
    }
}

fn connector(found: &Installation, host: &HostOffer, version: Option<&str>) -> Option<(String, String)> {
    found.connector.as_ref().filter(|_| host.id == "copilot-studio")?;
    let address = |format: &str| {
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        query.append_pair("format", format);
        if let Some(version) = version {
            query.append_pair("version", version);
        }
        format!("/servers/{}/connector?{}", found.name, query.finish())
    };
    Some((address("json"), address("yaml")))
}

fn source_title(source: &'static str) -> &'static str {
    match source {
        "gateway" => "Through the gateway",
        "npm" => "npm package",
        "pypi" => "PyPI package",
        "nuget" => "NuGet package",
        "oci" => "Container image",
        "mcpb" => "Bundle",
        other => other,
    }
}

fn entry(offer: &Offer, host: &HostOffer) -> &'static str {
    match (&offer.setup.launch, offer.setup.auth) {
        (Launch::Http { .. }, Auth::SignIn { .. }) if host.id == "copilot-coding-agent" => {
            "It is entered with a key, because this host cannot sign you in."
        }
        (Launch::Http { .. }, Auth::SignIn { .. }) => {
            "The host needs nothing but the URL: it finds out how to sign you in, and opens your browser."
        }
        (Launch::Http { .. }, Auth::Key) => "It is entered with a key.",
        (Launch::Http { .. }, Auth::Open) => "It is open: nobody is asked for anything.",
        (Launch::Stdio { .. }, _) => {
            "It runs on your own machine, with your rights. Nothing of it passes through the gateway."
        }
        (Launch::Bundle { .. }, _) => {
            "It is downloaded and runs on your own machine, with your rights. Nothing of it passes through the gateway."
        }
    }
}

/// The host that cannot sign anybody in asks for the key of the same route.
fn asks(offer: &Offer, host: &HostOffer) -> Vec<Ask> {
    let prompts = match &offer.setup.keyed {
        Some(keyed) if host.id == "copilot-coding-agent" => &keyed.prompts,
        _ => &offer.setup.prompts,
    };
    let ask = |prompt: &Prompt| Ask {
        variable: prompt.variable(),
        description: words::visible(&prompt.description),
        secret: prompt.is_secret,
    };
    prompts.iter().map(ask).collect()
}

fn ways(host: &HostOffer, kinds: fn(SnippetKind) -> bool) -> Vec<Way> {
    let of = |(index, snippet): (usize, &Snippet)| way(format!("install-{index}"), snippet);
    let all = host.snippets.iter().enumerate();
    all.filter(|(_, snippet)| kinds(snippet.kind)).map(of).collect()
}

fn way(id: String, snippet: &Snippet) -> Way {
    let clicked = snippet.kind == SnippetKind::Link && opens_a_host(&snippet.text);
    Way {
        id,
        title: snippet.title.to_owned(),
        path: match snippet.kind {
            SnippetKind::File { path } => Some(path),
            _ => None,
        },
        link: clicked.then(|| snippet.text.clone()),
        text: snippet.text.trim_end().to_owned(),
        decoded: snippet.shows.as_deref().map(|text| text.trim_end().to_owned()),
        // The command line sets code in backticks; a page has no need to.
        note: snippet.note.map(|note| note.replace('`', "")),
    }
}

/// Only these schemes become links: a browser must never be handed a script.
fn opens_a_host(text: &str) -> bool {
    const SCHEMES: [&str; 7] = [
        "https",
        "vscode",
        "vscode-insiders",
        "vsweb+mcp",
        "cursor",
        "lmstudio",
        "goose",
    ];
    url::Url::parse(text).is_ok_and(|url| {
        SCHEMES.contains(&url.scheme()) || (url.scheme() == "http" && url.host_str() == Some("localhost"))
    })
}

#[cfg(test)]
mod tests {
    use super::opens_a_host;

    #[test]
    fn only_known_schemes_are_links() {
        for link in [
            "vscode:mcp/install?x",
            "https://kiro.dev/x",
            "http://localhost:6274/?a",
        ] {
            assert!(opens_a_host(link), "{link}");
        }
        for link in [
            "javascript:alert(1)",
            "data:text/html,x",
            "http://evil.example/",
            "file:///etc",
            "x",
        ] {
            assert!(!opens_a_host(link), "{link}");
        }
    }
}
