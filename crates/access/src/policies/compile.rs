//! Compiles simple grants to Cedar policies, one policy `grant:<id>` per grant. Before: grants as they are stored.
//! After: a [`Slice`] that the engine asks, by itself or through Cedar.
//!
//! Policies are built as Cedar's JSON form, never as text, so that no name can end a string and start a policy.

use std::collections::HashMap;
use std::sync::Arc;

use cedar_policy::{EntityUid, Policy, PolicyId, PolicySet, ValidationMode};
use portreeve_core::caller::Principal;
use portreeve_core::decision::Action;
use portreeve_core::grant::{Grant, Rights, ServerScope, ToolScope};
use serde_json::{Value, json};

use super::plain::Plain;
use super::scene::folded;
use super::{Engine, Granted, SYSTEM_POLICY, Slice};
use crate::state::Holder;

/// One grant as Cedar reads it, and in plain words.
struct CompiledGrant {
    name: Arc<str>,
    policy: Policy,
    plain: Option<Arc<Plain>>,
}

// === impl Granted ===

impl Granted {
    fn take(&mut self, one: CompiledGrant) {
        // What Cedar would not be asked permits nothing in plain words either.
        if !add(&mut self.set, one.policy) {
            return;
        }
        match one.plain {
            Some(plain) => self.plain.push((one.name, plain)),
            None => self.needs_cedar = true,
        }
    }
}

// === impl Engine ===

impl Engine {
    /// The policies about one holder. A grant that does not compile permits nothing, and the log says so.
    pub(crate) fn compile<'a>(&self, holder: &Holder, grants: impl IntoIterator<Item = &'a Grant>) -> Slice {
        let mut slice = Slice::default();
        let mut narrow: HashMap<String, Vec<CompiledGrant>> = HashMap::new();
        for grant in grants {
            let id = format!("grant:{}", grant.id);
            let Some(one) = self.valid(&id, self.policy_of(holder, grant)) else {
                continue;
            };
            match &grant.servers {
                ServerScope::Server(name) => {
                    narrow.entry(folded(name).into_owned()).or_default().push(one);
                }
                _ => slice.everywhere.take(one),
            }
        }
        for (server, all) in narrow {
            let mut there = slice.everywhere.clone();
            for one in all {
                there.take(one);
            }
            slice.servers.insert(server, there);
        }
        slice
    }

    /// The policy by which Portreeve itself may manage.
    pub(crate) fn compile_system(&self) -> Slice {
        let mut slice = Slice::default();
        if let Some(one) = self.valid(
            SYSTEM_POLICY,
            self.management_policy(
                &Holder::Principal(Principal::System),
                Rights::Manage.on_the_management_side(),
                &ServerScope::All,
            ),
        ) {
            slice.everywhere.take(one);
        }
        slice
    }

    /// A policy that the schema's validator accepts.
    fn valid(&self, id: &str, json: Option<Value>) -> Option<CompiledGrant> {
        let validate = || {
            let json = json.ok_or("its subject has no policies")?;
            let conditions = json.get("conditions").cloned();
            let policy =
                Policy::from_json(Some(PolicyId::new(id)), json).map_err(|error| error.to_string())?;
            let alone = PolicySet::from_policies([policy.clone()]).map_err(|error| error.to_string())?;
            let result = self.validator.validate(&alone, ValidationMode::Strict);
            match result.validation_errors().next() {
                Some(error) => Err(error.to_string()),
                None => Ok(CompiledGrant {
                    name: id.into(),
                    plain: Plain::of(&policy, conditions.as_ref()).map(Arc::new),
                    policy,
                }),
            }
        };
        validate()
            .inspect_err(|problem| {
                tracing::error!(policy = id, problem, "A policy is not in force: it is not valid");
            })
            .ok()
    }

    fn policy_of(&self, holder: &Holder, grant: &Grant) -> Option<Value> {
        match grant.rights {
            Rights::Use => self.use_policy(holder, &grant.servers, &grant.tools),
            rights => self.management_policy(holder, rights.on_the_management_side(), &grant.servers),
        }
    }

    /// A group's policies are about everybody in it.
    fn principal_is(&self, holder: &Holder) -> Option<Value> {
        let op = match holder {
            Holder::Principal(_) => "==",
            Holder::Group(_) => "in",
        };
        Some(json!({ "op": op, "entity": entity(&self.words.holder(holder)?) }))
    }

    fn scope(&self, servers: &ServerScope) -> EntityUid {
        match servers {
            ServerScope::All => self.words.installation.clone(),
            ServerScope::Server(name) => self.words.server(name),
            ServerScope::Namespace(pattern) => self.words.namespace(pattern),
            ServerScope::Owner(group) => self.words.owner(group),
            ServerScope::Registry(name) => self.words.registry(name),
        }
    }

    fn management_policy(&self, holder: &Holder, actions: &[Action], servers: &ServerScope) -> Option<Value> {
        let actions: Vec<Value> = actions
            .iter()
            .map(|action| entity(&self.words.action(*action)))
            .collect();
        Some(json!({
            "effect": "permit",
            "principal": self.principal_is(holder)?,
            "action": { "op": "in", "entities": actions },
            "resource": { "op": "in", "entity": entity(&self.scope(servers)) },
            "conditions": [],
        }))
    }

    fn use_policy(&self, holder: &Holder, servers: &ServerScope, tools: &ToolScope) -> Option<Value> {
        let scope = self.scope(servers);
        let mut actions = vec![Action::Discover, Action::CallTool];
        if !matches!(tools, ToolScope::Named(_)) {
            actions.push(Action::Read);
        }
        let actions: Vec<Value> = actions
            .into_iter()
            .map(|action| entity(&self.words.action(action)))
            .collect();
        Some(json!({
            "effect": "permit",
            "principal": self.principal_is(holder)?,
            "action": { "op": "in", "entities": actions },
            "resource": { "op": "in", "entity": entity(&scope) },
            "conditions": conditions(tools),
        }))
    }
}

/// Adds a policy, and says whether it is in force. A set refuses only an identity it has already.
pub(super) fn add(set: &mut PolicySet, policy: Policy) -> bool {
    set.add(policy)
        .inspect_err(|error| {
            tracing::error!(%error, "A policy is not in force: its identity is not its own");
        })
        .is_ok()
}

/// What must hold of a tool. A server has no attributes: it passes.
fn conditions(tools: &ToolScope) -> Value {
    let is_server = json!({ "is": { "left": { "Var": "resource" }, "entity_type": "Server" } });
    let attribute = |name: &str| json!({ ".": { "left": { "Var": "resource" }, "attr": name } });
    let body = match tools {
        ToolScope::All => return json!([]),
        ToolScope::ReadOnly => json!({ "||": { "left": is_server, "right": attribute("read_only") } }),
        // Strict validation knows no type for an empty set; no name matches, so only the server is left.
        ToolScope::Named(names) if names.is_empty() => is_server,
        ToolScope::Named(names) => {
            let names: Vec<Value> = names.iter().map(|name| json!({ "Value": name })).collect();
            let contains = json!({ "contains": { "left": { "Set": names }, "right": attribute("name") } });
            json!({ "||": { "left": is_server, "right": contains } })
        }
    };
    json!([{ "kind": "when", "body": body }])
}

fn entity(uid: &EntityUid) -> Value {
    json!({ "type": uid.type_name().to_string(), "id": AsRef::<str>::as_ref(uid.id().unescaped()) })
}
