//! Rules about the texts themselves, which no compiler checks.

use std::collections::BTreeSet;
use std::fs;

use crate::repository::{files, text};

/// The most lines that a source file may have.
const MOST_LINES: usize = 500;
/// Where the project's own texts are.
const TEXTS: [&str; 20] = [
    "crates",
    "xtask",
    "tests",
    "docs",
    "openapi",
    "schemas",
    "partners",
    ".ci",
    ".cargo",
    "README.md",
    "ARCHITECTURE.md",
    "STYLE.md",
    "CONTRIBUTING.md",
    "CHANGELOG.md",
    "SECURITY.md",
    "Cargo.toml",
    "Cargo.lock",
    "clippy.toml",
    "deny.toml",
    "rustfmt.toml",
];

fn sources() -> Vec<(String, String)> {
    ["crates", "xtask"]
        .iter()
        .flat_map(|folder| files(folder))
        .filter(|(name, _)| name.ends_with(".rs"))
        .map(|(name, path)| (name, fs::read_to_string(path).unwrap()))
        .collect()
}

fn offenders(broken: impl Fn(&str, &str) -> bool) -> Vec<String> {
    sources()
        .into_iter()
        .filter(|(name, text)| broken(name, text))
        .map(|(name, _)| name)
        .collect()
}

#[test]
fn files_are_short() {
    let long = offenders(|_, text| text.lines().count() > MOST_LINES);
    assert!(long.is_empty(), "more than {MOST_LINES} lines: {long:?}");
}

#[test]
fn files_say_what_they_are() {
    let silent = offenders(|_, text| !text.starts_with("//! "));
    assert!(silent.is_empty(), "do not start with `//! `: {silent:?}");
}

#[test]
fn lints_are_expected_and_never_allowed() {
    // Written in two parts, so that this file does not find itself.
    let needles = [concat!("#[", "allow("), concat!("#![", "allow(")];
    let allowing = offenders(|_, text| needles.iter().any(|needle| text.contains(needle)));
    assert!(
        allowing.is_empty(),
        "use `#[expect(.., reason = \"..\")]`: {allowing:?}"
    );
}

#[test]
fn modules_have_no_mod_rs_except_at_seams() {
    // A seam is a trait with a list of implementations; its folder opens with the list.
    let seams = [
        "gateway/src/policy/",
        "registry/src/import/",
        "registry/src/assess/",
        "registry/src/export/",
        "registry/src/install/",
    ];
    let odd = offenders(|name, _| name.ends_with("/mod.rs") && !seams.iter().any(|seam| name.contains(seam)));
    assert!(
        odd.is_empty(),
        "`foo.rs` beside `foo/`, not `foo/mod.rs`: {odd:?}"
    );
}

#[test]
fn no_text_names_a_machine_of_ours() {
    let needles = [
        concat!("/wo", "rk/"),
        concat!("/ro", "ot/"),
        concat!("\"reso", "lved\": \"http"),
    ];
    let mut found = Vec::new();
    for place in TEXTS {
        for (name, path) in files(place) {
            // Pictures and fonts are no texts.
            let Ok(text) = fs::read_to_string(&path) else {
                continue;
            };
            found.extend(
                needles
                    .iter()
                    .filter(|needle| text.contains(*needle))
                    .map(|needle| format!("{name}: {needle}")),
            );
        }
    }
    assert!(found.is_empty(), "paths or hosts of one machine: {found:?}");
}

#[test]
fn the_changelog_has_an_open_section() {
    let changelog = text("CHANGELOG.md");
    assert!(
        changelog.contains("\n## [Unreleased]\n"),
        "CHANGELOG.md lacks `## [Unreleased]`"
    );
}

/// The groups of modules, as the blank lines between them part them. The formatter sorts within a group.
fn groups(
    lines: impl Iterator<Item = String>,
    module: impl Fn(&str) -> Option<String>,
) -> Vec<BTreeSet<String>> {
    let mut groups = vec![BTreeSet::new()];
    for line in lines {
        match module(line.trim()) {
            Some(name) => groups.last_mut().unwrap().insert(name),
            None if line.trim().is_empty() => {
                groups.push(BTreeSet::new());
                true
            }
            None => false,
        };
    }
    groups.retain(|group| !group.is_empty());
    groups
}

#[test]
fn the_gateway_tells_the_story_of_the_architecture() {
    let architecture = text("ARCHITECTURE.md");
    let story = architecture
        .lines()
        .skip_while(|line| *line != "## A request's way")
        .skip_while(|line| *line != "```text")
        .skip(1)
        .take_while(|line| *line != "```")
        .map(str::to_owned);
    let told = groups(story, |line| {
        let word = line.split_whitespace().next()?;
        word.strip_suffix(".rs")
            .or_else(|| word.strip_suffix('/'))
            .map(str::to_owned)
    });
    let library = text("crates/gateway/src/lib.rs");
    let declared = groups(library.lines().map(str::to_owned), |line| {
        let line = line
            .strip_prefix("pub ")
            .or_else(|| line.strip_prefix("pub(crate) "))
            .unwrap_or(line);
        line.strip_prefix("mod ")?.strip_suffix(';').map(str::to_owned)
    });
    assert_eq!(
        told, declared,
        "the modules of ARCHITECTURE.md against those of crates/gateway/src/lib.rs"
    );
}
