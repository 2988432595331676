//! Reads a registry that speaks the official API, page by page. A page that fails is asked for again; when it goes on
//! failing the run ends there, keeps what it has, and the next run of the same source goes on with that page. Nothing is
//! ever hidden because something could not be read.
//!
//! Before: a URL. After: `apply`, once for each page.

use bytes::Bytes;
use http::{HeaderValue, Method, Request, StatusCode, header};
use portreeve_core::caller::Caller;
use portreeve_core::import::{ImportKind, ImportRun, ImportState};
use portreeve_core::login::{Login, Presented};
use portreeve_core::ports::Purpose;
use portreeve_core::server::PrivateHost;
use portreeve_core::time::Timestamp;
use portreeve_net::{Reach, read_body};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use url::Url;

use super::runs::NewImport;
use super::{Candidate, Record, importer};
use crate::error::RegistryError;
use crate::publish::Internal;
use crate::registry::Registry;

/// How often a page is asked for before the run ends there.
const ATTEMPTS: u32 = 4;
/// Records of a page. The official registry gives no more.
const PAGE: &str = "100";

/// Where a run goes on.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub(super) struct Position {
    /// The next page; none before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cursor: Option<String>,
    /// Only what the source changed after this moment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    since: Option<Timestamp>,
}

/// A page as the API sends it, each record as its own text.
#[derive(Deserialize)]
struct Page {
    #[serde(default)]
    servers: Vec<Box<RawValue>>,
    #[serde(default)]
    metadata: Metadata,
}

#[derive(Deserialize, Default)]
struct Metadata {
    #[serde(default, rename = "nextCursor", alias = "next_cursor")]
    next_cursor: Option<String>,
}

/// How a page failed.
enum Failed {
    /// Asking again may help.
    Again(String),
    /// It will not.
    ForGood(String),
}

/// A run over a registry, ready to be followed to its end.
#[derive(Debug)]
pub struct Fetch {
    pub(super) run: ImportRun,
    base: Url,
    reach: Reach,
    /// What is presented with every request.
    pub(super) presented: Option<Presented>,
    position: Position,
}

/// Where pages are asked for.
struct Source {
    base: Url,
    reach: Reach,
    presented: Option<Presented>,
}

impl Fetch {
    /// The run.
    pub fn run(&self) -> &ImportRun {
        &self.run
    }
}

// === impl Registry ===

impl Registry {
    /// Begins a run over a registry by its URL. It goes on where the last one of the same source broke off.
    pub async fn begin_fetch(
        &self,
        caller: &Caller,
        new: NewImport,
        internal: Internal,
    ) -> Result<Fetch, RegistryError> {
        self.require_administrator(caller, "import servers".to_owned())?;
        let base = base_of(&new.origin)?;
        let hosts = match internal {
            Internal::Grant => self.private_hosts(&base).await?,
            Internal::No => Vec::new(),
        };
        self.fetch_from(caller, new, base, (hosts, None)).await
    }

    /// Begins a run over what the source changed after a moment.
    pub(super) async fn fetch_from(
        &self,
        caller: &Caller,
        mut new: NewImport,
        base: Url,
        (hosts, since): (Vec<PrivateHost>, Option<Timestamp>),
    ) -> Result<Fetch, RegistryError> {
        let reach = Reach::granted(&hosts);
        self.parts
            .egress
            .check(&base, &reach)
            .map_err(RegistryError::Refused)?;
        new.kind = ImportKind::Registry;
        new.origin = base.to_string();
        let broken_off = self.broken_off(&new.origin).await?;
        let position = broken_off.unwrap_or(Position { cursor: None, since });
        let run = self.begin_import(caller, new).await?;
        Ok(Fetch {
            run,
            base,
            reach,
            presented: None,
            position,
        })
    }

    /// What is presented to a source that is not open to everybody; an error says what is missing.
    pub(super) async fn presented(&self, login: Option<&Login>) -> Result<Option<Presented>, String> {
        let Some(login) = login else {
            return Ok(None);
        };
        let presented = self.parts.outgoing.login(login, Purpose::Import).await;
        presented.map(Some).map_err(|error| error.to_string())
    }

    pub(crate) async fn private_hosts(&self, url: &Url) -> Result<Vec<PrivateHost>, RegistryError> {
        let asked = self.parts.egress.private_hosts(url);
        match tokio::time::timeout(self.parts.limits.probe, asked).await {
            Ok(Ok(hosts)) => Ok(hosts),
            Ok(Err(error)) => Err(RegistryError::Refused(error)),
            Err(_) => Ok(Vec::new()),
        }
    }

    /// Where the last run over this source broke off, if it did.
    async fn broken_off(&self, origin: &str) -> Result<Option<Position>, RegistryError> {
        let runs = self.parts.imports.imports(None, 100).await?;
        let last = runs
            .into_iter()
            .find(|run| run.kind == ImportKind::Registry && run.origin == origin);
        let Some(last) = last.filter(|run| run.state != ImportState::Done) else {
            return Ok(None);
        };
        Ok(last.position.and_then(|text| serde_json::from_str(&text).ok()))
    }

    /// Follows a run to its end.
    pub async fn fetch(&self, caller: &Caller, fetch: Fetch) -> Result<ImportRun, RegistryError> {
        let Fetch {
            mut run,
            base,
            reach,
            presented,
            mut position,
        } = fetch;
        let source = Source {
            base,
            reach,
            presented,
        };
        for _ in 0..self.parts.limits.import_pages {
            let page = match self.page(&source, &position).await {
                Ok(page) => page,
                Err(failure) => return self.end_run(caller, run, Some(failure)).await,
            };
            let next = page.metadata.next_cursor.filter(|cursor| !cursor.is_empty());
            let is_end = next.is_none();
            if !is_end && next == position.cursor {
                let failure = "the same page came twice".to_owned();
                return self.end_run(caller, run, Some(failure)).await;
            }
            position.cursor = next;
            run.position = serde_json::to_string(&position).ok().filter(|_| !is_end);
            let candidates = self.candidates(&page.servers);
            {
                let _one_at_a_time = self.importing.lock().await;
                self.apply(caller, &mut run, &candidates).await?;
            }
            if is_end {
                return self.end_run(caller, run, None).await;
            }
        }
        let failure = format!("it has more than {} pages", self.parts.limits.import_pages);
        self.end_run(caller, run, Some(failure)).await
    }

    fn candidates(&self, servers: &[Box<RawValue>]) -> Vec<Candidate> {
        servers
            .iter()
            .enumerate()
            .flat_map(|(index, server)| {
                let record = Record {
                    place: format!("servers[{index}]"),
                    text: server.get().to_owned(),
                };
                importer(ImportKind::Registry).read(&record, &self.parts.limits)
            })
            .collect()
    }

    /// One page, asked for several times if it must be.
    async fn page(&self, source: &Source, position: &Position) -> Result<Page, String> {
        let url = page_url(&source.base, position);
        let mut pause = self.parts.limits.import_retry;
        let mut attempt = 1;
        loop {
            match self.ask(&url, source).await {
                Ok(page) => return Ok(page),
                Err(Failed::ForGood(reason)) => return Err(reason),
                Err(Failed::Again(reason)) if attempt == ATTEMPTS => {
                    return Err(format!("{reason}; it was asked {ATTEMPTS} times"));
                }
                Err(Failed::Again(reason)) => {
                    tracing::debug!(%reason, attempt, "A page of a registry could not be read.");
                    attempt += 1;
                    tokio::time::sleep(pause).await;
                    pause = pause.saturating_mul(2);
                }
            }
        }
    }

    async fn ask(&self, url: &Url, source: &Source) -> Result<Page, Failed> {
        let limits = &self.parts.limits;
        let mut request = Request::builder()
            .method(Method::GET)
            .uri(url.as_str())
            .header(header::ACCEPT, "application/json");
        if let Some(presented) = &source.presented {
            let value = HeaderValue::try_from(presented.value.expose());
            let mut value =
                value.map_err(|_| Failed::ForGood("the secret cannot stand in a header".to_owned()))?;
            value.set_sensitive(true);
            request = request.header(presented.header.as_str(), value);
        }
        let request = request
            .body(Bytes::new())
            .map_err(|error| Failed::ForGood(error.to_string()))?;
        let response = self
            .parts
            .egress
            .send(request, &source.reach, limits.import_page)
            .await
            .map_err(|error| Failed::Again(error.to_string()))?;
        let (head, body) = response.into_parts();
        if !head.status.is_success() {
            let reason = format!("the registry answers {}", head.status.as_u16());
            return Err(match head.status {
                StatusCode::BAD_REQUEST
                | StatusCode::UNAUTHORIZED
                | StatusCode::FORBIDDEN
                | StatusCode::NOT_FOUND => Failed::ForGood(reason),
                _ => Failed::Again(reason),
            });
        }
        let bytes = read_body(body, limits.import_page_bytes, limits.import_page)
            .await
            .map_err(|error| Failed::Again(error.to_string()))?;
        serde_json::from_slice(&bytes)
            .map_err(|error| Failed::Again(format!("the page is not what a registry sends: {error}")))
    }
}

/// The registry's base: what people paste often ends in the path of its list.
pub(super) fn base_of(text: &str) -> Result<Url, RegistryError> {
    let invalid = |reason: String| RegistryError::invalid("origin", reason);
    let mut url = Url::parse(text.trim()).map_err(|error| invalid(format!("it is not a URL: {error}")))?;
    if url.cannot_be_a_base() || !matches!(url.scheme(), "http" | "https") {
        return Err(invalid("it must be an http or https URL".to_owned()));
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err(invalid("it carries a user name or a password".to_owned()));
    }
    url.set_query(None);
    url.set_fragment(None);
    let mut path = url.path().trim_end_matches('/').to_owned();
    for tail in ["/servers", "/v0.1", "/v0"] {
        if let Some(shorter) = path.strip_suffix(tail) {
            path = shorter.to_owned();
        }
    }
    url.set_path(&path);
    Ok(url)
}

fn page_url(base: &Url, position: &Position) -> Url {
    let mut url = base.clone();
    let path = format!("{}/v0.1/servers", base.path().trim_end_matches('/'));
    url.set_path(&path);
    let mut query = url.query_pairs_mut();
    query.append_pair("limit", PAGE);
    match position.since {
        // What was deleted comes with it.
        Some(since) => query.append_pair("updated_since", &since.to_string()),
        None => query.append_pair("include_deleted", "true"),
    };
    if let Some(cursor) = &position.cursor {
        query.append_pair("cursor", cursor);
    }
    drop(query);
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pasted_list_is_brought_back_to_its_registry() {
        for text in [
            "https://r.example",
            "https://r.example/v0.1/servers",
            "https://r.example/v0/servers/?limit=3",
        ] {
            assert_eq!(base_of(text).unwrap().as_str(), "https://r.example/", "{text}");
        }
        assert_eq!(
            base_of("https://r.example/workspaces/default/v0.1")
                .unwrap()
                .as_str(),
            "https://r.example/workspaces/default"
        );
        assert!(base_of("ftp://r.example").is_err() && base_of("https://a:b@r.example").is_err());
        assert!(base_of("mailto:a@b").is_err());
    }

    #[test]
    fn a_page_is_asked_for_with_what_was_asked_before() {
        let base = base_of("https://r.example/x").unwrap();
        let first = page_url(&base, &Position::default());
        assert_eq!(
            first.as_str(),
            "https://r.example/x/v0.1/servers?limit=100&include_deleted=true"
        );
        let later = Position {
            cursor: Some("a/b:1+c".to_owned()),
            since: Some(Timestamp::from_millis(0)),
        };
        assert_eq!(
            page_url(&base, &later).query(),
            Some("limit=100&updated_since=1970-01-01T00%3A00%3A00.000Z&cursor=a%2Fb%3A1%2Bc")
        );
    }
}
