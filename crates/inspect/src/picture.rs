//! Pictures from outside: known by their bytes and not by what somebody calls them, of a size that a page can bear, and
//! SVG with nothing left in it that runs, or asks somebody else.

use std::io::{self, Write};

use portreeve_core::icon::IconKind;
use portreeve_core::limits::Limits;
use svg_hush::{Filter, data_url_filter};

/// Copies of other parts (`<use>`) of one SVG. Copies of copies grow with each level: so many of them are at most a few
/// hundred, and a few more would keep a browser busy for minutes.
const COPIES: usize = 16;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
const SVG_NAMESPACE: &str = "http://www.w3.org/2000/svg";

/// A picture that may be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// What it is.
    pub kind: IconKind,
    /// The picture. An SVG is written anew from what is allowed of it; others are as they came.
    pub bytes: Vec<u8>,
}

/// Why something is no picture to show.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoPicture {
    /// Something else.
    #[error("it is no PNG, JPEG, WebP or SVG")]
    Unknown,
    /// The beginning promises a picture that does not follow.
    #[error("it is a broken {}", .0.as_str().to_uppercase())]
    Broken(IconKind),
    /// Too many pixels.
    #[error("it has {width} by {height} pixels, and may have {most} by {most}")]
    TooLarge {
        /// Its width.
        width: usize,
        /// Its height.
        height: usize,
        /// The limit for each.
        most: usize,
    },
    /// Too many bytes, before or after an SVG was written anew.
    #[error("it has more than {0} bytes")]
    TooLong(usize),
    /// An SVG that defines its own abbreviations, which may unfold to anything.
    #[error("it defines entities")]
    Entities,
    /// An SVG that is made of copies of its parts.
    #[error("it copies its parts more than {COPIES} times")]
    Copies,
}

/// Reads a picture.
pub fn picture(bytes: &[u8], limits: &Limits) -> Result<Picture, NoPicture> {
    if bytes.len() > limits.icon_bytes {
        return Err(NoPicture::TooLong(limits.icon_bytes));
    }
    let Some(kind) = kind_of(bytes) else {
        return Err(NoPicture::Unknown);
    };
    let bytes = if kind == IconKind::Svg {
        cleaned(bytes, limits.icon_bytes)?
    } else {
        require_small(bytes, kind, limits.icon_pixels)?;
        bytes.to_vec()
    };
    Ok(Picture { kind, bytes })
}

fn kind_of(bytes: &[u8]) -> Option<IconKind> {
    if bytes.starts_with(PNG) {
        Some(IconKind::Png)
    } else if bytes.starts_with(b"\xff\xd8\xff") {
        Some(IconKind::Jpeg)
    } else if bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP") {
        Some(IconKind::Webp)
    } else {
        let text = std::str::from_utf8(bytes).ok()?.trim_start_matches('\u{feff}');
        let is_svg = text.trim_start().starts_with('<') && text.contains(SVG_NAMESPACE);
        is_svg.then_some(IconKind::Svg)
    }
}

fn require_small(bytes: &[u8], kind: IconKind, most: usize) -> Result<(), NoPicture> {
    let size = imagesize::blob_size(bytes).map_err(|_| NoPicture::Broken(kind))?;
    let (width, height) = (size.width, size.height);
    if width == 0 || height == 0 {
        return Err(NoPicture::Broken(kind));
    }
    if width > most || height > most {
        return Err(NoPicture::TooLarge { width, height, most });
    }
    Ok(())
}

/// The SVG without scripts, event handlers, links, foreign content and addresses elsewhere.
fn cleaned(bytes: &[u8], most: usize) -> Result<Vec<u8>, NoPicture> {
    if bytes.windows(8).any(|window| window == b"<!ENTITY") {
        return Err(NoPicture::Entities);
    }
    let mut filter = Filter::new();
    filter.set_data_url_filter(data_url_filter::allow_standard_images);
    let mut clean = Bounded {
        bytes: Vec::new(),
        most,
        is_over: false,
    };
    let filtered = filter.filter(bytes, &mut clean);
    if clean.is_over {
        return Err(NoPicture::TooLong(most));
    }
    let text = match (filtered, std::str::from_utf8(&clean.bytes)) {
        (Ok(()), Ok(text)) => text,
        _ => return Err(NoPicture::Broken(IconKind::Svg)),
    };
    let drawn = text
        .split_once("?>")
        .map_or(text, |(_, drawn)| drawn)
        .trim_start();
    if !drawn.starts_with("<svg") || !drawn.contains(SVG_NAMESPACE) {
        return Err(NoPicture::Broken(IconKind::Svg));
    }
    if drawn.matches("<use").count() > COPIES {
        return Err(NoPicture::Copies);
    }
    Ok(clean.bytes)
}

/// Takes so many bytes, and no more.
struct Bounded {
    bytes: Vec<u8>,
    most: usize,
    is_over: bool,
}

// === impl Bounded ===

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > self.most {
            self.is_over = true;
            return Err(io::Error::other("it is full"));
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
