//! Arguments that are mirrored in headers (2026-07-28, "Custom Headers from Tool Parameters"): a property of a tool's input
//! schema with `x-mcp-header` names a header `Mcp-Param-{Name}`, which repeats the argument's value.
//!
//! Before: a tool definition that was pinned. After: the gateway computes the headers of a call, or compares those of a host
//! with the body.

use std::borrow::Cow;
use std::collections::HashSet;

use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::{Map, Value};

use crate::header::{self, PARAM_PREFIX};
use crate::members::Members;

/// The annotation of a property.
const ANNOTATION: &str = "x-mcp-header";

/// What a tool mirrors.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mirrors(Vec<Mirror>);

/// One argument and its header.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Mirror {
    /// From the arguments down.
    path: Vec<String>,
    header: HeaderName,
}

/// An annotation that no client may follow: its tool is left out of lists (2026-07-28, tools, `x-mcp-header`).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMirror {
    /// The definition is not an object, or has no schema.
    #[error("the tool has no input schema")]
    NoSchema,
    /// The annotation is no text, or none that names a header.
    #[error("`{0}` of `x-mcp-header` is not the name of a header")]
    Name(String),
    /// Two arguments have one header.
    #[error("`{0}` of `x-mcp-header` is there twice")]
    Twice(String),
    /// What is annotated is not a string, an integer or a boolean.
    #[error("`{0}` has `x-mcp-header` and is neither string, integer nor boolean")]
    Kind(String),
    /// The annotation is at a place that no argument has for certain.
    #[error("`x-mcp-header` is outside of `properties`")]
    Place,
}

/// Headers and arguments that do not say the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Disagreement {
    /// The header is not there.
    #[error("the header `{0}` is missing")]
    Missing(HeaderName),
    /// The header is there, and the argument is not.
    #[error("the header `{0}` repeats an argument that is not there")]
    Unfounded(HeaderName),
    /// The header came twice.
    #[error("the header `{0}` came twice")]
    Twice(HeaderName),
    /// The argument came twice, so that two readers may read two things.
    #[error("the argument that the header `{0}` repeats came twice")]
    TwoArguments(HeaderName),
    /// The header cannot be read.
    #[error("the header `{0}` is not visible ASCII, or marked as base64 without being that")]
    Unreadable(HeaderName),
    /// They differ.
    #[error("the header `{0}` differs from the body")]
    Differs(HeaderName),
}

// === impl Mirrors ===

impl Mirrors {
    /// What a tool definition asks for.
    ///
    /// # Errors
    ///
    /// When an annotation is one that makes the whole tool unusable.
    pub fn of_tool(definition: &str) -> Result<Self, InvalidMirror> {
        if memchr::memmem::find(definition.as_bytes(), ANNOTATION.as_bytes()).is_none() {
            // An escaped spelling is not the annotation to anybody who only looks for it; and there is hardly one.
            return Ok(Self::default());
        }
        let tool: Map<String, Value> =
            serde_json::from_str(definition).map_err(|_| InvalidMirror::NoSchema)?;
        let schema = tool.get("inputSchema").ok_or(InvalidMirror::NoSchema)?;
        let mut found = Self::default();
        let mut names = HashSet::new();
        found.read(schema, Some(&mut Vec::new()), &mut names)?;
        Ok(found)
    }

    /// Whether there is nothing to mirror.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Reads a schema. Without a path, an argument need not come by here.
    fn read(
        &mut self,
        schema: &Value,
        mut path: Option<&mut Vec<String>>,
        names: &mut HashSet<HeaderName>,
    ) -> Result<(), InvalidMirror> {
        let Value::Object(schema) = schema else {
            return Ok(());
        };
        if let Some(annotation) = schema.get(ANNOTATION) {
            let Some(path) = path.as_deref().filter(|path| !path.is_empty()) else {
                return Err(InvalidMirror::Place);
            };
            let header = name_of(annotation)?;
            if !is_primitive(schema.get("type")) {
                return Err(InvalidMirror::Kind(path.join(".")));
            }
            if !names.insert(header.clone()) {
                return Err(InvalidMirror::Twice(header.to_string()));
            }
            let path = path.to_vec();
            self.0.push(Mirror { path, header });
        }
        for (keyword, value) in schema {
            match (keyword.as_str(), value) {
                ("properties", Value::Object(properties)) => {
                    for (name, property) in properties {
                        match path.as_deref_mut() {
                            Some(path) => {
                                path.push(name.clone());
                                self.read(property, Some(&mut *path), names)?;
                                path.pop();
                            }
                            None => self.read(property, None, names)?,
                        }
                    }
                }
                ("patternProperties" | "$defs" | "definitions" | "dependentSchemas", Value::Object(each)) => {
                    for schema in each.values() {
                        self.read(schema, None, names)?;
                    }
                }
                ("prefixItems" | "allOf" | "anyOf" | "oneOf" | "items", Value::Array(each)) => {
                    for schema in each {
                        self.read(schema, None, names)?;
                    }
                }
                (keyword, schema) if holds_a_schema(keyword) => self.read(schema, None, names)?,
                _ => {}
            }
        }
        Ok(())
    }

    /// The headers that repeat these arguments, which are JSON. An argument that is absent, `null` or of another kind than
    /// the three has none.
    ///
    /// # Errors
    ///
    /// When an argument came twice.
    pub fn headers(&self, arguments: Option<&str>) -> Result<HeaderMap, Disagreement> {
        let mut headers = HeaderMap::new();
        for mirror in &self.0 {
            let Some(Text { value, .. }) = mirror.text(arguments)? else {
                continue;
            };
            let mut value = HeaderValue::from_str(&header::encode(&value))
                .map_err(|_| Disagreement::Unreadable(mirror.header.clone()))?;
            // Arguments may be anything, and headers are written into logs.
            value.set_sensitive(true);
            headers.insert(mirror.header.clone(), value);
        }
        Ok(headers)
    }

    /// Compares the headers of a request with its arguments, which are JSON. Headers that the tool does not ask for are
    /// nobody's business here.
    ///
    /// # Errors
    ///
    /// The first that does not say what the body says.
    pub fn compare(&self, headers: &HeaderMap, arguments: Option<&str>) -> Result<(), Disagreement> {
        self.0
            .iter()
            .try_for_each(|mirror| mirror.compare(headers, arguments))
    }
}

/// A value as its header says it.
struct Text<'a> {
    value: Cow<'a, str>,
    is_number: bool,
}

// === impl Mirror ===

impl Mirror {
    fn text<'a>(&self, arguments: Option<&'a str>) -> Result<Option<Text<'a>>, Disagreement> {
        let mut at = arguments;
        for key in &self.path {
            let Some(object) = at else { return Ok(None) };
            at = self.member(object, key)?;
        }
        Ok(at.and_then(text_of))
    }

    fn member<'a>(&self, object: &'a str, wanted: &str) -> Result<Option<&'a str>, Disagreement> {
        let mut found = None;
        for (key, value) in Members::of(object) {
            let is_it = serde_json::from_str::<Cow<'_, str>>(key).is_ok_and(|key| key == wanted);
            if is_it && found.replace(value).is_some() {
                return Err(Disagreement::TwoArguments(self.header.clone()));
            }
        }
        Ok(found)
    }

    fn compare(&self, headers: &HeaderMap, arguments: Option<&str>) -> Result<(), Disagreement> {
        let mut given = headers.get_all(&self.header).iter();
        let (first, second) = (given.next(), given.next());
        if second.is_some() {
            return Err(Disagreement::Twice(self.header.clone()));
        }
        let text = self.text(arguments)?;
        let (first, text) = match (first, text) {
            (None, None) => return Ok(()),
            (None, Some(_)) => return Err(Disagreement::Missing(self.header.clone())),
            (Some(_), None) => return Err(Disagreement::Unfounded(self.header.clone())),
            (Some(first), Some(text)) => (first, text),
        };
        let unreadable = || Disagreement::Unreadable(self.header.clone());
        let first = first.to_str().map_err(|_| unreadable())?;
        let said = header::decode(first).map_err(|_| unreadable())?;
        if said == text.value || (text.is_number && is_same_number(&said, &text.value)) {
            Ok(())
        } else {
            Err(Disagreement::Differs(self.header.clone()))
        }
    }
}

/// What a header says of a value; nothing of `null`, of what is no primitive, and of what is no whole number.
fn text_of(raw: &str) -> Option<Text<'_>> {
    let plain = |value: Cow<'static, str>| Text {
        value,
        is_number: false,
    };
    match raw.as_bytes().first()? {
        b'"' => serde_json::from_str::<String>(raw)
            .ok()
            .map(|text| plain(text.into())),
        b't' => Some(plain("true".into())),
        b'f' => Some(plain("false".into())),
        b'-' | b'0'..=b'9' => whole_number(raw).map(|value| Text {
            value,
            is_number: true,
        }),
        _ => None,
    }
}

/// A whole number in decimal, however it was written.
fn whole_number(raw: &str) -> Option<Cow<'_, str>> {
    if raw.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-') {
        return Some(Cow::Borrowed(raw));
    }
    let value: f64 = raw.parse().ok()?;
    let is_exact = value.fract() == 0.0 && value.abs() <= 9_007_199_254_740_992.0;
    is_exact.then(|| Cow::Owned(format!("{value:.0}")))
}

fn is_same_number(one: &str, other: &str) -> bool {
    match (one.parse::<i128>(), other.parse::<i128>()) {
        (Ok(one), Ok(other)) => one == other,
        // Beyond that, or with a point or an exponent.
        _ => match (one.parse::<f64>(), other.parse::<f64>()) {
            (Ok(one), Ok(other)) => one.is_finite() && one == other,
            _ => false,
        },
    }
}

fn name_of(annotation: &Value) -> Result<HeaderName, InvalidMirror> {
    let refused = || {
        let shown: String = annotation.to_string().chars().take(60).collect();
        InvalidMirror::Name(shown)
    };
    let name = annotation.as_str().filter(|name| !name.is_empty());
    let name = name.ok_or_else(refused)?;
    HeaderName::try_from(format!("{PARAM_PREFIX}{name}")).map_err(|_| refused())
}

/// A string, an integer or a boolean, which may be `null` as well.
fn is_primitive(kind: Option<&Value>) -> bool {
    let is_one = |kind: &Value| matches!(kind.as_str(), Some("string" | "integer" | "boolean"));
    match kind {
        Some(Value::Array(kinds)) => {
            let mut others = kinds.iter().filter(|kind| *kind != "null");
            others.next().is_some_and(is_one) && others.next().is_none()
        }
        Some(kind) => is_one(kind),
        None => false,
    }
}

fn holds_a_schema(keyword: &str) -> bool {
    matches!(
        keyword,
        "items"
            | "additionalItems"
            | "additionalProperties"
            | "unevaluatedItems"
            | "unevaluatedProperties"
            | "contains"
            | "propertyNames"
            | "not"
            | "if"
            | "then"
            | "else"
            | "contentSchema"
    )
}

#[cfg(test)]
mod tests;
