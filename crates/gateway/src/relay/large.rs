//! A result that is too large to be held: it passes as it comes, and little of it is ever in memory. The host gets one JSON
//! document, also where the server sends it as one event.
//!
//! What a result says of itself is read on the way; its words pass unread. One that turns out not to be a result, or that
//! breaks off, breaks off at the host too, since its head has left.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::stream;
use http::{Response, StatusCode};
use http_body::Frame;
use http_body_util::{BodyExt as _, StreamBody};
use portreeve_core::protocol::Era;
use portreeve_core::usage::UsageOutcome;
use portreeve_mcp::passing::Passing;
use portreeve_net::ResponseBody;
use serde_json::value::RawValue;

use super::bounds::Bounds;
use super::{Errand, StreamSlot, about, is_same_id};
use crate::record::{Record, Stopped, stop};
use crate::respond::{self, Body, BodyError};

/// How the server sends it.
#[derive(Debug)]
pub(super) enum Form {
    /// As a JSON document.
    Document,
    /// As the data of an event.
    Event(Data),
}

/// Takes the data out of an event that is read piece by piece.
#[derive(Debug, Default)]
pub(super) struct Data {
    line: Line,
    /// A carriage return was the last byte: a line feed after it belongs to it.
    returned: bool,
    /// Whether there was a line of data; a second one goes on with it.
    begun: bool,
    is_over: bool,
}

#[derive(Debug)]
enum Line {
    /// At its beginning, with what was read of the field's name.
    Name(Vec<u8>),
    /// At the value of `data`, whose first blank does not count.
    Blank,
    /// Within it.
    Value,
    /// Within something else.
    Other,
}

impl Default for Line {
    fn default() -> Self {
        Self::Name(Vec::new())
    }
}

/// Longest name of a field that matters.
const NAME_BYTES: usize = 4;

/// A result on its way.
pub(super) struct Large {
    form: Form,
    passing: Passing,
    out: BytesMut,
    rest: Option<ResponseBody>,
}

/// Why it broke off.
#[derive(Debug, thiserror::Error)]
enum Broken {
    #[error("the server's result broke off")]
    Off,
    #[error("the server's result cannot be read: {0}")]
    Unreadable(#[from] portreeve_mcp::passing::NotAResult),
    #[error("the server's result answers another request")]
    Foreign,
    #[error("the server was revoked within its result")]
    Revoked,
    #[error("the server fell silent within its result")]
    Silent,
    #[error("{0}")]
    Overrun(String),
}

// === impl Data ===

impl Data {
    /// The data in these bytes, handed over in parts.
    fn take<E>(&mut self, bytes: &[u8], mut hand: impl FnMut(&[u8]) -> Result<(), E>) -> Result<(), E> {
        let mut rest = bytes;
        while let Some(byte) = rest.first().copied() {
            if self.is_over {
                return Ok(());
            }
            if std::mem::take(&mut self.returned) && byte == b'\n' {
                rest = rest.get(1..).unwrap_or_default();
                continue;
            }
            if let Line::Value = self.line {
                let end = memchr::memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
                hand(rest.get(..end).unwrap_or_default())?;
                rest = rest.get(end..).unwrap_or_default();
                if !rest.is_empty() {
                    self.line = Line::Other;
                }
                continue;
            }
            if self.step(byte) {
                rest = rest.get(1..).unwrap_or_default();
            }
            if matches!(self.line, Line::Value) && std::mem::replace(&mut self.begun, true) {
                hand(b"\n")?;
            }
        }
        Ok(())
    }

    /// One byte outside of the data. Whether it was taken.
    fn step(&mut self, byte: u8) -> bool {
        if matches!(byte, b'\r' | b'\n') {
            self.returned = byte == b'\r';
            self.is_over = self.begun && matches!(&self.line, Line::Name(name) if name.is_empty());
            self.line = Line::default();
            return true;
        }
        match &mut self.line {
            Line::Name(name) if byte == b':' => {
                self.line = if name == b"data" { Line::Blank } else { Line::Other };
            }
            Line::Name(name) if name.len() < NAME_BYTES => name.push(byte),
            Line::Name(_) => self.line = Line::Other,
            Line::Blank => {
                self.line = Line::Value;
                return byte == b' ';
            }
            Line::Value | Line::Other => {}
        }
        true
    }
}

// === impl Large ===

impl Large {
    /// Begins with what was read. `None`: what was read is not the beginning of a result that answers this request.
    pub(super) fn begin(form: Form, read: &[u8], errand: &Errand) -> Option<Self> {
        let host_id = errand.host_id.as_ref()?;
        let mut large = Self {
            form,
            passing: Passing::new(host_id.get(), errand.era == Era::Modern),
            out: BytesMut::new(),
            rest: None,
        };
        large.feed(read).ok()?;
        let is_ours = large.passing.id().is_none_or(|id| errand.is_answered_by(id));
        (large.passing.has_result() && is_ours).then_some(large)
    }

    /// Goes on with the rest of the body.
    pub(super) fn with(mut self, rest: ResponseBody) -> Self {
        self.rest = Some(rest);
        self
    }

    fn feed(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        let (passing, out) = (&mut self.passing, &mut self.out);
        match &mut self.form {
            Form::Document => passing.feed(bytes, out)?,
            Form::Event(data) => data.take(bytes, |part| passing.feed(part, out))?,
        }
        Ok(())
    }

    fn is_over(&self) -> bool {
        matches!(&self.form, Form::Event(data) if data.is_over)
    }

    /// Passes it on to the host.
    pub(super) fn pass(self, errand: Errand, mut record: Record) -> Result<Response<Body>, Stopped> {
        let gateway = errand.gateway.clone();
        let slot = match gateway.streams.open(errand.caller.principal) {
            Ok(slot) => slot,
            Err(refusal) => return Err(stop(about(refusal, &errand), record)),
        };
        if let Err(refusal) = record.journal(200) {
            return Err(stop(refusal, record));
        }
        let patience = errand.route.upstream.patience();
        let on_its_way = OnItsWay {
            bounds: Bounds::of_call(&gateway.limits, patience),
            large: self,
            errand,
            record: Some(record),
            patience,
            _slot: slot,
        };
        let frames = stream::unfold(Box::new(on_its_way), |mut way| async move {
            let next = way.next().await?;
            Some((next.map(Frame::data), way))
        });
        let mut response = Response::new(gateway.streams.watch(StreamBody::new(frames).boxed_unsync()));
        *response.status_mut() = StatusCode::OK;
        respond::put(
            response.headers_mut(),
            http::header::CONTENT_TYPE,
            "application/json",
        );
        Ok(response)
    }
}

struct OnItsWay {
    large: Large,
    errand: Errand,
    record: Option<Record>,
    bounds: Bounds,
    patience: Duration,
    _slot: StreamSlot,
}

// === impl OnItsWay ===

impl OnItsWay {
    async fn next(&mut self) -> Option<Result<Bytes, BodyError>> {
        loop {
            if !self.large.out.is_empty() {
                let piece = self.large.out.split().freeze();
                // What is written next must not wait for this to be sent.
                self.large.out = BytesMut::new();
                if let Some(record) = &mut self.record {
                    record.sent(piece.len());
                }
                return Some(Ok(piece));
            }
            let rest = self.large.rest.as_mut()?;
            let heard = tokio::time::timeout(self.patience, rest.frame());
            let taken = match self.errand.while_open(heard).await {
                Err(_) => Err(Broken::Revoked),
                Ok(Err(_)) => Err(Broken::Silent),
                Ok(Ok(Some(Err(_)))) => Err(Broken::Off),
                Ok(Ok(None)) => return self.end().err().map(|broken| self.fail(broken)),
                Ok(Ok(Some(Ok(frame)))) => {
                    let data = frame.into_data().unwrap_or_default();
                    self.take(&data)
                }
            };
            if let Err(broken) = taken {
                return Some(self.fail(broken));
            }
            if self.large.is_over() && self.large.out.is_empty() {
                return self.end().err().map(|broken| self.fail(broken));
            }
        }
    }

    fn take(&mut self, data: &[u8]) -> Result<(), Broken> {
        self.bounds
            .took(data.len())
            .map_err(|overrun| Broken::Overrun(overrun.to_string()))?;
        self.bounds.heard();
        self.large.feed(data)
    }

    /// It has come whole.
    fn end(&mut self) -> Result<(), Broken> {
        self.large.passing.finish()?;
        let id = self.large.passing.id().unwrap_or_default();
        if !self.errand.is_answered_by(id) {
            return Err(Broken::Foreign);
        }
        self.errand.finish();
        self.large.rest = None;
        let outcome = if self.large.passing.is_failure() {
            UsageOutcome::ToolError
        } else {
            UsageOutcome::Ok
        };
        if let Some(mut record) = self.record.take() {
            record.ended(outcome);
            record.close();
        }
        Ok(())
    }

    /// The host learns by the end of its connection that this is not all.
    fn fail(&mut self, broken: Broken) -> Result<Bytes, BodyError> {
        self.large.rest = None;
        if let Some(mut record) = self.record.take() {
            record.ended(UsageOutcome::UpstreamError);
            record.close();
        }
        tracing::warn!(route = %self.errand.route.route.slug, error = %broken, "a large result did not come whole");
        Err(broken.into())
    }
}

impl Errand {
    /// Whether an id that the server wrote is that of this request.
    fn is_answered_by(&self, id: &str) -> bool {
        match (self.era, &self.under_way, &self.host_id) {
            (Era::Legacy, Some(request), _) => id == request.id.to_string(),
            (Era::Modern, _, Some(host_id)) => {
                RawValue::from_string(id.to_owned()).is_ok_and(|id| is_same_id(&id, host_id))
            }
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data_of(event: &str, piece: usize) -> (String, bool) {
        let mut data = Data::default();
        let mut out = Vec::new();
        for piece in event.as_bytes().chunks(piece) {
            let taken = data.take(piece, |part| {
                out.extend_from_slice(part);
                Ok::<_, ()>(())
            });
            taken.unwrap();
        }
        (String::from_utf8(out).unwrap(), data.is_over)
    }

    #[test]
    fn the_data_of_an_event_is_the_same_in_any_pieces() {
        for (event, expected, is_over) in [
            ("data: {\"a\":1}\n\n", "{\"a\":1}", true),
            (
                "event: message\r\nid: 7\r\ndata:{\"a\"\r\ndata: :1}\r\n\r\ndata: more\r\n",
                "{\"a\"\n:1}",
                true,
            ),
            (
                ": hi\n\nid: p\ndata\n\ndata: x: y\rdatax: z\rdata:  z\r\r",
                "x: y\n z",
                true,
            ),
            ("retry: 1\n\ndata: abc", "abc", false),
            ("data: abc\n", "abc", false),
            ("", "", false),
        ] {
            for piece in 1..=event.len().max(1) {
                assert_eq!(
                    data_of(event, piece),
                    (expected.to_owned(), is_over),
                    "{event:?} {piece}"
                );
            }
        }
    }
}
