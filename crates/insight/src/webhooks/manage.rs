//! Subscriptions: made, changed, removed. Everything that is wrong with one is told at once, and nothing is saved that
//! could not sign or could not go out.

use portreeve_core::audit::AuditEvent;
use portreeve_core::caller::Caller;
use portreeve_core::event::EventPattern;
use portreeve_core::name::{SecretName, WebhookName};
use portreeve_core::ports::Purpose;
use portreeve_core::publishing::NamePattern;
use portreeve_core::server::PrivateHost;
use portreeve_core::webhook::Webhook;
use portreeve_net::Reach;
use serde_json::json;
use url::Url;

use super::sign::SigningKey;
use super::{WebhookError, WebhookProblem, Webhooks};

/// Longest URL, in bytes.
const URL: usize = 2_000;
/// Longest description, in characters.
const DESCRIPTION: usize = 1_000;

/// A subscription to be made.
#[derive(Debug, Clone)]
pub struct NewWebhook {
    /// Its name.
    pub name: WebhookName,
    /// Where events are sent.
    pub url: String,
    /// The secret that signs.
    pub secret: SecretName,
    /// The rest; what is left out is as usual: every kind, every server, enabled.
    pub patch: WebhookPatch,
}

/// What shall be different; what is left out stays.
#[derive(Debug, Clone, Default)]
pub struct WebhookPatch {
    /// Where events are sent. Another URL forgets which private hosts were granted for the one before.
    pub url: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// Which kinds of events it takes, all of them.
    pub events: Option<Vec<EventPattern>>,
    /// About which servers; an empty list is about all.
    pub servers: Option<Vec<NamePattern>>,
    /// The secret that signs.
    pub secret: Option<SecretName>,
    /// The secret before it.
    pub former_secret: FormerSecret,
    /// Whether events are sent.
    pub is_enabled: Option<bool>,
    /// Whether a private host may be reached.
    pub private_reach: PrivateReach,
}

/// What becomes of the secret before the current one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum FormerSecret {
    /// What it was.
    #[default]
    Kept,
    /// It signs no more.
    Forgotten,
    /// This one signs as well.
    Named(SecretName),
}

/// Whether the URL's own host is granted where it is a private one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum PrivateReach {
    /// Only what was granted before, for the same URL.
    #[default]
    AsBefore,
    /// It is granted.
    Granted,
}

// === impl Webhooks ===

impl Webhooks {
    /// All of them, by name.
    pub async fn list(&self, caller: &Caller) -> Result<Vec<Webhook>, WebhookError> {
        self.require_operator(caller)?;
        Ok(self.parts.webhooks.webhooks().await?)
    }

    /// One of them.
    pub async fn show(&self, caller: &Caller, name: &WebhookName) -> Result<Webhook, WebhookError> {
        self.require_operator(caller)?;
        self.find(name).await
    }

    /// Makes one. From now on it is told what happens; what happened before is not told.
    pub async fn create(&self, caller: &Caller, new: NewWebhook) -> Result<Webhook, WebhookError> {
        self.require_operator(caller)?;
        let (now, by) = (self.parts.clock.now(), caller.label.to_string());
        let empty = Webhook {
            name: new.name,
            url: String::new(),
            description: String::new(),
            events: vec![EventPattern::all()],
            servers: Vec::new(),
            secret: new.secret,
            former_secret: None,
            is_enabled: true,
            stopped_because: None,
            private_hosts: Vec::new(),
            owner: caller.principal,
            revision: 1,
            created_by: by.clone(),
            created_at: now,
            updated_by: by,
            updated_at: now,
        };
        let patch = WebhookPatch {
            url: Some(new.url),
            ..new.patch
        };
        let webhook = self.patched(caller, empty, patch).await?;
        let event = self.changed(caller, "webhook.create", &webhook);
        let most = self.parts.limits.webhooks;
        self.parts.webhooks.add_webhook(&webhook, most, event).await?;
        Ok(webhook)
    }

    /// Changes one. From then on it acts for who changed it.
    pub async fn change(
        &self,
        caller: &Caller,
        name: &WebhookName,
        (patch, expected): (WebhookPatch, Option<i64>),
    ) -> Result<Webhook, WebhookError> {
        self.require_operator(caller)?;
        let before = self.expected(name, expected).await?;
        let mut webhook = self.patched(caller, before, patch).await?;
        let event = self.changed(caller, "webhook.change", &webhook);
        webhook.revision = self.parts.webhooks.save_webhook(&webhook, event).await?;
        self.wake.notify_one();
        Ok(webhook)
    }

    /// Removes one, with everything that waits for it.
    pub async fn remove(
        &self,
        caller: &Caller,
        name: &WebhookName,
        expected: Option<i64>,
    ) -> Result<(), WebhookError> {
        self.require_operator(caller)?;
        let webhook = self.expected(name, expected).await?;
        let event = self.event(caller, "webhook.delete", name);
        let removed = self.parts.webhooks.remove_webhook(name, webhook.revision, event);
        Ok(removed.await?)
    }

    async fn expected(&self, name: &WebhookName, expected: Option<i64>) -> Result<Webhook, WebhookError> {
        let webhook = self.find(name).await?;
        if expected.is_none_or(|expected| expected == webhook.revision) {
            return Ok(webhook);
        }
        Err(WebhookError::Conflict {
            what: format!("webhook `{name}`"),
        })
    }

    async fn patched(
        &self,
        caller: &Caller,
        mut webhook: Webhook,
        patch: WebhookPatch,
    ) -> Result<Webhook, WebhookError> {
        let WebhookPatch {
            url,
            description,
            events,
            servers,
            secret,
            former_secret,
            is_enabled,
            private_reach,
        } = patch;
        if let Some(url) = url.filter(|url| *url != webhook.url) {
            webhook.url = url;
            webhook.private_hosts = Vec::new();
        }
        webhook.description = description.unwrap_or(webhook.description);
        webhook.events = events.unwrap_or(webhook.events);
        webhook.servers = servers.unwrap_or(webhook.servers);
        webhook.secret = secret.unwrap_or(webhook.secret);
        match former_secret {
            FormerSecret::Kept => {}
            FormerSecret::Forgotten => webhook.former_secret = None,
            FormerSecret::Named(name) => webhook.former_secret = Some(name),
        }
        if let Some(is_enabled) = is_enabled {
            webhook.is_enabled = is_enabled;
            webhook.stopped_because = None;
        }
        webhook.owner = caller.principal;
        webhook.updated_by = caller.label.to_string();
        webhook.updated_at = self.parts.clock.now();
        let url = self.checked(&webhook)?;
        if private_reach == PrivateReach::Granted {
            let hosts = self.private_hosts(&url).await?;
            // What was granted before may be said again by who could not grant it.
            if hosts.iter().any(|host| !webhook.private_hosts.contains(host)) {
                self.require_manager(caller)?;
            }
            webhook.private_hosts = hosts;
        }
        self.parts
            .egress
            .check(&url, &Reach::granted(&webhook.private_hosts))
            .map_err(WebhookError::Refused)?;
        self.check_keys(&webhook).await?;
        Ok(webhook)
    }

    async fn private_hosts(&self, url: &Url) -> Result<Vec<PrivateHost>, WebhookError> {
        let hosts = self.parts.egress.private_hosts(url).await;
        hosts.map_err(WebhookError::Refused)
    }

    /// Everything that can be said without asking anybody.
    fn checked(&self, webhook: &Webhook) -> Result<Url, WebhookError> {
        let mut problems = Vec::new();
        let mut note = |path, message: String| problems.push(WebhookProblem { path, message });
        let url = Url::parse(&webhook.url);
        match &url {
            Err(error) => note("url", format!("is not a URL: {error}")),
            Ok(url) if !matches!(url.scheme(), "https" | "http") => {
                note("url", "must begin with `https://`".to_owned());
            }
            Ok(url) if !url.username().is_empty() || url.password().is_some() => {
                let told = "carries a user name or a password; the receiver knows Portreeve by the signature";
                note("url", told.to_owned());
            }
            Ok(url) if url.fragment().is_some() => note("url", "must have no fragment".to_owned()),
            Ok(_) => {}
        }
        if webhook.url.len() > URL {
            note("url", format!("must have at most {URL} bytes"));
        }
        if webhook.description.chars().count() > DESCRIPTION {
            note(
                "description",
                format!("must have at most {DESCRIPTION} characters"),
            );
        }
        if webhook.events.is_empty() {
            note(
                "events",
                "must name at least one kind; `*` is every kind".to_owned(),
            );
        }
        let most = self.parts.limits.webhook_patterns;
        for (path, number) in [
            ("events", webhook.events.len()),
            ("servers", webhook.servers.len()),
        ] {
            if number > most {
                note(path, format!("must have at most {most} patterns"));
            }
        }
        if webhook.former_secret.as_ref() == Some(&webhook.secret) {
            note(
                "formerSecret",
                "must be another secret than the current one".to_owned(),
            );
        }
        match url {
            Ok(url) if problems.is_empty() => Ok(url),
            _ => Err(WebhookError::Invalid(problems)),
        }
    }

    /// Whether every secret is there and signs.
    async fn check_keys(&self, webhook: &Webhook) -> Result<(), WebhookError> {
        for name in webhook.secrets() {
            let secret = self.parts.outgoing.open(name, Purpose::Deliver).await?;
            SigningKey::read(&secret).map_err(|problem| WebhookError::NoKey {
                name: name.clone(),
                problem,
            })?;
        }
        Ok(())
    }

    /// Paths and queries of such URLs are often credentials themselves, so the audit log has the origin alone.
    fn changed(&self, caller: &Caller, action: &str, webhook: &Webhook) -> AuditEvent {
        let mut event = self.event(caller, action, &webhook.name);
        let origin = Url::parse(&webhook.url).map(|url| url.origin().ascii_serialization());
        let hosts: Vec<String> = webhook.private_hosts.iter().map(ToString::to_string).collect();
        event.detail = Some(json!({
            "origin": origin.ok(), "events": webhook.events, "servers": webhook.servers,
            "enabled": webhook.is_enabled, "secret": webhook.secret, "formerSecret": webhook.former_secret,
            "privateHosts": hosts,
        }));
        event
    }
}
