//! Requests for access: somebody who sees a server and may not use it asks; whoever may grant that decides.
//!
//! Before: the registry says what exists for who asks. After: a grant that names the request, with an end if one was set.
//! Who decides grants no more than anybody could who hands on rights there: the rule is that of `grants`.

mod decide;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use portreeve_core::access_request::{AccessRequest, AccessRequestState, AskedAccess};
use portreeve_core::audit::{AuditEvent, AuditOutcome};
use portreeve_core::caller::{Caller, Principal};
use portreeve_core::grant::{Rights, ServerScope, Subject, ToolScope};
use portreeve_core::id::AccessRequestId;
use portreeve_core::name::ServerName;
use portreeve_core::ports::{AccessRequestStore, SeenServers, StoreError};
use portreeve_core::time::Timestamp;
use serde_json::json;

use crate::grants::{NewGrant, check};
use crate::roles::scope_holds;
use crate::{Access, AccessError};

/// Open requests of one principal at once.
pub const MOST_OPEN_REQUESTS: usize = 20;

/// Requests of one principal in a day: whoever asks and withdraws in circles fills nobody's store.
const MOST_A_DAY: usize = 50;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Requests that are looked through at once for a page or for the number above it, and steps of that.
const STEP: usize = 100;
const STEPS: usize = 10;

/// The shortest time that access is granted for.
pub const SHORTEST_GRANT: Duration = Duration::from_secs(60);

/// The longest; whoever wants more asks for no end.
pub const LONGEST_GRANT: Duration = Duration::from_secs(366 * DAY.as_secs());

/// How long a request waits for somebody.
const WAITS: Duration = Duration::from_secs(30 * DAY.as_secs());

/// How long one that ended is remembered.
const REMEMBERED: Duration = Duration::from_secs(90 * DAY.as_secs());

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

/// How a request is granted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccessTerms {
    /// For how long. `None`: with no end.
    pub span: Option<Duration>,
    /// Which of the tools that were asked for. `None`: all of them.
    pub tools: Option<ToolScope>,
    /// What who asked is told.
    pub note: Option<String>,
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

/// Some of those that somebody may decide about.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccessRequestPage {
    /// They.
    pub items: Vec<ShownAccessRequest>,
    /// The last one that was looked at, if there may be more behind it.
    pub next: Option<AccessRequestId>,
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
            expires_at: None,
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
        self.require_patience(caller, now).await?;
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

    /// Those that who looks may decide about, oldest first, after one of them, at most so many. So many are looked through
    /// and no more, whoever's they are: a page may have fewer, or none, with more behind it.
    pub async fn list(
        &self,
        caller: &Caller,
        after: Option<AccessRequestId>,
        most: usize,
    ) -> Result<AccessRequestPage, AccessError> {
        let now = self.access.parts.clock.now();
        let (mut page, mut after) = (AccessRequestPage::default(), after);
        // Nobody who grants nothing needs to have it looked up.
        if !self.grants_something(caller) {
            return Ok(page);
        }
        let step = STEP.max(most);
        for _ in 0..STEPS {
            let some = self.store.open_access_requests(now, after, step).await?;
            let is_last = some.len() < step;
            for request in some {
                let is_theirs = self.may_decide(caller, &request);
                if is_theirs && page.items.len() >= most {
                    page.next = after;
                    return Ok(page);
                }
                after = Some(request.id);
                if is_theirs {
                    page.items.push(self.shown(caller, request));
                }
            }
            if is_last {
                return Ok(page);
            }
        }
        page.next = after;
        Ok(page)
    }

    /// How many the caller may decide about, counted up to a bound, among the oldest that are open.
    pub async fn count(&self, caller: &Caller, most: usize) -> Result<usize, AccessError> {
        let now = self.access.parts.clock.now();
        let (mut counted, mut after) = (0, None);
        if !self.grants_something(caller) {
            return Ok(0);
        }
        for _ in 0..STEPS {
            let some = self.store.open_access_requests(now, after, STEP).await?;
            let mine = some.iter().filter(|request| self.may_decide(caller, request));
            counted += mine.count();
            after = some.last().map(|last| last.id);
            if some.len() < STEP || counted >= most {
                break;
            }
        }
        Ok(counted.min(most))
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

    /// Refuses who asked very often of late.
    async fn require_patience(&self, caller: &Caller, now: Timestamp) -> Result<(), AccessError> {
        let own = self
            .store
            .access_requests_of(caller.principal, None, MOST_A_DAY)
            .await?;
        match own.get(MOST_A_DAY - 1) {
            Some(request) if now.since(request.asked_at) < DAY => Err(AccessError::Rejected {
                field: "server",
                problem: format!(
                    "you asked {MOST_A_DAY} times within a day, which is the most: ask tomorrow"
                ),
            }),
            _ => Ok(()),
        }
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
