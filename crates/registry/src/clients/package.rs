//! A command that runs a package, told as the package: `npx -y @acme/tool@1.0.0` is `@acme/tool` of npm.
//!
//! Before: a process of a host. After: `proposal` makes a document of it. What runs a file of this machine is no
//! package: nobody else has that file.

use std::collections::VecDeque;

use portreeve_core::secret::Secret;

use super::runner::{self, Runner, SAID, SWITCHES, VALUED};

const LOCAL: &str = "it runs a program of this machine, which others do not have";
const UNNAMED: &str = "its package cannot be told from its command";
const UNKNOWN: &str = "it has an option that is not known, so its image cannot be told from its command";
const UNCLEAR: &str =
    "it is not understood: an option in front of its package is not known, and may take the next word along";
/// A package, and the words around its name.
#[derive(Debug, PartialEq)]
pub(super) struct Package {
    /// `npm`, `pypi`, `nuget` or `oci`.
    pub(super) kind: &'static str,
    /// Its name there.
    pub(super) identifier: String,
    /// Its version, where the command names one.
    pub(super) version: Option<String>,
    /// Arguments of what runs it.
    pub(super) before: Vec<Secret>,
    /// Its own arguments.
    pub(super) after: Vec<Secret>,
    /// Variables that the command hands over by name.
    pub(super) variables: Vec<(String, Secret)>,
}

/// What a command runs.
#[derive(Debug, PartialEq)]
pub(super) enum Run {
    /// A package.
    Package(Package),
    /// An address, by a program that stands between: `npx mcp-remote URL`.
    Bridge {
        /// The address.
        url: Secret,
        /// Headers that it is told to send.
        headers: Vec<(String, Secret)>,
    },
}

/// Tells what a command runs, or why that is nothing to register.
pub(super) fn run(command: &str, args: &[Secret]) -> Result<Run, &'static str> {
    let mut words: VecDeque<Secret> = args.iter().cloned().collect();
    let program = program(command);
    let first = words
        .front()
        .map(|word| word.expose().to_owned())
        .unwrap_or_default();
    match (program.as_str(), first.as_str()) {
        ("cmd", "/c" | "/C") => {
            words.pop_front();
            let inner = words.pop_front().ok_or(UNNAMED)?;
            let rest: Vec<Secret> = words.into();
            // Only once: a shell within a shell is nobody's package.
            if self::program(inner.expose()) == "cmd" {
                return Err(LOCAL);
            }
            run(inner.expose(), &rest)
        }
        ("npx" | "bunx" | "pnpx", _) => npm(words),
        ("npm", "exec" | "x") | ("pnpm" | "yarn", "dlx") | ("bun", "x") => {
            words.pop_front();
            npm(words)
        }
        ("uvx", _) => pypi(words, "--from"),
        ("pipx", "run") => {
            words.pop_front();
            pypi(words, "--spec")
        }
        ("uv", "tool") if words.get(1).is_some_and(|word| word.expose() == "run") => {
            words.drain(..2);
            pypi(words, "--from")
        }
        ("docker" | "podman" | "nerdctl", "run") => {
            words.pop_front();
            oci(words)
        }
        ("dnx", _) => nuget(words),
        _ => Err(LOCAL),
    }
}

fn program(command: &str) -> String {
    let name = command
        .rsplit(['/', '\\'])
        .next()
        .unwrap_or(command)
        .to_ascii_lowercase();
    [".exe", ".cmd", ".bat", ".ps1"]
        .iter()
        .find_map(|ending| name.strip_suffix(ending).map(str::to_owned))
        .unwrap_or(name)
}

/// What the options in front of a package say.
struct Options {
    /// The value of the one that names the package.
    named: Option<String>,
    /// One of them is not known, and may take the next word along or not.
    is_unclear: bool,
}

impl Options {
    /// What is run: the package that an option names, or else the first word behind the options.
    fn package(self, words: &mut VecDeque<Secret>) -> Result<String, &'static str> {
        let first = words.pop_front().map(|word| word.expose().to_owned());
        match (self.named, first) {
            (Some(named), _) => Ok(named),
            (None, _) if self.is_unclear => Err(UNCLEAR),
            (None, first) => first.ok_or(UNNAMED),
        }
    }
}

/// Takes options off until a word that is none.
fn options(words: &mut VecDeque<Secret>, runner: &Runner, naming: &[&str]) -> Options {
    let mut read = Options {
        named: None,
        is_unclear: false,
    };
    while let Some(word) = words.front().map(|word| word.expose().to_owned()) {
        if !word.starts_with('-') {
            break;
        }
        words.pop_front();
        if word == "--" {
            break;
        }
        match word.split_once('=') {
            Some((name, value)) if naming.contains(&name) => read.named = Some(value.to_owned()),
            // Whatever it is, its value stands in the same word.
            Some((name, _)) if name.starts_with("--") => {}
            None if naming.contains(&word.as_str()) => {
                read.named = words.pop_front().map(|value| value.expose().to_owned());
            }
            None if runner.valued.contains(&word.as_str()) => {
                words.pop_front();
            }
            None if runner.switches.contains(&word.as_str()) => {}
            _ => read.is_unclear = true,
        }
    }
    read
}

fn npm(mut words: VecDeque<Secret>) -> Result<Run, &'static str> {
    let options = options(&mut words, &runner::NPM, &["-p", "--package"]);
    let whole = options.package(&mut words)?;
    let (identifier, version) = match whole.char_indices().rfind(|(place, c)| *c == '@' && *place > 0) {
        Some((place, _)) => whole.split_at(place),
        None => (whole.as_str(), ""),
    };
    if identifier == "mcp-remote" {
        return bridge(words);
    }
    let is_scoped = identifier
        .strip_prefix('@')
        .is_none_or(|rest| rest.matches('/').count() == 1);
    let slashes = identifier.matches('/').count();
    if slashes > usize::from(identifier.starts_with('@')) || !is_scoped {
        return Err(LOCAL);
    }
    package("npm", identifier, version.trim_start_matches('@'), words)
}

fn bridge(mut words: VecDeque<Secret>) -> Result<Run, &'static str> {
    let url = words
        .iter()
        .position(|word| word.expose().starts_with("http"))
        .ok_or(UNNAMED)?;
    let url = words.remove(url).ok_or(UNNAMED)?;
    let mut headers = Vec::new();
    while let Some(word) = words.pop_front() {
        if word.expose() != "--header" {
            continue;
        }
        let header = words.pop_front().unwrap_or_else(|| Secret::new(""));
        if let Some((name, value)) = header.expose().split_once(':') {
            headers.push((name.trim().to_owned(), Secret::new(value.trim())));
        }
    }
    Ok(Run::Bridge { url, headers })
}

fn pypi(mut words: VecDeque<Secret>, naming: &str) -> Result<Run, &'static str> {
    let options = options(&mut words, &runner::PYPI, &[naming]);
    let whole = options.package(&mut words)?;
    let (identifier, version) = match whole.split_once("==").or_else(|| whole.split_once('@')) {
        Some((identifier, version)) => (identifier.trim(), version.trim()),
        None => (whole.as_str(), ""),
    };
    let identifier = identifier.split('[').next().unwrap_or(identifier);
    if identifier.contains(['/', '\\', ':']) {
        return Err(LOCAL);
    }
    package("pypi", identifier, version, words)
}

fn nuget(mut words: VecDeque<Secret>) -> Result<Run, &'static str> {
    // No option names the package; one names its version, in front of it or behind it.
    let naming = ["--version"];
    let mut before = options(&mut words, &runner::NUGET, &naming);
    let named = before.named.take();
    let whole = before.package(&mut words)?;
    // The words up to `--` are those of dnx.
    let named = named.or(options(&mut words, &runner::NUGET, &naming).named);
    let (identifier, version) = match whole.split_once('@') {
        Some((identifier, version)) => (identifier, version),
        None => (whole.as_str(), named.as_deref().unwrap_or_default()),
    };
    package("nuget", identifier, version, words)
}

/// An option of `docker run`: its name, and the value that stands in the same word.
enum RunOption {
    Switch(String),
    Valued(String, Option<Secret>),
}

/// Reads one. What is not known may take the next word along or not, and the image could be either.
fn run_option(word: &str) -> Result<RunOption, &'static str> {
    let Some(letters) = word.strip_prefix('-').filter(|rest| !rest.starts_with('-')) else {
        let (name, joined) = match word.split_once('=') {
            Some((name, value)) => (name, Some(Secret::new(value))),
            None => (word, None),
        };
        return match name {
            _ if SWITCHES.contains(&name) => Ok(RunOption::Switch(name.to_owned())),
            _ if VALUED.contains(&name) => Ok(RunOption::Valued(name.to_owned(), joined)),
            _ => Err(UNKNOWN),
        };
    };
    let first = letters.chars().next().ok_or(UNKNOWN)?;
    if letters.chars().all(|c| "ditqP".contains(c)) {
        let name = if letters.contains('P') { "-P" } else { "-i" };
        return Ok(RunOption::Switch(name.to_owned()));
    }
    if !"acehlmpuvw".contains(first) {
        return Err(UNKNOWN);
    }
    // `-eKEY=value`, `-e=KEY=value` and `-e KEY=value` are the same.
    let joined = letters.get(1..).filter(|rest| !rest.is_empty());
    let joined = joined.map(|rest| Secret::new(rest.strip_prefix('=').unwrap_or(rest)));
    Ok(RunOption::Valued(format!("-{first}"), joined))
}

fn oci(mut words: VecDeque<Secret>) -> Result<Run, &'static str> {
    let (mut before, mut variables) = (Vec::new(), Vec::new());
    while let Some(word) = words.front().map(|word| word.expose().to_owned()) {
        if !word.starts_with('-') {
            break;
        }
        words.pop_front();
        if word == "--" {
            break;
        }
        let (name, value) = match run_option(&word)? {
            RunOption::Switch(name) => {
                // The others are what every such command has; a document need not say them.
                if SAID.contains(&name.as_str()) {
                    before.push(Secret::new(name));
                }
                continue;
            }
            RunOption::Valued(name, Some(value)) => (name, value),
            RunOption::Valued(name, None) => (name, words.pop_front().ok_or(UNNAMED)?),
        };
        match name.as_str() {
            "-e" | "--env" => {
                let (variable, value) = value.expose().split_once('=').unwrap_or((value.expose(), ""));
                variables.push((variable.to_owned(), Secret::new(value)));
            }
            "--pull" | "--name" => {}
            _ => before.extend([Secret::new(name), value]),
        }
    }
    let image = words.pop_front().ok_or(UNNAMED)?;
    let is_word = |c: char| c.is_ascii_alphanumeric() || "._/:@-".contains(c);
    if image.expose().is_empty() || !image.expose().chars().all(is_word) {
        return Err(UNNAMED);
    }
    Ok(Run::Package(Package {
        kind: "oci",
        identifier: image.expose().to_owned(),
        version: None,
        before,
        after: words.into(),
        variables,
    }))
}

fn package(
    kind: &'static str,
    identifier: &str,
    version: &str,
    after: VecDeque<Secret>,
) -> Result<Run, &'static str> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || "@._/-".contains(c);
    let begins = identifier.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '@');
    if !begins || !identifier.chars().all(is_name) {
        return Err(LOCAL);
    }
    let is_version = version.starts_with(|c: char| c.is_ascii_digit())
        && version
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b".-+".contains(&b));
    Ok(Run::Package(Package {
        kind,
        identifier: identifier.to_owned(),
        version: is_version.then(|| version.to_owned()),
        before: Vec::new(),
        after: after.into(),
        variables: Vec::new(),
    }))
}
