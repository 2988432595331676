//! The data directory: made with narrow rights, held by one process, with the installation's keys in it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use portreeve_core::random::Rng;
use portreeve_core::secret::SecretKey;
use portreeve_state::Start;

use crate::cli::Failure;

const MASTER_KEY: &str = "master.key";

/// An opened data directory. Held until dropped.
#[derive(Debug)]
pub(crate) struct DataDirectory {
    path: PathBuf,
    /// How the process before this one ended.
    pub(crate) start: Start,
    _lock: File,
}

impl DataDirectory {
    /// Opens the directory, making it first where it is missing.
    pub(crate) fn open(path: &Path) -> Result<Self, Failure> {
        let fail = |what: &str, error: io::Error| {
            Failure::new(format!(
                "the data directory `{}` cannot be {what}: {error}",
                path.display()
            ))
            .hint("name another one with `--data DIR`")
        };
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(path)
            .map_err(|error| fail("made", error))?;
        let lock = private_file(&path.join("lock")).map_err(|error| fail("used", error))?;
        if lock.try_lock().is_err() {
            return Err(Failure::new(format!(
                "another Portreeve runs on the data directory `{}`",
                path.display()
            ))
            .hint("stop it first, or name another directory with `--data DIR`"));
        }
        let marker = path.join("running");
        let start = if marker.exists() {
            Start::AfterCrash
        } else {
            Start::Fresh
        };
        private_file(&marker).map_err(|error| fail("used", error))?;
        Ok(Self {
            path: path.to_owned(),
            start,
            _lock: lock,
        })
    }

    /// Its path.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The installation's master key, made at the first start.
    pub(crate) fn master_key(&self, rng: &dyn Rng) -> Result<SecretKey, Failure> {
        // A node that ran before and has no key lost it: a new one would read nothing of what the old one sealed.
        if !self.has(MASTER_KEY) && !self.has("node.id") {
            let mut bytes = [0_u8; 32];
            rng.fill(&mut bytes);
            let text: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            self.write(MASTER_KEY, &text)?;
        }
        read_master_key(&self.path)
    }

    /// Writes a file that only the owner can read.
    pub(crate) fn write(&self, name: &str, content: &str) -> Result<PathBuf, Failure> {
        let file = self.path.join(name);
        write_private(&file, content.as_bytes())
            .map_err(|error| Failure::new(format!("`{}` cannot be written: {error}", file.display())))?;
        Ok(file)
    }

    /// Reads a small file; `None` when it is not there.
    pub(crate) fn read(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.path.join(name)).ok()
    }

    /// Whether a file is there.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.path.join(name).exists()
    }

    /// Says that the process ends in order.
    pub(crate) fn close(self) {
        if let Err(error) = fs::remove_file(self.path.join("running")) {
            tracing::warn!(error = %error, "the next start will take this end for a crash");
        }
    }
}

/// The master key of a data directory that has one.
pub(crate) fn read_master_key(directory: &Path) -> Result<SecretKey, Failure> {
    let file = directory.join(MASTER_KEY);
    let fail = |problem: String| {
        Failure::new(format!("the master key `{}` {problem}", file.display()))
            .hint("restore it from a backup: what it sealed cannot be read without it")
    };
    let text = fs::read_to_string(&file).map_err(|error| fail(format!("cannot be read: {error}")))?;
    parse_key(text.trim()).ok_or_else(|| fail("is not 64 hexadecimal digits".to_owned()))
}

/// Files that others than the owner could read or write, and the directory itself if it is open to others.
pub(crate) fn loose_rights(path: &Path) -> io::Result<Vec<String>> {
    let mut loose = Vec::new();
    let mut look = |path: &Path, name: String| -> io::Result<()> {
        if fs::metadata(path)?.permissions().mode() & 0o077 != 0 {
            loose.push(name);
        }
        Ok(())
    };
    look(path, path.display().to_string())?;
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            look(&entry.path(), entry.file_name().to_string_lossy().into_owned())?;
        }
    }
    Ok(loose)
}

/// The key that 64 hexadecimal digits stand for.
pub(crate) fn parse_key(text: &str) -> Option<SecretKey> {
    let mut bytes = [0_u8; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(at * 2..at * 2 + 2)?, 16).ok()?;
    }
    Some(SecretKey::new(bytes))
}

fn private_file(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path)
}

/// Written whole or not at all: beside it first, then moved into its place.
/// Writes a file that only the owner can read.
pub(crate) fn write_private(path: &Path, content: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut file = OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(0o600)
        .open(&beside)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&beside, path)
}
