//! Reads JSON strictly into a tree: no key twice, a limited depth. Before: the raw text. After: `hash`, `tool`, `diff`.
//!
//! `serde_json::Value` would keep the last of two equal keys without a word, and reads an object whose only key is
//! `$serde_json::private::RawValue` as the JSON inside its string; both would give two different texts one hash.

use std::cell::Cell;
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

use crate::error::InspectError;

/// How deeply objects and arrays may be nested.
pub const MAX_DEPTH: usize = 100;

/// Reads one JSON text.
pub(crate) fn read(text: &str) -> Result<Value, InspectError> {
    let refusal = Cell::new(None);
    let reader = Reader {
        depth: 0,
        refusal: &refusal,
    };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let result = reader
        .deserialize(&mut deserializer)
        .and_then(|value| deserializer.end().map(|()| value));
    result.map_err(|error| refusal.take().unwrap_or_else(|| not_json(&error)))
}

fn not_json(error: &serde_json::Error) -> InspectError {
    let text = error.to_string();
    let reason = text.split(" at line ").next().unwrap_or_default().to_owned();
    InspectError::NotJson {
        reason,
        line: error.line(),
        column: error.column(),
    }
}

/// Reads one value at a depth. A refusal of ours travels beside serde's error, which can carry only text.
#[derive(Clone, Copy)]
struct Reader<'a> {
    depth: usize,
    refusal: &'a Cell<Option<InspectError>>,
}

impl Reader<'_> {
    fn deeper<E: de::Error>(self) -> Result<Self, E> {
        if self.depth == MAX_DEPTH {
            return Err(self.refuse(InspectError::TooDeep { limit: MAX_DEPTH }));
        }
        Ok(Self {
            depth: self.depth + 1,
            ..self
        })
    }

    fn refuse<E: de::Error>(self, why: InspectError) -> E {
        self.refusal.set(Some(why));
        E::custom("refused")
    }
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(inner)? {
            items.push(item);
        }
        Ok(Value::Array(items))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut object = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            if object.contains_key(&key) {
                let key = key.chars().take(100).collect();
                return Err(self.refuse(InspectError::DuplicateKey { key }));
            }
            let value = access.next_value_seed(inner)?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}
