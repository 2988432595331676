//! Somebody who is told of changes: keeps what comes, and answers as a test wants.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use aws_lc_rs::hmac;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use futures_util::stream;
use http::{HeaderMap, StatusCode};
use serde_json::Value;
use tokio::net::TcpListener;

/// A request that came.
#[derive(Clone, Debug)]
pub(crate) struct Told {
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// What is done to a request.
#[derive(Clone, Debug)]
pub(crate) enum Manner {
    /// An answer with this status and these headers.
    Answer(u16, Vec<(&'static str, String)>),
    /// No answer, for as long as the connection lasts.
    Hang,
    /// A good answer whose body never ends.
    Endless,
}

/// Decides by the number of requests that came before.
type Script = Arc<dyn Fn(usize, &Told) -> Manner + Send + Sync>;

struct Book {
    script: Script,
    told: Vec<Told>,
}

/// The running receiver.
#[derive(Clone)]
pub(crate) struct Receiver {
    pub(crate) url: String,
    book: Arc<Mutex<Book>>,
}

impl Manner {
    pub(crate) fn status(status: u16) -> Self {
        Self::Answer(status, Vec::new())
    }
}

impl Told {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }

    pub(crate) fn kind(&self) -> String {
        self.json()["type"].as_str().expect("a type").to_owned()
    }

    /// Whether one of the signatures is by this key, computed from nothing but the specification.
    pub(crate) fn is_signed_by(&self, secret: &str) -> bool {
        let key = STANDARD
            .decode(secret.strip_prefix("whsec_").expect("a key"))
            .expect("base64");
        let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
        let head = format!(
            "{}.{}.",
            self.header("webhook-id"),
            self.header("webhook-timestamp")
        );
        let signed = [head.as_bytes(), &self.body].concat();
        let right = format!("v1,{}", STANDARD.encode(hmac::sign(&key, &signed)));
        self.header("webhook-signature")
            .split(' ')
            .any(|one| one == right)
    }
}

impl Receiver {
    /// One that takes everything.
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("a port");
        let url = format!("http://{}/hook", listener.local_addr().expect("an address"));
        let book = Arc::new(Mutex::new(Book {
            script: Arc::new(|_, _| Manner::status(204)),
            told: Vec::new(),
        }));
        let router = Router::new().fallback(receive).with_state(Arc::clone(&book));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, book }
    }

    /// Answers in this way from now on.
    pub(crate) fn behave(&self, script: impl Fn(usize, &Told) -> Manner + Send + Sync + 'static) {
        self.book.lock().expect("a book").script = Arc::new(script);
    }

    /// Everything that came.
    pub(crate) fn told(&self) -> Vec<Told> {
        self.book.lock().expect("a book").told.clone()
    }

    /// Waits until what came is as it should be.
    pub(crate) async fn until(&self, what: &str, is_so: impl Fn(&[Told]) -> bool) -> Vec<Told> {
        let begun = Instant::now();
        loop {
            let told = self.told();
            if is_so(&told) {
                return told;
            }
            let kinds: Vec<_> = told.iter().map(Told::kind).collect();
            assert!(begun.elapsed() < Duration::from_secs(30), "{what}: {kinds:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

async fn receive(State(book): State<Arc<Mutex<Book>>>, headers: HeaderMap, body: Bytes) -> Response {
    let told = Told { headers, body };
    let manner = {
        let mut book = book.lock().expect("a book");
        let manner = (book.script)(book.told.len(), &told);
        book.told.push(told);
        manner
    };
    match manner {
        Manner::Hang => std::future::pending().await,
        Manner::Endless => {
            let more = stream::repeat_with(|| Ok::<_, std::io::Error>(Bytes::from_static(&[b'x'; 8192])));
            Body::from_stream(more).into_response()
        }
        Manner::Answer(status, headers) => {
            let mut response = StatusCode::from_u16(status).expect("a status").into_response();
            for (name, value) in headers {
                response
                    .headers_mut()
                    .insert(name, value.parse().expect("a header"));
            }
            response
        }
    }
}
