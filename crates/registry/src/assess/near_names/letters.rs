//! How a name or a host looks to who reads it.
//!
//! Names and hosts are ASCII; what is not, stands in them as Punycode (RFC 3492), which browsers and hosts show as the letters
//! that it means. So those letters are compared: `xn--gthub-n4a` reads `gıthub`.

use std::borrow::Cow;

use unicode_normalization::char::is_combining_mark;
use unicode_security::confusable_detection;

/// How Punycode begins.
const PUNYCODE: &str = "xn--";

/// The text with letters that look alike made one (Unicode TS 39, section 4), and without accents and what parts words.
pub(super) fn skeleton(text: &str) -> String {
    let text = text.to_ascii_lowercase();
    match read(&text) {
        Cow::Borrowed(text) => folded(text.chars()),
        Cow::Owned(text) => {
            let letters = confusable_detection::skeleton(&text);
            let letters = letters.filter(|letter| !is_combining_mark(*letter));
            folded(letters.flat_map(char::to_lowercase))
        }
    }
}

/// The text with what its Punycode means.
pub(super) fn read(text: &str) -> Cow<'_, str> {
    if !text.contains(PUNYCODE) {
        return Cow::Borrowed(text);
    }
    // What is no Punycode stays as it is: it is shown so, too.
    let parts = text.split('/').map(|part| idna::domain_to_unicode(part).0);
    Cow::Owned(parts.collect::<Vec<_>>().join("/"))
}

/// The text, with how it reads where that is something else.
pub(super) fn shown(text: &str) -> Cow<'_, str> {
    match read(text) {
        Cow::Owned(read) if read != text => Cow::Owned(format!("{text}, which reads {read}")),
        _ => Cow::Borrowed(text),
    }
}

fn folded(letters: impl Iterator<Item = char>) -> String {
    let plain: String = letters
        .filter(|letter| !matches!(letter, '-' | '_' | '.'))
        .map(|letter| match letter {
            '0' => 'o',
            '1' | 'i' => 'l',
            '3' => 'e',
            '5' => 's',
            other => other,
        })
        .collect();
    plain.replace("rn", "m").replace("vv", "w")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{read, skeleton};

    /// A host as a browser sends it.
    fn ascii(host: &str) -> String {
        idna::domain_to_ascii(host).expect("a host")
    }

    #[test]
    fn a_gw_8_letters_of_other_scripts_look_like_ours() {
        for (known, near) in [
            ("github.com", "g\u{131}thub.com"),
            ("github.com", "g\u{456}thub.com"),
            ("github.com", "githu\u{1e05}.com"),
            ("paypal.com", "p\u{430}yp\u{430}l.com"),
            ("microsoft.com", "micr\u{3bf}soft.com"),
            ("slack.com", "\u{455}lack.com"),
        ] {
            let near = ascii(near);
            assert_eq!(skeleton(&near), skeleton(known), "{near}");
        }
        for other in [
            "m\u{fc}ller.example",
            "\u{4f8b}\u{3048}.jp",
            "\u{43f}\u{440}\u{438}\u{43c}\u{435}\u{440}.\u{440}\u{444}",
        ] {
            let host = ascii(other);
            assert!(host.contains("xn--"), "{host}");
            assert_eq!(read(&host), other);
            assert_ne!(skeleton(&host), skeleton("github.com"));
        }
    }

    #[test]
    fn what_is_no_punycode_stays() {
        for text in [
            "xn--",
            "com.xn--99999999999/x",
            "com.xn---/xn--a",
            "a/xn--\u{fffd}",
        ] {
            let _ = skeleton(text);
        }
        assert_eq!(read("com.acme/tool"), "com.acme/tool");
        assert_eq!(skeleton("com.xn--gthub-n4a/x"), skeleton("com.github/x"));
    }

    proptest! {
        /// Any text has a look, and case changes none.
        #[test]
        fn any_text_has_a_look(text in "(xn--)?[a-zA-Z0-9./-]{0,40}|\\PC{0,20}") {
            prop_assert_eq!(skeleton(&text), skeleton(&text.to_ascii_lowercase()));
        }
    }
}
