//! TLS on both sides: whom we trust, what is negotiated, and a certificate that changes while we serve.

use std::path::Path;
use std::sync::Arc;

use http::Version;
use http_body_util::Full;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use portreeve_net::{EgressConfig, NetError, Reach, TlsAcceptor, read_body};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::net::TcpListener;

use crate::house::{Names, SOON, egress, egress_with, granted, send};

/// A private CA that signs what a test needs.
pub(crate) struct Ca(CertifiedIssuer<'static, KeyPair>);

impl Ca {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    pub(crate) fn config(&self) -> EgressConfig {
        EgressConfig {
            ca_pem: Some(self.0.pem().into_bytes()),
            ..EgressConfig::default()
        }
    }

    /// Writes a certificate for `name` and its key into `folder`.
    pub(crate) fn issue(&self, name: &str, folder: &Path) {
        let key = KeyPair::generate().unwrap();
        let certificate = CertificateParams::new(vec![name.to_owned()])
            .unwrap()
            .signed_by(&key, &self.0)
            .unwrap();
        std::fs::write(folder.join("cert.pem"), certificate.pem()).unwrap();
        std::fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
    }
}

/// Serves over TLS with the acceptor's present certificate; answers with the HTTP version. Gives the port.
pub(crate) async fn serve(acceptor: Arc<TlsAcceptor>) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let accepting = acceptor.acceptor().accept(stream);
            tokio::spawn(async move {
                let Ok(stream) = accepting.await else { return };
                let answer = service_fn(async |request: hyper::Request<hyper::body::Incoming>| {
                    let said = format!("{:?} {}", request.version(), request.uri().host().unwrap_or("-"));
                    Ok::<_, std::convert::Infallible>(hyper::Response::new(Full::<bytes::Bytes>::from(said)))
                });
                let builder = hyper_util::server::conn::auto::Builder::new(TokioExecutor::new());
                let _ = builder.serve_connection(TokioIo::new(stream), answer).await;
            });
        }
    });
    port
}

pub(crate) fn load(folder: &Path) -> TlsAcceptor {
    TlsAcceptor::load(&folder.join("cert.pem"), &folder.join("key.pem")).unwrap()
}

#[tokio::test]
async fn a_configured_ca_is_trusted_and_http2_negotiated() {
    let (ca, folder) = (Ca::new(), tempfile::tempdir().unwrap());
    ca.issue("billing.corp", folder.path());
    let port = serve(Arc::new(load(folder.path()))).await;
    let names = Names::with("billing.corp", &["127.0.0.1"]);
    let url = format!("https://billing.corp:{port}/");
    let reach = granted("billing.corp", port);

    let response = send(&egress_with(&ca.config(), &names), &url, &reach)
        .await
        .unwrap();
    assert_eq!(response.version(), Version::HTTP_2);
    assert_eq!(
        read_body(response.into_body(), 100, SOON).await.unwrap(),
        "HTTP/2.0 billing.corp"
    );

    let error = send(&egress(&names), &url, &reach).await.unwrap_err();
    assert!(
        matches!(error, NetError::Tls { .. }) && error.is_before_send(),
        "{error:?}"
    );
    assert!(error.to_string().contains("UnknownIssuer"), "{error}");
}

#[tokio::test]
async fn the_certificate_must_be_for_the_name_of_the_url() {
    let (ca, folder) = (Ca::new(), tempfile::tempdir().unwrap());
    ca.issue("billing.corp", folder.path());
    let port = serve(Arc::new(load(folder.path()))).await;
    let names = Names::with("other.corp", &["127.0.0.1"]);
    let egress = egress_with(&ca.config(), &names);
    let error = send(&egress, &format!("https://other.corp:{port}/"), &Reach::Operator)
        .await
        .unwrap_err();
    assert!(matches!(error, NetError::Tls { .. }), "{error:?}");
}

#[tokio::test]
async fn a_changed_certificate_is_taken_up_and_a_broken_one_is_not() {
    let (ca, folder) = (Ca::new(), tempfile::tempdir().unwrap());
    ca.issue("one.corp", folder.path());
    let acceptor = Arc::new(load(folder.path()));
    let port = serve(acceptor.clone()).await;
    let names = Names::with("one.corp", &["127.0.0.1"]);
    names.say("two.corp", &["127.0.0.1"]);
    // Without kept connections, so that each request sees the certificate of its moment.
    let egress = egress_with(
        &EgressConfig {
            idle_per_host: 0,
            ..ca.config()
        },
        &names,
    );
    let served = async |name: &str| {
        let egress = egress.with_own_connections();
        send(&egress, &format!("https://{name}:{port}/"), &Reach::Operator)
            .await
            .is_ok()
    };
    assert!(!acceptor.reload_if_changed().unwrap());
    assert!(served("one.corp").await && !served("two.corp").await);

    ca.issue("two.corp", folder.path());
    assert!(acceptor.reload_if_changed().unwrap());
    assert!(!acceptor.reload_if_changed().unwrap());
    assert!(!served("one.corp").await && served("two.corp").await);

    // A key of another certificate, then no certificate at all, then no file.
    std::fs::write(
        folder.path().join("key.pem"),
        KeyPair::generate().unwrap().serialize_pem(),
    )
    .unwrap();
    let error = acceptor.reload_if_changed().unwrap_err();
    assert!(matches!(error, NetError::Setup { .. }), "{error:?}");
    assert!(
        !acceptor.reload_if_changed().unwrap(),
        "the same broken pair is reported once"
    );
    std::fs::write(folder.path().join("cert.pem"), "nothing").unwrap();
    let message = acceptor.reload_if_changed().unwrap_err().to_string();
    assert!(
        message.starts_with("the certificate `") && message.contains("cert.pem"),
        "{message}"
    );
    std::fs::remove_file(folder.path().join("cert.pem")).unwrap();
    assert!(acceptor.reload_if_changed().is_err());
    assert!(served("two.corp").await);

    ca.issue("one.corp", folder.path());
    assert!(acceptor.reload_if_changed().unwrap());
    assert!(served("one.corp").await);
}

#[test]
fn a_ca_file_without_certificates_stops_the_start() {
    let config = EgressConfig {
        ca_pem: Some(b"nothing".to_vec()),
        ..EgressConfig::default()
    };
    let error = portreeve_net::Egress::new(&config).unwrap_err();
    assert!(
        error
            .to_string()
            .starts_with("the configured CA file cannot be used"),
        "{error}"
    );
}
