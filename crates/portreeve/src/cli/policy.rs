//! `portreeve policy`: shows the policies of a route, and changes them one by one.
//!
//! A policy is a document with a `kind` and the fields of that kind. A route has one of each kind, unless somebody says
//! that another one stands beside it; the gateway checks the documents when they are saved.

use std::time::Duration;

use clap::{Args, Subcommand};
use serde_json::{Map, Value, json};

use super::connection::Connection;
use super::reply::{table, text};
use super::{Failure, Reply, duration, route};

/// `portreeve policy`
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum PolicyCommand {
    /// List the policies of a route, in the order in which they are asked
    List {
        /// The server's name, or the route's slug
        name: String,
    },
    /// Set a policy of a route; those of the same kind are replaced
    Set(SetArgs),
    /// Remove a policy from a route
    Remove {
        /// The server's name, or the route's slug
        name: String,
        /// The kind of policy
        kind: String,
    },
}

/// `portreeve policy set`
#[derive(Debug, Clone, Args)]
pub(crate) struct SetArgs {
    /// The server's name, or the route's slug
    name: String,
    /// The kind of policy, as in `rate_limit`
    kind: String,
    /// rate_limit: calls that each caller may make ...
    #[arg(long, value_name = "N", requires = "per")]
    calls: Option<u32>,
    /// rate_limit: ... in this time
    #[arg(long, value_name = "TIME", requires = "calls", value_parser = duration::parse)]
    per: Option<Duration>,
    /// The fields of any kind, as a JSON object
    #[arg(long, value_name = "JSON", conflicts_with_all = ["calls", "per"])]
    config: Option<String>,
    /// Keep those of the same kind: an API that asks for two credentials has two policies
    #[arg(long)]
    beside: bool,
}

pub(super) async fn run(connection: &Connection, command: PolicyCommand) -> Result<Reply, Failure> {
    match command {
        PolicyCommand::List { name } => {
            let body = route::find(connection, &name).await?.body;
            Ok(reply(&body))
        }
        PolicyCommand::Set(args) => {
            let policy = args.document()?;
            let set = |route: &Value| Ok(json!({ "policies": with(policies(route), policy, args.beside) }));
            let body = route::change(connection, &args.name, set).await?;
            Ok(reply(&body))
        }
        PolicyCommand::Remove { name, kind } => {
            let remove = |route: &Value| Ok(json!({ "policies": without(policies(route), &kind, &name)? }));
            let body = route::change(connection, &name, remove).await?;
            Ok(reply(&body))
        }
    }
}

impl SetArgs {
    /// The policy document that was asked for.
    fn document(&self) -> Result<Value, Failure> {
        let mut document = Map::new();
        document.insert("kind".to_owned(), json!(self.kind));
        if let (Some(calls), Some(per)) = (self.calls, self.per) {
            if self.kind != "rate_limit" {
                return Err(Failure::new(format!(
                    "--calls and --per belong to `rate_limit`, not to `{}`",
                    self.kind
                ))
                .hint("give the fields of another kind with --config '{...}'"));
            }
            if per.subsec_nanos() != 0 {
                return Err(Failure::new("--per takes whole seconds").hint("as in `--per 30s`"));
            }
            document.insert("calls".to_owned(), json!(calls));
            document.insert("per_seconds".to_owned(), json!(per.as_secs()));
        } else if let Some(config) = &self.config {
            let Ok(Value::Object(fields)) = serde_json::from_str(config) else {
                return Err(Failure::new("`--config` is not a JSON object")
                    .hint(r#"write it as in `--config '{"calls":5,"per_seconds":30}'`"#));
            };
            document.extend(fields.into_iter().filter(|(name, _)| name != "kind"));
        } else {
            return Err(Failure::new(format!("`{}` needs its fields", self.kind))
                .hint("for a rate limit: --calls 5 --per 30s; for any kind: --config '{...}'"));
        }
        Ok(Value::Object(document))
    }
}

fn policies(route: &Value) -> Vec<Value> {
    let policies = route.get("policies").and_then(Value::as_array);
    policies.cloned().unwrap_or_default()
}

/// The policy takes the place of the first of its kind, and the others go; or it stands after them.
fn with(mut policies: Vec<Value>, policy: Value, beside: bool) -> Vec<Value> {
    let kind = text(&policy, "kind");
    let is_same = |old: &Value| text(old, "kind") == kind;
    let place = policies.iter().position(is_same).filter(|_| !beside);
    if !beside {
        policies.retain(|old| !is_same(old));
    }
    policies.insert(place.unwrap_or(policies.len()), policy);
    policies
}

fn without(mut policies: Vec<Value>, kind: &str, name: &str) -> Result<Vec<Value>, Failure> {
    let before = policies.len();
    policies.retain(|policy| text(policy, "kind") != kind);
    if policies.len() == before {
        return Err(
            Failure::new(format!("the route of `{name}` has no policy of kind `{kind}`"))
                .hint(format!("see `portreeve policy list {name}`")),
        );
    }
    Ok(policies)
}

fn reply(route: &Value) -> Reply {
    let items: Vec<_> = policies(route).into_iter().map(named).collect();
    let shown = render(route);
    Reply::new(json!({ "items": items, "nextCursor": null }), shown)
}

/// A policy with the `name` that every item of a list has.
fn named(policy: Value) -> Value {
    let mut item = Map::new();
    item.insert("name".to_owned(), json!(text(&policy, "kind")));
    if let Value::Object(fields) = policy {
        item.extend(fields);
    }
    Value::Object(item)
}

/// The kinds of a route's policies, in order.
pub(super) fn kinds(route: &Value) -> String {
    let kinds = policies(route);
    let kinds: Vec<_> = kinds.iter().map(|policy| text(policy, "kind")).collect();
    kinds.join(", ")
}

/// The policies of a route as a table.
pub(super) fn render(route: &Value) -> String {
    let list = json!({ "items": policies(route) });
    table(
        &list,
        &[
            ("POLICY", |policy| text(policy, "kind")),
            ("CONFIGURATION", configuration),
        ],
        "No policies.",
    )
}

fn configuration(policy: &Value) -> String {
    let Some(fields) = policy.as_object() else {
        return String::new();
    };
    let fields = fields.iter().filter(|(name, _)| *name != "kind");
    let fields: Vec<_> = fields.map(|(name, value)| format!("{name} = {value}")).collect();
    fields.join(", ")
}
