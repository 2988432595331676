//! Webhooks and their deliveries, as they are made, changed and shown.

use portreeve_core::event::{EventKind, EventPattern};
use portreeve_core::name::WebhookName;
use portreeve_core::ports::Due;
use portreeve_core::publishing::NamePattern;
use portreeve_core::time::Timestamp;
use portreeve_core::vault::SecretRef;
use portreeve_core::webhook::{Delivery, Webhook};
use portreeve_insight::{FormerSecret, NewWebhook, PrivateReach, WebhookPatch};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::labels;

/// A webhook: somebody who is told of changes.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Webhook)]
pub(crate) struct WebhookShape {
    /// Its name.
    name: String,
    /// Where events are sent.
    url: String,
    /// What it is for.
    description: String,
    /// Which kinds of events it takes.
    events: Vec<String>,
    /// About which servers; empty: about all, and about what concerns no server.
    servers: Vec<String>,
    /// The secret that signs, as `secret:NAME`.
    secret: String,
    /// The secret before it, which signs as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    former_secret: Option<String>,
    /// Whether events are sent.
    enabled: bool,
    /// Why Portreeve switched it off by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    stopped_because: Option<String>,
    /// Private hosts that it may reach.
    private_hosts: Vec<String>,
    /// Counts the changes; the `ETag` is the same number in quotes.
    revision: i64,
    created_by: String,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Who saved it last; it acts for this caller, and stops when the caller may not manage any more.
    updated_by: String,
    #[schema(value_type = String, format = DateTime)]
    updated_at: Timestamp,
}

/// A webhook to be made.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = NewWebhook)]
pub(crate) struct NewWebhookShape {
    /// Its name: 1 to 40 lower-case letters, digits and `-`. Never changes.
    #[schema(value_type = String)]
    name: WebhookName,
    /// Where events are sent: an `https` URL without user name, password and fragment, at most 2,000 bytes.
    url: String,
    /// What it is for. At most 1,000 characters.
    description: Option<String>,
    /// Kinds of events, such as `server.approved`, groups such as `server.*`, or `*` (unless given).
    #[schema(value_type = Option<Vec<String>>)]
    events: Option<Vec<EventPattern>>,
    /// Only about these servers: `com.acme/billing`, `com.acme/*`, `com.acme.*`.
    #[schema(value_type = Option<Vec<String>>)]
    servers: Option<Vec<NamePattern>>,
    /// The secret that signs, as `secret:NAME`: `whsec_` and the base64 of 24 to 64 bytes.
    #[schema(value_type = String)]
    secret: SecretRef,
    /// A second secret that signs as well.
    #[schema(value_type = Option<String>)]
    former_secret: Option<SecretRef>,
    /// Whether events are sent; `true` unless given.
    enabled: Option<bool>,
    /// Grant the URL's host where it is a private one.
    #[serde(default)]
    internal: bool,
}

/// What shall be different; what is left out stays as it is.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schema(as = WebhookChange)]
pub(crate) struct WebhookChangeShape {
    /// Where events are sent. Another URL forgets which private host was granted for the one before.
    url: Option<String>,
    /// What it is for. At most 1,000 characters.
    description: Option<String>,
    /// Kinds of events, all of them.
    #[schema(value_type = Option<Vec<String>>)]
    events: Option<Vec<EventPattern>>,
    /// Only about these servers, all of them; an empty list is about every server.
    #[schema(value_type = Option<Vec<String>>)]
    servers: Option<Vec<NamePattern>>,
    /// The secret that signs, as `secret:NAME`.
    #[schema(value_type = Option<String>)]
    secret: Option<SecretRef>,
    /// A second secret that signs as well; `null` takes it away.
    #[schema(value_type = Option<String>)]
    #[serde(default, with = "former")]
    former_secret: FormerSecret,
    /// Whether events are sent.
    enabled: Option<bool>,
    /// Grant the URL's host where it is a private one.
    #[serde(default)]
    internal: bool,
}

/// An event on its way to a webhook.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Delivery)]
pub(crate) struct DeliveryShape {
    /// The event's identity: the `webhook-id` of every attempt.
    name: String,
    /// The webhook.
    webhook: String,
    /// What happened.
    r#type: &'static str,
    /// The server that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    server: Option<String>,
    /// When it happened.
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// `waiting`, `delivered`, or `dead`: tried no more.
    state: &'static str,
    /// How often it was tried since it last began.
    attempts: u32,
    /// When it is tried next, while it waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    next_at: Option<Timestamp>,
    /// When it was tried last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime)]
    last_at: Option<Timestamp>,
    /// The HTTP status that came back then.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_status: Option<u16>,
    /// Why that was no success.
    #[serde(skip_serializing_if = "Option::is_none")]
    last_error: Option<String>,
    /// What is sent, byte for byte. Only where one delivery is shown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    body: Option<Box<RawValue>>,
}

/// A kind of event.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = EventKind)]
pub(crate) struct EventKindShape {
    /// Its word: the `type` of an event.
    name: &'static str,
    /// What it says.
    meaning: &'static str,
}

/// How many deliveries it concerned.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = DeliveryCount)]
pub(crate) struct DeliveryCountShape {
    /// How many.
    pub(crate) count: u64,
}

// === impl WebhookShape ===

impl From<&Webhook> for WebhookShape {
    fn from(webhook: &Webhook) -> Self {
        let secret = |name: &portreeve_core::name::SecretName| SecretRef(name.clone()).to_string();
        Self {
            name: webhook.name.to_string(),
            url: webhook.url.clone(),
            description: webhook.description.clone(),
            events: labels(&webhook.events),
            servers: labels(&webhook.servers),
            secret: secret(&webhook.secret),
            former_secret: webhook.former_secret.as_ref().map(secret),
            enabled: webhook.is_enabled,
            stopped_because: webhook.stopped_because.clone(),
            private_hosts: labels(&webhook.private_hosts),
            revision: webhook.revision,
            created_by: webhook.created_by.clone(),
            created_at: webhook.created_at,
            updated_by: webhook.updated_by.clone(),
            updated_at: webhook.updated_at,
        }
    }
}

// === impl NewWebhookShape ===

impl NewWebhookShape {
    pub(crate) fn into_new(self) -> NewWebhook {
        NewWebhook {
            name: self.name,
            url: self.url,
            secret: self.secret.0,
            patch: WebhookPatch {
                url: None,
                description: self.description,
                events: self.events,
                servers: self.servers,
                secret: None,
                former_secret: match self.former_secret {
                    Some(secret) => FormerSecret::Named(secret.0),
                    None => FormerSecret::Kept,
                },
                is_enabled: self.enabled,
                private_reach: reach(self.internal),
            },
        }
    }
}

// === impl WebhookChangeShape ===

impl WebhookChangeShape {
    pub(crate) fn into_patch(self) -> WebhookPatch {
        WebhookPatch {
            url: self.url,
            description: self.description,
            events: self.events,
            servers: self.servers,
            secret: self.secret.map(|secret| secret.0),
            former_secret: self.former_secret,
            is_enabled: self.enabled,
            private_reach: reach(self.internal),
        }
    }
}

const fn reach(internal: bool) -> PrivateReach {
    if internal {
        PrivateReach::Granted
    } else {
        PrivateReach::AsBefore
    }
}

/// A field that is left out, `null`, or a reference.
mod former {
    use super::{Deserialize, FormerSecret, SecretRef};

    pub(super) fn deserialize<'de, D: serde::Deserializer<'de>>(
        deserializer: D,
    ) -> Result<FormerSecret, D::Error> {
        let given = Option::<SecretRef>::deserialize(deserializer)?;
        Ok(given.map_or(FormerSecret::Forgotten, |secret| FormerSecret::Named(secret.0)))
    }
}

// === impl DeliveryShape ===

impl From<&Delivery> for DeliveryShape {
    fn from(delivery: &Delivery) -> Self {
        let waits = delivery.state == portreeve_core::webhook::DeliveryState::Waiting;
        Self {
            name: delivery.event.to_string(),
            webhook: delivery.webhook.to_string(),
            r#type: delivery.kind.as_str(),
            server: delivery.server.as_ref().map(ToString::to_string),
            at: delivery.at,
            state: delivery.state.as_str(),
            attempts: delivery.attempts,
            next_at: waits.then_some(delivery.next_at),
            last_at: delivery.last_at,
            last_status: delivery.last_status,
            last_error: delivery.last_error.clone(),
            body: None,
        }
    }
}

impl From<Due> for DeliveryShape {
    fn from(due: Due) -> Self {
        Self {
            body: RawValue::from_string(due.body).ok(),
            ..Self::from(&due.delivery)
        }
    }
}

// === impl EventKindShape ===

impl From<EventKind> for EventKindShape {
    fn from(kind: EventKind) -> Self {
        Self {
            name: kind.as_str(),
            meaning: kind.meaning(),
        }
    }
}
