//! Weighs the checkpoints of table and file: those that are truly signed become marks that a chain must meet.

use std::collections::{BTreeMap, BTreeSet};

use portreeve_core::ports::{CheckpointSigner, StoreError};

use super::{Evidence, Findings};
use crate::audit::checkpoint::{self, Checkpoint};
use crate::audit::hash::ChainHash;
use crate::store::Store;

/// The checkpoints that count.
#[derive(Debug, Default)]
pub(super) struct Weighed {
    /// How many were read.
    pub(super) count: u64,
    /// By node and sequence.
    pub(super) marks: BTreeMap<String, BTreeMap<i64, Vec<ChainHash>>>,
}

/// Reads both places and verifies every signature.
pub(super) async fn weigh(
    store: Option<&Store>,
    evidence: &Evidence,
    signer: &dyn CheckpointSigner,
    findings: &mut Findings,
) -> Result<Weighed, StoreError> {
    let own = evidence.own.node.as_str();
    for line in &evidence.checkpoints.unreadable {
        findings.add(
            own,
            0,
            format!("line {line} of the checkpoint file cannot be read"),
        );
    }
    let mut all: Vec<Checkpoint> = evidence.checkpoints.checkpoints.clone();
    if let Some(store) = store {
        let stored = readable(checkpoint::stored(store).await?, findings);
        compare(own, &stored, &all, findings);
        all.extend(stored);
    }
    all.sort_by(|a, b| {
        let key = |one: &Checkpoint| (one.node.clone(), one.head.sequence, one.at);
        key(a).cmp(&key(b))
    });
    all.dedup();

    let mut weighed = Weighed {
        count: all.len() as u64,
        ..Weighed::default()
    };
    let mut keys: BTreeMap<String, String> = BTreeMap::new();
    // This node's key is known for sure. That of another one is what its first checkpoint recorded.
    keys.insert(own.to_owned(), signer.public_key().to_owned());
    for one in all {
        let key = keys
            .entry(one.node.clone())
            .or_insert_with(|| one.public_key.clone());
        if *key != one.public_key {
            let problem = format!(
                "a checkpoint is signed with key `{}`; the chain's key is `{key}`",
                one.public_key
            );
            findings.add(&one.node, one.head.sequence, problem);
        } else if one.is_signed(signer) {
            let marks = weighed.marks.entry(one.node.clone()).or_default();
            marks.entry(one.head.sequence).or_default().push(one.head.hash);
        } else {
            findings.add(
                &one.node,
                one.head.sequence,
                "the signature of a checkpoint is wrong",
            );
        }
    }
    Ok(weighed)
}

fn readable(stored: Vec<Result<Checkpoint, (String, i64)>>, findings: &mut Findings) -> Vec<Checkpoint> {
    let mut checkpoints = Vec::with_capacity(stored.len());
    for one in stored {
        match one {
            Ok(one) => checkpoints.push(one),
            Err((node, sequence)) => {
                findings.add(&node, sequence, "a checkpoint in the table cannot be read")
            }
        }
    }
    checkpoints
}

/// A checkpoint is in the file before it is in the table, so the file must have all of this node's.
fn compare(own: &str, stored: &[Checkpoint], file: &[Checkpoint], findings: &mut Findings) {
    let place = |one: &Checkpoint| (one.node.clone(), one.head.sequence, one.at);
    let in_file: BTreeSet<_> = file.iter().map(place).collect();
    let lost: Vec<_> = stored
        .iter()
        .filter(|one| one.node == own && !in_file.contains(&place(one)))
        .collect();
    if let Some(last) = lost.last() {
        let problem = format!(
            "{} checkpoints of the table are not in the checkpoint file",
            lost.len()
        );
        findings.add(own, last.head.sequence, problem);
    }
}
