//! From a text to a tree: JSON or YAML, within bounds. Lenient about what documents of the world get wrong (keys that
//! come twice, numbers beyond 64 bits, keys that are numbers), strict about size, depth and what aliases unfold to.

use std::cell::Cell;
use std::fmt;

use portreeve_core::limits::Limits;
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::OpenApiError;

/// Deepest nesting of a document.
const DEPTH: usize = 120;

/// Reads a document.
pub fn read(text: &str, limits: &Limits) -> Result<Value, OpenApiError> {
    read_within(text, limits, &Cell::new(limits.openapi_nodes))
}

/// Reads one of several documents, which have so many values together; those that it has are taken away.
pub(super) fn read_within(text: &str, limits: &Limits, nodes: &Cell<usize>) -> Result<Value, OpenApiError> {
    if text.len() > limits.openapi_bytes {
        return Err(OpenApiError::TooLarge {
            limit: limits.openapi_bytes,
        });
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let reader = Reader { depth: DEPTH, nodes };
    let read = if text.trim_start().starts_with('{') {
        let mut json = serde_json::Deserializer::from_str(text);
        let read = reader
            .deserialize(&mut json)
            .and_then(|value| json.end().map(|()| value));
        read.or_else(|error| match yaml(text, reader) {
            // A YAML document may begin with a brace as well; what is said about JSON is more to the point.
            Err(_) => Err(error.to_string()),
            Ok(value) => Ok(value),
        })
    } else {
        yaml(text, reader)
    };
    read.map_err(|reason| OpenApiError::Unreadable {
        reason: reason.chars().take(400).collect(),
    })
}

fn yaml(text: &str, reader: Reader<'_>) -> Result<Value, String> {
    let most = reader.nodes.get();
    let budget = serde_saphyr::budget!(
        max_events: most.saturating_mul(2),
        max_nodes: most,
        max_aliases: 10_000,
        max_depth: DEPTH,
        max_documents: 2,
    );
    let mut options = serde_saphyr::options!(
        budget: budget,
        duplicate_keys: serde_saphyr::DuplicateKeyPolicy::LastWins,
        strict_booleans: true,
        with_snippet: false,
    );
    options.alias_limits.max_total_replayed_events = most / 4;
    options.alias_limits.max_replay_stack_depth = 32;
    serde_saphyr::with_deserializer_from_str_with_options(text, options, |yaml| reader.deserialize(yaml))
        .map_err(|error| error.to_string())
}

/// Reads one value; counts what it has read.
#[derive(Clone, Copy)]
struct Reader<'a> {
    depth: usize,
    nodes: &'a Cell<usize>,
}

impl Reader<'_> {
    fn count<E: de::Error>(self) -> Result<(), E> {
        match self.nodes.get().checked_sub(1) {
            Some(left) => {
                self.nodes.set(left);
                Ok(())
            }
            None => Err(E::custom("the document has too many values")),
        }
    }

    fn deeper<E: de::Error>(self) -> Result<Self, E> {
        let depth = self.depth.checked_sub(1);
        depth
            .map(|depth| Self { depth, ..self })
            .ok_or_else(|| E::custom("the document is nested too deeply"))
    }
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        self.count()?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
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

    fn visit_i128<E>(self, value: i128) -> Result<Value, E> {
        Ok(Number::from_i128(value).map_or(Value::Null, Value::Number))
    }

    fn visit_u128<E>(self, value: u128) -> Result<Value, E> {
        Ok(Number::from_u128(value).map_or(Value::Null, Value::Number))
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
            let value = access.next_value_seed(inner)?;
            object.insert(key, value);
        }
        Ok(Value::Object(object))
    }
}
