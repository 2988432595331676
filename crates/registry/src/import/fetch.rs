//! Reads a registry that speaks the official API, page by page. A page that fails is asked for again; when it goes on
//! failing the run ends there, keeps what it has, and the next run of the same source goes on with that page. Nothing is
//! ever hidden because something could not be read.
//!
//! Before: a URL, and `position`. After: `apply`, once for each `page`.

use portreeve_core::caller::Caller;
use portreeve_core::decision::Action;
use portreeve_core::import::{ImportKind, ImportRun, ImportSchedule};
use portreeve_core::login::{Login, Presented};
use portreeve_core::ports::Purpose;
use portreeve_core::server::PrivateHost;
use portreeve_core::time::Timestamp;
use portreeve_net::Reach;
use url::Url;

use super::page::Source;
use super::position::Position;
use super::runs::NewImport;
use super::{Candidate, Record, importer};
use crate::error::RegistryError;
use crate::publish::Internal;
use crate::registry::Registry;

/// A run over a registry, ready to be followed to its end.
#[derive(Debug)]
pub struct Fetch {
    pub(super) run: ImportRun,
    base: Url,
    reach: Reach,
    /// What is presented with every request.
    pub(super) presented: Option<Presented>,
    pub(super) position: Position,
    /// Who wants it.
    pub(super) wanted: Wanted,
}

/// Who wants a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Somebody who asked for it.
    ByHand,
    /// A schedule, as long as this is its last run.
    BySchedule,
}

/// How far a run has come with a page.
enum Came {
    /// Another page follows.
    On,
    /// This was the last one.
    ToTheEnd,
}

impl Fetch {
    /// The run.
    pub fn run(&self) -> &ImportRun {
        &self.run
    }
}

// === impl Registry ===

impl Registry {
    /// Begins a run over a registry by its URL. It goes on where the last one of the same source broke
    /// off.
    pub async fn begin_fetch(
        &self,
        caller: &Caller,
        new: NewImport,
        internal: Internal,
    ) -> Result<Fetch, RegistryError> {
        self.require_here(caller, Action::Operate, "import servers")?;
        self.require_rule(caller, &new.approval)?;
        if internal == Internal::Grant {
            self.require_private_hosts(caller)?;
        }
        let base = base_of(&new.origin)?;
        let hosts = match internal {
            Internal::Grant => self.private_hosts(&base).await?,
            Internal::No => Vec::new(),
        };
        self.fetch_from(caller, new, base, (hosts, None)).await
    }

    /// Refuses to open private hosts to an import to who does not manage everything: they stand behind the guard that
    /// keeps others out of this network.
    pub(super) fn require_private_hosts(&self, caller: &Caller) -> Result<(), RegistryError> {
        self.require_here(caller, Action::Manage, "let an import reach private hosts")
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
        let position = self.beginning(&new.origin, new.mode, since).await?;
        let run = self.begin_at(caller, new, position.text()).await?;
        Ok(Fetch {
            run,
            base,
            reach,
            presented: None,
            position,
            wanted: Wanted::ByHand,
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

    /// Follows a run to its end, which is a failure when a page can be neither read nor taken in.
    pub async fn fetch(&self, caller: &Caller, fetch: Fetch) -> Result<ImportRun, RegistryError> {
        let Fetch {
            mut run,
            base,
            reach,
            presented,
            mut position,
            wanted,
        } = fetch;
        let source = Source {
            base,
            reach,
            presented,
        };
        for _ in 0..self.parts.limits.import_pages {
            let came = match self.require_wanted(&run, wanted).await {
                Ok(()) => self.one_page(caller, &source, (&mut run, &mut position)).await,
                Err(reason) => Err(reason),
            };
            match came {
                Ok(Came::On) => {}
                Ok(Came::ToTheEnd) => return self.end_run(caller, run, None).await,
                Err(failure) => return self.end_run(caller, run, Some(failure)).await,
            }
        }
        let failure = format!("it has more than {} pages", self.parts.limits.import_pages);
        self.end_run(caller, run, Some(failure)).await
    }

    /// Reads a page and takes it in. Only then the run stands behind it: what failed is read again.
    async fn one_page(
        &self,
        caller: &Caller,
        source: &Source,
        (run, position): (&mut ImportRun, &mut Position),
    ) -> Result<Came, String> {
        let page = self.page(source, position).await?;
        if page.next.is_some() && page.next == position.cursor {
            return Err("the same page came twice".to_owned());
        }
        let behind = Position {
            cursor: page.next,
            ..position.clone()
        };
        let mut after = ImportRun {
            position: behind.text(),
            ..run.clone()
        };
        let candidates = self.candidates(page.servers);
        {
            let _one_at_a_time = self.importing.lock().await;
            let taken = self.apply(caller, &mut after, &candidates).await;
            taken.map_err(|error| format!("a page could not be taken in: {error}"))?;
        }
        *run = after;
        *position = behind;
        match position.cursor {
            Some(_) => Ok(Came::On),
            None => Ok(Came::ToTheEnd),
        }
    }

    /// Refuses to go on with a run whose schedule was changed or ended meanwhile, with the rule that it had.
    async fn require_wanted(&self, run: &ImportRun, wanted: Wanted) -> Result<(), String> {
        if wanted == Wanted::ByHand {
            return Ok(());
        }
        let schedules = self.parts.imports.schedules().await;
        let schedules = schedules.map_err(|error| error.to_string())?;
        let is_wanted = |schedule: &ImportSchedule| schedule.last_import == Some(run.id);
        if schedules.iter().any(is_wanted) {
            return Ok(());
        }
        Err("its schedule was changed or ended meanwhile".to_owned())
    }

    fn candidates(&self, servers: Vec<String>) -> Vec<Candidate> {
        servers
            .into_iter()
            .enumerate()
            .flat_map(|(index, text)| {
                let record = Record {
                    place: format!("servers[{index}]"),
                    text,
                };
                importer(ImportKind::Registry).read(&record, &self.parts.limits)
            })
            .collect()
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
}
