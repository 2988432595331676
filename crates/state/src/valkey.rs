//! The engine for several nodes: Valkey or Redis. Only commands that both have had for years.
//!
//! Every key is `<prefix>:<kind>:{<key>}`: the braces keep the keys of one script in one slot of a cluster. Every
//! operation has a deadline, so that a server that hangs costs a call a second and not its life.

mod signals;

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use portreeve_core::ports::{
    Cache, Counters, Lease, Locks, RateDecision, RateLimit, Signals, StateError, Subscription,
};
use redis::aio::{ConnectionManager, ConnectionManagerConfig};
use redis::io::tcp::TcpSettings;
use redis::{Client, IntoConnectionInfo, RedisError, RedisResult, Script, TlsCertificates};
use tokio::time::timeout;

use self::signals::Listener;
use crate::gcra::{Question, decision, unlimited};

/// Longest time for one operation, connecting anew included.
const OPERATION: Duration = Duration::from_secs(1);
/// Longest time for the first connection, which may have to resolve a name and shake hands.
const FIRST_CONNECTION: Duration = Duration::from_secs(5);

/// What keys begin with, unless somebody says something else.
const PREFIX: &str = "portreeve";

/// What is not in the URL.
#[derive(Debug, Clone, Default)]
pub struct ValkeyOptions {
    /// The CA that signed the server's certificate, as PEM; trusted instead of the machine's roots. For `rediss://`.
    pub ca_pem: Option<Vec<u8>>,
    /// What every key and channel begins with, so that installations can share a server. `None`: `portreeve`.
    pub prefix: Option<String>,
}

/// The shared state of an installation with several nodes. A clone shares the connection.
#[derive(Clone)]
pub struct Valkey {
    client: Client,
    connection: ConnectionManager,
    scripts: Arc<Scripts>,
    prefix: Arc<str>,
}

struct Scripts {
    gcra: Script,
    acquire: Script,
    release: Script,
}

// === impl Valkey ===

impl std::fmt::Debug for Valkey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // The client knows the password.
        f.write_str("Valkey")
    }
}

impl Valkey {
    /// Connects to `redis://[user:password@]host[:port][/database]`, or over TLS to `rediss://...`.
    pub async fn connect(url: &str) -> Result<Self, StateError> {
        Self::connect_with(url, ValkeyOptions::default()).await
    }

    /// [`Valkey::connect`] with a private CA.
    pub async fn connect_with(url: &str, options: ValkeyOptions) -> Result<Self, StateError> {
        let prefix = options.prefix.as_deref().unwrap_or(PREFIX).into();
        let client = client(url, options)?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(OPERATION))
            .set_response_timeout(Some(OPERATION))
            // An attempt that fails fails its operation at once, and the next operation attempts again: a server that
            // is down must not make every call wait for retries.
            .set_number_of_retries(0);
        let connection = timeout(
            FIRST_CONNECTION,
            ConnectionManager::new_with_config(client.clone(), config),
        )
        .await
        .map_err(|_| late(FIRST_CONNECTION))?
        .map_err(failed)?;
        let scripts = Scripts {
            gcra: Script::new(include_str!("valkey/gcra.lua")),
            acquire: Script::new(include_str!("valkey/acquire.lua")),
            release: Script::new(include_str!("valkey/release.lua")),
        };
        Ok(Self {
            client,
            connection,
            scripts: Arc::new(scripts),
            prefix,
        })
    }

    /// The name of a key or channel on the server.
    fn named(&self, kind: &str, key: &str) -> String {
        format!("{}:{kind}:{{{key}}}", self.prefix)
    }

    /// Asks the server whether it is there.
    pub async fn ping(&self) -> Result<(), StateError> {
        let mut connection = self.connection.clone();
        in_time(redis::cmd("PING").exec_async(&mut connection)).await
    }

    async fn count(&self, key: &str, question: Question, mode: Mode) -> Result<RateDecision, StateError> {
        let mut connection = self.connection.clone();
        let mut call = self.scripts.gcra.key(self.named("rate", key));
        call.arg(question.interval)
            .arg(question.tolerance)
            .arg(question.cost)
            .arg(mode.word());
        let (allowed, remaining, wait): (u8, u64, u64) = in_time(call.invoke_async(&mut connection)).await?;
        Ok(decision(allowed == 1, remaining, wait))
    }
}

/// Whether a counter is moved or only looked at.
#[derive(Clone, Copy)]
enum Mode {
    Take,
    Peek,
}

impl Mode {
    fn word(self) -> &'static str {
        match self {
            Self::Take => "take",
            Self::Peek => "peek",
        }
    }
}

#[async_trait]
impl Counters for Valkey {
    async fn take(&self, key: &str, limit: RateLimit, units: u32) -> Result<RateDecision, StateError> {
        match Question::new(limit, units) {
            Some(question) => self.count(key, question, Mode::Take).await,
            None => Ok(unlimited(limit)),
        }
    }

    async fn peek(&self, key: &str, limit: RateLimit, units: u32) -> Result<RateDecision, StateError> {
        match Question::new(limit, units) {
            Some(question) => self.count(key, question, Mode::Peek).await,
            None => Ok(unlimited(limit)),
        }
    }
}

#[async_trait]
impl Cache for Valkey {
    async fn get(&self, key: &str) -> Result<Option<Vec<u8>>, StateError> {
        let mut connection = self.connection.clone();
        in_time(
            redis::cmd("GET")
                .arg(self.named("cache", key))
                .query_async(&mut connection),
        )
        .await
    }

    async fn put(&self, key: &str, value: &[u8], ttl: Duration) -> Result<(), StateError> {
        let mut connection = self.connection.clone();
        let mut command = redis::cmd("SET");
        command
            .arg(self.named("cache", key))
            .arg(value)
            .arg("PX")
            .arg(millis(ttl));
        in_time(command.exec_async(&mut connection)).await
    }

    async fn remove(&self, key: &str) -> Result<(), StateError> {
        let mut connection = self.connection.clone();
        in_time(
            redis::cmd("DEL")
                .arg(self.named("cache", key))
                .exec_async(&mut connection),
        )
        .await
    }
}

#[async_trait]
impl Locks for Valkey {
    async fn acquire(&self, key: &str, holder: &str, ttl: Duration) -> Result<Option<Lease>, StateError> {
        let mut connection = self.connection.clone();
        let mut call = self.scripts.acquire.key(self.named("lock", key));
        call.key(self.named("fence", key)).arg(millis(ttl)).arg(holder);
        let fence: u64 = in_time(call.invoke_async(&mut connection)).await?;
        Ok((fence > 0).then(|| Lease {
            key: key.to_owned(),
            holder: holder.to_owned(),
            fence,
        }))
    }

    async fn release(&self, lease: &Lease) -> Result<(), StateError> {
        let mut connection = self.connection.clone();
        let mut call = self.scripts.release.key(self.named("lock", &lease.key));
        call.arg(lease.fence).arg(&lease.holder);
        in_time(call.invoke_async(&mut connection)).await
    }
}

#[async_trait]
impl Signals for Valkey {
    async fn publish(&self, topic: &str, message: &[u8]) -> Result<(), StateError> {
        let mut connection = self.connection.clone();
        let mut command = redis::cmd("PUBLISH");
        command.arg(self.named("signal", topic)).arg(message);
        in_time(command.exec_async(&mut connection)).await
    }

    async fn subscribe(&self, topic: &str) -> Result<Box<dyn Subscription>, StateError> {
        Ok(Box::new(
            Listener::open(self.client.clone(), self.named("signal", topic)).await?,
        ))
    }
}

fn client(url: &str, options: ValkeyOptions) -> Result<Client, StateError> {
    // The driver takes the process's provider of cryptography. Somebody may have set it already; it is the same one,
    // since there is only one in the tree.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let info = url.into_connection_info().map_err(failed)?;
    let settings = tcp_settings();
    let info = info.set_tcp_settings(settings);
    match options.ca_pem {
        Some(pem) => Client::build_with_tls(
            info,
            TlsCertificates {
                client_tls: None,
                root_cert: Some(pem),
            },
        ),
        None => Client::open(info),
    }
    .map_err(failed)
}

fn tcp_settings() -> TcpSettings {
    let settings = TcpSettings::default().set_nodelay(true);
    // A server that vanished without a word is found when it does not acknowledge, not after a quarter of an hour.
    #[cfg(target_os = "linux")]
    let settings = settings.set_user_timeout(Duration::from_secs(5));
    settings
}

/// A time to live as the server takes it: at least one millisecond, and no more than a hundred years.
fn millis(ttl: Duration) -> u64 {
    const CENTURY: u128 = 100 * 365 * 24 * 60 * 60 * 1000;
    u64::try_from(ttl.as_millis().clamp(1, CENTURY)).unwrap_or(1)
}

async fn in_time<T>(operation: impl Future<Output = RedisResult<T>>) -> Result<T, StateError> {
    timeout(OPERATION, operation)
        .await
        .map_err(|_| late(OPERATION))?
        .map_err(failed)
}

fn late(limit: Duration) -> StateError {
    StateError(format!("no answer within {limit:?}"))
}

fn failed(error: RedisError) -> StateError {
    StateError(error.to_string())
}
