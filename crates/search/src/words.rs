//! Words: how a text becomes the terms by which it is found. The same for what is stored and for what is asked.
//!
//! Before: a name, a title, a sentence. After: `facts` counts the terms, `marks` shows where they stand.

use unicode_normalization::UnicodeNormalization as _;
use unicode_normalization::char::is_combining_mark;

/// Characters of a word that count; the rest is cut.
const LONGEST: usize = 40;

/// Words that say nothing about what somebody looks for.
const STOP: [&str; 58] = [
    "a",
    "about",
    "all",
    "an",
    "and",
    "any",
    "are",
    "as",
    "at",
    "be",
    "by",
    "can",
    "do",
    "does",
    "find",
    "for",
    "from",
    "get",
    "has",
    "have",
    "how",
    "i",
    "in",
    "into",
    "is",
    "it",
    "its",
    "let",
    "like",
    "mcp",
    "me",
    "my",
    "need",
    "of",
    "on",
    "or",
    "our",
    "please",
    "server",
    "servers",
    "some",
    "something",
    "that",
    "the",
    "their",
    "them",
    "this",
    "through",
    "to",
    "tool",
    "tools",
    "use",
    "using",
    "via",
    "want",
    "what",
    "which",
    "with",
];

/// A word of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    /// The term.
    pub(crate) term: String,
    /// Where it begins, in bytes.
    pub(crate) start: usize,
    /// Where it ends.
    pub(crate) end: usize,
}

/// The words of a text, in order. `listInvoices`, `list_invoices` and `list-invoices` are two words each.
pub(crate) fn words(text: &str) -> Vec<Word> {
    cut(text, is_border)
}

/// The words of a text as they are written: `GitHub` is one.
pub(crate) fn runs(text: &str) -> Vec<Word> {
    cut(text, |_, _, _| false)
}

fn cut(text: &str, is_border: fn(Option<char>, char, Option<char>) -> bool) -> Vec<Word> {
    let mut found = Vec::new();
    let mut start = None;
    let mut before: Option<char> = None;
    let mut characters = text.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        let part = character.is_alphanumeric() || is_combining_mark(character);
        if let (Some(from), true) = (start, part) {
            let next = characters.peek().map(|(_, next)| *next);
            if is_border(before, character, next) {
                push(text, from, at, &mut found);
                start = Some(at);
            }
        }
        match (start, part) {
            (None, true) => start = Some(at),
            (Some(from), false) => {
                push(text, from, at, &mut found);
                start = None;
            }
            _ => {}
        }
        before = Some(character);
    }
    if let Some(from) = start {
        push(text, from, text.len(), &mut found);
    }
    found
}

/// Whether a new word begins here: `nameSpace`, `HTTPServer`.
fn is_border(before: Option<char>, character: char, next: Option<char>) -> bool {
    let Some(before) = before else { return false };
    character.is_uppercase()
        && (before.is_lowercase() || (before.is_uppercase() && next.is_some_and(char::is_lowercase)))
}

/// Whether a word as it is written is several.
pub(crate) fn is_compound(run: &str) -> bool {
    let mut before = None;
    let mut characters = run.chars().peekable();
    while let Some(character) = characters.next() {
        if is_border(before, character, characters.peek().copied()) {
            return true;
        }
        before = Some(character);
    }
    false
}

fn push(text: &str, start: usize, end: usize, found: &mut Vec<Word>) {
    let Some(word) = text.get(start..end) else { return };
    let term = term(word);
    if !term.is_empty() {
        found.push(Word { term, start, end });
    }
}

/// The term of one word: lower case, without accents, without the endings of English plurals and verbs.
pub(crate) fn term(word: &str) -> String {
    stem(&folded(word))
}

/// A word in lower case, without accents.
pub(crate) fn folded(word: &str) -> String {
    if word.is_ascii() {
        return word
            .chars()
            .take(LONGEST)
            .map(|character| character.to_ascii_lowercase())
            .collect();
    }
    let plain = word
        .nfkd()
        .filter(|character| !is_combining_mark(*character))
        .flat_map(char::to_lowercase);
    plain.take(LONGEST).collect()
}

/// Whether a term says nothing about what somebody looks for.
pub(crate) fn is_stop_word(folded: &str) -> bool {
    STOP.binary_search(&folded).is_ok()
}

/// Takes the endings off that do not change what a word is about. Light on purpose: it may merge little, and need not know
/// English.
fn stem(word: &str) -> String {
    if word.len() < 4 || !word.is_ascii() || word.bytes().any(|byte| byte.is_ascii_digit()) {
        return word.to_owned();
    }
    let singular = singular(word);
    for (ending, shortest) in [("ing", 3), ("ed", 4)] {
        if let Some(root) = singular.strip_suffix(ending)
            && root.len() >= shortest
            && root.bytes().any(is_vowel)
        {
            return undoubled(root).to_owned();
        }
    }
    // `manage` and `managing` meet without their last vowel.
    match singular.strip_suffix('e') {
        Some(root) if root.len() >= 4 => root.to_owned(),
        _ => singular,
    }
}

fn singular(word: &str) -> String {
    if let Some(root) = word.strip_suffix("ies")
        && root.len() > 1
    {
        return format!("{root}y");
    }
    for ending in ["sses", "shes", "ches", "xes", "zes"] {
        if word.ends_with(ending) {
            return word.strip_suffix("es").unwrap_or(word).to_owned();
        }
    }
    match word.strip_suffix('s') {
        Some(root) if !root.ends_with(['s', 'u', 'i']) => root.to_owned(),
        _ => word.to_owned(),
    }
}

/// `planned` and `plan`: one of two equal consonants goes.
fn undoubled(root: &str) -> &str {
    let mut last = root.bytes().rev();
    match (last.next(), last.next()) {
        (Some(one), Some(other)) if one == other && !is_vowel(one) && !matches!(one, b'l' | b's' | b'z') => {
            root.get(..root.len() - 1).unwrap_or(root)
        }
        _ => root,
    }
}

fn is_vowel(byte: u8) -> bool {
    matches!(byte, b'a' | b'e' | b'i' | b'o' | b'u' | b'y')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn terms(text: &str) -> Vec<String> {
        words(text).into_iter().map(|word| word.term).collect()
    }

    #[test]
    fn what_is_written_as_one_word_and_is_several_is_known() {
        assert_eq!(["GitHub", "HTTPServer", "aB"].map(is_compound), [true; 3]);
        assert_eq!(
            ["github", "HTTP", "Größe", "2Go", ""].map(is_compound),
            [false; 5]
        );
    }

    proptest! {
        #[test]
        fn only_what_is_several_words_falls_into_more_than_one(run in "[A-Ca-cäÄ0-2]{1,8}") {
            prop_assert_eq!(is_compound(&run), words(&run).len() > 1);
        }
    }

    #[test]
    fn names_fall_into_their_words() {
        assert_eq!(terms("listInvoices"), ["list", "invoic"]);
        assert_eq!(terms("list_invoices"), terms("list-invoices"));
        assert_eq!(terms("HTTPServer2 GitHub"), ["http", "server2", "git", "hub"]);
        assert_eq!(terms("Größe café"), ["große", "cafe"]);
        assert_eq!(terms(" -- / "), Vec::<String>::new());
        let whole: Vec<String> = runs("listInvoices of GitHub")
            .into_iter()
            .map(|word| word.term)
            .collect();
        assert_eq!(whole, ["listinvoic", "of", "github"]);
    }

    #[test]
    fn forms_of_a_word_meet() {
        for forms in [
            &["message", "messages", "messaging", "messaged"][..],
            &["query", "queries"],
            &["search", "searches", "searching"],
            &["file", "files"],
            &["plan", "planning", "planned"],
            &["box", "boxes"],
        ] {
            let stems: Vec<String> = forms.iter().map(|form| term(form)).collect();
            assert!(stems.iter().all(|stem| *stem == stems[0]), "{stems:?}");
        }
        assert_eq!(term("status"), "status");
        assert_eq!(term("aws"), "aws");
        assert_eq!(term("s3"), "s3");
    }

    #[test]
    fn the_words_that_say_nothing_are_sorted() {
        assert!(STOP.is_sorted());
        assert!(is_stop_word("the") && !is_stop_word("slack"));
    }

    proptest! {
        #[test]
        fn words_stand_where_they_say(text in "\\PC{0,80}") {
            let mut end = 0;
            for word in words(&text) {
                prop_assert!(word.start >= end && word.start < word.end);
                end = word.end;
                prop_assert_eq!(text.get(word.start..word.end).map(term), Some(word.term));
            }
        }
    }
}
