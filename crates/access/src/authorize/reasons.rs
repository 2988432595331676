//! Which access policies decide a question, what they look at and what they find there, in words.

use portreeve_core::caller::Caller;
use portreeve_core::decision::{Action, Target};
use portreeve_core::name::Environment;

use crate::Access;
use crate::policies::{Arguments, Asker, Read, Rule};

/// The most characters of a value that is shown.
const SHOWN: usize = 100;

impl Access {
    /// One sentence for each rule that decides, and what would have to change where one forbids.
    pub(crate) fn reasons_of(
        &self,
        caller: &Caller,
        (action, target): (Action, &Target<'_>),
        environment: Option<&Environment>,
    ) -> Vec<String> {
        let decision = self.decide_in(caller, (action, target), environment);
        let state = self.state.load();
        let Some(asker) = Asker::of(caller) else {
            return Vec::new();
        };
        let asker = asker.within(environment);
        let arguments = match target {
            Target::Tool {
                arguments: Some(raw), ..
            } => Arguments::read(raw),
            _ => None,
        };
        let mut sentences = Vec::new();
        for name in decision.policies.iter() {
            let verb = if state.rulebook.forbids(name) {
                "forbids"
            } else {
                "permits"
            };
            let Some(rule) = state.rulebook.rule(name) else {
                if state.rulebook.forbids(name) {
                    sentences.push(format!(
                        "`{name}` cannot be read any more: save it anew, or disable it"
                    ));
                }
                continue;
            };
            sentences.push(format!(
                "`{name}` {verb}: {}",
                looks_at(rule, &asker, target, arguments.as_ref())
            ));
            if verb == "forbids" {
                let other = if rule.reads_arguments {
                    "other arguments, or"
                } else {
                    "no grant outweighs it:"
                };
                sentences.push(format!("{other} a change of `{name}`, would be needed"));
            }
        }
        sentences
    }
}

fn looks_at(rule: &Rule, asker: &Asker<'_>, target: &Target<'_>, arguments: Option<&Arguments>) -> String {
    if rule.reads.is_empty() {
        return "its scope fits, and it asks for nothing else".to_owned();
    }
    let shown: Vec<String> = rule
        .reads
        .iter()
        .map(|read| match read {
            Read::Attribute { of, name } => {
                let value = attribute(of, name, asker, target);
                format!(
                    "`{of}.{name}` is {}",
                    value.unwrap_or_else(|| "not there".to_owned())
                )
            }
            Read::Argument { kind, path: None } => format!("it looks at `context.{kind}`"),
            Read::Argument {
                kind,
                path: Some(path),
            } => {
                let value = arguments.and_then(|arguments| arguments.shown(kind, path));
                let value = match (value, arguments) {
                    (Some(value), _) => value.chars().take(SHOWN).collect(),
                    (None, Some(_)) => "not there".to_owned(),
                    (None, None) => "not known: no arguments were said".to_owned(),
                };
                format!("argument `{path}` ({kind}) is {value}")
            }
        })
        .collect();
    shown.join(", ")
}

fn attribute(of: &str, name: &str, asker: &Asker<'_>, target: &Target<'_>) -> Option<String> {
    let quoted = |text: &str| Some(format!("{text:?}"));
    let (server, tool) = match target {
        Target::Tool {
            server,
            tool,
            annotations,
            ..
        } => (Some(*server), Some((*tool, *annotations))),
        Target::Server(server) => (Some(*server), None),
        _ => (None, None),
    };
    match (of, name) {
        ("principal", "name") => quoted(asker.name),
        ("context", "via") => quoted(asker.via.as_str()),
        ("context", "client") => quoted(asker.client?),
        ("context", "environment") => quoted(asker.environment?),
        ("resource", "name") => quoted(&tool.map_or_else(
            || server.map(ToString::to_string).unwrap_or_default(),
            |(tool, _)| tool.to_owned(),
        )),
        ("resource", "server") => quoted(server?.as_str()),
        ("resource", "namespace") => quoted(server?.namespace()),
        ("resource", "read_only") => Some(tool?.1.read_only_hint.to_string()),
        ("resource", "destructive") => Some(tool?.1.destructive_hint.to_string()),
        ("resource", "idempotent") => Some(tool?.1.idempotent_hint.to_string()),
        ("resource", "open_world") => Some(tool?.1.open_world_hint.to_string()),
        _ => None,
    }
}
