//! What every host is told of every kind of entry, as it stands in files beside this one.
//!
//! `UPDATE_GOLDEN=1` writes them anew.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use portreeve_registry::install::{HostOffer, SnippetKind};

use super::entries::kinds;

fn shown(host: &HostOffer) -> String {
    let mut text = String::new();
    for snippet in &host.snippets {
        let place = match snippet.kind {
            SnippetKind::File { path } => format!(" ({path})"),
            _ => String::new(),
        };
        writeln!(text, "== {} {}{place}", snippet.kind.as_str(), snippet.title).unwrap();
        text.push_str(snippet.text.trim_end());
        text.push('\n');
        if let Some(decoded) = &snippet.shows {
            writeln!(text, "-- which holds\n{}", decoded.trim_end()).unwrap();
        }
        if let Some(note) = snippet.note {
            writeln!(text, "-- {note}").unwrap();
        }
    }
    text
}

#[test]
fn b6_every_host_is_told_what_the_golden_files_say() {
    let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "tests", "it", "install", "golden"]
        .iter()
        .collect();
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut expected = BTreeSet::new();
    let mut different = Vec::new();
    let mut compare = |path: PathBuf, text: String| {
        if update {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, &text).unwrap();
        }
        if std::fs::read_to_string(&path).ok().as_deref() != Some(&text) {
            different.push(path.display().to_string());
        }
        expected.insert(path);
    };
    for (kind, found) in kinds() {
        for host in found.offers.iter().flat_map(|offer| &offer.hosts) {
            compare(folder.join(host.id).join(format!("{kind}.txt")), shown(host));
        }
        if let Some(connector) = &found.connector {
            compare(
                folder.join("connector").join(format!("{kind}.json")),
                connector.json(),
            );
            compare(
                folder.join("connector").join(format!("{kind}.yaml")),
                connector.yaml(),
            );
        }
    }
    assert!(
        different.is_empty(),
        "write them anew with UPDATE_GOLDEN=1, and look at them: {different:?}"
    );
    for path in files(&folder) {
        assert!(
            expected.contains(&path),
            "{}: nobody is told this any more",
            path.display()
        );
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let hosts = std::fs::read_dir(folder).unwrap();
    let of = |host: PathBuf| std::fs::read_dir(host).unwrap().map(|file| file.unwrap().path());
    hosts.flat_map(|host| of(host.unwrap().path())).collect()
}
