//! Follows one chain, record by record.

use std::collections::BTreeMap;

use super::Findings;
use crate::audit::hash::{ChainHash, ChainHead};

/// A chain as far as it was followed.
#[derive(Debug)]
pub(super) struct Chain {
    node: String,
    sequence: i64,
    /// The hash of the last record; unknown behind a gap.
    hash: Option<ChainHash>,
    /// By sequence, the hashes that signed checkpoints name.
    marks: BTreeMap<i64, Vec<ChainHash>>,
    events: u64,
}

impl Chain {
    /// A chain from its beginning.
    pub(super) fn new(node: &str, marks: BTreeMap<i64, Vec<ChainHash>>) -> Self {
        Self {
            node: node.to_owned(),
            sequence: 0,
            hash: Some(ChainHash::GENESIS),
            marks,
            events: 0,
        }
    }

    /// A chain whose records up to `sequence` are not at hand.
    pub(super) fn from(node: &str, sequence: i64, mut marks: BTreeMap<i64, Vec<ChainHash>>) -> Self {
        let marks_ahead = marks.split_off(&(sequence + 1));
        Self {
            sequence,
            hash: None,
            ..Self::new(node, marks_ahead)
        }
    }

    pub(super) fn node(&self) -> &str {
        &self.node
    }

    /// The last record's place.
    pub(super) fn sequence(&self) -> i64 {
        self.sequence
    }

    /// The last record's hash.
    pub(super) fn hash(&self) -> Option<ChainHash> {
        self.hash
    }

    /// Takes the next record; tells whether it is as it was written.
    pub(super) fn record(
        &mut self,
        sequence: i64,
        stated: Option<ChainHash>,
        body: &[u8],
        findings: &mut Findings,
    ) -> bool {
        if sequence <= self.sequence {
            let problem = format!("the record stands behind record {}", self.sequence);
            findings.add(&self.node, sequence, problem);
            return false;
        }
        if sequence > self.sequence + 1 {
            let problem = missing(self.sequence + 1, sequence - 1);
            findings.add(&self.node, self.sequence + 1, problem);
            // What checkpoints say about the gap is said.
            self.marks = self.marks.split_off(&sequence);
            self.hash = None;
        }
        let expected = self.hash.map(|previous| previous.next(sequence, body));
        let is_whole = stated.is_some() && expected.is_none_or(|expected| Some(expected) == stated);
        if !is_whole {
            let problem =
                "the record does not match its hash: it, its hash or the hash before it was changed";
            findings.add(&self.node, sequence, problem);
        }
        let marks = self.marks.remove(&sequence).unwrap_or_default();
        if marks.iter().any(|mark| Some(*mark) != stated) {
            let problem =
                "a signed checkpoint names another hash for this record: the chain was computed anew";
            findings.add(&self.node, sequence, problem);
        }
        self.sequence = sequence;
        self.hash = stated;
        self.events += 1;
        is_whole
    }

    /// Takes notice of a record that cannot be read at all.
    pub(super) fn skip_unreadable(&mut self, findings: &mut Findings) {
        self.sequence += 1;
        self.hash = None;
        self.events += 1;
        self.marks.remove(&self.sequence);
        findings.add(
            &self.node,
            self.sequence,
            "the line of the journal is not a record",
        );
    }

    /// Ends the chain, which must reach as far as a checkpoint or the running journal says; returns the events read.
    pub(super) fn end(mut self, head: Option<ChainHead>, findings: &mut Findings) -> u64 {
        let marked = self.marks.pop_last().map_or(0, |(sequence, _)| sequence);
        let known = marked.max(head.map_or(0, |head| head.sequence));
        if known > self.sequence {
            let who = if marked == known {
                "a signed checkpoint"
            } else {
                "the running journal"
            };
            let problem = format!(
                "{} at the end; {who} knows of them",
                missing(self.sequence + 1, known)
            );
            findings.add(&self.node, self.sequence + 1, problem);
        } else if let Some(head) =
            head.filter(|head| head.sequence == self.sequence && Some(head.hash) != self.hash)
        {
            findings.add(
                &self.node,
                head.sequence,
                "the running journal wrote another record here",
            );
        }
        self.events
    }
}

fn missing(first: i64, last: i64) -> String {
    if first == last {
        format!("record {first} is missing")
    } else {
        format!("records {first} to {last} are missing")
    }
}
