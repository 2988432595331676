//! Reads the journal in batches, for the writer that moves it into the table.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};

use super::line::{self, Record};
use super::segments::Segment;

/// How far the journal was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Position {
    /// The first sequence of the segment.
    pub(crate) segment: i64,
    /// Bytes of it that were read.
    pub(crate) offset: u64,
}

/// Some lines of the journal.
#[derive(Debug, Default)]
pub(crate) struct Batch {
    /// The records, each with its segment.
    pub(crate) records: Vec<(i64, Record)>,
    /// Segments with lines that are not records.
    pub(crate) damaged: Vec<i64>,
    /// Where the next batch begins.
    pub(crate) next: Position,
    /// Whether it ended because it was full.
    pub(crate) is_full: bool,
}

/// Records in a batch.
const RECORDS: usize = 4_000;
/// Bytes after which a batch ends.
const BYTES: usize = 4 * 1024 * 1024;

/// Reads on from a position. An empty batch at the same position: there is nothing more.
pub(crate) fn read(segments: &[Segment], from: Position) -> io::Result<Batch> {
    let mut batch = Batch {
        next: from,
        ..Batch::default()
    };
    let mut bytes = 0;
    for segment in segments.iter().filter(|segment| segment.first >= from.segment) {
        if segment.first > batch.next.segment {
            batch.next = Position {
                segment: segment.first,
                offset: 0,
            };
        }
        if batch.next.offset >= segment.length {
            continue;
        }
        if !read_segment(segment, &mut batch, &mut bytes)? {
            batch.is_full = true;
            break;
        }
    }
    Ok(batch)
}

/// Reads a segment to its end, or until the batch is full; tells whether there is room for more.
fn read_segment(segment: &Segment, batch: &mut Batch, bytes: &mut usize) -> io::Result<bool> {
    let mut file = match File::open(&segment.path) {
        // Somebody took it away. What is missing shows as a gap in the chain.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(true),
        file => file?,
    };
    file.seek(SeekFrom::Start(batch.next.offset))?;
    let mut reader = BufReader::with_capacity(64 * 1024, file.take(segment.length - batch.next.offset));
    let mut buffer = Vec::new();
    loop {
        if batch.records.len() >= RECORDS || *bytes >= BYTES {
            return Ok(false);
        }
        buffer.clear();
        let read = reader.read_until(b'\n', &mut buffer)?;
        if read == 0 {
            batch.next.offset = segment.length;
            return Ok(true);
        }
        batch.next.offset += read as u64;
        *bytes += read;
        let is_whole = buffer.pop_if(|byte| *byte == b'\n').is_some();
        match line::parse(&buffer).filter(|_| is_whole) {
            Some(record) => batch.records.push((segment.first, record)),
            None => batch.damaged.push(segment.first),
        }
    }
}
