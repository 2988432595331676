//! Characters that are there for a model and not for a person: tags, zero width, direction, controls.

/// What kind of character it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum HiddenKind {
    /// The tag block, which spells ASCII invisibly.
    Tag,
    /// No width: joins, breaks, a byte order mark within a text.
    ZeroWidth,
    /// Turns the direction of what is shown.
    Bidi,
    /// A variation selector that no character before it asks for.
    Selector,
    /// Any other control character; line breaks and tabs are none.
    Control,
}

/// A character that nobody sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hidden {
    /// What kind it is.
    pub kind: HiddenKind,
    /// Which one.
    pub character: char,
    /// Its place, in characters from the beginning.
    pub at: usize,
}

// === impl HiddenKind ===

impl HiddenKind {
    /// Words for a report.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tag => "an invisible tag character",
            Self::ZeroWidth => "a character without width",
            Self::Bidi => "a character that turns the direction of the text",
            Self::Selector => "a variation selector that selects nothing",
            Self::Control => "a control character",
        }
    }
}

/// Every character of the text that nobody sees and that its script does not need.
pub fn hidden(text: &str) -> impl Iterator<Item = Hidden> + '_ {
    let before = std::iter::once(None).chain(text.chars().map(Some));
    let characters = before.zip(text.chars()).enumerate();
    characters.filter_map(move |(at, (before, character))| {
        kind(character, before).map(|kind| Hidden { kind, character, at })
    })
}

fn kind(character: char, before: Option<char>) -> Option<HiddenKind> {
    // Joiners belong into emoji and into scripts whose letters change with their neighbours, never behind ASCII.
    let after_plain = before.is_none_or(|before| before.is_ascii());
    Some(match character {
        '\u{e0000}'..='\u{e007f}' => {
            // Flags of regions are spelled with tags behind a black flag.
            let in_flag =
                before.is_some_and(|b| b == '\u{1f3f4}' || ('\u{e0000}'..='\u{e007f}').contains(&b));
            if in_flag && flag_letter(character) && before != Some('\u{e007f}') {
                return None;
            }
            HiddenKind::Tag
        }
        '\u{200c}' | '\u{200d}' if !after_plain => return None,
        '\u{200b}'..='\u{200d}' | '\u{2060}'..='\u{2064}' | '\u{feff}' | '\u{00ad}' | '\u{180e}' => {
            HiddenKind::ZeroWidth
        }
        '\u{200e}' | '\u{200f}' | '\u{061c}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => {
            HiddenKind::Bidi
        }
        '\u{fe00}'..='\u{fe0f}' if !after_plain => return None,
        '\u{fe00}'..='\u{fe0f}' if before.is_some_and(|b| b.is_ascii_digit() || b == '#' || b == '*') => {
            return None;
        }
        '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' => HiddenKind::Selector,
        '\n' | '\r' | '\t' => return None,
        other if other.is_control() => HiddenKind::Control,
        _ => return None,
    })
}

/// What the tags of a flag are: small letters, digits, and the end.
fn flag_letter(character: char) -> bool {
    matches!(character, '\u{e0030}'..='\u{e0039}' | '\u{e0061}'..='\u{e007a}' | '\u{e007f}')
}
