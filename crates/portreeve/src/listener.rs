//! The listener: threads that accept and serve MCP requests themselves, and hand everything else to the other runtime.

pub(crate) mod forwarded;
mod patience;

use std::convert::Infallible;
use std::io;
use std::net::{SocketAddr, TcpListener as StdListener};
use std::sync::Arc;
use std::sync::mpsc::{self, SyncSender};
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use http::header::CONTENT_TYPE;
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use portreeve_core::caller::PeerAddress;
use portreeve_core::limits::Limits;
use portreeve_gateway::{Body, Gateway, respond};
use portreeve_net::TlsAcceptor;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::sync::watch;
use tower::ServiceExt as _;

use self::forwarded::Proxies;
use self::patience::{Patient, Requests};

/// What every thread serves.
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
    /// Whose word on where a request comes from is believed.
    pub(crate) proxies: Arc<Proxies>,
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

impl Served {
    /// The same for one more thread: its connections to servers are its own.
    fn on_another_thread(&self) -> Arc<Self> {
        Arc::new(Self {
            gateway: Arc::new(self.gateway.with_own_connections()),
            router: self.router.clone(),
            other: self.other.clone(),
            tls: self.tls.clone(),
            limits: Arc::clone(&self.limits),
            proxies: Arc::clone(&self.proxies),
            drain: self.drain,
        })
    }
}

/// A thread that serves.
pub(crate) struct Thread {
    /// Ends with it.
    pub(crate) work: JoinHandle<()>,
    /// Its own runtime.
    pub(crate) runtime: Handle,
}

/// Threads that wait for something to serve, each with a runtime of its own. They are started before the process lowers
/// its own priority, which threads inherit.
pub(crate) struct Threads(Vec<Waiting>);

struct Waiting {
    work: SyncSender<Work>,
    thread: Thread,
}

/// What a thread serves until `stop` says true and its calls are done.
struct Work {
    listener: StdListener,
    served: Arc<Served>,
    stop: watch::Receiver<bool>,
}

impl Threads {
    /// Starts them.
    pub(crate) fn start(count: usize) -> io::Result<Self> {
        (0..count)
            .map(|index| {
                let (work, given) = mpsc::sync_channel::<Work>(1);
                let runtime = tokio::runtime::Builder::new_current_thread()
                    .enable_all()
                    .build()?;
                let handle = runtime.handle().clone();
                let thread = std::thread::Builder::new()
                    .name(format!("serve-{index}"))
                    .spawn(move || {
                        // Nothing comes when the start fails.
                        let Ok(work) = given.recv() else { return };
                        if let Err(error) = runtime.block_on(accept(work.listener, work.served, work.stop)) {
                            tracing::error!(error = %error, "a listener stopped");
                        }
                    })?;
                let thread = Thread {
                    work: thread,
                    runtime: handle,
                };
                Ok(Waiting { work, thread })
            })
            .collect::<io::Result<_>>()
            .map(Self)
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    /// Gives each of them a listener.
    pub(crate) fn serve(
        self,
        listeners: Vec<StdListener>,
        served: &Served,
        stop: &watch::Receiver<bool>,
    ) -> Vec<Thread> {
        let mut threads = Vec::new();
        for (waiting, listener) in self.0.into_iter().zip(listeners) {
            let work = Work {
                listener,
                served: served.on_another_thread(),
                stop: stop.clone(),
            };
            // It waits, so it takes it.
            let _ = waiting.work.send(work);
            threads.push(waiting.thread);
        }
        threads
    }
}

async fn accept(
    listener: StdListener,
    served: Arc<Served>,
    mut stop: watch::Receiver<bool>,
) -> io::Result<()> {
    let listener = TcpListener::from_std(listener)?;
    let graceful = GracefulShutdown::new();
    loop {
        let stream = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        match stream {
            Ok((stream, from)) => {
                let served = Arc::clone(&served);
                let (watcher, stop) = (graceful.watcher(), stop.clone());
                let from = PeerAddress(from.ip().to_canonical());
                tokio::spawn(async move { serve((stream, from), served, watcher, stop).await });
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

async fn serve(
    (stream, from): (TcpStream, PeerAddress),
    served: Arc<Served>,
    watcher: Watcher,
    mut stop: watch::Receiver<bool>,
) {
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
        let (under_way, served) = (counted.begin(), Arc::clone(&served));
        async move {
            let response = dispatch(request, from, served).await?;
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

async fn dispatch(
    mut request: Request<Incoming>,
    from: PeerAddress,
    served: Arc<Served>,
) -> Result<Response<Body>, Infallible> {
    let origin = served.proxies.origin(from.0, request.headers());
    // A page that had its name point to this machine comes from a loopback address, too, and may write what a trusted proxy
    // there writes; but not `Host`. Who came under another name keeps it, and is refused for it below.
    if served.gateway.admits_target(&request) {
        origin.restore(&mut request);
    }
    request.extensions_mut().insert(PeerAddress(origin.address));
    if Gateway::serves(request.uri().path()) {
        // Boxed: the connection moves what it is given into its own place, and this is large.
        return Ok(Box::pin(served.gateway.handle(request)).await);
    }
    if !served.gateway.admits_head(&request) {
        let (detail, hint) = (
            "the head of the request is too large",
            "send fewer or shorter headers, or a shorter address",
        );
        return Ok(refusal(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, detail, hint));
    }
    if !served.gateway.admits_target(&request) {
        // A page that had its name point to this machine would read what the portal and the registry show anyone.
        let (detail, hint) = (
            "the `Host` header names another host",
            "ask for the public origin, or for the listener's own address",
        );
        return Ok(refusal(StatusCode::FORBIDDEN, detail, hint));
    }
    let request = request.map(axum::body::Body::new);
    // Handlers there may hash passwords or wait for a database; calls to servers must not wait behind them.
    let answer = served.other.spawn(served.router.clone().oneshot(request)).await;
    Ok(match answer {
        Ok(Ok(response)) => response.map(|body| body.map_err(Into::into).boxed_unsync()),
        Ok(Err(never)) => match never {},
        Err(error) => {
            tracing::error!(error = %error, "a request could not be answered");
            let (detail, hint) = (
                "the request could not be answered",
                "look into the log of this Portreeve",
            );
            refusal(StatusCode::INTERNAL_SERVER_ERROR, detail, hint)
        }
    })
}

/// A refusal before any face was asked, in the form that all of them have.
fn refusal(status: StatusCode, detail: &str, hint: &str) -> Response<Body> {
    let body = serde_json::json!({
        "title": status.canonical_reason().unwrap_or("Error"), "status": status.as_u16(),
        "detail": detail, "hint": hint, "errors": [], "error": detail,
    });
    let mut response = respond::json(status, body.to_string());
    let kind = HeaderValue::from_static("application/problem+json");
    response.headers_mut().insert(CONTENT_TYPE, kind);
    response
}
