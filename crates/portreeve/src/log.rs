//! Logs: readable lines on a terminal, JSON elsewhere, to standard error. `PORTREEVE_LOG` filters them.

use std::io::IsTerminal as _;

use tracing_subscriber::EnvFilter;

use crate::environment;

/// Starts logging.
pub(crate) fn start() {
    let wanted = environment::variable("PORTREEVE_LOG").unwrap_or_else(|| "info".to_owned());
    let filter = EnvFilter::try_new(&wanted).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_target(false);
    let terminal = std::io::stderr().is_terminal();
    let started = if terminal {
        builder.with_ansi(true).try_init()
    } else {
        builder.json().try_init()
    };
    if started.is_err() {
        // A test in the same process was first; its choice holds.
        tracing::debug!("logging was started before");
    }
}
