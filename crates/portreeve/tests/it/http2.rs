//! HTTP/2 frame by frame, for what no client does.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const GOAWAY: u8 = 7;

const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;
const ACK: u8 = 1;

/// A frame that came.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) kind: u8,
    pub(crate) stream: u32,
    pub(crate) payload: Vec<u8>,
}

impl Frame {
    /// The error code of a frame that ends a stream or the connection.
    pub(crate) fn error(&self) -> u32 {
        let at = if self.kind == GOAWAY { 4 } else { 0 };
        let code = self.payload.get(at..at + 4).and_then(|code| code.try_into().ok());
        code.map_or(0, u32::from_be_bytes)
    }
}

/// A connection. Gives no window beyond the first 64 KiB.
pub(crate) struct Http2 {
    stream: TcpStream,
    authority: String,
}

impl Http2 {
    pub(crate) async fn connect(url: &str) -> Self {
        let authority = url.trim_start_matches("http://").to_owned();
        let stream = TcpStream::connect(&authority).await.expect("a connection");
        let mut connection = Self { stream, authority };
        connection.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await;
        connection.send(SETTINGS, 0, 0, &[]).await;
        connection
    }

    async fn write(&mut self, bytes: &[u8]) {
        // The other side may have closed already; what it said can still be read.
        let _ = self.stream.write_all(bytes).await;
    }

    async fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let length = u32::try_from(payload.len()).expect("a small frame").to_be_bytes();
        let head = [&length[1..], &[kind, flags], &stream.to_be_bytes()].concat();
        self.write(&[&head, payload].concat()).await;
    }

    /// Sends a POST whole.
    pub(crate) async fn post(&mut self, stream: u32, path: &str, fields: &[(&str, String)], body: &str) {
        let mut block = vec![0x83, 0x86];
        literal(&mut block, &[0x04], path);
        literal(&mut block, &[0x01], &self.authority);
        for (name, value) in fields {
            let mut key = vec![0, u8::try_from(name.len()).expect("a short name")];
            key.extend_from_slice(name.as_bytes());
            literal(&mut block, &key, value);
        }
        self.send(HEADERS, END_HEADERS, stream, &block).await;
        self.send(DATA, END_STREAM, stream, body.as_bytes()).await;
    }

    /// Takes a request back.
    pub(crate) async fn reset(&mut self, stream: u32) {
        self.send(RST_STREAM, 0, stream, &8_u32.to_be_bytes()).await;
    }

    /// The next frame; `None` when the connection is closed. Settings are agreed to.
    pub(crate) async fn frame(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        self.stream.read_exact(&mut head).await.ok()?;
        let [a, b, c, kind, flags, id @ ..] = head;
        let mut payload = vec![0; u32::from_be_bytes([0, a, b, c]) as usize];
        self.stream.read_exact(&mut payload).await.ok()?;
        if kind == SETTINGS && flags & ACK == 0 {
            self.send(SETTINGS, ACK, 0, &[]).await;
        }
        let stream = u32::from_be_bytes(id) & 0x7fff_ffff;
        Some(Frame {
            kind,
            stream,
            payload,
        })
    }

    /// The next frame that is wanted.
    pub(crate) async fn until(&mut self, wanted: impl Fn(&Frame) -> bool) -> Option<Frame> {
        loop {
            let frame = self.frame().await?;
            if wanted(&frame) {
                return Some(frame);
            }
        }
    }
}

/// A header field that is not to be remembered. Lengths beyond 126 take more bytes.
fn literal(block: &mut Vec<u8>, key: &[u8], value: &str) {
    block.extend_from_slice(key);
    match u8::try_from(value.len()) {
        Ok(length) if length < 127 => block.push(length),
        _ => {
            block.push(127);
            let mut rest = value.len() - 127;
            while rest >= 128 {
                block.push(u8::try_from(rest % 128).unwrap_or(0) | 128);
                rest /= 128;
            }
            block.push(u8::try_from(rest).unwrap_or(0));
        }
    }
    block.extend_from_slice(value.as_bytes());
}
