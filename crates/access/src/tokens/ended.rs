//! Authorizations that ended while tokens of them are about. A token is checked without asking anybody, so its end must be
//! known on every node: by the feed of the catalogue, within a second; on the node that ended it at once.

use std::collections::HashMap;
use std::sync::Mutex;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use portreeve_core::caller::Caller;
use portreeve_core::id::AuthorizationId;
use portreeve_core::time::Timestamp;
use portreeve_core::token::EndedAuthorization;

use super::TOKEN_LIFETIME;
use crate::{Access, AccessError};

/// How much longer than tokens live their end is remembered: clocks of nodes differ, and streams outlive their token.
const LONGER: Duration = Duration::from_secs(60 * 60);

/// The set. Something that ended never begins again, so what is known of it only grows until it is over.
#[derive(Default)]
pub(super) struct Ended {
    until: ArcSwap<HashMap<AuthorizationId, Timestamp>>,
    changing: Mutex<()>,
}

// === impl Ended ===

impl Ended {
    pub(super) fn has(&self, id: AuthorizationId) -> bool {
        self.until.load().contains_key(&id)
    }

    fn add(&self, ended: EndedAuthorization) {
        let _one_at_a_time = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut next = HashMap::clone(&self.until.load());
        next.insert(ended.id, ended.until);
        self.until.store(Arc::new(next));
    }

    /// Takes what the store says. What was ended here a moment ago stays, though the snapshot may be from before.
    pub(super) fn load(&self, stored: &[EndedAuthorization]) {
        let _one_at_a_time = self.changing.lock().unwrap_or_else(PoisonError::into_inner);
        let known = self.until.load();
        if stored.iter().all(|ended| known.contains_key(&ended.id)) && known.len() == stored.len() {
            return;
        }
        // The store forgets what is over when the next one ends, so the newest there tells what can be forgotten here.
        let newest = stored.iter().map(|ended| ended.until).max();
        let over = newest.map(|newest| newest.minus(TOKEN_LIFETIME + LONGER));
        let mut next: HashMap<_, _> = known
            .iter()
            .filter(|(_, until)| over.is_none_or(|over| **until > over))
            .map(|(id, until)| (*id, *until))
            .collect();
        next.extend(stored.iter().map(|ended| (ended.id, ended.until)));
        self.until.store(Arc::new(next));
    }
}

// === impl Access ===

impl Access {
    /// Ends an authorization: access tokens of it are refused from now on, here at once, on other nodes within a second.
    /// One that ended already is no error. Who calls this writes the audit event of why.
    pub async fn end_authorization(&self, id: AuthorizationId) -> Result<(), AccessError> {
        let now = self.parts.clock.now();
        let until = now.plus(TOKEN_LIFETIME + LONGER);
        let ended = EndedAuthorization { id, until };
        self.tokens.ended.add(ended);
        self.tokens.store.end_authorization(ended, now).await?;
        Ok(())
    }

    /// Whether the authorization that a caller came with has ended since. A stream outlives the request that opened it.
    pub(crate) fn has_ended(&self, caller: &Caller) -> bool {
        let authorization = caller.token.as_ref().and_then(|token| token.authorization);
        authorization.is_some_and(|id| self.tokens.ended.has(id))
    }
}
