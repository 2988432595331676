//! The validation ladder of revision 2026-07-28, L4 to L11: first failure wins, every error echoes the id. Beside it the
//! few steps of the legacy lane.

use http::HeaderName;
use portreeve_core::protocol::{Era, Revision};
use portreeve_mcp::method::{Method, Named};
use portreeve_mcp::params::{Meta, Params, text};
use portreeve_mcp::{header, tasks};
use serde_json::value::RawValue;

use super::head::{Head, is_modern};
use super::inbound::Call;
use crate::respond::Refusal;
use crate::route::ServedRoute;
use crate::upstream::members::Came;

/// A request is modern when its version header says so, or its `_meta` carries a protocol version.
pub fn era(head: &Head, meta: Option<&Meta<'_>>) -> Era {
    let in_meta = meta.is_some_and(|meta| meta.protocol_version.is_some());
    if in_meta || head.version.as_deref().is_some_and(is_modern) {
        Era::Modern
    } else {
        Era::Legacy
    }
}

/// Brings a modern request up the ladder.
pub fn modern(head: &Head, id: &RawValue, method: &str, params: &Params<'_>) -> Result<Method, Refusal> {
    let step = Step { head, id: Some(id) };
    step.each_once()?;
    step.version_agrees(params.meta.as_ref())?;
    step.meta_is_whole(params.meta.as_ref())?;
    step.version_is_served()?;
    step.method_agrees(method)?;
    step.name_agrees(method, params)?;
    // L9
    let known = Method::find(method, Era::Modern).ok_or_else(|| Refusal::MethodNotFound {
        id: Some(id.to_owned()),
        era: Era::Modern,
        method: method.to_owned(),
    })?;
    step.can_follow(known, params.meta.as_ref())?;
    Ok(known)
}

/// What is asked of a modern notification: what its headers say must be so. Which of them it needs is left open by the
/// revision, and hosts leave them out.
pub fn modern_note(head: &Head, method: &str, params: &Params<'_>) -> Result<(), Refusal> {
    let step = Step { head, id: None };
    step.each_once()?;
    step.version_agrees(params.meta.as_ref())?;
    step.version_is_served()?;
    if head.headers.contains_key(header::METHOD) {
        step.method_agrees(method)?;
    }
    Ok(())
}

/// The legacy lane: a version header, where there is one, comes once and names a legacy revision.
pub fn legacy_version(head: &Head) -> Result<(), Refusal> {
    if head.is_doubled(header::PROTOCOL_VERSION) {
        return Err(Step { head, id: None }.twice(&header::PROTOCOL_VERSION));
    }
    match &head.version {
        Some(version) if version.parse::<Revision>().is_err() => Err(Refusal::BadVersion {
            requested: version.clone(),
        }),
        _ => Ok(()),
    }
}

/// The legacy lane: the method must be known.
pub fn legacy_method(method: &str) -> Result<Method, Refusal> {
    Method::find(method, Era::Legacy).ok_or_else(|| Refusal::MethodNotFound {
        id: None,
        era: Era::Legacy,
        method: method.to_owned(),
    })
}

/// L10: headers that repeat arguments say what the body says. Asked after the policies, so that a tool that is not there for
/// somebody is not known by its headers.
pub fn arguments_agree(head: &Head, call: &Call, route: &ServedRoute) -> Result<(), Refusal> {
    if call.came == Came::Within {
        return Ok(());
    }
    let Some((mirrors, arguments)) = call.mirrored(route) else {
        return Ok(());
    };
    mirrors
        .compare(&head.headers, arguments)
        .map_err(|disagreement| Refusal::HeaderMismatch {
            id: Some(call.id.clone()),
            reason: disagreement.to_string(),
        })
}

/// Where a request stands on the ladder.
struct Step<'a> {
    head: &'a Head,
    id: Option<&'a RawValue>,
}

impl Step<'_> {
    fn mismatch(&self, reason: String) -> Refusal {
        Refusal::HeaderMismatch {
            id: self.id.map(ToOwned::to_owned),
            reason,
        }
    }

    fn invalid(&self, reason: &str) -> Refusal {
        Refusal::InvalidParams {
            id: self.id.map(ToOwned::to_owned),
            reason: reason.to_owned(),
        }
    }

    fn twice(&self, name: &HeaderName) -> Refusal {
        self.mismatch(format!("the header `{name}` came twice"))
    }

    /// Two readers may take two different ones of them.
    fn each_once(&self) -> Result<(), Refusal> {
        let mirrored = [header::PROTOCOL_VERSION, header::METHOD, header::NAME];
        match mirrored.into_iter().find(|name| self.head.is_doubled(name)) {
            Some(name) => Err(self.twice(&name)),
            None => Ok(()),
        }
    }

    /// L4
    fn version_agrees(&self, meta: Option<&Meta<'_>>) -> Result<(), Refusal> {
        let Some(in_meta) = meta.and_then(|meta| meta.protocol_version) else {
            return Ok(());
        };
        let Some(version) = self.head.version.as_deref() else {
            return Err(self.mismatch("the header `MCP-Protocol-Version` is missing".to_owned()));
        };
        let in_meta = text(in_meta)
            .ok_or_else(|| self.invalid("`_meta.io.modelcontextprotocol/protocolVersion` must be a text"))?;
        if version == in_meta {
            Ok(())
        } else {
            Err(self.mismatch(format!(
                "the header `MCP-Protocol-Version` says `{version}`, `_meta` says `{in_meta}`"
            )))
        }
    }

    /// L5
    fn meta_is_whole(&self, meta: Option<&Meta<'_>>) -> Result<(), Refusal> {
        let meta = meta.ok_or_else(|| self.invalid("`_meta` is missing"))?;
        if meta.protocol_version.is_none() {
            return Err(self.invalid("`_meta.io.modelcontextprotocol/protocolVersion` is missing"));
        }
        let capabilities = meta.client_capabilities;
        if capabilities.is_some_and(|capabilities| capabilities.starts_with('{')) {
            Ok(())
        } else {
            Err(self
                .invalid("`_meta.io.modelcontextprotocol/clientCapabilities` is missing or not an object"))
        }
    }

    /// L6
    fn version_is_served(&self) -> Result<(), Refusal> {
        match self.head.version.as_deref() {
            Some(version) if version != Revision::V2026_07_28.as_str() => Err(Refusal::UnsupportedVersion {
                id: self.id.map(ToOwned::to_owned),
                requested: version.to_owned(),
            }),
            _ => Ok(()),
        }
    }

    /// L7
    fn method_agrees(&self, method: &str) -> Result<(), Refusal> {
        match self.head.text(header::METHOD).map(str::trim) {
            Some(in_header) if in_header == method => Ok(()),
            Some(other) => Err(self.mismatch(format!(
                "the header `Mcp-Method` says `{other}`, the body says `{method}`"
            ))),
            None => Err(self.mismatch("the header `Mcp-Method` is missing, or not visible ASCII".to_owned())),
        }
    }

    /// L11, for the one extension whose requests the gateway looks into.
    fn can_follow(&self, method: Method, meta: Option<&Meta<'_>>) -> Result<(), Refusal> {
        let capabilities = meta.and_then(|meta| meta.client_capabilities);
        if !method.is_about_a_task() || capabilities.is_some_and(tasks::are_declared) {
            return Ok(());
        }
        Err(Refusal::TasksNotDeclared {
            id: self.id.map(ToOwned::to_owned),
        })
    }

    /// L8
    fn name_agrees(&self, method: &str, params: &Params<'_>) -> Result<(), Refusal> {
        let named = Method::find(method, Era::Modern).and_then(Method::named);
        let (field, in_body) = match named {
            Some(Named::Name) => ("name", params.name.as_deref()),
            Some(Named::Uri) => ("uri", params.uri.as_deref()),
            Some(Named::Task) => ("taskId", params.task_id.as_deref()),
            None => return Ok(()),
        };
        let Some(in_body) = in_body else {
            return Err(self.invalid(&format!("`{field}` is missing")));
        };
        let Some(given) = self.head.text(header::NAME) else {
            return Err(self.mismatch("the header `Mcp-Name` is missing, or not visible ASCII".to_owned()));
        };
        match header::decode(given) {
            Ok(decoded) if decoded == in_body => Ok(()),
            Ok(_) => Err(self.mismatch("the header `Mcp-Name` differs from the body".to_owned())),
            Err(error) => Err(self.mismatch(format!("the header `Mcp-Name`: {error}"))),
        }
    }
}
