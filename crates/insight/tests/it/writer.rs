//! The writer: batches, retries, flushes on demand, and loses nothing at shutdown.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use portreeve_core::ports::UsageSink;
use portreeve_insight::{UsageRing, UsageWriter};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::doubles::{Fixed, Memory, event};

struct Running {
    ring: Arc<UsageRing>,
    store: Arc<Memory>,
    flush: portreeve_insight::UsageFlush,
    stop: watch::Sender<bool>,
    job: JoinHandle<()>,
}

fn start(capacity: usize) -> Running {
    let ring = UsageRing::new(capacity);
    let store = Arc::new(Memory::default());
    let writer = UsageWriter::new(Arc::clone(&ring), Arc::clone(&store) as _, Arc::new(Fixed));
    let flush = writer.flusher();
    let (stop, stopped) = watch::channel(false);
    let job = tokio::spawn(writer.run(stopped));
    Running {
        ring,
        store,
        flush,
        stop,
        job,
    }
}

impl Running {
    async fn end(self) -> Arc<Memory> {
        self.stop.send(true).unwrap();
        self.job.await.unwrap();
        self.store
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_later_everything_is_written_in_batches() {
    let running = start(10_000);
    tokio::time::sleep(Duration::from_millis(10)).await;
    (0..2_500).for_each(|number| running.ring.push(event(number)));
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    let sizes: Vec<_> = running
        .store
        .batches
        .lock()
        .unwrap()
        .iter()
        .map(Vec::len)
        .collect();
    assert_eq!(sizes, [1_000, 1_000, 500]);
    assert_eq!(running.store.written(), (0..2_500).collect::<Vec<_>>());
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn shutdown_writes_what_is_left() {
    let running = start(10_000);
    tokio::time::sleep(Duration::from_millis(10)).await;
    (0..42).for_each(|number| running.ring.push(event(number)));
    assert_eq!(running.end().await.written().len(), 42);
}

#[tokio::test(start_paused = true)]
async fn a_flush_does_not_wait_for_the_second() {
    let running = start(10);
    tokio::time::sleep(Duration::from_millis(10)).await;
    running.ring.push(event(1));
    running.flush.flush().await;
    assert_eq!(running.store.written(), [1]);
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn while_the_store_is_away_the_ring_bounds_the_memory_and_order_is_kept() {
    let running = start(1_500);
    running.store.away.store(true, Ordering::SeqCst);
    (0..1_500).for_each(|number| running.ring.push(event(number)));
    tokio::time::sleep(Duration::from_secs(3)).await;
    // The writer holds one batch, so the ring has room for 1,000 again.
    (1_500..3_000).for_each(|number| running.ring.push(event(number)));
    assert_eq!(running.ring.dropped(), 500);
    running.store.away.store(false, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_secs(2)).await;
    assert_eq!(running.store.written(), (0..2_500).collect::<Vec<_>>());
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_refused_batch_does_not_stop_the_next() {
    let running = start(10);
    running.store.refuses.store(true, Ordering::SeqCst);
    running.ring.push(event(1));
    running.flush.flush().await;
    running.store.refuses.store(false, Ordering::SeqCst);
    running.ring.push(event(2));
    running.flush.flush().await;
    assert_eq!((running.store.written(), running.ring.dropped()), (vec![2], 1));
    running.end().await;
}

#[tokio::test(start_paused = true)]
async fn shutdown_ends_even_when_the_store_stays_away() {
    let running = start(10);
    running.store.away.store(true, Ordering::SeqCst);
    running.ring.push(event(1));
    assert!(running.end().await.written().is_empty());
}
