//! Redis from the distribution's packages; Valkey where that is what is installed.

use std::time::Duration;

use anyhow::{Context as _, Result};

use crate::context::Context;
use crate::files::TemporaryFolder;
use crate::install::apt;
use crate::process::{self, Log, Service};

const START_LIMIT: Duration = Duration::from_secs(20);

/// A running server.
#[derive(Debug)]
pub(crate) struct Redis {
    pub(crate) url: String,
    _service: Service,
    _folder: TemporaryFolder,
}

impl Redis {
    pub(crate) fn start(context: &mut Context, log: &mut Log) -> Result<Self> {
        let find = || process::find("valkey-server").or_else(|| process::find("redis-server"));
        let program = match find() {
            Some(program) => program,
            None => {
                apt::install(context, log, &["redis-server"])?;
                find().context("redis-server was installed, but it is not in PATH")?
            }
        };
        let folder = TemporaryFolder::new("redis")?;
        let port = process::free_port()?;
        let mut serve = process::bound(program);
        serve.current_dir(folder.path()).args([
            "--port",
            &port.to_string(),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
        ]);
        let mut service = log.serve("Redis", &mut serve, "TERM")?;
        service.until(START_LIMIT, || process::accepts(port))?;
        Ok(Self {
            url: format!("redis://127.0.0.1:{port}"),
            _service: service,
            _folder: folder,
        })
    }
}
