//! The purge: at the start, then daily, 400 days back.

use std::sync::Arc;
use std::time::Duration;

use portreeve_core::time::Timestamp;
use portreeve_insight::{UsageRing, UsageWriter};
use tokio::sync::watch;

use crate::doubles::{Fixed, Memory};

#[tokio::test(start_paused = true)]
async fn usage_older_than_400_days_goes_every_day() {
    let store = Arc::new(Memory::default());
    let (stop, stopped) = watch::channel(false);
    let writer = UsageWriter::new(UsageRing::new(1), Arc::clone(&store) as _, Arc::new(Fixed));
    let job = tokio::spawn(writer.run(stopped));
    tokio::time::sleep(Duration::from_secs(24 * 60 * 60 + 60)).await;
    stop.send(true).unwrap();
    job.await.unwrap();
    let bound = Timestamp::parse("2025-10-19T00:00:00Z").unwrap();
    assert_eq!(*store.purged.lock().unwrap(), [bound, bound]);
}
