//! An MCP server to measure against: one thread, hyper, both eras, and as little work for each answer as can be.
//!
//! `bench-upstream --port P [--tools N]`. Its tools: `echo` answers with its `text`; `events` streams `n` events of
//! progress (`interval_ms` apart) and then its result; `hold` streams one event and then stays open; `hidden` is there
//! for a list to have something to hide; the others fill the list up to `N`. Beside them `POST /rest/echo` is the same
//! `echo` as a REST API.

mod answer;
mod body;
mod serve;
mod tools;

use std::convert::Infallible;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::Rc;

use anyhow::{Context as _, Result};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use portreeve_bench::options::Options;
use tokio::net::{TcpListener, TcpStream};

use crate::serve::Server;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> Result<()> {
    let options = Options::read(std::env::args().skip(1))?;
    let port: u16 = options.need("port")?;
    let server = Rc::new(Server::new(options.get("tools", 4)?));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    // Nothing here leaves its thread, so nothing pays for being able to.
    tokio::task::LocalSet::new().block_on(&runtime, accept(port, server))
}

async fn accept(port: u16, server: Rc<Server>) -> Result<()> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket
        .bind(&address.into())
        .with_context(|| format!("cannot listen on `{address}`"))?;
    socket.listen(8192)?;
    let listener = TcpListener::from_std(socket.into())?;
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::task::spawn_local(connection(stream, Rc::clone(&server)));
    }
}

async fn connection(stream: TcpStream, server: Rc<Server>) {
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let server = Rc::clone(&server);
        async move { Ok::<_, Infallible>(server.answer(request).await) }
    });
    // A connection that breaks is the other side's matter, which counts it.
    let _ = http1::Builder::new()
        .max_buf_size(64 * 1024)
        .serve_connection(TokioIo::new(stream), service)
        .await;
}
