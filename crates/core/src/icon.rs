//! Icons of entries: what was fetched, checked and kept, so that no page asks a stranger for a picture.

use serde::{Deserialize, Serialize};

use crate::id::IconId;
use crate::name::ServerName;
use crate::server::as_words;
use crate::time::Timestamp;

/// What an icon is, as its bytes say. What its server calls it is not asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IconKind {
    /// PNG.
    Png,
    /// JPEG.
    Jpeg,
    /// WebP.
    Webp,
    /// SVG without anything that runs or asks somebody.
    Svg,
}

as_words!(IconKind { Png = "png", Jpeg = "jpeg", Webp = "webp", Svg = "svg" });

/// The background that an icon is made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IconTheme {
    /// A light one.
    Light,
    /// A dark one.
    Dark,
}

as_words!(IconTheme { Light = "light", Dark = "dark" });

/// An icon as it is kept and shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Icon {
    /// In its address. It cannot be guessed: whether an installation has an icon says something about its entries.
    pub id: IconId,
    /// SHA-256 of its bytes, hex.
    pub hash: String,
    /// What it is.
    pub kind: IconKind,
    /// The picture.
    pub bytes: Vec<u8>,
}

/// What an icon is, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IconFacts {
    /// See [`Icon::id`].
    pub id: IconId,
    /// See [`Icon::hash`].
    pub hash: String,
    /// See [`Icon::kind`].
    pub kind: IconKind,
    /// How many bytes it has.
    pub size: u64,
}

/// An icon that an entry names, and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedIcon {
    /// Where it is named: `profile.icons[0]`, `icons[1]` of the document.
    pub path: String,
    /// Where it lies.
    pub url: String,
    /// What it is made for; nothing: for both.
    pub theme: Option<IconTheme>,
    /// The icon, once it was fetched.
    pub icon: Option<IconFacts>,
    /// Why it could not be.
    pub problem: Option<String>,
    /// When it was looked for last.
    pub checked_at: Timestamp,
}

/// An icon of a server, to be shown beside its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IconFace {
    /// Whose.
    pub server: ServerName,
    /// Which.
    pub id: IconId,
    /// What it is made for; nothing: for both.
    pub theme: Option<IconTheme>,
}

// === impl IconKind ===

impl IconKind {
    /// The media type under which it is served.
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Webp => "image/webp",
            Self::Svg => "image/svg+xml",
        }
    }
}
