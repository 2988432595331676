//! The two ways to get to know a server: `initialize` and `server/discover`, each made of the other one's result.

use portreeve_core::protocol::{Era, Revision};
use serde_json::json;

use super::{Unbridgeable, capability, key, result, result_of};
use crate::edit::Edit;
use crate::envelope::Message;
use crate::method::Method;
use crate::params::text;
use crate::splice::Splice;

/// What a legacy host says of itself when it comes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Introduction {
    /// `capabilities`, an object as it was written.
    pub capabilities: Option<String>,
    /// `clientInfo`, an object as it was written.
    pub info: Option<String>,
    /// The version that it proposes, if it is one that is known.
    pub proposed: Option<Revision>,
}

/// Reads what `initialize` says of its host.
pub fn introduction(body: &[u8]) -> Introduction {
    let Ok(Message::Request {
        params: Some(params), ..
    }) = Message::parse(body)
    else {
        return Introduction::default();
    };
    let params = Edit::of(params.get());
    let object = |name: &str| {
        params
            .value(name)
            .filter(|raw| raw.starts_with('{'))
            .map(str::to_owned)
    };
    let proposed = params.value("protocolVersion").and_then(text);
    Introduction {
        capabilities: object("capabilities"),
        info: object("clientInfo"),
        proposed: proposed.and_then(|version| version.parse().ok()),
    }
}

/// The versions in which a host can speak to a bridged server through us: all that are served, whichever it speaks itself.
fn versions() -> String {
    let served = Revision::ALL.into_iter().rev();
    let served = served.filter(|revision| *revision > Revision::V2024_11_05);
    json!(served.map(Revision::as_str).collect::<Vec<_>>()).to_string()
}

/// A legacy server's answer to `initialize`, as the answer to `server/discover`.
pub fn discovery(body: &[u8]) -> Result<Vec<u8>, Unbridgeable> {
    let result = result_of(body)?;
    let mut splice = Splice::new(body);
    let mut edit = Edit::of(result);
    edit.cut("protocolVersion");
    edit.cut("serverInfo");
    edit.put("supportedVersions", versions());
    match edit.value("capabilities").filter(|raw| raw.starts_with('{')) {
        Some(raw) => capability::offered(raw, &mut splice)?,
        None => edit.put("capabilities", "{}"),
    }
    result::complete(&mut edit, Method::Discover);
    if let Some(server) = edit.value("serverInfo") {
        result::introduce(&mut edit, &mut splice, server)?;
    }
    edit.apply(&mut splice)?;
    Ok(splice.finish())
}

/// A modern server's answer to `server/discover`, as the answer to `initialize`. `proposed` is the version that the host
/// asked for; one that is not served is answered with the newest, never with an error. `name` stands for a server that
/// does not say who it is.
pub fn initialization(
    body: &[u8],
    proposed: Option<Revision>,
    name: &str,
) -> Result<(Vec<u8>, Revision), Unbridgeable> {
    let agreed = proposed
        .filter(|revision| revision.era() == Era::Legacy)
        .unwrap_or(Revision::NEWEST_LEGACY);
    let result = result_of(body)?;
    let mut splice = Splice::new(body);
    let mut edit = Edit::of(result);
    edit.cut("supportedVersions");
    edit.put("protocolVersion", json!(agreed.as_str()).to_string());
    match edit.value("capabilities").filter(|raw| raw.starts_with('{')) {
        Some(raw) => capability::offered(raw, &mut splice)?,
        None => edit.put("capabilities", "{}"),
    }
    let meta = edit.value("_meta").filter(|raw| raw.starts_with('{'));
    let server = meta.and_then(|raw| Edit::of(raw).value(key::SERVER));
    let server = match server.filter(|raw| raw.starts_with('{')) {
        Some(server) => server.to_owned(),
        None => json!({"name": name, "version": ""}).to_string(),
    };
    edit.put("serverInfo", server);
    result::strip(&mut edit, &mut splice)?;
    edit.apply(&mut splice)?;
    Ok((splice.finish(), agreed))
}
