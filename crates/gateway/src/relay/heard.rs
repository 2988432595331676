//! What a read of a server's stream brings.

use std::future::poll_fn;
use std::task::Poll;

use bytes::Bytes;
use http_body::Frame;

use super::awaited::Came;

/// What was heard.
pub(super) enum Heard {
    Bytes(Bytes),
    Came(Box<Came>),
    Changes,
    Silence,
    End,
    Broken,
    Stop,
    /// The server was revoked.
    Closed,
}

impl Heard {
    /// Of a frame.
    pub(super) fn of<E>(frame: Option<Result<Frame<Bytes>, E>>) -> Self {
        match frame {
            Some(Ok(frame)) => frame.into_data().map_or(Self::Silence, Self::Bytes),
            Some(Err(_)) => Self::Broken,
            None => Self::End,
        }
    }
}

/// Lets the tasks run that are ready by now. Unlike `tokio::task::yield_now` it does not look at the network first,
/// which would cost a system call per chunk.
pub(super) async fn give_way() {
    let mut gave = false;
    poll_fn(|context| {
        if std::mem::replace(&mut gave, true) {
            return Poll::Ready(());
        }
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
