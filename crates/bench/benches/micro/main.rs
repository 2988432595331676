//! What the steps of a governed call cost, one by one and without a network: nanoseconds for each, the best of several
//! runs. `cargo xtask bench micro` prints them.
//!
//! The sum of the steps is not the cost of a call: the kernel and HTTP are not in it. It says where the rest goes.

mod audit;
mod gateway;
mod policies;
mod rights;
mod search;
mod wire;

use std::hint::black_box;
use std::io::{self, Write as _};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::Result;
use portreeve_core::random::Rng;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

/// How long one run takes, about.
const RUN: Duration = Duration::from_millis(40);
/// Runs of which the best counts: the others were disturbed.
const RUNS: usize = 7;

/// The call that is measured: an `echo` of 64 bytes, as the load generator sends it.
const CALL: &str = concat!(
    r#"{"jsonrpc":"2.0","id":100000000001,"method":"tools/call","params":{"name":"echo","arguments":{"text":""#,
    "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    r#""},"_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","#,
    r#""io.modelcontextprotocol/clientInfo":{"name":"bench-load","version":"1"},"#,
    r#""io.modelcontextprotocol/clientCapabilities":{}}}}"#,
);

/// Randomness enough for identifiers, and the same in every run.
#[derive(Debug, Default)]
struct Numbers(AtomicU64);

fn main() -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let folder = tempfile::tempdir()?;
    wire::measure()?;
    let server = "com.example/bench".parse()?;
    let (access, caller) = rights::measure(&runtime, folder.path(), &server)?;
    policies::measure(&runtime, folder.path(), &server)?;
    audit::measure(folder.path())?;
    gateway::measure(access, &caller, &server)?;
    search::measure()
}

/// Measures a step.
fn step<T>(name: &str, mut work: impl FnMut() -> T) -> Result<()> {
    steps(name, |times| {
        for _ in 0..times {
            black_box(work());
        }
    })
}

/// Measures a step that is repeated by the work itself, as often as it is told.
fn steps(name: &str, mut work: impl FnMut(u64)) -> Result<()> {
    let mut timed = |times| {
        let begun = Instant::now();
        work(times);
        begun.elapsed()
    };
    let mut times = 1;
    while timed(times) < RUN / 2 {
        times *= 2;
    }
    let best = (0..RUNS).map(|_| timed(times)).min().unwrap_or_default();
    let nanoseconds = best.as_nanos() as f64 / times as f64;
    writeln!(io::stdout(), "{name:<44} {nanoseconds:>9.0} ns")?;
    Ok(())
}

impl Rng for Numbers {
    fn fill(&self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let number = self
                .0
                .fetch_add(1, Ordering::Relaxed)
                .wrapping_mul(0x9e37_79b9_7f4a_7c15);
            for (byte, random) in chunk.iter_mut().zip(number.to_le_bytes()) {
                *byte = random;
            }
        }
    }
}
