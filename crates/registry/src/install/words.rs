//! How a host writes words down: JSON values for its files, words of a shell for its commands, percent-encoding and
//! base64 for its links, YAML and TOML where it reads those.
//!
//! Before: a `Setup`. After: each host puts them where it wants them.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::{Launch, Piece, Prompt, Setup, Words};

/// A setup in a spelling of prompts.
#[derive(Clone, Copy)]
pub(super) struct Spelled<'a> {
    pub(super) setup: &'a Setup,
    pub(super) prompt: fn(&Prompt) -> String,
}

/// Which shell reads a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shell {
    /// `sh`, `bash`, `zsh`.
    Posix,
    /// PowerShell.
    PowerShell,
}

// === spellings of prompts ===

/// `${NAME}`.
pub(super) fn variable(prompt: &Prompt) -> String {
    format!("${{{}}}", prompt.variable())
}

/// `${env:NAME}`.
pub(super) fn env_variable(prompt: &Prompt) -> String {
    format!("${{env:{}}}", prompt.variable())
}

/// `${input:ID}`.
pub(super) fn input(prompt: &Prompt) -> String {
    format!("${{input:{}}}", prompt.id)
}

/// `<NAME>`, for a host that knows no variables: the person writes over it.
pub(super) fn blank(prompt: &Prompt) -> String {
    format!("<{}>", prompt.variable())
}

// === impl Spelled ===

impl Spelled<'_> {
    pub(super) fn text(&self, words: &Words) -> String {
        words.render(&self.setup.prompts, self.prompt)
    }

    pub(super) fn texts(&self, words: &[Words]) -> Vec<String> {
        words.iter().map(|words| self.text(words)).collect()
    }

    pub(super) fn pairs(&self, pairs: &[(String, Words)]) -> Map<String, Value> {
        let pair = |(name, words): &(String, Words)| (name.clone(), json!(self.text(words)));
        pairs.iter().map(pair).collect()
    }

    /// The setup as most hosts have it in their files: `url` and `headers`, or `command`, `args` and `env`; what is empty
    /// is left out. A host without the word `url` names its own. Nothing for a bundle.
    pub(super) fn config(&self, url_key: &str) -> Option<Map<String, Value>> {
        let mut config = Map::new();
        match &self.setup.launch {
            Launch::Http { url, headers } => {
                config.insert(url_key.to_owned(), json!(url));
                if !headers.is_empty() {
                    config.insert("headers".to_owned(), self.pairs(headers).into());
                }
            }
            Launch::Stdio { command, args, env } => {
                config.insert("command".to_owned(), json!(command));
                config.insert("args".to_owned(), json!(self.texts(args)));
                if !env.is_empty() {
                    config.insert("env".to_owned(), self.pairs(env).into());
                }
            }
            Launch::Bundle { .. } => return None,
        }
        Some(config)
    }
}

/// A kind in front of the rest, as hosts write it that name one.
pub(super) fn with_type(kind: &str, rest: Map<String, Value>) -> Map<String, Value> {
    let mut config = Map::new();
    config.insert("type".to_owned(), json!(kind));
    config.extend(rest);
    config
}

/// A file with one server under a key.
pub(super) fn file(under: &str, setup: &Setup, config: Map<String, Value>) -> String {
    let mut servers = Map::new();
    servers.insert(setup.key.clone(), config.into());
    pretty(&json!({ under: servers }))
}

// === shells ===

impl Shell {
    /// One word, in which only our own variables mean anything.
    pub(super) fn word(self, words: &Words, setup: &Setup) -> String {
        match self {
            Self::Posix => posix_word(words, setup),
            Self::PowerShell => {
                let asks = words.0.iter().any(|piece| matches!(piece, Piece::Prompt(_)));
                if !asks {
                    return self.quoted(&words.render(&setup.prompts, variable));
                }
                let text = |piece: &Piece| match piece {
                    Piece::Text(text) => text.clone(),
                    Piece::Prompt(place) => setup.prompts.get(*place).map(env_variable).unwrap_or_default(),
                };
                // A setup that reaches this has no character that PowerShell reads inside double quotes.
                format!("\"{}\"", words.0.iter().map(text).collect::<String>())
            }
        }
    }

    pub(super) fn quoted(self, text: &str) -> String {
        let is_safe = |b: u8| b.is_ascii_alphanumeric() || b"-_./:=@%+,".contains(&b);
        match self {
            Self::Posix if !text.is_empty() && text.bytes().all(is_safe) => text.to_owned(),
            Self::Posix => format!("'{}'", text.replace('\'', r"'\''")),
            // `@` splats, `,` makes a list, and `--` is taken away before the program sees it.
            Self::PowerShell
                if !text.is_empty()
                    && text != "--"
                    && text
                        .bytes()
                        .all(|b| is_safe(b) && !matches!(b, b'@' | b',' | b'%')) =>
            {
                text.to_owned()
            }
            Self::PowerShell => format!("'{}'", text.replace('\'', "''")),
        }
    }

    /// Whether a command of it can be given. Behind PowerShell the words of a script `.cmd` are read once more, by
    /// `cmd.exe`, and curly quotes count as quotes: words with a character that either of them reads are not given.
    pub(super) fn takes(self, setup: &Setup) -> bool {
        let is_plain = |text: &str| {
            text.bytes().all(|b| {
                b.is_ascii_alphanumeric()
                    || matches!(
                        b,
                        b' ' | b'-'
                            | b'_'
                            | b'.'
                            | b'/'
                            | b':'
                            | b'='
                            | b'@'
                            | b'+'
                            | b','
                            | b'#'
                            | b'~'
                            | b'?'
                    )
            })
        };
        let are_plain = |words: &Words| {
            words.0.iter().all(|piece| match piece {
                Piece::Text(text) => is_plain(text),
                Piece::Prompt(_) => true,
            })
        };
        let are_plain_pairs = |pairs: &[(String, Words)]| {
            let is_plain_pair = |(name, value): &(String, Words)| is_plain(name) && are_plain(value);
            pairs.iter().all(is_plain_pair)
        };
        let is_plain_launch = || match &setup.launch {
            Launch::Http { url, headers } => is_plain(url) && are_plain_pairs(headers),
            Launch::Stdio { args, env, .. } => args.iter().all(are_plain) && are_plain_pairs(env),
            Launch::Bundle { url, .. } => is_plain(url),
        };
        self == Self::Posix || (is_plain(&setup.version) && is_plain_launch())
    }

    /// A value in JSON as one word. A reader of JSON sees the value; a shell sees no character in its texts that means
    /// anything to it, whatever an author wrote there. Behind PowerShell the quotes need a stroke of their own.
    pub(super) fn json(self, value: &Value) -> String {
        let mut text = String::new();
        harmless(value, &mut text);
        match self {
            Self::Posix => format!("'{text}'"),
            Self::PowerShell => format!("'{}'", text.replace('"', "\\\"")),
        }
    }
}

/// JSON in which every character of a text that could end a word somewhere is written as its number.
fn harmless(value: &Value, out: &mut String) {
    match value {
        Value::String(text) => harmless_text(text, out),
        Value::Array(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                harmless(item, out);
            }
            out.push(']');
        }
        Value::Object(members) => {
            out.push('{');
            for (index, (name, member)) in members.iter().enumerate() {
                if index > 0 {
                    out.push(',');
                }
                harmless_text(name, out);
                out.push(':');
                harmless(member, out);
            }
            out.push('}');
        }
        other => out.push_str(&other.to_string()),
    }
}

fn harmless_text(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        let is_kept = c.is_ascii_alphanumeric()
            || matches!(
                c,
                ' ' | '-' | '_' | '.' | ',' | ':' | '/' | '{' | '}' | '[' | ']' | '@'
            );
        if is_kept {
            out.push(c);
        } else {
            for unit in c.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        }
    }
    out.push('"');
}

fn posix_word(words: &Words, setup: &Setup) -> String {
    let is_plain = |piece: &Piece| match piece {
        Piece::Text(text) => !text.contains(['"', '$', '`', '\\', '!']),
        Piece::Prompt(_) => true,
    };
    let asks = words.0.iter().any(|piece| matches!(piece, Piece::Prompt(_)));
    if asks && words.0.iter().all(is_plain) {
        return format!("\"{}\"", words.render(&setup.prompts, variable));
    }
    // Texts in single quotes, variables in double quotes, side by side.
    let piece = |piece: &Piece| match piece {
        Piece::Text(text) => Shell::Posix.quoted(text),
        Piece::Prompt(place) => match setup.prompts.get(*place) {
            Some(prompt) => format!("\"{}\"", variable(prompt)),
            None => String::new(),
        },
    };
    if words.0.is_empty() {
        return "''".to_owned();
    }
    words.0.iter().map(piece).collect()
}

/// A word that begins with a text.
pub(super) fn prefixed(text: String, words: &Words) -> Words {
    let mut pieces = vec![Piece::Text(text)];
    pieces.extend(words.0.iter().cloned());
    Words(pieces)
}

// === texts ===

/// Indented JSON, for files.
pub(super) fn pretty(value: &Value) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}

/// What `encodeURIComponent` of JavaScript encodes.
pub(super) fn encoded(text: &str) -> String {
    const KEPT: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
        .remove(b'-')
        .remove(b'_')
        .remove(b'.')
        .remove(b'!')
        .remove(b'~')
        .remove(b'*');
    percent_encoding::utf8_percent_encode(text, KEPT).to_string()
}

/// Base64, with what a link would read encoded once more.
pub(super) fn base64(value: &Value) -> String {
    encoded(&STANDARD.encode(value.to_string()))
}

/// A text as it stands in TOML and in YAML: the quotes and strokes of JSON mean the same in both.
pub(super) fn string(text: &str) -> String {
    Value::from(text).to_string()
}

/// A value as YAML: objects and lists in blocks, everything else as JSON, which YAML reads.
pub(super) fn yaml(value: &Value) -> String {
    let mut text = String::new();
    block(value, 0, &mut text);
    text
}

fn block(value: &Value, depth: usize, out: &mut String) {
    let indent = "  ".repeat(depth);
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let is_plain = !name.is_empty()
                    && name
                        .bytes()
                        .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-'))
                    && name.starts_with(|c: char| c.is_ascii_alphabetic())
                    && !["y", "n", "yes", "no", "on", "off", "true", "false", "null"]
                        .contains(&name.to_ascii_lowercase().as_str());
                let name = if is_plain { name.clone() } else { string(name) };
                match is_block(member) {
                    true => {
                        out.push_str(&format!("{indent}{name}:\n"));
                        block(member, depth + 1, out);
                    }
                    false => out.push_str(&format!("{indent}{name}: {member}\n")),
                }
            }
        }
        Value::Array(items) => {
            for item in items {
                match is_block(item) {
                    true => {
                        out.push_str(&format!("{indent}-\n"));
                        block(item, depth + 1, out);
                    }
                    false => out.push_str(&format!("{indent}- {item}\n")),
                }
            }
        }
        other => out.push_str(&format!("{indent}{other}\n")),
    }
}

fn is_block(value: &Value) -> bool {
    match value {
        Value::Object(members) => !members.is_empty(),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    }
}
