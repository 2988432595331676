//! Texts of a document as people and models should meet them: short, in one line, without markup that hides something.

/// A text, cut at the end of a sentence or a word.
pub(super) fn shortened(text: &str, longest: usize) -> String {
    let plain = plain(text, longest.saturating_mul(4));
    if plain.chars().count() <= longest {
        return plain;
    }
    let head: String = plain.chars().take(longest).collect();
    let sentence = head.rfind(". ").map(|end| end + 1);
    let end = sentence
        .filter(|end| *end > longest / 3)
        .or_else(|| head.rfind(' '));
    let cut = end.and_then(|end| head.get(..end)).unwrap_or(&head).trim_end();
    if cut.ends_with('.') {
        cut.to_owned()
    } else {
        format!("{cut} …")
    }
}

/// One line; HTML tags and characters that cannot be seen are gone.
fn plain(text: &str, most: usize) -> String {
    let mut plain = String::new();
    let mut in_tag = false;
    let mut characters = text.chars().take(most.max(64)).peekable();
    while let Some(character) = characters.next() {
        let opens = character == '<'
            && characters
                .peek()
                .is_some_and(|next| next.is_ascii_alphabetic() || *next == '/');
        if opens {
            in_tag = true;
        } else if in_tag {
            in_tag = character != '>';
        } else if character.is_whitespace() {
            if !plain.ends_with(' ') {
                plain.push(' ');
            }
        } else if !is_hidden(character) {
            plain.push(character);
        }
    }
    plain.trim().to_owned()
}

/// Control and format characters, bidirectional ones and tags included.
fn is_hidden(character: char) -> bool {
    character.is_control()
        || matches!(
            u32::from(character),
            0x00AD | 0x200B..=0x200F | 0x202A..=0x202E | 0x2060..=0x206F | 0xFEFF | 0xE0000..=0xE0FFF
        )
}
