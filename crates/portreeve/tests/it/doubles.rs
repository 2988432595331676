//! What a publisher's proof is looked up in, played by this machine: a name server, a web server behind a proxy, an
//! OpenID issuer, GitHub.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_SHA256};
use axum::Router;
use axum::extract::Path as Segment;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, StatusCode};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use portreeve_net::TlsAcceptor;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream, UdpSocket};

/// A name server in which one name has these texts, and no other name exists.
pub(crate) async fn name_server(name: &'static str, texts: Vec<String>) -> SocketAddr {
    changing_name_server(name, Arc::new(Mutex::new(texts))).await
}

/// The same, with texts that may change; nobody is told to keep them.
pub(crate) async fn changing_name_server(name: &'static str, texts: Arc<Mutex<Vec<String>>>) -> SocketAddr {
    let socket = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let address = socket.local_addr().unwrap();
    tokio::spawn(async move {
        let mut packet = [0_u8; 1_024];
        while let Ok((length, from)) = socket.recv_from(&mut packet).await {
            let now = texts.lock().unwrap().clone();
            let answer = dns_answer(&packet[..length], name, &now);
            let _ = socket.send_to(&answer, from).await;
        }
    });
    address
}

/// The answer to a question with one name in it (RFC 1035, section 4).
fn dns_answer(question: &[u8], name: &str, texts: &[String]) -> Vec<u8> {
    let mut end = 12;
    let mut labels = Vec::new();
    while question[end] != 0 {
        let length = usize::from(question[end]);
        labels.push(String::from_utf8_lossy(&question[end + 1..=end + length]).to_lowercase());
        end += length + 1;
    }
    let is_known = labels.join(".") == name;
    let count = if is_known {
        u16::try_from(texts.len()).unwrap()
    } else {
        0
    };
    let flags: u16 = if is_known { 0x8180 } else { 0x8183 };
    let mut answer = question[..2].to_vec();
    answer.extend(flags.to_be_bytes());
    answer.extend([0, 1]);
    answer.extend(count.to_be_bytes());
    answer.extend([0; 4]);
    answer.extend(&question[12..end + 5]);
    for text in texts.iter().filter(|_| is_known) {
        let size = u16::try_from(text.len() + 1).unwrap();
        answer.extend([0xc0, 12, 0, 16, 0, 1, 0, 0, 0, 0]);
        answer.extend(size.to_be_bytes());
        answer.push(u8::try_from(text.len()).unwrap());
        answer.extend(text.as_bytes());
    }
    answer
}

/// A proxy behind which every name is one web server with TLS, that shows `file` at the well-known path.
pub(crate) async fn proxied_host(cert: &Path, key: &Path, file: String) -> SocketAddr {
    let tls = Arc::new(TlsAcceptor::load(cert, key).unwrap());
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let (tls, file) = (Arc::clone(&tls), file.clone());
            tokio::spawn(async move { serve_proxied(stream, &tls, &file).await });
        }
    });
    address
}

async fn serve_proxied(mut stream: TcpStream, tls: &TlsAcceptor, file: &str) -> Option<()> {
    read_head(&mut stream).await?;
    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.ok()?;
    let stream = tls.acceptor().accept(stream).await.ok()?;
    let file = file.to_owned();
    let router = Router::new().route("/.well-known/mcp-registry-auth", get(async move || file.clone()));
    let service = TowerToHyperService::new(router);
    let serving = Builder::new(TokioExecutor::new());
    serving.serve_connection(TokioIo::new(stream), service).await.ok()
}

async fn read_head<S: tokio::io::AsyncRead + Unpin>(stream: &mut S) -> Option<String> {
    let mut head = String::new();
    // One byte at a time: what follows the head belongs to somebody else.
    let mut reader = BufReader::with_capacity(1, stream);
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).await.ok()? == 0 {
            return None;
        }
    }
    Some(head)
}

/// An OpenID issuer with one RSA key.
pub(crate) struct Issuer {
    pub(crate) url: String,
    /// How often its keys were asked for.
    pub(crate) asked: Arc<AtomicUsize>,
    key: Arc<KeyPair>,
}

impl Issuer {
    pub(crate) async fn start() -> Self {
        let key = Arc::new(KeyPair::generate(KeySize::Rsa2048).unwrap());
        let asked = Arc::new(AtomicUsize::new(0));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let public = key.public_key();
        let number = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let keys = json!({"keys": [{
            "kty": "RSA", "use": "sig", "alg": "RS256", "kid": "one",
            "n": number(public.modulus().big_endian_without_leading_zero()),
            "e": number(public.exponent().big_endian_without_leading_zero()),
        }]});
        let discovery = json!({"issuer": url, "jwks_uri": format!("{url}/keys")});
        let router = Router::new()
            .route(
                "/.well-known/openid-configuration",
                get(async move || axum::Json(discovery.clone())),
            )
            .route(
                "/keys",
                get({
                    let asked = Arc::clone(&asked);
                    async move || {
                        asked.fetch_add(1, Ordering::SeqCst);
                        axum::Json(keys.clone())
                    }
                }),
            );
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, asked, key }
    }

    /// An ID token with these claims; `iss` and `exp` are there unless they say otherwise.
    pub(crate) fn token(&self, claims: &Value) -> String {
        self.signed(&json!({"alg": "RS256", "typ": "JWT", "kid": "one"}), claims)
    }

    /// A token that nobody with the private key made: without a signature, or signed with what everybody has.
    pub(crate) fn forged(&self, algorithm: &str, claims: &Value) -> String {
        let signed = self.unsigned(&json!({"alg": algorithm, "typ": "JWT", "kid": "one"}), claims);
        if algorithm == "none" {
            return format!("{signed}.");
        }
        let public = self
            .key
            .public_key()
            .modulus()
            .big_endian_without_leading_zero()
            .to_vec();
        let key = aws_lc_rs::hmac::Key::new(aws_lc_rs::hmac::HMAC_SHA256, &public);
        let tag = aws_lc_rs::hmac::sign(&key, signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(tag.as_ref()))
    }

    /// Head and claims; what is null is left out.
    fn unsigned(&self, head: &Value, claims: &Value) -> String {
        let mut all = json!({"iss": self.url, "exp": 4_102_444_800_i64});
        for (name, value) in claims.as_object().unwrap() {
            all[name] = value.clone();
        }
        all.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}", part(head), part(&all))
    }

    /// A token with this head and these claims.
    pub(crate) fn signed(&self, head: &Value, claims: &Value) -> String {
        let signed = self.unsigned(head, claims);
        let mut signature = vec![0; self.key.public_modulus_len()];
        self.key
            .sign(
                &RSA_PKCS1_SHA256,
                &SystemRandom::new(),
                signed.as_bytes(),
                &mut signature,
            )
            .unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// GitHub's API: `gho_octo` is the token of `octocat`, who belongs to `acme-inc`; `gho_busy` finds it busy.
pub(crate) async fn github() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let user = async |headers: HeaderMap| -> Response {
        match headers.get("authorization").and_then(|value| value.to_str().ok()) {
            Some("Bearer gho_octo") => axum::Json(json!({"login": "octocat", "id": 1})).into_response(),
            Some("Bearer gho_busy") => StatusCode::TOO_MANY_REQUESTS.into_response(),
            _ => StatusCode::UNAUTHORIZED.into_response(),
        }
    };
    let organizations = async |Segment(login): Segment<String>| {
        assert_eq!(login, "octocat");
        axum::Json(json!([{"login": "acme-inc"}, {"login": "with_underscore"}]))
    };
    let router = Router::new()
        .route("/user", get(user))
        .route("/users/{login}/orgs", get(organizations));
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}
