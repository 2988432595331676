//! A command that runs a package, told as the package: `npx -y @acme/tool@1.0.0` is `@acme/tool` of npm.
//!
//! Before: a process of a host. After: `proposal` makes a document of it. What runs a file of this machine is no
//! package: nobody else has that file.

use std::collections::VecDeque;

use portreeve_core::secret::Secret;

const LOCAL: &str = "it runs a program of this machine, which others do not have";
const UNNAMED: &str = "its package cannot be told from its command";
const UNKNOWN: &str = "it has an option that is not known, so its image cannot be told from its command";
/// Options of `docker run` without a value.
const SWITCHES: [&str; 14] = [
    "--detach",
    "--interactive",
    "--tty",
    "--quiet",
    "--rm",
    "--init",
    "--read-only",
    "--privileged",
    "--publish-all",
    "--no-healthcheck",
    "--oom-kill-disable",
    "--sig-proxy",
    "--disable-content-trust",
    "--replace",
];
/// Those of them that change how the server runs.
const SAID: [&str; 7] = [
    "--init",
    "--read-only",
    "--privileged",
    "--publish-all",
    "-P",
    "--no-healthcheck",
    "--oom-kill-disable",
];
/// Options of `docker run` with one.
const VALUED: [&str; 56] = [
    "--add-host",
    "--annotation",
    "--attach",
    "--cap-add",
    "--cap-drop",
    "--cgroup-parent",
    "--cgroupns",
    "--cidfile",
    "--cpu-shares",
    "--cpus",
    "--cpuset-cpus",
    "--device",
    "--dns",
    "--dns-search",
    "--domainname",
    "--entrypoint",
    "--env",
    "--env-file",
    "--expose",
    "--gpus",
    "--group-add",
    "--hostname",
    "--ip",
    "--ipc",
    "--label",
    "--link",
    "--log-driver",
    "--log-opt",
    "--mac-address",
    "--memory",
    "--memory-swap",
    "--mount",
    "--name",
    "--net",
    "--network",
    "--network-alias",
    "--pid",
    "--pids-limit",
    "--platform",
    "--publish",
    "--pull",
    "--restart",
    "--runtime",
    "--secret",
    "--security-opt",
    "--shm-size",
    "--stop-signal",
    "--stop-timeout",
    "--sysctl",
    "--tmpfs",
    "--ulimit",
    "--user",
    "--userns",
    "--volume",
    "--volumes-from",
    "--workdir",
];

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

/// Takes options off until a word that is none; options in `with_value` take the next word along. Returns the value of
/// the option that names the package.
fn options(words: &mut VecDeque<Secret>, with_value: &[&str], naming: &[&str]) -> Option<String> {
    let mut named = None;
    while let Some(word) = words.front().map(|word| word.expose().to_owned()) {
        if !word.starts_with('-') {
            break;
        }
        words.pop_front();
        if word == "--" {
            break;
        }
        match word.split_once('=') {
            Some((name, value)) if naming.contains(&name) => named = Some(value.to_owned()),
            None if naming.contains(&word.as_str()) => {
                named = words.pop_front().map(|value| value.expose().to_owned());
            }
            None if with_value.contains(&word.as_str()) => {
                words.pop_front();
            }
            _ => {}
        }
    }
    named
}

fn npm(mut words: VecDeque<Secret>) -> Result<Run, &'static str> {
    let named = options(
        &mut words,
        &["--registry", "--cache", "--userconfig"],
        &["-p", "--package"],
    );
    let first = words.pop_front().map(|word| word.expose().to_owned());
    let whole = named.or(first).ok_or(UNNAMED)?;
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
    let with_value = [
        "--python",
        "-p",
        "--with",
        "-w",
        "--index-url",
        "-i",
        "--index",
        "--default-index",
        "--extra-index-url",
        "--directory",
        "--constraint",
        "--with-requirements",
    ];
    let named = options(&mut words, &with_value, &[naming]);
    let first = words.pop_front().map(|word| word.expose().to_owned());
    let whole = named.or(first).ok_or(UNNAMED)?;
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
    options(&mut words, &["--source", "--configfile"], &[]);
    let whole = words.pop_front().ok_or(UNNAMED)?;
    let (identifier, version) = whole.expose().split_once('@').unwrap_or((whole.expose(), ""));
    // The words up to `--` are those of dnx.
    while let Some(word) = words.front().map(|word| word.expose().to_owned()) {
        if !word.starts_with('-') {
            break;
        }
        words.pop_front();
        if word == "--" {
            break;
        }
    }
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
