//! Prompts: texts with places for arguments, which people choose in their hosts. One struct is the file, the API's form
//! and what is stored.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Longest text of a message, in bytes.
const LONGEST_TEXT: usize = 64 * 1024;
/// How far it is looked for the end of a place in a text.
const LONGEST_PLACE: usize = 80;
/// Messages of a prompt, and arguments.
const MOST: usize = 50;

/// A prompt.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Prompt {
    /// What people read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What a person fills in.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<PromptArgument>,
    /// What a model gets, in this order.
    pub messages: Vec<PromptMessage>,
}

/// Something that a person fills in. Its value is a text.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PromptArgument {
    /// Its name: letters, digits, `_` and `-`, at most 64.
    pub name: String,
    /// What people read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether there is no prompt without it. Otherwise nothing stands in its place when it is not given.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub required: bool,
}

/// A message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PromptMessage {
    /// Whose it is.
    pub role: PromptRole,
    /// What it says. `{{name}}` stands for the value of an argument.
    pub text: String,
}

/// Whose a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PromptRole {
    /// The person's.
    User,
    /// The model's.
    Assistant,
}

// === impl Prompt ===

impl Prompt {
    /// What is wrong with a prompt of this name, all of it.
    pub fn problems(&self, name: &str) -> Vec<String> {
        let mut problems = Vec::new();
        if !is_name(name) {
            problems.push(format!(
                "`{name}` is no name: letters, digits, `_` and `-`, at most 64"
            ));
        }
        if self.messages.is_empty() || self.messages.len() > MOST || self.arguments.len() > MOST {
            problems.push(format!(
                "it has no message, or more than {MOST} messages or arguments"
            ));
        }
        for (at, argument) in self.arguments.iter().enumerate() {
            if !is_name(&argument.name) {
                problems.push(format!(
                    "its argument `{}` has no name: letters, digits, `_` and `-`, at most 64",
                    argument.name
                ));
            }
            if self
                .arguments
                .iter()
                .take(at)
                .any(|other| other.name == argument.name)
            {
                problems.push(format!("two of its arguments are named `{}`", argument.name));
            }
        }
        for message in &self.messages {
            if message.text.len() > LONGEST_TEXT {
                problems.push(format!("one of its messages has more than {LONGEST_TEXT} bytes"));
            }
            for place in places(&message.text).filter_map(Result::err) {
                if !self.arguments.iter().any(|argument| argument.name == place) {
                    problems.push(format!(
                        "its text names `{{{{{place}}}}}`, which is no argument of it"
                    ));
                }
            }
        }
        problems
    }

    /// It as an element of `prompts/list`.
    pub fn listed(&self, name: &str) -> Value {
        let mut listed = Map::from_iter([("name".to_owned(), json!(name))]);
        for (member, text) in [("title", &self.title), ("description", &self.description)] {
            if let Some(text) = text {
                listed.insert(member.to_owned(), json!(text));
            }
        }
        if !self.arguments.is_empty() {
            listed.insert("arguments".to_owned(), json!(self.arguments));
        }
        Value::Object(listed)
    }
}

// === impl PromptMessage ===

impl PromptMessage {
    /// Its text with these values. What stands in a value stays as it is.
    pub fn filled(&self, values: &BTreeMap<String, String>) -> String {
        places(&self.text)
            .map(|part| match part {
                Ok(text) => text,
                Err(name) => values.get(name).map_or("", String::as_str),
            })
            .collect()
    }
}

/// The parts of a text: `Ok`, as they are; `Err`, the name of an argument.
fn places(text: &str) -> impl Iterator<Item = Result<&str, &str>> {
    let mut rest = text;
    let mut waiting = None;
    std::iter::from_fn(move || {
        if let Some(name) = waiting.take() {
            return Some(Err(name));
        }
        if rest.is_empty() {
            return None;
        }
        let mut from = 0;
        while let Some(open) = rest.get(from..).and_then(|tail| tail.find("{{")) {
            let begin = from + open;
            let inner = rest.get(begin + 2..).unwrap_or_default();
            let mut ends = inner.as_bytes().windows(2).take(LONGEST_PLACE);
            let name = ends.position(|two| two == b"}}").and_then(|end| inner.get(..end));
            // What is no name in braces is text: examples of templates, programs.
            if let Some(name) = name.filter(|name| is_name(name.trim())) {
                let before = rest.get(..begin).unwrap_or_default();
                rest = inner.get(name.len() + 2..).unwrap_or_default();
                if before.is_empty() {
                    return Some(Err(name.trim()));
                }
                waiting = Some(name.trim());
                return Some(Ok(before));
            }
            from = begin + 2;
        }
        Some(Ok(std::mem::take(&mut rest)))
    })
}

fn is_name(text: &str) -> bool {
    (1..=64).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prompt(text: &str) -> Prompt {
        Prompt {
            arguments: vec![PromptArgument {
                name: "ship".to_owned(),
                ..PromptArgument::default()
            }],
            messages: vec![PromptMessage {
                role: PromptRole::User,
                text: text.to_owned(),
            }],
            ..Prompt::default()
        }
    }

    #[test]
    fn places_are_filled_once_and_what_is_no_place_stays() {
        let values = BTreeMap::from([("ship".to_owned(), "{{ship}}".to_owned())]);
        for (text, filled) in [
            ("{{ship}}", "{{ship}}"),
            ("a {{ ship }} b", "a {{ship}} b"),
            ("{{{ship}}}", "{{{ship}}}"),
            ("{{a b}} {{", "{{a b}} {{"),
            ("{{none}}.", "."),
            ("", ""),
        ] {
            assert_eq!(prompt(text).messages[0].filled(&values), filled, "{text}");
        }
    }

    #[test]
    fn everything_that_is_wrong_is_told() {
        assert_eq!(prompt("{{ship}} {{a b}}").problems("brief"), Vec::<String>::new());
        assert_eq!(prompt("{{ships}}").problems("a brief").len(), 2);
        let mut twice = prompt("x");
        twice.arguments.extend(twice.arguments.clone());
        twice.messages.clear();
        assert_eq!(twice.problems("brief").len(), 2);
    }
}
