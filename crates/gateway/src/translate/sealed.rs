//! The state of a call in several rounds, sealed on its way through the host: it comes back to the server only from the
//! caller to whom it was given, on the same route, for the same call, and not too late.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use portreeve_core::protocol::Era;
use portreeve_core::random::Rng;
use portreeve_core::secret::Secret;
use portreeve_core::time::{Clock, Timestamp};
use portreeve_inspect::{Sealer, one_spelling};
use portreeve_mcp::bridge;
use portreeve_mcp::method::Method;
use serde_json::json;

use crate::accept::inbound::Call;
use crate::relay::Errand;
use crate::respond::Refusal;

/// Seals and opens states.
#[derive(Debug)]
pub struct States {
    sealer: Arc<Sealer>,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    life: Duration,
}

/// Names what is sealed, among all that one key seals: the state of a server, and the place where a call waits.
const STATE: &str = "request-state";
const PLACE: &str = "parked-call";

// === impl States ===

impl States {
    /// With a key of the installation, so that every node opens what another one sealed.
    pub fn new(sealer: Arc<Sealer>, clock: Arc<dyn Clock>, rng: Arc<dyn Rng>, life: Duration) -> Self {
        Self {
            sealer,
            clock,
            rng,
            life,
        }
    }

    /// Seals a state.
    fn seal(&self, state: &str, bound_to: &[&str]) -> Option<String> {
        let until = self.clock.now().plus(self.life).as_millis();
        let secret = Secret::new(format!("{until}:{state}"));
        self.sealer.seal(&secret, bound_to, &*self.rng).ok()
    }

    /// Opens a state, as it was written.
    fn open(&self, sealed: &str, bound_to: &[&str]) -> Option<Secret> {
        let sealed: String = serde_json::from_str(sealed).ok()?;
        let opened = self.sealer.open(&sealed, bound_to).ok()?;
        let (until, state) = opened.expose().split_once(':')?;
        let until = Timestamp::from_millis(until.parse().ok()?);
        (self.clock.now() <= until).then(|| Secret::new(state))
    }
}

/// What a state belongs to, besides its route and caller.
#[derive(Debug)]
pub struct Belonging {
    method: Method,
    /// The call. It is read where there is a state, which nearly no call has.
    body: Bytes,
}

impl Belonging {
    /// Of this call.
    pub fn of(call: &Call) -> Option<Self> {
        call.method.has_rounds().then(|| Self {
            method: call.method,
            body: call.body.clone(),
        })
    }

    fn about(&self) -> String {
        let about = bridge::about(&self.body);
        // A host may write the same arguments another way when it says them again.
        String::from_utf8(one_spelling(&about)).unwrap_or(about)
    }

    fn with<T>(&self, kind: &str, errand: &Errand, work: impl FnOnce(&[&str]) -> T) -> T {
        let principal = errand.caller.principal.to_string();
        let route = errand.route.route.id.to_string();
        work(&[kind, &principal, &route, self.method.as_str(), &self.about()])
    }
}

/// A call with the state that its server gave, in place of the seal that the host brings.
pub(super) fn opened(call: &mut Call, errand: &Errand) -> Result<(), Refusal> {
    if !may_bring(call) {
        return Ok(());
    }
    let (Some(sealed), Some(belonging)) = (bridge::brought(&call.body), Belonging::of(call)) else {
        return Ok(());
    };
    let states = &errand.gateway.states;
    let Some(state) = belonging.with(STATE, errand, |bound_to| states.open(sealed, bound_to)) else {
        return Err(not_given());
    };
    let body = bridge::with_state(&call.body, sealed, state.expose()).map_err(|_| Refusal::BrokenBody)?;
    call.body = body.into();
    Ok(())
}

/// An answer with a seal in place of the state that its server gives; `None` when it gives none.
pub fn sealed(body: &[u8], belonging: &Belonging, errand: &Errand) -> Option<Vec<u8>> {
    let state = bridge::given(body)?;
    let states = &errand.gateway.states;
    let sealed = belonging.with(STATE, errand, |bound_to| states.seal(state, bound_to))?;
    bridge::with_state(body, state, &json!(sealed).to_string()).ok()
}

/// Whether a call may bring a state. Nearly none does, and this costs less than reading its parameters. Letters of a key
/// have one other spelling.
fn may_bring(call: &Call) -> bool {
    let may_stand = |text: &[u8]| memchr::memmem::find(&call.body, text).is_some();
    may_stand(b"requestState") || may_stand(b"\\u")
}

fn not_given() -> Refusal {
    Refusal::InvalidParams {
        id: None,
        reason: "`requestState` was not given to this caller for this request, or too long ago".to_owned(),
    }
}

/// Seals the place where a call waits.
pub fn seal_place(place: &str, belonging: &Belonging, errand: &Errand) -> Option<String> {
    let states = &errand.gateway.states;
    belonging.with(PLACE, errand, |bound_to| states.seal(place, bound_to))
}

/// What a later round of a call that passed brings, and only that call was given: its server's state, or the place where it
/// waits. A legacy host is given neither, and whatever it brings goes to no server.
pub fn goes_on(call: &Call, errand: &Errand) -> Option<String> {
    if call.era != Era::Modern || !may_bring(call) {
        return None;
    }
    let (sealed, belonging) = (bridge::brought(&call.body)?, Belonging::of(call)?);
    let kind = match errand.hop {
        Era::Modern => STATE,
        Era::Legacy => PLACE,
    };
    let states = &errand.gateway.states;
    let opens = belonging.with(kind, errand, |bound_to| states.open(sealed, bound_to).is_some());
    opens.then(|| sealed.to_owned())
}

/// Whether a call brings a state.
pub fn brings_state(call: &Call) -> bool {
    may_bring(call) && bridge::brought(&call.body).is_some()
}

/// The place where a call waits that its host comes back for.
pub fn open_place(call: &Call, errand: &Errand) -> Result<Secret, Refusal> {
    let (Some(sealed), Some(belonging)) = (bridge::brought(&call.body), Belonging::of(call)) else {
        return Err(not_given());
    };
    let states = &errand.gateway.states;
    let place = belonging.with(PLACE, errand, |bound_to| states.open(sealed, bound_to));
    place.ok_or_else(not_given)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicI64, AtomicU8, Ordering};

    use portreeve_core::secret::SecretKey;

    use super::*;

    #[derive(Debug, Default)]
    struct Hands(AtomicI64);

    impl Clock for Hands {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(self.0.load(Ordering::Relaxed))
        }
    }

    #[derive(Debug, Default)]
    struct Counting(AtomicU8);

    impl Rng for Counting {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(self.0.fetch_add(1, Ordering::Relaxed));
        }
    }

    #[test]
    fn a_tr_10_a_state_that_comes_back_too_late_is_good_for_nothing() {
        let clock = Arc::new(Hands::default());
        let sealer = Arc::new(Sealer::new(&SecretKey::new([7; 32])).unwrap());
        let life = Duration::from_secs(60);
        let states = States::new(
            sealer,
            Arc::clone(&clock) as Arc<dyn Clock>,
            Arc::new(Counting::default()),
            life,
        );
        let bound_to = ["request-state", "ada", "billing", "tools/call", "{}"];
        let sealed = json!(states.seal("\"one\"", &bound_to).unwrap()).to_string();
        clock.0.store(60_000, Ordering::Relaxed);
        let opened = states.open(&sealed, &bound_to).unwrap();
        assert_eq!(opened.expose(), "\"one\"");
        clock.0.store(60_001, Ordering::Relaxed);
        assert!(states.open(&sealed, &bound_to).is_none());
    }
}
