//! Files of a Git folder: each is a `server.json`. The command line runs the user's own Git and uploads the tree; nothing
//! here ever reads a path.

use portreeve_core::import::ImportKind;
use portreeve_core::limits::Limits;

use super::server_json::{Beside, candidate};
use super::{Candidate, Importer, Record};

/// The importer.
pub(super) struct GitTree;

impl Importer for GitTree {
    fn kind(&self) -> ImportKind {
        ImportKind::Git
    }

    fn read(&self, record: &Record, limits: &Limits) -> Vec<Candidate> {
        vec![candidate(record, &record.text, Beside::default(), limits)]
    }
}
