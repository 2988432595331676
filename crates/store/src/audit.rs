//! The audit log's way: an event is appended to the journal before the answer leaves (`journal`), moved into the
//! hash-chained table behind it (`writer`), sealed by signed checkpoints (`checkpoint`), read (`page`) and verified
//! (`verify`).
//!
//! There is one chain per node: `hash = SHA-256(previous hash, sequence as 8 bytes, the event's bytes)`, beginning at
//! sequence 1 behind 32 zero bytes. The table keeps exactly the bytes that were hashed.

mod error;
mod hash;
mod line;
mod node;

mod segments;

mod journal;
mod reader;

mod checkpoint;
mod writer;

mod mover;
mod outbox;

mod page;
mod verify;

pub use error::AuditError;
pub use hash::{ChainHash, ChainHead};
pub use journal::{FileJournal, JournalSync};
pub use node::node_identity;
pub use verify::verify_data;
pub use writer::{Audit, AuditOptions, AuditWriter};
