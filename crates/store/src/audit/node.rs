//! The node's identity: made once, kept in the data directory, carried by its audit chain and its usage.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use portreeve_core::id::NodeId;
use portreeve_core::random::Rng;
use portreeve_core::time::Clock;

use super::AuditError;

/// The file that holds it.
const FILE: &str = "node.id";

/// The identity of the node whose data directory this is. Made at the first start, with the directory.
pub fn node_identity(data: &Path, clock: &dyn Clock, rng: &dyn Rng) -> Result<NodeId, AuditError> {
    make_private_directory(data)?;
    match read_node(data) {
        Err(AuditError::File { source, .. }) if source.kind() == ErrorKind::NotFound => {}
        result => return result,
    }
    let node = NodeId::new(clock, rng);
    let path = data.join(FILE);
    // Written aside and moved: a crash leaves no half identity behind.
    let aside = data.join("node.id.new");
    let write = || {
        let mut file = OpenOptions::new()
            .create(true)
            .write(true)
            .truncate(true)
            .mode(0o600)
            .open(&aside)?;
        file.write_all(format!("{node}\n").as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&aside, &path)?;
        File::open(data)?.sync_all()
    };
    write().map_err(AuditError::at(&path))?;
    Ok(node)
}

/// The identity in a data directory that has one.
pub(crate) fn read_node(data: &Path) -> Result<NodeId, AuditError> {
    let path = data.join(FILE);
    let text = std::fs::read_to_string(&path).map_err(AuditError::at(&path))?;
    text.trim().parse().map_err(|_| AuditError::Node { path })
}

/// Makes a directory that only its owner may enter, unless it exists.
pub(crate) fn make_private_directory(path: &Path) -> Result<(), AuditError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(AuditError::at(path))
}
