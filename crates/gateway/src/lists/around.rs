//! An answer without its id: two answers that differ in nothing else are one.

use bytes::Bytes;
use portreeve_mcp::envelope::Message;
use portreeve_mcp::splice::Splice;

/// A message without its id.
#[derive(Debug)]
pub(super) struct Around {
    before: Bytes,
    after: Bytes,
}

// === impl Around ===

impl Around {
    /// `None`: it is not an answer with an id.
    pub(super) fn of(message: &Bytes) -> Option<Self> {
        let Message::Response { id: Some(id), .. } = Message::parse(message).ok()? else {
            return None;
        };
        let place = Splice::new(message).place_of(id.get()).ok()?;
        Some(Self {
            before: message.slice(..place.start),
            after: message.slice(place.end..),
        })
    }

    pub(super) fn is_around(&self, id: &str, message: &[u8]) -> bool {
        message
            .strip_prefix(&*self.before)
            .and_then(|rest| rest.strip_suffix(&*self.after))
            == Some(id.as_bytes())
    }

    pub(super) fn put(&self, id: &str) -> Bytes {
        [&self.before, id.as_bytes(), &self.after].concat().into()
    }

    pub(super) fn bytes(&self) -> usize {
        self.before.len() + self.after.len()
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::Around;

    #[test]
    fn only_the_same_message_with_the_id_that_was_asked_is_known() {
        let message = Bytes::from_static(br#"{"jsonrpc":"2.0","id":7,"result":{"tools":[]}}"#);
        let around = Around::of(&message).unwrap();
        assert!(around.is_around("7", &message));
        assert!(!around.is_around("8", &message));
        assert!(around.is_around("\"a\"", br#"{"jsonrpc":"2.0","id":"a","result":{"tools":[]}}"#));
        assert!(!around.is_around("7", br#"{"jsonrpc":"2.0","id":7,"result":{"tools":[ ]}}"#));
        assert!(!around.is_around("7", br#"{"jsonrpc":"2.0","id":7}"#));
        assert_eq!(
            around.put("\"a\""),
            r#"{"jsonrpc":"2.0","id":"a","result":{"tools":[]}}"#
        );
        assert!(Around::of(&Bytes::from_static(br#"{"jsonrpc":"2.0","method":"a"}"#)).is_none());
    }
}
