//! `GET /hosts`: how a host is given this registry as its gallery, and a check of the address that somebody gave it.
//!
//! The check asks this Portreeve itself, as VS Code would ask it: without a credential, for one server. An address
//! anywhere else is not asked: a page must not be a way to make the server call whom its reader likes.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use portreeve_core::name::RegistryName;
use portreeve_registry::{ListParams, RegistryError};
use serde_json::Value;
use url::Url;

use crate::failure::Failure;
use crate::fields::Query;
use crate::frame;
use crate::router::Portal;
use crate::view::{HostsPage, Seen};
use crate::visitor::Visitor;

pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Query(fields): Query,
) -> Result<Response, Failure> {
    let gallery = portal.parts.registry.gallery(&RegistryName::main());
    let asked = fields.get("url").map(str::to_owned);
    let seen = match &asked {
        Some(asked) => Some(check(&portal, asked).await?),
        None => None,
    };
    let page = HostsPage {
        shell: visitor.shell(&portal, "Hosts", "servers"),
        is_https: gallery.starts_with("https://"),
        asked: asked.unwrap_or_else(|| gallery.clone()),
        gallery,
        seen,
    };
    frame::html(StatusCode::OK, &page)
}

/// What an address is to a host.
enum Address {
    /// A registry here; and whether the paths of the API stand in it already.
    Here(Option<RegistryName>, bool),
    /// Not an address of a registry here, and why, as a sentence.
    Elsewhere(String),
}

fn read(origin: &str, asked: &str) -> Address {
    let elsewhere = |why: &str| Address::Elsewhere(why.to_owned());
    let Ok(url) = Url::parse(asked) else {
        return elsewhere("This is not an address. It begins with https:// or http://.");
    };
    if url.query().is_some() || url.fragment().is_some() {
        return elsewhere("An address with a question mark or a number sign cannot be continued by a host.");
    }
    let Some(rest) = asked
        .strip_prefix(origin)
        .filter(|rest| rest.is_empty() || rest.starts_with('/'))
    else {
        let ours = Url::parse(origin).is_ok_and(|ours| ours.origin() == url.origin());
        return Address::Elsewhere(if ours {
            format!("Hosts reach this Portreeve under {origin}, and this is another path.")
        } else {
            format!(
                "This is another server. Hosts reach this Portreeve under {origin}, and nothing else is asked here."
            )
        });
    };
    let rest = rest.trim_end_matches('/');
    let is_doubled = ["/v0.1/servers", "/v0/servers", "/v0.1", "/v0"]
        .iter()
        .find_map(|end| rest.strip_suffix(end));
    let base = is_doubled.unwrap_or(rest);
    let name = match base {
        "" => None,
        named => {
            let name = named
                .strip_prefix("/registries/")
                .or_else(|| named.strip_prefix("/workspaces/"));
            match name.map(str::parse::<RegistryName>) {
                Some(Ok(name)) => Some(name),
                _ => return elsewhere("No registry lies under this path."),
            }
        }
    };
    Address::Here(name, is_doubled.is_some())
}

async fn check(portal: &Portal, asked: &str) -> Result<Seen, Failure> {
    let (name, is_doubled) = match read(portal.origin(), asked) {
        Address::Here(name, is_doubled) => (name, is_doubled),
        Address::Elsewhere(why) => return Ok(Seen::bad(why)),
    };
    let registry = &portal.parts.registry;
    let name = name.unwrap_or_else(RegistryName::main);
    let url = format!("{}/v0.1/servers?limit=1", asked.trim_end_matches('/'));
    // VS Code sends no credential, and there is no way to make it.
    let view = match registry.view(Some(&name), None) {
        Ok(view) => view,
        Err(RegistryError::Unauthenticated | RegistryError::NotFound { .. }) => {
            return Ok(Seen::bad(
                "It answers 401: there is no such registry, or it is for its members. VS Code has no way to send a \
                 credential to a gallery, so it can show only a registry that is open to everybody."
                    .to_owned(),
            )
            .of(url));
        }
        Err(error) => return Err(error.into()),
    };
    let params = ListParams {
        limit: Some("1".to_owned()),
        ..ListParams::default()
    };
    let answer = registry.list_json(&view, &params).await?.into_bytes()?;
    let answer: Value = serde_json::from_slice(&answer).unwrap_or_default();
    let mut seen = judged(&answer).of(url);
    if is_doubled {
        seen.notes.push(format!(
            "The paths of the API stand in the address twice then. It works here all the same; the address to give is {}.",
            registry.gallery(&name)
        ));
    }
    if !asked.starts_with("https://") {
        seen.notes
            .push("GitHub Copilot takes only an address that begins with https://.".to_owned());
    }
    Ok(seen)
}

/// What VS Code makes of the first page: it refuses all of it when the first item is not what it needs.
fn judged(answer: &Value) -> Seen {
    let Some(servers) = answer.get("servers").and_then(Value::as_array) else {
        return Seen::bad("The answer has no list of servers.".to_owned());
    };
    let Some(first) = servers.first() else {
        return Seen::good(
            "It answers 200, and is empty: nothing is approved that everybody may see.".to_owned(),
        );
    };
    let is_there = |field: &str| {
        let text = first.pointer(&format!("/server/{field}")).and_then(Value::as_str);
        text.is_some_and(|text| !text.is_empty())
    };
    let missing: Vec<&str> = ["name", "description", "version"]
        .into_iter()
        .filter(|field| !is_there(field))
        .collect();
    if !missing.is_empty() || !first.get("_meta").is_some_and(Value::is_object) {
        return Seen::bad(format!(
            "It answers 200, and VS Code will refuse the page: its first server lacks {}.",
            if missing.is_empty() {
                "_meta".to_owned()
            } else {
                missing.join(", ")
            }
        ));
    }
    let name = first
        .pointer("/server/name")
        .and_then(Value::as_str)
        .unwrap_or_default();
    Seen::good(format!(
        "It answers 200 with what VS Code needs. The first server is {}.",
        crate::words::visible(name)
    ))
}

#[cfg(test)]
mod tests {
    use super::{Address, read};

    fn shown(asked: &str) -> String {
        match read("https://gw.example/base", asked) {
            Address::Here(name, doubled) => format!(
                "{} {doubled}",
                name.map(|name| name.to_string()).unwrap_or_default()
            ),
            Address::Elsewhere(why) => why,
        }
    }

    #[test]
    fn an_address_is_a_registry_here_or_nothing() {
        assert_eq!(shown("https://gw.example/base"), " false");
        assert_eq!(shown("https://gw.example/base/"), " false");
        assert_eq!(shown("https://gw.example/base/v0.1/servers"), " true");
        assert_eq!(shown("https://gw.example/base/registries/acme"), "acme false");
        assert_eq!(
            shown("https://gw.example/base/workspaces/acme/v0/servers"),
            "acme true"
        );
        for (asked, why) in [
            ("gw.example", "not an address"),
            ("https://gw.example/other", "another path"),
            ("https://gw.example/basement", "another path"),
            ("https://evil.example/base", "another server"),
            ("https://gw.example.evil.example/base", "another server"),
            ("https://gw.example/base?x=1", "question mark"),
            ("https://gw.example/base/nothing", "No registry"),
        ] {
            assert!(shown(asked).contains(why), "{asked}: {}", shown(asked));
        }
    }
}
