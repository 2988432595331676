//! Webhooks: who wants to be told of what, and what became of telling it.

use crate::caller::Principal;
use crate::event::{EventKind, EventPattern};
use crate::id::EventId;
use crate::name::{SecretName, ServerName, WebhookName};
use crate::publishing::NamePattern;
use crate::server::{PrivateHost, as_words};
use crate::time::Timestamp;

/// A subscription.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Its name.
    pub name: WebhookName,
    /// Where events are sent.
    pub url: String,
    /// What it is for.
    pub description: String,
    /// Which kinds of events it takes.
    pub events: Vec<EventPattern>,
    /// About which servers; empty: about all, and about what concerns no server.
    pub servers: Vec<NamePattern>,
    /// The secret that signs.
    pub secret: SecretName,
    /// The one before it, which signs as well until the receiver knows the new one.
    pub former_secret: Option<SecretName>,
    /// Whether events are sent.
    pub is_enabled: bool,
    /// Why Portreeve switched it off by itself.
    pub stopped_because: Option<String>,
    /// Private hosts that it may reach.
    pub private_hosts: Vec<PrivateHost>,
    /// For whom it acts: who saved it last. It is told nothing that this caller may not see.
    pub owner: Principal,
    /// Counts the changes; `If-Match` carries it.
    pub revision: i64,
    /// Actor label of who made it.
    pub created_by: String,
    /// When.
    pub created_at: Timestamp,
    /// Actor label of who changed it last.
    pub updated_by: String,
    /// When.
    pub updated_at: Timestamp,
}

/// Where a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeliveryState {
    /// It waits for its first or its next attempt.
    Waiting,
    /// The receiver took it.
    Delivered,
    /// Nobody tries any more. It waits for a person.
    Dead,
}

as_words!(DeliveryState { Waiting = "waiting", Delivered = "delivered", Dead = "dead" });

/// An event on its way to one subscriber.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    /// The subscription.
    pub webhook: WebhookName,
    /// The event: the same text and the same identity at every attempt.
    pub event: EventId,
    /// Its place in the order in which things happened.
    pub position: i64,
    /// What happened.
    pub kind: EventKind,
    /// The server that it is about.
    pub server: Option<ServerName>,
    /// When it happened.
    pub at: Timestamp,
    /// Where it stands.
    pub state: DeliveryState,
    /// How often it was tried since it last began.
    pub attempts: u32,
    /// When it is tried next, while it waits.
    pub next_at: Timestamp,
    /// When it was tried last.
    pub last_at: Option<Timestamp>,
    /// The HTTP status that came back then.
    pub last_status: Option<u16>,
    /// Why that was no success.
    pub last_error: Option<String>,
}

// === impl Webhook ===

impl Webhook {
    /// The secrets that sign, the current one first.
    pub fn secrets(&self) -> impl Iterator<Item = &SecretName> {
        std::iter::once(&self.secret).chain(&self.former_secret)
    }
}
