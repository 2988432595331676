//! The files of the journal: `<data>/journal/<first sequence>.log`, in the order of their first sequences.

use std::io;
use std::path::{Path, PathBuf};

/// A segment: what of it is complete at the moment of looking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Segment {
    /// The sequence of its first record.
    pub(crate) first: i64,
    /// Where it is.
    pub(crate) path: PathBuf,
    /// How many bytes of it count.
    pub(crate) length: u64,
}

/// The journal's directory.
pub(crate) fn directory(data: &Path) -> PathBuf {
    data.join("journal")
}

/// Where the segment with that first sequence is. The name is padded, so that `ls` shows the order.
pub(crate) fn path(directory: &Path, first: i64) -> PathBuf {
    directory.join(format!("{first:020}.log"))
}

/// All segments; none when the directory does not exist.
pub(crate) fn list(directory: &Path) -> io::Result<Vec<Segment>> {
    let entries = match std::fs::read_dir(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut segments = Vec::new();
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name();
        let first = name.to_str().and_then(|name| name.strip_suffix(".log"));
        let Some(first) = first.and_then(|first| first.parse().ok()) else {
            continue;
        };
        segments.push(Segment {
            first,
            path: entry.path(),
            length: entry.metadata()?.len(),
        });
    }
    segments.sort_by_key(|segment| segment.first);
    Ok(segments)
}
