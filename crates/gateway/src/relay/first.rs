//! The first look at what a server answers with, before it is decided in which form the host gets it.
//!
//! An event stream that holds nothing but the answer becomes one JSON document: many hosts take large documents and no large
//! events. A result that is too large to be held passes as it comes (`large`). Everything else goes on as if nobody had
//! looked.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::FutureExt as _;
use http::StatusCode;
use http_body::Body as _;
use http_body_util::BodyExt as _;
use portreeve_client::{ClientError, ReplyBody};
use portreeve_mcp::envelope::Message;
use portreeve_mcp::method::Method;
use portreeve_mcp::sse;
use portreeve_net::{NetError, ResponseBody};
use tokio::time::{Instant, timeout_at};

use super::Errand;
use super::large::{Form, Large};
use crate::upstream::drain;

/// Time to read what comes after the answer, so that the connection serves the next request.
const REST: Duration = Duration::from_secs(5);

/// What was seen.
pub(super) enum First {
    /// An answer for the rooms that hold it or pass it on.
    Usual(ReplyBody),
    /// One that is too large for them.
    Large(Box<Large>),
}

/// Looks at a reply.
///
/// # Errors
///
/// When it breaks off or does not come in time, as far as it must be read here.
pub(super) async fn look(status: StatusCode, body: ReplyBody, errand: &Errand) -> Result<First, ClientError> {
    // A legacy host may cancel what a modern server does at any time, and only a stream that is passed on hears of it.
    if !status.is_success() || errand.exchange.is_some() {
        return Ok(First::Usual(body));
    }
    match (body, errand.method) {
        // It must be held to be filtered.
        (body, None | Some(Method::ListTools)) => Ok(First::Usual(body)),
        (ReplyBody::Events(body), Some(Method::Listen)) => Ok(First::Usual(ReplyBody::Events(greeted(body)))),
        (ReplyBody::Events(body), _) => Ok(Events::new(body, errand).look(errand).await),
        (ReplyBody::Json(body), Some(method)) if may_be_large(method, errand) => document(body, errand).await,
        (body, _) => Ok(First::Usual(body)),
    }
}

/// A stream that says something at once: what is on the way may hold heads back until something follows them.
pub(crate) fn greeted(body: ResponseBody) -> ResponseBody {
    body.after(Bytes::from_static(sse::KEEP_ALIVE), None)
}

/// Results whose words nobody here has to read. What crosses to the other era is held, since it is changed.
fn may_be_large(method: Method, errand: &Errand) -> bool {
    errand.crossing.is_none()
        && matches!(
            method,
            Method::CallTool | Method::ReadResource | Method::GetPrompt | Method::Complete
        )
}

/// A JSON document. One that ends within what may be held is left alone.
async fn document(mut body: ResponseBody, errand: &Errand) -> Result<First, ClientError> {
    let limits = &errand.gateway.limits;
    let (held, most) = (limits.held_result_bytes, limits.streamed_result_bytes as u64);
    let announced = body.size_hint();
    let fits = announced.upper().is_some_and(|most| most <= held as u64);
    if fits || announced.lower() > most {
        // The second is refused where it is read.
        return Ok(First::Usual(ReplyBody::Json(body)));
    }
    let patience = errand.route.upstream.patience();
    let deadline = Instant::now() + patience;
    let mut read = BytesMut::new();
    while read.len() <= held {
        let frame = timeout_at(deadline, body.frame())
            .await
            .map_err(|_| NetError::BodyLate { limit: patience })?;
        match frame {
            Some(Ok(frame)) => read.extend_from_slice(frame.data_ref().map_or(&[][..], |data| data)),
            Some(Err(cause)) => return Err(NetError::BodyBroken(Arc::new(cause)).into()),
            None => {
                let whole = ResponseBody::ready(read.freeze());
                return Ok(First::Usual(ReplyBody::Json(whole)));
            }
        }
    }
    match Large::begin(Form::Document, &read, errand) {
        Some(large) => Ok(First::Large(Box::new(large.with(body)))),
        None => Err(NetError::BodyTooLarge { limit: held }.into()),
    }
}

/// A stream of which nobody has seen anything.
struct Events {
    body: ResponseBody,
    reader: sse::Reader,
    read: BytesMut,
    until: Instant,
}

impl Events {
    fn new(body: ResponseBody, errand: &Errand) -> Self {
        let limits = &errand.gateway.limits;
        let wait = limits.keep_alive.min(errand.route.upstream.patience());
        Self {
            body,
            reader: sse::Reader::new(limits.held_result_bytes),
            read: BytesMut::new(),
            until: Instant::now() + wait,
        }
    }

    /// Waits for its first message, and for no longer than a host may be left without a word.
    async fn look(mut self, errand: &Errand) -> First {
        loop {
            let broken = match timeout_at(self.until, self.body.frame()).await {
                Ok(Some(Ok(frame))) => {
                    let data = frame.data_ref().map_or(&[][..], |data| data);
                    self.read.extend_from_slice(data);
                    self.reader.feed(data);
                    match self.next() {
                        Ok(None) => continue,
                        Ok(Some(message)) if is_answer(&message) => return self.alone(message),
                        Ok(Some(_)) => None,
                        Err(sse::TooLarge { .. }) => match self.large(errand) {
                            Some(large) => return First::Large(Box::new(large.with(self.body))),
                            None => None,
                        },
                    }
                }
                Ok(Some(Err(error))) => Some(error),
                Ok(None) => None,
                Err(_) => {
                    let read = [sse::KEEP_ALIVE, self.read.as_ref()].concat();
                    return First::Usual(ReplyBody::Events(self.body.after(read.into(), None)));
                }
            };
            let body = self.body.after(self.read.freeze(), broken);
            return First::Usual(ReplyBody::Events(body));
        }
    }

    /// The first message, once it is there. What comes before it without saying anything tells a host how to come back,
    /// which it need not if the answer is there.
    fn next(&mut self) -> Result<Option<Bytes>, sse::TooLarge> {
        while let Some(event) = self.reader.next_event()? {
            if event.data.is_some() {
                return Ok(event.data);
            }
        }
        Ok(None)
    }

    fn large(&self, errand: &Errand) -> Option<Large> {
        errand.method.filter(|method| may_be_large(*method, errand))?;
        Large::begin(Form::Event(super::large::Data::default()), &self.read, errand)
    }

    /// The answer came as the first message. Nothing that follows can concern the host.
    fn alone(mut self, message: Bytes) -> First {
        let mut next = self.body.frame().now_or_never();
        while let Some(Some(Ok(_))) = next {
            next = self.body.frame().now_or_never();
        }
        if next.is_none() {
            let body = self.body;
            tokio::spawn(async move { tokio::time::timeout(REST, drain(body)).await });
        }
        First::Usual(ReplyBody::Json(ResponseBody::ready(message)))
    }
}

fn is_answer(message: &[u8]) -> bool {
    matches!(Message::parse(message), Ok(Message::Response { .. }))
}
