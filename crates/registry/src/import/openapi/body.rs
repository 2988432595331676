//! The body of an operation: which form of it is sent, and which arguments fill it.

use std::collections::BTreeMap;

use portreeve_core::rest::{Body, BodyForm, Content, Encoding, Extra, Member, Part, Place, Source, Style};
use serde_json::{Value, json};

use super::arguments::{Argument, Arguments};
use super::members::{Members, members};
use super::refs::{Root, escaped};
use super::schema::Schemas;
use super::shaped::Described;

/// Adds the body of an operation, if there is a form of it that can be sent.
pub(super) fn add(
    root: Root<'_>,
    described: &Described<'_>,
    schemas: &mut Schemas<'_>,
    arguments: &mut Arguments,
) -> Result<Option<Body>, String> {
    let Some(content) = described.value.get("content").and_then(Value::as_object) else {
        return Err("its body has no content that is described".to_owned());
    };
    let Some((media, value)) = content.iter().min_by_key(|(media, _)| rank(media)) else {
        return Err("its body has no content that is described".to_owned());
    };
    let value = root
        .resolve(value)
        .map_err(|reason| format!("its body cannot be read: {reason}"))?;
    let place = format!("{}/content/{}/schema", described.pointer, escaped(media));
    if content.len() > 1 {
        schemas.remark(
            &described.pointer,
            &format!("of its {} forms `{media}` is sent", content.len()),
        );
    }
    let empty = json!({});
    let schema = value.get("schema").unwrap_or(&empty);
    let required = described.is("required");
    let kind = kind(media);
    let mut body = Body {
        content_type: concrete(media, kind),
        form: BodyForm::Json,
        content: Content::Whole(Source::Argument(String::new())),
        required,
        default: None,
    };
    body.form = match kind {
        Kind::Json => BodyForm::Json,
        Kind::Urlencoded => BodyForm::Urlencoded {
            members: encodings(value),
        },
        Kind::Multipart => BodyForm::Multipart {
            parts: parts(root, schema, value),
        },
        Kind::Text => BodyForm::Text,
        Kind::Bytes => BodyForm::Base64,
    };
    let described_as = described.text("description");
    if let Kind::Text | Kind::Bytes = kind {
        let schema = match kind {
            Kind::Bytes => json!({"type": "string", "contentEncoding": "base64"}),
            _ => json!({"type": "string"}),
        };
        body.content = whole(arguments, schema, (described_as, &body.content_type), required);
        return Ok(Some(body));
    }
    // A base stands for its kinds, whose members it does not know.
    let merged = members(root, schema)
        .filter(|members| required || members.required.is_empty())
        .filter(|_| !schemas.is_base(schema));
    body.content = match merged {
        Some(members) => merge(&members, schemas, arguments, &place, required),
        None => {
            let made = schemas.convert(schema, &place);
            whole(arguments, made, (described_as, &body.content_type), required)
        }
    };
    Ok(Some(body))
}

/// What can be sent, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Json,
    Urlencoded,
    Multipart,
    Text,
    Bytes,
}

fn kind(media: &str) -> Kind {
    let essence = media
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    match essence.as_str() {
        "application/x-www-form-urlencoded" => Kind::Urlencoded,
        "*/*" | "application/*" => Kind::Json,
        json if json.ends_with("/json") || json.ends_with("+json") => Kind::Json,
        multipart if multipart.starts_with("multipart/") => Kind::Multipart,
        text if text.starts_with("text/") || text.ends_with("/xml") || text.ends_with("+xml") => Kind::Text,
        lines if lines.ends_with("jsonl") || lines.contains("ndjson") || lines.ends_with("yaml") => {
            Kind::Text
        }
        _ => Kind::Bytes,
    }
}

fn rank(media: &str) -> (Kind, bool, usize) {
    let is_plain = media.eq_ignore_ascii_case("application/json");
    (kind(media), !is_plain, media.len())
}

/// The type that is sent: a range is not one, and nobody may smuggle a line into it.
fn concrete(media: &str, kind: Kind) -> String {
    let is_clean = media.len() <= 120 && media.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    if is_clean && !media.contains('*') && media.contains('/') {
        return media.to_owned();
    }
    match kind {
        Kind::Json => "application/json",
        Kind::Urlencoded => "application/x-www-form-urlencoded",
        Kind::Multipart => "multipart/form-data",
        Kind::Text => "text/plain",
        Kind::Bytes => "application/octet-stream",
    }
    .to_owned()
}

fn whole(
    arguments: &mut Arguments,
    mut schema: Value,
    (text, media): (&str, &str),
    required: bool,
) -> Content {
    if let Value::Object(object) = &mut schema {
        if !text.trim().is_empty() {
            super::schema::describe(object, text);
        } else if !object.contains_key("description") {
            object.insert(
                "description".to_owned(),
                json!(format!("The body of the request, as {media}.")),
            );
        }
    }
    let name = arguments.claim("body", "request");
    arguments.add(Argument {
        name: name.clone(),
        schema,
        required,
    });
    Content::Whole(Source::Argument(name))
}

fn merge(
    members: &Members<'_>,
    schemas: &mut Schemas<'_>,
    arguments: &mut Arguments,
    place: &str,
    required: bool,
) -> Content {
    let (mut made, mut withheld) = (Vec::new(), Vec::new());
    for (name, schema) in &members.properties {
        if schemas.is_read_only(schema) {
            withheld.push((*name).to_owned());
            continue;
        }
        let pointer = format!("{place}/properties/{}", escaped(name));
        let schema = schemas.convert(schema, &pointer);
        let argument = arguments.claim(name, "body");
        arguments.add(Argument {
            name: argument.clone(),
            schema,
            required: required && members.required.contains(name),
        });
        made.push(Member {
            name: (*name).to_owned(),
            source: Source::Argument(argument),
            default: None,
        });
    }
    let extra = match members.additional {
        Some(Value::Bool(true)) => {
            arguments.others = Some(json!(true));
            Extra::Sent
        }
        Some(schema @ Value::Object(_)) => {
            arguments.others = Some(schemas.convert(schema, &format!("{place}/additionalProperties")));
            Extra::Sent
        }
        _ => Extra::Refused,
    };
    if extra == Extra::Refused {
        withheld.clear();
    }
    Content::Members {
        members: made,
        extra,
        withheld,
    }
}

fn encodings(media: &Value) -> BTreeMap<String, Encoding> {
    let encodings = media.get("encoding").and_then(Value::as_object);
    let one = |(name, encoding): (&String, &Value)| {
        let content = encoding.get("contentType").and_then(Value::as_str);
        let style = encoding.get("style").and_then(Value::as_str).unwrap_or_default();
        let style = super::parameters::style(style, Place::Query);
        let made = match (style, content) {
            (None, Some(media)) if encoding.get("explode").is_none() => Encoding::Content {
                media_type: media.to_owned(),
            },
            (style, _) => {
                let style = style.unwrap_or(Style::Form);
                let default = matches!(style, Style::Form | Style::DeepObject);
                Encoding::Styled {
                    style,
                    explode: encoding
                        .get("explode")
                        .and_then(Value::as_bool)
                        .unwrap_or(default),
                    allow_reserved: encoding.get("allowReserved") == Some(&json!(true)),
                }
            }
        };
        (name.clone(), made)
    };
    encodings.into_iter().flatten().map(one).collect()
}

fn parts(root: Root<'_>, schema: &Value, media: &Value) -> BTreeMap<String, Part> {
    let Some(members) = members(root, schema) else {
        return BTreeMap::new();
    };
    let mut made = BTreeMap::new();
    for (name, schema) in &members.properties {
        let Ok(found) = root.resolve(schema) else { continue };
        let items = found.get("items").and_then(|items| root.resolve(items).ok());
        let repeated = items.is_some();
        let judged = items.unwrap_or(found);
        let encoding = media.get("encoding").and_then(|encodings| encodings.get(name));
        let content_type = encoding
            .and_then(|encoding| encoding.get("contentType"))
            .and_then(Value::as_str)
            .and_then(|types| types.split(',').next())
            .map(|media| media.trim().to_owned())
            .filter(|media| {
                !media.contains('*')
                    && media
                        .bytes()
                        .all(|byte| (b'!'..=b'~').contains(&byte) || byte == b' ')
            });
        let part = Part {
            content_type,
            base64: is_binary(judged),
            repeated,
        };
        if part.base64 || part.repeated || part.content_type.is_some() {
            made.insert((*name).to_owned(), part);
        }
    }
    made
}

/// Whether a member is a file.
fn is_binary(schema: &Value) -> bool {
    let is = |word: &str, text: &str| schema.get(word).and_then(Value::as_str) == Some(text);
    let media = schema.get("contentMediaType").and_then(Value::as_str);
    let is_media = media.is_some_and(|media| !media.starts_with("text/") && !media.ends_with("json"));
    is("format", "binary") || is("type", "file") || (is_media && schema.get("contentEncoding").is_none())
}
