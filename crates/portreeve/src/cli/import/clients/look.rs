//! The files of this machine's hosts, opened and read. A file that cannot be read is told with its line, and the others
//! go on.
//!
//! Before: where hosts keep their files. After: `registry::clients` makes proposals of what was found.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use portreeve_registry::clients::{CLIENTS, Found, Place, Surroundings, found};
use serde_json::{Value, json};

use super::form;

/// Largest file that is read. `~/.claude.json` holds histories, too.
const FILE_BYTES: u64 = 64 * 1024 * 1024;

/// What a look at the files came to.
#[derive(Debug, Default)]
pub(super) struct Looked {
    pub(super) found: Vec<Found>,
    pub(super) files: Vec<PathBuf>,
    pub(super) findings: Vec<Finding>,
}

/// A file that could not be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Finding {
    pub(super) host: &'static str,
    pub(super) file: PathBuf,
    pub(super) line: Option<usize>,
    pub(super) message: String,
}

// === impl Finding ===

impl Finding {
    pub(super) fn to_json(&self) -> Value {
        json!({ "host": self.host, "file": self.file.display().to_string(), "line": self.line, "message": self.message })
    }
}

/// Looks at the files of all hosts, or of these.
pub(super) fn look(around: &Surroundings, hosts: &[String]) -> Looked {
    let mut looked = Looked::default();
    let mut read: BTreeMap<PathBuf, Option<String>> = BTreeMap::new();
    for client in CLIENTS {
        if !hosts.is_empty() && !hosts.iter().any(|host| host == client.id()) {
            continue;
        }
        let mut places: Vec<Place> = Vec::new();
        for place in client.places(around) {
            // In the home folder, the person's file and the project's are one.
            if !places.contains(&place) {
                places.push(place);
            }
        }
        for place in places {
            let is_known = read.contains_key(&place.path);
            let text = read.entry(place.path.clone()).or_insert_with(|| {
                open(&place.path).unwrap_or_else(|message| {
                    looked.findings.push(Finding {
                        host: client.id(),
                        file: place.path.clone(),
                        line: None,
                        message,
                    });
                    None
                })
            });
            let Some(text) = text else { continue };
            if !is_known {
                looked.files.push(place.path.clone());
            }
            match form::read(place.form, text) {
                Ok(value) => looked.found.extend(found(client, &place, &value)),
                Err(_) if is_known => {}
                Err(broken) => looked.findings.push(Finding {
                    host: client.id(),
                    file: place.path.clone(),
                    line: Some(broken.line),
                    message: broken.message,
                }),
            }
        }
    }
    looked
}

/// A file's text; nothing where there is none.
pub(super) fn open(path: &Path) -> Result<Option<String>, String> {
    let size = match std::fs::metadata(path) {
        Ok(about) if about.is_file() => about.len(),
        Ok(_) => return Ok(None),
        Err(error)
            if matches!(
                error.kind(),
                std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory
            ) =>
        {
            return Ok(None);
        }
        Err(error) => return Err(format!("it cannot be opened: {error}")),
    };
    if size > FILE_BYTES {
        return Err(format!("it is larger than {} MiB", FILE_BYTES / 1024 / 1024));
    }
    let bytes = std::fs::read(path).map_err(|error| format!("it cannot be read: {error}"))?;
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Some(text)),
        Err(_) => Err("it is not UTF-8".to_owned()),
    }
}
