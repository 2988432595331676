//! One connection: a request on its way out, or an answer on its way in.

use std::io::{self, ErrorKind, Write as _};

use mio::net::TcpStream;
use mio::{Interest, Registry, Token};

use crate::answer::{Answer, Found, Inbox};
use crate::request::{Request, Target};

/// A connection with its request.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    pub(crate) request: Request,
    /// How much of the request is written.
    written: usize,
    inbox: Inbox,
}

impl Connection {
    /// Connects, and is told by the poll what becomes of it.
    pub(crate) fn open(target: &Target, number: usize, registry: &Registry) -> io::Result<Self> {
        // Blocking, so that an endpoint that is not there is an error here and not a silence later.
        let stream = std::net::TcpStream::connect(target.address)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        let interest = Interest::READABLE | Interest::WRITABLE;
        registry.register(&mut stream, Token(number), interest)?;
        Ok(Self {
            stream,
            request: target.request(number),
            written: 0,
            inbox: Inbox::default(),
        })
    }

    /// Begins the next request.
    pub(crate) fn send(&mut self) -> io::Result<()> {
        self.inbox.clear();
        self.request.renew();
        self.written = 0;
        self.write()
    }

    /// Writes what is left of the request.
    pub(crate) fn write(&mut self) -> io::Result<()> {
        while let Some(rest) = self
            .request
            .bytes()
            .get(self.written..)
            .filter(|rest| !rest.is_empty())
        {
            match self.stream.write(rest) {
                Ok(written) => self.written += written,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Reads what is there, and hands a complete answer over.
    ///
    /// The poll tells of changes only, and a read that leaves room in the buffer has emptied the socket: what comes
    /// later is a change again. So an answer costs one read.
    pub(crate) fn read<T>(
        &mut self,
        complete: impl FnOnce(&Answer<'_>, &Request) -> T,
    ) -> io::Result<Option<T>> {
        loop {
            let more = match self.inbox.fill(&mut self.stream) {
                Ok(more) => more,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) => return Err(error),
            };
            if let Found::Answer(answer) = self.inbox.look()? {
                return Ok(Some(complete(&answer, &self.request)));
            }
            if !more {
                return Ok(None);
            }
        }
    }

    /// Whether an event has arrived.
    pub(crate) fn has_event(&self) -> bool {
        self.inbox.has_event()
    }
}
