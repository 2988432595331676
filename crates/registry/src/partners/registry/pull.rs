//! Brings newer catalogues: asks the address of the configuration, believes what a known key signed and what is newer than what
//! is kept, and keeps the reason of every refusal. What is here stays until something better comes.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode, header};
use portreeve_core::caller::Caller;
use portreeve_core::decision::Action;
use portreeve_core::partner::{KeptCatalogue, PullOutcome};
use portreeve_core::ports::StoreError;
use portreeve_net::{Reach, read_body};
use serde_json::json;
use url::Url;

use super::super::catalogue::{Catalogue, Held, Reader, Refusal, opened};
use super::withdraw::said_in;
use super::{Partners, PartnersStatus, shown};
use crate::error::RegistryError;
use crate::lease::{self, Turn};

/// Bytes of a catalogue that are read: those that a reader takes, and one.
const BYTES: usize = 32 * 1024 * 1024 + 1;
/// How long its head, and each piece of it, may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// Characters of an `ETag` that are kept.
const ETAG: usize = 200;
/// How long a pull keeps others from pulling.
const TURN: Duration = Duration::from_secs(120);
const LOCK: &str = "partners.pull";

/// What came of asking.
enum Answer {
    Unchanged,
    Came { bytes: Bytes, etag: Option<String> },
    Nothing(String),
}

// === impl Partners ===

impl Partners {
    /// Asks for a newer catalogue now.
    pub async fn pull(&self, caller: &Caller) -> Result<PartnersStatus, RegistryError> {
        let registry = &self.parts.registry;
        registry.require_here(caller, Action::Operate, "pull the partner catalogue")?;
        let Some(url) = self.parts.settings.url.clone() else {
            return Err(RegistryError::State {
                what: "no partner catalogue is configured to be pulled".to_owned(),
                hint: "set `[partners] url` and `keys` in the configuration file",
            });
        };
        let locks = self.parts.locks.as_ref();
        let lease = match lease::take(locks, LOCK, &self.parts.holder, TURN).await {
            Turn::Ours(lease) => lease,
            Turn::Theirs => {
                return Err(RegistryError::State {
                    what: "the partner catalogue is being pulled right now".to_owned(),
                    hint: "ask for its status in a moment",
                });
            }
        };
        let pulled = self.pull_from(caller, &url).await;
        if let Some(lease) = lease {
            lease::give_back(locks, &lease).await;
        }
        pulled?;
        Ok(self.status())
    }

    /// Pulls if it is time, and if no other node does.
    pub(super) async fn pull_if_due(&self) -> Result<(), RegistryError> {
        let Some(url) = self.parts.settings.url.clone() else {
            return Ok(());
        };
        if !self.is_pull_due() {
            return Ok(());
        }
        let locks = self.parts.locks.as_ref();
        let Turn::Ours(lease) = lease::take(locks, LOCK, &self.parts.holder, TURN).await else {
            return Ok(());
        };
        // Another node may have been here a moment ago.
        let mut done = self.follow().await;
        if done.is_ok() && self.is_pull_due() {
            done = self.pull_from(&Caller::system(), &url).await;
        }
        if let Some(lease) = lease {
            lease::give_back(locks, &lease).await;
        }
        done
    }

    fn is_pull_due(&self) -> bool {
        let last = self.board.load().status().last_pull;
        last.is_none_or(|last| last.at.plus(self.parts.settings.every) <= self.now())
    }

    async fn pull_from(&self, caller: &Caller, url: &Url) -> Result<(), RegistryError> {
        // What is held counts only while its key is trusted.
        self.follow().await?;
        let kept = self.parts.store.partner_catalogue().await?;
        let before = self.board.load().status();
        // What it was called elsewhere says nothing here, nor does it about a catalogue that is not believed any more.
        let is_same = before
            .last_pull
            .as_ref()
            .is_some_and(|last| last.url == shown(url));
        let etag = kept
            .as_ref()
            .filter(|_| is_same && before.problem.is_none())
            .and_then(|kept| kept.etag.clone());
        let outcome = |code: &str, message: String| PullOutcome {
            at: self.now(),
            url: shown(url),
            code: code.to_owned(),
            message,
        };
        let held = kept.map(|kept| Held {
            version: kept.version,
            hash: kept.hash,
        });
        let version = held.as_ref().map_or(0, |held| held.version);
        let ended = match self.ask(url, etag).await {
            Answer::Nothing(why) => outcome("unreachable", why),
            Answer::Unchanged => outcome("unchanged", format!("version {version} is still the newest")),
            Answer::Came { bytes, etag } => {
                let reader = Reader {
                    held,
                    ..self.parts.settings.reader(self.now())
                };
                match reader.read(&bytes) {
                    Ok(catalogue) => return self.keep(caller, (catalogue, &bytes, etag), url).await,
                    Err(refusal @ Refusal::Replayed(_)) => outcome("unchanged", refusal.to_string()),
                    Err(refusal) => outcome(refusal.code(), format!("it is refused: {refusal}")),
                }
            }
        };
        self.note_pull(caller, ended, before.last_pull.as_ref()).await
    }

    /// Notes that a pull brought nothing. What is refused once more for the same reason is no event.
    async fn note_pull(
        &self,
        caller: &Caller,
        outcome: PullOutcome,
        last: Option<&PullOutcome>,
    ) -> Result<(), RegistryError> {
        let is_news = last.is_none_or(|last| last.code != outcome.code);
        let event = (outcome.code != "unchanged" && is_news).then(|| {
            tracing::warn!(url = %outcome.url, reason = %outcome.message, "the partner catalogue could not be pulled; the one that is here stays");
            let mut event = self.event(caller, "partner.pull-refused", outcome.url.clone());
            event.reason = Some(outcome.code.clone());
            event.detail = Some(json!({"code": outcome.code, "message": outcome.message}));
            event
        });
        self.parts.store.note_pull(&outcome, event).await?;
        self.follow().await
    }

    async fn keep(
        &self,
        caller: &Caller,
        (catalogue, bytes, etag): (Catalogue, &Bytes, Option<String>),
        url: &Url,
    ) -> Result<(), RegistryError> {
        let now = self.now();
        let hash = catalogue
            .hash()
            .map_err(|error| RegistryError::invalid("$", error.to_string()))?;
        let version = catalogue.version;
        let kept = KeptCatalogue {
            version,
            hash,
            body: String::from_utf8_lossy(bytes).into_owned(),
            etag,
            pulled_at: now,
            signed_by: opened(bytes).map(|file| file.key).unwrap_or_default(),
        };
        let withdrawn = said_in(&catalogue, now);
        let outcome = PullOutcome {
            at: now,
            url: shown(url),
            code: "taken".to_owned(),
            message: format!("version {version} with {} partners", catalogue.partners.len()),
        };
        let mut event = self.event(caller, "partner.pull", outcome.url.clone());
        event.detail = Some(json!({
            "version": version, "partners": catalogue.partners.len(), "withdrawn": withdrawn.len(),
        }));
        // The board may be a moment behind what is kept.
        let before = self.parts.store.partner_state().await?.withdrawn;
        let mut events = vec![event];
        events.extend(self.withdrawal_events(caller, (&before, &withdrawn), version));
        match self
            .parts
            .store
            .keep_catalogue(&kept, &withdrawn, (&outcome, &events))
            .await
        {
            // Another node was faster.
            Ok(()) | Err(StoreError::Conflict { .. }) => self.in_force().await,
            Err(error) => Err(error.into()),
        }
    }

    async fn ask(&self, url: &Url, etag: Option<String>) -> Answer {
        let parts = &self.parts.registry.parts;
        let mut request = Request::get(url.as_str()).header(header::ACCEPT, "application/json");
        if let Some(etag) = etag {
            request = request.header(header::IF_NONE_MATCH, etag);
        }
        let request = match request.body(Bytes::new()) {
            Ok(request) => request,
            Err(error) => return Answer::Nothing(error.to_string()),
        };
        // The address stands in the configuration file: who wrote it there may reach what he names.
        let answer = match parts.egress.send(request, &Reach::Operator, PATIENCE).await {
            Ok(answer) => answer,
            Err(error) => return Answer::Nothing(error.to_string()),
        };
        match answer.status() {
            StatusCode::OK => {}
            StatusCode::NOT_MODIFIED => return Answer::Unchanged,
            status => return Answer::Nothing(format!("it answered {}", status.as_u16())),
        }
        let etag = answer.headers().get(header::ETAG);
        let etag = etag.and_then(|value| value.to_str().ok()).map(str::to_owned);
        match read_body(answer.into_body(), BYTES, PATIENCE).await {
            Ok(bytes) => Answer::Came {
                bytes,
                etag: etag.filter(|etag| etag.len() <= ETAG),
            },
            Err(portreeve_net::NetError::BodyTooLarge { .. }) => {
                Answer::Nothing(Refusal::Oversized.to_string())
            }
            Err(error) => Answer::Nothing(error.to_string()),
        }
    }
}
