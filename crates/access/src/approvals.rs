//! Calls that a person must allow first. Before: a policy of a route holds a call back. After: who may decide has seen the
//! very arguments, and the same call passes once.
//!
//! An approval is bound to the caller, the route, the tool and the arguments by a keyed digest over their canonical form
//! (RFC 8785 where that is exact), so that another spelling of the same call is the same call, and no other call is.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use portreeve_core::approval::{ApprovalDecision, ApprovalState, CallApproval};
use portreeve_core::audit::{AuditEvent, AuditOutcome};
use portreeve_core::caller::{Caller, Principal};
use portreeve_core::decision::{Action, Target};
use portreeve_core::id::{ApprovalId, RouteId};
use portreeve_core::name::{ServerName, Slug};
use portreeve_core::ports::{ApprovalStore, Authorizer as _, StoreError};
use portreeve_core::secret::{Secret, SecretKey};
use portreeve_inspect::{Mac, SealError, Sealer, one_spelling};
use serde_json::json;

use crate::{Access, AccessError};

/// Calls of one caller that wait at once.
pub const MOST_WAITING: usize = 100;

/// How long an approval is remembered after it expired.
const REMEMBERED: Duration = Duration::from_secs(24 * 60 * 60);

/// The longest reason of a denial, in bytes.
const REASON_BYTES: usize = 1_000;

/// Approvals. One per process, shared.
pub struct Approvals {
    access: Arc<Access>,
    store: Arc<dyn ApprovalStore>,
    digests: Mac,
    sealer: Sealer,
    /// The public origin, for the addresses of the pages.
    origin: String,
}

/// A call that is held back.
#[derive(Debug, Clone, Copy)]
pub struct HeldCall<'a> {
    /// Who makes it.
    pub caller: &'a Caller,
    /// On which route.
    pub route: RouteId,
    /// Its slug.
    pub slug: &'a Slug,
    /// The server.
    pub server: &'a ServerName,
    /// The tool.
    pub tool: &'a str,
    /// The arguments as they were sent; `None` for none.
    pub arguments: Option<&'a str>,
}

/// How a policy wants it decided.
#[derive(Debug, Clone, Copy)]
pub struct HowDecided<'a> {
    /// Who may, besides who may approve the server.
    pub approvers: &'a BTreeSet<String>,
    /// Whether the caller may.
    pub by_caller: bool,
    /// How long it waits, and how long a decision counts.
    pub life: Duration,
}

/// An approval with the arguments that it is about.
#[derive(Debug, Clone)]
pub struct ShownApproval {
    /// The approval.
    pub approval: CallApproval,
    /// The arguments as they were sent.
    pub arguments: String,
    /// Whether who looks may decide.
    pub may_decide: bool,
}

// === impl Approvals ===

impl fmt::Debug for Approvals {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Approvals")
    }
}

impl Approvals {
    /// Approvals whose digests are made with one key, and whose arguments are sealed with the other.
    ///
    /// # Errors
    ///
    /// When a key cannot be used.
    pub fn new(
        access: Arc<Access>,
        store: Arc<dyn ApprovalStore>,
        (digests, seals): (&SecretKey, &SecretKey),
        origin: String,
    ) -> Result<Self, SealError> {
        Ok(Self {
            access,
            store,
            digests: Mac::new(digests),
            sealer: Sealer::new(seals)?,
            origin,
        })
    }

    /// The page of an approval.
    pub fn page(&self, id: ApprovalId) -> String {
        format!("{}/approvals/{id}", self.origin)
    }

    /// Uses up the approval of a call, if there is one.
    pub async fn use_up(&self, call: &HeldCall<'_>) -> Result<Option<CallApproval>, AccessError> {
        let now = self.access.parts.clock.now();
        Ok(self.store.use_approval(&self.digest(call), now).await?)
    }

    /// Asks for the approval of a call; a call that was asked for already is not asked for again.
    pub async fn ask(&self, call: &HeldCall<'_>, how: HowDecided<'_>) -> Result<CallApproval, AccessError> {
        let parts = &self.access.parts;
        let (id, now) = (ApprovalId::new(&*parts.clock, &*parts.rng), parts.clock.now());
        let digest = self.digest(call);
        let sealed = self.sealer.seal(
            &Secret::new(call.arguments.unwrap_or("{}")),
            &bound_to(&digest),
            &*parts.rng,
        );
        let approval = CallApproval {
            id,
            digest,
            route: call.route,
            slug: call.slug.clone(),
            server: call.server.clone(),
            tool: call.tool.to_owned(),
            arguments: sealed.map_err(|_| AccessError::Seal)?,
            principal: call.caller.principal,
            caller: call.caller.label.to_string(),
            approvers: how.approvers.clone(),
            by_caller: how.by_caller,
            asked_at: now,
            expires_at: now.plus(how.life),
            state: ApprovalState::Waiting,
            decided_by: None,
            decided_at: None,
            reason: None,
        };
        let mut event = self.access.event("approval.ask", call.caller);
        tell(&mut event, &approval);
        let asked = self.store.ask_approval(&approval, MOST_WAITING, event).await?;
        if asked.id == id
            && let Err(error) = self.store.purge_approvals(now.minus(REMEMBERED)).await
        {
            tracing::warn!(%error, "approvals that expired could not be deleted");
        }
        Ok(asked)
    }

    /// What waits or was decided, and who looks may see: oldest first, after one of them, at most so many.
    pub async fn list(
        &self,
        caller: &Caller,
        after: Option<ApprovalId>,
        most: usize,
    ) -> Result<Vec<ShownApproval>, AccessError> {
        let now = self.access.parts.clock.now();
        let (mut shown, mut after) = (Vec::new(), after);
        loop {
            let some = self.store.approvals(now, after, most).await?;
            let is_last = some.len() < most;
            for approval in some {
                after = Some(approval.id);
                if shown.len() < most && self.may_see(caller, &approval) {
                    shown.push(self.shown(caller, approval)?);
                }
            }
            if is_last || shown.len() == most {
                return Ok(shown);
            }
        }
    }

    /// One of them. One that is not for who looks does not exist for them.
    pub async fn show(&self, caller: &Caller, id: ApprovalId) -> Result<ShownApproval, AccessError> {
        let found = self.store.approval(id).await?;
        let found = found.filter(|approval| self.may_see(caller, approval));
        let found = found.ok_or_else(|| AccessError::not_found("approval", &id.to_string()))?;
        self.shown(caller, found)
    }

    /// Allows the call, or does not.
    pub async fn decide(
        &self,
        caller: &Caller,
        id: ApprovalId,
        allowed: bool,
        reason: Option<String>,
    ) -> Result<ShownApproval, AccessError> {
        let shown = self.show(caller, id).await?;
        let now = self.access.parts.clock.now();
        if shown.approval.state != ApprovalState::Waiting || !shown.approval.is_live(now) {
            return Err(AccessError::Decided);
        }
        if !shown.may_decide {
            return Err(AccessError::MayNotDecide {
                caller: caller.label.to_string(),
            });
        }
        let reason = reason.filter(|reason| !reason.trim().is_empty());
        if let Some(long) = reason.as_ref().filter(|reason| reason.len() > REASON_BYTES) {
            return Err(AccessError::invalid("reason", long, "it has at most 1,000 bytes"));
        }
        let decision = ApprovalDecision {
            allowed,
            by: caller.label.to_string(),
            at: now,
            reason,
        };
        let word = if allowed {
            "approval.allow"
        } else {
            "approval.deny"
        };
        let mut event = self.access.event(word, caller);
        tell(&mut event, &shown.approval);
        event.reason.clone_from(&decision.reason);
        match self.store.decide_approval(id, &decision, event).await {
            Err(StoreError::Conflict { .. }) => Err(AccessError::Decided),
            Err(error) => Err(error.into()),
            Ok(()) => self.show(caller, id).await,
        }
    }

    fn may_see(&self, caller: &Caller, approval: &CallApproval) -> bool {
        is_by(caller, approval) || self.is_approver(caller, approval)
    }

    fn is_approver(&self, caller: &Caller, approval: &CallApproval) -> bool {
        self.is_among(caller, &approval.approvers, &approval.server)
    }

    /// Approvers are who a policy names, and who may `approve` the server, whether it names anybody or not.
    fn is_among(&self, caller: &Caller, approvers: &BTreeSet<String>, server: &ServerName) -> bool {
        let approves = || self.access.may(caller, Action::Approve, &Target::Server(server));
        caller.is_among(approvers) || approves().is_permit()
    }

    /// Whether the decision of somebody about a call counts on another server that the call leads to: whoever it is could
    /// have decided there, too. Somebody who is not known any more, by the label that was kept, could not.
    pub fn counts_here(
        &self,
        label: &str,
        (maker, server): (&Caller, &ServerName),
        how: HowDecided<'_>,
    ) -> bool {
        let Some(decider) = self.access.known_as(label) else {
            return false;
        };
        if decider.principal == maker.principal {
            return how.by_caller;
        }
        self.is_among(&decider, how.approvers, server)
    }

    fn may_decide(&self, caller: &Caller, approval: &CallApproval) -> bool {
        let now = self.access.parts.clock.now();
        let is_open = approval.state == ApprovalState::Waiting && approval.is_live(now);
        // Who wants to make the call is never its approver, unless the policy asks for just that.
        is_open
            && if is_by(caller, approval) {
                // The credential that makes calls is no second look: that takes somebody in front of the page.
                approval.by_caller && caller.key.is_none() && caller.token.is_none()
            } else {
                self.is_approver(caller, approval)
            }
    }

    fn shown(&self, caller: &Caller, approval: CallApproval) -> Result<ShownApproval, AccessError> {
        let opened = self.sealer.open(&approval.arguments, &bound_to(&approval.digest));
        let opened = opened.map_err(|_| StoreError::Corrupt {
            what: format!("the arguments of approval `{}`", approval.id),
        })?;
        Ok(ShownApproval {
            may_decide: self.may_decide(caller, &approval),
            arguments: opened.expose().to_owned(),
            approval,
        })
    }

    fn digest(&self, call: &HeldCall<'_>) -> String {
        let arguments = call.arguments.unwrap_or("{}");
        let arguments = one_spelling(arguments);
        let head = json!([call.caller.principal.to_string(), call.route, call.tool]).to_string();
        self.digests.hex(&[head.as_bytes(), &[0], &arguments].concat())
    }
}

fn is_by(caller: &Caller, approval: &CallApproval) -> bool {
    let is_somebody = !matches!(caller.principal, Principal::Anonymous | Principal::Publisher);
    is_somebody && caller.principal == approval.principal
}

fn bound_to(digest: &str) -> [&str; 2] {
    ["call approval", digest]
}

fn tell(event: &mut AuditEvent, approval: &CallApproval) {
    event.outcome = AuditOutcome::Done;
    event.server = Some(approval.server.to_string());
    event.route = Some(approval.slug.to_string());
    event.target = Some(approval.tool.clone());
    event.detail = Some(json!({
        "approval": approval.id, "caller": approval.caller, "expiresAt": approval.expires_at,
    }));
}
