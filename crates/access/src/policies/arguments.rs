//! The arguments of a call as policies read them: flat, by dotted paths, one kind of value each, bounded.
//!
//! Whatever a policy compares must be what the server reads, so nothing is guessed: an object that names a key twice,
//! has an empty key, is too deep or too large is no arguments at all, and a policy that wanted to read them denies.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use cedar_policy::RestrictedExpression;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// The most bytes of arguments that policies read.
pub(crate) const MOST_BYTES: usize = 64 * 1024;
/// The most paths.
pub(crate) const MOST_PATHS: usize = 256;
/// The deepest nesting.
pub(crate) const MOST_DEEP: usize = 16;

/// Arguments by their paths.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Arguments {
    given: BTreeSet<String>,
    text: BTreeMap<String, String>,
    number: BTreeMap<String, i64>,
    decimal: BTreeMap<String, String>,
    flag: BTreeMap<String, bool>,
    list: BTreeMap<String, BTreeSet<String>>,
}

/// Where a value stands.
struct Place<'a> {
    into: &'a mut Arguments,
    path: String,
    depth: usize,
    /// Several values may share a path below an array.
    in_array: bool,
}

// === impl Arguments ===

impl Arguments {
    /// Reads an object. `None`: policies cannot read it.
    pub(crate) fn read(raw: &[u8]) -> Option<Self> {
        if raw.len() > MOST_BYTES {
            return None;
        }
        let mut arguments = Self::default();
        if raw.trim_ascii() == b"null" || raw.trim_ascii().is_empty() {
            return Some(arguments);
        }
        let mut reader = serde_json::Deserializer::from_slice(raw);
        let place = Place {
            into: &mut arguments,
            path: String::new(),
            depth: 0,
            in_array: false,
        };
        place.deserialize(&mut reader).ok()?;
        reader.end().ok()?;
        Some(arguments)
    }

    /// The paths that are there, whatever they lead to.
    pub(super) fn given(&self) -> Vec<RestrictedExpression> {
        self.given
            .iter()
            .map(|path| RestrictedExpression::new_string(path.clone()))
            .collect()
    }

    /// The values of one kind, by path.
    pub(super) fn tags(&self, kind: &str) -> Vec<(String, RestrictedExpression)> {
        let string = |text: &String| RestrictedExpression::new_string(text.clone());
        match kind {
            "text" => tags(&self.text, string),
            "number" => tags(&self.number, |number| RestrictedExpression::new_long(*number)),
            "decimal" => tags(&self.decimal, |decimal| {
                RestrictedExpression::new_decimal(decimal)
            }),
            "flag" => tags(&self.flag, |flag| RestrictedExpression::new_bool(*flag)),
            _ => tags(&self.list, |texts| {
                RestrictedExpression::new_set(texts.iter().map(string))
            }),
        }
    }

    /// What a policy sees under `context.KIND` at a path, in words.
    pub(crate) fn shown(&self, kind: &str, path: &str) -> Option<String> {
        match kind {
            "text" => self.text.get(path).map(|text| format!("{text:?}")),
            "number" => self.number.get(path).map(ToString::to_string),
            "decimal" => self.decimal.get(path).cloned(),
            "flag" => self.flag.get(path).map(ToString::to_string),
            "list" => self.list.get(path).map(|texts| format!("{texts:?}")),
            _ => None,
        }
    }
}

fn tags<T>(
    values: &BTreeMap<String, T>,
    expression: impl Fn(&T) -> RestrictedExpression,
) -> Vec<(String, RestrictedExpression)> {
    values
        .iter()
        .map(|(path, value)| (path.clone(), expression(value)))
        .collect()
}

// === impl Place ===

impl Place<'_> {
    /// Notes that something is here.
    fn note<E: Error>(&mut self) -> Result<(), E> {
        if self.depth == 0 {
            return Err(E::custom("arguments are an object"));
        }
        let is_new = self.into.given.insert(self.path.clone());
        if !is_new && !self.in_array {
            return Err(E::custom("a key is there twice"));
        }
        if self.into.given.len() > MOST_PATHS {
            return Err(E::custom("too many arguments"));
        }
        Ok(())
    }

    fn deeper<E: Error>(&self) -> Result<usize, E> {
        if self.depth < MOST_DEEP {
            Ok(self.depth + 1)
        } else {
            Err(E::custom("too deep"))
        }
    }

    /// Numbers are there as a whole number and as a decimal, both rounded away from zero: a limit holds for what is a
    /// little more than it.
    fn number<E: Error>(mut self, text: &str) -> Result<(), E> {
        self.note()?;
        if !self.in_array {
            let (whole, decimal) = rounded(text);
            self.into.number.insert(self.path.clone(), whole);
            self.into.decimal.insert(self.path, decimal);
        }
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Place<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Place<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("arguments of a tool")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        if self.depth > 0 {
            self.note()?;
        }
        let depth = self.deeper()?;
        let mut keys = BTreeSet::new();
        while let Some(key) = map.next_key::<String>()? {
            // What stands below an empty key at the top would have the paths of what stands at the top.
            if key.is_empty() {
                return Err(Error::custom("a key is empty"));
            }
            let part = key.replace('\\', "\\\\").replace('.', "\\.");
            let path = if self.path.is_empty() {
                part
            } else {
                format!("{}.{part}", self.path)
            };
            if !keys.insert(key) {
                return Err(Error::custom("a key is there twice"));
            }
            map.next_value_seed(Place {
                into: &mut *self.into,
                path,
                depth,
                in_array: self.in_array,
            })?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        self.note()?;
        let depth = self.deeper()?;
        self.into.list.entry(self.path.clone()).or_default();
        while items
            .next_element_seed(Place {
                into: &mut *self.into,
                path: self.path.clone(),
                depth,
                in_array: true,
            })?
            .is_some()
        {}
        Ok(())
    }

    fn visit_str<E: Error>(mut self, text: &str) -> Result<(), E> {
        self.note()?;
        if self.in_array {
            let texts = self.into.list.entry(self.path).or_default();
            texts.insert(text.to_owned());
        } else {
            self.into.text.insert(self.path, text.to_owned());
        }
        Ok(())
    }

    fn visit_bool<E: Error>(mut self, flag: bool) -> Result<(), E> {
        self.note()?;
        if !self.in_array {
            self.into.flag.insert(self.path, flag);
        }
        Ok(())
    }

    fn visit_unit<E: Error>(mut self) -> Result<(), E> {
        self.note()
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.number(&number.to_string())
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        self.number(&number.to_string())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        self.number(&number.to_string())
    }
}

/// The largest decimal that Cedar knows, in ten-thousandths.
const LARGEST: i64 = i64::MAX;

/// A number as it is written in full, as a whole number and as a decimal with four digits, both away from zero.
fn rounded(text: &str) -> (i64, String) {
    let (is_negative, digits) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let whole: i64 = whole.parse().unwrap_or(i64::MAX);
    let up = i64::from(fraction.bytes().any(|digit| digit != b'0'));
    let kept: String = fraction.chars().chain("0000".chars()).take(4).collect();
    let rest = fraction.bytes().skip(4).any(|digit| digit != b'0');
    let scaled = whole
        .checked_mul(10_000)
        .and_then(|scaled| scaled.checked_add(kept.parse().ok()?))
        .and_then(|scaled| scaled.checked_add(i64::from(rest)))
        .unwrap_or(LARGEST);
    let sign = if is_negative && scaled > 0 { "-" } else { "" };
    let decimal = format!("{sign}{}.{:04}", scaled / 10_000, scaled % 10_000);
    let whole = whole.saturating_add(up);
    (if is_negative { -whole } else { whole }, decimal)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Arguments {
        Arguments::read(text.as_bytes()).unwrap()
    }

    #[test]
    fn values_stand_under_their_paths() {
        let arguments = read(
            r#"{"to": "a@acme.example", "customer": {"id": 7, "vip": true}, "cc": ["b", "c"], "none": null,
                "parts": [{"name": "x"}, {"name": "y", "size": 3}], "a.b": "dotted"}"#,
        );
        assert_eq!(arguments.shown("text", "to").unwrap(), "\"a@acme.example\"");
        assert_eq!(arguments.shown("number", "customer.id").unwrap(), "7");
        assert_eq!(arguments.shown("decimal", "customer.id").unwrap(), "7.0000");
        assert_eq!(arguments.shown("flag", "customer.vip").unwrap(), "true");
        assert_eq!(arguments.shown("list", "cc").unwrap(), r#"{"b", "c"}"#);
        assert_eq!(arguments.shown("list", "parts.name").unwrap(), r#"{"x", "y"}"#);
        assert_eq!(arguments.shown("text", "a\\.b").unwrap(), "\"dotted\"");
        assert!(arguments.given.contains("none") && arguments.given.contains("parts.size"));
    }

    #[test]
    fn numbers_are_rounded_away_from_zero() {
        for (text, whole, decimal) in [
            ("1000", 1000, "1000.0000"),
            ("1000.0", 1000, "1000.0000"),
            ("1e3", 1000, "1000.0000"),
            ("1000.5", 1001, "1000.5000"),
            ("99.95", 100, "99.9500"),
            ("0.00001", 1, "0.0001"),
            ("-0.5", -1, "-0.5000"),
            ("-0.0", 0, "0.0000"),
            ("1e300", i64::MAX, "922337203685477.5807"),
            ("18446744073709551615", i64::MAX, "922337203685477.5807"),
        ] {
            let arguments = read(&format!(r#"{{"n": {text}}}"#));
            assert_eq!(arguments.number.get("n"), Some(&whole), "{text}");
            assert_eq!(
                arguments.decimal.get("n").map(String::as_str),
                Some(decimal),
                "{text}"
            );
        }
    }

    #[test]
    fn what_two_readers_could_read_differently_is_not_read() {
        let deep = format!("{}1{}", r#"{"a":"#.repeat(17), "}".repeat(17));
        let many: Vec<String> = (0..257).map(|n| format!("\"k{n}\": 1")).collect();
        for text in [
            r#"{"a": 1, "a": 2}"#.to_owned(),
            r#"{"p": [{"a": 1, "a": 2}]}"#.to_owned(),
            r#"{"": {"dry_run": true}}"#.to_owned(),
            r#"{"": true}"#.to_owned(),
            r#"{"a": {"": true}}"#.to_owned(),
            r#"{"a": [{"": true}]}"#.to_owned(),
            "[1]".to_owned(),
            "\"text\"".to_owned(),
            r#"{"a": 1} {}"#.to_owned(),
            deep,
            format!("{{{}}}", many.join(", ")),
            format!(r#"{{"a": "{}"}}"#, "x".repeat(MOST_BYTES)),
        ] {
            assert_eq!(Arguments::read(text.as_bytes()), None, "{text}");
        }
        assert_eq!(read(""), Arguments::default());
        assert_eq!(read("null"), Arguments::default());
    }
}
