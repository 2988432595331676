//! `portreeve partner init` and `export`: the beginning of a partner, and the way back into the Azure catalogue.

use std::fs;
use std::path::{Path, PathBuf};

use portreeve_registry::partners::{from_azure, skeleton, to_azure};
use serde_json::{Map, Value, json};

use super::super::{Failure, Reply};
use super::files;

/// Bytes of a file of the Azure catalogue.
const BYTES: u64 = 4 * 1024 * 1024;

/// Writes the files of a new partner.
pub(super) fn run(directory: &Path, from: Option<&Path>) -> Result<Reply, Failure> {
    // `.` has no name of its own.
    fs::create_dir_all(directory)
        .and_then(|()| directory.canonicalize())
        .map_err(|error| Failure::new(format!("`{}` cannot be written: {error}", directory.display())))
        .and_then(|directory| match from {
            None => begin(&directory),
            Some(file) => convert(&directory, file),
        })
}

fn begin(directory: &Path) -> Result<Reply, Failure> {
    let name = files::name_of(directory);
    let is_plain = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if name.len() > 50 || !name.split('-').all(is_plain) {
        return Err(Failure::new(format!("`{name}` cannot be the name of a partner"))
            .hint("call the folder by letters and digits, with hyphens between: `portreeve partner init partners/acme`"));
    }
    let (partner, server) = skeleton(&name);
    let written = files::write_partner(directory, &partner, (&name, &server))?;
    Ok(said(&written, directory))
}

/// One file makes the folder itself; the folder's name is then the partner's.
fn convert(directory: &Path, file: &Path) -> Result<Reply, Failure> {
    let read: Map<String, Value> = files::json(file, BYTES)?;
    let converted = from_azure(&read).ok_or_else(|| {
        Failure::new(format!(
            "`{}` has no `name`, so it is no partner file",
            file.display()
        ))
        .hint("name one file of `partners/servers/` of the Azure catalogue")
    })?;
    // A folder of partners gets one more; the partner's own folder becomes it.
    let own = match files::name_of(directory) == converted.partner.name {
        true => directory.to_path_buf(),
        false => directory.join(&converted.partner.name),
    };
    let written = files::write_partner(&own, &converted.partner, (&converted.stem, &converted.server))?;
    Ok(said(&written, &own))
}

fn said(written: &[PathBuf], directory: &Path) -> Reply {
    let names: Vec<String> = written.iter().map(|path| path.display().to_string()).collect();
    let next = format!("portreeve partner check {} --offline", directory.display());
    let text = format!(
        "Written: {}.\nNext: fill in what is missing; `{next}` names it.",
        names.join(", ")
    );
    Reply::new(json!({"written": names}), text)
}

/// Writes a partner's servers as files of the Azure catalogue.
pub(super) fn export(directory: &Path, out: &Path) -> Result<Reply, Failure> {
    let submitted = files::read_one(directory)?;
    let Some(partner) = &submitted.partner else {
        return Err(Failure::new("partner.toml does not have its form")
            .hint("`portreeve partner check DIR --offline` says what is wrong"));
    };
    fs::create_dir_all(out)
        .map_err(|error| Failure::new(format!("`{}` cannot be written: {error}", out.display())))?;
    let mut written = Vec::new();
    for server in &submitted.servers {
        let file = to_azure(partner, &server.document);
        let name = file
            .get("name")
            .and_then(Value::as_str)
            .unwrap_or(&server.stem)
            .replace(['/', '\\'], "-");
        let text = serde_json::to_string_pretty(&file).map_err(|error| Failure::new(error.to_string()))?;
        let path = out.join(format!("{name}.json"));
        files::write(&path, format!("{text}\n").as_bytes())?;
        written.push(path.display().to_string());
    }
    let text = format!("Written: {}.", written.join(", "));
    Ok(Reply::new(json!({"written": written}), text))
}
