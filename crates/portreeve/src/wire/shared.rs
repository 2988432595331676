//! The shared state: in this process, or on a Valkey or Redis that several nodes share.

use std::sync::Arc;

use portreeve_core::ports::{Cache, Counters, Locks, Signals};
use portreeve_state::{InProcess, Valkey, ValkeyOptions};

use crate::cli::Failure;
use crate::config::{self, Config};
use crate::data::DataDirectory;

/// The shared state, as its four ports.
pub(super) struct Shared {
    pub(super) counters: Arc<dyn Counters>,
    pub(super) locks: Arc<dyn Locks>,
    pub(super) signals: Arc<dyn Signals>,
    pub(super) cache: Arc<dyn Cache>,
}

/// Opens what the configuration names.
pub(super) async fn shared(config: &Config, data: &DataDirectory) -> Result<Shared, Failure> {
    let url = config.state.url.as_ref().map(config::resolve).transpose()?;
    match url.as_ref().map(|url| url.expose()) {
        None | Some("memory:") => {
            let state = Arc::new(InProcess::new(data.start));
            Ok(Shared {
                counters: state.clone(),
                locks: state.clone(),
                signals: state.clone(),
                cache: state,
            })
        }
        Some(url) => {
            let options = ValkeyOptions {
                prefix: config.state.prefix.clone(),
                ..ValkeyOptions::default()
            };
            let state = Valkey::connect_with(url, options).await.map_err(|error| {
                Failure::new(format!("the shared state cannot be reached: {error}"))
                    .hint("look at `state.url` and at Valkey or Redis")
            })?;
            let state = Arc::new(state);
            Ok(Shared {
                counters: state.clone(),
                locks: state.clone(),
                signals: state.clone(),
                cache: state,
            })
        }
    }
}
