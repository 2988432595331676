//! `portreeve serve`: opens the data directory, joins the rooms, listens, and stops in order.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use http::header::CONTENT_TYPE;
use portreeve_core::id::UserId;
use portreeve_net::TlsAcceptor;
use prometheus_client::encoding::text;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tokio::runtime::Handle;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use url::Url;

use crate::banner::{Banner, DemoFacts};
use crate::cli::{Failure, Global, ServeArgs};
use crate::config::Config;
use crate::data::DataDirectory;
use crate::listener::{self, Served, Threads};
use crate::wire::{self, Node, Surroundings};
use crate::{demo, jobs, log};

/// How long the link for the first sign-in lives.
const LINK_LIFE: Duration = Duration::from_secs(60 * 60);

/// Runs until it is told to stop.
pub(crate) fn run(global: &Global, args: &ServeArgs) -> Result<(), Failure> {
    let started = Instant::now();
    log::start();
    let config = Config::load(args)?;
    let data = DataDirectory::open(&global.data_directory())?;
    let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let count = config.server.threads.unwrap_or(cores).max(1);
    let threads =
        Threads::start(count).map_err(|error| Failure::new(format!("cannot start threads: {error}")))?;
    jobs::step_back(jobs::BEHIND_CALLS);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("portreeve")
        .build()
        .map_err(|error| Failure::new(format!("cannot start: {error}")))?;
    let asked = Asked {
        own_data: global.data.is_some(),
        demo: args.demo,
        started,
    };
    let behind =
        jobs::runtime().map_err(|error| Failure::new(format!("cannot start the thread of jobs: {error}")))?;
    let result = runtime.block_on(serve(&config, &data, threads, behind.handle(), &asked));
    behind.shutdown_timeout(Duration::from_secs(5));
    runtime.shutdown_timeout(Duration::from_secs(5));
    if result.is_ok() {
        data.close();
    }
    result
}

struct Asked {
    own_data: bool,
    demo: bool,
    started: Instant,
}

/// Where the node listens, and under which names it is known.
struct Place {
    address: SocketAddr,
    listeners: Vec<std::net::TcpListener>,
    local_url: Url,
    public_url: Url,
    tls: Option<Arc<TlsAcceptor>>,
}

impl Place {
    fn take(config: &Config, threads: usize, demo: bool) -> Result<Self, Failure> {
        let server = &config.server;
        if demo && !server.listen.ip().is_loopback() {
            return Err(Failure::new(format!(
                "`--demo` does not listen on `{}`: it is for this machine only",
                server.listen
            ))
            .hint("leave `--listen` out, or leave `--demo` out"));
        }
        let tls = match (&server.tls_cert, &server.tls_key) {
            (Some(cert), Some(key)) => {
                let acceptor =
                    TlsAcceptor::load(cert, key).map_err(|error| Failure::new(error.to_string()))?;
                Some(Arc::new(acceptor))
            }
            (None, None) => None,
            _ => {
                return Err(Failure::new("TLS needs both a certificate and a key")
                    .hint("give `--tls-cert` and `--tls-key`"));
            }
        };
        let (address, listeners) = listener::bind(server.listen, threads).map_err(|error| {
            Failure::new(format!("cannot listen on `{}`: {error}", server.listen))
                .hint("is another Portreeve running? `--listen` names another address")
        })?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let local = if address.ip().is_unspecified() {
            SocketAddr::from(([127, 0, 0, 1], address.port()))
        } else {
            address
        };
        let local_url = parse(&format!("{scheme}://{local}"))?;
        let public_url = server.public_url.clone().unwrap_or_else(|| local_url.clone());
        check_public(&public_url, server.insecure_http)?;
        Ok(Self {
            address,
            listeners,
            local_url,
            public_url,
            tls,
        })
    }
}

fn parse(url: &str) -> Result<Url, Failure> {
    Url::parse(url).map_err(|error| Failure::new(format!("`{url}` is not a URL: {error}")))
}

/// A public origin without TLS would send credentials in clear over a network.
fn check_public(url: &Url, insecure: bool) -> Result<(), Failure> {
    let loopback = match url.host() {
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    };
    let bare = matches!(url.path(), "" | "/")
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty();
    if !bare || !matches!(url.scheme(), "http" | "https") {
        return Err(Failure::new(format!("`{url}` is not an origin"))
            .hint("write it as `https://mcp.acme.example`, without a path"));
    }
    if url.scheme() == "http" && !loopback && !insecure {
        return Err(Failure::new(format!("the public origin `{url}` has no TLS, so credentials would cross the network in clear"))
            .hint("use https (a proxy in front, or `--tls-cert` and `--tls-key`), or accept it with `--insecure-http`"));
    }
    Ok(())
}

async fn serve(
    config: &Config,
    data: &DataDirectory,
    threads: Threads,
    behind: &Handle,
    asked: &Asked,
) -> Result<(), Failure> {
    let place = Place::take(config, threads.len(), asked.demo)?;
    let (stop, stopping) = watch::channel(false);
    let proxies = Arc::new(config.proxies()?);
    let around = Surroundings {
        data,
        proxies: Arc::clone(&proxies),
        public_url: place.public_url.clone(),
        loopback_port: place.address.ip().is_loopback().then_some(place.address.port()),
        stopping: stopping.clone(),
    };
    let node = wire::join(config, around).await?;
    wire::first_start(&node, data).await?;
    let sample = if asked.demo {
        Some(demo::set_up(&node, data).await?)
    } else {
        None
    };
    let link = node
        .access
        .sign_in_link(UserId::LOCAL_ADMIN, LINK_LIFE)
        .await
        .map_err(|error| Failure::new(error.to_string()))?;
    data.write("listen.url", place.local_url.as_str().trim_end_matches('/'))?;

    let served = Served {
        gateway: Arc::clone(&node.gateway),
        router: node.router.clone(),
        other: Handle::current(),
        tls: place.tls.clone(),
        limits: Arc::clone(&node.limits),
        proxies,
        drain: Duration::from_secs(config.server.drain_seconds),
    };
    let threads = threads.serve(place.listeners, &served, &stopping);
    drop(served);
    tracing::info!("listening on {}", place.local_url.as_str().trim_end_matches('/'));
    let facts = sample.as_ref().map(|sample| DemoFacts {
        name: demo::NAME,
        slug: &sample.slug,
        tool: demo::TOOL,
        api: sample.has_api.then_some((demo::API, demo::API_TOOL)),
    });
    let banner = Banner {
        took: asked.started.elapsed(),
        public_url: &place.public_url,
        local_url: &place.local_url,
        link: &link,
        data: data.path(),
        own_data: asked.own_data,
        demo: facts,
    };
    banner.print();

    let runtimes = threads.iter().map(|thread| thread.runtime.clone());
    let runtimes = runtimes.chain([Handle::current(), behind.clone()]).collect();
    serve_metrics(config, &node, runtimes, stopping.clone()).await?;
    let jobs = jobs::start(node, behind, place.tls, &stopping);
    wait_for_signal().await;
    tracing::info!("stopping: calls in flight are finished first");
    stop.send_replace(true);
    // Threads first: what they still answer must be journalled before the writers stop.
    let _ =
        tokio::task::spawn_blocking(move || threads.into_iter().for_each(|thread| drop(thread.work.join())))
            .await;
    drop(sample);
    jobs.finish().await;
    tracing::info!("stopped");
    Ok(())
}

async fn wait_for_signal() {
    let (Ok(mut terminate), Ok(mut interrupt)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        tracing::error!("signals cannot be listened to");
        return std::future::pending().await;
    };
    tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
}

/// How many tasks the process runs. Counted when somebody asks.
struct Tasks {
    runtimes: Vec<Handle>,
    alive: Gauge,
    registry: Registry,
}

impl Tasks {
    fn of(runtimes: Vec<Handle>) -> Self {
        let (mut registry, alive) = (Registry::default(), Gauge::default());
        registry.register("portreeve_tasks", "Tasks of all runtimes", alive.clone());
        Self {
            runtimes,
            alive,
            registry,
        }
    }

    fn counted(&self) -> &Registry {
        let alive: usize = self
            .runtimes
            .iter()
            .map(|runtime| runtime.metrics().num_alive_tasks())
            .sum();
        self.alive.set(i64::try_from(alive).unwrap_or(i64::MAX));
        &self.registry
    }
}

/// Metrics have a listener of their own, so that the public one never shows them.
async fn serve_metrics(
    config: &Config,
    node: &Node,
    runtimes: Vec<Handle>,
    stop: watch::Receiver<bool>,
) -> Result<(), Failure> {
    let address = config.server.metrics_listen.as_str();
    if address == "off" {
        return Ok(());
    }
    let address: SocketAddr = address.parse().map_err(|_| {
        Failure::new(format!(
            "`metrics_listen` is `{address}`, which is neither an address with a port nor `off`"
        ))
    })?;
    let listener = match tokio::net::TcpListener::bind(address).await {
        Ok(listener) => listener,
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
            // A second node on one machine is common in tests and must not fail for this.
            tracing::warn!(
                "metrics are not served: `{address}` is in use (`--metrics-listen` names another address)"
            );
            return Ok(());
        }
        Err(error) => {
            return Err(Failure::new(format!(
                "metrics cannot be served on `{address}`: {error}"
            )));
        }
    };
    let (registry, tasks) = (Arc::clone(&node.metrics), Arc::new(Tasks::of(runtimes)));
    let router = axum::Router::new().route(
        "/metrics",
        axum::routing::get(move || {
            let (registry, tasks) = (Arc::clone(&registry), Arc::clone(&tasks));
            async move {
                let mut text = String::new();
                let encoded = text::encode_registry(&mut text, &registry)
                    .and_then(|()| text::encode(&mut text, tasks.counted()));
                let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
                encoded
                    .map(|()| ([(CONTENT_TYPE, kind)], text))
                    .map_err(|_| http::StatusCode::INTERNAL_SERVER_ERROR)
            }
        }),
    );
    tokio::spawn(async move {
        let mut stop = stop;
        let until = async move { drop(stop.wait_for(|stop| *stop).await.map(|_| ())) };
        axum::serve(listener, router).with_graceful_shutdown(until).await
    });
    Ok(())
}
