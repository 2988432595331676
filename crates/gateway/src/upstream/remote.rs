//! A server over the network. Its URL is judged and taken apart when it is first called: of the thousands that a catalogue
//! may hold, most never are.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use portreeve_client::{Lines, Upstream};
use portreeve_core::route::Route;
use portreeve_net::Reach;
use url::Url;

/// The way to one of them.
#[derive(Debug)]
pub struct Remote {
    lines: Option<Arc<Lines>>,
    patience: Duration,
    server: OnceLock<Option<Box<Upstream>>>,
}

// === impl Remote ===

impl Remote {
    /// The way to the server of a route, which may speak HTTP+SSE over a line. `None` when its upstream is not a URL any more.
    pub(crate) fn of(route: &Route, lines: Option<&Arc<Lines>>) -> Option<Self> {
        Url::parse(&route.upstream_url).ok()?;
        Some(Self {
            lines: lines.cloned(),
            patience: Duration::from_millis(route.upstream_timeout_ms),
            server: OnceLock::new(),
        })
    }

    /// Longest wait for the head of an answer, and between two pieces of its body.
    pub(crate) const fn patience(&self) -> Duration {
        self.patience
    }

    /// The server, for the route that the way was made of.
    pub(crate) fn server(&self, route: &Route) -> Option<&Upstream> {
        let made = self.server.get_or_init(|| {
            let url = Url::parse(&route.upstream_url).ok()?;
            let mut server = Upstream::new(url, &Reach::granted(&route.private_hosts), self.patience);
            if let Some(lines) = &self.lines {
                server = server.over(lines);
            }
            Some(Box::new(server))
        });
        made.as_deref()
    }
}
