//! What the tests need and a bare machine lacks: taken from the distribution and the package registries, by pinned
//! version where the registry has versions, and kept in the cache folder for the next run.

pub(crate) mod apt;
pub(crate) mod deny;
pub(crate) mod node;
pub(crate) mod python;

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};

use crate::context::Context;
use crate::process::Log;
use crate::test::seconds;

/// The longest that one installation may take.
const LIMIT: Duration = Duration::from_secs(15 * 60);

/// Makes sure that a folder of the cache holds what `pin` says, and returns it.
///
/// A folder counts when the copy of the pin that is written last is there and equal. Anything else, half an
/// installation for example, is removed and made again.
fn cached(
    context: &mut Context,
    log: &mut Log,
    (name, pin): (&str, &str),
    make: impl FnOnce(&Context, &mut Log, &Path) -> Result<()>,
) -> Result<PathBuf> {
    let _lock = lock(context)?;
    let folder = context.cache.join(name);
    let stamp = folder.join(".pin");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == pin) {
        return Ok(folder);
    }
    let started = Instant::now();
    if folder.exists() {
        fs::remove_dir_all(&folder)?;
    }
    fs::create_dir_all(&folder)?;
    make(context, log, &folder).with_context(|| format!("cannot install {name}"))?;
    fs::write(&stamp, pin)?;
    context.note(format!("installed {name} in {}", seconds(started.elapsed())));
    Ok(folder)
}

/// Two runs at once share the cache, so one waits for the other. The lock goes with the file.
fn lock(context: &Context) -> Result<File> {
    let path = context.cache.join(".lock");
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)?;
    file.lock()
        .with_context(|| format!("cannot lock `{}`", path.display()))?;
    Ok(file)
}
