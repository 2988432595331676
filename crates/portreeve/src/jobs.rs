//! What runs beside the faces: where, behind whom, and in which order it ends.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use portreeve_access::Access;
use portreeve_gateway::Gateway;
use portreeve_gateway::snapshot::Loader;
use portreeve_net::TlsAcceptor;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::wire::Node;

/// How far everything but the threads that serve calls steps back.
pub(crate) const BEHIND_CALLS: i32 = 10;

/// How far jobs step back that work for long: behind the faces, too.
const BEHIND_FACES: i32 = 19;

/// Lowers the priority of this thread, and of those that it starts. Calls go first on a busy machine: everything but the
/// threads that serve them (the faces, the jobs, the databases' own threads) gets what they leave, and at least a tenth. No
/// privilege is needed for that, nor for going on without.
pub(crate) fn step_back(by: i32) {
    if let Err(error) = rustix::process::setpriority_process(None, by) {
        tracing::debug!(error = %error, "the priority of what can wait could not be lowered");
    }
}

/// A thread for jobs that work for long: judging versions, reading other registries, looking after pins. A request that
/// comes meanwhile neither stands in their queue nor waits for their core.
///
/// # Errors
///
/// If the system gives no thread.
pub(crate) fn runtime() -> io::Result<Runtime> {
    Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .thread_name("jobs")
        .on_thread_start(|| step_back(BEHIND_FACES))
        .build()
}

/// The jobs in two groups: those that end with the listeners, and the writers that end after them.
pub(crate) struct Running {
    beside: JoinSet<()>,
    writers: JoinSet<()>,
    last: watch::Sender<bool>,
    store: portreeve_store::Store,
}

impl Running {
    /// Waits until they have ended, after they were told to stop.
    pub(crate) async fn finish(mut self) {
        while self.beside.join_next().await.is_some() {}
        self.last.send_replace(true);
        while self.writers.join_next().await.is_some() {}
        self.store.close().await;
    }
}

/// Starts them. `behind` is the runtime of [`runtime`].
pub(crate) fn start(
    node: Node,
    behind: &Handle,
    tls: Option<Arc<TlsAcceptor>>,
    stopping: &watch::Receiver<bool>,
) -> Running {
    let (last, ending) = watch::channel(false);
    let (mut beside, mut writers) = (JoinSet::new(), JoinSet::new());
    let jobs = node.jobs;
    writers.spawn(jobs.audit.run(ending.clone()));
    writers.spawn(jobs.usage.run(ending));
    beside.spawn_on(jobs.pins.run(stopping.clone()), behind);
    beside.spawn_on(jobs.imports.run(stopping.clone()), behind);
    beside.spawn(jobs.webhooks.run(stopping.clone()));
    beside.spawn(jobs.search.run(stopping.clone()));
    beside.spawn_on(jobs.toolsets.run(stopping.clone()), behind);
    beside.spawn_on(jobs.icons.run(stopping.clone()), behind);
    beside.spawn_on(jobs.partners.run(stopping.clone()), behind);
    beside.spawn_on(jobs.oauth.run(stopping.clone()), behind);
    if let Some(assess) = jobs.assess {
        beside.spawn_on(assess.run(stopping.clone()), behind);
    }
    beside.spawn(follow(Arc::clone(&node.loader), stopping.clone()));
    beside.spawn(follow_others(Arc::clone(&node.gateway), stopping.clone()));
    beside.spawn(tend_keys(Arc::clone(&node.access), stopping.clone()));
    beside.spawn(end_grants(Arc::clone(&node.access), stopping.clone()));
    beside.spawn(tend(Arc::clone(&node.gateway), tls, stopping.clone()));
    Running {
        beside,
        writers,
        last,
        store: jobs.store,
    }
}

async fn follow(loader: Arc<Loader>, stop: watch::Receiver<bool>) {
    loader.follow(stop).await;
}

async fn follow_others(gateway: Arc<Gateway>, stop: watch::Receiver<bool>) {
    gateway.follow_others(stop).await;
}

/// Makes the next key that signs access tokens when its time has come.
async fn tend_keys(access: Arc<Access>, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(Duration::from_secs(60 * 60)) => {}
        }
        if let Err(error) = access.tend_signing_keys().await {
            tracing::warn!(error = %error, "the next key that signs tokens could not be made; this is tried again in an hour");
        }
    }
}

/// Removes grants whose time is over. They count no more anyway: this is for the list, the log and the hosts that listen.
async fn end_grants(access: Arc<Access>, mut stop: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(Duration::from_secs(10)) => {}
        }
        if let Err(error) = access.remove_ended_grants().await {
            tracing::warn!(error = %error, "grants whose time is over could not be removed; they count no more all the same");
        }
    }
}

/// Small duties: certificates that changed, streams that nobody reads, sessions that nobody uses.
async fn tend(gateway: Arc<Gateway>, tls: Option<Arc<TlsAcceptor>>, mut stop: watch::Receiver<bool>) {
    let mut rounds = 0_u64;
    loop {
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(Duration::from_secs(5)) => {}
        }
        rounds += 1;
        if let Some(tls) = &tls {
            match tls.reload_if_changed() {
                Ok(true) => tracing::info!("the certificate was read again"),
                Ok(false) => {}
                Err(error) => {
                    tracing::error!(error = %error, "the new certificate cannot be used, the old one stays")
                }
            }
        }
        gateway.cut_stalled_streams();
        give_memory_back();
        if rounds.is_multiple_of(12) {
            gateway.sweep_sessions().await;
        }
    }
}

/// The allocator gives back what has rested for a second, but looks for it only when somebody frees a large piece. After
/// a burst nobody does, and the memory of thousands of closed streams would stay.
fn give_memory_back() {
    const LARGE: usize = 1 << 20;
    drop(std::hint::black_box(Vec::<u8>::with_capacity(LARGE)));
}
