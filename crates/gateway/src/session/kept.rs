//! What may change of a session, as it is kept: sealed, for it holds the server's own session.

use std::collections::BTreeSet;

use portreeve_client::some_line;
use portreeve_core::host_session::HostSession;
use portreeve_core::limits::Limits;
use portreeve_core::protocol::Era;
use portreeve_core::random::Rng;
use portreeve_core::secret::Secret;
use portreeve_inspect::{SealError, Sealer};
use portreeve_mcp::bridge;
use portreeve_mcp::envelope::Message;
use portreeve_mcp::params::Params;
use portreeve_mcp::splice::Splice;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::Session;

/// Characters of the word for a level that are kept.
const LEVEL_CHARS: usize = 32;

/// What may change. Fields that an older node does not know are lost when it writes, so they must be missable.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Kept {
    /// The server's id of its session; `None` where it keeps none. Where it is a line, that it is one.
    pub(super) upstream: Option<String>,
    /// Opened with a caller who was granted nothing.
    pub(super) stranger: bool,
    /// The server's hop was modern when it was opened.
    pub(super) to_modern: bool,
    /// The hash of the server's URL when it was opened.
    pub(super) server: Option<String>,
    /// The negotiated version.
    pub(super) version: Option<String>,
    /// What the host said at the beginning: the parameters of its `initialize`, as they were written. `None` where they
    /// are too long; such a session cannot begin anew at the server. Before a modern server, which is told of its host with
    /// every request, what is told of them.
    pub(super) hello: Option<String>,
    /// The level that the host set for log messages.
    pub(super) level: Option<String>,
    /// Resources whose changes the host wants to be told.
    pub(super) subscriptions: BTreeSet<String>,
}

/// What a modern server is told of its host.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Introduced {
    #[serde(skip_serializing_if = "Option::is_none")]
    capabilities: Option<Box<RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_info: Option<Box<RawValue>>,
}

/// What the host says of itself.
#[derive(Debug, Default, Deserialize)]
struct Hello<'a> {
    #[serde(borrow, default)]
    capabilities: Option<&'a RawValue>,
    #[serde(borrow, default, rename = "clientInfo")]
    client_info: Option<&'a RawValue>,
}

impl Kept {
    /// Seals it for one session: in the row of another one it does not open.
    pub(super) fn seal(&self, of: &Session, sealer: &Sealer, rng: &dyn Rng) -> Result<String, SealError> {
        let text = serde_json::to_string(self).map_err(|_| SealError)?;
        let bound = [of.key.to_string(), of.principal.to_string(), of.route.to_string()];
        sealer.seal(&Secret::new(text), &bound.each_ref().map(String::as_str), rng)
    }

    /// Opens what a row holds.
    pub(super) fn open(row: &HostSession, sealer: &Sealer) -> Result<Self, SealError> {
        let bound = [
            row.id.to_string(),
            row.principal.to_string(),
            row.route.to_string(),
        ];
        let text = sealer.open(&row.sealed, &bound.each_ref().map(String::as_str))?;
        serde_json::from_str(text.expose()).map_err(|_| SealError)
    }

    /// The era of the server's hop when it was opened.
    pub(super) const fn hop(&self) -> Era {
        if self.to_modern { Era::Modern } else { Era::Legacy }
    }

    /// The capabilities that the host declared, as they were written.
    pub(super) fn capabilities(&self) -> Option<Box<RawValue>> {
        self.said().capabilities.map(ToOwned::to_owned)
    }

    /// What the host calls itself, as it was written; unverified.
    pub(super) fn client_info(&self) -> Option<Box<RawValue>> {
        self.said().client_info.map(ToOwned::to_owned)
    }

    fn said(&self) -> Hello<'_> {
        let hello = self.hello.as_deref().unwrap_or_default();
        serde_json::from_str(hello).unwrap_or_default()
    }

    /// What the host would say to the server now: the same, with the version that was agreed upon.
    pub(super) fn hello_again(&self) -> Option<Box<RawValue>> {
        let hello = self.hello.as_ref()?;
        let raw: &RawValue = serde_json::from_str(hello).ok()?;
        let params = Params::parse(Some(raw)).ok()?;
        let text = match (params.protocol_version, &self.version) {
            (Some(proposed), Some(agreed)) => {
                let mut splice = Splice::new(hello.as_bytes());
                splice.replace(proposed, serde_json::to_vec(agreed).ok()?).ok()?;
                String::from_utf8(splice.finish()).ok()?
            }
            _ => hello.clone(),
        };
        RawValue::from_string(text).ok()
    }

    /// Takes a level over.
    pub(super) fn set_level(&mut self, level: &str) {
        if level.len() <= LEVEL_CHARS {
            self.level = Some(level.to_owned());
        }
    }

    /// Whether a subscription to this can be taken over.
    pub(super) fn has_room(&self, uri: &str, limits: &Limits) -> bool {
        let bytes = self.subscriptions.iter().map(String::len).sum::<usize>() + uri.len();
        let is_room = self.subscriptions.len() < limits.subscriptions_per_session
            && bytes <= limits.subscription_bytes_per_session;
        uri.len() <= limits.url_bytes && (is_room || self.subscriptions.contains(uri))
    }

    /// Takes a subscription over, as long as there is room.
    pub(super) fn subscribe(&mut self, uri: &str, limits: &Limits) {
        if self.has_room(uri, limits) {
            self.subscriptions.insert(uri.to_owned());
        }
    }

    /// Forgets one.
    pub(super) fn unsubscribe(&mut self, uri: &str) {
        self.subscriptions.remove(uri);
    }
}

/// What is kept of the server's session, and which line of this node it is.
pub(super) fn side_of(session: Option<String>) -> (Option<String>, Option<String>) {
    match session.as_deref().and_then(some_line) {
        Some(mark) => (Some(mark.to_owned()), session),
        None => (session, None),
    }
}

/// What an `initialize` says, for [`Kept::hello`].
pub(super) fn hello_of(body: &[u8], hop: Era, limits: &Limits) -> Option<String> {
    if hop == Era::Modern {
        // Its two parts were measured when it was sent on.
        let said = bridge::introduction(body);
        let raw = |text: Option<String>| text.and_then(|text| RawValue::from_string(text).ok());
        return serde_json::to_string(&Introduced {
            capabilities: raw(said.capabilities),
            client_info: raw(said.info),
        })
        .ok();
    }
    let Ok(Message::Request { params, .. }) = Message::parse(body) else {
        return None;
    };
    let params = params?.get();
    (params.len() <= limits.session_hello_bytes).then(|| params.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_says_the_same_again_with_the_version_that_was_agreed_upon() {
        let said = r#"{ "protocolVersion" :"1999-01-01","capabilities":{"roots":{}, "x":1.50},"clientInfo":{"name":"t"} ,"x":[ ]}"#;
        let kept = Kept {
            version: Some("2025-11-25".to_owned()),
            hello: Some(said.to_owned()),
            ..Kept::default()
        };
        let again = kept.hello_again().unwrap();
        assert_eq!(again.get(), said.replace("1999-01-01", "2025-11-25"));
        assert_eq!(kept.capabilities().unwrap().get(), r#"{"roots":{}, "x":1.50}"#);
        assert_eq!(kept.client_info().unwrap().get(), r#"{"name":"t"}"#);
        assert!(Kept::default().hello_again().is_none());
    }

    #[test]
    fn what_is_remembered_is_bounded() {
        let limits = Limits {
            subscriptions_per_session: 2,
            subscription_bytes_per_session: 10,
            session_hello_bytes: 20,
            ..Limits::default()
        };
        let mut kept = Kept::default();
        kept.set_level(&"x".repeat(33));
        for uri in ["a", "b", "c", &"x".repeat(5_000)] {
            kept.subscribe(uri, &limits);
        }
        kept.unsubscribe("a");
        let expected = Kept {
            subscriptions: BTreeSet::from(["b".to_owned()]),
            ..Kept::default()
        };
        assert_eq!(kept, expected);
        let (longest, beyond) = ("y".repeat(9), "y".repeat(10));
        assert!(!kept.has_room(&beyond, &limits) && kept.has_room(&longest, &limits));
        kept.subscribe(&longest, &limits);
        assert!(kept.has_room(&longest, &limits), "it is there already");
        let hello = |params: &str| {
            let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"initialize","params":{params}}}"#);
            hello_of(body.as_bytes(), Era::Legacy, &limits)
        };
        assert_eq!(hello(r#"{"a":1}"#).as_deref(), Some(r#"{"a":1}"#));
        assert_eq!(hello(r#"{"abcdefgh":"abcdefgh"}"#), None);
    }
}
