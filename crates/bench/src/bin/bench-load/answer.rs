//! Reads answers from a connection: as much of HTTP/1.1 as servers use, and no more copying than chunks need.

use std::io::{self, Read};
use std::time::Instant;

use memchr::memmem;
use portreeve_bench::message::PROGRESS;

use crate::request::{Request, Target};

/// How much is read at once, at least.
const READ: usize = 64 * 1024;

/// What arrived on a connection and was not looked at yet.
#[derive(Debug, Default)]
pub(crate) struct Inbox {
    buffer: Vec<u8>,
    filled: usize,
    head: Option<Head>,
    /// The body of a chunked answer, without the framing.
    unchunked: Vec<u8>,
    /// Where the next chunk begins.
    chunk: usize,
    first_event: Option<Instant>,
}

#[derive(Debug, Clone, Copy)]
struct Head {
    status: u16,
    length: usize,
    /// `None`: the body is chunked.
    body: Option<usize>,
}

/// What a look into the inbox found.
#[derive(Debug)]
pub(crate) enum Found<'a> {
    /// The answer is not complete.
    Part,
    Answer(Answer<'a>),
}

/// A complete answer.
#[derive(Debug)]
pub(crate) struct Answer<'a> {
    status: u16,
    body: &'a [u8],
    /// When the first event was complete, if the answer is a stream.
    pub(crate) first_event: Option<Instant>,
}

// === impl Inbox ===

impl Inbox {
    /// Reads once. Says whether there may be more.
    pub(crate) fn fill(&mut self, source: &mut impl Read) -> io::Result<bool> {
        let wanted = match self.head {
            Some(Head {
                length,
                body: Some(body),
                ..
            }) => (length + body).saturating_sub(self.filled),
            _ => 0,
        };
        let size = self.filled + wanted.max(READ);
        if self.buffer.len() < size {
            self.buffer.resize(size, 0);
        }
        let room = self.buffer.get_mut(self.filled..).unwrap_or_default();
        let space = room.len();
        let read = source.read(room)?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.filled += read;
        Ok(read == space)
    }

    /// The answer, once all of it is here.
    pub(crate) fn look(&mut self) -> io::Result<Found<'_>> {
        let head = match self.head {
            Some(head) => head,
            None => match read_head(self.here(0))? {
                Some(head) => *self.head.insert(head),
                None => return Ok(Found::Part),
            },
        };
        if let Some(length) = head.body {
            let body = self.here(head.length).get(..length);
            return Ok(body.map_or(Found::Part, |body| {
                Found::Answer(Answer {
                    status: head.status,
                    body,
                    first_event: None,
                })
            }));
        }
        let ended = self.take_chunks(head.length)?;
        if self.first_event.is_none() && memmem::find(&self.unchunked, b"\n\n").is_some() {
            self.first_event = Some(Instant::now());
        }
        Ok(match ended {
            false => Found::Part,
            true => Found::Answer(Answer {
                status: head.status,
                body: &self.unchunked,
                first_event: self.first_event,
            }),
        })
    }

    /// What is there from a place on.
    fn here(&self, from: usize) -> &[u8] {
        self.buffer.get(from..self.filled).unwrap_or_default()
    }

    /// Whether an event has arrived of an answer that does not end.
    pub(crate) fn has_event(&self) -> bool {
        self.first_event.is_some() && self.head.is_some_and(|head| head.status == 200)
    }

    /// Forgets the answer. Nothing can be behind it: the next request was not sent yet.
    pub(crate) fn clear(&mut self) {
        self.filled = 0;
        self.head = None;
        self.unchunked.clear();
        self.chunk = 0;
        self.first_event = None;
    }

    /// Moves complete chunks into the body. Says whether the last one is here.
    fn take_chunks(&mut self, head: usize) -> io::Result<bool> {
        self.chunk = self.chunk.max(head);
        loop {
            let here = self.buffer.get(self.chunk..self.filled).unwrap_or_default();
            let Some(line) = memmem::find(here, b"\r\n") else {
                return Ok(false);
            };
            let size = here.get(..line).and_then(|text| std::str::from_utf8(text).ok());
            let size = size.map(|text| text.split(';').next().unwrap_or_default().trim());
            let Some(size) = size.and_then(|text| usize::from_str_radix(text, 16).ok()) else {
                return Err(io::Error::other("a chunk has no size"));
            };
            let begin = line + 2;
            if here.len() < begin + size + 2 {
                return Ok(false);
            }
            if size == 0 {
                return Ok(true);
            }
            self.unchunked
                .extend_from_slice(here.get(begin..begin + size).unwrap_or_default());
            self.chunk += begin + size + 2;
        }
    }
}

fn read_head(here: &[u8]) -> io::Result<Option<Head>> {
    let Some(end) = memmem::find(here, b"\r\n\r\n") else {
        return Ok(None);
    };
    let text = here.get(..end).and_then(|head| std::str::from_utf8(head).ok());
    let text = text.ok_or_else(|| io::Error::other("the head is not text"))?;
    let status = text.get(9..12).and_then(|status| status.parse().ok());
    let status = status.ok_or_else(|| io::Error::other("the head has no status"))?;
    let (mut length, mut chunked) = (None, false);
    for line in text.split("\r\n").skip(1) {
        let Some((name, value)) = line.split_once(':') else {
            continue;
        };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok();
        } else if name.eq_ignore_ascii_case("transfer-encoding") {
            chunked = true;
        }
    }
    if !chunked && length.is_none() {
        return Err(io::Error::other(format!("an answer without a length: {text}")));
    }
    let body = length.filter(|_| !chunked);
    Ok(Some(Head {
        status,
        length: end + 4,
        body,
    }))
}

// === impl Answer ===

impl Answer<'_> {
    /// Whether it is the answer to this request, whole and good.
    pub(crate) fn is_right(&self, target: &Target, request: &Request) -> bool {
        self.status == 200
            && self.body.len() >= target.size
            && self.names(request.id())
            && memmem::find(self.body, br#""result":"#).is_some()
            && memmem::find(self.body, br#""error":"#).is_none()
            && memmem::find(self.body, br#""isError":true"#).is_none()
            && memmem::find_iter(self.body, PROGRESS).count() == target.events
    }

    fn names(&self, id: &[u8]) -> bool {
        memmem::find_iter(self.body, br#""id":"#)
            .any(|at| self.body.get(at + 5..at + 5 + id.len()) == Some(id))
    }

    /// What came, for a person who asks why it is wrong.
    pub(crate) fn shown(&self) -> String {
        let begin = self.body.get(..self.body.len().min(300)).unwrap_or_default();
        format!("{} {}", self.status, String::from_utf8_lossy(begin))
    }
}

#[cfg(test)]
mod tests;
