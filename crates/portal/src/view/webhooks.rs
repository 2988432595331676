//! Webhooks, and one of them with its deliveries.

use askama::Template;
use portreeve_core::event::EventKind;
use portreeve_core::vault::SecretRef;
use portreeve_core::webhook::{Delivery, DeliveryState, Webhook};
use portreeve_insight::Deliveries;

use super::form::Tab;
use super::governed::governance_tabs as tabs;
use crate::view::shell::Shell;
use crate::words::{self, Moment};

/// A webhook in the list.
#[derive(Debug, Clone)]
pub(crate) struct WebhookRow {
    pub(crate) name: String,
    pub(crate) state: &'static str,
    pub(crate) tone: &'static str,
    pub(crate) url: String,
    pub(crate) events: String,
    pub(crate) servers: String,
}

/// The list, with the form that makes one.
#[derive(Template)]
#[template(path = "webhooks.html")]
pub(crate) struct WebhooksPage {
    pub(crate) shell: Shell,
    pub(crate) tabs: Vec<Tab>,
    pub(crate) rows: Vec<WebhookRow>,
    pub(crate) token: String,
    pub(crate) kinds: Vec<EventKind>,
}

/// A delivery in the table.
#[derive(Debug, Clone)]
pub(crate) struct DeliveryRow {
    pub(crate) event: String,
    pub(crate) kind: &'static str,
    pub(crate) server: String,
    pub(crate) at: Moment,
    pub(crate) state: &'static str,
    pub(crate) tone: &'static str,
    pub(crate) tried: String,
    pub(crate) said: String,
    pub(crate) is_dead: bool,
    pub(crate) is_delivered: bool,
}

/// One webhook.
#[derive(Template)]
#[template(path = "webhook.html")]
pub(crate) struct WebhookPage {
    pub(crate) shell: Shell,
    pub(crate) tabs: Vec<Tab>,
    pub(crate) name: String,
    pub(crate) is_enabled: bool,
    pub(crate) stopped: Option<String>,
    pub(crate) facts: Vec<(&'static str, String)>,
    pub(crate) token: String,
    pub(crate) states: Vec<(String, &'static str, bool)>,
    pub(crate) rows: Vec<DeliveryRow>,
    pub(crate) next: Option<String>,
}

// === impl WebhooksPage ===

impl WebhooksPage {
    pub(crate) fn new(shell: Shell, webhooks: &[Webhook], token: String) -> Self {
        Self {
            tabs: tabs(shell.offers(), "/admin/webhooks"),
            shell,
            rows: webhooks.iter().map(WebhookRow::from).collect(),
            token,
            kinds: EventKind::ALL.to_vec(),
        }
    }
}

impl From<&Webhook> for WebhookRow {
    fn from(webhook: &Webhook) -> Self {
        let (state, tone) = match (webhook.is_enabled, &webhook.stopped_because) {
            (true, _) => ("On", "badge-good"),
            (false, Some(_)) => ("Stopped", "badge-bad"),
            (false, None) => ("Off", "badge-warn"),
        };
        Self {
            name: webhook.name.to_string(),
            state,
            tone,
            url: words::visible(&webhook.url),
            events: joined(&webhook.events),
            servers: servers(webhook),
        }
    }
}

fn joined<T: ToString>(items: &[T]) -> String {
    let texts: Vec<String> = items.iter().map(ToString::to_string).collect();
    texts.join(", ")
}

fn servers(webhook: &Webhook) -> String {
    if webhook.servers.is_empty() {
        "All".to_owned()
    } else {
        joined(&webhook.servers)
    }
}

// === impl WebhookPage ===

impl WebhookPage {
    pub(crate) fn new(
        shell: Shell,
        webhook: &Webhook,
        (page, state): (&Deliveries, Option<DeliveryState>),
        token: String,
    ) -> Self {
        let address = format!("/admin/webhooks/{}", webhook.name);
        let narrowed = |word: &str| format!("{address}?state={word}");
        let chosen = |word: Option<DeliveryState>| word == state;
        let older = page.next.map(|before| match state {
            Some(state) => format!("{address}?state={state}&before={before}"),
            None => format!("{address}?before={before}"),
        });
        let secrets: Vec<String> = webhook
            .secrets()
            .map(|name| SecretRef(name.clone()).to_string())
            .collect();
        let facts = [
            ("URL", words::visible(&webhook.url)),
            ("What it is for", words::visible(&webhook.description)),
            ("Kinds of events", joined(&webhook.events)),
            ("Servers", servers(webhook)),
            ("Signed with", secrets.join(" and ")),
            ("Private hosts", joined(&webhook.private_hosts)),
            ("Acts for", words::visible(&webhook.updated_by)),
        ];
        Self {
            tabs: tabs(shell.offers(), "/admin/webhooks"),
            shell,
            name: webhook.name.to_string(),
            is_enabled: webhook.is_enabled,
            stopped: webhook.stopped_because.clone(),
            facts: facts.into_iter().filter(|(_, text)| !text.is_empty()).collect(),
            token,
            states: vec![
                (address.clone(), "All", chosen(None)),
                (
                    narrowed("waiting"),
                    "Waiting",
                    chosen(Some(DeliveryState::Waiting)),
                ),
                (narrowed("dead"), "Dead", chosen(Some(DeliveryState::Dead))),
                (
                    narrowed("delivered"),
                    "Delivered",
                    chosen(Some(DeliveryState::Delivered)),
                ),
            ],
            rows: page.items.iter().map(DeliveryRow::from).collect(),
            next: older,
        }
    }
}

impl From<&Delivery> for DeliveryRow {
    fn from(delivery: &Delivery) -> Self {
        let (state, tone) = match delivery.state {
            DeliveryState::Waiting => ("Waiting", "badge-info"),
            DeliveryState::Delivered => ("Delivered", "badge-good"),
            DeliveryState::Dead => ("Dead", "badge-bad"),
        };
        let status = delivery.last_status.map(|status| format!("answered {status}"));
        let said = delivery.last_error.as_deref().map(words::visible).or(status);
        Self {
            event: delivery.event.to_string(),
            kind: delivery.kind.as_str(),
            server: delivery
                .server
                .as_ref()
                .map(ToString::to_string)
                .unwrap_or_default(),
            at: Moment::new(delivery.at),
            state,
            tone,
            tried: words::count(delivery.attempts as usize, "attempt"),
            said: said.unwrap_or_default(),
            is_dead: delivery.state == DeliveryState::Dead,
            is_delivered: delivery.state == DeliveryState::Delivered,
        }
    }
}
