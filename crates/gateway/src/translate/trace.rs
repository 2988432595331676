//! The trace context of a hop (W3C Trace Context; 2026-07-28, `_meta`): what the host says is the parent, and what the server
//! is told is a span of the gateway's own, wherever it is written.

use std::ops::Range;

use portreeve_core::random::Rng;
use portreeve_mcp::envelope::Message;
use portreeve_mcp::params;
use portreeve_mcp::splice::Splice;

use super::Outbound;
use crate::accept::head::Head;
use crate::accept::inbound::Inbound;

/// The key in `_meta`, which is that of the header.
const KEY: &str = "traceparent";

/// A trace context, in the form of level 1: version, trace, parent, flags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Context(String);

/// The trace context in a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// Where its value stands, quotes included.
    pub place: Range<usize>,
    /// The context, if it is one.
    pub context: Option<Context>,
}

// === impl Context ===

impl Context {
    /// A text that is a context.
    pub fn parse(text: &str) -> Option<Self> {
        let hex = |part: &str, length: usize| {
            part.len() == length && part.bytes().all(|byte| byte.is_ascii_hexdigit())
        };
        let parts: Vec<&str> = text.split('-').collect();
        let [version, trace, parent, flags] = parts.as_slice() else {
            return None;
        };
        let ok = hex(version, 2) && hex(trace, 32) && hex(parent, 16) && hex(flags, 2);
        ok.then(|| Self(text.to_owned()))
    }

    /// What the host says of its trace: in the message, or else in the header.
    pub fn of_host(head: &Head, inbound: &Inbound) -> Option<Self> {
        let in_message = match inbound {
            Inbound::Call(call) => Written::find(&call.body),
            _ => None,
        };
        in_message
            .and_then(|written| written.context)
            .or_else(|| Self::parse(head.text(portreeve_mcp::header::TRACEPARENT)?))
    }

    /// A span of the gateway's own in the same trace.
    #[must_use]
    pub fn child(&self, rng: &dyn Rng) -> Self {
        let mut span = [0_u8; 8];
        rng.fill(&mut span);
        // A span of zeros is none (level 1, section 3.2.2.4).
        let span = u64::from_be_bytes(span).max(1);
        let (front, flags) = (self.0.get(..36), self.0.get(53..));
        let (front, flags) = (front.unwrap_or_default(), flags.unwrap_or_default());
        Self(format!("{front}{span:016x}-{flags}"))
    }

    /// As it is written.
    pub fn into_text(self) -> String {
        self.0
    }
}

// === impl Written ===

impl Written {
    /// The trace context in the `_meta` of a message.
    pub fn find(body: &[u8]) -> Option<Self> {
        memchr::memmem::find(body, KEY.as_bytes())?;
        let params = match Message::parse(body).ok()? {
            Message::Request { params, .. } | Message::Notification { params, .. } => params?,
            Message::Response { .. } => return None,
        };
        let value = params::in_meta(params, KEY)?;
        Some(Self {
            place: Splice::new(body).place_of(value).ok()?,
            context: params::text(value).as_deref().and_then(Context::parse),
        })
    }
}

impl Outbound {
    /// The same with a span of our own for the server, below what the host says: in the header, and in the message where the
    /// host says it there.
    #[must_use]
    pub fn in_a_span(mut self, rng: &dyn Rng) -> Self {
        let written = Written::find(&self.body);
        let parent = written
            .as_ref()
            .and_then(|written| written.context.clone())
            .or_else(|| Context::parse(self.traceparent.as_deref()?));
        let Some(child) = parent.map(|parent| parent.child(rng)) else {
            return self;
        };
        if let Some(Written { place, .. }) = written {
            let mut splice = Splice::new(&self.body);
            if splice.replace_at(place, format!("\"{}\"", child.0)).is_ok() {
                self.body = splice.finish().into();
            }
        }
        self.traceparent = Some(child.0);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIVEN: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[derive(Debug)]
    struct Sevens;

    impl Rng for Sevens {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }

    #[test]
    fn a_child_is_another_span_of_the_same_trace() {
        let child = Context::parse(GIVEN).unwrap().child(&Sevens);
        assert_eq!(
            child.into_text(),
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0707070707070707-01"
        );
        let others = [
            String::new(),
            "my password".into(),
            format!("{GIVEN}-x"),
            GIVEN.replace('4', "g"),
            GIVEN.replacen('0', "", 1),
        ];
        for other in others {
            assert_eq!(Context::parse(&other), None, "{other}");
        }
    }

    #[test]
    fn it_is_found_in_the_meta_of_a_message_alone() {
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"m","params":{{"traceparent":"x","_meta":{{"a":1, "traceparent" : "{GIVEN}"}}}}}}"#
        );
        let written = Written::find(body.as_bytes()).unwrap();
        assert_eq!(body.get(written.place), Some(format!("\"{GIVEN}\"").as_str()));
        assert_eq!(written.context, Context::parse(GIVEN));
        for other in [
            r#"{"jsonrpc":"2.0","id":1,"method":"m","params":{"traceparent":"x"}}"#,
            r#"{"jsonrpc":"2.0","id":1,"result":{"_meta":{"traceparent":"x"}}}"#,
            r#"{"jsonrpc":"2.0","id":1,"method":"traceparent"}"#,
        ] {
            assert_eq!(Written::find(other.as_bytes()), None);
        }
    }
}
