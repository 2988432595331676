//! One open connection, whatever it is made of, in the shape the HTTP client wants.
//!
//! Made by the connector; spoken on by `pool`.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

/// Bytes in both directions.
pub(crate) trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// Which HTTP is spoken on a connection, and to whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Speech {
    /// HTTP/1.1 to the server.
    Http1,
    /// HTTP/2 to the server.
    Http2,
    /// HTTP/1.1 to a proxy, with absolute URLs.
    Proxied,
}

/// An open connection.
pub(crate) struct Stream {
    io: TokioIo<Box<dyn Duplex>>,
    speech: Speech,
    stuck: Stuck,
}

/// Whether the other side does not take what is written to it just now. A clone is the same.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stuck(Arc<AtomicBool>);

impl Stuck {
    pub(crate) fn is_stuck(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn note<T>(&self, written: Poll<T>) -> Poll<T> {
        self.0.store(written.is_pending(), Ordering::Relaxed);
        written
    }
}

impl Stream {
    pub(crate) fn new(io: impl Duplex + 'static, speech: Speech) -> Self {
        Self {
            io: TokioIo::new(Box::new(io)),
            speech,
            stuck: Stuck::default(),
        }
    }

    pub(crate) fn speech(&self) -> Speech {
        self.speech
    }

    pub(crate) fn stuck(&self) -> Stuck {
        self.stuck.clone()
    }
}

impl hyper::rt::Read for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: hyper::rt::ReadBufCursor<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_read(context, buffer)
    }
}

impl hyper::rt::Write for Stream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write(context, bytes);
        self.stuck.note(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.io).poll_shutdown(context)
    }

    fn is_write_vectored(&self) -> bool {
        self.io.is_write_vectored()
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.io).poll_write_vectored(context, parts);
        self.stuck.note(written)
    }
}
