//! The one place that decides. Before: the caller is known. After: list, call, portal and explanation agree, because
//! all of them asked here.

use std::sync::Arc;

use portreeve_core::caller::{Caller, Principal};
use portreeve_core::decision::{Action, Decision, Effect, Target};
use portreeve_core::name::{Environment, RegistryName, ServerName};
use portreeve_core::ports::Authorizer;
use portreeve_core::visibility::Visibility;
use quick_cache::Equivalent;

use crate::Access;
use crate::state::{Holder, Rights, State};

mod reasons;
mod rules;

pub(crate) use self::rules::{Inquiry, Kept};

/// What a decision depends on, besides the state it is cached in.
#[derive(PartialEq, Eq, Hash)]
pub(crate) struct Question {
    holder: Holder,
    action: Action,
    server: Option<ServerName>,
    registry: Option<RegistryName>,
    tool: Option<Arc<str>>,
    read_only: bool,
}

/// The same without owning it: a lookup allocates nothing. Fields and their order must be those of [`Question`],
/// because both must hash alike.
#[derive(Hash, Clone, Copy)]
struct Asked<'a> {
    holder: &'a Holder,
    action: Action,
    server: Option<&'a ServerName>,
    registry: Option<&'a RegistryName>,
    tool: Option<&'a str>,
    read_only: bool,
}

// === impl Access ===

impl Authorizer for Access {
    fn may(&self, caller: &Caller, action: Action, target: &Target<'_>) -> Arc<Decision> {
        self.decide_in(caller, (action, target), None)
    }

    fn may_in(
        &self,
        caller: &Caller,
        action: Action,
        target: &Target<'_>,
        environment: &Environment,
    ) -> Arc<Decision> {
        self.decide_in(caller, (action, target), Some(environment))
    }

    fn reasons(
        &self,
        caller: &Caller,
        action: Action,
        target: &Target<'_>,
        environment: Option<&Environment>,
    ) -> Vec<String> {
        self.reasons_of(caller, (action, target), environment)
    }

    fn reads_arguments(&self) -> bool {
        self.state.load().rulebook.reads_arguments()
    }

    fn visibility(&self, caller: &Caller) -> Visibility {
        let sees = self.may(caller, Action::View, &Target::Installation).is_permit();
        if sees && !self.hides_some(caller) {
            Visibility::All
        } else {
            Visibility::Listed
        }
    }

    fn views_some(&self, caller: &Caller) -> bool {
        let grants = self.live_grants(caller);
        grants.iter().any(|grant| grant.rights.includes(Action::View)) || self.shown_some_by_rules(caller)
    }

    fn hides_some(&self, caller: &Caller) -> bool {
        self.hidden_some_by_rules(caller)
    }

    fn policy_version(&self) -> u64 {
        self.current(self.parts.clock.now()).version
    }
}

impl Access {
    /// The answer, perhaps about what a route of an environment serves.
    pub(crate) fn decide_in(
        &self,
        caller: &Caller,
        (action, target): (Action, &Target<'_>),
        environment: Option<&Environment>,
    ) -> Arc<Decision> {
        let now = self.parts.clock.now();
        let state = self.current(now);
        let asked = (action, target);
        if caller.principal == Principal::Anonymous {
            return self.about_a_stranger(&state, caller, asked, environment);
        }
        if !state.is_live(caller, now) || self.has_ended(caller) {
            // Whoever is nobody any more is let in by an open route like a stranger: it is told what forbids strangers.
            return self.about_a_stranger(&state, &Caller::anonymous(), asked, environment);
        }
        match self.rules_about(&state, caller, action) {
            Some(asker) => {
                let asker = asker.within(environment);
                self.by_everything(&state, (caller, &asker), action, target)
            }
            None => self.by_rights(&state, caller, action, target),
        }
    }

    /// By grants, else because a group of the caller's owns the server.
    pub(crate) fn by_rights(
        &self,
        state: &State,
        caller: &Caller,
        action: Action,
        target: &Target<'_>,
    ) -> Arc<Decision> {
        let decision = self.by_grants(state, caller, action, target);
        // A decision by owner groups is not kept: it is cheap.
        if decision.is_permit() {
            return decision;
        }
        by_groups(state, caller, action, target).unwrap_or(decision)
    }

    /// By the caller's own grants, else by those of a group. A group is asked about itself, so that one answer does for
    /// all its members.
    fn by_grants(
        &self,
        state: &State,
        caller: &Caller,
        action: Action,
        target: &Target<'_>,
    ) -> Arc<Decision> {
        let mut refusal = None;
        for (holder, rights) in state.holders(caller) {
            let decision = self.of_holder(state, (&holder, rights), action, target);
            if decision.is_permit() {
                return decision;
            }
            refusal.get_or_insert(decision);
        }
        refusal.unwrap_or_else(|| self.engine.denied())
    }

    fn of_holder(
        &self,
        state: &State,
        (holder, rights): (&Holder, &Rights),
        action: Action,
        target: &Target<'_>,
    ) -> Arc<Decision> {
        let asked = Asked::new(holder, action, target);
        if let Some(decision) = state.decisions.get(&asked) {
            return decision;
        }
        let decision = self
            .engine
            .decide(&rights.slice, (holder, &state.facts), action, target);
        // An import of thousands of servers would leave as many answers that nobody asks for again.
        if !changes_something(action) || rights.slice.needs_cedar(target) {
            state.decisions.insert(asked.to_owned(), Arc::clone(&decision));
        }
        decision
    }
}

/// Whether it is asked about once for each change, which takes a thousand times as long as a decision in plain words.
const fn changes_something(action: Action) -> bool {
    match action {
        Action::Publish | Action::Approve | Action::Operate | Action::Manage => true,
        Action::Discover | Action::CallTool | Action::Read | Action::View | Action::Audit => false,
    }
}

/// Members of a group that owns a server may know of it, describe it and hand in its versions. They may neither approve
/// nor call anything for that.
fn by_groups(state: &State, caller: &Caller, action: Action, target: &Target<'_>) -> Option<Arc<Decision>> {
    let Target::Server(server) = target else {
        return None;
    };
    if !matches!(action, Action::Discover | Action::Publish) {
        return None;
    }
    let group = state.owning_group(caller, server)?;
    Some(Arc::new(Decision {
        effect: Effect::Permit,
        policies: Arc::from([Arc::from(format!("owner-group:{group}"))]),
    }))
}

// === impl Asked ===

impl<'a> Asked<'a> {
    fn new(holder: &'a Holder, action: Action, target: &Target<'a>) -> Self {
        let (server, registry, tool, read_only) = match *target {
            Target::Installation => (None, None, None, false),
            Target::Registry(registry) => (None, Some(registry), None, false),
            Target::Server(server) => (Some(server), None, None, false),
            Target::Tool {
                server,
                tool,
                annotations,
                ..
            } => (Some(server), None, Some(tool), annotations.read_only_hint),
        };
        Self {
            holder,
            action,
            server,
            registry,
            tool,
            read_only,
        }
    }

    fn to_owned(self) -> Question {
        Question {
            holder: self.holder.clone(),
            action: self.action,
            server: self.server.cloned(),
            registry: self.registry.cloned(),
            tool: self.tool.map(Arc::from),
            read_only: self.read_only,
        }
    }
}

impl Equivalent<Question> for Asked<'_> {
    fn equivalent(&self, question: &Question) -> bool {
        *self.holder == question.holder
            && self.action == question.action
            && self.server == question.server.as_ref()
            && self.registry == question.registry.as_ref()
            && self.tool == question.tool.as_deref()
            && self.read_only == question.read_only
    }
}

#[cfg(test)]
mod tests {
    use std::hash::{BuildHasher, RandomState};

    use portreeve_core::caller::Principal;
    use portreeve_core::id::UserId;
    use portreeve_core::tool::ToolAnnotations;

    use super::*;

    /// Without this the cache would work, and never hit.
    #[test]
    fn a_question_hashes_like_what_was_asked() {
        let server = "com.acme/billing".parse().unwrap();
        let target = Target::Tool {
            server: &server,
            tool: "list",
            annotations: &ToolAnnotations::default(),
            arguments: None,
        };
        let hasher = RandomState::new();
        for target in [Target::Installation, Target::Server(&server), target] {
            let holder = Holder::Principal(Principal::User(UserId::LOCAL_ADMIN));
            let asked = Asked::new(&holder, Action::CallTool, &target);
            let question = asked.to_owned();
            assert!(asked.equivalent(&question));
            assert_eq!(hasher.hash_one(asked), hasher.hash_one(question));
        }
    }
}
