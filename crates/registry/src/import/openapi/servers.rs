//! Where an API is: its servers with their variables filled in, its base path kept.

use serde_json::{Map, Value};
use url::Url;

use super::refs::Root;

/// The address that the paths of a document are appended to.
pub(super) fn of_document(root: Root<'_>, source: Option<&Url>) -> Result<String, String> {
    if root.0.get("swagger").is_some() {
        return swagger(root, source);
    }
    let servers = root.0.get("servers").and_then(Value::as_array);
    let first = servers.and_then(|servers| servers.iter().find(|server| server.get("url").is_some()));
    match first {
        Some(server) => filled(server).and_then(|url| absolute(&url, source)),
        None => absolute("/", source),
    }
}

/// The address of a path or an operation that has servers of its own.
pub(super) fn own(holder: &Map<String, Value>, source: Option<&Url>) -> Option<Result<String, String>> {
    let servers = holder.get("servers").and_then(Value::as_array)?;
    let first = servers.iter().find(|server| server.get("url").is_some())?;
    Some(filled(first).and_then(|url| absolute(&url, source)))
}

/// Whether two addresses have one scheme, host and port.
pub(super) fn is_same_origin(one: &str, other: &str) -> bool {
    let origin = |url: &str| Url::parse(url).map(|url| url.origin());
    matches!((origin(one), origin(other)), (Ok(one), Ok(other)) if one == other)
}

/// An address that somebody gave, in the form that is stored.
pub(super) fn given(url: &str) -> Result<String, String> {
    absolute(url, None)
}

fn swagger(root: Root<'_>, source: Option<&Url>) -> Result<String, String> {
    let text = |name: &str| root.0.get(name).and_then(Value::as_str);
    let schemes = root.0.get("schemes").and_then(Value::as_array);
    let schemes: Vec<&str> = schemes.into_iter().flatten().filter_map(Value::as_str).collect();
    let scheme = if schemes.contains(&"https") || schemes.is_empty() {
        "https"
    } else {
        "http"
    };
    let path = text("basePath").unwrap_or("/");
    match text("host") {
        Some(host) => absolute(
            &format!("{scheme}://{host}/{}", path.trim_start_matches('/')),
            None,
        ),
        None => absolute(path, source),
    }
}

/// A server's address with the default of each variable.
fn filled(server: &Value) -> Result<String, String> {
    let mut rest = server.get("url").and_then(Value::as_str).unwrap_or_default();
    let mut url = String::new();
    while let Some((before, after)) = rest.split_once('{') {
        let (name, behind) = after
            .split_once('}')
            .ok_or("the server's address has a brace that does not close")?;
        let variable = server.get("variables").and_then(|variables| variables.get(name));
        let value = variable.and_then(|variable| {
            let listed = variable
                .get("enum")
                .and_then(Value::as_array)
                .and_then(|list| list.first());
            variable.get("default").or(listed)
        });
        let value = match value {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            _ => {
                return Err(format!(
                    "the variable `{name}` of the server's address has no default"
                ));
            }
        };
        url.push_str(before);
        url.push_str(&value);
        rest = behind;
    }
    url.push_str(rest);
    Ok(url)
}

fn absolute(text: &str, source: Option<&Url>) -> Result<String, String> {
    let missing = || format!("the document does not say on which host `{}` is", cut(text));
    let parsed = match Url::parse(text) {
        Ok(url) => url,
        Err(_) => source.ok_or_else(missing)?.join(text).map_err(|_| missing())?,
    };
    if !matches!(parsed.scheme(), "http" | "https") || !parsed.has_host() {
        return Err(missing());
    }
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err("the server's address carries a user name or a password".to_owned());
    }
    let mut url = parsed;
    url.set_query(None);
    url.set_fragment(None);
    Ok(url.as_str().trim_end_matches('/').to_owned())
}

fn cut(text: &str) -> String {
    text.chars().take(120).collect()
}
