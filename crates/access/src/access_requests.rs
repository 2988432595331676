//! Requests for access: somebody who sees a server and may not use it asks; whoever may grant that decides.
//!
//! Before: the registry says what exists for who asks. After: a grant that names the request, with an end if one was set.
//! Who decides grants no more than anybody could who hands on rights there: the rule is that of `grants`.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use portreeve_core::access_request::{AccessDecision, AccessRequest, AccessRequestState, AskedAccess};
use portreeve_core::audit::{AuditEvent, AuditOutcome};
use portreeve_core::caller::{Caller, Principal};
use portreeve_core::grant::{Grant, Rights, ServerScope, Subject, ToolScope};
use portreeve_core::id::{AccessRequestId, GrantId};
use portreeve_core::name::ServerName;
use portreeve_core::ports::{AccessRequestStore, SeenServers, StoreError};
use portreeve_core::time::Timestamp;
use serde_json::json;

use crate::grants::{NewGrant, check};
use crate::roles::scope_holds;
use crate::{Access, AccessError};

/// Open requests of one principal at once.
pub const MOST_OPEN_REQUESTS: usize = 20;

/// The shortest time that access is granted for.
pub const SHORTEST_GRANT: Duration = Duration::from_secs(60);

/// The longest; whoever wants more asks for no end.
pub const LONGEST_GRANT: Duration = Duration::from_secs(366 * 24 * 60 * 60);

/// How long a request waits for somebody.
const WAITS: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// How long one that ended is remembered.
const REMEMBERED: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// The longest reason or note, in bytes.
const TEXT_BYTES: usize = 1_000;

/// Own requests that are listed.
const MOST_LISTED: usize = 100;

/// Requests for access. One per process, shared.
pub struct AccessRequests {
    access: Arc<Access>,
    store: Arc<dyn AccessRequestStore>,
    servers: Arc<dyn SeenServers>,
}

/// A request to be made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAccessRequest {
    /// The server.
    pub server: ServerName,
    /// Which tools of it.
    pub tools: ToolScope,
    /// What for.
    pub reason: String,
    /// For how long. `None`: with no end.
    pub wished: Option<Duration>,
}

/// A request as somebody sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownAccessRequest {
    /// The request.
    pub request: AccessRequest,
    /// Where it stands now.
    pub state: AccessRequestState,
    /// Whether who looks asked.
    pub is_own: bool,
    /// Whether who looks may decide.
    pub may_decide: bool,
}

// === impl AccessRequests ===

impl fmt::Debug for AccessRequests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessRequests")
    }
}

impl AccessRequests {
    /// Requests that are kept in a store, about servers that the registry knows.
    pub fn new(
        access: Arc<Access>,
        store: Arc<dyn AccessRequestStore>,
        servers: Arc<dyn SeenServers>,
    ) -> Self {
        Self {
            access,
            store,
            servers,
        }
    }

    /// Asks for access.
    pub async fn ask(
        &self,
        caller: &Caller,
        new: NewAccessRequest,
    ) -> Result<ShownAccessRequest, AccessError> {
        let subject = self.subject_of(caller).await?;
        let unknown = || AccessError::not_found("server", new.server.as_str());
        let seen = self.servers.seen(caller, &new.server).await?;
        let server = seen.ok_or_else(unknown)?;
        let reason = plain("reason", &new.reason)?;
        check_span("for", new.wished)?;
        check(&NewGrant {
            subject,
            rights: Rights::Use,
            servers: ServerScope::Server(server.clone()),
            tools: new.tools.clone(),
        })?;
        if self.has_already(caller, &server, &new.tools) {
            let problem = format!("you may use this of `{server}` already, with no end");
            return Err(AccessError::Rejected {
                field: "server",
                problem,
            });
        }
        let parts = &self.access.parts;
        let now = parts.clock.now();
        let request = AccessRequest {
            id: AccessRequestId::new(&*parts.clock, &*parts.rng),
            server,
            principal: caller.principal,
            caller: caller.label.to_string(),
            groups: caller.groups.to_vec(),
            tools: new.tools,
            reason,
            wished: new.wished,
            asked_at: now,
            expires_at: now.plus(WAITS),
            state: AccessRequestState::Open,
            decided_by: None,
            decided_at: None,
            note: None,
            grant: None,
            granted_until: None,
        };
        let event = self.event("access.request", caller, &request);
        match self.store.ask_access(&request, MOST_OPEN_REQUESTS, event).await? {
            AskedAccess::New => {}
            AskedAccess::Waits(open) => return Err(waits_already(&open)),
            AskedAccess::TooMany => {
                let problem = format!(
                    "{MOST_OPEN_REQUESTS} requests of yours are open, which is the most: withdraw one of them first"
                );
                return Err(AccessError::Rejected {
                    field: "server",
                    problem,
                });
            }
        }
        if let Err(error) = self.store.purge_access_requests(now.minus(REMEMBERED)).await {
            tracing::warn!(%error, "requests for access that ended long ago could not be deleted");
        }
        Ok(self.shown(caller, request))
    }

    /// Those that who looks may decide about, oldest first, after one of them, at most so many.
    pub async fn list(
        &self,
        caller: &Caller,
        after: Option<AccessRequestId>,
        most: usize,
    ) -> Result<Vec<ShownAccessRequest>, AccessError> {
        let now = self.access.parts.clock.now();
        let (mut shown, mut after) = (Vec::new(), after);
        // Nobody who grants nothing needs to have it looked up.
        if !self.grants_something(caller) {
            return Ok(shown);
        }
        loop {
            let some = self.store.open_access_requests(now, after, most.max(1)).await?;
            let is_last = some.len() < most.max(1);
            for request in some {
                after = Some(request.id);
                if shown.len() < most && self.may_decide(caller, &request) {
                    shown.push(self.shown(caller, request));
                }
            }
            if is_last || shown.len() >= most {
                return Ok(shown);
            }
        }
    }

    /// The caller's own, newest first.
    pub async fn mine(&self, caller: &Caller) -> Result<Vec<ShownAccessRequest>, AccessError> {
        let Some(principal) = somebody(caller) else {
            return Ok(Vec::new());
        };
        let own = self
            .store
            .access_requests_of(principal, None, MOST_LISTED)
            .await?;
        Ok(own
            .into_iter()
            .map(|request| self.shown(caller, request))
            .collect())
    }

    /// The caller's last one for a server.
    pub async fn last_of(
        &self,
        caller: &Caller,
        server: &ServerName,
    ) -> Result<Option<ShownAccessRequest>, AccessError> {
        let Some(principal) = somebody(caller) else {
            return Ok(None);
        };
        let own = self.store.access_requests_of(principal, Some(server), 1).await?;
        Ok(own.into_iter().next().map(|request| self.shown(caller, request)))
    }

    /// One of them. One that is not for who looks does not exist for them.
    pub async fn show(
        &self,
        caller: &Caller,
        id: AccessRequestId,
    ) -> Result<ShownAccessRequest, AccessError> {
        let found = self.store.access_request(id).await?;
        let found = found.filter(|request| is_own(caller, request) || self.reaches(caller, &request.server));
        let found = found.ok_or_else(|| AccessError::not_found("request for access", &id.to_string()))?;
        Ok(self.shown(caller, found))
    }

    /// Grants what was asked, for a time or with no end. The face has the catalogue refreshed.
    pub async fn grant(
        &self,
        caller: &Caller,
        id: AccessRequestId,
        (span, note): (Option<Duration>, Option<String>),
    ) -> Result<ShownAccessRequest, AccessError> {
        let request = self.to_decide(caller, id).await?.request;
        let scope = ServerScope::Server(request.server.clone());
        let policies = self.access.require_reach(caller, (Rights::Use, &scope))?;
        check_span("for", span)?;
        let note = note
            .filter(|note| !note.trim().is_empty())
            .map(|note| plain("note", &note))
            .transpose()?;
        let subject = subject(request.principal).ok_or_else(|| gone(&request))?;
        match &subject {
            Subject::User(id) => self.access.require_user(*id).await?,
            Subject::Key(id) => self.access.require_own_key(*id).await?,
            Subject::Client(_) | Subject::Group(_) => {}
        }
        let parts = &self.access.parts;
        let now = parts.clock.now();
        let grant = Grant {
            id: GrantId::new(&*parts.clock, &*parts.rng),
            subject,
            rights: Rights::Use,
            servers: scope,
            tools: request.tools.clone(),
            created_by: caller.label.to_string(),
            created_at: now,
            expires_at: span.map(|span| now.plus(span)),
            request: Some(id),
        };
        let decision = decision(caller, AccessRequestState::Granted, (now, note));
        let mut event = self.event("access.grant", caller, &request);
        event.policies.clone_from(&policies);
        say(&mut event, "message", json!(decision.note));
        say(&mut event, "grant", json!(grant.id));
        say(&mut event, "until", json!(grant.expires_at));
        let made = self
            .access
            .grant_event("grant.create", caller, (&grant, policies));
        let saved = self
            .store
            .grant_access_request(id, &decision, &grant, [event, made])
            .await;
        self.decided(caller, id, saved).await
    }

    /// Refuses it, with a word to who asked.
    pub async fn refuse(
        &self,
        caller: &Caller,
        id: AccessRequestId,
        note: &str,
    ) -> Result<ShownAccessRequest, AccessError> {
        let request = self.to_decide(caller, id).await?.request;
        let note = plain("note", note)?;
        let now = self.access.parts.clock.now();
        let decision = decision(caller, AccessRequestState::Refused, (now, Some(note)));
        let mut event = self.event("access.refuse", caller, &request);
        say(&mut event, "message", json!(decision.note));
        let saved = self.store.close_access_request(id, &decision, event).await;
        self.decided(caller, id, saved).await
    }

    /// Takes it back.
    pub async fn withdraw(
        &self,
        caller: &Caller,
        id: AccessRequestId,
    ) -> Result<ShownAccessRequest, AccessError> {
        let shown = self.show(caller, id).await?;
        if !shown.is_own {
            return Err(AccessError::Forbidden {
                caller: caller.label.to_string(),
                action: "withdraw what somebody else asked for: refuse it instead".to_owned(),
            });
        }
        if shown.state != AccessRequestState::Open {
            return Err(not_open(&shown));
        }
        let now = self.access.parts.clock.now();
        let decision = decision(caller, AccessRequestState::Withdrawn, (now, None));
        let event = self.event("access.withdraw", caller, &shown.request);
        let saved = self.store.close_access_request(id, &decision, event).await;
        self.decided(caller, id, saved).await
    }

    /// One that is open and that the caller may decide about.
    async fn to_decide(
        &self,
        caller: &Caller,
        id: AccessRequestId,
    ) -> Result<ShownAccessRequest, AccessError> {
        let shown = self.show(caller, id).await?;
        if shown.state != AccessRequestState::Open {
            return Err(not_open(&shown));
        }
        if !shown.may_decide {
            return Err(AccessError::Forbidden {
                caller: caller.label.to_string(),
                action: "decide about access that it asked for itself: ask somebody else who may grant it"
                    .to_owned(),
            });
        }
        Ok(shown)
    }

    async fn decided(
        &self,
        caller: &Caller,
        id: AccessRequestId,
        saved: Result<(), StoreError>,
    ) -> Result<ShownAccessRequest, AccessError> {
        saved?;
        self.show(caller, id).await
    }

    /// Who would be granted it. Somebody of whom nothing is stored could not be.
    async fn subject_of(&self, caller: &Caller) -> Result<Subject, AccessError> {
        let found = somebody(caller).and_then(subject);
        let forbidden = |action: &str| AccessError::Forbidden {
            caller: caller.label.to_string(),
            action: action.to_owned(),
        };
        let subject =
            found.ok_or_else(|| forbidden("ask for access: sign in, or come with a key of your own"))?;
        if let Subject::User(id) = &subject
            && self.access.require_user(*id).await.is_err()
        {
            return Err(forbidden(
                "ask for access with a token of another issuer alone: sign in here once, so that you are known",
            ));
        }
        Ok(subject)
    }

    fn has_already(&self, caller: &Caller, server: &ServerName, tools: &ToolScope) -> bool {
        let state = self.access.current(self.access.parts.clock.now());
        let asked = ServerScope::Server(server.clone());
        self.access.live_grants(caller).iter().any(|grant| {
            grant.rights == Rights::Use
                && grant.expires_at.is_none()
                && grant.tools.holds(tools)
                && scope_holds(&grant.servers, &asked, &state.facts)
        })
    }

    fn grants_something(&self, caller: &Caller) -> bool {
        let grants = self.access.live_grants(caller);
        grants.iter().any(|grant| grant.rights == Rights::Manage)
    }

    fn reaches(&self, caller: &Caller, server: &ServerName) -> bool {
        let scope = ServerScope::Server(server.clone());
        self.access.require_reach(caller, (Rights::Use, &scope)).is_ok()
    }

    /// Nobody decides about what they asked for themselves.
    fn may_decide(&self, caller: &Caller, request: &AccessRequest) -> bool {
        !is_own(caller, request) && self.reaches(caller, &request.server)
    }

    fn shown(&self, caller: &Caller, request: AccessRequest) -> ShownAccessRequest {
        let state = request.state_at(self.access.parts.clock.now());
        ShownAccessRequest {
            state,
            is_own: is_own(caller, &request),
            may_decide: state == AccessRequestState::Open && self.may_decide(caller, &request),
            request,
        }
    }

    fn event(&self, action: &str, caller: &Caller, request: &AccessRequest) -> AuditEvent {
        let mut event = self.access.event(action, caller);
        event.outcome = AuditOutcome::Done;
        event.server = Some(request.server.to_string());
        event.target = Some(request.id.to_string());
        event.detail = Some(json!({
            "caller": request.caller,
            "tools": request.tools,
            "reason": request.reason,
            "forSeconds": request.wished.map(|span| span.as_secs()),
        }));
        event
    }
}

fn decision(
    caller: &Caller,
    state: AccessRequestState,
    (at, note): (Timestamp, Option<String>),
) -> AccessDecision {
    AccessDecision {
        state,
        by: caller.label.to_string(),
        at,
        note,
    }
}

fn say(event: &mut AuditEvent, name: &str, value: serde_json::Value) {
    if let Some(serde_json::Value::Object(detail)) = &mut event.detail {
        detail.insert(name.to_owned(), value);
    }
}

/// The caller, if it is somebody who may be granted something.
fn somebody(caller: &Caller) -> Option<Principal> {
    match caller.principal {
        Principal::Anonymous | Principal::Publisher | Principal::System => None,
        principal => Some(principal),
    }
}

fn subject(principal: Principal) -> Option<Subject> {
    match principal {
        Principal::User(id) => Some(Subject::User(id)),
        Principal::Key(id) => Some(Subject::Key(id)),
        Principal::Client(id) => Some(Subject::Client(id)),
        Principal::Anonymous | Principal::Publisher | Principal::System => None,
    }
}

fn is_own(caller: &Caller, request: &AccessRequest) -> bool {
    somebody(caller) == Some(request.principal)
}

fn gone(request: &AccessRequest) -> AccessError {
    AccessError::not_found("caller", &request.caller)
}

fn not_open(shown: &ShownAccessRequest) -> AccessError {
    StoreError::Conflict {
        what: format!(
            "the request for access `{}` is {}: it",
            shown.request.id,
            shown.state.as_str()
        ),
    }
    .into()
}

fn waits_already(open: &AccessRequest) -> AccessError {
    StoreError::Conflict {
        what: format!(
            "your request `{}` for access to `{}`, which waits for a decision,",
            open.id, open.server
        ),
    }
    .into()
}

/// A text by a person: one line or several, of a bounded length, with nothing in it that is not a character to read.
fn plain(field: &'static str, text: &str) -> Result<String, AccessError> {
    let text = text.trim().replace("\r\n", "\n");
    let problem = if text.is_empty() {
        "say in a sentence what for, or why not"
    } else if text.len() > TEXT_BYTES {
        "it has at most 1,000 bytes"
    } else if text.chars().any(|c| c.is_control() && c != '\n' && c != '\t') {
        "it is plain text, without control characters"
    } else {
        return Ok(text);
    };
    Err(AccessError::invalid(field, &text, problem))
}

fn check_span(field: &'static str, span: Option<Duration>) -> Result<(), AccessError> {
    match span {
        Some(span) if span < SHORTEST_GRANT || span > LONGEST_GRANT => Err(AccessError::invalid(
            field,
            &format!("{} s", span.as_secs()),
            "access is granted for 1 minute to 366 days, or with no end",
        )),
        _ => Ok(()),
    }
}
