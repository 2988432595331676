//! Partners in the registry: the catalogue that the program carries and the newest one that was pulled, shown with what is so
//! today; registered in one step, looked at again every day, withdrawn when that must be.
//!
//! `board` is what is kept in memory of all that, and answers every list; `pull` brings newer catalogues, `register` makes
//! entries, `verify` looks again, `withdraw` takes away; `job` does what nobody asks for. Before: `catalogue` believes what was
//! signed. After: `api`, `portal` and the command line show it; the gateway closes the routes of what was revoked.

mod board;
mod job;
mod listing;
mod offers;
mod pull;
mod recover;
mod register;
mod template;
mod verify;
mod withdraw;

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use portreeve_core::audit::AuditEvent;
use portreeve_core::caller::Caller;
use portreeve_core::id::EventId;
use portreeve_core::name::ServerName;
use portreeve_core::partner::{KeptCatalogue, PullOutcome};
use portreeve_core::ports::{Locks, PartnerState, PartnerStore};
use portreeve_core::time::Timestamp;
use url::Url;

use self::board::{Board, Pulled};
use super::catalogue::{Catalogue, Reader};
use super::check::Evidence;
use super::folder::Submitted;
use crate::error::RegistryError;
use crate::registry::Registry;

pub(super) use self::template::open_hosts;

pub use self::job::PartnerJob;
pub use self::listing::{Listing, ListingHealth, ListingState, PartnersQuery, RegisteredHere, Variable};
pub use self::register::{NewRegistration, Registration, Update};
pub use self::withdraw::{Withdraw, Withdrawing};

/// Looks at a partner where it is, and judges it.
#[async_trait]
pub trait Examiner: Send + Sync {
    /// What is so now.
    async fn examine(&self, partner: &Submitted, now: Timestamp) -> Evidence;
}

/// What the configuration file says of partners.
#[derive(Debug, Clone)]
pub struct PartnerSettings {
    /// Whether the catalogue is shown that the program carries.
    pub carried: Carried,
    /// Where newer catalogues are.
    pub url: Option<Url>,
    /// Who may sign them, base64.
    pub keys: Vec<String>,
    /// Who may not, although a key of those hands over to it, base64: one that was stolen.
    pub revoked_keys: Vec<String>,
    /// Whose approval makes an official partner, base64.
    pub reviewers: Vec<String>,
    /// How often it is asked for a newer one.
    pub every: Duration,
    /// How often servers are looked at again; `None`: never.
    pub verify_every: Option<Duration>,
    /// How many servers are looked at in a run that nobody registered.
    pub verify_listed: usize,
}

/// Whether the catalogue is shown that the program carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Carried {
    /// It is.
    Shown,
    /// It is not.
    Hidden,
}

impl From<bool> for Carried {
    fn from(shown: bool) -> Self {
        if shown { Self::Shown } else { Self::Hidden }
    }
}

/// What the use case is made of.
pub struct PartnersParts {
    /// An entry's way.
    pub registry: Arc<Registry>,
    /// What is kept.
    pub store: Arc<dyn PartnerStore>,
    /// Whose turn it is.
    pub locks: Arc<dyn Locks>,
    /// Looks at partners.
    pub examiner: Arc<dyn Examiner>,
    /// What the configuration says.
    pub settings: PartnerSettings,
    /// The name of this node.
    pub holder: String,
}

/// Partners in the registry.
pub struct Partners {
    parts: PartnersParts,
    carried: Option<Catalogue>,
    board: ArcSwap<Board>,
    reading: tokio::sync::Mutex<()>,
}

/// Where the catalogue stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartnersStatus {
    /// Servers that the program carries.
    pub carried: usize,
    /// Where newer catalogues are, if anywhere.
    pub url: Option<String>,
    /// The catalogue that is in force beside the carried one.
    pub version: Option<u64>,
    /// When that was made.
    pub issued_at: Option<Timestamp>,
    /// Until when it is good. It is shown on afterwards: a registry without a network keeps what it has.
    pub expires_at: Option<Timestamp>,
    /// When it was pulled.
    pub pulled_at: Option<Timestamp>,
    /// How the last pull ended.
    pub last_pull: Option<PullOutcome>,
    /// Why what is kept is not shown, if it is not.
    pub problem: Option<String>,
    /// What became of the catalogue whose key was trusted no more, if that ever happened.
    pub dropped: Option<PullOutcome>,
    /// Servers listed, failing, with other tools, registered and revoked.
    pub counts: PartnerCounts,
}

/// Servers of partners, in numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PartnerCounts {
    /// All that are listed or withdrawn.
    pub servers: usize,
    /// Those that could not be reached, or must be mended.
    pub failing: usize,
    /// Those with other tools.
    pub tools_changed: usize,
    /// Those that are registered here.
    pub registered: usize,
    /// Entries that came from a catalogue that is no longer trusted.
    pub distrusted: usize,
    /// Those that nobody may call.
    pub revoked: usize,
}

impl std::fmt::Debug for Partners {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Partners")
            .field("settings", &self.parts.settings)
            .finish_non_exhaustive()
    }
}

// === impl PartnerSettings ===

impl PartnerSettings {
    /// Who is believed, at that time.
    fn reader(&self, now: Timestamp) -> Reader {
        Reader {
            keys: self.keys.clone(),
            revoked: self.revoked_keys.clone(),
            held: None,
            now,
        }
    }

    /// What believes a kept catalogue once more: its time was good when it came.
    fn reader_of(&self, kept: &KeptCatalogue) -> Reader {
        self.reader(kept.pulled_at)
    }
}

// === impl Partners ===

impl Partners {
    /// Partners as the program carries them, until [`Partners::follow`] was called once.
    pub fn new(parts: PartnersParts) -> Self {
        let carried = match (parts.settings.carried, super::shipped()) {
            (Carried::Hidden, _) => None,
            (Carried::Shown, Ok(catalogue)) => Some(catalogue),
            (Carried::Shown, Err(error)) => {
                tracing::error!(%error, "the catalogue that the program carries cannot be read");
                None
            }
        };
        let board = Board::carried(carried.as_ref(), &parts.settings.reviewers);
        parts.registry.vouched.store(Arc::new(board.vouched()));
        Self {
            parts,
            carried,
            board: ArcSwap::from_pointee(board),
            reading: tokio::sync::Mutex::default(),
        }
    }

    /// The listings that are asked for, featured ones first, then by title. Answered from memory. What is delisted or
    /// revoked is shown to who has it, and to who may withdraw it.
    pub fn list(&self, caller: &Caller, query: &PartnersQuery) -> Vec<Listing> {
        let words: Vec<String> = query
            .search
            .iter()
            .flat_map(|text| text.split_whitespace())
            .map(str::to_lowercase)
            .collect();
        let board = self.board.load();
        let now = self.now();
        let sees_all = self.may_withdraw(caller);
        let mut found: Vec<Listing> = board
            .items()
            .map(|item| board.listing(item, now, |name| self.may_know(caller, name)))
            .filter(|one| sees_all || one.state == ListingState::Listed || one.registered.is_some())
            .filter(|one| one.answers(query, &words))
            .collect();
        found.sort_by_cached_key(|one| {
            let title = one.title.to_lowercase();
            (!one.is_featured(), title, one.partner.clone(), one.name.clone())
        });
        found
    }

    /// The servers of one partner.
    pub fn partner(&self, caller: &Caller, partner: &str) -> Result<Vec<Listing>, RegistryError> {
        let mut all = self.list(caller, &PartnersQuery::default());
        all.retain(|one| one.partner == partner);
        if all.is_empty() {
            return Err(RegistryError::NotFound {
                what: format!("partner `{partner}`"),
            });
        }
        Ok(all)
    }

    /// One listing.
    pub fn one(&self, caller: &Caller, partner: &str, name: &str) -> Result<Listing, RegistryError> {
        let all = self.partner(caller, partner)?;
        let found = all.into_iter().find(|one| one.name == name);
        found.ok_or_else(|| no_server(partner, name))
    }

    /// The listing that an entry was made of, if it was made of one and that is still there.
    pub fn of_server(&self, caller: &Caller, server: &ServerName) -> Option<Listing> {
        let board = self.board.load();
        let registered = board.registered(server)?;
        let item = board.find(&registered.place.partner, &registered.place.name)?;
        let listing = board.listing(item, self.now(), |name| self.may_know(caller, name));
        listing.registered.is_some().then_some(listing)
    }

    /// The partner, and the version of the catalogue, that an entry was made of, if that catalogue is no longer trusted.
    pub fn distrusted(&self, server: &ServerName) -> Option<(String, u64)> {
        let board = self.board.load();
        let made = board.registered(server).filter(|made| !board.trusts(made))?;
        Some((made.place.partner.clone(), made.catalogue_version))
    }

    /// Where the catalogue stands.
    pub fn status(&self) -> PartnersStatus {
        let board = self.board.load();
        PartnersStatus {
            carried: self
                .carried
                .iter()
                .flat_map(|all| &all.partners)
                .map(|one| one.servers.len())
                .sum(),
            url: self.parts.settings.url.as_ref().map(shown),
            ..board.status()
        }
    }

    /// Takes in what changed in the store, here or on another node.
    pub async fn follow(&self) -> Result<(), RegistryError> {
        let _one_at_a_time = self.reading.lock().await;
        let generation = self.parts.store.partner_generation().await?;
        if self.board.load().generation() == generation {
            return Ok(());
        }
        let mut read = (generation, self.read().await?);
        if let (state, Some(pulled)) = &read.1
            && pulled.distrusted().is_some()
        {
            self.fall_back(state, pulled).await?;
            // The generation comes first: what changes meanwhile is read with the next one.
            let generation = self.parts.store.partner_generation().await?;
            read = (generation, self.read().await?);
        }
        let (generation, known) = read;
        let board = Board::of(generation, self.carried.as_ref(), known, &self.parts.settings);
        self.parts.registry.vouched.store(Arc::new(board.vouched()));
        self.board.store(Arc::new(board));
        Ok(())
    }

    async fn read(&self) -> Result<(PartnerState, Option<Arc<Pulled>>), RegistryError> {
        let state = self.parts.store.partner_state().await?;
        let Some(version) = state.kept_version else {
            return Ok((state, None));
        };
        let known = self.board.load_full();
        let pulled = match known.pulled(version, state.kept_hash.as_deref()) {
            Some(pulled) => Some(pulled),
            None => {
                let kept = self.parts.store.partner_catalogue().await?;
                kept.map(|kept| Arc::new(Pulled::of(&kept, &self.parts.settings)))
            }
        };
        Ok((state, pulled))
    }

    /// Brings a change into force here, so that who made it sees it at once.
    async fn in_force(&self) -> Result<(), RegistryError> {
        self.parts.registry.parts.refresh.refresh().await;
        self.follow().await
    }

    fn now(&self) -> Timestamp {
        self.parts.registry.parts.clock.now()
    }

    fn may_know(&self, caller: &Caller, server: &ServerName) -> bool {
        let registry = &self.parts.registry;
        registry.may_see(caller, server) || registry.may_discover(caller, server)
    }

    /// An audit event about a partner, or about one of its servers.
    fn event(&self, caller: &Caller, action: &str, target: String) -> AuditEvent {
        let parts = &self.parts.registry.parts;
        let id = EventId::new(parts.clock.as_ref(), parts.rng.as_ref());
        let mut event = AuditEvent::new(id, parts.clock.now(), action, caller);
        event.target = Some(target);
        event
    }
}

fn no_server(partner: &str, name: &str) -> RegistryError {
    RegistryError::NotFound {
        what: format!("server `{name}` of partner `{partner}`"),
    }
}

/// An address without what may be secret in it.
fn shown(url: &Url) -> String {
    let mut url = url.clone();
    url.set_query(None);
    // Neither fails where there is a host.
    let _ = (url.set_username(""), url.set_password(None));
    url.to_string()
}
