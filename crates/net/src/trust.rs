//! Whom outgoing TLS trusts: the machine's roots, and the CAs of the configuration file.
//!
//! Read once, when the [`crate::Egress`] is made; used by the connector.

use std::sync::Arc;

use rustls::crypto::aws_lc_rs;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;

use crate::error::NetError;

/// The client side of TLS. An empty machine store is no error here: plain http and a private CA need none.
pub(crate) fn client_config(ca_pem: Option<&[u8]>) -> Result<Arc<ClientConfig>, NetError> {
    let mut roots = native_roots();
    if let Some(pem) = ca_pem {
        add_configured(&mut roots, pem)?;
    }
    if roots.is_empty() {
        tracing::warn!(
            "no root certificates were found: https to other machines will fail until a CA is configured"
        );
    }
    let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|cause| NetError::setup("TLS", cause))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

fn native_roots() -> RootCertStore {
    let mut roots = RootCertStore::empty();
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(%error, "a root certificate of this machine could not be read");
    }
    // Machines carry roots that are too odd for webpki; one of them must not cost the others.
    let (_, ignored) = roots.add_parsable_certificates(found.certs);
    if ignored > 0 {
        tracing::debug!(ignored, "some root certificates of this machine are not usable");
    }
    roots
}

fn add_configured(roots: &mut RootCertStore, pem: &[u8]) -> Result<(), NetError> {
    let what = "the configured CA file";
    let mut count = 0;
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|cause| NetError::setup(what, cause))?;
        roots
            .add(certificate)
            .map_err(|cause| NetError::setup(what, cause))?;
        count += 1;
    }
    if count == 0 {
        return Err(NetError::setup(what, rustls_pki_types::pem::Error::NoItemsFound));
    }
    Ok(())
}
