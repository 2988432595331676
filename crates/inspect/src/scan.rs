//! Reads texts that a model or a person will read, and says what in them is not what it seems: characters that nobody
//! sees, words that speak to the model instead of about the tool, and values that look like secrets.
//!
//! Before: a document or a tool definition. After: `registry::assess` makes findings of what is said here.

mod credentials;
mod hidden;
mod instructions;

pub use credentials::{CredentialLike, credentials};
pub use hidden::{Hidden, HiddenKind, hidden};
pub use instructions::{Instruction, Weight, instructions};

/// A short excerpt for a report, with nothing invisible in it.
fn shown(text: &str) -> String {
    const CHARACTERS: usize = 80;
    text.chars()
        .take(CHARACTERS)
        .map(|c| {
            if crate::excerpt::is_invisible(c) {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}
