//! What the tests share: a server that answers as it is told, a resolver that says what it is told.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use portreeve_core::server::PrivateHost;
use portreeve_net::{Egress, EgressConfig, NetError, Reach, Resolve, ResponseBody};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;

/// Long enough for a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(10);

/// A server on loopback. Notes every request head and answers with fixed bytes, on kept connections.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
    connections: Arc<AtomicUsize>,
}

impl Server {
    /// Answers every request with `answer`.
    pub(crate) async fn start(answer: &'static str) -> Self {
        Self::start_at("127.0.0.1:0", answer).await
    }

    pub(crate) async fn start_at(at: &str, answer: &'static str) -> Self {
        let listener = TcpListener::bind(at).await.unwrap();
        let server = Self {
            address: listener.local_addr().unwrap(),
            heads: Arc::default(),
            connections: Arc::default(),
        };
        let (heads, connections) = (server.heads.clone(), server.connections.clone());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                connections.fetch_add(1, Ordering::SeqCst);
                let heads = heads.clone();
                tokio::spawn(async move {
                    while let Some(head) = read_head(&mut stream).await {
                        heads.lock().unwrap().push(head);
                        if stream.write_all(answer.as_bytes()).await.is_err() || answer.is_empty() {
                            break;
                        }
                    }
                });
            }
        });
        server
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/mcp", self.address)
    }

    pub(crate) fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }
}

/// Reads one request head, and the body that its `content-length` announces.
pub(crate) async fn read_head(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.ok()?);
    }
    let head = String::from_utf8(head).ok()?;
    let length = head
        .lines()
        .find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    stream.read_exact(&mut body).await.ok()?;
    Some(head)
}

/// A resolver that knows what it was told, and counts how often it was asked.
#[derive(Default)]
pub(crate) struct Names {
    known: Mutex<HashMap<String, Vec<IpAddr>>>,
    asked: AtomicUsize,
}

impl Names {
    pub(crate) fn with(name: &str, addresses: &[&str]) -> Arc<Self> {
        let names = Arc::new(Self::default());
        names.say(name, addresses);
        names
    }

    /// From now on, `name` stands for these addresses.
    pub(crate) fn say(&self, name: &str, addresses: &[&str]) {
        let addresses = addresses.iter().map(|address| address.parse().unwrap()).collect();
        self.known.lock().unwrap().insert(name.to_owned(), addresses);
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

#[async_trait]
impl Resolve for Names {
    async fn resolve(&self, name: &str) -> io::Result<Vec<IpAddr>> {
        self.asked.fetch_add(1, Ordering::SeqCst);
        self.known
            .lock()
            .unwrap()
            .get(name)
            .cloned()
            .ok_or_else(|| io::Error::other("no such name"))
    }
}

pub(crate) fn egress(names: &Arc<Names>) -> Egress {
    egress_with(&EgressConfig::default(), names)
}

pub(crate) fn egress_with(config: &EgressConfig, names: &Arc<Names>) -> Egress {
    Egress::with_resolver(config, names.clone()).unwrap()
}

/// A grant for one host and port.
pub(crate) fn granted(host: &str, port: u16) -> Reach {
    Reach::Private(Arc::from([PrivateHost {
        host: host.to_owned(),
        port,
    }]))
}

pub(crate) fn post(url: &str) -> Request<Bytes> {
    Request::post(url).body(Bytes::from_static(b"{}")).unwrap()
}

pub(crate) async fn send(
    egress: &Egress,
    url: &str,
    reach: &Reach,
) -> Result<Response<ResponseBody>, NetError> {
    egress.send(post(url), reach, SOON).await
}

/// The message of an error that must be there.
pub(crate) fn text<T>(result: Result<T, NetError>) -> String {
    match result {
        Ok(_) => panic!("it should have failed"),
        Err(error) => error.to_string(),
    }
}

pub(crate) const OK: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok";
