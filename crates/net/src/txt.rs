//! TXT records of the DNS: what a domain says about itself. A port of its own, so that a test can decide what it says.
//!
//! Before: `access` wants to know whose a namespace is. After: it reads the texts, which it believes as far as it
//! believes the DNS.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use hickory_resolver::{ResolverBuilder, TokioResolver};

use crate::error::NetError;

/// Time for one look-up.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Records of one name that are looked at.
const RECORDS: usize = 50;

/// Looks up TXT records.
#[async_trait]
pub trait TxtLookup: Send + Sync {
    /// The texts that a name has; none if it has none.
    async fn texts(&self, name: &str) -> Result<Vec<String>, NetError>;
}

/// The DNS itself: the machine's name servers, or the one that the configuration file names.
#[derive(Clone)]
pub struct DnsTexts(TokioResolver);

// === impl DnsTexts ===

impl DnsTexts {
    /// Sets up the look-ups. Asks nobody yet.
    pub fn new(name_server: Option<SocketAddr>) -> Result<Self, NetError> {
        let what = match name_server {
            Some(address) => format!("the name server `{address}`"),
            None => "the machine's list of name servers".to_owned(),
        };
        let mut builder: ResolverBuilder<TokioRuntimeProvider> = match name_server {
            Some(address) => {
                TokioResolver::builder_with_config(only(address), TokioRuntimeProvider::default())
            }
            None => TokioResolver::builder_tokio().map_err(|error| NetError::setup(&*what, error))?,
        };
        let options = builder.options_mut();
        options.timeout = Duration::from_secs(2);
        options.attempts = 2;
        // A proof that was just put there must be seen.
        options.cache_size = 0;
        let resolver = builder.build().map_err(|error| NetError::setup(what, error))?;
        Ok(Self(resolver))
    }
}

impl std::fmt::Debug for DnsTexts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DnsTexts")
    }
}

fn only(address: SocketAddr) -> ResolverConfig {
    let at_port = |mut connection: ConnectionConfig| {
        connection.port = address.port();
        connection
    };
    let mut server = NameServerConfig::udp_and_tcp(address.ip());
    server.connections = server.connections.into_iter().map(at_port).collect();
    ResolverConfig::from_parts(None, Vec::new(), vec![server])
}

#[async_trait]
impl TxtLookup for DnsTexts {
    async fn texts(&self, name: &str) -> Result<Vec<String>, NetError> {
        let failed = |cause: Arc<dyn std::error::Error + Send + Sync>| NetError::Resolve {
            host: name.to_owned(),
            cause,
        };
        let mut full = Name::from_ascii(name).map_err(|error| failed(Arc::new(error)))?;
        // Without this the machine's search domains would be tried as well.
        full.set_fqdn(true);
        let asked = self.0.lookup(full, RecordType::TXT);
        let answer = match tokio::time::timeout(TIMEOUT, asked).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) if error.is_no_records_found() => return Ok(Vec::new()),
            Ok(Err(error)) => return Err(failed(Arc::new(error))),
            Err(late) => return Err(failed(Arc::new(late))),
        };
        let texts = answer.answers().iter().filter_map(|record| match &record.data {
            RData::TXT(txt) => Some(txt.txt_data.concat()),
            _ => None,
        });
        Ok(texts
            .take(RECORDS)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .collect())
    }
}
