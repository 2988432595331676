//! Signals over the server's publish and subscribe: one connection per listener, opened anew when it breaks.

use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt;
use portreeve_core::ports::{StateError, Subscription};
use redis::aio::{PubSubSink, PubSubStream};
use redis::{Client, RedisResult};
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::{OPERATION, failed, late};

/// Silence after which the server is asked whether it is still there.
const SILENCE: Duration = Duration::from_secs(15);
/// Between two attempts to connect: this long at first, then longer, up to the second.
const RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(3));

/// A listener to one channel. Everything that must survive a dropped `next` is in its fields: `next` is safe to drop.
pub(super) struct Listener {
    client: Client,
    channel: String,
    open: Option<Open>,
    retry_after: Duration,
}

struct Open {
    sink: PubSubSink,
    stream: PubSubStream,
    heard: Instant,
}

impl Listener {
    pub(super) async fn open(client: Client, channel: String) -> Result<Self, StateError> {
        let open = Open::new(&client, &channel).await?;
        Ok(Self {
            client,
            channel,
            open: Some(open),
            retry_after: RETRY.0,
        })
    }

    /// One attempt to listen again.
    async fn reopen(&mut self) {
        match Open::new(&self.client, &self.channel).await {
            Ok(open) => {
                self.open = Some(open);
                self.retry_after = RETRY.0;
            }
            Err(error) => {
                tracing::debug!(%error, channel = self.channel, "signals cannot be listened to");
                sleep(self.retry_after).await;
                self.retry_after = (self.retry_after * 2).min(RETRY.1);
            }
        }
    }
}

impl Open {
    async fn new(client: &Client, channel: &str) -> Result<Self, StateError> {
        let opening = async {
            let (mut sink, stream) = client.get_async_pubsub().await?.split();
            // Answers when the server has confirmed.
            sink.subscribe(channel).await?;
            RedisResult::Ok(Self {
                sink,
                stream,
                heard: Instant::now(),
            })
        };
        timeout(OPERATION, opening)
            .await
            .map_err(|_| late(OPERATION))?
            .map_err(failed)
    }

    /// The next message; none if the connection broke.
    async fn next(&mut self) -> Option<Vec<u8>> {
        loop {
            match timeout_at(self.heard + SILENCE, self.stream.next()).await {
                Ok(message) => {
                    self.heard = Instant::now();
                    return message.map(|message| message.get_payload_bytes().to_vec());
                }
                Err(_) => {
                    timeout(OPERATION, self.sink.ping::<redis::Value>())
                        .await
                        .ok()?
                        .ok()?;
                    self.heard = Instant::now();
                }
            }
        }
    }
}

#[async_trait]
impl Subscription for Listener {
    async fn next(&mut self) -> Vec<u8> {
        if let Some(open) = &mut self.open {
            if let Some(message) = open.next().await {
                return message;
            }
            tracing::warn!(
                channel = self.channel,
                "the connection for signals broke; listening again"
            );
            self.open = None;
        }
        while self.open.is_none() {
            self.reopen().await;
        }
        // Messages may have been lost in between.
        Vec::new()
    }
}
