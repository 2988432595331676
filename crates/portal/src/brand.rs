//! How an installation calls itself, and its colour. The colour is not taken as it is: it is made darker for the light theme
//! and lighter for the dark one until everything that is written in it, or on it, can be read (WCAG 2.2, 1.4.3).
//!
//! Before: the configuration is read. After: `assets` puts the colours behind those of the style sheet.

use std::str::FromStr;
use std::sync::Arc;

/// How an installation looks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brand {
    /// What stands in the header and in titles.
    pub name: Arc<str>,
    /// What stands before it.
    pub logo: Option<Logo>,
    /// The colour of links, buttons and of the header.
    pub accent: Option<Colour>,
}

/// A picture that was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logo {
    /// Its media type.
    pub media_type: &'static str,
    /// How its file ends.
    pub extension: &'static str,
    /// The picture.
    pub bytes: Vec<u8>,
}

/// A colour: red, green and blue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Colour([u8; 3]);

/// What is no colour.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("it is no colour: write six hexadecimal digits, as in `#0a5a66`")]
pub struct NoColour;

const WHITE: Colour = Colour([0xff, 0xff, 0xff]);
const BLACK: Colour = Colour([0, 0, 0]);
/// On what links stand, in each theme: the grounds of the style sheet.
const LIGHT_GROUNDS: [Colour; 4] = [
    Colour([0xf7, 0xf5, 0xef]),
    Colour([0xff, 0xfe, 0xfb]),
    Colour([0xf0, 0xed, 0xe4]),
    Colour([0xdc, 0xed, 0xef]),
];
const DARK_GROUNDS: [Colour; 4] = [
    Colour([0x10, 0x18, 0x1b]),
    Colour([0x17, 0x21, 0x24]),
    Colour([0x0c, 0x13, 0x15]),
    Colour([0x11, 0x32, 0x39]),
];
/// The quieter of the two colours in which the header is written.
const ON_BAND: Colour = Colour([0xd9, 0xda, 0xd5]);
/// What text needs, and a little more: browsers round.
const TEXT: f64 = 4.6;

// === impl Brand ===

impl Default for Brand {
    fn default() -> Self {
        Self {
            name: "Portreeve".into(),
            logo: None,
            accent: None,
        }
    }
}

impl Brand {
    /// What stands behind the style sheet: nothing, unless there is a colour.
    pub(crate) fn style(&self) -> String {
        let Some(accent) = self.accent else {
            return String::new();
        };
        let (light, dark) = (
            accent.readable_on(LIGHT_GROUNDS),
            accent.readable_on(DARK_GROUNDS),
        );
        let (band, night) = (accent.band(0.0), accent.band(0.35));
        let pair = |name: &str, light: Colour, dark: Colour| {
            format!("--{name}:light-dark({},{});", light.css(), dark.css())
        };
        let variables = [
            pair("accent", light, dark),
            pair("accent-strong", light.mixed(BLACK, 0.25), dark.mixed(WHITE, 0.35)),
            pair("on-accent", light.ink(), dark.ink()),
            pair("harbour", band, night),
            pair("harbour-deep", band.mixed(BLACK, 0.2), night.mixed(BLACK, 0.2)),
            pair("harbour-light", band.mixed(WHITE, 0.08), night.mixed(WHITE, 0.08)),
            format!("--on-harbour-soft:{};", ON_BAND.css()),
        ];
        format!("\n:root{{{}}}\n", variables.concat())
    }

    /// The colour of the browser's own frame.
    pub(crate) fn theme(&self) -> String {
        self.accent
            .map_or_else(|| "#0e3e49".to_owned(), |accent| accent.band(0.0).css())
    }
}

// === impl Colour ===

impl FromStr for Colour {
    type Err = NoColour;

    fn from_str(text: &str) -> Result<Self, NoColour> {
        let digits = text.trim().strip_prefix('#').ok_or(NoColour)?;
        if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(NoColour);
        }
        let value = u32::from_str_radix(digits, 16).map_err(|_| NoColour)?;
        let [_, red, green, blue] = value.to_be_bytes();
        Ok(Self([red, green, blue]))
    }
}

impl Colour {
    fn css(self) -> String {
        let [red, green, blue] = self.0;
        format!("#{red:02x}{green:02x}{blue:02x}")
    }

    /// Relative luminance, as WCAG defines it.
    fn luminance(self) -> f64 {
        let linear = |channel: u8| {
            let part = f64::from(channel) / 255.0;
            if part <= 0.04045 {
                part / 12.92
            } else {
                ((part + 0.055) / 1.055).powf(2.4)
            }
        };
        let [red, green, blue] = self.0.map(linear);
        0.2126 * red + 0.7152 * green + 0.0722 * blue
    }

    fn contrast(self, other: Self) -> f64 {
        let (one, two) = (self.luminance(), other.luminance());
        (one.max(two) + 0.05) / (one.min(two) + 0.05)
    }

    /// So much of another colour in this one, from 0 to 1.
    fn mixed(self, other: Self, share: f64) -> Self {
        let mut channels = self.0;
        for (channel, other) in channels.iter_mut().zip(other.0) {
            let mixed = f64::from(*channel) * (1.0 - share) + f64::from(other) * share;
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "between two bytes there are bytes alone"
            )]
            let rounded = mixed.round() as u8;
            *channel = rounded;
        }
        Self(channels)
    }

    /// The same colour, as much darker or lighter as it takes.
    fn until(self, towards: Self, is_enough: impl Fn(Self) -> bool) -> Self {
        let steps = (0..=50).map(|step| self.mixed(towards, f64::from(step) / 50.0));
        steps.into_iter().find(|one| is_enough(*one)).unwrap_or(towards)
    }

    /// As text on all of these.
    fn readable_on(self, grounds: [Self; 4]) -> Self {
        let are_light = grounds.iter().all(|ground| ground.luminance() > 0.5);
        let towards = if are_light { BLACK } else { WHITE };
        self.until(towards, |one| {
            grounds.iter().all(|ground| one.contrast(*ground) >= TEXT)
        })
    }

    /// As the ground of the header, and so much darker; also where a pointer makes a part of it lighter.
    fn band(self, darker: f64) -> Self {
        self.mixed(BLACK, darker).until(BLACK, |one| {
            one.contrast(ON_BAND) >= TEXT + 1.0 && one.mixed(WHITE, 0.08).contrast(ON_BAND) >= TEXT
        })
    }

    /// What is written on it.
    fn ink(self) -> Self {
        if self.contrast(WHITE) >= self.contrast(BLACK) {
            WHITE
        } else {
            BLACK
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every sixth step of each channel.
    fn colours() -> impl Iterator<Item = Colour> {
        let steps = || (0..=255).step_by(51).map(|step| u8::try_from(step).unwrap());
        steps().flat_map(move |red| {
            steps().flat_map(move |green| steps().map(move |blue| Colour([red, green, blue])))
        })
    }

    #[test]
    fn any_colour_can_be_read_in_both_themes() {
        for colour in colours() {
            for grounds in [LIGHT_GROUNDS, DARK_GROUNDS] {
                let accent = colour.readable_on(grounds);
                for ground in grounds {
                    assert!(accent.contrast(ground) >= 4.5, "{colour:?} on {ground:?}");
                }
                assert!(accent.ink().contrast(accent) >= 4.5, "on {colour:?}");
            }
            for darker in [0.0, 0.35] {
                let band = colour.band(darker);
                assert!(band.contrast(ON_BAND) >= 4.5, "{colour:?}");
                assert!(band.mixed(WHITE, 0.08).contrast(ON_BAND) >= 4.5, "{colour:?}");
            }
        }
    }

    #[test]
    fn a_colour_that_is_fit_stays_as_it_is() {
        let accent: Colour = "#0A5a66".parse().unwrap();
        assert_eq!(accent.readable_on(LIGHT_GROUNDS), accent);
        assert_eq!(accent.css(), "#0a5a66");
        for wrong in ["0a5a66", "#0a5a6", "teal", "#0a5a6g", "#+a5a66", ""] {
            assert_eq!(wrong.parse::<Colour>(), Err(NoColour), "{wrong}");
        }
    }

    #[test]
    fn the_style_of_a_brand_sets_variables_alone() {
        assert_eq!(Brand::default().style(), "");
        let brand = Brand {
            accent: Some("#ffcc00".parse().unwrap()),
            ..Brand::default()
        };
        let style = brand.style();
        assert!(style.starts_with("\n:root{--accent:light-dark(#"), "{style}");
        assert_eq!(style.matches("--").count(), 7, "{style}");
        assert_ne!(brand.theme(), Brand::default().theme());
    }
}
