//! One server as nearly every host writes it: an address with headers, or a command with arguments and an environment.
//!
//! Before: a member of a host's file. After: `proposal` makes a document of it.

use portreeve_core::secret::Secret;
use serde_json::{Map, Value};

use super::Launch;

/// Why something is none.
pub(super) const NEITHER: &str = "it has neither an address nor a command";
/// Words of a command, headers and variables that are read.
const MOST: usize = 200;

/// A server in the words that most hosts share.
pub(super) fn common(value: &Value) -> Result<Launch, &'static str> {
    let Some(server) = value.as_object() else {
        return Err(NEITHER);
    };
    let kind = text(server, &["type", "transport"]).unwrap_or_default();
    if let Some(url) = text(server, &["url", "httpUrl", "serverUrl", "uri"]) {
        let is_sse = kind.eq_ignore_ascii_case("sse");
        return remote(url, is_sse, pairs(server, &["headers", "http_headers"]));
    }
    process(server, &["command", "cmd"], &["env", "envs"])
}

/// A server that is reached at an address.
pub(super) fn remote(
    url: &str,
    is_sse: bool,
    headers: Vec<(String, Secret)>,
) -> Result<Launch, &'static str> {
    Ok(Launch::Remote {
        transport: if is_sse { "sse" } else { "streamable-http" },
        url: Secret::new(url.trim()),
        headers,
    })
}

/// A server that is a program. The command may be a list of words, or an object of its own (older settings of Zed).
pub(super) fn process(
    server: &Map<String, Value>,
    commands: &[&str],
    environments: &[&str],
) -> Result<Launch, &'static str> {
    let command = commands.iter().find_map(|name| server.get(*name));
    let (command, args, env) = match command {
        Some(Value::String(command)) => (command.clone(), words(server.get("args")), server),
        Some(Value::Array(_)) => {
            let mut all = words(command);
            if all.is_empty() {
                return Err(NEITHER);
            }
            let first = all.remove(0).expose().to_owned();
            all.extend(words(server.get("args")));
            (first, all, server)
        }
        Some(Value::Object(inner)) => {
            let path = text(inner, &["path", "command"]).ok_or(NEITHER)?;
            (path.to_owned(), words(inner.get("args")), inner)
        }
        _ => return Err(NEITHER),
    };
    if command.trim().is_empty() {
        return Err(NEITHER);
    }
    Ok(Launch::Process {
        command,
        args,
        env: pairs(env, environments),
    })
}

/// The first of these members that is a text with something in it.
pub(super) fn text<'a>(server: &'a Map<String, Value>, names: &[&str]) -> Option<&'a str> {
    let texts = names.iter().filter_map(|name| server.get(*name)?.as_str());
    texts.map(str::trim).find(|text| !text.is_empty())
}

/// Names and values; what is no text is written as one.
pub(super) fn pairs(server: &Map<String, Value>, names: &[&str]) -> Vec<(String, Secret)> {
    let all = names
        .iter()
        .filter_map(|name| server.get(*name)?.as_object())
        .flatten();
    all.take(MOST)
        .map(|(name, value)| (name.clone(), as_text(value)))
        .collect()
}

fn words(value: Option<&Value>) -> Vec<Secret> {
    let words = value.and_then(Value::as_array).into_iter().flatten();
    words.take(MOST).map(as_text).collect()
}

fn as_text(value: &Value) -> Secret {
    match value {
        Value::String(text) => Secret::new(text.as_str()),
        Value::Null => Secret::new(""),
        other => Secret::new(other.to_string()),
    }
}
