//! An icon of a server as it is shown.

use portreeve_core::icon::{IconTheme, NamedIcon};
use portreeve_core::time::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use crate::ApiParts;

/// An icon that a server names, and what became of it.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = Icon)]
pub(crate) struct IconShape {
    /// Where it is named: `profile.icons[0]`, or `icons[0]` of the document.
    name: String,
    /// Where it lies; for who may publish the server.
    url: Option<String>,
    /// `light` or `dark`: the background that it is made for. Null: for both.
    theme: Option<&'static str>,
    /// Where it is shown from, with the gateway's origin. Null when it is not shown.
    href: Option<String>,
    /// What its bytes are, whatever its server says: `image/png`, `image/jpeg`, `image/webp` or `image/svg+xml`.
    media_type: Option<&'static str>,
    /// SHA-256 of what is shown, hex. An SVG is shown without scripts, links and addresses elsewhere.
    sha256: Option<String>,
    /// Bytes of what is shown.
    size: Option<u64>,
    /// Why it is not shown.
    problem: Option<String>,
    /// When it was looked for last.
    #[schema(value_type = String, format = DateTime)]
    checked_at: Timestamp,
}

// === impl IconShape ===

impl IconShape {
    pub(crate) fn new(api: &ApiParts, icon: &NamedIcon) -> Self {
        let facts = icon.icon.as_ref();
        let origin = api.public_url.as_str().trim_end_matches('/');
        Self {
            name: icon.path.clone(),
            url: Some(icon.url.clone()).filter(|url| !url.is_empty()),
            theme: icon.theme.map(IconTheme::as_str),
            href: facts.map(|facts| format!("{origin}/icons/{}", facts.id)),
            media_type: facts.map(|facts| facts.kind.media_type()),
            sha256: facts.map(|facts| facts.hash.clone()),
            size: facts.map(|facts| facts.size),
            problem: icon.problem.clone(),
            checked_at: icon.checked_at,
        }
    }
}
