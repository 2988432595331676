//! Header fields and cookies. What frames the message, says who calls or belongs to the way there is never a parameter's.

use http::header::COOKIE;
use http::{HeaderMap, HeaderName, HeaderValue};
use portreeve_core::rest::{Binding, Encoding, Parameter, Place, Source, Style, is_reserved_header};
use serde_json::Value;

use super::values::{Flat, content};
use super::{Filling, Problems, field_value, percent, placed, problem, query, value_of};

/// Writes the fields.
pub(super) fn write(binding: &Binding, filling: Filling<'_>, problems: &mut Problems) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for parameter in placed(binding, Place::Header, filling) {
        let Some((value, pointer)) = value_of(parameter, filling) else {
            continue;
        };
        if is_reserved_header(&parameter.name) {
            if matches!(parameter.source, Source::Argument(_)) && !pointer.is_empty() {
                problems.push(problem(
                    &pointer,
                    format!("no argument sets the header `{}`", parameter.name),
                ));
            }
            continue;
        }
        let Ok(name) = HeaderName::from_bytes(parameter.name.as_bytes()) else {
            problems.push(problem(&pointer, format!("`{}` names no header", parameter.name)));
            continue;
        };
        match header(parameter, value) {
            Ok(Some(value)) => {
                headers.insert(name, value);
            }
            Ok(None) => {}
            Err(reason) => problems.push(problem(&pointer, reason)),
        }
    }
    let mut cookies: Vec<String> = Vec::new();
    for parameter in placed(binding, Place::Cookie, filling) {
        let Some((value, pointer)) = value_of(parameter, filling) else {
            continue;
        };
        let mut spread = query::spread(value, &parameter.encoding);
        if let Some(name) = spread.find(|name| query::is_taken(binding, parameter, name, filling)) {
            problems.push(query::foreign(&pointer, name));
            continue;
        }
        if let Err(reason) = cookie(parameter, value, &mut cookies) {
            problems.push(problem(&pointer, reason));
        }
    }
    if let Some(value) = field_value(&cookies.join("; ")).filter(|_| !cookies.is_empty()) {
        headers.insert(COOKIE, value);
    }
    headers
}

fn header(parameter: &Parameter, value: &Value) -> Result<Option<HeaderValue>, &'static str> {
    let text = match &parameter.encoding {
        Encoding::Content { media_type } => content(value, media_type),
        Encoding::Styled { explode, .. } => {
            let flat = Flat::of(value);
            match &flat {
                Flat::Nothing => return Ok(None),
                Flat::One(_) => {}
                Flat::List(list) if list.iter().any(|one| one.contains(',')) => {
                    return Err("an element holds the comma that separates elements");
                }
                Flat::Members(members)
                    if members
                        .iter()
                        .any(|(name, one)| name.contains([',', '=']) || one.contains(',')) =>
                {
                    return Err("a member holds what separates members");
                }
                Flat::List(_) | Flat::Members(_) => {}
            }
            flat.line(",", *explode, |text| text)
        }
    };
    if !text.bytes().all(|byte| matches!(byte, b'\t' | 0x20..=0x7e)) {
        return Err("a header holds visible ASCII characters alone, and no line ends");
    }
    if text.starts_with([' ', '\t']) || text.ends_with([' ', '\t']) {
        return Err("a header neither begins nor ends with a blank");
    }
    Ok(field_value(&text))
}

fn cookie(parameter: &Parameter, value: &Value, cookies: &mut Vec<String>) -> Result<(), &'static str> {
    let (style, explode) = match &parameter.encoding {
        Encoding::Content { media_type } => {
            let text = content(value, media_type);
            cookies.push(format!(
                "{}={}",
                percent::text(&parameter.name),
                percent::text(&text)
            ));
            return Ok(());
        }
        Encoding::Styled { style, explode, .. } => (*style, *explode),
    };
    let is_raw = style == Style::Cookie;
    let write = |text: &str| -> Result<String, &'static str> {
        if !is_raw {
            return Ok(percent::text(text).into_owned());
        }
        // RFC 6265: a cookie-octet. The style encodes nothing, so what is none cannot be sent.
        let is_octet =
            |byte: u8| matches!(byte, 0x21 | 0x23..=0x2b | 0x2d..=0x3a | 0x3c..=0x5b | 0x5d..=0x7e);
        if text.bytes().all(is_octet) {
            Ok(text.to_owned())
        } else {
            Err("a cookie holds no blanks, quotes, commas, semicolons or backslashes, and ASCII alone")
        }
    };
    let name = percent::text(&parameter.name);
    match (Flat::of(value), explode) {
        (Flat::Nothing, _) => {}
        (Flat::One(one), _) => cookies.push(format!("{name}={}", write(&one)?)),
        (Flat::List(list), true) => {
            for one in &list {
                cookies.push(format!("{name}={}", write(one)?));
            }
        }
        (Flat::Members(members), true) => {
            for (member, one) in &members {
                cookies.push(format!("{}={}", percent::text(member), write(one)?));
            }
        }
        (Flat::List(list), false) => {
            let all: Result<Vec<_>, _> = list.iter().map(|one| write(one)).collect();
            cookies.push(format!("{name}={}", all?.join(",")));
        }
        (Flat::Members(members), false) => {
            let mut all = Vec::new();
            for (member, one) in &members {
                all.push(write(member)?);
                all.push(write(one)?);
            }
            cookies.push(format!("{name}={}", all.join(",")));
        }
    }
    Ok(())
}
