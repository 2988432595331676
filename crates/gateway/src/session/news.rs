//! What nodes tell each other about sessions, so that one does not serve what another ended. A hint may be lost; every
//! minute each node looks for itself.

use std::sync::Arc;
use std::time::Duration;

use portreeve_core::id::HostSessionId;
use portreeve_core::time::Timestamp;

use super::Sessions;

/// The topic.
pub(super) const TOPIC: &str = "host-sessions";

/// How long to wait before the topic is listened to again.
const AGAIN: Duration = Duration::from_secs(2);

/// A hint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    /// A session was ended.
    Ended(HostSessionId),
    /// What is kept of it has this revision now.
    Changed(HostSessionId, i64),
    /// Its own stream goes through another node since that moment.
    Stream(HostSessionId, Timestamp),
    /// Its host said something through another node, which lies under this token.
    Handed(HostSessionId, u64),
}

impl News {
    /// As it is sent, with the node that says it.
    pub(super) fn write(self, node: u64) -> String {
        match self {
            Self::Ended(id) => format!("{node:x} ended {id}"),
            Self::Changed(id, revision) => format!("{node:x} changed {id} {revision}"),
            Self::Stream(id, since) => format!("{node:x} stream {id} {}", since.as_millis()),
            Self::Handed(id, token) => format!("{node:x} handed {id} {token:x}"),
        }
    }

    /// Reads what another node said; `None` for what this one said itself, or is not understood.
    pub(super) fn read(message: &[u8], own: u64) -> Option<Self> {
        let text = std::str::from_utf8(message).ok()?;
        let mut words = text.split(' ');
        if u64::from_str_radix(words.next()?, 16).ok()? == own {
            return None;
        }
        let (kind, id) = (words.next()?, words.next()?.parse().ok()?);
        match kind {
            "ended" => Some(Self::Ended(id)),
            "changed" => Some(Self::Changed(id, words.next()?.parse().ok()?)),
            "stream" => {
                let since = words.next()?.parse().ok()?;
                Some(Self::Stream(id, Timestamp::from_millis(since)))
            }
            "handed" => {
                let token = u64::from_str_radix(words.next()?, 16).ok()?;
                Some(Self::Handed(id, token))
            }
            _ => None,
        }
    }
}

/// Follows the other nodes for good.
pub(super) async fn follow(sessions: Arc<Sessions>) {
    loop {
        match sessions.keeper.signals().subscribe(TOPIC).await {
            Ok(mut subscription) => loop {
                let message = subscription.next().await;
                if message.is_empty() {
                    // Some were lost.
                    sessions.look_again().await;
                } else if let Some(news) = News::read(&message, sessions.keeper.node) {
                    sessions.heed(news).await;
                }
            },
            Err(error) => {
                tracing::debug!(error = %error, "other nodes are not heard, only looked at each minute");
                tokio::time::sleep(AGAIN).await;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn news_are_read_as_they_were_written_but_not_ones_own() {
        let id = HostSessionId::from_u128(7);
        for news in [
            News::Ended(id),
            News::Changed(id, 12),
            News::Stream(id, Timestamp::from_millis(5)),
            News::Handed(id, u64::MAX),
        ] {
            let text = news.write(255);
            assert_eq!(News::read(text.as_bytes(), 1), Some(news));
            assert_eq!(News::read(text.as_bytes(), 255), None);
        }
        for odd in [
            "",
            "1",
            "1 ended",
            "1 ended x",
            "x ended 7",
            "1 changed x y",
            "1 new 7",
        ] {
            assert_eq!(News::read(odd.as_bytes(), 2), None, "{odd}");
        }
    }
}
