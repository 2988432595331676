//! What is different between the resources and prompts of two documents: what `diff.rs` says of tools.

use std::collections::BTreeMap;

use portreeve_core::rest::{Bindings, Prompt, Resource};

use super::diff::{Change, ChangeKind};

/// Compares what is offered beside tools. What matters most comes first.
pub fn compare_offers(before: &Bindings, after: &Bindings) -> Vec<Change> {
    let mut changes = Vec::new();
    each(&before.resources, &after.resources, &mut changes, resource);
    each(&before.prompts, &after.prompts, &mut changes, prompt);
    changes.sort_by(|one, other| (one.kind, &one.tool).cmp(&(other.kind, &other.tool)));
    changes
}

fn each<T: PartialEq>(
    before: &BTreeMap<String, T>,
    after: &BTreeMap<String, T>,
    changes: &mut Vec<Change>,
    tell: impl Fn(&str, Option<&T>, Option<&T>) -> Change,
) {
    for (name, old) in before {
        let new = after.get(name);
        if new != Some(old) {
            changes.push(tell(name, Some(old), new));
        }
    }
    for (name, new) in after.iter().filter(|(name, _)| !before.contains_key(*name)) {
        changes.push(tell(name, None, Some(new)));
    }
}

fn resource(name: &str, old: Option<&Resource>, new: Option<&Resource>) -> Change {
    let uri = |one: Option<&Resource>| one.map(|one| one.uri.clone()).unwrap_or_default();
    let (kind, detail) = match (old, new) {
        (Some(_), None) => (
            ChangeKind::Removed,
            format!("the resource `{}` is gone", uri(old)),
        ),
        (None, _) => (
            ChangeKind::Added,
            format!("it is the resource `{}` now", uri(new)),
        ),
        (Some(was), Some(is)) if was.uri != is.uri => (
            ChangeKind::Breaking,
            format!("the resource `{}` is `{}` now", was.uri, is.uri),
        ),
        (Some(was), Some(is)) if was.variables != is.variables || was.binding != is.binding => (
            ChangeKind::Breaking,
            format!("the resource `{}` is read in another way", is.uri),
        ),
        _ => (
            ChangeKind::Harmless,
            format!("the resource `{}` is described differently", uri(new)),
        ),
    };
    change(name, "resource", kind, detail)
}

fn prompt(name: &str, old: Option<&Prompt>, new: Option<&Prompt>) -> Change {
    let (kind, detail) = match (old, new) {
        (Some(_), None) => (ChangeKind::Removed, "the prompt is gone".to_owned()),
        (None, _) => (ChangeKind::Added, "the prompt is new".to_owned()),
        (Some(was), Some(is)) => {
            let asked = |prompt: &Prompt, name: &str| {
                prompt
                    .arguments
                    .iter()
                    .any(|argument| argument.required && argument.name == name)
            };
            let newly = is
                .arguments
                .iter()
                .find(|argument| argument.required && !asked(was, &argument.name));
            match newly {
                Some(argument) => (
                    ChangeKind::Breaking,
                    format!("the prompt needs its argument `{}` now", argument.name),
                ),
                None => (ChangeKind::Harmless, "the prompt reads differently".to_owned()),
            }
        }
    };
    change(name, "prompt", kind, detail)
}

fn change(name: &str, what: &str, kind: ChangeKind, detail: String) -> Change {
    Change {
        tool: name.to_owned(),
        operation: what.to_owned(),
        kind,
        details: vec![detail],
    }
}
