//! A registry somewhere else: it answers each page as the test wants, and remembers what it was asked.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What is answered to a query: a page, or a status of failure.
type Answer = dyn Fn(&str) -> Result<Value, u16> + Send + Sync;

pub(crate) struct Pages {
    pub(crate) url: String,
    asked: Arc<Mutex<Vec<String>>>,
    answer: Arc<Mutex<Arc<Answer>>>,
}

impl Pages {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        let none: Arc<Answer> = Arc::new(|_| Err(404));
        let answer = Arc::new(Mutex::new(none));
        let (noted, answers) = (Arc::clone(&asked), Arc::clone(&answer));
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                serve(stream, &noted, &answers).await;
            }
        });
        Self { url, asked, answer }
    }

    /// From now on.
    pub(crate) fn answer(&self, with: impl Fn(&str) -> Result<Value, u16> + Send + Sync + 'static) {
        *self.answer.lock().unwrap() = Arc::new(with);
    }

    /// The queries so far, and they are forgotten.
    pub(crate) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().unwrap())
    }
}

async fn serve(mut stream: TcpStream, asked: &Mutex<Vec<String>>, answer: &Mutex<Arc<Answer>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => return,
        }
    }
    let head = String::from_utf8(head).unwrap();
    let path = head.split(' ').nth(1).unwrap();
    let query = path.strip_prefix("/v0.1/servers?").unwrap().to_owned();
    let answer = Arc::clone(&answer.lock().unwrap());
    let (status, body) = match answer(&query) {
        Ok(page) => (200, page.to_string()),
        Err(status) => (status, String::new()),
    };
    asked.lock().unwrap().push(query);
    let text = format!(
        "HTTP/1.1 {status} x\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(text.as_bytes()).await.unwrap();
}

/// A page with one server that is said to be in a state, and what follows it.
pub(crate) fn page(name: &str, status: &str, next: Option<&str>) -> Value {
    let document = json!({"name": name, "description": "Far away", "version": "1.0.0"});
    json!({
        "servers": [{
            "server": document,
            "_meta": {"io.modelcontextprotocol.registry/official": {"status": status}},
        }],
        "metadata": {"nextCursor": next, "count": 1},
    })
}
