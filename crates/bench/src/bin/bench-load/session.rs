//! The handshake of a host of the legacy era: one session, which every connection shares.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use portreeve_bench::message::SESSION_REVISION;

use crate::request::within;

const PATIENCE: Duration = Duration::from_secs(10);
/// The longest head of an answer that is read.
const LONGEST: usize = 64 * 1024;

/// Shakes hands, and answers what every request of the session says in its head.
pub(crate) fn open(address: SocketAddr, base: &str) -> Result<String> {
    let hello = format!(
        r#"{{"jsonrpc":"2.0","id":0,"method":"initialize","params":{{"protocolVersion":"{SESSION_REVISION}","capabilities":{{}},"clientInfo":{{"name":"bench-load","version":"1"}}}}}}"#
    );
    let head = post(address, base, &hello)?;
    let session = field(&head, "mcp-session-id");
    let session = session.with_context(|| format!("no session was opened: {head}"))?;
    let own = within(session);
    let note = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;
    post(address, &format!("{base}{own}"), note)?;
    Ok(own)
}

/// Sends a message on a connection of its own, and reads the head of the answer.
fn post(address: SocketAddr, head: &str, body: &str) -> Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let length = body.len();
    write!(
        stream,
        "{head}connection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    )?;
    let mut read = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let text = String::from_utf8_lossy(&read);
        if let Some((head, _)) = text.split_once("\r\n\r\n") {
            let status = head.split(' ').nth(1).unwrap_or_default();
            if !status.starts_with('2') {
                bail!("the handshake was refused: {text}");
            }
            return Ok(head.to_owned());
        }
        let count = stream.read(&mut piece)?;
        if count == 0 || read.len() > LONGEST {
            bail!("no answer to the handshake: {text}");
        }
        read.extend_from_slice(piece.get(..count).unwrap_or_default());
    }
}

fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut fields = head.lines().filter_map(|line| line.split_once(':'));
    let found = fields.find(|(field, _)| field.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.trim())
}
