//! Copies of hosts' files, made before one of them is written, and the way back.
//!
//! Before: `rewrite` knows the new texts. After: it writes them; `--restore` puts the copies back. The copies hold
//! secrets as the files do, so only their owner can read them.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::cli::{Failure, Reply};

/// The folder in the data directory.
const FOLDER: &str = "client-backups";
/// Backups that are kept count for finding the next number.
const MOST: u32 = 100_000;

/// A file as it was, and as it is to be.
pub(super) struct Change {
    pub(super) path: PathBuf,
    pub(super) before: String,
    pub(super) after: String,
}

fn failed(path: &Path, what: &str, error: &io::Error) -> Failure {
    Failure::new(format!("cannot {what} `{}`: {error}", path.display()))
}

fn private(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .create_new(true)
        .write(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(content)?;
    file.sync_all()
}

/// Makes copies of files that will be written. Answers the backup's number.
pub(super) fn make(data: &Path, changes: &[Change]) -> Result<u32, Failure> {
    let root = data.join(FOLDER);
    let make_all = DirBuilder::new().recursive(true).mode(0o700).create(&root);
    make_all.map_err(|error| failed(&root, "make", &error))?;
    let mut number = numbers(&root).last().copied().unwrap_or(0) + 1;
    let folder = loop {
        let folder = root.join(number.to_string());
        match DirBuilder::new().mode(0o700).create(&folder) {
            Ok(()) => break folder,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < MOST => number += 1,
            Err(error) => return Err(failed(&folder, "make", &error)),
        }
    };
    let mut list = Vec::new();
    for (place, change) in changes.iter().enumerate() {
        for (name, text) in [("before", &change.before), ("after", &change.after)] {
            let file = folder.join(format!("{place}.{name}"));
            private(&file, text.as_bytes()).map_err(|error| failed(&file, "write", &error))?;
        }
        list.push(json!({ "path": change.path.display().to_string(), "place": place }));
    }
    let file = folder.join("files.json");
    let text = json!({ "files": list }).to_string();
    private(&file, text.as_bytes()).map_err(|error| failed(&file, "write", &error))?;
    Ok(number)
}

/// Where a backup lies.
pub(super) fn folder(data: &Path, number: u32) -> PathBuf {
    data.join(FOLDER).join(number.to_string())
}

/// The backups that are there, in their order.
fn numbers(root: &Path) -> Vec<u32> {
    let entries = fs::read_dir(root).into_iter().flatten().flatten();
    let mut numbers: Vec<u32> = entries
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .collect();
    numbers.sort_unstable();
    numbers
}

/// Puts a text into a file's place as a whole, where it still says what it said.
pub(super) fn swap(path: &Path, before: &str, after: &str) -> Result<(), Failure> {
    let path = &fs::canonicalize(path).map_err(|error| failed(path, "find", &error))?;
    let now = fs::read(path).map_err(|error| failed(path, "read", &error))?;
    if now != before.as_bytes() {
        return Err(Failure::new(format!(
            "`{}` was changed in the meantime; it is left as it is",
            path.display()
        ))
        .hint("close the host that writes it, and run the command again"));
    }
    let mode = fs::metadata(path)
        .map_err(|error| failed(path, "read", &error))?
        .permissions()
        .mode()
        & 0o777;
    let folder = path.parent().unwrap_or(path);
    let mut beside = tempfile::Builder::new()
        .prefix(".portreeve-")
        .tempfile_in(folder)
        .map_err(|error| failed(folder, "write into", &error))?;
    let written = beside
        .write_all(after.as_bytes())
        .and_then(|()| beside.as_file().set_permissions(fs::Permissions::from_mode(mode)))
        .and_then(|()| beside.as_file().sync_all());
    written.map_err(|error| failed(path, "write", &error))?;
    beside
        .persist(path)
        .map_err(|error| failed(path, "replace", &error.error))?;
    Ok(())
}

/// Puts back what a backup holds: the last one, or the one named. A file that was changed since is left as it is.
pub(super) fn restore(data: &Path, number: Option<u32>) -> Result<Reply, Failure> {
    let root = data.join(FOLDER);
    let Some(number) = number.or_else(|| numbers(&root).last().copied()) else {
        return Err(Failure::new(format!("there is no backup in `{}`", root.display()))
            .hint("one is made by `portreeve import clients --rewrite`; `--data DIR` names another data directory"));
    };
    let folder = folder(data, number);
    let file = folder.join("files.json");
    let text = fs::read_to_string(&file).map_err(|error| failed(&file, "read", &error))?;
    let list: Value = serde_json::from_str(&text)
        .map_err(|_| Failure::new(format!("`{}` is no list of a backup", file.display())))?;
    let (mut restored, mut left) = (Vec::new(), Vec::new());
    for entry in list.get("files").and_then(Value::as_array).into_iter().flatten() {
        let path = PathBuf::from(entry.get("path").and_then(Value::as_str).unwrap_or_default());
        let place = entry.get("place").and_then(Value::as_u64).unwrap_or_default();
        let copy = |name: &str| {
            let file = folder.join(format!("{place}.{name}"));
            fs::read_to_string(&file).map_err(|error| failed(&file, "read", &error))
        };
        let (before, after) = (copy("before")?, copy("after")?);
        let is_back = fs::read(&path).is_ok_and(|now| now == before.as_bytes());
        match if is_back {
            Ok(())
        } else {
            swap(&path, &after, &before)
        } {
            Ok(()) => restored.push(path.display().to_string()),
            Err(failure) => left.push(format!(
                "{failure}\n  as it was before: {}",
                folder.join(format!("{place}.before")).display()
            )),
        }
    }
    let mut lines: Vec<String> = restored
        .iter()
        .map(|path| format!("{path} is as it was."))
        .collect();
    lines.extend(left.iter().cloned());
    let body = json!({ "backup": number, "restored": restored, "left": left });
    Ok(Reply::new(body, lines.join("\n")).bad_if(!left.is_empty()))
}
