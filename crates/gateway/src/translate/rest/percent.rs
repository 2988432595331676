//! Percent-encoding (RFC 3986, section 2.1), with the sets of what may stay.

use std::borrow::Cow;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything but the unreserved characters: what no reader takes for anything but text.
const TEXT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// As [`TEXT`], with the reserved characters that neither end a query nor part it. `+` is not among them: half of all
/// servers read it as a blank.
const RESERVED: &AsciiSet = &TEXT
    .remove(b':')
    .remove(b'/')
    .remove(b'?')
    .remove(b'@')
    .remove(b'!')
    .remove(b'$')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b'[')
    .remove(b']');

/// What a path may hold beside its segments' text: the binding's own words, which are written as they are.
const PATH: &AsciiSet = &TEXT
    .remove(b'/')
    .remove(b':')
    .remove(b'@')
    .remove(b'!')
    .remove(b'$')
    .remove(b'&')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')')
    .remove(b'*')
    .remove(b'+')
    .remove(b',')
    .remove(b';')
    .remove(b'=')
    .remove(b'%');

/// A value that stays text wherever it stands.
pub(super) fn text(value: &str) -> Cow<'_, str> {
    utf8_percent_encode(value, TEXT).into()
}

/// A value whose reserved characters the description wants to keep.
pub(super) fn reserved(value: &str) -> Cow<'_, str> {
    utf8_percent_encode(value, RESERVED).into()
}

/// A piece of a path as the description writes it. A percent sign stays where it begins an encoded byte.
pub(super) fn literal(piece: &str) -> String {
    let mut out = String::with_capacity(piece.len());
    for (at, part) in piece.split('%').enumerate() {
        if at > 0 {
            let begins_byte = part.len() >= 2 && part.bytes().take(2).all(|byte| byte.is_ascii_hexdigit());
            out.push_str(if begins_byte { "%" } else { "%25" });
        }
        out.extend(utf8_percent_encode(part, PATH));
    }
    out
}
