//! The port of partners: the pulled catalogue, what was registered from it, how it was found, what was withdrawn.
//!
//! What decisions depend on (withdrawals, registrations) and what every node keeps in memory moves the catalogue's
//! generation, so that all nodes hear of it as they hear of keys and grants.

use async_trait::async_trait;

use super::StoreError;
use crate::audit::AuditEvent;
use crate::name::ServerName;
use crate::partner::{KeptCatalogue, PartnerHealth, PullOutcome, RegisteredPartner, Withdrawn, WithdrawnBy};

/// Everything about partners but the catalogue's text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PartnerState {
    /// What was registered and is still there, by server.
    pub registered: Vec<RegisteredPartner>,
    /// How servers were found.
    pub health: Vec<PartnerHealth>,
    /// What was withdrawn.
    pub withdrawn: Vec<Withdrawn>,
    /// How the last pull ended.
    pub last_pull: Option<PullOutcome>,
    /// The version of the catalogue that is kept.
    pub kept_version: Option<u64>,
    /// Its hash.
    pub kept_hash: Option<String>,
    /// What became of the catalogue whose key was trusted no more, if that ever happened.
    pub dropped: Option<PullOutcome>,
}

/// Partners, durable.
#[async_trait]
pub trait PartnerStore: Send + Sync {
    /// Counts every change of what is kept here.
    async fn partner_generation(&self) -> Result<i64, StoreError>;

    /// All of it.
    async fn partner_state(&self) -> Result<PartnerState, StoreError>;

    /// The catalogue that is kept.
    async fn partner_catalogue(&self) -> Result<Option<KeptCatalogue>, StoreError>;

    /// The newest catalogue of every key that signed one before it, the newest first.
    async fn former_catalogues(&self) -> Result<Vec<KeptCatalogue>, StoreError>;

    /// Drops the catalogue of that version and hash, and keeps a former one or none instead of it. What it withdrew is replaced,
    /// and what stays closed is noted on the side that it names. [`StoreError::Conflict`] when another one is kept by now.
    async fn drop_catalogue(
        &self,
        (version, hash): (u64, &str),
        (instead, withdrawn): (Option<&KeptCatalogue>, &[Withdrawn]),
        (outcome, events): (&PullOutcome, &[AuditEvent]),
    ) -> Result<(), StoreError>;

    /// Keeps a catalogue, and what it withdraws instead of what the one before it withdrew. [`StoreError::Conflict`] when one
    /// of that version or a newer one is kept: the version never goes back. The events are recorded in the same change.
    async fn keep_catalogue(
        &self,
        catalogue: &KeptCatalogue,
        withdrawn: &[Withdrawn],
        (outcome, events): (&PullOutcome, &[AuditEvent]),
    ) -> Result<(), StoreError>;

    /// Notes how a pull ended that brought nothing.
    async fn note_pull(&self, outcome: &PullOutcome, event: Option<AuditEvent>) -> Result<(), StoreError>;

    /// Notes that a server is registered from a catalogue, or is now as a later one says. It counts once its entry is there,
    /// and is forgotten with it. Without an event it is a claim that comes before the entry: [`StoreError::Conflict`] when an
    /// entry of that name is there, so that who comes second overwrites nothing.
    async fn note_registered(
        &self,
        registered: &RegisteredPartner,
        event: Option<AuditEvent>,
    ) -> Result<(), StoreError>;

    /// Forgets it, unless what it was made of is revoked: an entry that takes its name stays closed.
    async fn forget_registered(&self, server: &ServerName) -> Result<(), StoreError>;

    /// Notes that a registered server was told to have an update to this document, and records the event. `false`, and
    /// nothing is recorded, where that was told before, by whichever node: it is told anew once the server was updated.
    async fn note_offer(
        &self,
        server: &ServerName,
        document_hash: &str,
        event: AuditEvent,
    ) -> Result<bool, StoreError>;

    /// Notes how servers were found.
    async fn note_health(&self, found: &[PartnerHealth], events: &[AuditEvent]) -> Result<(), StoreError>;

    /// Withdraws; instead of what the same side said of the same before.
    async fn withdraw_partner(&self, withdrawn: &Withdrawn, event: AuditEvent) -> Result<(), StoreError>;

    /// Takes a withdrawal back. [`StoreError::NotFound`] when there is none of that side.
    async fn reinstate_partner(
        &self,
        (partner, name): (&str, Option<&str>),
        by: WithdrawnBy,
        event: AuditEvent,
    ) -> Result<(), StoreError>;
}
