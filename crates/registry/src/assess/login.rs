//! How Portreeve logs in at a protected server when it looks at its tools: set by administrators, for one URL, by a secret of
//! the vault.
//!
//! Before: an administrator has put the secret into the vault. After: `source` shows it to that URL, and to no other.

use portreeve_core::caller::Caller;
use portreeve_core::decision::Action;
use portreeve_core::login::{Login, ServerLogin};
use portreeve_core::name::ServerName;
use portreeve_core::ports::{Entry, Purpose};
use portreeve_core::server::Approval;
use portreeve_net::Reach;
use serde_json::json;
use url::Url;

use crate::error::RegistryError;
use crate::registry::Registry;
use crate::validate::upstream_of;

/// Logins of one server.
const MOST: usize = 40;

impl Registry {
    /// The logins of a server.
    pub async fn logins(
        &self,
        caller: &Caller,
        name: &ServerName,
    ) -> Result<Vec<ServerLogin>, RegistryError> {
        self.require_to(caller, Action::View, name)?;
        let name = self.load(name).await?.server.name;
        Ok(self.parts.logins.logins(&name).await?)
    }

    /// Says how to log in at a server: at this URL, or at that of its newest version. For operators of everything alone,
    /// since it shows a secret of the vault, whichever is named, to somebody outside.
    pub async fn set_login(
        &self,
        caller: &Caller,
        name: &ServerName,
        (url, login): (Option<String>, Login),
    ) -> Result<ServerLogin, RegistryError> {
        let what = format!("say how to log in at server `{name}`");
        self.require_here(caller, Action::Operate, &what)?;
        if let Some(problem) = login.problem() {
            return Err(RegistryError::invalid("login", problem));
        }
        let entry = self.load(name).await?;
        let url = self.login_url(&entry, url)?;
        // What could not be presented is told now, and not by an assessment tomorrow.
        if let Err(error) = self.parts.outgoing.login(&login, Purpose::Assess).await {
            return Err(RegistryError::invalid("login.secret", error.to_string()));
        }
        let login = ServerLogin {
            server: entry.server.name.clone(),
            url: url.to_string(),
            login,
            set_by: caller.label.to_string(),
            set_at: self.parts.clock.now(),
        };
        let mut event = self.event(caller, "server.login", &login.server);
        event.detail = Some(json!({
            "origin": url.origin().ascii_serialization(), "secret": login.login.secret(),
        }));
        self.parts.logins.set_login(&login, MOST, event).await?;
        Ok(login)
    }

    /// Logs in there no more.
    pub async fn remove_login(
        &self,
        caller: &Caller,
        name: &ServerName,
        url: Option<String>,
    ) -> Result<(), RegistryError> {
        self.require_to(caller, Action::Operate, name)?;
        let entry = self.load(name).await?;
        let url = match url {
            // What was set may be removed, whatever is thought of its URL today.
            Some(url) => Url::parse(&url).map_or(url, String::from),
            None => self.login_url(&entry, None)?.to_string(),
        };
        let event = self.event(caller, "server.logout", &entry.server.name);
        let removed = self.parts.logins.remove_login(&entry.server.name, &url, event);
        Ok(removed.await?)
    }

    fn login_url(&self, entry: &Entry, asked: Option<String>) -> Result<Url, RegistryError> {
        let invalid = |reason: String| RegistryError::invalid("url", reason);
        let most = self.parts.limits.url_bytes;
        let url = match asked {
            Some(text) if text.len() > most => {
                return Err(invalid(format!("must have at most {most} bytes")));
            }
            Some(text) => Url::parse(&text).map_err(|error| invalid(format!("is not a URL: {error}")))?,
            None => newest_url(entry).ok_or_else(|| {
                invalid(
                    "is needed: the server has no version with a remote that a route could lead to"
                        .to_owned(),
                )
            })?,
        };
        self.parts
            .egress
            .check(&url, &Reach::granted(&entry.server.private_hosts))
            .map_err(RegistryError::Refused)?;
        Ok(url)
    }
}

/// Where the version that waits leads, or else the latest, or else any.
fn newest_url(entry: &Entry) -> Option<Url> {
    let versions = &entry.versions;
    let chosen = versions
        .iter()
        .find(|version| version.approval == Approval::Submitted)
        .or_else(|| versions.iter().find(|version| version.is_latest))
        .or_else(|| versions.first())?;
    upstream_of(&chosen.document)
}
