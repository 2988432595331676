//! Access policies beside the rights: a forbid wins over every grant, a permit is as good as one.
//!
//! Who may not know of a server may neither read it nor call its tools, so that lists and calls agree.

use std::sync::Arc;

use portreeve_core::caller::{Caller, Principal};
use portreeve_core::decision::{Action, Decision, Effect, Target};
use portreeve_core::name::{Environment, GroupName, RegistryName, ServerName};
use portreeve_core::oauth::TokenGrant;
use portreeve_core::tool::ToolAnnotations;
use quick_cache::Equivalent;

use crate::Access;
use crate::policies::{Arguments, Asked, Asker, RuleEffect, Said, Via, is_of_management};
use crate::state::State;

/// What an answer depends on in which access policies had their say, besides the state it is kept in.
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Inquiry {
    principal: Principal,
    label: Arc<str>,
    groups: Arc<[GroupName]>,
    token: Option<Arc<TokenGrant>>,
    via: Via,
    environment: Option<Box<str>>,
    action: Action,
    server: Option<ServerName>,
    registry: Option<RegistryName>,
    tool: Option<(Arc<str>, ToolAnnotations)>,
}

/// The same without owning it: a lookup allocates nothing. Fields and their order must be those of [`Inquiry`], because
/// both must hash alike.
#[derive(Hash, Clone, Copy)]
struct Inquired<'a> {
    principal: Principal,
    label: &'a str,
    groups: &'a [GroupName],
    token: Option<&'a Arc<TokenGrant>>,
    via: Via,
    environment: Option<&'a str>,
    action: Action,
    server: Option<&'a ServerName>,
    registry: Option<&'a RegistryName>,
    tool: Option<(&'a str, ToolAnnotations)>,
}

/// An answer that is kept.
#[derive(Clone)]
pub(crate) struct Kept {
    /// The answer where no arguments are at hand.
    decision: Arc<Decision>,
    /// Whether the arguments of a call could make it another.
    depends: bool,
}

// === impl Access ===

impl Access {
    /// The caller as access policies see it, if there are any that could be about it.
    pub(super) fn rules_about<'a>(
        &self,
        state: &State,
        caller: &'a Caller,
        action: Action,
    ) -> Option<Asker<'a>> {
        if matches!(action, Action::Manage | Action::Audit) || !state.rulebook.is_about(action) {
            return None;
        }
        Asker::of(caller)
    }

    /// Whether a policy may show the caller the inside of some server.
    pub(super) fn shown_some_by_rules(&self, caller: &Caller) -> bool {
        let state = self.state.load();
        if !state.is_live(caller, self.parts.clock.now()) || self.has_ended(caller) {
            return false;
        }
        let asker = self.rules_about(&state, caller, Action::View);
        asker.is_some_and(|asker| {
            let rules = &state.rulebook;
            rules.speaks_of(&asker, (Action::View, RuleEffect::Permit))
        })
    }

    /// Whether a policy may hide the inside of some server from the caller.
    pub(super) fn hidden_some_by_rules(&self, caller: &Caller) -> bool {
        let state = self.state.load();
        let asker = self.rules_about(&state, caller, Action::View);
        asker.is_some_and(|asker| {
            let rules = &state.rulebook;
            rules.speaks_of(&asker, (Action::View, RuleEffect::Forbid))
                && !self.manages_everything(&state, caller)
        })
    }

    /// Whether grants let the caller manage everything. No policy speaks of that.
    fn manages_everything(&self, state: &State, caller: &Caller) -> bool {
        self.by_rights(state, caller, Action::Manage, &Target::Installation)
            .is_permit()
    }

    /// Callers without a credential hold no right, and no policy gives them one. One that forbids is about them, too, where
    /// something may be open to them.
    pub(super) fn about_a_stranger(
        &self,
        state: &State,
        caller: &Caller,
        (action, target): (Action, &Target<'_>),
        environment: Option<&Environment>,
    ) -> Arc<Decision> {
        match self.rules_about(state, caller, action) {
            Some(asker) if !is_of_management(action) => {
                let asker = asker.within(environment);
                self.by_everything(state, (caller, &asker), action, target)
            }
            _ => self.engine.denied(),
        }
    }

    /// By rights and access policies together.
    pub(super) fn by_everything(
        &self,
        state: &State,
        (caller, asker): (&Caller, &Asker<'_>),
        action: Action,
        target: &Target<'_>,
    ) -> Arc<Decision> {
        let arguments = match target {
            Target::Tool { arguments, .. } => *arguments,
            _ => None,
        };
        let kept = self.without_arguments(state, (caller, asker), action, target);
        // An open route lets in whom nothing permits, unless something forbids; so that is asked in full, too. Whoever is
        // forbidden every call is not forbidden less by what this one says.
        let is_open = kept.decision.is_permit() || kept.decision.policies.is_empty();
        match arguments {
            Some(raw) if kept.depends && is_open => {
                let read = Arguments::read(raw);
                let asked = Asked::ThisCall(read.as_ref());
                self.weighed(state, (caller, asker), (action, target), asked)
                    .decision
            }
            _ => kept.decision,
        }
    }

    fn without_arguments(
        &self,
        state: &State,
        (caller, asker): (&Caller, &Asker<'_>),
        action: Action,
        target: &Target<'_>,
    ) -> Kept {
        let inquired = Inquired::new((caller, asker.environment), action, target);
        state.answers.get(&inquired).unwrap_or_else(|| {
            let kept = self.weighed(state, (caller, asker), (action, target), Asked::AnyCall);
            state.answers.insert(inquired.to_owned(caller), kept.clone());
            kept
        })
    }

    /// The answer in one state, and whether it could depend on arguments.
    pub(crate) fn kept(
        &self,
        state: &State,
        (caller, asker): (&Caller, &Asker<'_>),
        action: Action,
        target: &Target<'_>,
    ) -> (Arc<Decision>, bool) {
        let kept = self.without_arguments(state, (caller, asker), action, target);
        (kept.decision, kept.depends)
    }

    fn weighed(
        &self,
        state: &State,
        (caller, asker): (&Caller, &Asker<'_>),
        (action, target): (Action, &Target<'_>),
        asked: Asked<'_>,
    ) -> Kept {
        let (said, depends) =
            state
                .rulebook
                .ask(&self.engine, (asker, &state.facts), (action, target), asked);
        let keep = |decision| Kept { decision, depends };
        let permitted = match said {
            // Whoever manages everything takes a forbid away again, and has to see what it is about.
            Said::Forbid(_) if action == Action::View && self.manages_everything(state, caller) => Vec::new(),
            Said::Forbid(names) => return keep(decided(Effect::Deny, names)),
            Said::Permit(names) => names,
            Said::Nothing => Vec::new(),
        };
        let server = match (action, target) {
            (Action::Read | Action::CallTool, Target::Server(server) | Target::Tool { server, .. }) => {
                Some(*server)
            }
            _ => None,
        };
        if caller.principal == Principal::Anonymous {
            // Whatever forbids a stranger to know of the server forbids its tools; nothing permits one anything.
            let found = server.map(|server| {
                self.by_everything(state, (caller, asker), Action::Discover, &Target::Server(server))
            });
            return keep(found.unwrap_or_else(|| self.engine.denied()));
        }
        let by_rights = self.by_rights(state, caller, action, target);
        let may = by_rights.is_permit() || !permitted.is_empty();
        if let Some(server) = server {
            let found = self.by_everything(state, (caller, asker), Action::Discover, &Target::Server(server));
            // An open route lets in whom nothing permits, so what forbids to know of the server is told of them, too.
            if found.is_forbidden() || (may && !found.is_permit()) {
                return keep(found);
            }
        }
        if !may {
            return keep(by_rights);
        }
        if permitted.is_empty() {
            return keep(by_rights);
        }
        let mut names = by_rights.policies.to_vec();
        names.extend(permitted);
        keep(decided(Effect::Permit, names))
    }
}

fn decided(effect: Effect, names: Vec<Arc<str>>) -> Arc<Decision> {
    Arc::new(Decision {
        effect,
        policies: names.into(),
    })
}

// === impl Inquired ===

impl<'a> Inquired<'a> {
    fn new(
        (caller, environment): (&'a Caller, Option<&'a str>),
        action: Action,
        target: &Target<'a>,
    ) -> Self {
        let (server, registry, tool) = match *target {
            Target::Installation => (None, None, None),
            Target::Registry(registry) => (None, Some(registry), None),
            Target::Server(server) => (Some(server), None, None),
            Target::Tool {
                server,
                tool,
                annotations,
                ..
            } => (Some(server), None, Some((tool, *annotations))),
        };
        Self {
            principal: caller.principal,
            label: &caller.label,
            groups: &caller.groups,
            token: caller.token.as_ref(),
            via: Via::of(caller),
            environment,
            action,
            server,
            registry,
            tool,
        }
    }

    fn to_owned(self, caller: &Caller) -> Inquiry {
        Inquiry {
            principal: self.principal,
            label: Arc::clone(&caller.label),
            groups: Arc::clone(&caller.groups),
            token: caller.token.clone(),
            via: self.via,
            environment: self.environment.map(Box::from),
            action: self.action,
            server: self.server.cloned(),
            registry: self.registry.cloned(),
            tool: self
                .tool
                .map(|(name, annotations)| (Arc::from(name), annotations)),
        }
    }
}

impl Equivalent<Inquiry> for Inquired<'_> {
    fn equivalent(&self, inquiry: &Inquiry) -> bool {
        self.principal == inquiry.principal
            && *self.label == *inquiry.label
            && *self.groups == *inquiry.groups
            && self.token == inquiry.token.as_ref()
            && self.via == inquiry.via
            && self.environment == inquiry.environment.as_deref()
            && self.action == inquiry.action
            && self.server == inquiry.server.as_ref()
            && self.registry == inquiry.registry.as_ref()
            && self.tool
                == inquiry
                    .tool
                    .as_ref()
                    .map(|(name, annotations)| (&**name, *annotations))
    }
}

#[cfg(test)]
mod tests {
    use std::hash::{BuildHasher, RandomState};

    use portreeve_core::id::UserId;

    use super::*;

    /// Without this the cache would work, and never hit.
    #[test]
    fn an_inquiry_hashes_like_what_was_asked() {
        let server = "com.acme/billing".parse().unwrap();
        let annotations = ToolAnnotations::default();
        let tool = Target::Tool {
            server: &server,
            tool: "list",
            annotations: &annotations,
            arguments: None,
        };
        let mut caller = Caller::acting_for(Principal::User(UserId::LOCAL_ADMIN), "user:admin");
        caller.groups = Arc::from(["interns".parse().unwrap()]);
        let hasher = RandomState::new();
        for target in [Target::Installation, Target::Server(&server), tool] {
            for environment in [None, Some("test")] {
                let asked = Inquired::new((&caller, environment), Action::CallTool, &target);
                let inquiry = asked.to_owned(&caller);
                assert!(asked.equivalent(&inquiry));
                let elsewhere = Inquired::new((&caller, Some("other")), Action::CallTool, &target);
                assert!(!elsewhere.equivalent(&inquiry));
                assert_eq!(hasher.hash_one(asked), hasher.hash_one(inquiry));
            }
        }
    }
}
