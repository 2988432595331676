//! Parameters of path, query, header and cookie: how each is written, and which argument fills it.

use portreeve_core::rest::{Encoding, Parameter, Piece, Place, Source, Style, is_reserved_header};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::arguments::{Argument, Arguments};
use super::schema::Schemas;
use super::shaped::Described;

/// The pieces of a path, and the names of its parameters.
pub(super) fn pieces(path: &str) -> Result<(Vec<Piece>, Vec<String>), String> {
    if !path.starts_with('/') {
        return Err("its path does not begin with a slash".to_owned());
    }
    let (path, _) = path.split_once(['?', '#']).unwrap_or((path, ""));
    let (mut pieces, mut names) = (Vec::new(), Vec::new());
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, behind) = after
            .split_once('}')
            .ok_or("its path has a brace that does not close")?;
        if !before.is_empty() {
            pieces.push(Piece::Literal(literal(before)));
        }
        let name = name.trim_start_matches('+').trim_end_matches('*').to_owned();
        if name.is_empty() {
            return Err("its path has a parameter without a name".to_owned());
        }
        pieces.push(Piece::Parameter(name.clone()));
        if !names.contains(&name) {
            names.push(name);
        }
        rest = behind;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Literal(literal(rest)));
    }
    let leaves = |segment: &str| matches!(segment, "." | "..");
    if path.split('/').any(leaves) {
        return Err("its path has a segment that leads out of it".to_owned());
    }
    Ok((pieces, names))
}

/// A piece of a path as it may stand on the request line.
fn literal(text: &str) -> String {
    let mut literal = String::with_capacity(text.len());
    for byte in text.bytes() {
        let stays = byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/%".contains(&byte);
        if stays {
            literal.push(char::from(byte));
        } else {
            literal.push_str(&format!("%{byte:02X}"));
        }
    }
    literal
}

/// The parameters that the path itself has behind a question mark: always sent, and no argument's. Some descriptions tell
/// operations apart by them.
pub(super) fn of_path(path: &str, described: &[Parameter]) -> Vec<Parameter> {
    let (path, _) = path.split_once('#').unwrap_or((path, ""));
    let Some((_, query)) = path.split_once('?') else {
        return Vec::new();
    };
    let is_plain = |text: &str| !text.contains(['{', '}']);
    let is_described = |name: &str| {
        let is_it = |one: &Parameter| one.place == Place::Query && one.name == name;
        described.iter().any(is_it)
    };
    form_urlencoded::parse(query.as_bytes())
        .filter(|(name, value)| is_plain(name) && is_plain(value) && !is_described(name))
        .map(|(name, value)| Parameter {
            place: Place::Query,
            name: name.into_owned(),
            source: Source::Fixed(Value::String(value.into_owned())),
            default: None,
            encoding: styled(Style::Form, true),
            allow_empty: true,
        })
        .collect()
}

/// Adds the parameters of one operation. Path first, so that it keeps its names.
pub(super) fn add(
    described: &[Described<'_>],
    in_path: &[String],
    schemas: &mut Schemas<'_>,
    arguments: &mut Arguments,
) -> Vec<Parameter> {
    let mut made = Vec::new();
    for name in in_path {
        if !described
            .iter()
            .any(|one| one.place() == "path" && one.name() == name)
        {
            schemas.remark(
                "",
                &format!("the path names `{name}`, which no parameter describes: any text is allowed"),
            );
            let argument = arguments.claim(name, "path");
            arguments.add(Argument {
                name: argument.clone(),
                schema: json!({"type": "string"}),
                required: true,
            });
            made.push(Parameter {
                place: Place::Path,
                name: name.clone(),
                source: Source::Argument(argument),
                default: None,
                encoding: styled(Style::Simple, false),
                allow_empty: false,
            });
        }
    }
    for place in [
        Place::Path,
        Place::Query,
        Place::Querystring,
        Place::Header,
        Place::Cookie,
    ] {
        for parameter in described
            .iter()
            .filter(|one| place_of(one.place()) == Some(place))
        {
            if let Some(reason) = refused(parameter, place, in_path) {
                schemas.remark(&parameter.pointer, &reason);
                continue;
            }
            made.push(one(parameter, place, schemas, arguments));
        }
    }
    for parameter in described.iter().filter(|one| place_of(one.place()).is_none()) {
        let place: String = parameter.place().chars().take(40).collect();
        schemas.remark(
            &parameter.pointer,
            &format!("`{place}` is no place for a parameter, it is left out"),
        );
    }
    made
}

fn refused(parameter: &Described<'_>, place: Place, in_path: &[String]) -> Option<String> {
    let name = parameter.name();
    let folded = name.to_ascii_lowercase();
    match place {
        Place::Path if !in_path.iter().any(|known| known == name) => {
            Some("the path does not name this parameter, it is left out".to_owned())
        }
        Place::Header if is_reserved_header(&folded) => Some(format!(
            "the header `{name}` is set by the gateway or by the route's authentication, never by an argument"
        )),
        Place::Header | Place::Cookie if !is_token(name) => {
            Some("its name cannot stand in a request, it is left out".to_owned())
        }
        _ => None,
    }
}

fn is_token(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

fn place_of(word: &str) -> Option<Place> {
    Some(match word {
        "path" => Place::Path,
        "query" => Place::Query,
        "querystring" => Place::Querystring,
        "header" => Place::Header,
        "cookie" => Place::Cookie,
        _ => return None,
    })
}

fn word_of(place: Place) -> &'static str {
    match place {
        Place::Path => "path",
        Place::Query => "query",
        Place::Querystring => "querystring",
        Place::Header => "header",
        Place::Cookie => "cookie",
    }
}

fn one(
    parameter: &Described<'_>,
    place: Place,
    schemas: &mut Schemas<'_>,
    arguments: &mut Arguments,
) -> Parameter {
    let content = parameter.value.get("content").and_then(Value::as_object);
    let content = content.and_then(|content| content.iter().next());
    let (schema, pointer, encoding) = match content {
        Some((media, described)) => (
            described.get("schema"),
            format!(
                "{}/content/{}/schema",
                parameter.pointer,
                super::refs::escaped(media)
            ),
            Encoding::Content {
                media_type: media.chars().take(100).collect(),
            },
        ),
        None => (
            parameter.value.get("schema"),
            format!("{}/schema", parameter.pointer),
            encoding_of(parameter, place),
        ),
    };
    let mut schema = match schema {
        Some(schema) => schemas.convert(schema, &pointer),
        None => json!({"type": "string"}),
    };
    if let Value::Object(object) = &mut schema {
        let text = parameter.text("description");
        if !text.trim().is_empty() {
            super::schema::describe(object, text);
        }
        if parameter.is("deprecated") {
            object.insert("deprecated".to_owned(), json!(true));
        }
    }
    let name = arguments.claim(parameter.name(), word_of(place));
    arguments.add(Argument {
        name: name.clone(),
        schema,
        required: place == Place::Path || parameter.is("required"),
    });
    Parameter {
        place,
        name: parameter.name().to_owned(),
        source: Source::Argument(name),
        default: None,
        encoding,
        allow_empty: parameter.is("allowEmptyValue"),
    }
}

/// How a parameter is written, with the defaults of its place.
fn encoding_of(parameter: &Described<'_>, place: Place) -> Encoding {
    let default = match place {
        Place::Path | Place::Header => Style::Simple,
        _ => Style::Form,
    };
    let style = style(parameter.text("style"), place).unwrap_or(default);
    let explode = match parameter.value.get("explode") {
        Some(Value::Bool(explode)) => *explode,
        _ => matches!(style, Style::Form | Style::Cookie | Style::DeepObject),
    };
    Encoding::Styled {
        style,
        explode,
        allow_reserved: place == Place::Query && parameter.is("allowReserved"),
    }
}

/// A style, if it may be used there.
pub(super) fn style(word: &str, place: Place) -> Option<Style> {
    let style = match word {
        "simple" => Style::Simple,
        "form" => Style::Form,
        "label" => Style::Label,
        "matrix" => Style::Matrix,
        "spaceDelimited" => Style::SpaceDelimited,
        "pipeDelimited" => Style::PipeDelimited,
        "tabDelimited" => Style::TabDelimited,
        "deepObject" => Style::DeepObject,
        "cookie" => Style::Cookie,
        _ => return None,
    };
    let fits = match place {
        Place::Path => matches!(style, Style::Simple | Style::Label | Style::Matrix),
        Place::Header => style == Style::Simple,
        Place::Cookie => matches!(style, Style::Form | Style::Cookie),
        Place::Query | Place::Querystring => !matches!(
            style,
            Style::Simple | Style::Label | Style::Matrix | Style::Cookie
        ),
    };
    fits.then_some(style)
}

fn styled(style: Style, explode: bool) -> Encoding {
    Encoding::Styled {
        style,
        explode,
        allow_reserved: false,
    }
}
