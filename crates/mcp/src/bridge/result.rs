//! Results: what only the modern era asks for is put in where it is missing, and taken out for a legacy host.

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Unbridgeable, key, result_of};
use crate::complete::is_kept;
use crate::edit::Edit;
use crate::method::Method;
use crate::params::text;
use crate::splice::Splice;

/// Puts in what the modern era asks of a complete result.
pub(super) fn complete(edit: &mut Edit<'_>, method: Method) {
    if edit.value("resultType").is_none() {
        edit.put("resultType", "\"complete\"");
    }
    if is_kept(method) {
        if edit.value("ttlMs").is_none() {
            edit.put("ttlMs", "0");
        }
        if edit.value("cacheScope").is_none() {
            edit.put("cacheScope", "\"private\"");
        }
    }
}

/// Puts in what a server says about itself, where the modern era looks for it.
pub(super) fn introduce(
    edit: &mut Edit<'_>,
    splice: &mut Splice<'_>,
    server: &str,
) -> Result<(), Unbridgeable> {
    match edit.value("_meta").filter(|raw| raw.starts_with('{')) {
        Some(raw) => {
            let mut meta = Edit::of(raw);
            meta.put(key::SERVER, server);
            meta.apply(splice)?;
        }
        None => edit.put("_meta", format!("{{\"{}\":{server}}}", key::SERVER)),
    }
    Ok(())
}

/// A legacy server's result for a modern host. `server` is what the server says about itself.
pub fn to_modern_result(body: &[u8], method: Method, server: Option<&str>) -> Result<Vec<u8>, Unbridgeable> {
    let result = result_of(body)?;
    let mut splice = Splice::new(body);
    let mut edit = Edit::of(result);
    // A legacy server asks for no further round, whatever it calls its members, and knows nothing of shared caches.
    edit.put("resultType", "\"complete\"");
    edit.cut("inputRequests");
    edit.cut("requestState");
    if is_kept(method) {
        edit.put("cacheScope", "\"private\"");
    }
    complete(&mut edit, method);
    if let Some(server) = server {
        introduce(&mut edit, &mut splice, server)?;
    }
    edit.apply(&mut splice)?;
    Ok(splice.finish())
}

/// A modern server's result for a legacy host.
pub fn to_legacy_result(body: &[u8]) -> Result<Vec<u8>, Unbridgeable> {
    let result = result_of(body)?;
    let mut splice = Splice::new(body);
    let mut edit = Edit::of(result);
    strip(&mut edit, &mut splice)?;
    objects_alone(&mut edit, &mut splice)?;
    edit.apply(&mut splice)?;
    Ok(splice.finish())
}

/// Legacy hosts read structured results that are objects, and schemas of such results, and refuse the whole message where one
/// is anything else (2025-11-25, tools). What is left out stands in a text, where the server wrote none.
fn objects_alone(edit: &mut Edit<'_>, splice: &mut Splice<'_>) -> Result<(), Unbridgeable> {
    if let Some(structured) = edit
        .value("structuredContent")
        .filter(|raw| !raw.starts_with('{'))
    {
        edit.cut("structuredContent");
        let words = edit.value("content").unwrap_or("[]");
        if words.trim_matches(['[', ']', ' ', '\n']).is_empty() {
            let text = serde_json::Value::from(structured);
            edit.put("content", format!(r#"[{{"type":"text","text":{text}}}]"#));
        }
    }
    let tools = edit.value("tools").filter(|tools| tools.contains("outputSchema"));
    let tools: Vec<&RawValue> = tools
        .and_then(|tools| serde_json::from_str(tools).ok())
        .unwrap_or_default();
    for tool in tools {
        let mut tool = Edit::of(tool.get());
        let schema = tool.value("outputSchema");
        if schema.is_some_and(|schema| Edit::of(schema).value("type") != Some("\"object\"")) {
            tool.cut("outputSchema");
            tool.apply(splice)?;
        }
    }
    Ok(())
}

/// Cuts out what the legacy era does not know.
pub(super) fn strip(edit: &mut Edit<'_>, splice: &mut Splice<'_>) -> Result<(), Unbridgeable> {
    for key in ["resultType", "ttlMs", "cacheScope"] {
        edit.cut(key);
    }
    if let Some(raw) = edit.value("_meta").filter(|raw| raw.starts_with('{')) {
        let mut meta = Edit::of(raw);
        meta.cut(key::SERVER);
        meta.apply(splice)?;
    }
    Ok(())
}

/// What a result that is not complete asks of the host, each with the key of its answer; and what comes back with them.
#[derive(Debug, Deserialize)]
pub(super) struct InputRequired<'a> {
    /// The requests by key, as they were written.
    #[serde(borrow, default, rename = "inputRequests")]
    pub(super) requests: std::collections::BTreeMap<String, &'a RawValue>,
    /// The server's own state.
    #[serde(borrow, default, rename = "requestState")]
    pub(super) state: Option<&'a RawValue>,
}

/// What a result asks of the host; `None` when it is complete. A type that is not known here is complete as well: nobody
/// declared it.
pub(super) fn input_required(result: &RawValue) -> Option<Result<InputRequired<'_>, Unbridgeable>> {
    let kind = Edit::of(result.get()).value("resultType")?;
    if text(kind).as_deref() != Some("input_required") {
        return None;
    }
    Some(serde_json::from_str(result.get()).map_err(|_| Unbridgeable))
}
