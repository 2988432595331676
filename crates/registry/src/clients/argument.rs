//! Words of a command as the arguments of a document: flags stay, and a value stays only where it can be anybody's.
//!
//! Before: `package` took the program and the package off. After: `proposal` puts them into the document.

use portreeve_core::secret::Secret;
use serde_json::{Value, json};

use super::private::{self, Stays, Values};

/// Flags of one dash that are whole words.
const LONG: [&str; 6] = ["-jar", "-stdio", "-port", "-verbose", "-debug", "-transport"];

/// Arguments, and what is not sent of them, in words for the person.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Arguments {
    pub(super) documents: Vec<Value>,
    pub(super) kept: Vec<String>,
}

/// Describes words.
pub(super) fn arguments(words: &[Secret], values: Values<'_>) -> Arguments {
    let mut told = Arguments::default();
    let mut rest = words.iter().map(Secret::expose).peekable();
    let mut position = 0;
    while let Some(word) = rest.next() {
        position += 1;
        if let Some((name, value)) = word.split_once('=')
            && (is_flag(name, values) || is_variable(name, value, values))
        {
            told.pair((name, value), values.stand_in(word), values);
        } else if is_flag(word, values) {
            match rest.next_if(is_value) {
                Some(value) => {
                    position += 1;
                    told.named(word, value, values);
                    // `--headers X-Key abc`: its name is one word, and its value the next.
                    if private::is_carrier(word)
                        && !value.contains(['=', ':'])
                        && let Some(value) = rest.next_if(is_value)
                    {
                        position += 1;
                        told.positional(position, (word, value), values);
                    }
                }
                None => told.documents.push(json!({"type": "named", "name": word})),
            }
        } else {
            told.positional(position, ("", word), values);
        }
    }
    told
}

fn is_value(word: &&str) -> bool {
    !word.starts_with('-') || word.len() == 1
}

/// `NAME=value`. Without a value it may as well be the end of something in base64.
fn is_variable(name: &str, value: &str, values: Values<'_>) -> bool {
    is_name(name) && !values.stand_in(name) && !value.trim_matches(['=', ':', ' ']).is_empty()
}

/// The name of a variable or of a header that a flag carries, and what stands behind it.
fn carried<'a>(flag: &str, value: &'a str, values: Values<'_>) -> Option<(&'a str, char)> {
    let place = value.find(['=', ':']).filter(|_| private::is_carrier(flag))?;
    let (name, rest) = value.split_at(place);
    let separator = rest.chars().next()?;
    is_variable(name, rest, values).then_some((name, separator))
}

fn is_name(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= 40
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b))
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && !private::looks_secret(text)
}

/// A flag that says nothing but its own name. A short one with a value behind it, as `-psecret`, is none.
pub(super) fn is_flag(word: &str, values: Values<'_>) -> bool {
    let is_one = match (word.strip_prefix("--"), word.strip_prefix('-')) {
        (Some(name), _) => is_name(name),
        (None, Some(name)) => (name.len() == 1 && is_name(name)) || LONG.contains(&word),
        (None, None) => false,
    };
    is_one && !values.stand_in(word)
}

/// The members of an input whose value stays here.
pub(super) fn input(stays: Stays, what: &str) -> Value {
    let mut input = json!({"isRequired": true, "description": what});
    match stays {
        Stays::Secret => input["isSecret"] = json!(true),
        Stays::Place => input["format"] = json!("filepath"),
        Stays::Own => {}
    }
    input
}

/// A name as documents have it for places: letters, digits and `_`.
pub(super) fn place_name(text: &str) -> String {
    let word: String = text
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() {
                c.to_ascii_lowercase()
            } else {
                '_'
            }
        })
        .collect();
    let word = word.trim_matches('_');
    if word.is_empty() {
        "value".to_owned()
    } else {
        word.to_owned()
    }
}

// === impl Arguments ===

impl Arguments {
    fn named(&mut self, name: &str, value: &str, values: Values<'_>) {
        let mut document = match values.keep(name, value) {
            None => json!({"value": value}),
            Some(stays) => {
                self.kept.push(format!("the value of `{name}`"));
                if let Some((carried, separator)) = carried(name, value, values) {
                    let place = place_name(carried);
                    json!({
                        "value": format!("{carried}{separator}{{{place}}}"),
                        "variables": {place: input(stays, &format!("The value of {carried}"))},
                    })
                } else {
                    let mut document = input(stays, &format!("The value of {name}"));
                    document["valueHint"] = json!(place_name(name));
                    document
                }
            }
        };
        document["type"] = json!("named");
        document["name"] = json!(name);
        self.documents.push(document);
    }

    fn pair(&mut self, (name, value): (&str, &str), is_known: bool, values: Values<'_>) {
        let stays = if is_known {
            Some(Stays::Secret)
        } else {
            values.keep(name, value)
        };
        self.documents.push(match stays {
            None => json!({"type": "positional", "value": format!("{name}={value}")}),
            Some(stays) => {
                self.kept.push(format!("the value of `{name}`"));
                let place = place_name(name);
                json!({
                    "type": "positional",
                    "value": format!("{name}={{{place}}}"),
                    "variables": {place: input(stays, &format!("The value of {name}"))},
                })
            }
        });
    }

    fn positional(&mut self, position: usize, (hint, value): (&str, &str), values: Values<'_>) {
        self.documents.push(match values.keep(hint, value) {
            None => json!({"type": "positional", "value": value}),
            Some(stays) => {
                self.kept.push(format!("argument {position}"));
                let mut document = input(stays, &format!("Argument {position}"));
                document["type"] = json!("positional");
                document["valueHint"] = json!(format!("argument_{position}"));
                document
            }
        });
    }
}
