//! What a rule looks at: which of its clauses read arguments, and which attributes and arguments they name.
//!
//! Lists ask whether there is a call at all that somebody may make. They are answered by the same rule without the
//! clauses that read arguments.

use serde_json::{Map, Value};

use super::vocabulary::OF_ARGUMENTS;

/// One thing that a rule looks at.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Read {
    /// `principal.name`, `resource.read_only`, `context.via`.
    Attribute {
        /// `principal`, `resource` or `context`.
        of: String,
        /// Which.
        name: String,
    },
    /// An argument of the call: its kind, and its path if the rule writes it down.
    Argument {
        /// `text`, `number`, `decimal`, `flag`, `list` or `given`.
        kind: String,
        /// `customer.id`.
        path: Option<String>,
    },
}

/// What was found in the conditions of a rule.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) reads: Vec<Read>,
    /// Whether the context is used as a whole, so that nobody can say what is read of it.
    pub(crate) whole_context: bool,
}

impl Found {
    pub(crate) fn reads_arguments(&self) -> bool {
        let is_argument = |read: &Read| matches!(read, Read::Argument { .. });
        self.whole_context || self.reads.iter().any(is_argument)
    }
}

/// Looks through an expression of Cedar's JSON form.
pub(crate) fn look(expression: &Value) -> Found {
    let mut found = Found::default();
    walk(expression, &mut found);
    found.reads.sort();
    found.reads.dedup();
    found
}

fn walk(value: &Value, found: &mut Found) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| walk(item, found)),
        Value::Object(fields) => {
            // The fields of a record are called as its writer likes: `Value`, or `Var`. They are no operators.
            if let (1, Some(Value::Object(record))) = (fields.len(), fields.get("Record")) {
                record.values().for_each(|field| walk(field, found));
                return;
            }
            if fields.get("Var").is_some_and(|var| var == "context") {
                found.whole_context = true;
                return;
            }
            // A literal is no expression, whatever its text looks like.
            if fields.len() == 1 && fields.contains_key("Value") {
                return;
            }
            if let Some(rest) = named(fields, found) {
                walk(rest, found);
                return;
            }
            fields.values().for_each(|field| walk(field, found));
        }
        _ => {}
    }
}

/// Notes what a field of a variable, or a tag of one, is; returns what is left to look at.
fn named<'a>(fields: &'a Map<String, Value>, found: &mut Found) -> Option<&'a Value> {
    for access in [".", "has"] {
        let Some((variable, name)) = fields.get(access).and_then(attribute) else {
            continue;
        };
        let (of, name) = (variable.to_owned(), name.to_owned());
        found.reads.push(match OF_ARGUMENTS.contains(&&*name) {
            true if of == "context" => Read::Argument {
                kind: name,
                path: None,
            },
            _ => Read::Attribute { of, name },
        });
        return Some(&Value::Null);
    }
    for access in ["getTag", "hasTag"] {
        let Some(tag) = fields.get(access) else { continue };
        let of = tag.get("left").and_then(|left| attribute(left.get(".")?));
        let path = tag
            .get("right")
            .and_then(|right| right.get("Value"))
            .and_then(Value::as_str);
        if let (Some(("context", kind)), Some(path)) = (of, path) {
            let (kind, path) = (kind.to_owned(), Some(path.to_owned()));
            found.reads.push(Read::Argument { kind, path });
            return Some(&Value::Null);
        }
    }
    given(fields, found)
}

/// `context.given.contains("to")`.
fn given<'a>(fields: &'a Map<String, Value>, found: &mut Found) -> Option<&'a Value> {
    let call = fields.get("contains")?;
    let of = call.get("left").and_then(|left| attribute(left.get(".")?));
    let path = call.get("right")?.get("Value")?.as_str()?;
    if of != Some(("context", "given")) {
        return None;
    }
    found.reads.push(Read::Argument {
        kind: "given".to_owned(),
        path: Some(path.to_owned()),
    });
    Some(&Value::Null)
}

/// The variable and the name in the body of `.` or `has`.
fn attribute(body: &Value) -> Option<(&str, &str)> {
    let variable = body.get("left")?.get("Var")?.as_str()?;
    Some((variable, body.get("attr")?.as_str()?))
}

/// The same policy without the clauses that read arguments: of a `when` those that are joined by `&&`, of an `unless`
/// those joined by `||`.
pub(crate) fn without_arguments(policy: &Value) -> Value {
    let mut policy = policy.clone();
    if let Some(conditions) = policy.get_mut("conditions").and_then(Value::as_array_mut) {
        *conditions = conditions.iter().filter_map(condition).collect();
    }
    policy
}

fn condition(condition: &Value) -> Option<Value> {
    let kind = condition.get("kind")?;
    let operator = if kind == "when" { "&&" } else { "||" };
    let mut clauses = Vec::new();
    flatten(condition.get("body")?, operator, &mut clauses);
    let kept = clauses
        .into_iter()
        .filter(|clause| !look(clause).reads_arguments());
    let body = kept
        .cloned()
        .reduce(|left, right| serde_json::json!({ operator: { "left": left, "right": right } }))?;
    Some(serde_json::json!({ "kind": kind, "body": body }))
}

fn flatten<'a>(expression: &'a Value, operator: &str, clauses: &mut Vec<&'a Value>) {
    match expression.get(operator) {
        Some(both) => {
            for side in ["left", "right"] {
                if let Some(side) = both.get(side) {
                    flatten(side, operator, clauses);
                }
            }
        }
        None => clauses.push(expression),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_record_hides_nothing_behind_the_names_of_its_fields() {
        let read = json!({ "getTag": {
            "left": { ".": { "left": { "Var": "context" }, "attr": "text" } },
            "right": { "Value": "to" },
        } });
        for name in ["Value", "Var", "Record", ".", "getTag"] {
            let record = json!({ "Record": { name: read } });
            let found = look(&json!({ ".": { "left": record, "attr": name } }));
            assert!(found.reads_arguments(), "{name}");
            let argument = Read::Argument {
                kind: "text".to_owned(),
                path: Some("to".to_owned()),
            };
            assert!(found.reads.contains(&argument) && !found.whole_context, "{name}");
        }
        // What is written down is no expression.
        let literal = json!({ "Value": { "Var": "context" } });
        assert!(!look(&literal).reads_arguments());
    }
}
