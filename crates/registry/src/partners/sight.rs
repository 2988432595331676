//! What is seen of a partner on the network before it is judged: the keys that its domain shows, every server at its address,
//! the icon, the pages that it names.
//!
//! Before: `folder` read what the partner says. After: `check` compares the two.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::BoxFuture;
use futures_util::{FutureExt as _, StreamExt as _};
use http::{Request, StatusCode, header};
use portreeve_core::limits::Limits;
use portreeve_core::random::Rng;
use portreeve_core::time::Timestamp;
use portreeve_inspect::{Picture, PublicKey};
use portreeve_mcp::server_json::Remote;
use portreeve_net::{Egress, Reach, TxtLookup, read_body};
use serde_json::{Map, Value};
use url::Url;

use super::folder::{Submitted, SubmittedServer};
use super::format::Partner;
use crate::assess::outside::{Looked, Outside};
use crate::icons::fetch::IconFetch;

/// Partners, and servers of one, that are looked at at once.
const AT_ONCE: usize = 4;

/// The way to look at partners.
#[derive(Clone)]
pub struct Outlook {
    /// The way out.
    pub egress: Egress,
    /// How far it may lead.
    pub reach: Reach,
    /// What domains say of themselves.
    pub texts: Arc<dyn TxtLookup>,
    /// Limits on what comes back.
    pub limits: Arc<Limits>,
    /// Names the streams of servers that speak HTTP+SSE.
    pub rng: Arc<dyn Rng>,
}

/// What was seen of a partner.
#[derive(Debug, Clone)]
pub struct Sight {
    /// Where the domain shows the key of the proof; `Err` says where it was looked for. `None` without a proof.
    pub(super) domain: Option<Result<&'static str, String>>,
    /// Each address of each server, by file and place in it.
    pub(super) servers: BTreeMap<(String, usize), Looked>,
    /// The picture behind an icon's address.
    pub(super) icon: Option<Result<Picture, String>>,
    /// Pages that lead nowhere: field, and what shows it.
    pub(super) broken: Vec<(String, String)>,
}

// === impl Outlook ===

impl Outlook {
    /// Looks at one partner.
    pub async fn look(&self, partner: &Submitted, now: Timestamp) -> Sight {
        let outside = Outside {
            egress: &self.egress,
            reach: &self.reach,
            limits: &self.limits,
            rng: &self.rng,
            now,
        };
        let (domain, servers, icon, broken) = tokio::join!(
            self.domain(partner),
            self.servers(&outside, partner),
            self.icon(partner),
            outside.broken(pages(partner))
        );
        Sight {
            domain,
            servers,
            icon,
            broken: broken.into_iter().map(|one| (one.path, one.evidence)).collect(),
        }
    }

    async fn servers(&self, outside: &Outside<'_>, partner: &Submitted) -> BTreeMap<(String, usize), Looked> {
        let all = partner.servers.iter().flat_map(|server| {
            let places = addresses(server);
            places.map(move |(index, url)| (server, index, url))
        });
        let looking: Vec<BoxFuture<'_, _>> = all
            .map(|(server, index, url)| {
                let look = async move {
                    let looked = outside.look(&server.document, &url).await;
                    ((server.stem.clone(), index), looked)
                };
                look.boxed()
            })
            .collect();
        futures_util::stream::iter(looking)
            .buffered(AT_ONCE)
            .collect()
            .await
    }

    /// Where the domain shows the key that signed.
    async fn domain(&self, submitted: &Submitted) -> Option<Result<&'static str, String>> {
        let partner = submitted.partner.as_ref()?;
        let key = PublicKey::of_record(&submitted.proof.as_ref()?.key)?;
        let shows = |line: &str| PublicKey::of_record(line.trim()).is_some_and(|shown| shown == key);
        let dns = match self.texts.texts(&partner.domain).await {
            Ok(texts) if texts.iter().any(|text| shows(text)) => return Some(Ok("a TXT record")),
            Ok(texts) => format!("{} TXT records, none with the key", texts.len()),
            Err(error) => error.to_string(),
        };
        let file = match self.well_known(&partner.domain).await {
            Ok(text) if text.lines().any(shows) => return Some(Ok("the well-known file")),
            Ok(_) => "the file does not show the key".to_owned(),
            Err(error) => error,
        };
        Some(Err(format!("DNS: {dns}; well-known file: {file}")))
    }

    /// The well-known file of a domain, where the registry's own login looks for keys too. No redirect is followed.
    async fn well_known(&self, domain: &str) -> Result<String, String> {
        let request = Request::get(format!("https://{domain}/.well-known/mcp-registry-auth"))
            .header(header::ACCEPT, "text/plain")
            .body(Bytes::new())
            .map_err(|error| error.to_string())?;
        let limit = self.limits.proof;
        let answer = self.egress.send(request, &self.reach, limit).await;
        let answer = answer.map_err(|error| error.to_string())?;
        if answer.status() != StatusCode::OK {
            return Err(format!("{}", answer.status().as_u16()));
        }
        let bytes = read_body(answer.into_body(), self.limits.proof_bytes, limit).await;
        let bytes = bytes.map_err(|error| error.to_string())?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    async fn icon(&self, submitted: &Submitted) -> Option<Result<Picture, String>> {
        let icon = submitted.partner.as_ref()?.icon.as_ref()?;
        if !icon.starts_with("https://") {
            return None;
        }
        let fetch = IconFetch {
            egress: &self.egress,
            reach: &self.reach,
            limits: &self.limits,
        };
        Some(fetch.picture(icon).await)
    }
}

impl std::fmt::Debug for Outlook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Outlook")
            .field("reach", &self.reach)
            .finish_non_exhaustive()
    }
}

/// The addresses of a server at which it can be asked.
pub(super) fn addresses(server: &SubmittedServer) -> impl Iterator<Item = (usize, Url)> {
    let remotes = server.view.remotes.iter().enumerate();
    remotes.filter_map(|(index, remote)| Some((index, filled(remote)?)))
}

/// The address with every variable at its default; `None` when one has none.
fn filled(remote: &Remote) -> Option<Url> {
    let mut text = remote.url.clone();
    for (name, input) in &remote.variables {
        if let Some(value) = input.value.as_ref().or(input.default.as_ref()) {
            text = text.replace(&format!("{{{name}}}"), value);
        }
    }
    Url::parse(&text)
        .ok()
        .filter(|url| url.has_host() && !text.contains(['{', '<']))
}

/// The pages that a partner names, each with its field.
pub(super) fn named(partner: &Partner) -> Vec<(&'static str, &str)> {
    let mut all = vec![
        ("license.url", partner.license.url.as_str()),
        ("documentation.url", partner.documentation.url.as_str()),
    ];
    let more = [
        ("terms", &partner.terms),
        ("privacy", &partner.privacy),
        ("support.url", &partner.support.url),
    ];
    let security = partner.security.as_ref().and_then(|one| one.url.as_deref());
    all.extend(
        more.into_iter()
            .filter_map(|(field, url)| Some((field, url.as_deref()?))),
    );
    all.extend(security.map(|url| ("security.url", url)));
    all
}

fn pages(submitted: &Submitted) -> Vec<(String, Url)> {
    let of_partner = submitted.partner.as_ref().map(named).unwrap_or_default();
    let of_partner = of_partner
        .into_iter()
        .map(|(field, url)| (field.to_owned(), url.to_owned()));
    let of_servers = submitted.servers.iter().flat_map(|server| {
        let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
        let document: &Map<String, Value> = &server.document;
        let repository = document.get("repository").and_then(|one| one.get("url"));
        let stem = &server.stem;
        [
            ("websiteUrl", text(document.get("websiteUrl"))),
            ("repository.url", text(repository)),
        ]
        .into_iter()
        .filter_map(move |(field, url)| Some((format!("servers/{stem}.json#{field}"), url?)))
    });
    let mut known = std::collections::BTreeSet::new();
    of_partner
        .chain(of_servers)
        .filter_map(|(field, url)| Some((field, Url::parse(&url).ok()?)))
        .filter(|(_, url)| url.scheme() == "https" && known.insert(url.to_string()))
        .collect()
}
