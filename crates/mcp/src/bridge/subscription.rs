//! Subscriptions: one request with everything that a modern host wants to be told (`subscriptions/listen`), and single
//! wishes of a legacy one, whose server tells all the rest on the stream of the session.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::json;
use serde_json::value::RawValue;

use super::request::{Client, meta};
use super::{Unbridgeable, key};
use crate::answer;
use crate::edit::Edit;
use crate::envelope::Message;
use crate::splice::Splice;

const ACKNOWLEDGED: &str = "notifications/subscriptions/acknowledged";
const TOOLS: &str = "toolsListChanged";

const TOOLS_CHANGED: &str = "notifications/tools/list_changed";
const PROMPTS_CHANGED: &str = "notifications/prompts/list_changed";
const RESOURCES_CHANGED: &str = "notifications/resources/list_changed";
const UPDATED: &str = "notifications/resources/updated";

/// What somebody wants to be told, or is told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Wanted {
    /// That the tools changed.
    #[serde(skip_serializing_if = "is_not")]
    pub tools_list_changed: bool,
    /// That the prompts changed.
    #[serde(skip_serializing_if = "is_not")]
    pub prompts_list_changed: bool,
    /// That the resources changed.
    #[serde(skip_serializing_if = "is_not")]
    pub resources_list_changed: bool,
    /// That one of these resources changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub resource_subscriptions: Vec<String>,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde asks for a reference to the field"
)]
fn is_not(told: &bool) -> bool {
    !told
}

// === impl Wanted ===

impl Wanted {
    /// What a `subscriptions/listen` asks for.
    pub fn read(body: &[u8]) -> Option<Self> {
        let Ok(Message::Request {
            params: Some(params), ..
        }) = Message::parse(body)
        else {
            return None;
        };
        serde_json::from_str(Edit::of(params.get()).value("notifications")?).ok()
    }

    /// What an acknowledgement promises.
    pub fn read_told(body: &[u8]) -> Option<Self> {
        let Ok(Message::Notification {
            params: Some(params), ..
        }) = Message::parse(body)
        else {
            return None;
        };
        serde_json::from_str(Edit::of(params.get()).value("notifications")?).ok()
    }

    /// The part of it that a legacy server tells, by what it answered to `initialize`.
    pub fn told_by(mut self, initialized: &[u8]) -> Self {
        let says: serde_json::Value = serde_json::from_slice(initialized).unwrap_or_default();
        let says = |name: &str, flag: &str| says["capabilities"][name][flag] == true;
        self.tools_list_changed &= says("tools", "listChanged");
        self.prompts_list_changed &= says("prompts", "listChanged");
        self.resources_list_changed &= says("resources", "listChanged");
        if !says("resources", "subscribe") {
            self.resource_subscriptions.clear();
        }
        self
    }

    /// Whether a notification is among it. Which resources are meant the server knows from each subscription.
    pub fn covers(&self, method: &str) -> bool {
        match method {
            TOOLS_CHANGED => self.tools_list_changed,
            PROMPTS_CHANGED => self.prompts_list_changed,
            RESOURCES_CHANGED => self.resources_list_changed,
            UPDATED => !self.resource_subscriptions.is_empty(),
            _ => false,
        }
    }

    /// Whether such notifications are told at all to those who ask for them.
    pub fn knows(method: &str) -> bool {
        let lists = [TOOLS_CHANGED, PROMPTS_CHANGED, RESOURCES_CHANGED];
        method == UPDATED || lists.contains(&method)
    }

    /// What one of two wants.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.tools_list_changed |= other.tools_list_changed;
        self.prompts_list_changed |= other.prompts_list_changed;
        self.resources_list_changed |= other.resources_list_changed;
        self.resource_subscriptions
            .extend_from_slice(&other.resource_subscriptions);
        self.resource_subscriptions.sort_unstable();
        self.resource_subscriptions.dedup();
        self
    }

    /// The part of it that is among something else.
    #[must_use]
    pub fn among(mut self, other: &Self) -> Self {
        self.tools_list_changed &= other.tools_list_changed;
        self.prompts_list_changed &= other.prompts_list_changed;
        self.resources_list_changed &= other.resources_list_changed;
        self.resource_subscriptions
            .retain(|uri| other.resource_subscriptions.contains(uri));
        self
    }

    /// Whether everything that another wants is in it.
    pub fn includes(&self, other: &Self) -> bool {
        other.clone().among(self) == *other
    }

    /// Whether a `subscriptions/listen` asks for nothing but what stands here.
    pub fn is_all_of(body: &[u8]) -> bool {
        const KNOWN: [&str; 4] = [
            TOOLS,
            "promptsListChanged",
            "resourcesListChanged",
            "resourceSubscriptions",
        ];
        let is_known = |object: &str, known: &[&str]| {
            serde_json::from_str::<BTreeMap<&str, &RawValue>>(object)
                .is_ok_and(|members| members.keys().all(|name| known.contains(name)))
        };
        let Ok(Message::Request {
            params: Some(params), ..
        }) = Message::parse(body)
        else {
            return false;
        };
        let params = params.get();
        let notifications = Edit::of(params).value("notifications");
        is_known(params, &["_meta", "notifications"])
            && notifications.is_some_and(|notifications| is_known(notifications, &KNOWN))
    }

    /// All of it as notifications: after a time in which some may have been missed.
    pub fn notifications(&self) -> Vec<Vec<u8>> {
        let lists = [TOOLS_CHANGED, PROMPTS_CHANGED, RESOURCES_CHANGED];
        let changed = lists.into_iter().filter(|method| self.covers(method));
        let changed = changed.map(|method| answer::request(None, method, json!({})));
        let updated = self
            .resource_subscriptions
            .iter()
            .map(|uri| answer::request(None, UPDATED, json!({"uri": uri})));
        changed.chain(updated).collect()
    }

    /// The first message of a subscription: what will be told.
    pub fn acknowledgement(&self, id: &RawValue) -> Vec<u8> {
        let params = json!({"_meta": {key::SUBSCRIPTION: id}, "notifications": self});
        answer::request(None, ACKNOWLEDGED, params)
    }

    /// Whether it is the first message of a modern server's subscription.
    pub fn acknowledges(method: &str) -> bool {
        method == ACKNOWLEDGED
    }

    /// What a server says that it will tell. `None`: it is no acknowledgement.
    pub fn acknowledged(body: &[u8]) -> Option<Self> {
        let Ok(Message::Notification {
            method,
            params: Some(params),
        }) = Message::parse(body)
        else {
            return None;
        };
        if method != ACKNOWLEDGED {
            return None;
        }
        serde_json::from_str(Edit::of(params.get()).value("notifications")?).ok()
    }

    /// The request of a modern server's subscription.
    pub fn request(&self, id: u64, client: Client<'_>) -> Vec<u8> {
        let (meta, notifications) = (meta(client), json!(self));
        format!(
            r#"{{"jsonrpc":"2.0","id":{id},"method":"subscriptions/listen","params":{{"_meta":{meta},"notifications":{notifications}}}}}"#
        )
        .into_bytes()
    }
}

/// A server's acknowledgement that promises news of tools as well, which somebody else tells. `None`: it promises them.
pub fn promising_tools(body: &[u8]) -> Option<Vec<u8>> {
    let Ok(Message::Notification {
        params: Some(params), ..
    }) = Message::parse(body)
    else {
        return None;
    };
    let raw = Edit::of(params.get()).value("notifications")?;
    let mut promised = Edit::of(raw);
    if promised.value(TOOLS) == Some("true") || !raw.starts_with('{') {
        return None;
    }
    promised.put(TOOLS, "true");
    let mut splice = Splice::new(body);
    promised.apply(&mut splice).ok()?;
    Some(splice.finish())
}

/// The last message of a subscription.
pub fn subscription_end(id: &RawValue) -> Vec<u8> {
    let meta = json!({key::SUBSCRIPTION: id});
    answer::result(id, json!({"resultType": "complete", "_meta": meta}))
}

/// A notification with the subscription that it belongs to.
pub fn tagged(body: &[u8], id: &RawValue) -> Result<Vec<u8>, Unbridgeable> {
    let Ok(Message::Notification { params, .. }) = Message::parse(body) else {
        return Err(Unbridgeable);
    };
    let mut splice = Splice::new(body);
    let tag = format!("{{\"{}\":{}}}", key::SUBSCRIPTION, id.get());
    match params.map(RawValue::get) {
        None => {
            let whole = std::str::from_utf8(body).map_err(|_| Unbridgeable)?;
            let mut edit = Edit::of(whole);
            edit.put("params", format!("{{\"_meta\":{tag}}}"));
            edit.apply(&mut splice)?;
        }
        Some(params) => {
            let mut edit = Edit::of(params);
            match edit.value("_meta").filter(|raw| raw.starts_with('{')) {
                Some(raw) => {
                    let mut meta = Edit::of(raw);
                    meta.put(key::SUBSCRIPTION, id.get());
                    meta.apply(&mut splice)?;
                }
                None => edit.put("_meta", tag),
            }
            edit.apply(&mut splice)?;
        }
    }
    Ok(splice.finish())
}

/// A notification without the subscription that it belongs to.
pub fn untagged(body: &[u8]) -> Result<Vec<u8>, Unbridgeable> {
    let Ok(Message::Notification { params, .. }) = Message::parse(body) else {
        return Err(Unbridgeable);
    };
    let mut splice = Splice::new(body);
    let meta = params.and_then(|params| Edit::of(params.get()).value("_meta"));
    if let Some(raw) = meta.filter(|raw| raw.starts_with('{')) {
        let mut meta = Edit::of(raw);
        meta.cut(key::SUBSCRIPTION);
        meta.apply(&mut splice)?;
    }
    Ok(splice.finish())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id() -> Box<RawValue> {
        RawValue::from_string("\"1\"".to_owned()).unwrap()
    }

    #[test]
    fn a_subscription_is_acknowledged_as_far_as_the_server_tells() {
        let request = br#"{"jsonrpc":"2.0","id":"1","method":"subscriptions/listen","params":{"notifications":{"toolsListChanged":true,"promptsListChanged":true,"resourceSubscriptions":["a://b"],"x":1}}}"#;
        let wanted = Wanted::read(request).unwrap();
        let told = wanted
            .clone()
            .told_by(br#"{"capabilities":{"tools":{"listChanged":true},"prompts":{}}}"#);
        assert_eq!(
            String::from_utf8(told.acknowledgement(&id())).unwrap(),
            r#"{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":"1"},"notifications":{"toolsListChanged":true}}}"#
        );
        assert!(
            told.covers("notifications/tools/list_changed")
                && !told.covers("notifications/resources/updated")
        );
        assert_eq!(told.notifications().len(), 1);
        assert_eq!(wanted.notifications().len(), 3);
        let client = Client {
            capabilities: "{}",
            info: None,
            level: None,
            version: "2026-07-28",
        };
        let request = wanted.request(5, client);
        assert_eq!(Wanted::read(&request), Some(wanted));
    }

    #[test]
    fn an_acknowledgement_promises_more() {
        let with = |told: &str| {
            format!(
                r#"{{"jsonrpc":"2.0","method":"notifications/subscriptions/acknowledged","params":{{"notifications":{told},"x":1.0}}}}"#
            )
        };
        for (told, promised) in [
            ("{}", Some(r#"{"toolsListChanged":true}"#)),
            (
                r#"{"promptsListChanged":true}"#,
                Some(r#"{"toolsListChanged":true,"promptsListChanged":true}"#),
            ),
            (r#"{"toolsListChanged":true}"#, None),
            ("7", None),
        ] {
            let made = promising_tools(with(told).as_bytes());
            let made = made.map(|made| String::from_utf8(made).unwrap());
            assert_eq!(made, promised.map(with));
        }
        let told = Wanted::acknowledged(with(r#"{"promptsListChanged":true}"#).as_bytes()).unwrap();
        assert!(told.prompts_list_changed && !told.tools_list_changed);
        assert_eq!(
            Wanted::acknowledged(br#"{"jsonrpc":"2.0","method":"m","params":{"notifications":{}}}"#),
            None
        );
    }

    #[test]
    fn a_notification_gets_its_subscription_and_loses_it_again() {
        for (plain, with) in [
            (
                r#"{"jsonrpc":"2.0","method":"m","params":{"uri":"a", "_meta":{"k":1.0}}}"#,
                r#"{"jsonrpc":"2.0","method":"m","params":{"uri":"a", "_meta":{"io.modelcontextprotocol/subscriptionId":"1","k":1.0}}}"#,
            ),
            (
                r#"{"jsonrpc":"2.0","method":"m","params":{"_meta":{}}}"#,
                r#"{"jsonrpc":"2.0","method":"m","params":{"_meta":{"io.modelcontextprotocol/subscriptionId":"1"}}}"#,
            ),
        ] {
            let made = tagged(plain.as_bytes(), &id()).unwrap();
            assert_eq!(String::from_utf8(made).unwrap(), with);
            assert_eq!(
                String::from_utf8(untagged(with.as_bytes()).unwrap()).unwrap(),
                plain
            );
        }
        let bare = tagged(br#"{"jsonrpc":"2.0","method":"m"}"#, &id()).unwrap();
        assert_eq!(
            String::from_utf8(bare).unwrap(),
            r#"{"params":{"_meta":{"io.modelcontextprotocol/subscriptionId":"1"}},"jsonrpc":"2.0","method":"m"}"#
        );
        assert!(tagged(br#"{"jsonrpc":"2.0","id":1,"result":{}}"#, &id()).is_err());
    }
}
