//! Goose: a deep link with each word for itself, and `extensions` in its YAML file. It asks for what stands in
//! `env_keys`, and keeps the answers in the system's key ring.

use serde_json::{Map, Value, json};

use super::copilot_coding_agent::asks_in_arguments;
use super::words::{Spelled, encoded, variable, yaml};
use super::{Host, Launch, Piece, Setup, Snippet, SnippetKind, Words};

pub(super) struct Goose;

const FILE: SnippetKind = SnippetKind::File {
    path: "~/.config/goose/config.yaml",
};
/// Seconds that it waits for an answer.
const TIMEOUT: u32 = 300;
/// The programs that a link may start.
const PROGRAMS: [&str; 3] = ["npx", "uvx", "docker"];

impl Host for Goose {
    fn id(&self) -> &'static str {
        "goose"
    }

    fn title(&self) -> &'static str {
        "Goose"
    }

    fn snippets(&self, setup: &Setup) -> Vec<Snippet> {
        // It reads `$NAME` in headers.
        let extension = extension(setup).filter(|_| setup.has_no_dollar());
        let Some(extension) = extension else {
            return Vec::new();
        };
        let shown = Value::Object(extension.clone());
        let text = yaml(&json!({ "extensions": { setup.key.as_str(): extension } }));
        let mut snippets = Vec::new();
        if let Some(link) = link(setup) {
            snippets.push(Snippet::new(self.id(), "Install in Goose", SnippetKind::Link, link).shows(&shown));
        }
        snippets.push(Snippet::new(self.id(), "Add for yourself", FILE, text));
        snippets
    }
}

/// A link has no words for headers, nor for a variable whose value is known.
fn link(setup: &Setup) -> Option<String> {
    let mut query = match &setup.launch {
        Launch::Http { url, headers } if headers.is_empty() => {
            format!("url={}&type=streamable_http", encoded(url))
        }
        Launch::Stdio { command, args, env } if PROGRAMS.contains(&command.as_str()) => {
            let mut query = format!("cmd={command}");
            for word in (Spelled {
                setup,
                prompt: variable,
            })
            .texts(args)
            {
                query.push_str(&format!("&arg={}", encoded(&word)));
            }
            for (name, words) in env {
                let prompt = asked(setup, words)?;
                query.push_str(&format!(
                    "&env={}",
                    encoded(&format!("{name}={}", prompt.description))
                ));
            }
            query
        }
        Launch::Http { .. } | Launch::Stdio { .. } | Launch::Bundle { .. } => return None,
    };
    query.push_str(&format!(
        "&id={}&name={}&description={}&timeout={TIMEOUT}",
        encoded(&setup.key),
        encoded(&setup.title),
        encoded(&setup.description)
    ));
    Some(format!("goose://extension?{query}"))
}

fn asked<'a>(setup: &'a Setup, words: &Words) -> Option<&'a super::Prompt> {
    match words.0.as_slice() {
        [Piece::Prompt(place)] => setup.prompts.get(*place),
        _ => None,
    }
}

fn extension(setup: &Setup) -> Option<Map<String, Value>> {
    let spelled = Spelled {
        setup,
        prompt: variable,
    };
    let (kind, keys, rest) = match &setup.launch {
        Launch::Http { url, headers } => {
            let keys: Vec<String> = setup.prompts.iter().map(super::Prompt::variable).collect();
            let rest = json!({"uri": url, "envs": {}, "headers": spelled.pairs(headers)});
            ("streamable_http", keys, rest)
        }
        Launch::Stdio { command, args, env } if !asks_in_arguments(setup) => {
            let (mut keys, mut fixed) = (Vec::new(), Map::new());
            for (name, words) in env {
                match asked(setup, words).filter(|prompt| prompt.id == *name) {
                    Some(_) => keys.push(name.clone()),
                    None if words.0.iter().all(|piece| matches!(piece, Piece::Text(_))) => {
                        fixed.insert(name.clone(), json!(spelled.text(words)));
                    }
                    None => return None,
                }
            }
            let rest = json!({"cmd": command, "args": spelled.texts(args), "envs": fixed});
            ("stdio", keys, rest)
        }
        Launch::Stdio { .. } | Launch::Bundle { .. } => return None,
    };
    let mut extension = Map::new();
    extension.insert("enabled".to_owned(), json!(true));
    extension.insert("type".to_owned(), json!(kind));
    extension.insert("name".to_owned(), json!(setup.title));
    extension.insert("description".to_owned(), json!(setup.description));
    extension.extend(rest.as_object().cloned().unwrap_or_default());
    extension.insert("env_keys".to_owned(), json!(keys));
    extension.insert("timeout".to_owned(), json!(TIMEOUT));
    Some(extension)
}
