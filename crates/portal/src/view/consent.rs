//! The page that asks: which program, who vouches for its name, where the code goes, which server, how much of it.

use askama::Template;
use portreeve_access::Asked;
use portreeve_core::oauth::{ClientKind, ToolClass};

use crate::view::shell::Shell;
use crate::words::{self, Moment};

/// What the page is made of.
pub(crate) struct ConsentParts<'a> {
    /// The question.
    pub(crate) asked: &'a Asked,
    /// Who is asked.
    pub(crate) label: &'a str,
    /// The token of the form.
    pub(crate) token: String,
}

/// A server that may be chosen.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    pub(crate) uri: String,
    pub(crate) title: String,
    pub(crate) name: String,
}

/// Who says that the program is what it calls itself.
#[derive(Debug, Clone)]
pub(crate) enum Voucher {
    /// The host that serves its document.
    Host(String),
    /// An administrator.
    Administrator,
    /// Nobody.
    Nobody(Moment),
}

/// The page.
#[derive(Template)]
#[template(path = "consent.html")]
pub(crate) struct ConsentPage {
    pub(crate) shell: Shell,
    pub(crate) label: String,
    pub(crate) client: String,
    pub(crate) client_id: String,
    pub(crate) voucher: Voucher,
    pub(crate) redirect_host: String,
    pub(crate) redirect: String,
    pub(crate) is_loopback: bool,
    pub(crate) servers: Vec<Server>,
    pub(crate) writes: bool,
    pub(crate) request: String,
    pub(crate) token: String,
}

impl ConsentPage {
    pub(crate) fn new(shell: Shell, parts: &ConsentParts<'_>) -> Self {
        let asked = parts.asked;
        let client = &asked.client;
        let voucher = match client.kind {
            ClientKind::Document => Voucher::Host(host_of(client.id.as_str())),
            ClientKind::Managed => Voucher::Administrator,
            ClientKind::Registered => Voucher::Nobody(Moment::new(client.created_at)),
        };
        let server = |resource: &portreeve_core::oauth::ProtectedResource| Server {
            uri: resource.uri.clone(),
            title: words::visible(&resource.title),
            name: resource.server.to_string(),
        };
        // A request that leaves everything open may get everything.
        let writes =
            asked.scopes.is_empty() || asked.scopes.iter().any(|scope| scope.class == ToolClass::Write);
        Self {
            shell,
            label: words::visible(parts.label),
            client: words::visible(&client.name),
            client_id: client.id.to_string(),
            voucher,
            redirect_host: asked.redirect.host(),
            redirect: asked.redirect.to_string(),
            is_loopback: asked.redirect.is_loopback(),
            servers: asked.resources.iter().map(server).collect(),
            writes,
            request: asked.request.expose().to_owned(),
            token: parts.token.clone(),
        }
    }
}

/// The host of a document's address, with its port.
fn host_of(address: &str) -> String {
    let rest = address.strip_prefix("https://").unwrap_or(address);
    rest.split('/').next().unwrap_or_default().to_owned()
}
