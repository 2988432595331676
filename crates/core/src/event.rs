//! What is told to those who subscribed: the kinds of events, and the one text of each event that every subscriber gets.
//!
//! Before: a change is saved together with its audit events. After: the store puts what is told into its outbox, in the
//! same transaction, and `insight` delivers it. An event says less than the audit log: its fields are listed here, kind
//! by kind, so that nothing is told by accident.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Map, Value};

use crate::audit::AuditEvent;
use crate::id::EventId;
use crate::name::{InvalidName, ServerName};
use crate::publishing::NamePattern;
use crate::time::Timestamp;

/// Longest body of an event, in bytes. What would be longer is told without its lists.
const BODY_BYTES: usize = 64 * 1024;

macro_rules! kinds {
    ($($(#[doc = $doc:literal])* $variant:ident = $word:literal ($target:expr) [$($field:literal),*];)*) => {
        /// What happened.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum EventKind {
            $($(#[doc = $doc])* $variant,)*
        }

        impl EventKind {
            /// Every kind, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// Its word: the `type` of an event.
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }

            /// What it says, as a sentence.
            pub fn meaning(self) -> &'static str {
                match self { $(Self::$variant => concat!($($doc),*)),* }.trim()
            }

            /// How the audit event's target is called here.
            const fn target(self) -> Option<&'static str> {
                match self { $(Self::$variant => $target),* }
            }

            /// What of the audit event's details is told.
            const fn fields(self) -> &'static [&'static str] {
                match self { $(Self::$variant => &[$($field),*]),* }
            }

            /// The kind of that word.
            pub fn from_word(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|kind| kind.as_str() == word)
            }
        }
    };
}

kinds! {
    /// A version was registered by a manager, or taken in by an import.
    ServerAdded = "server.added" (Some("version")) ["contentHash", "approval"];
    /// A version was published over the registry API.
    ServerPublished = "server.published" (Some("version")) ["contentHash", "approval"];
    /// The document of a version was edited, here or at the source of a version that waits; an approval it had is void.
    ServerEdited = "server.edited" (Some("version")) ["from", "to", "formerHash", "contentHash", "approvalVoid"];
    /// A version was handed in for approval.
    ServerSubmitted = "server.submitted" (Some("version")) ["from", "to", "contentHash"];
    /// A version was approved, by a person or a rule.
    ServerApproved = "server.approved" (Some("version")) ["from", "to", "contentHash"];
    /// A version was sent back; `message` is the reason.
    ServerRejected = "server.rejected" (Some("version")) ["from", "to", "contentHash", "message"];
    /// A version came to another stage, other than the next two.
    ServerStageChanged = "server.stage-changed" (Some("version")) ["from", "to", "contentHash", "message"];
    /// A version was deprecated: it works, and should not be taken up any more.
    ServerDeprecated = "server.deprecated" (Some("version")) ["from", "to", "contentHash", "message"];
    /// A version was retired: it is not listed and not served.
    ServerRetired = "server.retired" (Some("version")) ["from", "to", "contentHash", "message"];
    /// The source that a version was imported from says that it is deleted; `approval` is where it stood here.
    ServerUpstreamDeleted = "server.upstream-deleted" (Some("version")) ["origin", "approval", "contentHash"];
    /// What people say about a server was changed: owners, tags, use cases, properties.
    ServerDescribed = "server.described" (None) ["fields"];
    /// A server was removed with all its versions.
    ServerRemoved = "server.removed" (None) ["count", "versions"];
    /// An assessment found something else than the one before it; counts by severity.
    ServerAssessed = "server.assessed" (Some("version")) ["contentHash", "score", "tools", "high", "medium", "low"];
    /// A server was granted hosts of a private network.
    ServerHostsGranted = "server.hosts-granted" (None) ["privateHosts"];
    /// Another set of deployments was proposed.
    DeploymentsProposed = "deployments.proposed" (None) ["count", "deployments"];
    /// A set of deployments came into force: these are all that the server has now.
    DeploymentsApproved = "deployments.approved" (None) ["count", "deployments"];
    /// A proposed set of deployments was dropped.
    DeploymentsWithdrawn = "deployments.withdrawn" (None) ["count", "deployments"];
    /// A route was opened.
    RouteCreated = "route.created" (None) ["place", "version", "upstream", "state"];
    /// A route leads somewhere else: to another version, or to another upstream.
    RouteMoved = "route.moved" (None) ["place", "version", "from", "upstream", "state"];
    /// A route serves again.
    RouteStarted = "route.started" (None) ["place", "version", "from", "upstream", "state"];
    /// A route stopped: nothing is left to serve.
    RouteStopped = "route.stopped" (None) ["place", "version", "upstream", "state"];
    /// An administrator changed a route: its policies (not told here), its state, its timeout.
    RouteChanged = "route.changed" (None) ["state", "upstreamTimeoutMs"];
    /// A route was opened to everybody, or closed to those without a credential.
    RouteAccessChanged = "route.access-changed" (None) ["from", "to"];
    /// Live tools differ from the approved ones, and are hidden until somebody decides.
    ToolsDrifted = "tools.drifted" (None) ["era", "new", "changed", "gone", "count"];
    /// Tools were approved and pinned.
    ToolsApproved = "tools.approved" (Some("tool")) ["version", "contentHash", "count", "tools"];
    /// A tool was hidden.
    ToolsHidden = "tools.hidden" (Some("tool")) ["count", "tools"];
    /// A hidden tool may be seen again.
    ToolsUnhidden = "tools.unhidden" (Some("tool")) ["count", "tools"];
    /// Somebody asks to use a server.
    AccessRequested = "access.requested" (Some("request")) ["caller", "tools", "forSeconds"];
    /// A request for access was granted, perhaps for a time.
    AccessGranted = "access.granted" (Some("request")) ["caller", "tools", "grant", "until", "message"];
    /// A request for access was refused; `message` is the reason.
    AccessRefused = "access.refused" (Some("request")) ["caller", "tools", "message"];
    /// Who asked for access took the request back.
    AccessWithdrawn = "access.withdrawn" (Some("request")) ["caller", "tools"];
    /// A run of an import has ended, well or not.
    ImportFinished = "import.finished" (Some("import")) ["kind", "origin", "mode", "state", "failure", "counts"];
    /// A newer partner catalogue was taken.
    PartnerPulled = "partner.pulled" (Some("origin")) ["version", "partners", "withdrawn"];
    /// A partner catalogue was not taken; `code` is why.
    PartnerPullRefused = "partner.pull-refused" (Some("origin")) ["code", "message"];
    /// A partner catalogue was dropped because its key is trusted no more; `instead` is the version that is in force, or 0.
    PartnerCatalogueDropped = "partner.catalogue-dropped" (Some("catalogue"))
        ["version", "instead", "key", "message", "servers", "stillRevoked"];
    /// A partner's server was registered out of the catalogue.
    PartnerRegistered = "partner.registered" (Some("partner")) ["version", "catalogueVersion", "contentHash"];
    /// A registered partner's server was brought to what the catalogue says now.
    PartnerUpdated = "partner.updated" (Some("partner")) ["version", "catalogueVersion", "contentHash"];
    /// The catalogue has another document than a registered partner's server was made of; once for each such document.
    PartnerUpdateAvailable = "partner.update-available" (Some("partner"))
        ["from", "to", "fromCatalogue", "catalogueVersion", "contentHash"];
    /// A partner's server cannot be reached, or must be mended.
    PartnerFailing = "partner.failing" (Some("partner")) ["from", "to", "message", "contentHash"];
    /// A partner's server has other tools than those that were checked.
    PartnerToolsChanged = "partner.tools-changed" (Some("partner")) ["from", "to", "message", "contentHash"];
    /// A partner's server is as it says again.
    PartnerRecovered = "partner.recovered" (Some("partner")) ["from", "to", "contentHash"];
    /// An administrator delisted a partner, or one of its servers; `message` is the reason.
    PartnerDelisted = "partner.delisted" (Some("partner")) ["message"];
    /// An administrator revoked a partner, or one of its servers: nobody may call it; `message` is the reason.
    PartnerRevoked = "partner.revoked" (Some("partner")) ["message"];
    /// An administrator took a withdrawal back.
    PartnerReinstated = "partner.reinstated" (Some("partner")) ["message"];
    /// Nothing happened: somebody asked for a trial of a webhook.
    Ping = "ping" (Some("webhook")) [];
}

/// Which kinds a subscription takes: one (`server.approved`), a group (`server.*`), or all (`*`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct EventPattern(String);

/// An event on its way to subscribers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its identity: that of the audit event, and the `webhook-id` of every delivery.
    pub id: EventId,
    /// What happened.
    pub kind: EventKind,
    /// The server that it is about, if it is about one.
    pub server: Option<ServerName>,
    /// When.
    pub at: Timestamp,
    /// The JSON text that subscribers get, the same for all of them.
    pub body: String,
}

// === impl EventKind ===

impl EventKind {
    /// The kind of an audit event. `None`: it is told to nobody.
    fn of(event: &AuditEvent) -> Option<Self> {
        let to = event.detail.as_ref().and_then(|detail| detail.get("to"));
        Some(match event.action.as_str() {
            "server.add" => Self::ServerAdded,
            "server.publish" => Self::ServerPublished,
            "server.edit" => Self::ServerEdited,
            "server.submit" => Self::ServerSubmitted,
            "server.approve" => Self::ServerApproved,
            "server.reject" => Self::ServerRejected,
            "server.lifecycle" => match to.and_then(Value::as_str) {
                Some("deprecated") => Self::ServerDeprecated,
                Some("retired") => Self::ServerRetired,
                _ => Self::ServerStageChanged,
            },
            "server.upstream-deleted" => Self::ServerUpstreamDeleted,
            "server.describe" => Self::ServerDescribed,
            "server.remove" => Self::ServerRemoved,
            "server.assess" => Self::ServerAssessed,
            "server.grant-private-hosts" => Self::ServerHostsGranted,
            "deployments.propose" => Self::DeploymentsProposed,
            "deployments.approve" => Self::DeploymentsApproved,
            "deployments.withdraw" => Self::DeploymentsWithdrawn,
            "route.create" => Self::RouteCreated,
            "route.move" => Self::RouteMoved,
            "route.start" => Self::RouteStarted,
            "route.stop" => Self::RouteStopped,
            "route.change" => Self::RouteChanged,
            "route.access" => Self::RouteAccessChanged,
            "tools.drift" => Self::ToolsDrifted,
            "tools.approve" | "tools.follow" => Self::ToolsApproved,
            "tools.hide" => Self::ToolsHidden,
            "tools.unhide" => Self::ToolsUnhidden,
            "access.request" => Self::AccessRequested,
            "access.grant" => Self::AccessGranted,
            "access.refuse" => Self::AccessRefused,
            "access.withdraw" => Self::AccessWithdrawn,
            "import.finish" => Self::ImportFinished,
            "partner.pull" => Self::PartnerPulled,
            "partner.pull-refused" => Self::PartnerPullRefused,
            "partner.drop-catalogue" => Self::PartnerCatalogueDropped,
            "partner.register" => Self::PartnerRegistered,
            "partner.update" => Self::PartnerUpdated,
            "partner.offer" => Self::PartnerUpdateAvailable,
            "partner.fail" => Self::PartnerFailing,
            "partner.change-tools" => Self::PartnerToolsChanged,
            "partner.recover" => Self::PartnerRecovered,
            "partner.delist" => Self::PartnerDelisted,
            "partner.revoke" => Self::PartnerRevoked,
            "partner.reinstate" => Self::PartnerReinstated,
            "webhook.test" => Self::Ping,
            _ => return None,
        })
    }
}

impl fmt::Display for EventKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

// === impl EventPattern ===

impl EventPattern {
    /// Every kind.
    pub fn all() -> Self {
        Self("*".to_owned())
    }

    /// The pattern as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it takes this kind. None takes a ping, which is sent to the webhook that is tried and to no other.
    pub fn takes(&self, kind: EventKind) -> bool {
        if kind == EventKind::Ping {
            return false;
        }
        match self.0.strip_suffix('*') {
            Some(group) => kind.as_str().starts_with(group),
            None => kind.as_str() == self.0,
        }
    }
}

impl FromStr for EventPattern {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let pattern = Self(text.to_owned());
        let is_group = text == "*" || text.ends_with(".*");
        let is_one = is_group || EventKind::from_word(text).is_some_and(|kind| kind != EventKind::Ping);
        if is_one && EventKind::ALL.iter().any(|kind| pattern.takes(*kind)) {
            return Ok(pattern);
        }
        Err(InvalidName {
            what: "kind of event",
            value: text.chars().take(200).collect(),
            reason: "it must be one such as `server.approved`, a group such as `server.*`, or `*`",
        })
    }
}

impl fmt::Display for EventPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for EventPattern {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for EventPattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(de::Error::custom)
    }
}

// === impl Event ===

impl Event {
    /// What is told of an audit event; `None` when nothing is.
    pub fn of(event: &AuditEvent) -> Option<Self> {
        let kind = EventKind::of(event)?;
        let mut body = written(kind, event, Told::Everything);
        if body.len() > BODY_BYTES {
            body = written(kind, event, Told::NoLists);
        }
        Some(Self {
            id: event.id,
            kind,
            server: event.server.as_deref().and_then(|name| name.parse().ok()),
            at: event.at,
            body,
        })
    }

    /// Whether a subscription with these patterns gets it. Without server patterns it is about every server, and about
    /// what concerns no server.
    pub fn is_for(&self, kinds: &[EventPattern], servers: &[NamePattern]) -> bool {
        let is_about = |name: &ServerName| servers.iter().any(|pattern| pattern.covers(name));
        kinds.iter().any(|pattern| pattern.takes(self.kind))
            && (servers.is_empty() || self.server.as_ref().is_some_and(is_about))
    }
}

/// How much is told.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Told {
    Everything,
    NoLists,
}

fn written(kind: EventKind, event: &AuditEvent, told: Told) -> String {
    let mut data = Map::new();
    let mut put = |name: &str, value: Option<Value>| {
        if let Some(value) = value.filter(|value| !value.is_null()) {
            data.insert(name.to_owned(), value);
        }
    };
    put("id", Some(event.id.to_string().into()));
    put("actor", Some(event.actor.clone().into()));
    put("server", event.server.clone().map(Value::from));
    put("route", event.route.clone().map(Value::from));
    if let Some(name) = kind.target() {
        put(name, event.target.clone().map(Value::from));
    }
    for field in kind.fields() {
        let value = event.detail.as_ref().and_then(|detail| detail.get(*field));
        let value =
            value.filter(|value| told == Told::Everything || !(value.is_array() || value.is_object()));
        put(field, value.cloned());
    }
    let body = serde_json::json!({
        "type": kind.as_str(), "timestamp": event.at, "data": data,
    });
    body.to_string()
}

#[cfg(test)]
mod tests;
