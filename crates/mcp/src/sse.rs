//! Server-sent events: an incremental reader that keeps the bytes, and a writer.
//!
//! Follows the event stream format of the HTML standard: CR, LF and CRLF end lines, several `data` lines are joined,
//! comments and unknown fields are passed over, a byte order mark at the start is dropped.

use bytes::{Bytes, BytesMut};

/// One event, or one block of comments, with the bytes it came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Everything up to and including the empty line.
    pub raw: Bytes,
    /// The joined `data` lines; `None` when there is none, or only empty ones (a priming event).
    pub data: Option<Bytes>,
    /// The `id` line.
    pub id: Option<Bytes>,
    /// The `event` line.
    pub name: Option<Bytes>,
}

/// An event larger than the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event of the stream is larger than {limit} bytes")]
pub struct TooLarge {
    /// The limit.
    pub limit: usize,
}

/// Cuts a byte stream into events.
#[derive(Debug)]
pub struct Reader {
    buffer: BytesMut,
    /// Bytes of `buffer` that belong to complete lines.
    lines_end: usize,
    /// Bytes of `buffer` in which no line end was found.
    scanned: usize,
    limit: usize,
    started: bool,
    skip_line_feed: bool,
}

impl Reader {
    /// A reader that refuses events above `limit` bytes.
    pub fn new(limit: usize) -> Self {
        Self {
            buffer: BytesMut::new(),
            lines_end: 0,
            scanned: 0,
            limit,
            started: false,
            skip_line_feed: false,
        }
    }

    /// Refuses events above this size from now on.
    pub fn set_limit(&mut self, limit: usize) {
        self.limit = limit;
    }

    /// Takes the next bytes of the stream.
    pub fn feed(&mut self, chunk: &[u8]) {
        let mut chunk = chunk;
        if self.skip_line_feed && !chunk.is_empty() {
            chunk = chunk.strip_prefix(b"\n").unwrap_or(chunk);
            self.skip_line_feed = false;
        }
        self.buffer.extend_from_slice(chunk);
    }

    /// What was taken and not read yet, for another reader of the same stream.
    pub fn take_rest(&mut self) -> Bytes {
        self.lines_end = 0;
        self.scanned = 0;
        std::mem::take(&mut self.buffer).freeze()
    }

    /// The next complete event; `None` until more bytes come.
    pub fn next_event(&mut self) -> Result<Option<Event>, TooLarge> {
        if !self.started {
            if self.buffer.len() < 3 && b"\xef\xbb\xbf".starts_with(&self.buffer) {
                return Ok(None);
            }
            if self.buffer.starts_with(b"\xef\xbb\xbf") {
                let _ = self.buffer.split_to(3);
            }
            self.started = true;
        }
        while let Some(end) = self.line_end() {
            let empty = end.text == self.lines_end;
            self.lines_end = end.next;
            self.scanned = end.next;
            if empty {
                if end.next > self.limit {
                    break;
                }
                let raw = self.buffer.split_to(end.next).freeze();
                self.lines_end = 0;
                self.scanned = 0;
                return Ok(Some(Event::read(raw)));
            }
        }
        self.scanned = self.buffer.len();
        if self.buffer.is_empty() {
            // A stream may be silent for hours: it holds no memory meanwhile.
            self.buffer = BytesMut::new();
        }
        if self.buffer.len() > self.limit {
            Err(TooLarge { limit: self.limit })
        } else {
            Ok(None)
        }
    }

    fn line_end(&mut self) -> Option<LineEnd> {
        let rest = self.buffer.get(self.scanned..)?;
        let text = self.scanned + memchr::memchr2(b'\r', b'\n', rest)?;
        let is_return = self.buffer.get(text) == Some(&b'\r');
        match self.buffer.get(text + 1) {
            Some(b'\n') if is_return => Some(LineEnd { text, next: text + 2 }),
            None if is_return => {
                // Its line feed may come with the next bytes; the line is complete all the same.
                self.skip_line_feed = true;
                Some(LineEnd { text, next: text + 1 })
            }
            _ => Some(LineEnd { text, next: text + 1 }),
        }
    }

    /// Whether bytes of an incomplete event are left.
    pub fn has_rest(&self) -> bool {
        !self.buffer.is_empty()
    }
}

struct LineEnd {
    text: usize,
    next: usize,
}

impl Event {
    fn read(raw: Bytes) -> Self {
        let mut event = Self {
            raw: raw.clone(),
            data: None,
            id: None,
            name: None,
        };
        let mut joined: Option<Vec<u8>> = None;
        for line in lines(&raw) {
            let (field, value) = field_of(line);
            match field {
                b"data" => match (&mut joined, &event.data) {
                    (Some(joined), _) => {
                        joined.push(b'\n');
                        joined.extend_from_slice(value);
                    }
                    (None, Some(first)) => {
                        let mut all = first.to_vec();
                        all.push(b'\n');
                        all.extend_from_slice(value);
                        joined = Some(all);
                    }
                    (None, None) => event.data = Some(raw.slice_ref(value)),
                },
                b"id" => event.id = Some(raw.slice_ref(value)),
                b"event" => event.name = Some(raw.slice_ref(value)),
                _ => {}
            }
        }
        if let Some(joined) = joined {
            event.data = Some(joined.into());
        }
        event.data = event.data.filter(|data| !data.is_empty());
        event
    }

    /// The same event with other data: every line but the `data` lines stays. One without a name becomes a `message`,
    /// which is what it means.
    pub fn with_data(&self, data: &[u8]) -> Bytes {
        let mut out = Vec::with_capacity(self.raw.len() + data.len() + NAME.len());
        if self.name.is_none() {
            out.extend_from_slice(NAME);
        }
        for line in lines(&self.raw) {
            if !line.is_empty() && field_of(line).0 != b"data" {
                out.extend_from_slice(line);
                out.push(b'\n');
            }
        }
        push_data(&mut out, data);
        out.into()
    }
}

fn lines(raw: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = raw;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let end = memchr::memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
        let line = rest.get(..end).unwrap_or_default();
        let skip = if rest.get(end..).is_some_and(|tail| tail.starts_with(b"\r\n")) {
            2
        } else {
            1
        };
        rest = rest.get(end + skip..).unwrap_or_default();
        Some(line)
    })
}

fn field_of(line: &[u8]) -> (&[u8], &[u8]) {
    match memchr::memchr(b':', line) {
        Some(at) => {
            let value = line.get(at + 1..).unwrap_or_default();
            (
                line.get(..at).unwrap_or_default(),
                value.strip_prefix(b" ").unwrap_or(value),
            )
        }
        None => (line, b""),
    }
}

fn push_data(out: &mut Vec<u8>, data: &[u8]) {
    for line in data.split(|byte| *byte == b'\n') {
        out.extend_from_slice(b"data: ");
        out.extend_from_slice(line);
        out.push(b'\n');
    }
    out.push(b'\n');
}

/// The name of events that carry messages.
const NAME: &[u8] = b"event: message\n";

/// A `message` event.
pub fn message(data: &[u8]) -> Bytes {
    let mut out = Vec::with_capacity(data.len() + 24);
    out.extend_from_slice(NAME);
    push_data(&mut out, data);
    out.into()
}

/// A comment that keeps a silent stream alive.
pub const KEEP_ALIVE: &[u8] = b": keep-alive\n\n";

#[cfg(test)]
mod tests;
