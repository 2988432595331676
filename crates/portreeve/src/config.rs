//! The configuration file: TOML, optional, one struct per concern. A doc comment here is the reference manual.
//!
//! An environment variable `PORTREEVE__SECTION__KEY` overrides a key. Flags of `serve` override both.

mod assessment;
mod authorization;
mod login;
pub(crate) mod oauth;
mod partners;
mod portal;
mod registry;
pub(crate) mod webhooks;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use portreeve_core::limits::Limits;
use portreeve_core::secret::Secret;
use portreeve_net::{EgressConfig, PublicHttp};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};
use url::Url;

use crate::cli::{Failure, ServeArgs};
use crate::environment;
use crate::listener::forwarded::{Network, Proxies};

/// The whole file.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// The listener and its public face.
    pub(crate) server: Server,
    /// The durable store.
    pub(crate) store: Store,
    /// The state that nodes share.
    pub(crate) state: State,
    /// The way out.
    pub(crate) egress: Egress,
    /// The audit log.
    pub(crate) audit: Audit,
    /// OAuth in front of the routes.
    pub(crate) oauth: oauth::Oauth,
    /// How the pages look.
    pub(crate) portal: portal::Portal,
    /// The registry API's writing side.
    pub(crate) registry: registry::Registry,
    /// Who signs in, and who vouches for whom.
    pub(crate) login: login::Login,
    /// What a version is judged by before it is approved.
    pub(crate) assessment: assessment::Assessment,
    /// Which catalogues of partners are shown, and how often they are looked at.
    pub(crate) partners: partners::Partners,
    /// How events are delivered to webhooks.
    pub(crate) webhooks: webhooks::Webhooks,
    /// Limits on what comes from outside.
    pub(crate) limits: LimitSettings,
}

/// The listener and its public face.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Server {
    /// Address and port to listen on.
    #[schemars(with = "String")]
    pub(crate) listen: SocketAddr,
    /// The origin under which hosts reach Portreeve, for example `https://mcp.acme.example`. Default: the listener's
    /// own address.
    #[schemars(with = "Option<String>")]
    pub(crate) public_url: Option<Url>,
    /// Accept a public origin without TLS that is not loopback.
    pub(crate) insecure_http: bool,
    /// PEM file with the certificate chain; read again when it changes.
    pub(crate) tls_cert: Option<PathBuf>,
    /// PEM file with the private key.
    pub(crate) tls_key: Option<PathBuf>,
    /// Where Prometheus reads metrics: an address and a port, or `off`.
    pub(crate) metrics_listen: String,
    /// Browser origins, besides the public one, whose pages may call MCP endpoints.
    pub(crate) allowed_origins: Vec<String>,
    /// Proxies in front whose `X-Forwarded-For`, `-Proto`, `-Host` and `Forwarded` are believed: addresses and networks
    /// (`10.0.0.0/8`, `fd00::/8`). Default: nobody's.
    pub(crate) trusted_proxies: Vec<String>,
    /// Threads that serve requests. Default: one per core.
    pub(crate) threads: Option<usize>,
    /// How long a stopping node waits for calls in flight, in seconds.
    pub(crate) drain_seconds: u64,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 8080)),
            public_url: None,
            insecure_http: false,
            tls_cert: None,
            tls_key: None,
            metrics_listen: "127.0.0.1:9464".to_owned(),
            allowed_origins: Vec::new(),
            trusted_proxies: Vec::new(),
            threads: None,
            drain_seconds: 30,
        }
    }
}

/// The durable store.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Store {
    /// `sqlite:PATH` or `postgres://USER:PASSWORD@HOST/DATABASE`; also `file:PATH` or `env:NAME`, which hold such a
    /// URL. Default: `portreeve.db` in the data directory.
    #[schemars(with = "Option<String>")]
    pub(crate) url: Option<Secret>,
}

/// The state that nodes share.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct State {
    /// `memory:` or `redis://HOST:PORT` (Valkey or Redis; `rediss://` with TLS); also `file:PATH` or `env:NAME`.
    /// Default: `memory:`.
    #[schemars(with = "Option<String>")]
    pub(crate) url: Option<Secret>,
    /// What every key begins with: installations that share a server need one each, nodes of an installation the same.
    /// 1 to 64 letters, digits, `-`, `_`, `.`. Default: `portreeve`.
    #[serde(deserialize_with = "prefix")]
    #[schemars(with = "Option<String>", regex(pattern = r"^[A-Za-z0-9._-]{1,64}$"))]
    pub(crate) prefix: Option<String>,
}

/// A prefix that is a word: it stands in the names of keys, between colons and before braces.
fn prefix<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<String>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let is_in_word = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
    if (1..=64).contains(&text.len()) && text.chars().all(is_in_word) {
        return Ok(Some(text));
    }
    let problem = "it has 1 to 64 letters, digits, `-`, `_`, `.`";
    Err(serde::de::Error::custom(format!(
        "`{text}` is no prefix: {problem}"
    )))
}

/// The way out.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Egress {
    /// An HTTP proxy for everything that leaves.
    #[schemars(with = "Option<String>")]
    pub(crate) proxy: Option<Url>,
    /// Hosts that are reached without the proxy.
    pub(crate) no_proxy: Vec<String>,
    /// PEM file with certificate authorities to trust besides the system's.
    pub(crate) ca_file: Option<PathBuf>,
    /// Let servers on the public internet be reached over plain http.
    pub(crate) allow_public_http: bool,
}

/// The audit log.
#[derive(Debug, Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Audit {
    /// Wait for the disk at every event (survives power loss), not only for the operating system (survives `kill -9`).
    pub(crate) fsync: bool,
}

/// Limits on what comes from outside. The rest is fixed.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct LimitSettings {
    /// Open event streams of one node.
    pub(crate) streams_per_node: usize,
    /// Open event streams of one caller.
    pub(crate) streams_per_caller: usize,
    /// Legacy sessions of one node.
    pub(crate) sessions_per_node: usize,
    /// Legacy sessions of one caller.
    pub(crate) sessions_per_caller: usize,
    /// How long an event stream lives, in seconds.
    pub(crate) stream_lifetime_seconds: u64,
    /// In how many seconds a host must take something of what waits for it, before its connection is closed.
    pub(crate) host_write_seconds: u64,
    /// After how many seconds without a request a host's connection is closed. A load balancer in front must close
    /// its own connections sooner.
    pub(crate) idle_connection_seconds: u64,
}

impl Default for LimitSettings {
    fn default() -> Self {
        let limits = Limits::default();
        Self {
            streams_per_node: limits.streams_per_node,
            streams_per_caller: limits.streams_per_caller,
            sessions_per_node: limits.sessions_per_node,
            sessions_per_caller: limits.sessions_per_caller,
            stream_lifetime_seconds: limits.stream_lifetime.as_secs(),
            host_write_seconds: limits.host_write.as_secs(),
            idle_connection_seconds: limits.idle_connection.as_secs(),
        }
    }
}

impl Config {
    /// Reads the file, then the environment, then the flags.
    pub(crate) fn load(args: &ServeArgs) -> Result<Self, Failure> {
        let mut config = Self::read(args.config.as_deref(), environment::overrides())?;
        let server = &mut config.server;
        if let Some(listen) = &args.listen {
            server.listen = listen.parse().map_err(|_| {
                Failure::new(format!("`--listen {listen}` is not an address with a port"))
                    .hint("write it as `127.0.0.1:8080` or `[::]:8080`")
            })?;
        }
        server.public_url = args.public_url.clone().or(server.public_url.take());
        server.insecure_http |= args.insecure_http;
        server.tls_cert = args.tls_cert.clone().or(server.tls_cert.take());
        server.tls_key = args.tls_key.clone().or(server.tls_key.take());
        if let Some(metrics) = &args.metrics_listen {
            server.metrics_listen.clone_from(metrics);
        }
        Ok(config)
    }

    /// Reads a file and the overrides of the environment: pairs of (`section`, `key`) and text.
    pub(crate) fn read(
        file: Option<&Path>,
        overrides: Vec<(String, String, String)>,
    ) -> Result<Self, Failure> {
        let name = file.map_or("the configuration".to_owned(), |file| {
            format!("`{}`", file.display())
        });
        let text = match file {
            Some(file) => std::fs::read_to_string(file)
                .map_err(|error| Failure::new(format!("{name} cannot be read: {error}")))?,
            None => String::new(),
        };
        let mut table: toml::Table = text
            .parse()
            .map_err(|error: toml::de::Error| Failure::new(format!("{name} is not TOML: {error}")))?;
        for (section, key, value) in overrides {
            let value = toml::Value::try_from(parse_value(&value)).unwrap_or(toml::Value::String(value));
            let section = table.entry(section).or_insert_with(|| toml::Table::new().into());
            if let Some(section) = section.as_table_mut() {
                section.insert(key, value);
            }
        }
        serde_path_to_error::deserialize(toml::Value::Table(table)).map_err(|error| {
            let path = error.path().to_string();
            Failure::new(format!("{name}: `{path}`: {}", error.into_inner().message()))
                .hint("`portreeve config schema` prints everything that can stand in it")
        })
    }

    /// The limits in force.
    pub(crate) fn limits(&self) -> Limits {
        Limits {
            streams_per_node: self.limits.streams_per_node,
            streams_per_caller: self.limits.streams_per_caller,
            sessions_per_node: self.limits.sessions_per_node,
            sessions_per_caller: self.limits.sessions_per_caller,
            stream_lifetime: Duration::from_secs(self.limits.stream_lifetime_seconds),
            host_write: Duration::from_secs(self.limits.host_write_seconds),
            idle_connection: Duration::from_secs(self.limits.idle_connection_seconds),
            webhook_attempt: Duration::from_secs(
                self.webhooks.attempt_seconds.clamp(1, webhooks::LONGEST_ATTEMPT),
            ),
            ..Limits::default()
        }
    }

    /// The proxies that are believed.
    pub(crate) fn proxies(&self) -> Result<Proxies, Failure> {
        let networks = self.server.trusted_proxies.iter().map(|text| {
            text.parse::<Network>().map_err(|()| {
                Failure::new(format!(
                    "`server.trusted_proxies` has `{text}`, which is no network"
                ))
                .hint("write addresses and networks: `10.0.0.0/8`, `fd00::/8`, `192.0.2.7`")
            })
        });
        networks.collect::<Result<_, _>>().map(Proxies::new)
    }

    /// The way out, as `net` wants it.
    pub(crate) fn egress(&self) -> Result<EgressConfig, Failure> {
        let ca_pem = self.egress.ca_file.as_ref().map(|file| {
            std::fs::read(file)
                .map_err(|error| Failure::new(format!("`{}` cannot be read: {error}", file.display())))
        });
        Ok(EgressConfig {
            proxy: self.egress.proxy.clone(),
            no_proxy: self.egress.no_proxy.clone(),
            ca_pem: ca_pem.transpose()?,
            public_http: if self.egress.allow_public_http {
                PublicHttp::Allowed
            } else {
                PublicHttp::Refused
            },
            ..EgressConfig::default()
        })
    }
}

/// A boolean or a number where the text is one; else the text.
fn parse_value(text: &str) -> toml::Value {
    text.parse::<bool>()
        .map(toml::Value::Boolean)
        .or_else(|_| text.parse::<i64>().map(toml::Value::Integer))
        .unwrap_or_else(|_| toml::Value::String(text.to_owned()))
}

/// Resolves `file:PATH` and `env:NAME`. Only the configuration file may name such secrets.
pub(crate) fn resolve(secret: &Secret) -> Result<Secret, Failure> {
    let text = secret.expose();
    if let Some(path) = text.strip_prefix("file:") {
        let content = std::fs::read_to_string(path)
            .map_err(|error| Failure::new(format!("`{path}` cannot be read: {error}")))?;
        return Ok(Secret::new(content.trim()));
    }
    if let Some(name) = text.strip_prefix("env:") {
        return environment::variable(name)
            .map(Secret::new)
            .ok_or_else(|| Failure::new(format!("the environment variable `{name}` is not set")));
    }
    Ok(secret.clone())
}

/// The JSON Schema of the file.
pub(crate) fn schema() -> serde_json::Value {
    schemars::schema_for!(Config).to_value()
}
