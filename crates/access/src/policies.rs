//! Cedar: the vocabulary of policies, and the decision. Default deny, forbid wins, an error never permits.
//!
//! Before: `state` groups the grants by subject. After: `authorize` caches what is decided here.

mod arguments;
mod compile;
mod index;
mod law;
mod nesting;
mod plain;
mod reads;
mod rulebook;
mod scene;
mod text;
mod vocabulary;

use std::collections::{HashMap, HashSet};
use std::str::FromStr;
use std::sync::Arc;

use cedar_policy::{
    Authorizer, Context, Decision as Answer, Entities, Entity, EntityId, EntityTypeName, EntityUid,
    PolicySet, Request, RestrictedExpression, Schema, Validator,
};
use portreeve_core::caller::Principal;
use portreeve_core::decision::{Action, Decision, Effect, Target};
use portreeve_core::name::{GroupName, NamespacePattern, RegistryName, ServerName};

pub(crate) use cedar_policy::Effect as RuleEffect;

pub(crate) use self::arguments::Arguments;
pub use self::law::law;
use self::plain::Plain;
pub(crate) use self::reads::Read;
pub(crate) use self::rulebook::{Asked, Rulebook, Said};
use self::scene::{Scene, Sort, above, folded};
pub use self::text::{MOST_POLICY_BYTES, TextProblem};
pub(crate) use self::text::{Rule, SPOKEN_OF};
use self::vocabulary::Vocabulary;
pub(crate) use self::vocabulary::{Asker, POLICY_SCHEMA, Via};
use crate::facts::Facts;
use crate::state::Holder;

/// The vocabulary of grants. Every policy is validated against it, and so is every question.
const SCHEMA: &str = r#"
entity Group, System, Installation, Namespace, Owner;
entity User, Key, Client in [Group];
entity Registry in [Installation];
entity Server in [Installation, Namespace, Owner, Registry];
entity Tool in [Server] = { "name": String, "read_only": Bool };
action discover, read appliesTo { principal: [User, Key, Client, Group], resource: [Server] };
action call appliesTo { principal: [User, Key, Client, Group], resource: [Tool] };
action view, publish, approve, operate, audit, manage appliesTo {
  principal: [User, Key, Client, Group, System], resource: [Server, Registry, Installation]
};
"#;

/// The policy by which Portreeve itself may manage.
pub(crate) const SYSTEM_POLICY: &str = "built-in:system";

/// The policies about one principal, by server: a decision looks only at those that speak of its server. Every policy
/// that is asked takes its time, so a principal with a thousand grants would otherwise wait a thousand times as long.
#[derive(Debug, Default)]
pub(crate) struct Slice {
    /// Those that speak of every server, or of the installation.
    everywhere: Granted,
    /// Those and what speaks of one server, by its name in lower case.
    servers: HashMap<String, Granted>,
}

/// Policies that are asked together.
#[derive(Debug, Default, Clone)]
struct Granted {
    set: PolicySet,
    /// The same by their names, in plain words.
    plain: Vec<(Arc<str>, Arc<Plain>)>,
    /// Whether there is one that has none.
    needs_cedar: bool,
}

/// Compiles grants and decides.
pub(crate) struct Engine {
    authorizer: Authorizer,
    validator: Validator,
    schema: Schema,
    words: Words,
    denied: Arc<Decision>,
    /// The words of access policies.
    text: Vocabulary,
    text_validator: Validator,
}

/// The names of the schema, parsed once.
struct Words {
    user: EntityTypeName,
    key: EntityTypeName,
    client: EntityTypeName,
    group: EntityTypeName,
    system: EntityTypeName,
    server: EntityTypeName,
    tool: EntityTypeName,
    action: EntityTypeName,
    namespace: EntityTypeName,
    owner: EntityTypeName,
    registry: EntityTypeName,
    installation: EntityUid,
}

/// A question that the schema has no words for, such as calling the installation. The answer is no.
#[derive(Debug)]
enum Unaskable {
    /// The action and the target do not belong together.
    Mismatch,
    /// Cedar would not take it.
    Cedar(String),
}

// === impl Slice ===

impl Slice {
    /// Whether a decision about this takes Cedar, and so its time.
    pub(crate) fn needs_cedar(&self, target: &Target<'_>) -> bool {
        self.about(target).needs_cedar
    }

    fn about(&self, target: &Target<'_>) -> &Granted {
        let server = match *target {
            Target::Installation | Target::Registry(_) => return &self.everywhere,
            Target::Server(server) | Target::Tool { server, .. } => server,
        };
        self.servers.get(&*folded(server)).unwrap_or(&self.everywhere)
    }
}

// === impl Engine ===

impl Engine {
    pub(crate) fn new() -> Self {
        let schema: Schema = constant(SCHEMA);
        let words = Words {
            user: constant("User"),
            key: constant("Key"),
            client: constant("Client"),
            group: constant("Group"),
            system: constant("System"),
            server: constant("Server"),
            tool: constant("Tool"),
            action: constant("Action"),
            namespace: constant("Namespace"),
            owner: constant("Owner"),
            registry: constant("Registry"),
            installation: constant(r#"Installation::"this""#),
        };
        let denied = Decision {
            effect: Effect::Deny,
            policies: Arc::new([]),
        };
        let text = Vocabulary::new();
        Self {
            text_validator: Validator::new(text.schema.clone()),
            text,
            authorizer: Authorizer::new(),
            validator: Validator::new(schema.clone()),
            schema,
            words,
            denied: Arc::new(denied),
        }
    }

    /// The answer that needs no question.
    pub(crate) fn denied(&self) -> Arc<Decision> {
        Arc::clone(&self.denied)
    }

    /// Asks one holder's policies: in plain words where all of them have such, else through Cedar.
    pub(crate) fn decide(
        &self,
        slice: &Slice,
        (holder, facts): (&Holder, &Facts),
        action: Action,
        target: &Target<'_>,
    ) -> Arc<Decision> {
        let granted = slice.about(target);
        if granted.needs_cedar {
            return self.decide_by_cedar(granted, (holder, facts), action, target);
        }
        let Some(scene) = Scene::of_grants((holder, facts), action, target) else {
            return self.denied();
        };
        let mut policies = Vec::new();
        for (name, plain) in &granted.plain {
            match plain.holds(&scene) {
                Ok(true) => policies.push(Arc::clone(name)),
                Ok(false) => {}
                // It fails there, too, and is told of there.
                Err(_) => return self.decide_by_cedar(granted, (holder, facts), action, target),
            }
        }
        self.permitted(policies)
    }

    fn permitted(&self, mut policies: Vec<Arc<str>>) -> Arc<Decision> {
        if policies.is_empty() {
            return self.denied();
        }
        policies.sort_unstable();
        Arc::new(Decision {
            effect: Effect::Permit,
            policies: policies.into(),
        })
    }

    fn decide_by_cedar(
        &self,
        granted: &Granted,
        (holder, facts): (&Holder, &Facts),
        action: Action,
        target: &Target<'_>,
    ) -> Arc<Decision> {
        let (request, entities) = match self.question((holder, facts), action, target) {
            Ok(question) => question,
            Err(Unaskable::Mismatch) => return self.denied(),
            Err(Unaskable::Cedar(problem)) => {
                tracing::error!(caller.id = %holder, action = action.as_str(), problem, "A question could not be put to Cedar, so the answer is no");
                return self.denied();
            }
        };
        let response = self.authorizer.is_authorized(&request, &granted.set, &entities);
        // Cedar skips a policy that fails. A forbid must not be lost that way, so any failure denies.
        if let Some(error) = response.diagnostics().errors().next() {
            tracing::error!(caller.id = %holder, action = action.as_str(), %error, "A policy failed, so the answer is no");
            return self.denied();
        }
        if response.decision() != Answer::Allow {
            return self.denied();
        }
        let names = response.diagnostics().reason();
        self.permitted(names.map(|id| Arc::from(id.to_string())).collect())
    }

    fn question(
        &self,
        (holder, facts): (&Holder, &Facts),
        action: Action,
        target: &Target<'_>,
    ) -> Result<(Request, Entities), Unaskable> {
        if *holder == Holder::Principal(Principal::System) && !is_of_management(action) {
            return Err(Unaskable::Mismatch);
        }
        let principal = self.words.holder(holder).ok_or(Unaskable::Mismatch)?;
        let (resource, entities) = match (action, target) {
            (Action::Discover | Action::Read, Target::Server(server)) => {
                (self.words.server(server), vec![self.server_entity(server, facts)])
            }
            (action, Target::Server(server)) if is_of_management(action) => {
                (self.words.server(server), vec![self.server_entity(server, facts)])
            }
            (action, Target::Registry(registry)) if is_of_management(action) => {
                let uid = self.words.registry(registry);
                let above = HashSet::from([self.words.installation.clone()]);
                (uid.clone(), vec![Entity::new_no_attrs(uid, above)])
            }
            (action, Target::Installation) if is_of_management(action) => {
                (self.words.installation.clone(), Vec::new())
            }
            (
                Action::CallTool,
                Target::Tool {
                    server,
                    tool,
                    annotations,
                    ..
                },
            ) => {
                let uid = self.words.tool(server, tool);
                let entity = self.tool_entity(uid.clone(), server, (tool, annotations.read_only_hint))?;
                (uid, vec![self.server_entity(server, facts), entity])
            }
            _ => return Err(Unaskable::Mismatch),
        };
        let action = self.words.action(action);
        let request = Request::new(principal, action, resource, Context::empty(), Some(&self.schema))
            .map_err(|error| Unaskable::Cedar(error.to_string()))?;
        let entities =
            Entities::from_entities(entities, None).map_err(|error| Unaskable::Cedar(error.to_string()))?;
        Ok((request, entities))
    }

    fn server_entity(&self, server: &ServerName, facts: &Facts) -> Entity {
        let parents = above(server, facts);
        let parents = parents
            .iter()
            .filter_map(|(sort, id)| self.words.above(*sort, id));
        Entity::new_no_attrs(self.words.server(server), parents.collect())
    }

    fn tool_entity(
        &self,
        uid: EntityUid,
        server: &ServerName,
        (name, read_only): (&str, bool),
    ) -> Result<Entity, Unaskable> {
        let attributes = HashMap::from([
            (
                "name".to_owned(),
                RestrictedExpression::new_string(name.to_owned()),
            ),
            ("read_only".to_owned(), RestrictedExpression::new_bool(read_only)),
        ]);
        let parents = HashSet::from([self.words.server(server)]);
        Entity::new(uid, attributes, parents).map_err(|error| Unaskable::Cedar(error.to_string()))
    }
}

// === impl Words ===

impl Words {
    fn holder(&self, holder: &Holder) -> Option<EntityUid> {
        match holder {
            Holder::Principal(principal) => self.principal(*principal),
            Holder::Group(group) => Some(uid(&self.group, group.as_str())),
        }
    }

    fn principal(&self, principal: Principal) -> Option<EntityUid> {
        match principal {
            Principal::User(id) => Some(uid(&self.user, &id.to_string())),
            Principal::Key(id) => Some(uid(&self.key, &id.to_string())),
            Principal::Client(id) => Some(uid(&self.client, &id.to_string())),
            Principal::System => Some(uid(&self.system, "portreeve")),
            Principal::Anonymous | Principal::Publisher => None,
        }
    }

    fn action(&self, action: Action) -> EntityUid {
        uid(&self.action, action.as_str())
    }

    fn server(&self, name: &ServerName) -> EntityUid {
        uid(&self.server, &folded(name))
    }

    /// What a server is in.
    fn above(&self, sort: Sort, id: &str) -> Option<EntityUid> {
        match sort {
            Sort::Installation => Some(self.installation.clone()),
            Sort::Namespace => Some(uid(&self.namespace, id)),
            Sort::Owner => Some(uid(&self.owner, id)),
            Sort::Registry => Some(uid(&self.registry, id)),
            _ => None,
        }
    }

    fn namespace(&self, pattern: &NamespacePattern) -> EntityUid {
        uid(&self.namespace, &pattern.as_str().to_ascii_lowercase())
    }

    fn owner(&self, group: &GroupName) -> EntityUid {
        uid(&self.owner, group.as_str())
    }

    fn registry(&self, name: &RegistryName) -> EntityUid {
        uid(&self.registry, name.as_str())
    }

    /// A server's name has exactly one slash, so the second one ends it.
    fn tool(&self, server: &ServerName, tool: &str) -> EntityUid {
        uid(&self.tool, &format!("{}/{tool}", folded(server)))
    }
}

/// Whether an action is one of the management side.
pub(crate) fn is_of_management(action: Action) -> bool {
    match action {
        Action::Discover | Action::CallTool | Action::Read => false,
        Action::Publish
        | Action::View
        | Action::Approve
        | Action::Operate
        | Action::Audit
        | Action::Manage => true,
    }
}

fn uid(kind: &EntityTypeName, id: &str) -> EntityUid {
    EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id))
}

/// Reads a text of this file.
#[expect(
    clippy::expect_used,
    reason = "the texts are constants of this file, and every test that makes an engine reads them all"
)]
fn constant<T: FromStr>(text: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    text.parse().expect("a text that Cedar can read")
}
