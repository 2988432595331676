//! The body: JSON, a form, parts, bytes or text.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;
use http::HeaderValue;
use portreeve_core::rest::{Binding, Body, BodyForm, Content, Encoding, Extra, Part, Source};
use serde_json::{Map, Value, json};

use super::query::{FORM, Pairs, spread};
use super::{Filling, Problems, field_value, pointer, problem, value};

/// A body with its type.
#[derive(Debug)]
pub struct Payload {
    /// `Content-Type`
    pub content_type: HeaderValue,
    /// What is sent.
    pub bytes: Bytes,
}

/// Base64 as people write it: padded or not.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Writes the body, if there is one.
pub(super) fn write(binding: &Binding, filling: Filling<'_>, problems: &mut Problems) -> Option<Payload> {
    let body = binding.body.as_ref()?;
    let given = given(binding, body, filling, problems)?;
    let mut content_type = body.content_type.clone();
    let bytes = match &body.form {
        BodyForm::Json => serde_json::to_vec(&given.value).unwrap_or_default(),
        BodyForm::Text => text(&given.value).into_bytes(),
        BodyForm::GraphQl { query } => {
            serde_json::to_vec(&json!({"query": query, "variables": given.value})).unwrap_or_default()
        }
        BodyForm::Base64 => decoded(&given.value, &given.pointer, problems),
        BodyForm::Urlencoded { members } => urlencoded(members, body, &given, problems).into_bytes(),
        BodyForm::Multipart { parts } => {
            content_type = format!("{content_type}; boundary={}", filling.boundary);
            multipart(parts, &given, filling.boundary, problems)
        }
    };
    let Some(content_type) = field_value(&content_type) else {
        problems.push(problem("", "the type of the body is no header value"));
        return None;
    };
    Some(Payload {
        content_type,
        bytes: bytes.into(),
    })
}

/// The value of a body.
struct Given {
    value: Value,
    /// Where it came from, if it came from one argument.
    pointer: String,
    /// Whether its members came from arguments of their own.
    is_gathered: bool,
}

impl Given {
    /// The place of a member.
    fn place(&self, name: &str) -> String {
        if self.is_gathered {
            pointer(name)
        } else {
            format!("{}{}", self.pointer, pointer(name))
        }
    }
}

/// `None`: nothing was given, and nothing need be.
fn given(binding: &Binding, body: &Body, filling: Filling<'_>, problems: &mut Problems) -> Option<Given> {
    match &body.content {
        Content::Whole(source) => {
            let found = value(source, body.default.as_ref(), filling.arguments);
            let (value, pointer) = match found {
                Some((value, pointer)) => (value.clone(), pointer),
                None if body.required => (nothing(&body.form), String::new()),
                None => return None,
            };
            Some(Given {
                value,
                pointer,
                is_gathered: false,
            })
        }
        Content::Members {
            members,
            extra,
            withheld,
        } => {
            let mut gathered = Map::new();
            for member in members {
                if let Some((value, _)) = value(&member.source, member.default.as_ref(), filling.arguments) {
                    gathered.insert(member.name.clone(), value.clone());
                }
            }
            if *extra == Extra::Sent {
                for (name, value) in filling.arguments {
                    if gathered.contains_key(name) || is_claimed(binding, body, name) {
                        continue;
                    }
                    if withheld.contains(name) {
                        problems.push(problem(
                            &pointer(name),
                            "no argument sets this member of the body",
                        ));
                    } else {
                        gathered.insert(name.clone(), value.clone());
                    }
                }
            }
            (body.required || !gathered.is_empty()).then_some(Given {
                value: Value::Object(gathered),
                pointer: String::new(),
                is_gathered: true,
            })
        }
    }
}

fn nothing(form: &BodyForm) -> Value {
    match form {
        BodyForm::Base64 | BodyForm::Text => Value::String(String::new()),
        _ => Value::Object(Map::new()),
    }
}

/// Whether an argument belongs to a parameter or to a member, or its name is that of a member that it must not replace.
fn is_claimed(binding: &Binding, body: &Body, name: &str) -> bool {
    let is = |source: &Source| matches!(source, Source::Argument(argument) if argument == name);
    let by_member = match &body.content {
        Content::Members { members, .. } => members
            .iter()
            .any(|member| member.name == name || is(&member.source)),
        Content::Whole(source) => is(source),
    };
    by_member || binding.parameters.iter().any(|parameter| is(&parameter.source))
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn decoded(value: &Value, pointer: &str, problems: &mut Problems) -> Vec<u8> {
    let bytes = value.as_str().and_then(|text| {
        let packed: String = text.split_ascii_whitespace().collect();
        BASE64.decode(packed).ok()
    });
    bytes.unwrap_or_else(|| {
        problems.push(problem(pointer, "it is not Base64 (RFC 4648, section 4)"));
        Vec::new()
    })
}

fn urlencoded(
    members: &BTreeMap<String, Encoding>,
    body: &Body,
    given: &Given,
    problems: &mut Problems,
) -> String {
    let mut pairs = Pairs::default();
    let Some(object) = given.value.as_object() else {
        problems.push(problem(&given.pointer, "a form is an object"));
        return String::new();
    };
    for (name, value) in object {
        let encoding = members.get(name).unwrap_or(&FORM);
        // An object in an exploded form would spread its members among those of the form.
        let plain = Encoding::Content {
            media_type: "application/json".to_owned(),
        };
        let encoding = if value.is_object() && *encoding == FORM {
            &plain
        } else {
            encoding
        };
        if let Some(other) = spread(value, encoding).find(|other| {
            let is_another = *other != name && object.contains_key(*other);
            is_another || is_member(body, other)
        }) {
            problems.push(problem(
                &given.place(name),
                format!("its member `{other}` would be read as another one of the form"),
            ));
        }
        if let Err(reason) = pairs.add(name, value, encoding, true) {
            problems.push(problem(&given.place(name), reason));
        }
    }
    pairs.0
}

/// Whether the description gives a name to a member of the body, or somebody withholds it.
fn is_member(body: &Body, name: &str) -> bool {
    match &body.content {
        Content::Members {
            members, withheld, ..
        } => members.iter().any(|member| member.name == name) || withheld.iter().any(|other| other == name),
        Content::Whole(_) => false,
    }
}

fn multipart(
    parts: &BTreeMap<String, Part>,
    given: &Given,
    boundary: &str,
    problems: &mut Problems,
) -> Vec<u8> {
    let Some(object) = given.value.as_object() else {
        problems.push(problem(&given.pointer, "a body of parts is an object"));
        return Vec::new();
    };
    let mut out = Vec::new();
    for (name, value) in object {
        let unnamed = Part {
            content_type: None,
            base64: false,
            repeated: true,
        };
        let part = parts.get(name).unwrap_or(&unnamed);
        let place = given.place(name);
        match value {
            Value::Null => {}
            Value::Array(elements) if part.repeated => {
                for element in elements {
                    one_part(&mut out, boundary, (name, &place), (part, element), problems);
                }
            }
            one => one_part(&mut out, boundary, (name, &place), (part, one), problems),
        }
    }
    out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    out
}

fn one_part(
    out: &mut Vec<u8>,
    boundary: &str,
    (name, place): (&str, &str),
    (part, value): (&Part, &Value),
    problems: &mut Problems,
) {
    // As browsers write it (HTML, multipart/form-data encoding): a name cannot end its quotes or its line.
    let name = name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A");
    let (bytes, kind, file) = if part.base64 {
        (
            decoded(value, place, problems),
            Some("application/octet-stream"),
            true,
        )
    } else {
        let is_json = value.is_object() || value.is_array();
        (
            text(value).into_bytes(),
            is_json.then_some("application/json"),
            false,
        )
    };
    let kind = part.content_type.as_deref().or(kind);
    let mut head = format!("--{boundary}\r\nContent-Disposition: form-data; name=\"{name}\"");
    if file {
        head.push_str(&format!("; filename=\"{name}\""));
    }
    if let Some(kind) = kind.filter(|kind| field_value(kind).is_some()) {
        head.push_str(&format!("\r\nContent-Type: {kind}"));
    }
    head.push_str("\r\n\r\n");
    out.extend_from_slice(head.as_bytes());
    out.extend_from_slice(&bytes);
    out.extend_from_slice(b"\r\n");
}
