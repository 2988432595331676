//! The section `[portal]`: how the pages look.

use std::path::PathBuf;

use portreeve_core::icon::IconKind;
use portreeve_core::limits::Limits;
use portreeve_portal::{Brand, Colour, Logo};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::cli::Failure;

/// Longest name of an installation.
const NAME_CHARS: usize = 40;

/// How the pages look.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Portal {
    /// What the installation is called, in the header and in titles: 1 to 40 characters. Default: `Portreeve`.
    pub(crate) name: Option<String>,
    /// A picture that stands before the name: a file with an SVG, a PNG, a WebP or a JPEG of at most 256 KiB. An SVG is
    /// cleaned of everything that runs or asks somebody. Read at the start.
    pub(crate) logo: Option<PathBuf>,
    /// The colour of links, buttons and of the header, as in `#0a5a66`. In each theme it is made darker or lighter until
    /// everything can be read (WCAG 2.2, level AA).
    pub(crate) accent: Option<String>,
}

impl Portal {
    /// How the portal looks.
    pub(crate) fn brand(&self, limits: &Limits) -> Result<Brand, Failure> {
        let mut brand = Brand::default();
        if let Some(name) = &self.name {
            let name = name.trim();
            let is_plain = !name.chars().any(char::is_control);
            if name.is_empty() || name.chars().count() > NAME_CHARS || !is_plain {
                return Err(Failure::new(format!(
                    "`portal.name` must have 1 to {NAME_CHARS} characters, and no control among them"
                )));
            }
            brand.name = name.into();
        }
        if let Some(accent) = &self.accent {
            let colour: Colour = accent
                .parse()
                .map_err(|problem| Failure::new(format!("`portal.accent` is `{accent}`: {problem}")))?;
            brand.accent = Some(colour);
        }
        brand.logo = self.logo(limits)?;
        Ok(brand)
    }

    fn logo(&self, limits: &Limits) -> Result<Option<Logo>, Failure> {
        let Some(file) = &self.logo else {
            return Ok(None);
        };
        let shown = file.display();
        let bytes = std::fs::read(file).map_err(|error| {
            Failure::new(format!(
                "`portal.logo` names `{shown}`, which cannot be read: {error}"
            ))
        })?;
        let picture = portreeve_inspect::picture(&bytes, limits).map_err(|problem| {
            Failure::new(format!("`portal.logo` names `{shown}`: {problem}"))
                .hint("take an SVG, a PNG, a WebP or a JPEG of at most 256 KiB")
        })?;
        Ok(Some(Logo {
            media_type: picture.kind.media_type(),
            extension: match picture.kind {
                IconKind::Png => "png",
                IconKind::Jpeg => "jpg",
                IconKind::Webp => "webp",
                IconKind::Svg => "svg",
            },
            bytes: picture.bytes,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_brand_is_checked_before_anything_is_served() {
        let limits = Limits::for_tests();
        let portal = |text: &str| -> Portal { toml::from_str(text).unwrap() };
        let brand = portal("name = \"Acme tools\"\naccent = \"#7a1fa2\"")
            .brand(&limits)
            .unwrap();
        assert_eq!(&*brand.name, "Acme tools");
        assert!(brand.accent.is_some());
        assert_eq!(Portal::default().brand(&limits).unwrap(), Brand::default());
        for wrong in [
            "name = \"\"",
            "name = \"a\\nb\"",
            "accent = \"purple\"",
            "logo = \"/nowhere/logo.svg\"",
        ] {
            assert!(portal(wrong).brand(&limits).is_err(), "{wrong}");
        }
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("logo.svg");
        let svg =
            "<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script><path d=\"M0 0\"/></svg>";
        std::fs::write(&file, svg).unwrap();
        let text = format!("logo = {:?}", file.display().to_string());
        let logo = portal(&text).brand(&limits).unwrap().logo.unwrap();
        let cleaned = String::from_utf8(logo.bytes).unwrap();
        assert!(!cleaned.contains("alert"), "{cleaned}");
        std::fs::write(&file, "<html>").unwrap();
        assert!(portal(&text).brand(&limits).is_err());
    }
}
