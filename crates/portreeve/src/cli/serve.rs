//! The flags of `portreeve serve`. What they do is in `serve.rs` of the roof; the configuration file has the rest.

use std::path::PathBuf;

use clap::Args;
use url::Url;

/// `portreeve serve`
#[derive(Debug, Clone, Args)]
pub(crate) struct ServeArgs {
    /// The configuration file (TOML); everything has a default without one
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Where to listen [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<String>,

    /// The origin under which hosts reach it [default: the listener's own address]
    #[arg(long, value_name = "URL")]
    pub(crate) public_url: Option<Url>,

    /// The certificate chain (PEM) for TLS; read again when it changes
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,

    /// The private key (PEM) for TLS
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,

    /// Where Prometheus reads metrics, or `off` [default: 127.0.0.1:9464]
    #[arg(long, value_name = "ADDR")]
    pub(crate) metrics_listen: Option<String>,

    /// Accept a public origin without TLS that is not loopback
    #[arg(long)]
    pub(crate) insecure_http: bool,

    /// Add a sample MCP server, built in and approved, with a rate limit (loopback only)
    #[arg(long)]
    pub(crate) demo: bool,
}
