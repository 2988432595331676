//! Values as the styles of OpenAPI write them: a text, a list of texts, or names with texts.

use serde_json::Value;

/// A value, flattened as far as a style can write it. What lies deeper is JSON text.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Flat {
    /// Nothing: `null`, an empty list, an object without members.
    Nothing,
    /// A text, a number, a truth value.
    One(String),
    /// A list.
    List(Vec<String>),
    /// An object.
    Members(Vec<(String, String)>),
}

impl Flat {
    /// Flattens a value. Elements and members that are `null` are left out (RFC 6570, section 2.3).
    pub(super) fn of(value: &Value) -> Self {
        match value {
            Value::Null => Self::Nothing,
            Value::Array(elements) => {
                let texts: Vec<_> = elements.iter().filter_map(text).collect();
                if texts.is_empty() {
                    Self::Nothing
                } else {
                    Self::List(texts)
                }
            }
            Value::Object(members) => {
                let texts: Vec<_> = members
                    .iter()
                    .filter_map(|(name, value)| Some((name.clone(), text(value)?)))
                    .collect();
                if texts.is_empty() {
                    Self::Nothing
                } else {
                    Self::Members(texts)
                }
            }
            plain => text(plain).map_or(Self::Nothing, Self::One),
        }
    }

    /// Its texts in one line: elements, or names and texts in turn; `name=text` when exploded.
    pub(super) fn line<'a, E, T>(&'a self, between: &str, explode: bool, encode: E) -> String
    where
        E: Fn(&'a str) -> T,
        T: Into<std::borrow::Cow<'a, str>>,
    {
        let mut parts: Vec<String> = Vec::new();
        match self {
            Self::Nothing => {}
            Self::One(one) => parts.push(encode(one).into().into_owned()),
            Self::List(list) => parts.extend(list.iter().map(|one| encode(one).into().into_owned())),
            Self::Members(members) => {
                for (name, value) in members {
                    let (name, value) = (encode(name).into(), encode(value).into());
                    if explode {
                        parts.push(format!("{name}={value}"));
                    } else {
                        parts.push(name.into_owned());
                        parts.push(value.into_owned());
                    }
                }
            }
        }
        parts.join(between)
    }
}

/// A value as text; `None` for `null`.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

/// A value as the text of a media type: JSON, unless the type is a plain text and the value is one.
pub(super) fn content(value: &Value, media_type: &str) -> String {
    match value {
        Value::String(text)
            if media_type
                .get(..5)
                .is_some_and(|kind| kind.eq_ignore_ascii_case("text/")) =>
        {
            text.clone()
        }
        other => other.to_string(),
    }
}
