//! Policies as text become rules, or a list of everything that is wrong with them, as a compiler would say it.
//!
//! Before: somebody saves a text, or a snapshot holds one. After: `rulebook` finds the few rules that can say something
//! to a question.

use std::collections::HashSet;
use std::str::FromStr as _;
use std::sync::Arc;

use cedar_policy::{
    ActionConstraint, Effect, EntityUid, Policy, PolicyId, PolicySet, PrincipalConstraint,
    ResourceConstraint, ValidationMode,
};
use miette::Diagnostic;
use portreeve_core::decision::Action;
use serde::Serialize;

use super::plain::Plain;
use super::reads::{self, Found, Read};
use super::scene::{Name, name_of};
use super::{Engine, nesting};

/// The longest text of a policy, in bytes.
pub const MOST_POLICY_BYTES: usize = 64 * 1024;
/// The most rules in one text.
const MOST_RULES: usize = 100;

/// One thing that is wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TextProblem {
    /// The line, from 1.
    pub line: usize,
    /// The column, from 1, in characters.
    pub column: usize,
    /// What is wrong.
    pub problem: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// One rule of a policy.
#[derive(Debug)]
pub(crate) struct Rule {
    /// `policy:NAME` or `policy:NAME#id`.
    pub(crate) name: Arc<str>,
    pub(crate) effect: Effect,
    pub(super) actions: Vec<Action>,
    /// What the principal must be, or be in.
    pub(super) principal: Option<Name>,
    /// What the resource must be, or be in.
    pub(super) resource: Option<Name>,
    in_full: Wording,
    /// The same without what it reads of arguments, if it reads any. `None`: it says nothing then.
    without_arguments: Option<Wording>,
    pub(crate) reads: Vec<Read>,
    pub(crate) reads_arguments: bool,
}

/// A rule as Cedar reads it, and in plain words if it is simple enough.
#[derive(Debug)]
pub(super) struct Wording {
    pub(super) policy: Policy,
    pub(super) plain: Option<Plain>,
}

/// What policies speak of.
pub(crate) const SPOKEN_OF: [Action; 7] = [
    Action::Discover,
    Action::Read,
    Action::CallTool,
    Action::Publish,
    Action::View,
    Action::Approve,
    Action::Operate,
];

// === impl Rule ===

impl Rule {
    /// What is asked of it, with or without its arguments. `None`: it says nothing then.
    pub(super) fn wording(&self, in_full: bool) -> Option<&Wording> {
        if in_full || !self.reads_arguments {
            Some(&self.in_full)
        } else {
            self.without_arguments.as_ref()
        }
    }
}

// === impl Engine ===

impl Engine {
    /// The rules of a text. All problems at once.
    pub(crate) fn rules(&self, name: &str, text: &str) -> Result<Vec<Arc<Rule>>, Vec<TextProblem>> {
        if text.len() > MOST_POLICY_BYTES {
            let hint = "make several policies of it";
            return Err(vec![at_line(1, "the text has more than 64 KiB", hint)]);
        }
        if let Some(line) = nesting::too_deep(text) {
            let said =
                "the text is nested too deeply here: at most 32 levels, and 500 `&&` and `||` in a rule";
            return Err(vec![at_line(line, said, "make several rules of it")]);
        }
        let set = PolicySet::from_str(text).map_err(|errors| {
            let said = errors.iter().map(|error| problem(error, text, parse_hint(text)));
            let mut all: Vec<_> = said.collect();
            all.sort();
            all
        })?;
        let mut policies: Vec<(usize, Policy)> = set
            .policies()
            .map(|policy| (place_of(policy), policy.clone()))
            .collect();
        policies.sort_by_key(|(place, _)| *place);
        let mut problems = self.problems_of(&set, text);
        let lone = policies.len() == 1;
        let mut taken = HashSet::new();
        let mut rules = Vec::new();
        for (place, policy) in &policies {
            let line = line_of(text, *place);
            let id = match policy.annotation("id") {
                Some(id) => format!("policy:{name}#{id}"),
                None if lone => format!("policy:{name}"),
                None => format!("policy:{name}#{}", place + 1),
            };
            if policy.annotation("id").is_some_and(|id| !is_word(id)) {
                let said = "an `@id` has 1 to 60 letters, digits, `-`, `_` and `.`";
                problems.push(at_line(line, said, "decisions name the rule by it"));
            }
            if !taken.insert(id.clone()) {
                let said = format!("`{id}` is there twice");
                problems.push(at_line(line, said, "give each rule an `@id` of its own"));
            }
            match self.rule(&id, policy) {
                Ok(rule) => rules.push(Arc::new(rule)),
                Err((said, hint)) => problems.push(at_line(line, said, hint)),
            }
        }
        if problems.is_empty() {
            return Ok(rules);
        }
        problems.sort();
        problems.dedup();
        Err(problems)
    }

    /// What is wrong with a text as a whole, and what the strict validator says.
    fn problems_of(&self, set: &PolicySet, text: &str) -> Vec<TextProblem> {
        let mut problems = Vec::new();
        if set.templates().next().is_some() {
            let said = "the text has a slot such as `?principal`";
            problems.push(at_line(1, said, "name who and what is meant"));
        }
        let rules = set.policies().count();
        if rules == 0 && problems.is_empty() {
            let hint = "begin with `permit (` or `forbid (`";
            problems.push(at_line(1, "the text has no rule", hint));
        }
        if rules > MOST_RULES {
            let hint = "make several policies of it";
            problems.push(at_line(1, "the text has more than 100 rules", hint));
        }
        let result = self.text_validator.validate(set, ValidationMode::Strict);
        let errors = result.validation_errors();
        problems.extend(errors.map(|error| problem(error, text, hint_for(&error.to_string()))));
        let warnings = result.validation_warnings();
        problems.extend(warnings.map(|warning| problem(warning, text, hint_for(&warning.to_string()))));
        problems
    }

    pub(super) fn rule(&self, id: &str, policy: &Policy) -> Result<Rule, (String, &'static str)> {
        const FAULT: &str = "write it more simply";
        let json = policy.to_json().map_err(|error| (error.to_string(), FAULT))?;
        let Found { reads, whole_context } =
            reads::look(json.get("conditions").unwrap_or(&serde_json::Value::Null));
        if whole_context {
            let problem = "the context is used as a whole".to_owned();
            return Err((problem, "name what is meant of it: `context.via`"));
        }
        let reads_arguments = reads.iter().any(|read| matches!(read, Read::Argument { .. }));
        let effect = policy.effect();
        let principal = self.principal_of(policy)?;
        let resource = self.resource_of(policy)?;
        let policy = policy.new_id(PolicyId::new(id));
        let without_arguments = match (reads_arguments, effect) {
            (false, _) | (true, Effect::Forbid) => None,
            (true, Effect::Permit) => {
                let json = reads::without_arguments(&json);
                let conditions = json.get("conditions").cloned();
                let less = Policy::from_json(Some(PolicyId::new(id)), json)
                    .map_err(|error| (error.to_string(), FAULT))?;
                // Text is lighter to hand on than the tree that JSON becomes.
                let less = Policy::parse(Some(PolicyId::new(id)), less.to_string());
                let policy = less.map_err(|error| (error.to_string(), FAULT))?;
                let plain = Plain::of(&policy, conditions.as_ref());
                Some(Wording { policy, plain })
            }
        };
        let plain = Plain::of(&policy, json.get("conditions")).filter(|_| !reads_arguments);
        Ok(Rule {
            name: id.into(),
            effect,
            actions: actions_of(&policy.action_constraint()),
            principal: principal.as_ref().map(name_of),
            resource: resource.as_ref().map(name_of),
            in_full: Wording { policy, plain },
            without_arguments,
            reads,
            reads_arguments,
        })
    }

    /// What a rule's principal must be, or be in.
    fn principal_of(&self, policy: &Policy) -> Result<Option<EntityUid>, (String, &'static str)> {
        let (kind, uid) = match policy.principal_constraint() {
            PrincipalConstraint::Any => (None, None),
            PrincipalConstraint::Is(kind) => (Some(kind), None),
            PrincipalConstraint::Eq(uid) | PrincipalConstraint::In(uid) => {
                (Some(uid.type_name().clone()), Some(uid))
            }
            PrincipalConstraint::IsIn(kind, uid) => (Some(kind), Some(uid)),
        };
        if policy.effect() == Effect::Permit && kind.is_some_and(|kind| kind == self.text.anonymous) {
            return Err((
                "no policy opens anything to callers without a credential".to_owned(),
                "open the route itself: `portreeve route set NAME --anonymous on`",
            ));
        }
        Ok(uid)
    }

    /// What its resource must be, or be in.
    fn resource_of(&self, policy: &Policy) -> Result<Option<EntityUid>, (String, &'static str)> {
        let resource = match policy.resource_constraint() {
            ResourceConstraint::Any | ResourceConstraint::Is(_) => None,
            ResourceConstraint::Eq(uid) | ResourceConstraint::In(uid) | ResourceConstraint::IsIn(_, uid) => {
                Some(uid)
            }
        };
        match resource.as_ref().and_then(|uid| self.misspelt(uid)) {
            Some(named) => Err((
                format!("`{named}` can be no name here"),
                "names of servers and namespaces are written in lower case, tools as \"com.acme/billing/refund\"",
            )),
            None => Ok(resource),
        }
    }

    /// A name that can be none, because names here are in lower case.
    fn misspelt(&self, uid: &EntityUid) -> Option<String> {
        let kind = uid.type_name();
        let id: &str = uid.id().as_ref();
        let server = if *kind == self.text.tool {
            let end = id.match_indices('/').nth(1).map(|(end, _)| end);
            let Some(server) = end.and_then(|end| id.get(..end)) else {
                return Some(id.to_owned());
            };
            server
        } else if *kind == self.text.server || *kind == self.text.namespace {
            id
        } else {
            return None;
        };
        server
            .bytes()
            .any(|byte| byte.is_ascii_uppercase())
            .then(|| id.to_owned())
    }
}

fn at_line(line: usize, problem: impl Into<String>, hint: &str) -> TextProblem {
    TextProblem {
        line,
        column: 1,
        problem: problem.into(),
        hint: Some(hint.to_owned()),
    }
}

fn is_word(id: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=60).contains(&id.len()) && id.bytes().all(is_plain)
}

fn actions_of(constraint: &ActionConstraint) -> Vec<Action> {
    let named: Vec<&EntityUid> = match constraint {
        ActionConstraint::Any => return SPOKEN_OF.to_vec(),
        ActionConstraint::Eq(uid) => vec![uid],
        ActionConstraint::In(uids) => uids.iter().collect(),
    };
    let is_named = |word: &str| named.iter().any(|uid| AsRef::<str>::as_ref(uid.id()) == word);
    let of_use = [Action::Discover, Action::Read, Action::CallTool];
    SPOKEN_OF
        .into_iter()
        .filter(|action| is_named(action.as_str()) || (is_named("use") && of_use.contains(action)))
        .collect()
}

/// Cedar numbers the policies of a text in their order.
fn place_of(policy: &Policy) -> usize {
    let id: &str = policy.id().as_ref();
    id.strip_prefix("policy")
        .and_then(|number| number.parse().ok())
        .unwrap_or(0)
}

/// The line at which the rule at a place begins. Only for problems of a whole rule: strings with `permit` in them may
/// mislead it.
fn line_of(text: &str, place: usize) -> usize {
    let begins = |line: &&(usize, &str)| {
        let line = line.1.trim_start();
        line.starts_with("permit") || line.starts_with("forbid")
    };
    let lines: Vec<_> = text.lines().enumerate().collect();
    lines
        .iter()
        .filter(begins)
        .nth(place)
        .map_or(1, |(line, _)| line + 1)
}

fn problem(error: &(impl Diagnostic + ?Sized), text: &str, hint: Option<String>) -> TextProblem {
    let offset = error
        .labels()
        .and_then(|mut labels| labels.next().map(|label| label.offset()));
    let before = text.get(..offset.unwrap_or(0)).unwrap_or_default();
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    let message = error.to_string();
    // Cedar says `policy0`; people know the line.
    let message = match message.strip_prefix("for policy `") {
        Some(rest) => rest.split_once("`, ").map_or(&*message, |(_, said)| said),
        None => &message,
    };
    let help = error.help().map(|help| help.to_string());
    let hints: Vec<String> = help.into_iter().chain(hint).collect();
    TextProblem {
        line,
        column,
        problem: message.to_owned(),
        hint: (!hints.is_empty()).then(|| hints.join("; ")),
    }
}

fn parse_hint(text: &str) -> Option<String> {
    let closes = text.trim_end().ends_with(';');
    (!closes).then(|| "every rule ends with `;`".to_owned())
}

fn hint_for(problem: &str) -> Option<String> {
    let hint = if problem.contains("manage") || problem.contains("audit") {
        "`manage` and `audit` are given by grants alone, so that nobody locks everybody out"
    } else if problem.contains("tag") {
        "ask first whether the argument is there: `context.text.hasTag(\"to\") && context.text.getTag(\"to\") ...`"
    } else if problem.contains("unable to find an applicable action") || problem.contains("impossible") {
        "discover and read are about servers, call about tools, the others about servers, registries and the installation"
    } else if problem.contains("attribute") {
        "name the action (`action == Action::\"call\"`): arguments are of calls alone; `has` asks for what may be missing"
    } else if problem.contains("unrecognized action") || problem.contains("Action::") {
        "the actions are discover, read, call (together `use`), publish, view, approve, operate"
    } else {
        return None;
    };
    Some(hint.to_owned())
}
