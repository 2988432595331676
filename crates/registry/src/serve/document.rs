//! The gateway's place in a document: its own routes as `remotes`, for hosts that read it.
//!
//! Before: what is public of a document (`core::served`). After: `serve` puts the registry's `_meta` beside it.

use std::collections::BTreeSet;

use portreeve_core::name::{Environment, Slug};
use portreeve_core::route::Entrance;
use portreeve_core::served::{PublicDocument, RemoteText, RemotesText};
use serde_json::json;
use url::Url;

/// The document with the gateway's routes as its only remotes, or without remotes.
pub(crate) fn public(
    document: &str,
    faces: &[(Slug, Entrance)],
    public_url: &Url,
) -> Result<PublicDocument, serde_json::Error> {
    let mut shown = PublicDocument::without_remotes(document)?;
    if !faces.is_empty() {
        let remotes = faces
            .iter()
            .map(|(slug, entrance)| remote(&endpoint_url(slug, public_url), *entrance));
        let remotes = serde_json::value::to_raw_value(&remotes.collect::<Vec<_>>())?;
        shown.push("remotes", remotes);
    }
    Ok(shown)
}

/// The gateway's own address of a route.
pub(crate) fn endpoint_url(slug: &Slug, public_url: &Url) -> String {
    format!("{}{}", public_url.as_str().trim_end_matches('/'), slug.path())
}

fn remote(url: &str, entrance: Entrance) -> serde_json::Value {
    let mut remote = json!({"type": "streamable-http", "url": url});
    // Where only access tokens are taken, the host finds everything by the URL, and a key would be asked for in vain.
    if entrance == Entrance::Key {
        // A prompt in the host: the key itself never stands in a document or in a link.
        remote["headers"] = json!([{
            "name": "Authorization",
            "description": "Your Portreeve key",
            "value": "Bearer {portreeve_key}",
            "isRequired": true,
            "isSecret": true,
            "variables": {
                "portreeve_key": {
                    "description": "A Portreeve key, as `portreeve key create` prints it",
                    "isRequired": true,
                    "isSecret": true,
                },
            },
        }]);
    }
    remote
}

/// How the gateway's routes are written into lists.
#[derive(Debug)]
pub(crate) struct RemoteTexts {
    anonymous: RemoteText,
    key: RemoteText,
    sign_in: RemoteText,
}

impl RemoteTexts {
    /// Those of a gateway at this address.
    pub(crate) fn of(public_url: &Url) -> Self {
        // A character that no address holds stands where the slug will be.
        let place = "\u{fffd}";
        let around = |entrance| {
            let base = public_url.as_str().trim_end_matches('/');
            let text = remote(&format!("{base}{}", Slug::path_of(place)), entrance).to_string();
            let (before, after) = text.split_once(place).unwrap_or((&text, ""));
            RemoteText {
                before: before.to_owned(),
                after: after.to_owned(),
            }
        };
        Self {
            anonymous: around(Entrance::Anonymous),
            key: around(Entrance::Key),
            sign_in: around(Entrance::SignIn),
        }
    }

    /// The same for a reader who is shown the routes of some environments.
    pub(crate) fn within(&self, environments: BTreeSet<Environment>) -> RemotesText {
        RemotesText {
            environments,
            anonymous: self.anonymous.clone(),
            key: self.key.clone(),
            sign_in: self.sign_in.clone(),
        }
    }
}
