//! The shared state: in this process, or on a Valkey or Redis that several nodes share.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use portreeve_core::ports::{Cache, Counters, Locks, Signals};
use portreeve_inspect::{Keyring, Mac};
use portreeve_state::{InProcess, Valkey, ValkeyOptions};

use crate::cli::Failure;
use crate::config::{self, Config};
use crate::data::DataDirectory;

/// The shared state, as its four ports.
pub(super) struct Shared {
    pub(super) counters: Arc<dyn Counters>,
    pub(super) locks: Arc<dyn Locks>,
    pub(super) signals: Arc<dyn Signals>,
    _cache: Arc<dyn Cache>,
}

/// Opens what the configuration names.
pub(super) async fn shared(config: &Config, data: &DataDirectory, keys: &Keyring) -> Result<Shared, Failure> {
    let url = config.state.url.as_ref().map(config::resolve).transpose()?;
    match url.as_ref().map(|url| url.expose()) {
        None | Some("memory:") => {
            let state = Arc::new(InProcess::new(data.start));
            Ok(Shared {
                counters: state.clone(),
                locks: state.clone(),
                signals: state.clone(),
                _cache: state,
            })
        }
        Some(url) => {
            // Nodes of one installation have one master key.
            let name = Mac::new(&keys.derive("shared-state")).tag(b"installation");
            let options = ValkeyOptions {
                installation: URL_SAFE_NO_PAD.encode(name.split_at(9).0),
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
                _cache: state,
            })
        }
    }
}
