//! HTTP as bytes: a host that writes what it likes, and a listening post between Portreeve and a server.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// Longer than anything here takes.
const PATIENCE: Duration = Duration::from_secs(20);

/// A connection on which a host writes bytes.
pub(crate) struct Wire {
    stream: TcpStream,
    unread: Vec<u8>,
}

/// One answer, as it came.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    /// The status line and the fields, in lower case.
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Reply {
    /// The JSON-RPC code of an error.
    pub(crate) fn code(&self) -> i64 {
        let body: serde_json::Value = serde_json::from_str(&self.body).unwrap_or_default();
        body["error"]["code"].as_i64().unwrap_or_default()
    }
}

impl Wire {
    /// Connects to an origin.
    pub(crate) async fn connect(origin: &str) -> Self {
        let address = origin.trim_start_matches("http://");
        Self {
            stream: TcpStream::connect(address).await.expect("a connection"),
            unread: Vec::new(),
        }
    }

    /// Writes bytes. The other side may have closed already.
    pub(crate) async fn write(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = self.stream.write_all(bytes.as_ref()).await;
    }

    async fn more(&mut self) -> bool {
        let read = tokio::time::timeout(PATIENCE, self.stream.read_buf(&mut self.unread)).await;
        matches!(
            read.unwrap_or_else(|_| panic!("silence after {}", String::from_utf8_lossy(&self.unread))),
            Ok(1..)
        )
    }

    /// The next answer; `None` when the connection was closed before one.
    pub(crate) async fn answer(&mut self) -> Option<Reply> {
        let end = loop {
            let found = self.unread.windows(4).position(|part| part == b"\r\n\r\n");
            match found {
                Some(end) => break end + 4,
                None if self.more().await => {}
                None => return None,
            }
        };
        let head = String::from_utf8_lossy(&self.unread[..end]).to_ascii_lowercase();
        let field = |name: &str| {
            head.lines()
                .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
        };
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|status| status.parse().ok())
            .expect("a status");
        let length = field("content-length").map_or(0, |length| length.parse().expect("a length"));
        while self.unread.len() < end + length && self.more().await {}
        let body = String::from_utf8_lossy(&self.unread[end..end + length]).into_owned();
        self.unread.drain(..end + length);
        Some(Reply { status, head, body })
    }

    /// Whether the other side closes without another answer.
    pub(crate) async fn is_closed(&mut self) -> bool {
        self.answer().await.is_none()
    }
}

/// Stands before a server, passes everything on, and keeps what Portreeve wrote.
pub(crate) struct Post {
    pub(crate) url: String,
    taken: Arc<Mutex<Vec<u8>>>,
}

impl Post {
    /// Before the server of this URL.
    pub(crate) async fn before(server: &str) -> Self {
        let (target, path) = server
            .trim_start_matches("http://")
            .split_once('/')
            .expect("a URL with a path");
        let (target, path) = (target.to_owned(), path.to_owned());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("a free port");
        let url = format!("http://{}/{path}", listener.local_addr().expect("an address"));
        let taken = Arc::<Mutex<Vec<u8>>>::default();
        let kept = Arc::clone(&taken);
        tokio::spawn(async move {
            while let Ok((from, _)) = listener.accept().await {
                let to = TcpStream::connect(&target).await.expect("the server");
                let ((from_read, from_write), (to_read, to_write)) = (from.into_split(), to.into_split());
                tokio::spawn(pass(from_read, to_write, Some(Arc::clone(&kept))));
                tokio::spawn(pass(to_read, from_write, None));
            }
        });
        Self { url, taken }
    }

    /// What Portreeve wrote since the last look.
    pub(crate) fn taken(&self) -> String {
        let bytes = std::mem::take(&mut *self.taken.lock().unwrap());
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    kept: Option<Arc<Mutex<Vec<u8>>>>,
) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        if let Some(kept) = &kept {
            kept.lock().unwrap().extend_from_slice(&buffer[..read]);
        }
        if to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
    let _ = to.shutdown().await;
}
