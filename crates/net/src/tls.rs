//! The server side of TLS: a certificate and its key from two PEM files, read again when they change.
//!
//! The listener of the roof takes the current acceptor for each connection; a timer asks for changes. A new pair that
//! cannot be used changes nothing: the old one serves on.

use std::hash::{DefaultHasher, Hasher};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, PrivateKeyDer};

use crate::error::NetError;

/// A TLS acceptor whose certificate can change while it serves. Offers h2 and http/1.1.
pub struct TlsAcceptor {
    cert: PathBuf,
    key: PathBuf,
    current: ArcSwap<ServerConfig>,
    /// The content that was looked at last, whether it was good or not: a broken pair is reported once.
    seen: AtomicU64,
}

/// The content of both files.
struct Pair {
    cert: Vec<u8>,
    key: Vec<u8>,
}

// === impl TlsAcceptor ===

impl std::fmt::Debug for TlsAcceptor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TlsAcceptor")
            .field("cert", &self.cert)
            .field("key", &self.key)
            .finish_non_exhaustive()
    }
}

impl TlsAcceptor {
    /// Reads the certificate chain and its key.
    pub fn load(cert: &Path, key: &Path) -> Result<Self, NetError> {
        let pair = Pair::read(cert, key)?;
        let config = pair.config(cert, key)?;
        Ok(Self {
            cert: cert.to_owned(),
            key: key.to_owned(),
            current: ArcSwap::from(config),
            seen: AtomicU64::new(pair.fingerprint()),
        })
    }

    /// The acceptor for the next connection. Connections that are open keep theirs.
    pub fn acceptor(&self) -> tokio_rustls::TlsAcceptor {
        tokio_rustls::TlsAcceptor::from(self.current.load_full())
    }

    /// Looks at the files, and takes a new pair into use. The content is compared, not the time of change: mounted
    /// secrets are swapped by links that keep old times. An error leaves the old pair in use; the same broken content
    /// is an error once, and unchanged afterwards.
    pub fn reload_if_changed(&self) -> Result<bool, NetError> {
        let pair = Pair::read(&self.cert, &self.key)?;
        let fingerprint = pair.fingerprint();
        if self.seen.swap(fingerprint, Ordering::AcqRel) == fingerprint {
            return Ok(false);
        }
        self.current.store(pair.config(&self.cert, &self.key)?);
        Ok(true)
    }
}

// === impl Pair ===

impl Pair {
    fn read(cert: &Path, key: &Path) -> Result<Self, NetError> {
        let read = |kind: &str, path: &Path| {
            std::fs::read(path).map_err(|cause| NetError::setup(named(kind, path), cause))
        };
        Ok(Self {
            cert: read("certificate", cert)?,
            key: read("key", key)?,
        })
    }

    /// Tells contents apart. No secret leaves by it, and nobody gains by a collision.
    fn fingerprint(&self) -> u64 {
        let mut hasher = DefaultHasher::new();
        hasher.write(&self.cert);
        hasher.write_usize(self.cert.len());
        hasher.write(&self.key);
        hasher.finish()
    }

    fn config(&self, cert: &Path, key: &Path) -> Result<Arc<ServerConfig>, NetError> {
        let bad_cert = |cause| NetError::setup(named("certificate", cert), cause);
        let chain = CertificateDer::pem_slice_iter(&self.cert)
            .collect::<Result<Vec<_>, _>>()
            .map_err(bad_cert)?;
        if chain.is_empty() {
            return Err(bad_cert(rustls_pki_types::pem::Error::NoItemsFound));
        }
        let secret = PrivateKeyDer::from_pem_slice(&self.key)
            .map_err(|cause| NetError::setup(named("key", key), cause))?;
        let provider = Arc::new(aws_lc_rs::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|cause| NetError::setup("TLS", cause))?
            .with_no_client_auth()
            .with_single_cert(chain, secret)
            .map_err(|cause| NetError::setup(named("certificate", cert), cause))?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        // Resumption without state on the server; the keys change with the certificate and every few hours.
        config.ticketer =
            aws_lc_rs::Ticketer::new().map_err(|cause| NetError::setup("TLS session tickets", cause))?;
        Ok(Arc::new(config))
    }
}

fn named(kind: &str, path: &Path) -> String {
    format!("the {kind} `{}`", path.display())
}
