//! nginx as a plain reverse proxy: what a call costs that nobody looks at.

use std::fs;
use std::time::Duration;

use anyhow::Result;

use super::contestants::{GATEWAY_CORE, pinned};
use super::descriptors::Descriptors;
use crate::context::Context;
use crate::files::TemporaryFolder;
use crate::install::apt;
use crate::process::{self, Log, Service};

/// A running nginx.
#[derive(Debug)]
pub(crate) struct Nginx {
    pub(crate) service: Service,
    /// With the buffers it has by default.
    pub(crate) port: u16,
    /// With buffers that hold the largest answer.
    pub(crate) large: u16,
    _folder: TemporaryFolder,
}

impl Nginx {
    pub(crate) fn start(
        context: &mut Context,
        log: &mut Log,
        upstream: u16,
        descriptors: Descriptors,
    ) -> Result<Self> {
        let program = apt::need(context, log, &["nginx"], &["nginx-light"])?;
        let folder = TemporaryFolder::new("nginx")?;
        let (port, large) = (process::free_port()?, process::free_port()?);
        let file = folder.path().join("nginx.conf");
        fs::write(&file, configuration(upstream, port, large))?;
        let mut command = pinned(GATEWAY_CORE, descriptors, program);
        command.arg("-p").arg(folder.path()).arg("-c").arg(&file);
        let mut service = log.serve("nginx", &mut command, "TERM")?;
        service.until(Duration::from_secs(10), || process::accepts(port))?;
        Ok(Self {
            service,
            port,
            large,
            _folder: folder,
        })
    }
}

/// One worker, since a gateway has one core here; connections to both sides stay open, nothing is logged.
fn configuration(upstream: u16, port: u16, large: u16) -> String {
    format!(
        "\
daemon off;
worker_processes 1;
worker_rlimit_nofile 20000;
error_log stderr error;
pid nginx.pid;

events {{
    worker_connections 18000;
    multi_accept on;
}}

http {{
    access_log off;
    keepalive_requests 1000000000;
    client_body_buffer_size 64k;
    client_body_temp_path bodies;
    proxy_temp_path answers;
    proxy_http_version 1.1;
    proxy_set_header Connection \"\";
    proxy_read_timeout 600s;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;

    upstream mcp {{
        server 127.0.0.1:{upstream};
        keepalive 512;
        keepalive_requests 1000000000;
    }}
    server {{
        listen 127.0.0.1:{port} backlog=8192;
        location / {{ proxy_pass http://mcp; }}
    }}
    server {{
        listen 127.0.0.1:{large} backlog=8192;
        client_body_buffer_size 512k;
        proxy_buffer_size 64k;
        proxy_buffers 8 64k;
        proxy_busy_buffers_size 256k;
        proxy_max_temp_file_size 0;
        location / {{ proxy_pass http://mcp; }}
    }}
}}
"
    )
}
