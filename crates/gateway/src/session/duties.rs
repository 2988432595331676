//! What a node does for its sessions beside the calls: heeds the other nodes, notes uses, gives up memory, and removes
//! what is over.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use portreeve_core::host_session::{HostSession, HostSessionBounds};
use portreeve_core::id::HostSessionId;
use portreeve_core::time::Timestamp;

use super::keeper::KeepError;
use super::news::News;
use super::ticket::{Holder, Ticket};
use super::{Session, Sessions};

/// Sessions that a round removes for each reason, so that it does not take long.
const REMOVED_AT_ONCE: usize = 5_000;

impl Sessions {
    /// Drops what another node ended from memory.
    fn drop_ended(&self, id: HostSessionId) {
        if let Some(session) = self.forget_for_good(id) {
            session.end_stream();
        }
    }

    /// Heeds what another node said.
    pub(super) async fn heed(&self, news: News) {
        let known = |id: HostSessionId| self.read().by_id.get(&id).cloned();
        match news {
            News::Ended(id) => self.drop_ended(id),
            News::Stream(id, since) => {
                if let Some(session) = known(id) {
                    session.yield_stream(since);
                }
            }
            News::Changed(id, revision) => {
                let Some(session) = known(id).filter(|session| session.revision() < revision) else {
                    return;
                };
                let before = session.subscriptions();
                match session.read_again().await {
                    Ok(()) => {
                        if let Some(here) = self.here.get().filter(|_| session.subscriptions() != before) {
                            here.changed(&session);
                        }
                    }
                    Err(KeepError::Over) => self.drop_ended(id),
                    Err(KeepError::Away) => {}
                }
            }
            News::Handed(id, token) => {
                if let Some(session) = known(id) {
                    self.take_handed(session, token);
                }
            }
        }
    }

    /// Looks what other nodes did to the sessions in memory.
    pub(super) async fn look_again(&self) {
        let kept: HashMap<_, _> = self.all(Session::is_kept).map(|one| (one.key, one)).collect();
        let ids: Vec<_> = kept.keys().copied().collect();
        let there = match self.keeper.store().host_session_revisions(&ids).await {
            Ok(there) => there.into_iter().collect::<HashMap<_, _>>(),
            Err(error) => {
                tracing::warn!(error = %error, "it cannot be seen which sessions other nodes ended");
                return;
            }
        };
        for (id, session) in kept {
            match there.get(&id) {
                None => self.drop_ended(id),
                Some(revision) => self.heed(News::Changed(session.key, *revision)).await,
            }
        }
    }

    fn all(&self, which: impl Fn(&Session) -> bool) -> impl Iterator<Item = Arc<Session>> {
        let all: Vec<_> = self
            .read()
            .by_id
            .values()
            .filter(|session| which(session))
            .cloned()
            .collect();
        all.into_iter()
    }

    /// The minute's duties: notes which sessions were used, looks what other nodes ended, gives up memory of those that
    /// rest, and removes those that nobody used for long or that their caller has too many of. Gives back what it removed,
    /// so that their servers can be told.
    pub async fn tend(&self) -> Vec<Arc<Session>> {
        let now = self.clock.now();
        let before = self.noted.swap(now.as_millis(), Ordering::Relaxed);
        let used = |session: &Session| session.used.load(Ordering::Relaxed) >= before && session.is_kept();
        let moment = |session: &Session| Timestamp::from_millis(session.used.load(Ordering::Relaxed));
        let used: Vec<_> = self
            .all(used)
            .map(|session| (session.key, moment(&session)))
            .collect();
        if let Err(error) = self.keeper.store().touch_host_sessions(&used).await {
            tracing::warn!(error = %error, "it cannot be noted which sessions were used");
            self.noted.store(before, Ordering::Relaxed);
            return Vec::new();
        }
        self.look_again().await;
        let rested = now.minus(self.limits.session_rest).as_millis();
        for session in self.all(|session| session.used.load(Ordering::Relaxed) < rested && session.rests()) {
            self.forget(session.key);
        }
        let bounds = HostSessionBounds {
            unused_since: self.unused_since(now),
            per_caller: self.limits.sessions_per_caller,
            most: REMOVED_AT_ONCE,
        };
        match self.keeper.store().purge_host_sessions(bounds).await {
            Ok(removed) => removed.into_iter().filter_map(|row| self.removed(row)).collect(),
            Err(error) => {
                tracing::warn!(error = %error, "sessions that nobody uses cannot be removed");
                Vec::new()
            }
        }
    }

    /// What was a session, for a last word to its server.
    fn removed(&self, row: HostSession) -> Option<Arc<Session>> {
        self.keeper.tell(News::Ended(row.id));
        if let Some(session) = self.forget_for_good(row.id) {
            session.end_stream();
            return Some(session);
        }
        let (row, kept) = self.keeper.opened(row)?;
        let ticket = Ticket {
            id: row.id,
            expires_at: row.used_at,
        };
        let holder = Holder {
            principal: row.principal,
            route: row.route,
        };
        Some(self.session(ticket, holder, (kept, row.revision), row.used_at))
    }
}
