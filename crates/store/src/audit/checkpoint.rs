//! Signed checkpoints: what the head of a chain was at a moment. Who recomputes a chain, or cuts its end, contradicts
//! them. Kept in a file beside the journal and in the table, because who changes one may not reach the other.

use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use portreeve_core::ports::{CheckpointSigner, StoreError};
use portreeve_core::time::Timestamp;

use super::hash::{ChainHash, ChainHead, from_hex, to_hex};
use crate::engine::{Row, Sql};
use crate::store::Store;

/// A signed statement about the head of a chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Checkpoint {
    /// The chain.
    pub(crate) node: String,
    /// Its head.
    pub(crate) head: ChainHead,
    /// When.
    pub(crate) at: Timestamp,
    /// Hex.
    pub(crate) public_key: String,
    /// The signature over [`Checkpoint::statement`].
    pub(crate) signature: Vec<u8>,
}

// === impl Checkpoint ===

impl Checkpoint {
    /// Signs a head.
    pub(crate) fn sign(node: &str, head: ChainHead, at: Timestamp, signer: &dyn CheckpointSigner) -> Self {
        let mut checkpoint = Self {
            node: node.to_owned(),
            head,
            at,
            public_key: signer.public_key().to_owned(),
            signature: Vec::new(),
        };
        checkpoint.signature = signer.sign(&checkpoint.statement());
        checkpoint
    }

    /// What is signed.
    fn statement(&self) -> Vec<u8> {
        format!(
            "portreeve audit checkpoint 1\n{}\n{}\n{}\n{}\n",
            self.node,
            self.head.sequence,
            self.head.hash,
            self.at.as_millis()
        )
        .into_bytes()
    }

    /// Whether the signature is by the private half of the key that stands beside it.
    pub(crate) fn is_signed(&self, signer: &dyn CheckpointSigner) -> bool {
        signer.verify(&self.public_key, &self.statement(), &self.signature)
    }

    fn line(&self) -> String {
        format!(
            "{} {} {} {} {} {}\n",
            self.node,
            self.head.sequence,
            self.head.hash,
            self.at.as_millis(),
            self.public_key,
            to_hex(&self.signature)
        )
    }

    fn parse(line: &str) -> Option<Self> {
        let mut fields = line.split(' ');
        let checkpoint = Self {
            node: fields.next()?.to_owned(),
            head: ChainHead {
                sequence: fields.next()?.parse().ok()?,
                hash: ChainHash::parse(fields.next()?)?,
            },
            at: Timestamp::from_millis(fields.next()?.parse().ok()?),
            public_key: fields.next()?.to_owned(),
            signature: from_hex(fields.next()?)?,
        };
        fields.next().is_none().then_some(checkpoint)
    }
}

// === The file ===

/// The checkpoints in a file, and the numbers of the lines that are none.
#[derive(Debug, Default)]
pub(crate) struct FileContents {
    /// In the order of the file.
    pub(crate) checkpoints: Vec<Checkpoint>,
    /// From 1.
    pub(crate) unreadable: Vec<usize>,
    /// Bytes up to the end of the last complete line.
    complete: u64,
    /// Bytes in all.
    length: u64,
}

/// Where the checkpoints of a data directory are.
pub(crate) fn file(data: &Path) -> PathBuf {
    data.join("audit-checkpoints.log")
}

/// Reads the file; empty when there is none. A last line that a crash cut short was never acknowledged.
pub(crate) fn read(path: &Path) -> io::Result<FileContents> {
    let bytes = match std::fs::read(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(FileContents::default()),
        bytes => bytes?,
    };
    let complete = bytes
        .iter()
        .rposition(|byte| *byte == b'\n')
        .map_or(0, |end| end + 1);
    let mut contents = FileContents {
        complete: complete as u64,
        length: bytes.len() as u64,
        ..FileContents::default()
    };
    let lines = bytes.get(..complete).unwrap_or_default();
    for (index, line) in lines.split_inclusive(|byte| *byte == b'\n').enumerate() {
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        match std::str::from_utf8(line).ok().and_then(Checkpoint::parse) {
            Some(checkpoint) => contents.checkpoints.push(checkpoint),
            None => contents.unreadable.push(index + 1),
        }
    }
    Ok(contents)
}

/// Cuts a last line that a crash cut short, so that the next one begins a line.
pub(crate) fn repair(path: &Path, contents: &FileContents) -> io::Result<()> {
    if contents.complete == contents.length {
        return Ok(());
    }
    OpenOptions::new()
        .write(true)
        .open(path)?
        .set_len(contents.complete)
}

/// Appends a checkpoint, durably.
pub(crate) fn append(path: &Path, checkpoint: &Checkpoint) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(checkpoint.line().as_bytes())?;
    file.sync_data()
}

// === The table ===

const STORED: &str = "SELECT node, sequence, at, hash, public_key, signature FROM audit_checkpoints \
    ORDER BY node, sequence, at";

/// Every checkpoint in the table; `Err` inside with (node, sequence) for one that cannot be read.
pub(crate) async fn stored(store: &Store) -> Result<Vec<Result<Checkpoint, (String, i64)>>, StoreError> {
    let rows = store.engine().rows(Sql::new(STORED)).await?;
    rows.iter().map(checkpoint_of).collect()
}

fn checkpoint_of(row: &Row) -> Result<Result<Checkpoint, (String, i64)>, StoreError> {
    let node = row.text("node")?;
    let sequence = row.integer("sequence")?;
    let hash = ChainHash::parse(&row.text("hash")?);
    let signature = from_hex(&row.text("signature")?);
    let (Some(hash), Some(signature)) = (hash, signature) else {
        return Ok(Err((node, sequence)));
    };
    Ok(Ok(Checkpoint {
        node,
        head: ChainHead { sequence, hash },
        at: row.moment("at")?,
        public_key: row.text("public_key")?,
        signature,
    }))
}

/// Puts a checkpoint into the table, once.
pub(crate) async fn insert(store: &Store, checkpoint: &Checkpoint) -> Result<(), StoreError> {
    let sql = Sql::new(
        "INSERT INTO audit_checkpoints (node, sequence, at, hash, public_key, signature) \
         VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (node, sequence, at) DO NOTHING",
    )
    .bind(&checkpoint.node)
    .bind(checkpoint.head.sequence)
    .bind(checkpoint.at)
    .bind(checkpoint.head.hash.to_string())
    .bind(&checkpoint.public_key)
    .bind(to_hex(&checkpoint.signature));
    store.engine().write(sql).await.map(drop)
}
