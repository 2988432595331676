//! The validation ladder of revision 2026-07-28, L4 to L9: first failure wins, every error echoes the id.

use portreeve_core::protocol::{Era, Revision};
use portreeve_mcp::header;
use portreeve_mcp::method::{Method, Named};
use portreeve_mcp::params::{Params, text};
use serde_json::value::RawValue;

use super::head::{Head, is_modern};
use crate::respond::Refusal;

/// A request is modern when its version header says so, or its `_meta` carries a protocol version.
pub fn era(head: &Head, params: &Params<'_>) -> Era {
    let in_meta = params
        .meta()
        .ok()
        .flatten()
        .is_some_and(|meta| meta.protocol_version.is_some());
    if in_meta || head.version.as_deref().is_some_and(is_modern) {
        Era::Modern
    } else {
        Era::Legacy
    }
}

/// Brings a modern request up the ladder.
pub fn modern(head: &Head, id: &RawValue, method: &str, params: &Params<'_>) -> Result<Method, Refusal> {
    let mismatch = |reason: String| Refusal::HeaderMismatch {
        id: id.to_owned(),
        reason,
    };
    let invalid = |reason: &str| Refusal::InvalidParams {
        id: Some(id.to_owned()),
        reason: reason.to_owned(),
    };
    if let Some(name) = &head.doubled {
        return Err(mismatch(format!("the header `{name}` came twice")));
    }
    let meta = params.meta().map_err(|error| invalid(&error.0))?;
    let in_meta = meta.as_ref().and_then(|meta| meta.protocol_version);
    // L4
    if let Some(in_meta) = in_meta {
        let in_meta = text(in_meta)
            .ok_or_else(|| invalid("`_meta.io.modelcontextprotocol/protocolVersion` must be a text"))?;
        match head.version.as_deref() {
            None => {
                return Err(mismatch(
                    "the header `MCP-Protocol-Version` is missing".to_owned(),
                ));
            }
            Some(version) if version != in_meta => {
                return Err(mismatch(format!(
                    "the header `MCP-Protocol-Version` says `{version}`, `_meta` says `{in_meta}`"
                )));
            }
            Some(_) => {}
        }
    }
    // L5
    let meta = meta.ok_or_else(|| invalid("`_meta` is missing"))?;
    if in_meta.is_none() {
        return Err(invalid(
            "`_meta.io.modelcontextprotocol/protocolVersion` is missing",
        ));
    }
    if !meta
        .client_capabilities
        .is_some_and(|capabilities| capabilities.get().starts_with('{'))
    {
        return Err(invalid(
            "`_meta.io.modelcontextprotocol/clientCapabilities` is missing or not an object",
        ));
    }
    // L6
    let version = head.version.as_deref().unwrap_or_default();
    if version != Revision::V2026_07_28.as_str() {
        return Err(Refusal::UnsupportedVersion {
            id: id.to_owned(),
            requested: version.to_owned(),
        });
    }
    mirrored(head, id, method, params)?;
    // L9
    Method::find(method, Era::Modern).ok_or_else(|| Refusal::MethodNotFound {
        id: Some(id.to_owned()),
        era: Era::Modern,
        method: method.to_owned(),
    })
}

/// L7 and L8: the mirrored headers agree with the body.
fn mirrored(head: &Head, id: &RawValue, method: &str, params: &Params<'_>) -> Result<(), Refusal> {
    let mismatch = |reason: String| Refusal::HeaderMismatch {
        id: id.to_owned(),
        reason,
    };
    let in_header = head.text(header::METHOD).map(str::trim);
    if in_header != Some(method) {
        return Err(mismatch(match in_header {
            Some(other) => format!("the header `Mcp-Method` says `{other}`, the body says `{method}`"),
            None => "the header `Mcp-Method` is missing".to_owned(),
        }));
    }
    let named = Method::find(method, Era::Modern).and_then(Method::named);
    let in_body = match named {
        Some(Named::Name) => params.name.as_deref(),
        Some(Named::Uri) => params.uri.as_deref(),
        None => return Ok(()),
    };
    let Some(in_body) = in_body else {
        let reason = if named == Some(Named::Name) {
            "`name` is missing"
        } else {
            "`uri` is missing"
        };
        return Err(Refusal::InvalidParams {
            id: Some(id.to_owned()),
            reason: reason.to_owned(),
        });
    };
    let Some(given) = head.text(header::NAME) else {
        return Err(mismatch(
            "the header `Mcp-Name` is missing, or not visible ASCII".to_owned(),
        ));
    };
    match header::decode(given) {
        Ok(decoded) if decoded == in_body => Ok(()),
        Ok(_) => Err(mismatch("the header `Mcp-Name` differs from the body".to_owned())),
        Err(error) => Err(mismatch(format!("the header `Mcp-Name`: {error}"))),
    }
}
