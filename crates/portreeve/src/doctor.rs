//! `doctor`: one line for each thing that can be wrong with an installation, with what to do about it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use http::Request;
use portreeve_client::{Connection, Lines, Upstream};
use portreeve_core::doctor::{Check, CheckStatus, Doctor};
use portreeve_core::limits::Limits;
use portreeve_core::members::VirtualServer;
use portreeve_core::ports::{AuditLog, Counters, RateLimit, RouteStore, StoreHealth};
use portreeve_core::protocol::Era;
use portreeve_core::route::{Route, RouteState};
use portreeve_net::{Egress, Reach};
use portreeve_registry::{Registry, SearchState};
use url::Url;

use crate::data;
use crate::listener::forwarded::Proxies;
use crate::randomness::SystemRng;

/// Free space below which the disk is a failure, and below which it is a warning.
const DISK_FAILURE: u64 = 100 * 1024 * 1024;
const DISK_WARNING: u64 = 1024 * 1024 * 1024;
/// A backlog that a healthy writer never lets grow.
const BACKLOG_WARNING: u64 = 8 * 1024 * 1024;
const BACKLOG_FAILURE: u64 = 256 * 1024 * 1024;
const PATIENCE: Duration = Duration::from_secs(5);

/// What is examined.
pub(crate) struct Examination {
    /// The data directory.
    pub(crate) data: PathBuf,
    /// The durable store.
    pub(crate) store: Arc<dyn StoreHealth>,
    /// Routes, for their upstreams.
    pub(crate) routes: Arc<dyn RouteStore>,
    /// The registry, for its search index.
    pub(crate) registry: Arc<Registry>,
    /// The audit log.
    pub(crate) audit: Arc<dyn AuditLog>,
    /// The shared state.
    pub(crate) counters: Arc<dyn Counters>,
    /// The way out.
    pub(crate) egress: Egress,
    /// The public origin.
    pub(crate) public_url: Url,
    /// Whose word on where requests come from is believed.
    pub(crate) proxies: Arc<Proxies>,
    /// The limits.
    pub(crate) limits: Arc<Limits>,
}

fn ok(name: &str, detail: impl Into<String>) -> Check {
    Check {
        name: name.to_owned(),
        status: CheckStatus::Ok,
        detail: detail.into(),
        hint: None,
    }
}

fn warning(name: &str, detail: impl Into<String>, hint: &str) -> Check {
    Check {
        status: CheckStatus::Warning,
        hint: Some(hint.to_owned()),
        ..ok(name, detail)
    }
}

fn failure(name: &str, detail: impl Into<String>, hint: &str) -> Check {
    Check {
        status: CheckStatus::Failure,
        hint: Some(hint.to_owned()),
        ..ok(name, detail)
    }
}

#[async_trait]
impl Doctor for Examination {
    async fn examine(&self) -> Vec<Check> {
        let mut checks = vec![self.data_rights()];
        checks.extend(self.store().await);
        checks.push(self.state().await);
        checks.push(self.disk());
        checks.push(self.public_url().await);
        checks.push(judge_proxies(&self.proxies, self.public_url.scheme()));
        checks.push(self.journal().await);
        checks.push(judge_search(self.registry.search_state()));
        checks.extend(self.upstreams().await);
        checks
    }
}

impl Examination {
    fn data_rights(&self) -> Check {
        let name = "data rights";
        match data::loose_rights(&self.data) {
            Ok(loose) if loose.is_empty() => {
                ok(name, format!("only the owner can read `{}`", self.data.display()))
            }
            Ok(loose) => failure(
                name,
                format!("others can read or write {}", loose.join(", ")),
                &format!("run `chmod -R go-rwx {}`", self.data.display()),
            ),
            Err(error) => failure(
                name,
                format!("`{}` cannot be read: {error}", self.data.display()),
                "give it back to the user that runs Portreeve",
            ),
        }
    }

    async fn store(&self) -> Vec<Check> {
        let status = match self.store.check().await {
            Ok(status) => status,
            Err(error) => {
                return vec![failure(
                    "store",
                    error.to_string(),
                    "look at the database, its address and its rights",
                )];
            }
        };
        let migrations = if !status.pending_migrations.is_empty() {
            let missing = status.pending_migrations.join(", ");
            failure(
                "migrations",
                format!("the database lacks {missing}"),
                "start Portreeve again: it migrates at start",
            )
        } else if !status.unknown_migrations.is_empty() {
            let newer = status.unknown_migrations.join(", ");
            failure(
                "migrations",
                format!("a newer Portreeve wrote {newer}"),
                "run the version that wrote it, or a newer one",
            )
        } else {
            ok("migrations", "all are in the database")
        };
        vec![
            ok("store", format!("{} reads and writes", status.engine)),
            migrations,
        ]
    }

    async fn state(&self) -> Check {
        let limit = RateLimit {
            interval: Duration::from_secs(1),
            burst: 1,
        };
        match self.counters.peek("doctor", limit, 1).await {
            Ok(_) => ok("state", "counters answer"),
            Err(error) => failure(
                "state",
                error.to_string(),
                "look at Valkey or Redis and at `state.url`; rate-limited calls are refused meanwhile",
            ),
        }
    }

    fn disk(&self) -> Check {
        let name = "disk";
        match rustix::fs::statvfs(&self.data) {
            Ok(found) => judge_disk(found.f_bavail.saturating_mul(found.f_frsize)),
            Err(error) => failure(
                name,
                format!("`{}` cannot be examined: {error}", self.data.display()),
                "look at the file system",
            ),
        }
    }

    async fn public_url(&self) -> Check {
        let name = "public URL";
        let hint = "set `--public-url` to the origin that hosts use, and let it lead here";
        let Ok(url) = self.public_url.join("/healthz") else {
            return failure(name, format!("`{}` is not an origin", self.public_url), hint);
        };
        let Ok(request) = Request::get(url.as_str()).body(bytes::Bytes::new()) else {
            return failure(name, format!("`{url}` is not a URL"), hint);
        };
        match self.egress.send(request, &Reach::Operator, PATIENCE).await {
            Ok(response) if response.status().is_success() => {
                ok(name, format!("`{}` leads here", self.public_url))
            }
            Ok(response) => warning(name, format!("`{url}` answered {}", response.status()), hint),
            Err(error) => warning(name, error.to_string(), hint),
        }
    }

    async fn journal(&self) -> Check {
        match self.audit.backlog().await {
            Ok(bytes) => judge_backlog(bytes),
            Err(error) => failure(
                "journal",
                error.to_string(),
                "look at the data directory's `journal` folder",
            ),
        }
    }

    async fn upstreams(&self) -> Vec<Check> {
        let routes = match self.routes.routes().await {
            Ok(routes) => routes,
            Err(error) => return vec![failure("upstreams", error.to_string(), "mend the store first")],
        };
        let active = routes
            .into_iter()
            .filter(|route| route.state == RouteState::Active);
        futures_util::stream::iter(active)
            .map(|route| self.upstream(route))
            .buffered(8)
            .collect()
            .await
    }

    async fn upstream(&self, route: Route) -> Check {
        let name = format!("upstream {}", route.server);
        let hint = "start the server, or correct its URL and approve it again";
        if let Some(server) = VirtualServer::at(&route.upstream_url) {
            return ok(
                &name,
                format!(
                    "has {} members, each with a line of its own",
                    server.members.len()
                ),
            );
        }
        let Ok(url) = Url::parse(&route.upstream_url) else {
            return failure(&name, format!("`{}` is not a URL", route.upstream_url), hint);
        };
        let lines = Lines::new(Arc::new(SystemRng), &self.limits);
        let upstream = Upstream::new(url, &Reach::granted(&route.private_hosts), PATIENCE).over(&lines);
        match tokio::time::timeout(PATIENCE, self.shake_hands(&upstream)).await {
            Ok(Ok(era)) => ok(&name, format!("answers ({era} era)")),
            Ok(Err(problem)) => failure(&name, problem, hint),
            Err(_) => failure(
                &name,
                format!("did not answer within {} s", PATIENCE.as_secs()),
                hint,
            ),
        }
    }

    async fn shake_hands(&self, upstream: &Upstream) -> Result<Era, String> {
        match Connection::modern(&self.egress, upstream, None, &self.limits).await {
            Ok(Some(connection)) => Ok(connection.era()),
            Ok(None) => {
                let connection = Connection::legacy(&self.egress, upstream, None, &self.limits)
                    .await
                    .map_err(|error| error.to_string())?;
                let era = connection.era();
                connection.close().await;
                Ok(era)
            }
            Err(error) => Err(error.to_string()),
        }
    }
}

fn judge_disk(free: u64) -> Check {
    let hint = "make room: the audit journal must never be unable to write";
    let detail = format!("{} MiB are free", free / (1024 * 1024));
    match free {
        0..DISK_FAILURE => failure("disk", detail, hint),
        DISK_FAILURE..DISK_WARNING => warning("disk", detail, hint),
        _ => ok("disk", detail),
    }
}

fn judge_backlog(bytes: u64) -> Check {
    let hint = "look at the store: the audit journal is not being moved into it";
    let detail = format!("{} KiB wait to be moved into the store", bytes / 1024);
    match bytes {
        0..BACKLOG_WARNING => ok("journal", detail),
        BACKLOG_WARNING..BACKLOG_FAILURE => warning("journal", detail, hint),
        _ => failure("journal", detail, hint),
    }
}

fn judge_proxies(proxies: &Proxies, public_scheme: &str) -> Check {
    let name = "proxies";
    if let Some((requests, first)) = proxies.unbelieved() {
        let hint = "if that is your proxy, name it in `[server] trusted_proxies`: until then limits take everybody behind it \
            for one";
        return warning(
            name,
            format!(
                "{requests} requests with `X-Forwarded-For` or `Forwarded` were not believed, the first from `{first}`"
            ),
            hint,
        );
    }
    let in_clear = proxies.in_clear();
    if in_clear > 0 && public_scheme == "https" {
        return warning(
            name,
            format!("{in_clear} requests reached a trusted proxy without TLS"),
            "let the proxy refuse plain http, or send it on to https: credentials cross the network in clear",
        );
    }
    ok(
        name,
        format!("{} are trusted, and what they say fits", proxies.count()),
    )
}

fn judge_search(state: SearchState) -> Check {
    let name = "search index";
    let entries = state.entries;
    if state.is_whole {
        return ok(name, format!("{entries} servers in {} KiB", state.bytes / 1024));
    }
    warning(
        name,
        format!("it is being built; {entries} servers were read so far"),
        "wait a moment; if it stays so, look at the store",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_that_is_not_whole_is_told() {
        let state = |is_whole| SearchState {
            entries: 7,
            segments: 1,
            bytes: 2_048,
            is_whole,
        };
        let checks = [true, false].map(|is_whole| judge_search(state(is_whole)));
        assert_eq!(checks[0].status, CheckStatus::Ok);
        assert_eq!(checks[0].detail, "7 servers in 2 KiB");
        assert_eq!(checks[1].status, CheckStatus::Warning);
        assert!(checks[1].detail.contains("7 servers were read"));
    }

    #[test]
    fn little_space_and_a_long_backlog_are_told() {
        assert_eq!(judge_disk(DISK_WARNING).status, CheckStatus::Ok);
        assert_eq!(judge_disk(DISK_WARNING - 1).status, CheckStatus::Warning);
        assert_eq!(judge_disk(DISK_FAILURE - 1).status, CheckStatus::Failure);
        assert_eq!(judge_backlog(0).status, CheckStatus::Ok);
        assert_eq!(judge_backlog(BACKLOG_WARNING).status, CheckStatus::Warning);
        assert_eq!(judge_backlog(BACKLOG_FAILURE).status, CheckStatus::Failure);
    }
}
