//! What stays on the machine: values that look like credentials, that say where something lies, or that stand in the
//! environment or in headers as well. A value is sent only where it is one of few that are anybody's.
//!
//! Before: words of a command and addresses. After: `argument` and `proposal` declare an input where a value stood.

use url::Url;

/// Digits of a number that is sent: a port has as many.
const DIGITS: usize = 5;
/// Characters of a value from which on it counts wherever it stands, and not only when it is all there is.
const TELLING: usize = 4;
/// Letters and digits in one run that look like a key.
const RUN: usize = 20;

/// Words that say how a server runs, and nothing of whoever runs it.
const HOW: [&str; 22] = [
    "true",
    "false",
    "yes",
    "no",
    "on",
    "off",
    "all",
    "none",
    "stdio",
    "http",
    "sse",
    "streamable-http",
    "readonly",
    "read-only",
    "serve",
    "start",
    "mcp",
    "json",
    "debug",
    "info",
    "warn",
    "error",
];
/// Flags whose value is a variable or a header.
const CARRIERS: [&str; 5] = ["-e", "--env", "-H", "--header", "--headers"];

/// Names of which a part says that their value is a credential.
const PARTS: [&str; 16] = [
    "token",
    "secret",
    "passw",
    "apikey",
    "credential",
    "private",
    "bearer",
    "authorization",
    "cookie",
    "session",
    "signature",
    "passphrase",
    "connectionstring",
    "accesskey",
    "webhook",
    "jwt",
];
/// Words of a name that say so.
const WORDS: [&str; 12] = [
    "key", "auth", "pat", "sig", "pwd", "pass", "dsn", "pin", "otp", "user", "username", "login",
];
/// How well-known credentials begin.
const BEGINNINGS: [&str; 18] = [
    "sk-",
    "sk_",
    "pk_",
    "rk_",
    "ghp_",
    "gho_",
    "ghu_",
    "ghs_",
    "github_pat_",
    "glpat-",
    "xox",
    "eyJ",
    "AKIA",
    "ASIA",
    "AIza",
    "prv_",
    "Bearer ",
    "Basic ",
];

/// The values of the environment and the headers, wherever else they may stand.
#[derive(Debug, Clone, Copy)]
pub(super) struct Values<'a>(pub(super) &'a [&'a str]);

/// Why a value stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stays {
    /// It looks like a credential.
    Secret,
    /// It is a place on this machine.
    Place,
    /// It is the person's own.
    Own,
}

// === impl Values ===

impl Values<'_> {
    /// Whether one of them stands in a text.
    pub(super) fn stand_in(self, text: &str) -> bool {
        self.0.iter().any(|value| {
            let value = value.trim();
            // `Bearer abc` is a secret for the part behind the blank.
            let parts = value.split_whitespace().filter(|part| part.len() >= TELLING * 2);
            match value.len() {
                0 => false,
                short if short < TELLING => text == value,
                _ => text.contains(value) || parts.into_iter().any(|part| text.contains(part)),
            }
        })
    }

    /// Why a value stays, if it does. The hint is the name that it has, as far as it has one.
    pub(super) fn keep(self, hint: &str, value: &str) -> Option<Stays> {
        if names_a_secret(hint) || is_carrier(hint) || looks_secret(value) || self.stand_in(value) {
            return Some(Stays::Secret);
        }
        if is_place(value) {
            return Some(Stays::Place);
        }
        (!is_anybodys(value)).then_some(Stays::Own)
    }
}

/// Whether a flag's value is a variable or a header.
pub(super) fn is_carrier(name: &str) -> bool {
    CARRIERS.contains(&name)
}

/// A value that says how a server runs. A password may be any other word.
fn is_anybodys(value: &str) -> bool {
    let is_number = (1..=DIGITS).contains(&value.len()) && value.bytes().all(|b| b.is_ascii_digit());
    is_number || HOW.contains(&value) || is_clean(value)
}

/// An address of the web that is a host and a path, and no more.
fn is_clean(value: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/[]".contains(c);
    let is_bare = |url: &Url| {
        matches!(url.scheme(), "http" | "https")
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
    };
    value.chars().all(is_plain) && Url::parse(value).is_ok_and(|url| is_bare(&url))
}

/// Whether a name says that its value is a credential.
pub(super) fn names_a_secret(name: &str) -> bool {
    let mut words = String::with_capacity(name.len() + 4);
    let mut before = ' ';
    for c in name.chars() {
        if c.is_ascii_uppercase() && before.is_ascii_lowercase() {
            words.push(' ');
        }
        words.push(if c.is_ascii_alphanumeric() {
            c.to_ascii_lowercase()
        } else {
            ' '
        });
        before = c;
    }
    let joined: String = words.split_whitespace().collect();
    PARTS.iter().any(|part| joined.contains(part))
        || words.split_whitespace().any(|word| WORDS.contains(&word))
}

/// Whether a value looks like a credential by itself.
pub(super) fn looks_secret(value: &str) -> bool {
    if BEGINNINGS.iter().any(|beginning| value.starts_with(beginning)) || value.contains("Bearer ") {
        return true;
    }
    if let Ok(url) = Url::parse(value)
        && (!url.username().is_empty() || url.password().is_some() || url.query().is_some())
    {
        return true;
    }
    has_a_run(value)
}

/// Letters and digits mixed, and many of them without a break.
fn has_a_run(value: &str) -> bool {
    let in_run = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '+' | '-' | '=' | '~');
    value.split(|c| !in_run(c)).any(|run| {
        let has = |of: fn(&char) -> bool| run.chars().any(|c| of(&c));
        run.len() >= RUN && has(char::is_ascii_digit) && has(char::is_ascii_alphabetic)
    })
}

fn is_place(value: &str) -> bool {
    let drive = value.as_bytes().get(1..3);
    value.starts_with(['/', '~', '.', '\\'])
        || matches!(drive, Some(b":\\" | b":/"))
        || value.contains(":/") && !value.contains("://")
        || value.contains("${") && value.contains("older}")
}

/// A value that is only the place of one: `${input:key}`, `$KEY`, `<KEY>`, or nothing.
pub(super) fn is_placeholder(value: &str) -> bool {
    let inner = value.trim();
    let name = |text: &str| {
        text.bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b':' | b'-' | b'.'))
    };
    inner.is_empty()
        || (inner.strip_prefix("${").and_then(|rest| rest.strip_suffix('}'))).is_some_and(name)
        || inner
            .strip_prefix('$')
            .is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase() || c == '_') && name(rest))
        || (inner.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'))).is_some_and(name)
}

/// An address in which what may be a credential is named and not shown.
pub(super) fn shown_url(url: &str) -> String {
    let (text, _) = without_secrets(url, Values(&[]));
    text
}

/// An address with a place for whatever may be a credential in it, and the names of these places. A user and a
/// password in it are dropped, and named as `userinfo`.
pub(super) fn without_secrets(url: &str, values: Values<'_>) -> (String, Vec<String>) {
    let Ok(parsed) = Url::parse(url) else {
        return ("{address}".to_owned(), vec!["address".to_owned()]);
    };
    let mut places = Vec::new();
    if !parsed.username().is_empty() || parsed.password().is_some() {
        places.push("userinfo".to_owned());
    }
    let host = parsed.host_str().unwrap_or_default();
    let port = parsed.port().map(|port| format!(":{port}")).unwrap_or_default();
    let mut text = format!("{}://{host}{port}", parsed.scheme());
    for (place, part) in parsed.path().split('/').enumerate().skip(1) {
        text.push('/');
        if looks_secret(part) || values.stand_in(part) || part.contains(['{', '}']) {
            let name = format!("path_{place}");
            text.push_str(&format!("{{{name}}}"));
            places.push(name);
        } else {
            text.push_str(part);
        }
    }
    let mut separator = '?';
    for (name, value) in parsed.query_pairs() {
        text.push(separator);
        separator = '&';
        let is_name = !name.is_empty()
            && name
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
        if !is_name || looks_secret(&name) || values.stand_in(&name) {
            let place = format!("query_{}", places.len() + 1);
            text.push_str(&format!("{{{place}}}"));
            places.push(place);
        } else if value.is_empty() {
            text.push_str(&name);
        } else if is_word(&value) && values.keep(&name, &value).is_none() {
            text.push_str(&format!("{name}={value}"));
        } else {
            let place = name.replace(['-', '.'], "_");
            text.push_str(&format!("{name}={{{place}}}"));
            places.push(place);
        }
    }
    (text, places)
}

/// A value of a query that says how, and not who: `true`, `2`, `readonly`.
fn is_word(value: &str) -> bool {
    let short = value.len() <= 16;
    short
        && (value
            .bytes()
            .all(|b| b.is_ascii_lowercase() || matches!(b, b'_' | b'-' | b','))
            || value.len() <= 5 && value.bytes().all(|b| b.is_ascii_digit() || b == b'.'))
}
