//! Runs the load generator and reads its line.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// Streams that are open until this is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    child: Child,
    /// What the generator said once they were open.
    pub(crate) line: Value,
}

/// Runs it to its end.
pub(crate) fn run(mut command: Command) -> Result<Value> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .context("cannot start `bench-load`")?;
    let text = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        bail!(
            "`bench-load` failed: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        );
    }
    read(&text)
}

/// Runs it until its streams are open.
pub(crate) fn hold(mut command: Command) -> Result<Held> {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .context("cannot start `bench-load`")?;
    let mut text = String::new();
    if let Some(out) = child.stdout.take() {
        BufReader::new(out).read_line(&mut text)?;
    }
    let line = read(&text)?;
    Ok(Held { child, line })
}

fn read(text: &str) -> Result<Value> {
    serde_json::from_str(text).with_context(|| format!("`bench-load` said `{text}`"))
}

impl Drop for Held {
    fn drop(&mut self) {
        // The end of its input is the sign to close.
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}
