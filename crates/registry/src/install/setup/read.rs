//! The ways to a server that a document names.
//!
//! Before: a served document. After: `setup` says how each way is entered.

use portreeve_mcp::server_json::{Argument, Input, KeyValue, Package, RemoteKind, ServerJson, placeholders};
use serde_json::{Map, Value};

use super::{Launch, Piece, Prompt, Words};

/// Where a way comes from, the way, and what it asks for.
pub(super) type Way = (&'static str, Launch, Vec<Prompt>);

/// The ways to a server, with what each asks for; what is served comes before what runs locally.
pub(super) fn ways(view: &ServerJson) -> impl Iterator<Item = Way> {
    let served = std::iter::once_with(|| {
        let mut prompts = Vec::new();
        Some(("gateway", remote(view, &mut prompts)?, prompts))
    });
    let run = view.packages.iter().map(|package| {
        let mut prompts = Vec::new();
        let (source, launch) = local(package, &mut prompts)?;
        Some((source, launch, prompts))
    });
    served.chain(run).flatten()
}

/// An address that a host can take as one word, and no browser for a script.
pub(super) fn is_address(text: &str) -> bool {
    let is_odd =
        |b: u8| !b.is_ascii_graphic() || matches!(b, b'"' | b'\'' | b'<' | b'>' | b'`' | b'\\' | b'{' | b'}');
    !text.bytes().any(is_odd)
        && url::Url::parse(text).is_ok_and(|url| {
            matches!(url.scheme(), "http" | "https") && url.username().is_empty() && url.password().is_none()
        })
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

/// The bundles of a document, each with the hash that it is checked with.
pub(super) fn bundles(document: &Map<String, Value>) -> impl Iterator<Item = Launch> + '_ {
    let packages = document.get("packages").and_then(Value::as_array);
    packages.into_iter().flatten().filter_map(|package| {
        let text = |keys: [&str; 2]| keys.iter().find_map(|key| package.get(key)?.as_str());
        let is_hex = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
        let url = text(["identifier", "identifier"]).filter(|url| url.starts_with("https://"))?;
        let sha256 = text(["fileSha256", "file_sha256"])
            .filter(|hash| hash.len() == 64 && hash.bytes().all(is_hex))?;
        (text(["registryType", "registry_type"])? == "mcpb").then(|| Launch::Bundle {
            url: url.to_owned(),
            sha256: sha256.to_owned(),
        })
    })
}

/// The command that runs a package; `None` for kinds for which there is no common one.
fn local(package: &Package, prompts: &mut Vec<Prompt>) -> Option<(&'static str, Launch)> {
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
    let (source, command, first, identifier) = match package.registry_type.as_str() {
        "npm" => ("npm", "npx", vec!["-y"], versioned("@")),
        "pypi" => ("pypi", "uvx", vec![], versioned("==")),
        "nuget" => ("nuget", "dnx", vec![], versioned("@")),
        "oci" => (
            "oci",
            "docker",
            vec!["run", "-i", "--rm"],
            package.identifier.clone(),
        ),
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
    let launch = Launch::Stdio {
        command: command.to_owned(),
        args,
        env,
    };
    Some((source, launch))
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
    let mut named: Vec<(String, Words)> = Vec::new();
    for item in inputs {
        // A name that stands there twice counts once: files and hosts would each take another one of the two.
        let is_known = named
            .iter()
            .any(|(name, _)| name.eq_ignore_ascii_case(&item.name));
        if !is_known && let Some(value) = value(&item.name, &item.input, prompts) {
            named.push((item.name.clone(), value));
        }
    }
    named
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
    if let Some(prompt) = known.and_then(|place| prompts.get_mut(place)) {
        // One answer for two places is secret if it is in one of them.
        prompt.is_secret |= input.is_secret;
    }
    let place = known.unwrap_or_else(|| {
        prompts.push(Prompt {
            description: super::shown(input.description.as_deref().unwrap_or(name)),
            is_secret: input.is_secret,
            id,
        });
        prompts.len() - 1
    });
    Words(vec![Piece::Prompt(place)])
}

pub(super) fn identifier(text: &str) -> String {
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
