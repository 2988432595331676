//! Every rule that is in force, and what they say to a question.
//!
//! Few rules can apply to a question: they are found by action, by what the principal must be or be in, and by what the
//! resource must be or be in. Those in plain words are judged here, and Cedar is asked the others.

use std::collections::HashMap;
use std::sync::Arc;

use cedar_policy::{Decision as Answer, Effect, PolicySet};
use portreeve_core::access_policy::AccessPolicy;
use portreeve_core::decision::{Action, Target};
use portreeve_core::name::PolicyName;
use quick_cache::sync::Cache;

use super::Engine;
use super::arguments::Arguments;
use super::index::By;
use super::scene::{self, Scene};
use super::text::{Rule, TextProblem};
use super::vocabulary::Asker;
use crate::facts::Facts;

/// Sets of policies kept at once: questions that differ in their tool alone share one.
const KEPT_SETS: usize = 4_096;

/// What the rules say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Said {
    /// A rule forbids. Their names.
    Forbid(Vec<Arc<str>>),
    /// Rules permit, and none forbids.
    Permit(Vec<Arc<str>>),
    /// No rule says anything.
    Nothing,
}

/// What is said with arguments at hand, and whether it depends on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked<'a> {
    /// Whether there is a call that may be made.
    AnyCall,
    /// This call. `None`: its arguments cannot be read.
    ThisCall(Option<&'a Arguments>),
}

/// Who judges.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Judge {
    /// This file where words are plain, else Cedar.
    Whoever,
    /// Cedar alone: whatever is said must be what it says.
    Cedar,
}

/// What rules in plain words say, and who is left to be asked.
#[derive(Default)]
struct Judged {
    forbids: Vec<Arc<str>>,
    permits: Vec<Arc<str>>,
    /// The places of the rules that Cedar is asked.
    rest: Vec<u32>,
}

/// The rules of one policy, or that there is none to be read.
pub(crate) type Compiled = Result<Vec<Arc<Rule>>, Vec<TextProblem>>;

/// Places of rules by what the principal, and then the resource, must be or be in.
type ByPrincipal = By<By<Vec<u32>>>;
/// Places of rules, and whether they are asked with their arguments.
type SetKey = (Box<[u32]>, bool);

/// The rules in force.
#[derive(Default)]
pub(crate) struct Rulebook {
    rules: Vec<Arc<Rule>>,
    index: HashMap<Action, ByPrincipal>,
    /// Policies that cannot be read any more. What they forbade nobody knows, so everything is forbidden.
    unreadable: Vec<Arc<str>>,
    sets: Option<Cache<SetKey, Arc<PolicySet>>>,
    compiled: HashMap<PolicyName, (String, Arc<Compiled>)>,
    reads_arguments: bool,
}

impl std::fmt::Debug for Rulebook {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Rulebook({} rules)", self.rules.len())
    }
}

// === impl Rulebook ===

impl Rulebook {
    /// The rules of the policies that are enabled. A text that did not change is not compiled again.
    pub(crate) fn new(engine: &Engine, policies: &[AccessPolicy], former: &Self) -> Self {
        let mut book = Self::default();
        for policy in policies.iter().filter(|policy| policy.enabled) {
            let had = former
                .compiled
                .get(&policy.name)
                .filter(|(text, _)| *text == policy.text);
            let compiled = match had {
                Some((_, compiled)) => Arc::clone(compiled),
                None => Arc::new(engine.rules(policy.name.as_str(), &policy.text)),
            };
            match &*compiled {
                Ok(rules) => rules.iter().for_each(|rule| book.add(Arc::clone(rule))),
                Err(problems) => {
                    tracing::error!(policy = %policy.name, ?problems, "An access policy cannot be read, so everything it could be about is forbidden");
                    book.unreadable.push(format!("policy:{}", policy.name).into());
                }
            }
            book.compiled
                .insert(policy.name.clone(), (policy.text.clone(), compiled));
        }
        book.sets = (!book.rules.is_empty()).then(|| Cache::new(KEPT_SETS));
        book
    }

    /// The rules of one text, as if nothing else were in force.
    pub(crate) fn of_rules(rules: &[Arc<Rule>]) -> Self {
        let mut book = Self::default();
        rules.iter().for_each(|rule| book.add(Arc::clone(rule)));
        book
    }

    fn add(&mut self, rule: Arc<Rule>) {
        let place = u32::try_from(self.rules.len()).unwrap_or(u32::MAX);
        self.reads_arguments |= rule.reads_arguments;
        for action in &rule.actions {
            self.index
                .entry(*action)
                .or_default()
                .entry(rule.principal.as_ref())
                .entry(rule.resource.as_ref())
                .push(place);
        }
        self.rules.push(rule);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.rules.is_empty() && self.unreadable.is_empty()
    }

    /// Whether any rule could be about an action.
    pub(crate) fn is_about(&self, action: Action) -> bool {
        // Who may not know of a server neither reads it nor calls its tools.
        let follows = matches!(action, Action::Read | Action::CallTool);
        !self.unreadable.is_empty()
            || self.index.contains_key(&action)
            || (follows && self.index.contains_key(&Action::Discover))
    }

    /// Whether any rule reads arguments.
    pub(crate) fn reads_arguments(&self) -> bool {
        self.reads_arguments
    }

    /// What the rules say, and whether it depends on the arguments of a call.
    pub(crate) fn ask(
        &self,
        engine: &Engine,
        (asker, facts): (&Asker<'_>, &Facts),
        (action, target): (Action, &Target<'_>),
        asked: Asked<'_>,
    ) -> (Said, bool) {
        let asked = (asked, Judge::Whoever);
        self.ask_of(engine, (asker, facts), (action, target), asked)
    }

    /// The same, with a choice of who judges.
    pub(super) fn ask_of(
        &self,
        engine: &Engine,
        (asker, facts): (&Asker<'_>, &Facts),
        (action, target): (Action, &Target<'_>),
        (asked, judge): (Asked<'_>, Judge),
    ) -> (Said, bool) {
        if !self.unreadable.is_empty() && !matches!(action, Action::Manage | Action::Audit) {
            return (Said::Forbid(self.unreadable.clone()), false);
        }
        if self.rules.is_empty() || !self.index.contains_key(&action) {
            return (Said::Nothing, false);
        }
        let Some(scene) = Scene::of_rules((asker, facts), action, target) else {
            return (Said::Nothing, false);
        };
        let found = self.find(&scene);
        if found.is_empty() {
            return (Said::Nothing, false);
        }
        let depends = self.at(&found).any(|rule| rule.reads_arguments);
        if depends && asked == Asked::ThisCall(None) {
            let readers = self.at(&found).filter(|rule| rule.reads_arguments);
            return (
                Said::Forbid(readers.map(|rule| Arc::clone(&rule.name)).collect()),
                true,
            );
        }
        let in_full = asked != Asked::AnyCall || !depends;
        let plainly = match judge {
            Judge::Whoever => self.judge(&found, in_full, &scene),
            Judge::Cedar => None,
        };
        // Where a plain rule fails, Cedar is asked everything: it fails there, too.
        let mut judged = plainly.unwrap_or_else(|| Judged {
            rest: found.clone(),
            ..Judged::default()
        });
        // Most questions end here: what Cedar needs is made for the others alone.
        if !judged.rest.is_empty() {
            let set = self.set(&judged.rest, in_full);
            if !by_cedar(engine, (asker, &scene), (target, asked), &set, &mut judged) {
                let names = self.at(&found).map(|rule| Arc::clone(&rule.name));
                return (Said::Forbid(names.collect()), depends);
            }
        }
        (judged.said(), depends)
    }

    fn at<'a>(&'a self, places: &'a [u32]) -> impl Iterator<Item = &'a Arc<Rule>> {
        let rule = move |place: &u32| self.rules.get(*place as usize);
        places.iter().filter_map(rule)
    }

    /// `None`: a rule fails.
    fn judge(&self, found: &[u32], in_full: bool, scene: &Scene<'_>) -> Option<Judged> {
        let mut judged = Judged::default();
        for place in found {
            let rule = self.rules.get(*place as usize)?;
            let Some(wording) = rule.wording(in_full) else {
                continue;
            };
            match &wording.plain {
                None => judged.rest.push(*place),
                Some(plain) if plain.holds(scene).ok()? => judged.add(rule.effect, Arc::clone(&rule.name)),
                Some(_) => {}
            }
        }
        Some(judged)
    }

    /// Whether a rule of that effect could be about somebody and an action, whatever it is done to.
    pub(crate) fn speaks_of(&self, asker: &Asker<'_>, (action, effect): (Action, Effect)) -> bool {
        if effect == Effect::Forbid && !self.unreadable.is_empty() {
            return true;
        }
        let Some(by_principal) = self.index.get(&action) else {
            return false;
        };
        let is_such = |place: &u32| {
            let rule = self.rules.get(*place as usize);
            rule.is_some_and(|rule| rule.effect == effect)
        };
        by_principal
            .about(scene::principals(asker))
            .flat_map(By::values)
            .flatten()
            .any(is_such)
    }

    /// The places of the rules that can say something, in their order.
    fn find(&self, scene: &Scene<'_>) -> Vec<u32> {
        let mut found = Vec::new();
        let Some(by_principal) = self.index.get(&scene.action) else {
            return found;
        };
        for by_resource in by_principal.about(scene.principals()) {
            by_resource
                .about(scene.resources())
                .for_each(|places| found.extend(places));
        }
        found.sort_unstable();
        found.dedup();
        found
    }

    fn set(&self, found: &[u32], in_full: bool) -> Arc<PolicySet> {
        let key: SetKey = (found.into(), in_full);
        if let Some(set) = self.sets.as_ref().and_then(|sets| sets.get(&key)) {
            return set;
        }
        let mut set = PolicySet::new();
        for wording in self.at(found).filter_map(|rule| rule.wording(in_full)) {
            super::compile::add(&mut set, wording.policy.clone());
        }
        let set = Arc::new(set);
        if let Some(sets) = &self.sets {
            sets.insert(key, Arc::clone(&set));
        }
        set
    }

    /// A rule by the name that decisions give it.
    pub(crate) fn rule(&self, name: &str) -> Option<&Arc<Rule>> {
        self.rules.iter().find(|rule| *rule.name == *name)
    }

    /// Whether a forbid of this name is what an answer rests on.
    pub(crate) fn forbids(&self, name: &str) -> bool {
        self.unreadable.iter().any(|one| **one == *name)
            || self.rule(name).is_some_and(|rule| rule.effect == Effect::Forbid)
    }
}

/// Asks Cedar a set of rules, and notes what it says. `false`: it fails.
fn by_cedar(
    engine: &Engine,
    (asker, scene): (&Asker<'_>, &Scene<'_>),
    (target, asked): (&Target<'_>, Asked<'_>),
    set: &PolicySet,
    judged: &mut Judged,
) -> bool {
    let arguments = match asked {
        Asked::ThisCall(arguments) => arguments,
        Asked::AnyCall => None,
    };
    let action = scene.action;
    let about = engine.text.about(scene);
    let put = about.and_then(|about| engine.text.put((asker, &about), action, target, arguments));
    let Some(put) = put else {
        tracing::error!(
            action = action.as_str(),
            "Cedar does not take a question, so the answer is no"
        );
        return false;
    };
    let response = engine.authorizer.is_authorized(&put.request, set, &put.entities);
    // Cedar skips a policy that fails. A forbid must not be lost that way, so any failure denies.
    if let Some(error) = response.diagnostics().errors().next() {
        tracing::error!(action = action.as_str(), %error, "An access policy failed, so the answer is no");
        return false;
    }
    // What it names are forbids where it denies, else permits.
    let effect = match response.decision() {
        Answer::Allow => Effect::Permit,
        Answer::Deny => Effect::Forbid,
    };
    for id in response.diagnostics().reason() {
        judged.add(effect, Arc::from(AsRef::<str>::as_ref(id)));
    }
    true
}

// === impl Judged ===

impl Judged {
    fn add(&mut self, effect: Effect, name: Arc<str>) {
        match effect {
            Effect::Forbid => self.forbids.push(name),
            Effect::Permit => self.permits.push(name),
        }
    }

    fn said(mut self) -> Said {
        self.forbids.sort_unstable();
        self.permits.sort_unstable();
        match (self.forbids.is_empty(), self.permits.is_empty()) {
            (false, _) => Said::Forbid(self.forbids),
            (true, false) => Said::Permit(self.permits),
            (true, true) => Said::Nothing,
        }
    }
}
