//! Security schemes: how the API wants to be shown who calls. A parameter that carries a credential is never an
//! argument: it would pass through the model.

use std::collections::BTreeMap;

use portreeve_core::rest::{Credential, Place, SecurityScheme};
use serde_json::Value;

use super::refs::Root;
use super::schema::Schemas;
use super::shaped::Described;
use super::words::shortened;

/// Most schemes of a document.
const MOST: usize = 50;

fn described<'a>(root: Root<'a>) -> impl Iterator<Item = (&'a String, &'a Value)> {
    let of_three = root.0.pointer("/components/securitySchemes");
    let of_two = root.0.get("securityDefinitions");
    let schemes = of_three.or(of_two).and_then(Value::as_object);
    schemes.into_iter().flatten().take(MOST)
}

/// The schemes of a document.
pub(super) fn schemes(root: Root<'_>) -> BTreeMap<String, SecurityScheme> {
    described(root)
        .filter_map(|(name, scheme)| {
            let scheme = root.resolve(scheme).ok()?;
            let text = scheme
                .get("description")
                .and_then(Value::as_str)
                .unwrap_or_default();
            let made = SecurityScheme {
                credential: credential(scheme)?,
                description: shortened(text, 200),
            };
            Some((name.chars().take(100).collect(), made))
        })
        .collect()
}

fn credential(scheme: &Value) -> Option<Credential> {
    let text = |member: &str| scheme.get(member).and_then(Value::as_str);
    Some(match text("type")? {
        "apiKey" => Credential::Key {
            place: match text("in")? {
                "header" => Place::Header,
                "query" => Place::Query,
                "cookie" => Place::Cookie,
                _ => return None,
            },
            name: text("name")?.chars().take(100).collect(),
        },
        "basic" => Credential::Basic,
        "http" => match text("scheme")?.to_ascii_lowercase().as_str() {
            "basic" => Credential::Basic,
            "bearer" => Credential::Bearer,
            other => Credential::Other(other.chars().take(60).collect()),
        },
        "oauth2" | "openIdConnect" => Credential::Bearer,
        "mutualTLS" => Credential::Certificate,
        _ => return None,
    })
}

/// What an operation asks for; what the document asks for, if it says nothing itself.
pub(super) fn of(root: Root<'_>, operation: &Value) -> Vec<Vec<String>> {
    let own = operation.get("security").or_else(|| root.0.get("security"));
    let sets = own.and_then(Value::as_array).into_iter().flatten().take(MOST);
    sets.filter_map(Value::as_object)
        .map(|set| {
            set.keys()
                .take(MOST)
                .map(|name| name.chars().take(100).collect())
                .collect()
        })
        .collect()
}

/// Takes the parameters away that a scheme of the document describes as its key.
pub(super) fn without_credentials<'a>(
    root: Root<'_>,
    parameters: Vec<Described<'a>>,
    schemas: &mut Schemas<'_>,
) -> Vec<Described<'a>> {
    let keys: Vec<(&str, &str)> = described(root)
        .filter_map(|(_, scheme)| {
            let text = |member: &str| scheme.get(member).and_then(Value::as_str);
            (text("type") == Some("apiKey")).then_some((text("in")?, text("name")?))
        })
        .collect();
    let is_key = |parameter: &Described<'_>| {
        keys.iter()
            .any(|(place, name)| *place == parameter.place() && name.eq_ignore_ascii_case(parameter.name()))
    };
    let (credentials, others): (Vec<_>, Vec<_>) = parameters.into_iter().partition(is_key);
    for parameter in credentials {
        schemas.remark(
            &parameter.pointer,
            "it is a credential, so the route's upstream authentication gives it, never an argument",
        );
    }
    others
}
