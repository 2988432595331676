//! The programs that somebody allowed something.

use askama::Template;
use portreeve_access::Allowed;
use portreeve_core::oauth::{Authorization, Client};

use crate::view::account::account_tabs;
use crate::view::form::Tab;
use crate::view::shell::Shell;
use crate::words::{self, Moment};

/// One program.
#[derive(Debug, Clone)]
pub(crate) struct ClientRow {
    pub(crate) id: String,
    pub(crate) name: String,
    /// What it may do, each line a resource.
    pub(crate) allowed: Vec<AllowedRow>,
    pub(crate) used_at: Moment,
}

/// One thing that was allowed.
#[derive(Debug, Clone)]
pub(crate) struct AllowedRow {
    pub(crate) resource: String,
    pub(crate) scopes: String,
    pub(crate) at: Moment,
}

/// The page.
#[derive(Template)]
#[template(path = "clients.html")]
pub(crate) struct ClientsPage {
    pub(crate) shell: Shell,
    pub(crate) tabs: Vec<Tab>,
    pub(crate) rows: Vec<ClientRow>,
    pub(crate) token: String,
}

impl ClientsPage {
    pub(crate) fn new(shell: Shell, all: &[Allowed], token: String) -> Self {
        Self {
            shell,
            tabs: account_tabs("/account/clients"),
            rows: all.iter().map(row).collect(),
            token,
        }
    }
}

fn row(allowed: &Allowed) -> ClientRow {
    let name = |client: &Client| words::visible(&client.name);
    let one = |authorization: &Authorization| AllowedRow {
        resource: authorization.resource.clone(),
        scopes: authorization.scopes.to_string(),
        at: Moment::new(authorization.granted_at),
    };
    ClientRow {
        id: allowed.id.to_string(),
        name: allowed
            .client
            .as_ref()
            .map_or_else(|| "A removed program".to_owned(), name),
        allowed: allowed.authorizations.iter().map(one).collect(),
        used_at: Moment::new(allowed.used_at),
    }
}
