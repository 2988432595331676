//! Cedar: the vocabulary of policies, and the decision. Default deny, forbid wins, an error never permits.
//!
//! Before: `state` groups the grants by subject. After: `authorize` caches what is decided here.

mod arguments;
mod compile;
mod law;
mod nesting;
mod reads;
mod rulebook;
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
pub(crate) use self::reads::Read;
pub(crate) use self::rulebook::{Asked, Rulebook, Said};
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

/// The policies about one principal, by server: a decision looks only at those that speak of its server. Cedar reads
/// every policy it is given, so a principal with a thousand grants would otherwise wait a thousand times as long.
#[derive(Debug, Default)]
pub(crate) struct Slice {
    /// Those that speak of every server, or of the installation.
    everywhere: PolicySet,
    /// Those and what speaks of one server, by its name in lower case.
    servers: HashMap<String, PolicySet>,
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
    fn about(&self, target: &Target<'_>) -> &PolicySet {
        let server = match *target {
            Target::Installation | Target::Registry(_) => return &self.everywhere,
            Target::Server(server) | Target::Tool { server, .. } => server,
        };
        self.servers.get(&folded(server)).unwrap_or(&self.everywhere)
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

    /// Asks Cedar about one holder's policies.
    pub(crate) fn decide(
        &self,
        slice: &Slice,
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
        let response = self
            .authorizer
            .is_authorized(&request, slice.about(target), &entities);
        // Cedar skips a policy that fails. A forbid must not be lost that way, so any failure denies.
        if let Some(error) = response.diagnostics().errors().next() {
            tracing::error!(caller.id = %holder, action = action.as_str(), %error, "A policy failed, so the answer is no");
            return self.denied();
        }
        if response.decision() != Answer::Allow {
            return self.denied();
        }
        let mut policies: Vec<Arc<str>> = response
            .diagnostics()
            .reason()
            .map(|id| Arc::from(id.to_string()))
            .collect();
        policies.sort_unstable();
        Arc::new(Decision {
            effect: Effect::Permit,
            policies: policies.into(),
        })
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
        let words = &self.words;
        let kinds = (&words.namespace, &words.owner, &words.registry);
        let parents = above(server, facts, (&words.installation, kinds));
        Entity::new_no_attrs(words.server(server), parents.into_iter().collect())
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

/// Everything that a server is in, for grants and for access policies alike: the installation, each pattern that speaks of
/// its namespace, the groups that own it, and the registries that are about it.
fn above(
    server: &ServerName,
    facts: &Facts,
    (installation, (namespace, owner, registry)): (
        &EntityUid,
        (&EntityTypeName, &EntityTypeName, &EntityTypeName),
    ),
) -> Vec<EntityUid> {
    let patterns = namespaces_of(server);
    let patterns = patterns.iter().map(|pattern| uid(namespace, pattern));
    let owners = facts.owners(server).iter();
    let owners = owners.map(|group| uid(owner, group.as_str()));
    let registries = facts.registries(server);
    let registries = registries.map(|name| uid(registry, name.as_str()));
    std::iter::once(installation.clone())
        .chain(patterns)
        .chain(owners)
        .chain(registries)
        .collect()
}

/// The patterns that a server is in, in lower case: its own namespace, and each one above with `.*` behind it.
fn namespaces_of(server: &ServerName) -> Vec<String> {
    let namespace = server.namespace().to_ascii_lowercase();
    let above = namespace
        .match_indices('.')
        .filter_map(|(end, _)| namespace.get(..end));
    let mut patterns: Vec<String> = above
        .chain([namespace.as_str()])
        .map(|root| format!("{root}.*"))
        .collect();
    patterns.push(namespace);
    patterns
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

/// Server names are unique without regard to case, so a grant means the server however its name was typed.
fn folded(server: &ServerName) -> String {
    server.as_str().to_ascii_lowercase()
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
