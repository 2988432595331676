//! Verifies the audit log: every hash, every sequence, every signed checkpoint, in table, journal and checkpoint file.
//!
//! `evidence` gathers what is outside of the database at one moment, `chain` follows one chain record by record, and
//! `checkpoints` weighs the signatures.

mod chain;
mod checkpoints;
mod evidence;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use portreeve_core::audit::{AuditEvent, AuditFinding, AuditReport};
use portreeve_core::ports::{CheckpointSigner, StoreError};

use super::error::AuditError;
use super::hash::ChainHash;
use super::mover::Columns;
use super::node::read_node;
use super::segments;
use crate::engine::{Row, Sql};
use crate::store::Store;
use chain::Chain;
pub(crate) use evidence::{Evidence, Own};

/// Rows read at once.
const ROWS: i64 = 1_000;

/// Findings that are told. One recomputed chain could otherwise fill the memory with them.
const FINDINGS: usize = 1_000;

/// What was found so far.
#[derive(Debug, Default)]
struct Findings(Vec<AuditFinding>);

impl Findings {
    fn add(&mut self, node: &str, sequence: i64, problem: impl Into<String>) {
        if self.0.len() < FINDINGS {
            self.0.push(AuditFinding {
                node: node.to_owned(),
                sequence,
                problem: problem.into(),
            });
        }
    }
}

/// Verifies a data directory without a running server, and changes nothing. `store` is the one that the directory's
/// node writes to, opened read-only; without it only journal and checkpoint file are verified. `signer` must be the
/// installation's: its public key is the one that this node's checkpoints must carry.
pub async fn verify_data(
    data: &Path,
    store: Option<&Store>,
    signer: &dyn CheckpointSigner,
) -> Result<AuditReport, AuditError> {
    let directory = segments::directory(data);
    let own = Own {
        node: read_node(data)?.to_string(),
        head: None,
        moved: None,
        stored: None,
    };
    let segments = segments::list(&directory).map_err(AuditError::at(&directory))?;
    let evidence = Evidence::gather(data, own, &segments)?;
    Ok(verify(store, evidence, signer).await?)
}

/// Verifies every chain that the store or the evidence speaks of.
pub(crate) async fn verify(
    store: Option<&Store>,
    evidence: Evidence,
    signer: &dyn CheckpointSigner,
) -> Result<AuditReport, StoreError> {
    let mut findings = Findings::default();
    // Before the records: those that a checkpoint speaks of are in the table earlier than the checkpoint.
    let weighed = checkpoints::weigh(store, &evidence, signer, &mut findings).await?;
    let mut nodes: BTreeSet<String> = weighed.marks.keys().cloned().collect();
    nodes.insert(evidence.own.node.clone());
    if let Some(store) = store {
        nodes.extend(nodes_of(store).await?);
    }
    let mut events = 0;
    for node in &nodes {
        let marks = weighed.marks.get(node).cloned().unwrap_or_default();
        let own = (*node == evidence.own.node).then_some(&evidence);
        events += verify_chain(store, node, marks, own, &mut findings).await?;
    }
    Ok(AuditReport {
        events,
        checkpoints: weighed.count,
        findings: findings.0,
    })
}

/// The nodes with records, one index look-up each.
async fn nodes_of(store: &Store) -> Result<Vec<String>, StoreError> {
    let mut nodes = Vec::new();
    let mut last = String::new();
    loop {
        let sql = Sql::new("SELECT MIN(node) AS node FROM audit WHERE node > $1").bind(&last);
        let row = store.engine().row(sql).await?;
        let Some(node) = row.map(|row| row.optional_text("node")).transpose()?.flatten() else {
            return Ok(nodes);
        };
        last.clone_from(&node);
        nodes.push(node);
    }
}

/// Follows one chain through the table and, if it is this node's, through the journal.
async fn verify_chain(
    store: Option<&Store>,
    node: &str,
    marks: BTreeMap<i64, Vec<ChainHash>>,
    own: Option<&Evidence>,
    findings: &mut Findings,
) -> Result<u64, StoreError> {
    let journal_first = own.and_then(|evidence| evidence.lines.first_sequence());
    let mut chain = match (store, journal_first) {
        // Without the table, the chain can only be followed from where the journal begins.
        (None, Some(first)) if first > 1 => Chain::from(node, first - 1, marks),
        _ => Chain::new(node, marks),
    };
    // Hashes of the table that the journal holds too, from the one before the journal on.
    let mut overlap = BTreeMap::new();
    if let Some(store) = store {
        let until = own.and_then(|evidence| evidence.own.moved).unwrap_or(i64::MAX);
        let mut after = 0;
        loop {
            let rows = store.engine().rows(records(node, after, until)).await?;
            let Some(last) = rows.last() else { break };
            after = last.integer("sequence")?;
            for row in &rows {
                verify_row(row, &mut chain, findings)?;
                if journal_first.is_some_and(|first| chain.sequence() >= first - 1) {
                    overlap.extend(chain.hash().map(|hash| (chain.sequence(), hash)));
                }
            }
        }
    }
    if let Some(evidence) = own {
        let moved = evidence.own.moved.unwrap_or_else(|| chain.sequence());
        evidence.lines.follow(&mut chain, &overlap, moved, findings)?;
    }
    if let Some(Own {
        moved: Some(moved),
        stored: Some(stored),
        ..
    }) = own.map(|evidence| &evidence.own)
        && stored > moved
    {
        findings.add(
            node,
            *stored,
            "the table holds a record that the journal never wrote",
        );
    }
    let head = own.and_then(|evidence| evidence.own.head);
    Ok(chain.end(head, findings))
}

fn records(node: &str, after: i64, until: i64) -> Sql {
    Sql::new(
        "SELECT sequence, hash, body, at, actor, action, outcome, server FROM audit \
         WHERE node = $1 AND sequence > $2 AND sequence <= $3 ORDER BY sequence LIMIT $4",
    )
    .bind(node)
    .bind(after)
    .bind(until)
    .bind(ROWS)
}

fn verify_row(row: &Row, chain: &mut Chain, findings: &mut Findings) -> Result<(), StoreError> {
    let sequence = row.integer("sequence")?;
    let body = row.text("body")?;
    let stated = ChainHash::parse(&row.text("hash")?);
    if !chain.record(sequence, stated, body.as_bytes(), findings) {
        return Ok(());
    }
    // The columns are what questions are answered by; they are not hashed, so they must repeat the body.
    let columns = Columns {
        at: row.moment("at")?,
        actor: row.text("actor")?,
        action: row.text("action")?,
        outcome: row.text("outcome")?,
        server: row.optional_text("server")?,
    };
    match serde_json::from_str::<AuditEvent>(&body) {
        Ok(event) if Columns::of(&event) == columns => {}
        Ok(_) => findings.add(
            chain.node(),
            sequence,
            "the columns of the record say something else than its body",
        ),
        Err(_) => findings.add(chain.node(), sequence, "the record is not an audit event"),
    }
    Ok(())
}
