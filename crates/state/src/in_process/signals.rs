//! Signals within this process: a broadcast channel per topic.

use std::collections::HashMap;
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use portreeve_core::ports::Subscription;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::broadcast::{self, Receiver, Sender};

/// Messages that a slow listener may be behind.
const BACKLOG: usize = 256;

#[derive(Debug, Default)]
pub(super) struct Topics(Mutex<HashMap<String, Sender<Arc<[u8]>>>>);

pub(super) struct Listener(Receiver<Arc<[u8]>>);

impl Topics {
    pub(super) fn publish(&self, topic: &str, message: &[u8]) {
        let mut topics = self.topics();
        // Nobody listens (any more) if the sending fails.
        if let Some(sender) = topics.get(topic)
            && sender.send(message.into()).is_err()
        {
            topics.remove(topic);
        }
    }

    pub(super) fn subscribe(&self, topic: &str) -> Listener {
        let mut topics = self.topics();
        let sender = topics
            .entry(topic.to_owned())
            .or_insert_with(|| broadcast::channel(BACKLOG).0);
        Listener(sender.subscribe())
    }

    fn topics(&self) -> MutexGuard<'_, HashMap<String, Sender<Arc<[u8]>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Subscription for Listener {
    async fn next(&mut self) -> Vec<u8> {
        match self.0.recv().await {
            Ok(message) => message.to_vec(),
            // Too slow, and messages were lost: the listener must look for itself.
            Err(RecvError::Lagged(_)) => Vec::new(),
            // The engine is gone, and nothing will ever come.
            Err(RecvError::Closed) => pending().await,
        }
    }
}
