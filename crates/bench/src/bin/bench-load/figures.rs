//! What was seen, as figures.

use std::time::Duration;

use serde_json::{Value, json};

/// Counts and latencies of one run.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    /// Every answer that was right, those of the warm-up too.
    pub(crate) all: u64,
    pub(crate) failed: u64,
    /// Why the first of them failed.
    pub(crate) why: String,
    /// Of the answers after the warm-up.
    latencies: Vec<Duration>,
    first_events: Vec<Duration>,
}

impl Figures {
    pub(crate) fn right(&mut self, latency: Duration, first_event: Option<Duration>) {
        self.latencies.push(latency);
        self.first_events.extend(first_event);
    }

    pub(crate) fn wrong(&mut self, why: impl FnOnce() -> String) {
        self.failed += 1;
        if self.why.is_empty() {
            self.why = why();
        }
    }

    /// The line that is printed.
    pub(crate) fn line(mut self, seconds: f64) -> Value {
        self.latencies.sort_unstable();
        self.first_events.sort_unstable();
        let count = self.latencies.len();
        let sum: Duration = self.latencies.iter().sum();
        json!({
            "n": count,
            "all": self.all,
            "failed": self.failed,
            "why": self.why,
            "calls_per_second": count as f64 / seconds,
            "p50_us": at(&self.latencies, 0.5),
            "p99_us": at(&self.latencies, 0.99),
            "p999_us": at(&self.latencies, 0.999),
            "mean_us": micros(sum) / (count.max(1) as f64),
            "first_event_p50_us": at(&self.first_events, 0.5),
        })
    }
}

/// The value below which this share of the sorted values is.
fn at(sorted: &[Duration], share: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let index = (last as f64 * share).round() as usize;
    sorted.get(index).copied().map(micros)
}

fn micros(duration: Duration) -> f64 {
    duration.as_nanos() as f64 / 1_000.0
}
