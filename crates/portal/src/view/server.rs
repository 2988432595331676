//! The page of one server.

use askama::Template;
use portreeve_core::server::Version;

use crate::view::badge::{Badge, Monogram};
use crate::view::official::Package;
use crate::view::shell::Shell;
use crate::view::tools::ToolsView;
use crate::words::{self, Moment};

/// One line of the facts.
#[derive(Debug, Clone)]
pub(crate) struct Fact {
    pub(crate) label: &'static str,
    pub(crate) text: String,
    /// Only http and https.
    pub(crate) link: Option<String>,
}

impl Fact {
    pub(crate) fn text(label: &'static str, text: impl Into<String>) -> Self {
        Self {
            label,
            text: text.into(),
            link: None,
        }
    }

    /// An address from a document: a link if it is one, the bare text otherwise.
    pub(crate) fn address(label: &'static str, address: &str) -> Self {
        let text = address
            .trim_start_matches("https://")
            .trim_start_matches("http://")
            .trim_end_matches('/');
        Self {
            label,
            text: text.to_owned(),
            link: words::web_link(address),
        }
    }
}

/// One way of installing a server in a host.
#[derive(Debug, Clone)]
pub(crate) struct Way {
    /// Identity of the text on the page.
    pub(crate) id: String,
    /// The link of one-click ways.
    pub(crate) link: Option<String>,
    /// `Put this into .vscode/mcp.json`.
    pub(crate) label: String,
    /// `the content of .vscode/mcp.json`.
    pub(crate) copy_label: String,
    pub(crate) text: String,
}

/// The ways of one host.
#[derive(Debug, Clone)]
pub(crate) struct HostPanel {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) ways: Vec<Way>,
}

/// One version.
#[derive(Debug, Clone)]
pub(crate) struct VersionRow {
    pub(crate) version: String,
    /// The page of that version, for those that are listed.
    pub(crate) href: Option<String>,
    /// Whether it is the one on the page.
    pub(crate) shown: bool,
    pub(crate) badges: Vec<Badge>,
    pub(crate) message: Option<String>,
    pub(crate) published: Moment,
}

impl VersionRow {
    pub(crate) fn new(version: &Version, shown: &str) -> Self {
        let mut badges: Vec<Badge> = Badge::approval(version.approval).into_iter().collect();
        badges.push(Badge::lifecycle(version.lifecycle));
        if version.is_latest {
            badges.push(Badge::new("Latest", "", "badge-info"));
        }
        let text = version.version.as_str();
        let encoded = percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC);
        Self {
            href: version
                .is_listed()
                .then(|| format!("/servers/{}?version={encoded}", version.name)),
            shown: text == shown,
            version: words::visible(text),
            badges,
            message: version.status_message.as_deref().map(words::visible),
            published: Moment::new(version.published_at),
        }
    }
}

/// A word above the page, after a form was sent.
#[derive(Debug, Clone)]
pub(crate) struct Notice {
    pub(crate) tone: &'static str,
    pub(crate) text: &'static str,
}

/// The page.
#[derive(Template)]
#[template(path = "server.html")]
pub(crate) struct ServerPage {
    pub(crate) shell: Shell,
    pub(crate) canonical: String,
    pub(crate) namespace: String,
    pub(crate) name: String,
    pub(crate) title: String,
    pub(crate) description: String,
    pub(crate) monogram: Monogram,
    pub(crate) badges: Vec<Badge>,
    pub(crate) notice: Option<Notice>,
    pub(crate) hosts: Vec<HostPanel>,
    pub(crate) tools: ToolsView,
    pub(crate) packages: Vec<Package>,
    pub(crate) versions: Vec<VersionRow>,
    pub(crate) gateway_url: Option<String>,
    pub(crate) facts: Vec<Fact>,
}
