//! Questions to legacy hosts that wait for their answers, which come in requests of their own.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use serde_json::value::RawValue;
use tokio::sync::oneshot;

type Open = HashMap<(String, String), oneshot::Sender<Bytes>>;

/// The open questions of a node.
#[derive(Debug, Default)]
pub struct Questions(Mutex<Open>);

/// One of them; taken back when dropped.
#[derive(Debug)]
pub struct Waiting {
    all: Arc<Questions>,
    key: (String, String),
    /// The whole answer, when it comes.
    pub answer: oneshot::Receiver<Bytes>,
}

/// The id of a question, as text. Several nodes may ask in one session.
pub(super) fn id_of(node: u64, number: u64) -> String {
    format!("ask-{node:x}-{number}")
}

/// The node that asked a question, by its id as it is written.
pub(super) fn asker(id: &RawValue) -> Option<u64> {
    let text = id.get().strip_prefix("\"ask-")?.strip_suffix('"')?;
    let (node, number) = text.split_once('-')?;
    let (node, number) = (u64::from_str_radix(node, 16).ok()?, number.parse().ok()?);
    (id.get() == format!("\"{}\"", id_of(node, number))).then_some(node)
}

// === impl Questions ===

impl Questions {
    fn lock(&self) -> MutexGuard<'_, Open> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the answer of a session to the request of this id, as it is written.
    pub fn ask(self: &Arc<Self>, session: &str, id: &str) -> Waiting {
        let (sender, answer) = oneshot::channel();
        let key = (session.to_owned(), id.to_owned());
        self.lock().insert(key.clone(), sender);
        Waiting {
            all: Arc::clone(self),
            key,
            answer,
        }
    }

    /// Hands an answer over. `false`: nobody waits for it, or not any more.
    pub fn answer(&self, session: &str, id: &str, body: Bytes) -> bool {
        let waiting = self.lock().remove(&(session.to_owned(), id.to_owned()));
        waiting.is_some_and(|waiting| waiting.send(body).is_ok())
    }
}

// === impl Waiting ===

impl Drop for Waiting {
    fn drop(&mut self) {
        self.all.lock().remove(&self.key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_a_question_says_who_asked() {
        let asker = |text: &str| asker(&RawValue::from_string(text.to_owned()).unwrap());
        for node in [0, 255, u64::MAX] {
            assert_eq!(asker(&format!("\"{}\"", id_of(node, 12))), Some(node));
        }
        for other in [
            "7",
            "null",
            "\"\"",
            "\"ask-\"",
            "\"ask-ff\"",
            "\"ask-ff-\"",
            "\"ask-ff-x\"",
            "\"ask-FF-1\"",
            "\"ask-+f-1\"",
            "\"ask-ff-01\"",
            "\"ask-xy-1\"",
            "\"ask-ff-1-1\"",
            "\"Ask-ff-1\"",
        ] {
            assert_eq!(asker(other), None, "{other}");
        }
    }
}
