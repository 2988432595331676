//! Copies of hosts' files, made before one of them is written, and the way back.
//!
//! Before: `rewrite` knows the new texts. After: it writes them; `--restore` puts the copies back. The copies hold
//! secrets as the files do, so only their owner can read them.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{
    DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _, fchown,
};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::cli::{Failure, Reply};

/// The folder in the data directory.
const FOLDER: &str = "client-backups";
/// What a backup holds. It is written last: a backup without it was never made to its end.
const LIST: &str = "files.json";
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
    let file = folder.join(LIST);
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

/// Refuses a file that no longer says what it said.
fn unchanged(path: &Path, before: &str) -> Result<(), Failure> {
    let now = fs::read(path).map_err(|error| failed(path, "read", &error))?;
    if now == before.as_bytes() {
        return Ok(());
    }
    Err(Failure::new(format!(
        "`{}` was changed in the meantime; it is left as it is",
        path.display()
    ))
    .hint("close the host that writes it, and run the command again"))
}

/// Gives a file the owner and the group of another: who runs this as root leaves people their files.
fn owned_as(file: &File, other: &Metadata) -> io::Result<()> {
    let now = file.metadata()?;
    let (user, group) = (other.uid(), other.gid());
    let user = (now.uid() != user).then_some(user);
    let group = (now.gid() != group).then_some(group);
    if user.is_none() && group.is_none() {
        return Ok(());
    }
    fchown(file, user, group)
}

/// Puts a text into a file's place as a whole, where it still says what it said.
pub(super) fn swap(path: &Path, before: &str, after: &str) -> Result<(), Failure> {
    let path = &fs::canonicalize(path).map_err(|error| failed(path, "find", &error))?;
    unchanged(path, before)?;
    let kept = fs::metadata(path).map_err(|error| failed(path, "read", &error))?;
    let mode = kept.permissions().mode() & 0o777;
    let folder = path.parent().unwrap_or(path);
    let mut beside = tempfile::Builder::new()
        .prefix(".portreeve-")
        .tempfile_in(folder)
        .map_err(|error| failed(folder, "write into", &error))?;
    owned_as(beside.as_file(), &kept).map_err(|error| failed(path, "keep the owner of", &error))?;
    let written = beside
        .write_all(after.as_bytes())
        .and_then(|()| beside.as_file().set_permissions(fs::Permissions::from_mode(mode)))
        .and_then(|()| beside.as_file().sync_all());
    written.map_err(|error| failed(path, "write", &error))?;
    // Writing to a disk takes long enough for a host to save something of its own.
    unchanged(path, before)?;
    beside
        .persist(path)
        .map_err(|error| failed(path, "replace", &error.error))?;
    Ok(())
}

/// The last backup that was made to its end.
fn last(root: &Path) -> Option<u32> {
    numbers(root)
        .into_iter()
        .rev()
        .find(|number| root.join(number.to_string()).join(LIST).is_file())
}

/// The files of a backup, with their places in it.
fn files(folder: &Path) -> Result<Vec<(PathBuf, u64)>, Failure> {
    let file = folder.join(LIST);
    let text = fs::read_to_string(&file).map_err(|error| failed(&file, "read", &error))?;
    let list: Value = serde_json::from_str(&text)
        .map_err(|_| Failure::new(format!("`{}` is no list of a backup", file.display())))?;
    let entries = list.get("files").and_then(Value::as_array).into_iter().flatten();
    let files = entries.map(|entry| {
        let path = PathBuf::from(entry.get("path").and_then(Value::as_str).unwrap_or_default());
        let place = entry.get("place").and_then(Value::as_u64).unwrap_or_default();
        (path, place)
    });
    Ok(files.collect())
}

/// Puts back what a backup holds, if `may` says so: the last one, or the one named. A file that was changed since is left
/// as it is.
pub(super) fn restore(
    data: &Path,
    number: Option<u32>,
    may: impl FnOnce(&str) -> Result<bool, Failure>,
) -> Result<Reply, Failure> {
    let root = data.join(FOLDER);
    let Some(number) = number.or_else(|| last(&root)) else {
        return Err(Failure::new(format!("there is no backup in `{}`", root.display()))
            .hint("one is made by `portreeve import clients --rewrite`; `--data DIR` names another data directory"));
    };
    let folder = folder(data, number);
    let files = files(&folder)?;
    let mut question = format!("Backup {number} holds, as they were:");
    for (path, _) in &files {
        question.push_str(&format!("\n  {}", path.display()));
    }
    if !may(&format!("{question}\nPut them back?"))? {
        let body = json!({ "backup": number, "restored": [], "left": [] });
        return Ok(Reply::new(body, "Nothing was written.".to_owned()));
    }
    let (mut restored, mut left) = (Vec::new(), Vec::new());
    for (path, place) in files {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_keeps_its_mode_and_whose_it_is() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("mcp.json");
        fs::write(&path, "before").unwrap();
        // Only root may give a file away; for others this is about the mode.
        let given = fchown(File::open(&path).unwrap(), Some(54_321), Some(54_321));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        swap(&path, "before", "after").unwrap();
        let now = fs::metadata(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "after");
        assert_eq!(now.permissions().mode() & 0o777, 0o640);
        if given.is_ok() {
            assert_eq!((now.uid(), now.gid()), (54_321, 54_321));
        }
        assert!(swap(&path, "before", "later").is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), "after");
    }

    #[test]
    fn the_last_backup_is_one_that_was_made_to_its_end() {
        let data = tempfile::tempdir().unwrap();
        let path = data.path().join("mcp.json");
        fs::write(&path, "after").unwrap();
        let change = Change {
            path: path.clone(),
            before: "before".to_owned(),
            after: "after".to_owned(),
        };
        let number = make(data.path(), &[change]).unwrap();
        fs::create_dir(folder(data.path(), number + 1)).unwrap();
        assert!(restore(data.path(), None, |_| Ok(false)).is_ok());
        assert_eq!(fs::read_to_string(&path).unwrap(), "after");
        assert!(restore(data.path(), None, |_| Ok(true)).is_ok());
        assert_eq!(fs::read_to_string(&path).unwrap(), "before");
    }
}
