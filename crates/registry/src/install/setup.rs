//! What a host must know about a server, in no host's own words yet.
//!
//! Before: a served document. After: each host writes the literal words as they are and asks for the prompts in its own
//! way.

use portreeve_mcp::server_json::{Argument, Input, KeyValue, Package, RemoteKind, ServerJson, placeholders};
use serde_json::{Map, Value};

/// What a host must know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setup {
    /// The name in the registry.
    pub name: String,
    /// A name for hosts that take only letters, digits, `-` and `_`.
    pub key: String,
    /// The version.
    pub version: String,
    /// How the host gets to the server.
    pub launch: Launch,
    /// What the person must be asked for.
    pub prompts: Vec<Prompt>,
}

/// How a host gets to a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Launch {
    /// Over Streamable HTTP.
    Http {
        /// The URL.
        url: String,
        /// Headers that it sends.
        headers: Vec<(String, Words)>,
    },
    /// As a process of its own.
    Stdio {
        /// The program.
        command: String,
        /// Its arguments, one word each.
        args: Vec<Words>,
        /// Its environment.
        env: Vec<(String, Words)>,
    },
}

/// A text with places for what the person is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Words(pub Vec<Piece>);

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// As it is.
    Text(String),
    /// The answer to the prompt at this place of [`Setup::prompts`].
    Prompt(usize),
}

/// Something that the person is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    /// Its name in a host: letters, digits, `-`, `_`.
    pub id: String,
    /// What it is for.
    pub description: String,
    /// It must not be shown.
    pub is_secret: bool,
}

// === impl Prompt ===

impl Prompt {
    /// Its name as an environment variable.
    pub fn variable(&self) -> String {
        let name: String = self
            .id
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() {
                    c.to_ascii_uppercase()
                } else {
                    '_'
                }
            })
            .collect();
        if name.starts_with(|c: char| c.is_ascii_digit()) {
            format!("_{name}")
        } else {
            name
        }
    }
}

// === impl Words ===

impl Words {
    fn literal(text: &str) -> Self {
        Self(vec![Piece::Text(text.to_owned())])
    }

    /// The same with texts that stand side by side as one.
    fn joined(self) -> Self {
        let mut joined: Vec<Piece> = Vec::with_capacity(self.0.len());
        for piece in self.0 {
            match (joined.last_mut(), piece) {
                (_, Piece::Text(text)) if text.is_empty() => {}
                (Some(Piece::Text(before)), Piece::Text(text)) => before.push_str(&text),
                (_, piece) => joined.push(piece),
            }
        }
        Self(joined)
    }

    /// The text, with each prompt written by `prompt`.
    pub fn render(&self, prompts: &[Prompt], prompt: impl Fn(&Prompt) -> String) -> String {
        let piece = |piece: &Piece| match piece {
            Piece::Text(text) => text.clone(),
            Piece::Prompt(place) => prompts.get(*place).map(&prompt).unwrap_or_default(),
        };
        self.0.iter().map(piece).collect()
    }

    /// Whether a host might take a part of it for a variable of its own, such as `${env:AWS_SECRET}`.
    fn is_plain(&self) -> bool {
        self.0.iter().all(|piece| match piece {
            Piece::Text(text) => !text.contains("${") && !text.chars().any(char::is_control),
            Piece::Prompt(_) => true,
        })
    }
}

// === impl Setup ===

impl Setup {
    /// What a host must know of a served document. The gateway's route comes before anything that runs locally.
    pub fn of(document: &Map<String, Value>) -> Option<Self> {
        let view = ServerJson::view(document);
        let (launch, prompts) = ways(&view).next()?;
        Self::by(&view, launch, prompts)
    }

    /// Every way to the server: the gateway's route, and each package that a host can run.
    pub fn all(document: &Map<String, Value>) -> Vec<Self> {
        let view = ServerJson::view(document);
        ways(&view)
            .filter_map(|(launch, prompts)| Self::by(&view, launch, prompts))
            .collect()
    }

    fn by(view: &ServerJson, launch: Launch, prompts: Vec<Prompt>) -> Option<Self> {
        let name = view.name.as_ref()?;
        launch.is_plain().then(|| Self {
            key: identifier(name.short()),
            name: name.to_string(),
            version: view.version.as_ref().map(ToString::to_string).unwrap_or_default(),
            launch,
            prompts,
        })
    }
}

impl Launch {
    fn is_plain(&self) -> bool {
        let (words, pairs) = match self {
            Self::Http { headers, .. } => (&[][..], headers),
            Self::Stdio { args, env, .. } => (&args[..], env),
        };
        let mut all = words.iter().chain(pairs.iter().map(|(_, value)| value));
        let names_are_plain = pairs.iter().all(|(name, _)| {
            name.bytes()
                .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'))
        });
        names_are_plain && all.all(Words::is_plain)
    }
}

/// The ways to a server, with what each asks for; what is served comes before what runs locally.
fn ways(view: &ServerJson) -> impl Iterator<Item = (Launch, Vec<Prompt>)> {
    let served = std::iter::once_with(|| {
        let mut prompts = Vec::new();
        Some((remote(view, &mut prompts)?, prompts))
    });
    let run = view.packages.iter().map(|package| {
        let mut prompts = Vec::new();
        Some((local(package, &mut prompts)?, prompts))
    });
    served.chain(run).flatten()
}

fn remote(view: &ServerJson, prompts: &mut Vec<Prompt>) -> Option<Launch> {
    let remote = view
        .remotes
        .iter()
        .find(|remote| remote.kind == RemoteKind::StreamableHttp && !remote.is_templated())?;
    let headers = named(&remote.headers, prompts);
    Some(Launch::Http {
        url: remote.url.clone(),
        headers,
    })
}

/// The command that runs a package; `None` for kinds for which there is no common one.
fn local(package: &Package, prompts: &mut Vec<Prompt>) -> Option<Launch> {
    if package.transport != "stdio" || !is_word(&package.identifier) {
        return None;
    }
    if !package.version.as_deref().is_none_or(is_word) {
        return None;
    }
    let versioned = |separator: &str| match &package.version {
        Some(version) => format!("{}{separator}{version}", package.identifier),
        None => package.identifier.clone(),
    };
    let before = arguments(&package.runtime_arguments, prompts);
    let after = arguments(&package.package_arguments, prompts);
    let env = named(&package.environment, prompts);
    let (command, first, identifier) = match package.registry_type.as_str() {
        "npm" => ("npx", vec!["-y"], versioned("@")),
        "pypi" => ("uvx", vec![], versioned("==")),
        "nuget" => ("dnx", vec![], versioned("@")),
        "oci" => ("docker", vec!["run", "-i", "--rm"], package.identifier.clone()),
        _ => return None,
    };
    let mut args: Vec<Words> = Vec::new();
    for word in first {
        let is_there = before.contains(&Words::literal(word)) || (word == "run" && starts_with_run(&before));
        if !is_there {
            args.push(Words::literal(word));
        }
    }
    args.extend(before);
    if command == "docker" {
        for (name, _) in &env {
            args.extend([Words::literal("-e"), Words::literal(name)]);
        }
    }
    args.push(Words::literal(&identifier));
    if command == "dnx" {
        args.push(Words::literal("--yes"));
        if !after.is_empty() {
            args.push(Words::literal("--"));
        }
    }
    args.extend(after);
    Some(Launch::Stdio {
        command: command.to_owned(),
        args,
        env,
    })
}

fn starts_with_run(arguments: &[Words]) -> bool {
    arguments.first() == Some(&Words::literal("run"))
}

/// One word of a command that cannot be taken for an option, and needs no quotes in any shell.
fn is_word(text: &str) -> bool {
    let is_safe =
        |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'@' | b'.' | b'_' | b'/' | b':' | b'+' | b'-');
    !text.is_empty() && !text.starts_with('-') && text.bytes().all(is_safe)
}

fn arguments(arguments: &[Argument], prompts: &mut Vec<Prompt>) -> Vec<Words> {
    let mut words = Vec::new();
    for argument in arguments {
        let hint = argument.name.as_deref().or(argument.value_hint.as_deref());
        let value = value(hint.unwrap_or("argument"), &argument.input, prompts);
        if let Some(name) = &argument.name {
            // A flag may stand alone; an optional one that waits for a value must not.
            if value.is_none() && (argument.input.default.is_some() || argument.value_hint.is_some()) {
                continue;
            }
            words.push(Words::literal(name));
        }
        words.extend(value);
    }
    words
}

fn named(inputs: &[KeyValue], prompts: &mut Vec<Prompt>) -> Vec<(String, Words)> {
    inputs
        .iter()
        .filter_map(|item| Some((item.name.clone(), value(&item.name, &item.input, prompts)?)))
        .collect()
}

/// The value of an input. What is secret becomes a prompt, whatever the document says it is.
fn value(name: &str, input: &Input, prompts: &mut Vec<Prompt>) -> Option<Words> {
    if let Some(text) = &input.value {
        let has_variables = placeholders(text).any(|place| input.variables.iter().any(|(id, _)| id == place));
        return Some(match (has_variables, input.is_secret) {
            (true, _) => filled(text, input, prompts),
            (false, true) => ask(name, input, prompts),
            (false, false) => Words::literal(text),
        });
    }
    match &input.default {
        Some(default) if !input.is_secret => Some(Words::literal(default)),
        _ if input.is_required || input.is_secret => Some(ask(name, input, prompts)),
        _ => None,
    }
}

/// A text whose declared `{variables}` are filled in; one that is not declared stays as it is.
fn filled(text: &str, input: &Input, prompts: &mut Vec<Prompt>) -> Words {
    let mut words = Words::default();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let declared = after.split_once('}').and_then(|(place, after)| {
            let (_, variable) = input.variables.iter().find(|(id, _)| id == place)?;
            Some((place, variable, after))
        });
        match declared {
            Some((place, variable, after)) => {
                words.0.push(Piece::Text(before.to_owned()));
                let inner = value(place, variable, prompts).unwrap_or_else(|| ask(place, variable, prompts));
                words.0.extend(inner.0);
                rest = after;
            }
            None => {
                words.0.push(Piece::Text(format!("{before}{{")));
                rest = after;
            }
        }
    }
    words.0.push(Piece::Text(rest.to_owned()));
    words.joined()
}

fn ask(name: &str, input: &Input, prompts: &mut Vec<Prompt>) -> Words {
    let id = identifier(name);
    let known = prompts.iter().position(|prompt| prompt.id == id);
    let place = known.unwrap_or_else(|| {
        prompts.push(Prompt {
            description: input.description.clone().unwrap_or_else(|| name.to_owned()),
            is_secret: input.is_secret,
            id,
        });
        prompts.len() - 1
    });
    Words(vec![Piece::Prompt(place)])
}

fn identifier(text: &str) -> String {
    let safe: String = text
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') {
                c
            } else {
                '_'
            }
        })
        .collect();
    let trimmed = safe.trim_matches(['-', '_']);
    if trimmed.is_empty() {
        "value".to_owned()
    } else {
        trimmed.to_owned()
    }
}
