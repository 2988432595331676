//! What is outside of the database: the journal's lines and the checkpoint file, as they are at one moment.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use portreeve_core::ports::StoreError;

use super::Findings;
use super::chain::Chain;
use crate::audit::checkpoint::{self, FileContents};
use crate::audit::error::{AuditError, as_store_error};
use crate::audit::hash::{ChainHash, ChainHead};
use crate::audit::line::{self, Record};
use crate::audit::segments::Segment;

/// What is known of the chain whose journal is at hand.
#[derive(Debug)]
pub(crate) struct Own {
    /// Whose it is.
    pub(crate) node: String,
    /// What the running journal wrote last.
    pub(crate) head: Option<ChainHead>,
    /// Up to where the running writer moved the journal into the table.
    pub(crate) moved: Option<i64>,
    /// The last record in the table at that moment, if somebody works who must have written it.
    pub(crate) stored: Option<i64>,
}

/// Everything outside of the database.
#[derive(Debug)]
pub(crate) struct Evidence {
    pub(crate) own: Own,
    pub(super) checkpoints: FileContents,
    pub(super) lines: Lines,
}

/// The journal's segments, held open: the writer may delete them meanwhile.
#[derive(Debug)]
pub(super) struct Lines {
    segments: Vec<(Segment, File)>,
}

// === impl Evidence ===

impl Evidence {
    /// Takes hold of journal and checkpoint file.
    pub(crate) fn gather(data: &Path, own: Own, view: &[Segment]) -> Result<Self, AuditError> {
        let path = checkpoint::file(data);
        let checkpoints = checkpoint::read(&path).map_err(AuditError::at(&path))?;
        let mut segments = Vec::with_capacity(view.len());
        for segment in view.iter().filter(|segment| segment.length > 0) {
            match File::open(&segment.path) {
                Ok(file) => segments.push((segment.clone(), file)),
                // A running writer deleted it: its records are in the table.
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(AuditError::at(&segment.path)(error)),
            }
        }
        Ok(Self {
            own,
            checkpoints,
            lines: Lines { segments },
        })
    }
}

// === impl Lines ===

impl Lines {
    /// Where the journal begins.
    pub(super) fn first_sequence(&self) -> Option<i64> {
        self.segments.first().map(|(segment, _)| segment.first)
    }

    /// Follows the journal: records up to `moved` must be those of the table (`overlap`), later ones go on behind it.
    pub(super) fn follow(
        &self,
        chain: &mut Chain,
        overlap: &BTreeMap<i64, ChainHash>,
        moved: i64,
        findings: &mut Findings,
    ) -> Result<(), StoreError> {
        let mut walk = Walk {
            chain,
            overlap,
            moved,
            previous: None,
        };
        for (index, (segment, file)) in self.segments.iter().enumerate() {
            let is_last = index + 1 == self.segments.len();
            walk.previous = None;
            walk.follow(segment, file, is_last, findings)
                .map_err(AuditError::at(&segment.path))
                .map_err(as_store_error)?;
        }
        Ok(())
    }
}

struct Walk<'a> {
    chain: &'a mut Chain,
    overlap: &'a BTreeMap<i64, ChainHash>,
    moved: i64,
    /// The record before, in the same segment.
    previous: Option<(i64, ChainHash)>,
}

impl Walk<'_> {
    fn follow(
        &mut self,
        segment: &Segment,
        file: &File,
        is_last: bool,
        findings: &mut Findings,
    ) -> io::Result<()> {
        let mut file = file;
        file.seek(SeekFrom::Start(0))?;
        let mut reader = BufReader::with_capacity(256 * 1024, file.take(segment.length));
        let mut buffer = Vec::new();
        let mut expected = segment.first;
        loop {
            buffer.clear();
            if reader.read_until(b'\n', &mut buffer)? == 0 {
                return Ok(());
            }
            let is_whole = buffer.pop_if(|byte| *byte == b'\n').is_some();
            if !is_whole && is_last {
                // Cut short by a crash before it was acknowledged: the next start removes it.
                return Ok(());
            }
            match line::parse(&buffer).filter(|_| is_whole) {
                Some(record) => {
                    self.record(&record, findings);
                    expected = record.sequence + 1;
                }
                None => {
                    self.unreadable(expected, findings);
                    expected += 1;
                }
            }
        }
    }

    fn record(&mut self, record: &Record, findings: &mut Findings) {
        if record.sequence > self.moved {
            self.chain.record(
                record.sequence,
                Some(record.hash),
                record.body.as_bytes(),
                findings,
            );
            return;
        }
        let before = self
            .previous
            .filter(|(sequence, _)| *sequence == record.sequence - 1)
            .map(|(_, hash)| hash)
            .or_else(|| self.overlap.get(&(record.sequence - 1)).copied())
            .or_else(|| (record.sequence == 1).then_some(ChainHash::GENESIS));
        let is_linked =
            before.is_none_or(|hash| hash.next(record.sequence, record.body.as_bytes()) == record.hash);
        let in_table = self.overlap.get(&record.sequence);
        if in_table.is_some_and(|hash| *hash != record.hash) {
            let problem = "journal and table hold different records";
            findings.add(self.chain.node(), record.sequence, problem);
        } else if !is_linked {
            let problem = "the record in the journal does not match its hash";
            findings.add(self.chain.node(), record.sequence, problem);
        }
        self.previous = Some((record.sequence, record.hash));
    }

    fn unreadable(&mut self, sequence: i64, findings: &mut Findings) {
        self.previous = None;
        if sequence == self.chain.sequence() + 1 && sequence > self.moved {
            self.chain.skip_unreadable(findings);
        } else {
            findings.add(
                self.chain.node(),
                sequence,
                "the line of the journal is not a record",
            );
        }
    }
}
