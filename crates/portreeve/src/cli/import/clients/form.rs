//! The three forms of hosts' files: read as values, and one value replaced in the text. What was replaced is read again:
//! where anything else changed, or the value is not the one that was meant, the text is not taken.
//!
//! Before: a file's text. After: `look` hands the values to the hosts; `rewrite` writes the new text.

use portreeve_registry::clients::Form;
use serde_json::{Value, json};

use super::jsonc;

/// Why a text could not be read, with its line. Nothing of the text is repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Broken {
    pub(super) line: usize,
    pub(super) message: String,
}

/// Reads a text.
pub(super) fn read(form: Form, text: &str) -> Result<Value, Broken> {
    match form {
        Form::Json if text.trim_start_matches('\u{feff}').trim().is_empty() => Ok(json!({})),
        Form::Json => match jsonc::parse(text) {
            Ok(node) => Ok(node.to_value()),
            Err(wrong) => Err(Broken {
                line: line_of(text, wrong.at),
                message: format!("it is not JSON: {}", wrong.message),
            }),
        },
        Form::Toml => toml(text),
        Form::Yaml => yaml(text),
    }
}

fn toml(text: &str) -> Result<Value, Broken> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let table = toml::from_str::<toml::Table>(text).map_err(|error| Broken {
        line: line_of(text, error.span().map_or(0, |span| span.start)),
        message: "it is not TOML".to_owned(),
    })?;
    Ok(serde_json::to_value(table).unwrap_or_default())
}

fn yaml(text: &str) -> Result<Value, Broken> {
    if text.trim().is_empty() {
        return Ok(json!({}));
    }
    serde_saphyr::from_str::<Value>(text).map_err(|error| Broken {
        // Its message may show the text around.
        line: error
            .location()
            .map_or(1, |place| usize::try_from(place.line()).unwrap_or(1)),
        message: "it is not YAML".to_owned(),
    })
}

fn line_of(text: &str, at: usize) -> usize {
    1 + text.bytes().take(at).filter(|byte| *byte == b'\n').count()
}

/// The text with another value at the end of a way.
pub(super) fn replace(form: Form, text: &str, way: &[String], value: &Value) -> Result<String, &'static str> {
    let before = read(form, text).map_err(|_| "it cannot be read")?;
    let changed = match form {
        Form::Json => replace_json(text, way, value),
        Form::Toml => replace_toml(text, way, value),
        Form::Yaml => replace_yaml(text, way, value),
    };
    let changed = changed.ok_or("the server stands there in a form that is not changed here")?;
    let mut meant = before;
    let pointer: String = way
        .iter()
        .map(|step| format!("/{}", step.replace('~', "~0").replace('/', "~1")))
        .collect();
    if let Some(place) = meant.pointer_mut(&pointer) {
        *place = value.clone();
    }
    match read(form, &changed) {
        Ok(after) if after == meant => Ok(changed),
        _ => Err("the server stands there in a form that is not changed here"),
    }
}

fn indent_of(text: &str, at: usize) -> String {
    let begin = text
        .get(..at)
        .and_then(|before| before.rfind('\n'))
        .map_or(0, |place| place + 1);
    let line = text.get(begin..at).unwrap_or_default();
    line.chars().take_while(|c| matches!(c, ' ' | '\t')).collect()
}

fn replace_json(text: &str, way: &[String], value: &Value) -> Option<String> {
    let whole = jsonc::parse(text).ok()?;
    let (begin, node) = whole.find(way)?;
    let indent = indent_of(text, begin);
    let break_with = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let is_on_one_line = !text.get(node.at.clone())?.contains('\n');
    let written = if is_on_one_line {
        value.to_string()
    } else {
        let pretty = serde_json::to_string_pretty(value).ok()?;
        let unit = if indent.contains('\t') { "\t" } else { "  " };
        let lines: Vec<String> = pretty
            .lines()
            .enumerate()
            .map(|(at, line)| match at {
                0 => line.to_owned(),
                _ => {
                    let rest = line.trim_start();
                    let steps = (line.len() - rest.len()) / 2;
                    format!("{indent}{}{rest}", unit.repeat(steps))
                }
            })
            .collect();
        lines.join(break_with)
    };
    let mut changed = text.to_owned();
    changed.replace_range(node.at.clone(), &written);
    Some(changed)
}

/// The way that a header of a table names: `[mcp_servers."a b".env]`.
fn header(line: &str) -> Option<Vec<String>> {
    let line = line.trim();
    if !line.starts_with('[') {
        return None;
    }
    let table = toml::from_str::<toml::Table>(line).ok()?;
    let mut way = Vec::new();
    let mut inner = Some(table);
    while let Some(table) = inner {
        let Some((name, value)) = table.into_iter().next() else {
            break;
        };
        way.push(name);
        inner = match value {
            toml::Value::Table(table) => Some(table),
            toml::Value::Array(items) => items.into_iter().next().and_then(|item| match item {
                toml::Value::Table(table) => Some(table),
                _ => None,
            }),
            _ => None,
        };
    }
    Some(way)
}

fn replace_toml(text: &str, way: &[String], value: &Value) -> Option<String> {
    let mut changed = String::with_capacity(text.len());
    let mut is_inside = false;
    let mut is_written = false;
    // Comments and blank lines in front of the next table are that table's.
    let mut held = String::new();
    for line in text.split_inclusive('\n') {
        if let Some(found) = header(line) {
            let goes_on = found.starts_with(way);
            if !(is_inside && goes_on) {
                changed.push_str(&held);
            }
            held.clear();
            is_inside = goes_on;
            if is_inside && found == way && !is_written {
                changed.push_str(line);
                if !line.ends_with('\n') {
                    changed.push('\n');
                }
                for (name, value) in value.as_object()? {
                    let value = toml::Value::try_from(value).ok()?;
                    let key = toml::Value::String(name.clone()).to_string();
                    let is_bare = name
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'));
                    let key = if is_bare { name.clone() } else { key };
                    changed.push_str(&format!("{key} = {value}\n"));
                }
                is_written = true;
            }
            if is_inside {
                continue;
            }
        }
        if !is_inside {
            changed.push_str(line);
        } else if line.trim().is_empty() || line.trim_start().starts_with('#') {
            held.push_str(line);
        } else {
            held.clear();
        }
    }
    changed.push_str(&held);
    is_written.then_some(changed)
}

fn depth_of(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// The name in front of a `:` that opens a block.
fn opens(line: &str) -> Option<String> {
    let line = line.trim();
    let value = serde_saphyr::from_str::<Value>(line).ok()?;
    let (name, value) = value.as_object()?.iter().next()?;
    value.is_null().then(|| name.clone())
}

fn replace_yaml(text: &str, way: &[String], value: &Value) -> Option<String> {
    let lines: Vec<&str> = text.split_inclusive('\n').collect();
    let is_told = |line: &str| !line.trim().is_empty() && !line.trim_start().starts_with('#');
    let (mut from, mut until, mut depth) = (0, lines.len(), None);
    for step in way {
        // The members of a block all begin at the same depth.
        let inside = lines.get(from..until)?.iter().position(|line| is_told(line))? + from;
        let members = depth_of(lines.get(inside)?);
        if depth.is_some_and(|depth| members <= depth) {
            return None;
        }
        let is_it = |place: &usize| {
            lines.get(*place).is_some_and(|line| {
                is_told(line) && depth_of(line) == members && opens(line).as_deref() == Some(step.as_str())
            })
        };
        let found = (from..until).find(is_it)?;
        let ends = |place: &usize| {
            lines
                .get(*place)
                .is_some_and(|line| is_told(line) && depth_of(line) <= members)
        };
        until = (found + 1..until).find(ends).unwrap_or(until);
        from = found + 1;
        depth = Some(members);
    }
    // What stands between the block and the next one belongs to the next one.
    let last = (from..until)
        .rev()
        .find(|place| lines.get(*place).is_some_and(|line| is_told(line)))?;
    let inner = " ".repeat(depth? + 2);
    let mut changed: String = lines.get(..from)?.concat();
    for (name, value) in value.as_object()? {
        changed.push_str(&format!("{inner}{}: {value}\n", Value::String(name.clone())));
    }
    changed.push_str(&lines.get(last + 1..)?.concat());
    Some(changed)
}

#[cfg(test)]
mod tests;
