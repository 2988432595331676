//! The listener: threads that accept and serve MCP requests themselves, and hand everything else to the other runtime.

mod patience;

use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use portreeve_core::limits::Limits;
use portreeve_gateway::{Body, Gateway, respond};
use portreeve_net::TlsAcceptor;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tower::ServiceExt as _;

use self::patience::{Patient, Requests};

/// What every thread serves.
#[derive(Clone)]
pub(crate) struct Served {
    /// The gateway.
    pub(crate) gateway: Arc<Gateway>,
    /// Everything else.
    pub(crate) router: Router,
    /// The runtime of everything else.
    pub(crate) other: Handle,
    /// TLS, if it is configured.
    pub(crate) tls: Option<Arc<TlsAcceptor>>,
    /// The limits.
    pub(crate) limits: Arc<Limits>,
    /// How long to wait for calls in flight.
    pub(crate) drain: Duration,
}

/// Binds the address once for each thread. The kernel spreads connections over them.
pub(crate) fn bind(address: SocketAddr, threads: usize) -> io::Result<(SocketAddr, Vec<StdListener>)> {
    // Without this look, a second process of the same user would share the port in silence.
    let look = StdListener::bind(address)?;
    let address = look.local_addr()?;
    drop(look);
    let listeners = (0..threads)
        .map(|_| bind_one(address))
        .collect::<io::Result<Vec<_>>>()?;
    Ok((address, listeners))
}

fn bind_one(address: SocketAddr) -> io::Result<StdListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(4096)?;
    Ok(socket.into())
}

/// A thread that serves.
pub(crate) struct Thread {
    /// Ends with it.
    pub(crate) work: JoinHandle<()>,
    /// Its own runtime.
    pub(crate) runtime: Handle,
}

/// Starts a thread with a runtime of its own for each listener. They end when `stop` says true and their calls are done.
pub(crate) fn spawn(
    listeners: Vec<StdListener>,
    served: &Served,
    stop: &watch::Receiver<bool>,
) -> io::Result<Vec<Thread>> {
    let mut threads = Vec::new();
    for (index, listener) in listeners.into_iter().enumerate() {
        let (served, stop) = (served.clone(), stop.clone());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let handle = runtime.handle().clone();
        let work = std::thread::Builder::new()
            .name(format!("serve-{index}"))
            .spawn(move || {
                if let Err(error) = runtime.block_on(accept(listener, served, stop)) {
                    tracing::error!(error = %error, "a listener stopped");
                }
            })?;
        threads.push(Thread {
            work,
            runtime: handle,
        });
    }
    Ok(threads)
}

async fn accept(listener: StdListener, served: Served, mut stop: watch::Receiver<bool>) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let graceful = GracefulShutdown::new();
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        match stream {
            Ok((stream, _)) => {
                let served = served.clone();
                let (watcher, stop) = (graceful.watcher(), stop.clone());
                tokio::spawn(async move { serve(stream, served, watcher, stop).await });
            }
            Err(error) => {
                // Out of descriptors, most likely: connections that end give some back.
                tracing::warn!(error = %error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
    drop(listener);
    if tokio::time::timeout(served.drain, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!(
            seconds = served.drain.as_secs(),
            "calls were still in flight when the time to drain was over"
        );
    }
    Ok(())
}

async fn serve(stream: TcpStream, served: Served, watcher: Watcher, mut stop: watch::Receiver<bool>) {
    let _ = stream.set_nodelay(true);
    let mut builder = Builder::new(TokioExecutor::new());
    builder
        .http1()
        .timer(TokioTimer::new())
        // `Patient` sees to it, and tells a head that does not end from a connection that rests.
        .header_read_timeout(None)
        .max_headers(served.limits.head_fields)
        .max_buf_size(served.limits.head_bytes.max(64 * 1024));
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(served.limits.http2_streams)
        .max_header_list_size(u32::try_from(served.limits.head_bytes).unwrap_or(u32::MAX))
        .keep_alive_interval(Duration::from_secs(30));
    let (tls, limits) = (served.tls.clone(), Arc::clone(&served.limits));
    let requests = Requests::none();
    let counted = requests.clone();
    let service = hyper::service::service_fn(move |request| {
        let (under_way, served) = (counted.begin(), served.clone());
        async move {
            let response = dispatch(request, served).await?;
            Ok::<_, Infallible>(response.map(|body| under_way.until_gone(body)))
        }
    });
    let result = match tls {
        None => {
            watcher
                .watch(
                    builder
                        .serve_connection(TokioIo::new(Patient::new(stream, requests, &limits)), service)
                        .into_owned(),
                )
                .await
        }
        Some(tls) => {
            let handshake = tokio::time::timeout(Duration::from_secs(10), tls.acceptor().accept(stream));
            let shaken = tokio::select! {
                shaken = handshake => shaken,
                // Nothing was asked yet, so there is nothing to wait for.
                _ = stop.wait_for(|stop| *stop) => return,
            };
            let Ok(Ok(stream)) = shaken else { return };
            watcher
                .watch(
                    builder
                        .serve_connection(TokioIo::new(Patient::new(stream, requests, &limits)), service)
                        .into_owned(),
                )
                .await
        }
    };
    if let Err(error) = result {
        tracing::debug!(error = %error, "a connection ended early");
    }
}

async fn dispatch(request: Request<Incoming>, served: Served) -> Result<Response<Body>, Infallible> {
    if request.uri().path().starts_with("/s/") {
        return Ok(served.gateway.handle(request).await);
    }
    if !served.gateway.admits_target(&request) {
        // A page that had its name point to this machine would read what the portal and the registry show anyone.
        let body = r#"{"title":"Forbidden: the `Host` header names another host","status":403}"#;
        return Ok(respond::json(StatusCode::FORBIDDEN, body));
    }
    let request = request.map(axum::body::Body::new);
    // Handlers there may hash passwords or wait for a database; calls to servers must not wait behind them.
    let answer = served.other.spawn(served.router.clone().oneshot(request)).await;
    Ok(match answer {
        Ok(Ok(response)) => response.map(|body| body.map_err(Into::into).boxed_unsync()),
        Ok(Err(never)) => match never {},
        Err(error) => {
            tracing::error!(error = %error, "a request could not be answered");
            respond::json(
                StatusCode::INTERNAL_SERVER_ERROR,
                r#"{"title":"Internal error","status":500}"#,
            )
        }
    })
}
