//! Folders of partners on the disk: read whole and within limits, and written. What is read here may be a stranger's and is
//! shown to everybody, so nothing in a folder leads out of it: links and what is no plain file are refused.

use std::fs::{self, DirEntry, File};
use std::io::Read as _;
use std::path::{Path, PathBuf};

use portreeve_core::limits::Limits;
use portreeve_registry::partners::{Files, Folder, IconFile, Partner, Submitted};
use serde_json::{Map, Value};

use super::super::Failure;

/// Bytes of one file. More are not read, and the schema or the icon's check says so.
const BYTES: u64 = 1024 * 1024;
const MANIFEST: &str = "partner.toml";

/// What lies under a path: a folder of partners, and which of them were meant.
pub(super) struct Read {
    pub(super) folder: Folder,
    /// The one that was named; `None` when all of them were.
    pub(super) one: Option<String>,
}

impl Read {
    /// The partners that were meant.
    pub(super) fn meant(&self) -> impl Iterator<Item = &Submitted> {
        let partners = self.folder.partners.iter();
        partners.filter(|partner| self.one.as_ref().is_none_or(|one| partner.slug == *one))
    }
}

/// Reads a partner among those beside it, or a folder of partners.
pub(super) fn read(path: &Path) -> Result<Read, Failure> {
    let path = path.canonicalize().map_err(|error| unreadable(path, &error))?;
    let (root, one) = if path.join(MANIFEST).exists() || path.join("servers").is_dir() {
        (path.parent().unwrap_or(&path), Some(name_of(&path)))
    } else {
        (path.as_path(), None)
    };
    let mut files = Vec::new();
    for entry in sorted(root)? {
        let folder = entry.path();
        let is_meant = one.as_ref().is_some_and(|one| *one == name_of(&folder));
        // Beside a partner, or among partners, may lie something else.
        if is_own_folder(&folder)
            && (is_meant || folder.join(MANIFEST).exists() || folder.join("servers").is_dir())
        {
            files.push(one_partner(&folder)?);
        }
    }
    if files.is_empty() {
        return Err(Failure::new(format!("`{}` holds no partner", path.display()))
            .hint("name a folder with partner.toml, or one that holds such folders; `portreeve partner init` writes one"));
    }
    Ok(Read {
        folder: Folder::read(files, &Limits::default()),
        one,
    })
}

/// Reads one partner alone.
pub(super) fn read_one(path: &Path) -> Result<Submitted, Failure> {
    let read = read(path)?;
    let name = read.one.clone();
    let mut meant = read.folder.partners.into_iter();
    name.and_then(|name| meant.find(|partner| partner.slug == name))
        .ok_or_else(|| {
            Failure::new(format!("`{}` is no partner's folder", path.display()))
                .hint("name the folder that holds partner.toml")
        })
}

fn one_partner(folder: &Path) -> Result<Files, Failure> {
    let mut files = Files {
        slug: name_of(folder),
        ..Files::default()
    };
    for entry in sorted(folder)? {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        match name.as_str() {
            MANIFEST => files.partner = Some(tree(&text(&path)?)),
            "servers" if is_own_folder(&path) => {
                for server in sorted(&path)? {
                    let (path, name) = (server.path(), server.file_name().to_string_lossy().into_owned());
                    match name.strip_suffix(".json") {
                        Some(stem) if !path.is_dir() => files.servers.push((stem.to_owned(), text(&path)?)),
                        _ => files.strays.push(format!("servers/{name}")),
                    }
                }
            }
            "proof.json" => files.proof = Some(text(&path)?),
            "approval.json" => files.approval = Some(text(&path)?),
            "README.md" => {}
            _ if name.starts_with("icon.") && !path.is_dir() => {
                let bytes = bytes(&path)?;
                files.icon = Some(IconFile { name, bytes });
            }
            _ => files.strays.push(name),
        }
    }
    Ok(files)
}

/// A TOML text as a tree.
fn tree(text: &str) -> Result<Value, String> {
    toml::from_str::<Value>(text).map_err(|error| error.to_string().trim().replace('\n', " "))
}

/// Writes a partner's two files; refuses to write over what is there.
pub(super) fn write_partner(
    folder: &Path,
    partner: &Partner,
    (stem, server): (&str, &Map<String, Value>),
) -> Result<Vec<PathBuf>, Failure> {
    let manifest = folder.join(MANIFEST);
    if manifest.exists() {
        return Err(Failure::new(format!("`{}` is there already", manifest.display()))
            .hint("name another folder, or go on with the files that are there"));
    }
    let head = format!(
        "# A partner of the catalogue. `portreeve partner schema` prints what may stand here, docs/partners.md explains it;\n\
         # `portreeve partner check {}` says what is missing.\n\n",
        name_of(folder)
    );
    let toml = toml::to_string_pretty(partner).map_err(|error| Failure::new(error.to_string()))?;
    let json = serde_json::to_string_pretty(server).map_err(|error| Failure::new(error.to_string()))?;
    let file = folder.join("servers").join(format!("{stem}.json"));
    fs::create_dir_all(folder.join("servers")).map_err(|error| unwritable(folder, &error))?;
    write(&manifest, format!("{head}{toml}").as_bytes())?;
    write(&file, format!("{json}\n").as_bytes())?;
    Ok(vec![manifest, file])
}

/// Writes a file.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    fs::write(path, bytes).map_err(|error| unwritable(path, &error))
}

/// The bytes of a file in a partner's folder, of a size that somebody wrote by hand.
fn bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    let about = fs::symlink_metadata(path).map_err(|error| unreadable(path, &error))?;
    if !about.is_file() {
        return Err(Failure::new(format!("`{}` is no plain file", path.display()))
            .hint("put the file itself there; links and devices are not read"));
    }
    bytes_within(path, BYTES)
}

/// The bytes of a file that the command line names, which may be a link or a pipe.
pub(super) fn bytes_within(path: &Path, most: u64) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    // What a file says of its size need not be so.
    File::open(path)
        .and_then(|file| file.take(most.saturating_add(1)).read_to_end(&mut bytes))
        .map_err(|error| unreadable(path, &error))?;
    if bytes.len() as u64 > most {
        return Err(Failure::new(format!(
            "`{}` has more than {most} bytes",
            path.display()
        )));
    }
    Ok(bytes)
}

/// Whether a path is a folder, and no link to one.
fn is_own_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|about| about.is_dir())
}

fn text(path: &Path) -> Result<String, Failure> {
    String::from_utf8(bytes(path)?)
        .map_err(|_| Failure::new(format!("`{}` is not text in UTF-8", path.display())))
}

/// The JSON of a file.
pub(super) fn json<T: serde::de::DeserializeOwned>(path: &Path, most: u64) -> Result<T, Failure> {
    serde_json::from_slice(&bytes_within(path, most)?)
        .map_err(|error| Failure::new(format!("`{}` is not what it should be: {error}", path.display())))
}

fn sorted(folder: &Path) -> Result<Vec<DirEntry>, Failure> {
    let entries = fs::read_dir(folder).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let mut entries = entries.map_err(|error| unreadable(folder, &error))?;
    // What begins with a dot belongs to other programs.
    entries.retain(|entry| !entry.file_name().to_string_lossy().starts_with('.'));
    entries.sort_by_key(DirEntry::file_name);
    Ok(entries)
}

/// What a folder is called.
pub(super) fn name_of(folder: &Path) -> String {
    let name = folder.file_name().unwrap_or_default();
    name.to_string_lossy().into_owned()
}

fn unreadable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("`{}` cannot be read: {error}", path.display()))
}

fn unwritable(path: &Path, error: &std::io::Error) -> Failure {
    Failure::new(format!("`{}` cannot be written: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    #[test]
    fn nothing_in_a_folder_leads_out_of_it() {
        let place = tempfile::tempdir().unwrap();
        let at = |name: &str| place.path().join(name);
        fs::create_dir_all(at("partners/acme/servers")).unwrap();
        fs::write(at("partners/acme/partner.toml"), "name = \"acme\"").unwrap();
        fs::write(at("other.json"), "{}").unwrap();
        assert!(read(&at("partners/acme")).is_ok());
        for name in ["icon.png", "proof.json", "servers/acme.json"] {
            for target in [at("other.json"), "/dev/zero".into(), at("gone")] {
                let link = at("partners/acme").join(name);
                symlink(&target, &link).unwrap();
                let read = read(&at("partners/acme"));
                assert!(read.is_err(), "{name} leads to {}", target.display());
                fs::remove_file(&link).unwrap();
            }
        }
        symlink(at("partners/acme"), at("partners/linked")).unwrap();
        let found = read(&at("partners")).ok().map(|read| read.folder.partners.len());
        assert_eq!(found, Some(1));
    }

    #[test]
    fn no_more_is_read_than_there_may_be() {
        assert!(bytes_within(Path::new("/dev/zero"), 10).is_err());
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("file");
        fs::write(&file, "0123456789").unwrap();
        assert_eq!(bytes_within(&file, 10).ok(), Some(b"0123456789".to_vec()));
        assert!(bytes_within(&file, 9).is_err());
    }
}
