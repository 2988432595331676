//! Keys of others: of issuers of tokens, of identity providers, of clients. Each was fetched once, is used while it is
//! fresh, and goes on being used, up to a bound, while it is fetched anew: somebody who hangs holds up nobody whose key is
//! known. One request is under way at a time, however many tokens wait for it.
//!
//! Before: somebody signed something. After: whoever checks it has the keys. Where they come from is the [`Source`]'s affair.

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;
use async_trait::async_trait;
use portreeve_core::time::{Clock, Timestamp};
use tokio::runtime::Handle;
use tokio::sync::Mutex;

/// Where keys come from.
#[async_trait]
pub(crate) trait Source: Send + Sync + 'static {
    /// The keys, with whatever was learned on the way to them.
    type Keys: Send + Sync + 'static;
    /// Why there are none.
    type Problem: std::fmt::Display + Send + 'static;

    /// Asks for them.
    async fn fetch(&self) -> Result<Self::Keys, Self::Problem>;

    /// Whose they are, for the log.
    fn name(&self) -> &str;
}

/// How long keys are used.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Terms {
    /// So long nobody asks for them again, unless a key is missing.
    pub(crate) fresh: Duration,
    /// So long they are used while they cannot be had anew.
    pub(crate) longest: Duration,
    /// So long nobody asks again because a key is missing: whoever signs may name any.
    pub(crate) pause: Duration,
    /// So long nobody asks again after it failed.
    pub(crate) retry: Duration,
}

/// Why there are no keys.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Missing<P> {
    /// They were asked for, and this came of it.
    Problem(P),
    /// It failed a moment ago, and is not tried again yet.
    JustTried,
}

/// Keys of one source.
pub(crate) struct OthersKeys<S: Source>(Arc<Shared<S>>);

struct Shared<S: Source> {
    source: S,
    terms: Terms,
    clock: Arc<dyn Clock>,
    kept: ArcSwapOption<Kept<S::Keys>>,
    /// When they were asked for last; held while asking.
    tried: Mutex<Option<Timestamp>>,
    /// Where connections live. Requests are served on threads with runtimes of their own.
    runtime: Option<Handle>,
}

struct Kept<K> {
    keys: Arc<K>,
    at: Timestamp,
}

/// What can be done with what is kept.
enum Standing<K> {
    /// Use it.
    Good(Arc<K>),
    /// Use it, and ask anew.
    Old(Arc<K>),
    /// Ask first; this is what there is if it cannot be asked.
    Ask(Option<Arc<K>>),
}

// === impl OthersKeys ===

impl<S: Source> OthersKeys<S> {
    pub(crate) fn new(source: S, terms: Terms, clock: Arc<dyn Clock>) -> Self {
        Self(Arc::new(Shared {
            source,
            terms,
            clock,
            kept: ArcSwapOption::empty(),
            tried: Mutex::new(None),
            runtime: Handle::try_current().ok(),
        }))
    }

    /// The keys, asked for if there are none that serve. Where one is missing and was asked for a moment ago, those that
    /// there are.
    pub(crate) async fn get(
        &self,
        serves: impl Fn(&S::Keys) -> bool,
    ) -> Result<Arc<S::Keys>, Missing<S::Problem>> {
        let shared = &self.0;
        match shared.standing(&serves) {
            Standing::Good(keys) => return Ok(keys),
            Standing::Old(keys) => {
                self.renew();
                return Ok(keys);
            }
            Standing::Ask(_) => {}
        }
        let mut tried = shared.tried.lock().await;
        let present = match shared.standing(&serves) {
            Standing::Good(keys) | Standing::Old(keys) => return Ok(keys),
            Standing::Ask(present) => present,
        };
        let now = shared.clock.now();
        let pause = match present {
            Some(_) => shared.terms.pause,
            None => shared.terms.retry,
        };
        if tried.is_some_and(|tried| now.since(tried) < pause) {
            return present.ok_or(Missing::JustTried);
        }
        *tried = Some(now);
        let fetched = shared.fetched().await;
        drop(tried);
        match (fetched, present) {
            (Ok(keys), _) => Ok(keys),
            // Whoever needs another key will not find it; the problem was told.
            (Err(_), Some(present)) => Ok(present),
            (Err(problem), None) => Err(Missing::Problem(problem)),
        }
    }

    /// Whether [`OthersKeys::get`] would wait for an answer of somebody else.
    pub(crate) fn must_ask(&self, serves: impl Fn(&S::Keys) -> bool) -> bool {
        matches!(self.0.standing(&serves), Standing::Ask(_))
    }

    /// Asks anew, beside what is going on. Nobody waits for it.
    fn renew(&self) {
        let shared = Arc::clone(&self.0);
        let renewing = async move {
            let Ok(mut tried) = shared.tried.try_lock() else {
                return;
            };
            let now = shared.clock.now();
            if tried.is_some_and(|tried| now.since(tried) < shared.terms.retry) {
                return;
            }
            *tried = Some(now);
            let _ = shared.asked().await;
        };
        if let Some(runtime) = self.0.runtime.clone().or_else(|| Handle::try_current().ok()) {
            runtime.spawn(renewing);
        }
    }
}

// === impl Shared ===

impl<S: Source> Shared<S> {
    fn standing(&self, serves: &impl Fn(&S::Keys) -> bool) -> Standing<S::Keys> {
        let Some(kept) = self.kept.load_full() else {
            return Standing::Ask(None);
        };
        let age = self.clock.now().since(kept.at);
        if age >= self.terms.longest {
            return Standing::Ask(None);
        }
        let keys = Arc::clone(&kept.keys);
        match (serves(&kept.keys), age < self.terms.fresh) {
            (true, true) => Standing::Good(keys),
            (true, false) => Standing::Old(keys),
            (false, _) => Standing::Ask(Some(keys)),
        }
    }

    /// Asks where connections live.
    async fn fetched(self: &Arc<Self>) -> Result<Arc<S::Keys>, S::Problem> {
        let shared = Arc::clone(self);
        let Some(runtime) = &self.runtime else {
            return self.asked().await;
        };
        match runtime.spawn(async move { shared.asked().await }).await {
            Ok(asked) => asked,
            // The runtime ends, or the task did: on our own then.
            Err(_) => self.asked().await,
        }
    }

    async fn asked(&self) -> Result<Arc<S::Keys>, S::Problem> {
        match self.source.fetch().await {
            Ok(keys) => {
                let keys = Arc::new(keys);
                let at = self.clock.now();
                self.kept.store(Some(Arc::new(Kept {
                    keys: Arc::clone(&keys),
                    at,
                })));
                Ok(keys)
            }
            Err(problem) => {
                tracing::warn!(
                    of = self.source.name(),
                    %problem,
                    "Keys could not be read; those that are known stay in force for a while"
                );
                Err(problem)
            }
        }
    }
}

#[cfg(test)]
#[path = "others_keys_tests.rs"]
mod tests;
