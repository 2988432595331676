//! A document as hosts get it: the upstream's place is taken by the gateway's, everything else stays as it was sent.
//!
//! Before: the raw document in the store. After: `serve` puts the registry's `_meta` beside it.

use std::fmt;

use portreeve_core::name::Slug;
use portreeve_core::route::Access;
use portreeve_mcp::server_json::PUBLISHER_META;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::json;
use serde_json::value::RawValue;
use url::Url;

/// The top level of a document, in its order, each value as the bytes that were sent.
#[derive(Debug, Clone)]
pub struct PublicDocument(Vec<(String, Box<RawValue>)>);

// === impl PublicDocument ===

impl PublicDocument {
    /// The document with the gateway's routes as its only remotes, or without remotes.
    pub(crate) fn of(
        document: &str,
        faces: &[(Slug, Access)],
        public_url: &Url,
    ) -> Result<Self, serde_json::Error> {
        let Self(fields) = serde_json::from_str(document)?;
        let mut shown = Vec::with_capacity(fields.len());
        for (key, value) in fields {
            match key.as_str() {
                "remotes" => {}
                "_meta" => shown.extend(publisher_part(&value)?.map(|meta| (key, meta))),
                _ => shown.push((key, value)),
            }
        }
        if !faces.is_empty() {
            let remotes = faces
                .iter()
                .map(|(slug, access)| remote(slug, *access, public_url));
            let remotes = serde_json::value::to_raw_value(&remotes.collect::<Vec<_>>())?;
            shown.push(("remotes".to_owned(), remotes));
        }
        Ok(Self(shown))
    }

    /// The document as its publisher sent it, without what only other registries put into `_meta`.
    pub(crate) fn as_sent(document: &str) -> Result<Self, serde_json::Error> {
        let Self(fields) = serde_json::from_str(document)?;
        let mut shown = Vec::with_capacity(fields.len());
        for (key, value) in fields {
            if key == "_meta" {
                shown.extend(publisher_part(&value)?.map(|meta| (key, meta)));
            } else {
                shown.push((key, value));
            }
        }
        Ok(Self(shown))
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
    serde_json::value::to_raw_value(&PublicDocument(kept)).map(Some)
}

/// The gateway's own address of a route.
pub(crate) fn route_url(slug: &Slug, public_url: &Url) -> String {
    format!("{}/s/{slug}/mcp", public_url.as_str().trim_end_matches('/'))
}

fn remote(slug: &Slug, access: Access, public_url: &Url) -> serde_json::Value {
    let mut remote = json!({"type": "streamable-http", "url": route_url(slug, public_url)});
    if access == Access::Credential {
        // A prompt in the host: the key itself never stands in a document or in a link.
        remote["headers"] = json!([{
            "name": "Authorization",
            "description": "Your Portreeve key",
            "value": "Bearer {portreeve_key}",
            "isRequired": true,
            "isSecret": true,
            "variables": {
                "portreeve_key": {
                    "description": "A Portreeve key, as `portreeve key create` prints it",
                    "isRequired": true,
                    "isSecret": true,
                },
            },
        }]);
    }
    remote
}
