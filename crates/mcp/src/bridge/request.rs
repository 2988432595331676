//! Requests: what their `_meta` says of the hop is taken out for a legacy server, and put in for a modern one.

use serde_json::json;
use serde_json::value::RawValue;

use super::{Unbridgeable, key};
use crate::edit::Edit;
use crate::envelope::Message;
use crate::level::Level;
use crate::params::text;
use crate::splice::Splice;

/// What a modern request says of its host.
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// `clientCapabilities`, an object as it was written.
    pub capabilities: Option<String>,
    /// `clientInfo`, an object as it was written.
    pub client: Option<String>,
    /// `logLevel`; a word that is none counts as absent.
    pub level: Option<Level>,
    /// `progressToken`, as it was written.
    pub token: Option<Box<RawValue>>,
}

/// What a legacy host said of itself in its `initialize`, and of its wishes since.
#[derive(Debug, Clone, Copy)]
pub struct Client<'a> {
    /// `capabilities`, an object as it was written.
    pub capabilities: &'a str,
    /// `clientInfo`, an object as it was written.
    pub info: Option<&'a str>,
    /// The level of `logging/setLevel`.
    pub level: Option<Level>,
    /// The version of the server's hop.
    pub version: &'a str,
}

fn params(body: &[u8]) -> Result<(&RawValue, Option<&str>), Unbridgeable> {
    match Message::parse(body) {
        Ok(Message::Request { id, params, .. }) => Ok((id, params.map(RawValue::get))),
        _ => Err(Unbridgeable),
    }
}

fn object(raw: &str) -> Option<String> {
    raw.starts_with('{').then(|| raw.to_owned())
}

/// Reads what a modern request says of its host.
pub fn told(body: &[u8]) -> Told {
    let params = params(body).ok().and_then(|(_, params)| params);
    let Some(meta) = params.and_then(|params| Edit::of(params).value("_meta")) else {
        return Told::default();
    };
    let meta = Edit::of(meta);
    Told {
        capabilities: meta.value(key::CAPABILITIES).and_then(object),
        client: meta.value(key::CLIENT).and_then(object),
        level: meta.value(key::LEVEL).and_then(|raw| Level::find(&text(raw)?)),
        token: meta
            .value("progressToken")
            .and_then(|raw| RawValue::from_string(raw.to_owned()).ok()),
    }
}

/// The level that `logging/setLevel` asks for.
pub fn wanted_level(body: &[u8]) -> Option<Level> {
    let (_, params) = params(body).ok()?;
    Level::find(&text(Edit::of(params?).value("level")?)?)
}

/// For a legacy server: with our id, our progress token in place of the host's, and without what `_meta` says of the hop.
/// What belongs to a call in several rounds means nothing to it.
pub fn to_legacy(body: &[u8], id: u64) -> Result<Vec<u8>, Unbridgeable> {
    let (old, params) = params(body)?;
    let mut splice = Splice::new(body);
    splice.replace(old.get(), id.to_string())?;
    if let Some(params) = params {
        let mut edit = Edit::of(params);
        edit.cut("inputResponses");
        edit.cut("requestState");
        if let Some(meta) = edit.value("_meta") {
            let mut meta = Edit::of(meta);
            for key in [key::VERSION, key::CAPABILITIES, key::CLIENT, key::LEVEL] {
                meta.cut(key);
            }
            if meta.value("progressToken").is_some() {
                meta.put("progressToken", id.to_string());
            }
            meta.apply(&mut splice)?;
        }
        edit.apply(&mut splice)?;
    }
    Ok(splice.finish())
}

/// For a modern server: with our id, and with `_meta` as that era wants it. A task cannot be asked for across eras; the
/// answer comes when it is there. A legacy host knows of no rounds, so answers and state that it brings are nobody's: what
/// it was really asked goes to the server by [`super::next_round`].
pub fn to_modern(body: &[u8], id: u64, client: Client<'_>) -> Result<Vec<u8>, Unbridgeable> {
    let (_, params) = params(body)?;
    let whole = std::str::from_utf8(body).map_err(|_| Unbridgeable)?;
    let mut splice = Splice::new(body);
    let mut envelope = Edit::of(whole);
    envelope.put("id", id.to_string());
    match params {
        None => envelope.put("params", format!("{{\"_meta\":{}}}", meta(client))),
        Some(params) => {
            let mut edit = Edit::of(params);
            for key in ["task", "inputResponses", "requestState"] {
                edit.cut(key);
            }
            match edit.value("_meta").filter(|raw| raw.starts_with('{')) {
                Some(raw) => {
                    let mut known = Edit::of(raw);
                    known.put(key::VERSION, json!(client.version).to_string());
                    known.put(key::CAPABILITIES, client.capabilities);
                    match client.info {
                        Some(info) => known.put(key::CLIENT, info),
                        None => known.cut(key::CLIENT),
                    }
                    match client.level {
                        Some(level) => known.put(key::LEVEL, json!(level.as_str()).to_string()),
                        None => known.cut(key::LEVEL),
                    }
                    known.apply(&mut splice)?;
                }
                None => edit.put("_meta", meta(client)),
            }
            edit.apply(&mut splice)?;
        }
    }
    envelope.apply(&mut splice)?;
    Ok(splice.finish())
}

/// A `server/discover` for a host that said `initialize`.
pub fn discover(id: u64, client: Client<'_>) -> Vec<u8> {
    let meta = meta(client);
    format!(
        "{{\"jsonrpc\":\"2.0\",\"id\":{id},\"method\":\"server/discover\",\"params\":{{\"_meta\":{meta}}}}}"
    )
    .into_bytes()
}

/// What a request to a modern server says of its host.
pub(super) fn meta(client: Client<'_>) -> String {
    let mut meta = format!(
        "{{\"{}\":{},\"{}\":{}",
        key::VERSION,
        json!(client.version),
        key::CAPABILITIES,
        client.capabilities
    );
    if let Some(info) = client.info {
        meta.push_str(&format!(",\"{}\":{info}", key::CLIENT));
    }
    if let Some(level) = client.level {
        meta.push_str(&format!(",\"{}\":{}", key::LEVEL, json!(level.as_str())));
    }
    meta.push('}');
    meta
}
