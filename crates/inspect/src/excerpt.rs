//! Cuts values to a length that a reviewer can read, around the place where they differ, with nothing invisible left.

use std::fmt::Write as _;

use serde_json::Value;

/// The longest excerpt, in characters, its marks not counted.
pub(crate) const EXCERPT: usize = 300;

/// What stays before the first difference when the beginning of both values is the same.
const LEAD: usize = 60;

/// The value as compact JSON in which every character is visible.
pub(crate) fn visible_json(value: &Value) -> String {
    let mut shown = String::new();
    for character in value.to_string().chars() {
        if is_invisible(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _infallible = write!(shown, "\\u{unit:04x}");
            }
        } else {
            shown.push(character);
        }
    }
    shown
}

/// Excerpts of two texts that differ. A long text that was changed far behind its beginning is cut on both sides: a
/// reviewer who saw only the beginning would see no change.
pub(crate) fn of_both(before: &str, after: &str) -> (String, String) {
    let same = before
        .chars()
        .zip(after.chars())
        .take_while(|(a, b)| a == b)
        .count();
    let fits = |text: &str| text.chars().count() <= EXCERPT;
    let from = if fits(before) && fits(after) {
        0
    } else {
        same.saturating_sub(LEAD)
    };
    (from_place(before, from), from_place(after, from))
}

/// The beginning of a text.
pub(crate) fn of_one(text: &str) -> String {
    from_place(text, 0)
}

fn from_place(text: &str, from: usize) -> String {
    let mut rest = text.chars().skip(from);
    let middle: String = rest.by_ref().take(EXCERPT).collect();
    let left_out = rest.count();
    let head = if from == 0 { "" } else { "… " };
    let tail = match left_out {
        0 => String::new(),
        1 => " … (1 more character)".to_owned(),
        more => format!(" … ({more} more characters)"),
    };
    format!("{head}{middle}{tail}")
}

/// Characters that a model reads and a person does not see: controls, directional marks, zero-width characters, tags.
pub(crate) fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{17b4}'..='\u{17b5}'
                | '\u{180b}'..='\u{180f}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}
