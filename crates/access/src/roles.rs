//! Roles as their holders have them: who may do what on the management side of this room, and how far a grant reaches that
//! somebody makes who manages a part of the installation.
//!
//! Before: `authorize` decides. After: `grants`, `keys`, `users` and the vault refuse, and tell what is missing.

use std::collections::HashSet;

use portreeve_core::caller::{Caller, User};
use portreeve_core::decision::{Action, Target};
use portreeve_core::grant::{Grant, Rights, ServerScope, ToolScope, somebody_manages};
use portreeve_core::id::{GrantId, UserId};
use portreeve_core::name::{GroupName, NamespacePattern};
use portreeve_core::ports::Authorizer;

use crate::facts::Facts;
use crate::{Access, AccessError};

/// What who manages a part may grant there. Auditing reads of people, and managing makes more managers: both are for who
/// manages everything.
const HANDED_ON: [Rights; 5] = [
    Rights::Use,
    Rights::View,
    Rights::Publish,
    Rights::Approve,
    Rights::Operate,
];

/// A role with its scope, as its holder is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldRole {
    /// What it allows.
    pub rights: Rights,
    /// Where.
    pub servers: ServerScope,
    /// Which tools there.
    pub tools: ToolScope,
    /// The grant that it comes from, as in the audit log.
    pub policy: String,
}

impl Access {
    /// Refuses whoever may not; tells which policies allowed it, for the audit event. `what` are words for the refusal:
    /// "read the audit log".
    pub fn require(
        &self,
        caller: &Caller,
        (action, target): (Action, &Target<'_>),
        what: &str,
    ) -> Result<Vec<String>, AccessError> {
        let decision = self.may(caller, action, target);
        if !decision.is_permit() {
            return Err(AccessError::Forbidden {
                caller: caller.label.to_string(),
                action: action.lacking(target, what),
            });
        }
        Ok(decision.policies.iter().map(ToString::to_string).collect())
    }

    /// Refuses whoever may not manage the installation.
    pub(crate) fn require_manager(&self, caller: &Caller) -> Result<Vec<String>, AccessError> {
        let everything = (Action::Manage, &Target::Installation);
        self.require(caller, everything, "manage this Portreeve")
    }

    /// Refuses whoever may not read of people and rights.
    pub(crate) fn require_auditor(&self, caller: &Caller, what: &str) -> Result<(), AccessError> {
        self.require(caller, (Action::Audit, &Target::Installation), what)
            .map(drop)
    }

    /// The grants that speak for a caller who could still be authenticated; nothing for anybody else.
    pub(crate) fn live_grants(&self, caller: &Caller) -> Vec<Grant> {
        let now = self.parts.clock.now();
        let state = self.current(now);
        if !state.is_live(caller, now) || self.has_ended(caller) {
            return Vec::new();
        }
        let grants = state.holders(caller).flat_map(|(_, rights)| &rights.grants);
        grants.cloned().collect()
    }

    /// The roles of a caller, each with its scope.
    pub fn roles(&self, caller: &Caller) -> Vec<HeldRole> {
        let grants = self.live_grants(caller).into_iter();
        let role = |grant: Grant| HeldRole {
            policy: format!("grant:{}", grant.id),
            rights: grant.rights,
            servers: grant.servers,
            tools: grant.tools,
        };
        grants.map(role).collect()
    }

    /// Whether a role of the caller that includes the action reaches over all of a scope. A rule that forbids it of the
    /// installation takes that reach away.
    pub(crate) fn reaching(&self, caller: &Caller, action: Action, scope: &ServerScope) -> Vec<String> {
        let state = self.state.load();
        let reaches =
            |grant: &Grant| grant.rights.includes(action) && scope_holds(&grant.servers, scope, &state.facts);
        let mut policies: Vec<String> = self
            .live_grants(caller)
            .iter()
            .filter(|grant| reaches(grant))
            .map(|grant| format!("grant:{}", grant.id))
            .collect();
        policies.sort_unstable();
        let decision = match scope {
            ServerScope::Server(name) => self.may(caller, action, &Target::Server(name)),
            ServerScope::Registry(name) => self.may(caller, action, &Target::Registry(name)),
            ServerScope::All => self.may(caller, action, &Target::Installation),
            ServerScope::Namespace(_) | ServerScope::Owner(_) => return policies,
        };
        if decision.is_permit() {
            policies
        } else {
            Vec::new()
        }
    }

    /// By what the caller may hand on roles over a scope. What a group owns and what a registry is about changes, and a
    /// grant of a single server would stay when that server leaves: who manages such a part hands on the part alone.
    fn handing_on(&self, caller: &Caller, scope: &ServerScope) -> Vec<String> {
        let lasts = |grant: &Grant| match &grant.servers {
            ServerScope::Owner(_) | ServerScope::Registry(_) => grant.servers == *scope,
            ServerScope::All | ServerScope::Namespace(_) | ServerScope::Server(_) => true,
        };
        let grants = self.live_grants(caller).into_iter();
        let lasting: HashSet<String> = grants
            .filter(lasts)
            .map(|grant| format!("grant:{}", grant.id))
            .collect();
        let mut policies = self.reaching(caller, Action::Manage, scope);
        policies.retain(|policy| lasting.contains(policy));
        policies
    }

    /// Refuses to make or to take back a grant that reaches further than who asks; tells what allowed it.
    pub(crate) fn require_reach(
        &self,
        caller: &Caller,
        (rights, scope): (Rights, &ServerScope),
    ) -> Result<Vec<String>, AccessError> {
        let whole = self.require_manager(caller);
        if whole.is_ok() || !HANDED_ON.contains(&rights) {
            return whole;
        }
        let policies = self.handing_on(caller, scope);
        if policies.is_empty() {
            return Err(AccessError::Forbidden {
                caller: caller.label.to_string(),
                action: format!(
                    "decide about grants of `{}` that reach further than its own: ask for a grant of `manage` there",
                    rights.as_str()
                ),
            });
        }
        Ok(policies)
    }

    /// Whether the caller manages, or audits, some part.
    pub(crate) fn reads_some_grants(&self, caller: &Caller) -> bool {
        let grants = self.live_grants(caller);
        grants.iter().any(|grant| grant.rights.includes(Action::Audit))
    }

    /// Whether the caller may read a grant: it reaches no further than where the caller audits.
    pub(crate) fn may_read_grant(&self, caller: &Caller, grant: &Grant) -> bool {
        !self.reaching(caller, Action::Audit, &grant.servers).is_empty()
    }
}

/// Whether one scope lies inside another, as far as that can be told of tomorrow's servers, too.
pub(crate) fn scope_holds(outer: &ServerScope, inner: &ServerScope, facts: &Facts) -> bool {
    match (outer, inner) {
        (ServerScope::All, _) => true,
        (ServerScope::Server(outer), ServerScope::Server(inner)) => {
            outer.as_str().eq_ignore_ascii_case(inner.as_str())
        }
        (ServerScope::Namespace(outer), ServerScope::Server(inner)) => outer.matches(inner),
        (ServerScope::Namespace(outer), ServerScope::Namespace(inner)) => namespace_holds(outer, inner),
        (ServerScope::Owner(outer), ServerScope::Server(inner)) => facts.owners(inner).contains(outer),
        (ServerScope::Owner(outer), ServerScope::Owner(inner)) => outer == inner,
        (ServerScope::Registry(outer), ServerScope::Server(inner)) => {
            facts.registries(inner).any(|name| name == outer)
        }
        (ServerScope::Registry(outer), ServerScope::Registry(inner)) => outer == inner,
        _ => false,
    }
}

fn namespace_holds(outer: &NamespacePattern, inner: &NamespacePattern) -> bool {
    let (root, below) = (outer.root(), inner.root());
    if root == below {
        return outer.reaches_below() || !inner.reaches_below();
    }
    let is_below = below
        .strip_prefix(&root)
        .is_some_and(|rest| rest.starts_with('.'));
    outer.reaches_below() && is_below
}

/// What is left of who manages everything.
pub(crate) struct Managers<'a> {
    pub(crate) users: &'a [User],
    pub(crate) grants: &'a [Grant],
}

impl Managers<'_> {
    /// Whether some enabled user manages everything, by a grant of the user or of a group, without these.
    pub(crate) fn remain(&self, without: (Option<GrantId>, Option<UserId>)) -> bool {
        let grants = self.grants.iter().filter(|grant| without.0 != Some(grant.id));
        let users = self.users.iter().filter(|user| without.1 != Some(user.id));
        let (users, grants): (Vec<User>, Vec<Grant>) = (users.cloned().collect(), grants.cloned().collect());
        somebody_manages(&users, &grants)
    }
}

impl Access {
    /// Refuses what leaves nobody who manages everything, if there is somebody now: only who holds the data directory could
    /// open the house again.
    pub(crate) async fn require_somebody_left(
        &self,
        without: (Option<GrantId>, Option<UserId>),
        value: &str,
    ) -> Result<(), AccessError> {
        let (users, grants) = (
            self.parts.identity.users().await?,
            self.parts.identity.grants().await?,
        );
        let managers = Managers {
            users: &users,
            grants: &grants,
        };
        if managers.remain((None, None)) && !managers.remain(without) {
            return Err(nobody_left(value));
        }
        Ok(())
    }

    /// The same, of other groups for a user.
    pub(crate) async fn require_somebody_left_in(
        &self,
        user: &User,
        groups: &[GroupName],
    ) -> Result<(), AccessError> {
        let (users, grants) = (
            self.parts.identity.users().await?,
            self.parts.identity.grants().await?,
        );
        let mut after = users.clone();
        for one in after.iter_mut().filter(|one| one.id == user.id) {
            one.groups = groups.to_vec();
        }
        let remain = |users: &[User]| {
            let grants = &grants;
            Managers { users, grants }.remain((None, None))
        };
        if remain(&users) && !remain(&after) {
            return Err(nobody_left(&user.name));
        }
        Ok(())
    }
}

/// Nobody would be left.
pub(crate) fn nobody_left(value: &str) -> AccessError {
    let problem = "no enabled user would be left who manages everything: grant `manage` on all servers to somebody \
                   else first";
    AccessError::invalid("grant", value, problem)
}
