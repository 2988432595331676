//! Sources on this machine, split into records: files, directories, a Git repository that the user's own Git fetches.

use std::path::{Path, PathBuf};

use portreeve_core::import::ImportKind;
use portreeve_net::{Reach, read_body};
use portreeve_registry::import::{self, is_of_source};
use serde::Serialize;

use crate::cli::{Connection, Failure};

/// Largest file that is read.
const FILE_BYTES: u64 = 512 * 1024 * 1024;
/// Largest single record. The server's own limit is lower.
const RECORD_BYTES: u64 = 4 * 1024 * 1024;
/// Files of one directory.
const MOST_FILES: usize = 100_000;
/// Directories below one another.
const MOST_DEPTH: usize = 20;

/// A record as it is uploaded.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Record {
    /// Its place in the source.
    pub(super) place: String,
    /// Its text.
    pub(super) text: String,
}

/// A file, split as sources of this form are.
pub(super) fn file(kind: ImportKind, path: &Path) -> Result<Vec<Record>, Failure> {
    let text = read(path, FILE_BYTES)?;
    let place = path.file_name().map(|name| name.to_string_lossy().into_owned());
    Ok(split(kind, &place.unwrap_or_default(), text))
}

/// Partner files: a directory, a file, a bundle of files, or one of those at a URL.
pub(super) async fn partners(connection: &Connection, source: &str) -> Result<Vec<Record>, Failure> {
    let kind = ImportKind::Partners;
    if source.starts_with("https://") || source.starts_with("http://") {
        let text = fetched(connection, source).await?;
        return Ok(split(kind, source, text));
    }
    file_or_directory(kind, Path::new(source))
}

/// A file, or the files below a directory that have entries.
pub(super) fn file_or_directory(kind: ImportKind, path: &Path) -> Result<Vec<Record>, Failure> {
    if path.is_dir() {
        return directory(path, |place| is_of_source(kind, place));
    }
    file(kind, path)
}

/// The `server.json` files of a repository.
pub(super) async fn git(url: &str) -> Result<Vec<Record>, Failure> {
    if url.starts_with('-') {
        return Err(Failure::new(format!("`{url}` is not a repository"))
            .hint("name it as `git clone` takes it, as in `https://git.acme.example/mcp.git`"));
    }
    let folder = tempfile::tempdir()
        .map_err(|error| Failure::new(format!("cannot make a temporary directory: {error}")))?;
    let tree = folder.path().join("tree");
    let cloned = tokio::process::Command::new("git")
        .args(["clone", "--quiet", "--depth", "1", "--", url])
        .arg(&tree)
        .stdin(std::process::Stdio::null())
        .output()
        .await
        .map_err(|error| Failure::new(format!("cannot run `git`: {error}")).hint("install Git"))?;
    if !cloned.status.success() {
        let said = String::from_utf8_lossy(&cloned.stderr);
        let last = said.lines().last().unwrap_or_default().to_owned();
        return Err(Failure::new(format!("`git clone` failed: {last}"))
            .hint("try it by hand: the same Git, with the same credentials, is used"));
    }
    directory(&tree, |place| is_of_source(ImportKind::Git, place))
}

fn failed(path: &Path, reason: &dyn std::fmt::Display) -> Failure {
    Failure::new(format!("cannot read `{}`: {reason}", path.display()))
}

fn read(path: &Path, most: u64) -> Result<String, Failure> {
    let size = std::fs::metadata(path)
        .map_err(|error| failed(path, &error))?
        .len();
    if size > most {
        let size = format!("it is larger than {} MiB", most / 1024 / 1024);
        return Err(failed(path, &size).hint("is it the right file?"));
    }
    let bytes = std::fs::read(path).map_err(|error| failed(path, &error))?;
    // A file in another encoding is flagged by what is wrong in it, and not dropped.
    Ok(String::from_utf8_lossy(&bytes)
        .trim_start_matches('\u{feff}')
        .to_owned())
}

fn split(kind: ImportKind, place: &str, text: String) -> Vec<Record> {
    // They are uploaded in parts, however many there are.
    let records = import::records_of(kind, import::record(place, text), usize::MAX).into_iter();
    records.map(Record::from).collect()
}

impl From<import::Record> for Record {
    fn from(record: import::Record) -> Self {
        Self {
            place: record.place,
            text: record.text,
        }
    }
}

/// The files below a directory that are wanted, by their path. Links are not followed.
fn directory(root: &Path, wanted: impl Fn(&str) -> bool) -> Result<Vec<Record>, Failure> {
    let mut found: Vec<PathBuf> = Vec::new();
    let mut waiting = vec![(root.to_owned(), 0)];
    while let Some((folder, depth)) = waiting.pop() {
        let entries = std::fs::read_dir(&folder).map_err(|error| failed(&folder, &error))?;
        for entry in entries {
            let entry = entry.map_err(|error| failed(&folder, &error))?;
            let kind = entry.file_type().map_err(|error| failed(&folder, &error))?;
            let path = entry.path();
            if kind.is_dir() && entry.file_name() != ".git" && depth < MOST_DEPTH {
                waiting.push((path, depth + 1));
            } else if kind.is_file() && wanted(&place_of(root, &path)) {
                found.push(path);
            }
        }
        if found.len() > MOST_FILES {
            let many = format!("it has more than {MOST_FILES} files");
            return Err(failed(root, &many).hint("name the directory of the records themselves"));
        }
    }
    found.sort_unstable();
    found
        .iter()
        .map(|path| Ok(import::record(&place_of(root, path), read(path, RECORD_BYTES)?).into()))
        .collect()
}

fn place_of(root: &Path, path: &Path) -> String {
    let inside = path.strip_prefix(root).unwrap_or(path);
    inside.to_string_lossy().replace('\\', "/")
}

/// A file at a URL that was typed here.
async fn fetched(connection: &Connection, url: &str) -> Result<String, Failure> {
    let failed = |reason: String| Failure::new(format!("cannot read {url}: {reason}"));
    let request = http::Request::builder()
        .uri(url)
        .body(bytes::Bytes::new())
        .map_err(|error| failed(error.to_string()))?;
    let limit = std::time::Duration::from_secs(60);
    let response = connection
        .egress()
        .send(request, &Reach::Operator, limit)
        .await
        .map_err(|error| failed(error.to_string()))?;
    let (head, body) = response.into_parts();
    if !head.status.is_success() {
        return Err(failed(format!("it answers {}", head.status)));
    }
    let most = usize::try_from(FILE_BYTES).unwrap_or(usize::MAX);
    let bytes = read_body(body, most, limit)
        .await
        .map_err(|error| failed(error.to_string()))?;
    Ok(String::from_utf8_lossy(&bytes)
        .trim_start_matches('\u{feff}')
        .to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_gives_what_is_wanted_in_order() {
        let folder = tempfile::tempdir().unwrap();
        for (path, text) in [
            ("b/server.json", "2"),
            ("a/server.json", "1"),
            (".git/server.json", "0"),
            ("x.json", "3"),
        ] {
            let path = folder.path().join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let found = directory(folder.path(), |place| place.ends_with("server.json")).unwrap();
        let told: Vec<_> = found
            .iter()
            .map(|one| (one.place.as_str(), one.text.as_str()))
            .collect();
        assert_eq!(told, [("a/server.json", "1"), ("b/server.json", "2")]);
    }
}
