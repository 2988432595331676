//! The journal: exactly one `write` to a file in append mode per event, before the answer leaves. What was written
//! survives the end of the process; whether it survives a power failure is the setting [`JournalSync`].

mod recover;

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use portreeve_core::audit::AuditEvent;
use portreeve_core::ports::{Journal, JournalError};

use super::error::AuditError;
use super::hash::ChainHead;
use super::line;
use super::node::make_private_directory;
use super::segments::{self, Segment};

/// When an event counts as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum JournalSync {
    /// When the operating system has it: survives `kill -9`, not a power failure.
    #[default]
    Os,
    /// When the disk has it: survives a power failure, and costs one flush per decision.
    EachWrite,
}

/// The journal of one node.
#[derive(Debug)]
pub struct FileJournal {
    directory: PathBuf,
    sync: JournalSync,
    state: Mutex<State>,
    /// Held as long as this process writes the journal.
    _lock: File,
}

#[derive(Debug)]
struct State {
    head: ChainHead,
    current: Option<Current>,
    /// The next event begins a new segment.
    rotate: bool,
    /// The line under way; kept, so that an append allocates nothing here.
    line: Vec<u8>,
}

#[derive(Debug)]
struct Current {
    first: i64,
    file: Arc<File>,
    /// Bytes of complete lines.
    length: u64,
    /// A write failed in the middle and its rest could not be cut off yet.
    torn: bool,
}

/// The journal as it is at one moment.
#[derive(Debug, Clone)]
pub(crate) struct JournalView {
    /// The last event that was written.
    pub(crate) head: ChainHead,
    /// The segments up to it.
    pub(crate) segments: Vec<Segment>,
}

impl Journal for FileJournal {
    fn append(&self, event: &AuditEvent) -> Result<(), JournalError> {
        let body = serde_json::to_vec(event).map_err(io::Error::from)?;
        self.append_body(&body)?;
        Ok(())
    }
}

// === impl FileJournal ===

impl FileJournal {
    /// Opens the journal of a data directory. `stored` is the head of this node's chain in the table: the chain goes
    /// on behind whichever is further, the journal or the table.
    pub fn open(data: &Path, sync: JournalSync, stored: ChainHead) -> Result<Self, AuditError> {
        let directory = segments::directory(data);
        make_private_directory(&directory)?;
        let lock = lock(&directory)?;
        let found = recover::recover(&directory)?;
        let (head, rotate) = match found.head {
            Some(head) if head.sequence >= stored.sequence => (head, found.is_damaged),
            Some(head) => {
                // A power failure takes what the disk did not have yet; the table is flushed with every transaction.
                tracing::warn!(
                    journal = head.sequence,
                    table = stored.sequence,
                    "The audit journal ends before the table. The chain goes on behind the table."
                );
                (stored, true)
            }
            None => (stored, true),
        };
        let current = found.last.map(|segment| open_segment(&segment)).transpose()?;
        Ok(Self {
            directory,
            sync,
            state: Mutex::new(State {
                head,
                current,
                rotate,
                line: Vec::with_capacity(1024),
            }),
            _lock: lock,
        })
    }

    /// Appends an event that is JSON already.
    pub(crate) fn append_body(&self, body: &[u8]) -> io::Result<()> {
        if body.contains(&b'\n') {
            return Err(io::Error::new(
                ErrorKind::InvalidData,
                "an event must be one line",
            ));
        }
        let file = self.state().append(&self.directory, body)?;
        match self.sync {
            JournalSync::Os => Ok(()),
            // Outside of the lock: flushes of several requests run at once.
            JournalSync::EachWrite => file.sync_data(),
        }
    }

    /// Lets the next event begin a new segment.
    pub(crate) fn rotate(&self) {
        self.state().rotate = true;
    }

    /// The journal as it is now.
    pub(crate) fn view(&self) -> io::Result<JournalView> {
        let (head, current) = {
            let state = self.state();
            let current = state
                .current
                .as_ref()
                .map(|current| (current.first, current.length));
            (state.head, current)
        };
        // Segments behind the current one do not grow any more, and those after it came later than this moment.
        let mut segments = segments::list(&self.directory)?;
        segments.retain(|segment| current.is_some_and(|(first, _)| segment.first <= first));
        if let (Some(last), Some((first, length))) = (segments.last_mut(), current)
            && last.first == first
        {
            last.length = length;
        }
        Ok(JournalView { head, segments })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic between hash and write leaves the state as it was before: it stays usable.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

// === impl State ===

impl State {
    /// One line, by one write. On failure nothing of it stays and the chain is where it was.
    fn append(&mut self, directory: &Path, body: &[u8]) -> io::Result<Arc<File>> {
        let sequence = self.head.sequence + 1;
        let hash = self.head.hash.next(sequence, body);
        self.line.clear();
        line::write(&mut self.line, sequence, &hash, body);

        let file = match &mut self.current {
            Some(current) if !self.rotate => {
                current.write(&self.line)?;
                Arc::clone(&current.file)
            }
            _ => {
                let mut current = begin_segment(directory, sequence)?;
                current.write(&self.line)?;
                let file = Arc::clone(&current.file);
                self.current = Some(current);
                self.rotate = false;
                file
            }
        };
        self.head = ChainHead { sequence, hash };
        Ok(file)
    }
}

// === impl Current ===

impl Current {
    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        if self.torn {
            self.cut()?;
        }
        let result = loop {
            match (&*self.file).write(line) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => break result,
            }
        };
        match result {
            Ok(written) if written == line.len() => {
                self.length += line.len() as u64;
                Ok(())
            }
            // Part of a line, when the disk is full: it must not stand before the next one.
            result => {
                let error = result.err().unwrap_or_else(|| ErrorKind::StorageFull.into());
                if let Err(error) = self.cut() {
                    tracing::error!(%error, "A half written line of the audit journal could not be cut off.");
                }
                Err(error)
            }
        }
    }

    fn cut(&mut self) -> io::Result<()> {
        self.torn = true;
        self.file.set_len(self.length)?;
        self.torn = false;
        Ok(())
    }
}

// === Files ===

/// Two processes that write one journal would tear its chain.
fn lock(directory: &Path) -> Result<File, AuditError> {
    let path = directory.join("lock");
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(&path)
        .map_err(AuditError::at(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(std::fs::TryLockError::WouldBlock) => Err(AuditError::InUse {
            path: directory.to_owned(),
        }),
        Err(std::fs::TryLockError::Error(error)) => Err(AuditError::at(&path)(error)),
    }
}

fn open_segment(segment: &Segment) -> Result<Current, AuditError> {
    let file = OpenOptions::new()
        .append(true)
        .open(&segment.path)
        .map_err(AuditError::at(&segment.path))?;
    Ok(Current {
        first: segment.first,
        file: Arc::new(file),
        length: segment.length,
        torn: false,
    })
}

/// A new segment. One of that name that holds something is never written over.
fn begin_segment(directory: &Path, first: i64) -> io::Result<Current> {
    let file = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(segments::path(directory, first))?;
    if file.metadata()?.len() > 0 {
        return Err(io::Error::new(
            ErrorKind::AlreadyExists,
            format!("the journal has a segment {first} already"),
        ));
    }
    File::open(directory)?.sync_all()?;
    Ok(Current {
        first,
        file: Arc::new(file),
        length: 0,
        torn: false,
    })
}
