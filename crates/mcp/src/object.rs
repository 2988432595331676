//! Reads some fields of a JSON object and leaves the others alone. Refuses a field that comes twice, and a key that is
//! one of the fields in other letters: readers that fold case (Go's `encoding/json`) would take it for the field, and
//! obey a text that nobody here has looked at.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Error as _, IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use crate::members::Members;

/// The values of the named fields, as they were written. `null` is a value.
pub(crate) fn fields<'de, D: Deserializer<'de>, const N: usize>(
    deserializer: D,
    names: [&'static str; N],
) -> Result<[Option<&'de RawValue>; N], D::Error> {
    deserializer.deserialize_map(Fields(names))
}

struct Fields<const N: usize>([&'static str; N]);

impl<'de, const N: usize> Visitor<'de> for Fields<N> {
    type Value = [Option<&'de RawValue>; N];

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut found = [None; N];
        while let Some(Key(key)) = map.next_key()? {
            let place = self.0.iter().zip(&mut found).find(|(name, _)| **name == key);
            match place {
                Some((_, slot @ None)) => *slot = Some(map.next_value()?),
                Some((name, Some(_))) => return Err(twice(name)),
                None => {
                    refuse_look_alike(&key, &self.0)?;
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(found)
    }
}

#[derive(Deserialize)]
struct Key<'a>(#[serde(borrow)] Cow<'a, str>);

/// Whether a key is a name in other letters. Two letters outside ASCII fold into it: the long s and the Kelvin sign.
fn folds_to(key: &str, name: &str) -> bool {
    let fold = |letter: char| match letter {
        'ſ' => 's',
        '\u{212a}' => 'k',
        other => other.to_ascii_lowercase(),
    };
    key.chars().map(fold).eq(name.chars().map(fold))
}

/// The same of an object that was read before, as a part of a message.
pub(crate) fn fields_read<'a, const N: usize>(
    object: &'a str,
    names: [&'static str; N],
) -> Result<[Option<&'a str>; N], serde_json::Error> {
    let mut found = [None; N];
    for (key, value) in Members::of(object) {
        let Key(key) = serde_json::from_str(key)?;
        let place = names.iter().zip(&mut found).find(|(name, _)| **name == key);
        match place {
            Some((_, slot @ None)) => *slot = Some(value),
            Some((name, Some(_))) => return Err(twice(name)),
            None => refuse_look_alike(&key, &names)?,
        }
    }
    Ok(found)
}

fn twice<E: serde::de::Error>(name: &str) -> E {
    E::custom(format_args!("duplicate field `{name}`"))
}

fn refuse_look_alike<E: serde::de::Error>(key: &str, names: &[&'static str]) -> Result<(), E> {
    match names.iter().find(|name| folds_to(key, name)) {
        Some(name) => Err(E::custom(format_args!("`{key}` is not how `{name}` is written"))),
        None => Ok(()),
    }
}

/// A text; `None` for an absent one and for `null`.
pub(crate) fn text<'a>(field: &str, raw: Option<&'a str>) -> Result<Option<Cow<'a, str>>, serde_json::Error> {
    let Some(raw) = raw.filter(|raw| *raw != "null") else {
        return Ok(None);
    };
    match serde_json::from_str::<Key<'_>>(raw) {
        Ok(Key(text)) => Ok(Some(text)),
        Err(error) => Err(serde_json::Error::custom(format_args!("`{field}`: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn look_alikes_are_found() {
        for key in ["Name", "NAME", "nAme"] {
            assert!(folds_to(key, "name"), "{key}");
        }
        assert!(folds_to("reſult", "result"));
        for key in ["names", "nam", "title", ""] {
            assert!(!folds_to(key, "name"), "{key}");
        }
    }
}
