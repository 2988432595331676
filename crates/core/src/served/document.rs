//! A document as hosts get it: everything stays as it was sent but for what only other registries put into `_meta`, and
//! for the `remotes`, whose place is taken by the gateway's.
//!
//! Before: the raw document in the store. After: `ServedText` and the registry put `_meta` beside it.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

use crate::members::VIRTUAL_META;
use crate::rest::REST_META;

/// The only key that hosts and other registries get to see of a document's own `_meta`.
pub const PUBLISHER_META: &str = "io.modelcontextprotocol.registry/publisher-provided";

/// Puts something into the part of a document's `_meta` that belongs to publishers.
pub fn put_in_publisher_meta(document: &mut Map<String, Value>, name: &str, value: Value) {
    let mut at = document;
    for step in ["_meta", PUBLISHER_META] {
        let member = at.entry(step).or_insert_with(|| Value::Object(Map::new()));
        if !member.is_object() {
            *member = Value::Object(Map::new());
        }
        match member {
            Value::Object(inner) => at = inner,
            _ => return,
        }
    }
    at.insert(name.to_owned(), value);
}

/// The top level of a document, in its order, each value as the bytes that were sent.
#[derive(Debug, Clone)]
pub struct PublicDocument(Vec<(String, Box<RawValue>)>);

// === impl PublicDocument ===

impl PublicDocument {
    /// The document as its publisher sent it, without what only other registries put into `_meta`.
    pub fn as_sent(document: &str) -> Result<Self, serde_json::Error> {
        let Self(fields) = serde_json::from_str(document)?;
        let mut shown = Vec::with_capacity(fields.len() + 1);
        for (key, value) in fields {
            if key == "_meta" {
                shown.extend(publisher_part(&value)?.map(|meta| (key, meta)));
            } else {
                shown.push((key, value));
            }
        }
        Ok(Self(shown))
    }

    /// The same without its `remotes`.
    pub fn without_remotes(document: &str) -> Result<Self, serde_json::Error> {
        let mut shown = Self::as_sent(document)?;
        shown.0.retain(|(key, _)| key != "remotes");
        Ok(shown)
    }

    /// Adds a field behind the others.
    pub fn push(&mut self, key: &str, value: Box<RawValue>) {
        self.0.push((key.to_owned(), value));
    }

    /// Whether there is no field.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A field as JSON text.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0
            .iter()
            .find(|(name, _)| name == key)
            .map(|(_, value)| value.get())
    }

    /// A field that is a text.
    pub fn text(&self, key: &str) -> Option<String> {
        serde_json::from_str(self.get(key)?).ok()
    }

    /// A field that is a text, as readers see it who let the last one of a name count.
    pub fn last_text(&self, key: &str) -> Option<String> {
        let last = self.0.iter().rev().find(|(name, _)| name == key);
        serde_json::from_str(last?.1.get()).ok()
    }

    /// The document as values.
    pub fn to_map(&self) -> serde_json::Map<String, serde_json::Value> {
        let value = |(key, value): &(String, Box<RawValue>)| {
            Some((key.clone(), serde_json::from_str(value.get()).ok()?))
        };
        self.0.iter().filter_map(value).collect()
    }
}

impl Serialize for PublicDocument {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for (key, value) in &self.0 {
            map.serialize_entry(key, value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for PublicDocument {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields).map(Self)
    }
}

struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Vec<(String, Box<RawValue>)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Self::Value, A::Error> {
        let mut fields = Vec::new();
        while let Some(entry) = entries.next_entry()? {
            fields.push(entry);
        }
        Ok(fields)
    }
}

/// What a publisher says under the one key that is passed on.
fn publisher_part(meta: &RawValue) -> Result<Option<Box<RawValue>>, serde_json::Error> {
    let PublicDocument(fields) = serde_json::from_str(meta.get())?;
    let kept: Vec<_> = fields
        .into_iter()
        .filter(|(key, _)| key == PUBLISHER_META)
        .collect();
    if kept.is_empty() {
        return Ok(None);
    }
    let kept = PublicDocument(kept);
    let Some(text) = kept.get(PUBLISHER_META).filter(|text| text.contains(REST_META)) else {
        return serde_json::value::to_raw_value(&kept).map(Some);
    };
    // Where an API is behind the gateway is nobody's business, nor which servers are behind another.
    let PublicDocument(mut said) = serde_json::from_str(text)?;
    said.retain(|(key, _)| key != REST_META && key != VIRTUAL_META);
    if said.is_empty() {
        return Ok(None);
    }
    let said = serde_json::value::to_raw_value(&PublicDocument(said))?;
    serde_json::value::to_raw_value(&PublicDocument(vec![(PUBLISHER_META.to_owned(), said)])).map(Some)
}
