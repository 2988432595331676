//! The steps of a drain: journal into table, outbox into journal, the rest into the table, and the clearing up.

use std::path::Path;
use std::sync::{Arc, PoisonError};

use portreeve_core::ports::StoreError;

use super::{Found, Inner, Work};
use crate::audit::checkpoint::{self, Checkpoint};
use crate::audit::error::{AuditError, as_store_error};
use crate::audit::journal::JournalView;
use crate::audit::mover::Pace;
use crate::audit::reader::{self, Batch, Position};
use crate::audit::segments::Segment;
use crate::audit::verify::{Evidence, Own};
use crate::audit::{mover, outbox};

impl Inner {
    /// Moves everything, and tells whether there was anything. The order matters: see `outbox`.
    pub(super) async fn drain(&self, work: &mut Work) -> Result<Found, StoreError> {
        let before = work.moved;
        self.move_lines(work).await?;
        let mut after = Some(0);
        while let Some(position) = after {
            let pulled = outbox::pull(&self.store, &self.node, position).await?;
            after = pulled.next;
            if !pulled.bodies.is_empty() {
                self.append(pulled.bodies).await?;
            }
        }
        self.move_lines(work).await?;
        self.clear_up(work).await?;
        Ok(if work.moved > before {
            Found::Records
        } else {
            Found::Nothing
        })
    }

    async fn append(&self, bodies: Vec<String>) -> Result<(), StoreError> {
        let journal = Arc::clone(&self.journal);
        let write = move || {
            bodies
                .iter()
                .try_for_each(|body| journal.append_body(body.as_bytes()))
        };
        self.with_files(write).await
    }

    /// Moves what is complete in the journal.
    async fn move_lines(&self, work: &mut Work) -> Result<(), StoreError> {
        let view = self.view().await?;
        loop {
            let segments = view.segments.clone();
            let from = work.position;
            let batch = self.with_files(move || reader::read(&segments, from)).await?;
            let is_last = batch.next == from;
            self.move_batch(work, batch).await?;
            if is_last {
                return Ok(());
            }
        }
    }

    async fn move_batch(&self, work: &mut Work, batch: Batch) -> Result<(), StoreError> {
        for segment in &batch.damaged {
            self.set_aside(work, *segment, "holds a line that is not a record");
        }
        if !batch.records.is_empty() {
            let records: Vec<_> = batch.records.iter().map(|(_, record)| record).collect();
            let pace = if batch.is_full { Pace::Behind } else { Pace::Steady };
            let moved = mover::insert(&self.store, &self.node, &records, (self.clock.now(), pace)).await?;
            let unknown = records
                .iter()
                .filter(|record| record.sequence > work.found)
                .count();
            if moved.inserted > unknown as u64 {
                tracing::warn!(
                    records = moved.inserted - unknown as u64,
                    "The audit table had lost records. They were restored from the journal."
                );
            }
            for (segment, record) in &batch.records {
                if moved.contradicted.contains(&record.sequence) {
                    self.set_aside(work, *segment, "contradicts the audit table");
                }
                work.moved = work.moved.max(record.sequence);
            }
        }
        // Only now: a failure above reads the same lines again.
        work.position = batch.next;
        *self.position.lock().unwrap_or_else(PoisonError::into_inner) = batch.next;
        Ok(())
    }

    fn set_aside(&self, work: &mut Work, segment: i64, what: &str) {
        if !work.damaged.contains(&segment) {
            work.damaged.push(segment);
            tracing::error!(
                segment,
                "A segment of the audit journal {what}. It is kept as evidence."
            );
        }
    }

    /// Deletes segments that were moved, but never the last one: it holds the head of the chain.
    async fn clear_up(&self, work: &mut Work) -> Result<(), StoreError> {
        let view = self.view().await?;
        let Some((last, before)) = view.segments.split_last() else {
            return Ok(());
        };
        if last.length >= self.options.segment_bytes {
            self.journal.rotate();
        }
        let position = work.position;
        let (damaged, moved): (Vec<Segment>, Vec<Segment>) = before
            .iter()
            .filter(|segment| is_moved(segment, position))
            .cloned()
            .partition(|segment| work.damaged.contains(&segment.first));
        if damaged.is_empty() && moved.is_empty() {
            return Ok(());
        }
        self.with_files(move || {
            moved
                .iter()
                .try_for_each(|segment| std::fs::remove_file(&segment.path))?;
            damaged
                .iter()
                .try_for_each(|segment| std::fs::rename(&segment.path, aside(&segment.path)))
        })
        .await
    }

    /// Signs the head of the journal into the file, if it moved.
    pub(super) async fn sign(&self, work: &mut Work) -> Result<(), StoreError> {
        let head = self.view().await?.head;
        if head.sequence == work.signed {
            return Ok(());
        }
        let checkpoint = Checkpoint::sign(&self.node, head, self.clock.now(), &*self.signer);
        let path = checkpoint::file(&self.options.data);
        let written = checkpoint.clone();
        self.with_files(move || checkpoint::append(&path, &written))
            .await?;
        work.signed = head.sequence;
        work.unsaved.push(checkpoint);
        Ok(())
    }

    /// Puts into the table what is signed. A checkpoint never comes there before the records that it speaks of: other
    /// nodes would miss them.
    pub(super) async fn save_checkpoints(&self, work: &mut Work) -> Result<(), StoreError> {
        while let Some(first) = work.unsaved.first() {
            if first.head.sequence > work.moved {
                break;
            }
            checkpoint::insert(&self.store, first).await?;
            work.unsaved.remove(0);
        }
        Ok(())
    }

    /// What a verification must know of this node, as it is now.
    pub(super) async fn evidence(&self, work: &Work) -> Result<Evidence, AuditError> {
        let view = self.view().await?;
        let stored = mover::stored_head(&self.store, &self.node).await?;
        let own = Own {
            node: self.node.clone(),
            head: Some(view.head),
            moved: Some(work.moved),
            stored: Some(stored.sequence),
        };
        let data = self.options.data.clone();
        let gather = move || Evidence::gather(&data, own, &view.segments);
        tokio::task::spawn_blocking(gather)
            .await
            .map_err(|error| AuditError::at(&self.options.data)(error.into()))?
    }

    async fn view(&self) -> Result<JournalView, StoreError> {
        let journal = Arc::clone(&self.journal);
        self.with_files(move || journal.view()).await
    }

    /// Does something with files where waiting harms nobody.
    async fn with_files<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> std::io::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        tokio::task::spawn_blocking(work)
            .await
            .unwrap_or_else(|error| Err(error.into()))
            .map_err(AuditError::at(&self.options.data))
            .map_err(as_store_error)
    }
}

fn is_moved(segment: &Segment, position: Position) -> bool {
    segment.first < position.segment
        || (segment.first == position.segment && segment.length <= position.offset)
}

fn aside(path: &Path) -> std::path::PathBuf {
    path.with_extension("damaged")
}
