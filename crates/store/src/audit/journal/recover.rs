//! What a start finds in the journal: the head of the chain. A line that a crash cut short was never acknowledged and
//! is cut off; anything else that is wrong stays where it is, for `verify` to name.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead as _, BufReader};
use std::path::Path;

use crate::audit::error::AuditError;
use crate::audit::hash::{ChainHash, ChainHead};
use crate::audit::line;
use crate::audit::segments::{self, Segment};

/// What was found.
#[derive(Debug)]
pub(super) struct Found {
    /// The last record, if the journal holds one.
    pub(super) head: Option<ChainHead>,
    /// The segment it is in.
    pub(super) last: Option<Segment>,
    /// Whether that segment holds a line that is not a record.
    pub(super) is_damaged: bool,
}

/// Looks at the last segment that holds a complete line.
pub(super) fn recover(directory: &Path) -> Result<Found, AuditError> {
    let mut all = segments::list(directory).map_err(AuditError::at(directory))?;
    while let Some(mut segment) = all.pop() {
        let scan = scan(&segment).map_err(AuditError::at(&segment.path))?;
        if scan.complete < segment.length {
            cut(&mut segment, scan.complete)?;
        }
        if segment.length == 0 {
            std::fs::remove_file(&segment.path).map_err(AuditError::at(&segment.path))?;
            continue;
        }
        return Ok(Found {
            head: Some(scan.head),
            last: Some(segment),
            is_damaged: scan.is_damaged,
        });
    }
    Ok(Found {
        head: None,
        last: None,
        is_damaged: false,
    })
}

fn cut(segment: &mut Segment, complete: u64) -> Result<(), AuditError> {
    tracing::warn!(
        segment = %segment.path.display(),
        bytes = segment.length - complete,
        "The last line of the audit journal was cut short by a crash before it was acknowledged. It is removed."
    );
    OpenOptions::new()
        .write(true)
        .open(&segment.path)
        .and_then(|file| file.set_len(complete))
        .map_err(AuditError::at(&segment.path))?;
    segment.length = complete;
    Ok(())
}

struct Scan {
    head: ChainHead,
    /// Bytes up to the end of the last complete line.
    complete: u64,
    is_damaged: bool,
}

fn scan(segment: &Segment) -> io::Result<Scan> {
    let mut reader = BufReader::with_capacity(256 * 1024, File::open(&segment.path)?);
    let mut scan = Scan {
        head: ChainHead {
            sequence: segment.first - 1,
            hash: ChainHash::GENESIS,
        },
        complete: 0,
        is_damaged: false,
    };
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        let read = reader.read_until(b'\n', &mut buffer)?;
        if buffer.pop() != Some(b'\n') {
            return Ok(scan);
        }
        scan.complete += read as u64;
        match line::parse(&buffer) {
            Some(record) => {
                scan.head = ChainHead {
                    sequence: record.sequence,
                    hash: record.hash,
                };
            }
            None => {
                // Its number is not used again, so that the gap stays visible.
                scan.head.sequence += 1;
                scan.is_damaged = true;
                tracing::error!(
                    segment = %segment.path.display(),
                    sequence = scan.head.sequence,
                    "A line of the audit journal is damaged. `portreeve audit verify` names it."
                );
            }
        }
    }
}
