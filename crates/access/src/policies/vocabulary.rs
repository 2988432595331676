//! The words of access policies: the schema that people write against, and what a question looks like in it.
//!
//! People and keys stand in it under the names that people know, so that a policy can be read. `docs/policies.md` tells
//! about it; a test compares the two.

use std::collections::{HashMap, HashSet};

use cedar_policy::{
    Context, Entities, Entity, EntityTypeName, EntityUid, Request, RestrictedExpression, Schema,
};
use portreeve_core::access_policy::PolicyTest;
use portreeve_core::caller::{Caller, Principal};
use portreeve_core::decision::{Action, Target};
use portreeve_core::name::{Environment, GroupName, ServerName};

use super::arguments::Arguments;
use super::scene::{Named, Scene, Sort, folded};
use super::{constant, is_of_management, uid};

/// The vocabulary of access policies. `manage` and `audit` are not in it: nobody may lock everybody out.
pub(crate) const POLICY_SCHEMA: &str = include_str!("policies.cedarschema");

/// What of a context is about the arguments of a call.
pub(super) const OF_ARGUMENTS: [&str; 6] = ["given", "text", "number", "decimal", "flag", "list"];

/// By what somebody shows who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Via {
    /// An API key.
    Key,
    /// An access token.
    Token,
    /// A session of the portal.
    Session,
    /// Nothing.
    Nothing,
}

/// Who asks, as policies see it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asker<'a> {
    pub(crate) kind: Kind,
    /// The name that people know.
    pub(crate) name: &'a str,
    pub(crate) groups: &'a [GroupName],
    pub(crate) client: Option<&'a str>,
    pub(crate) via: Via,
    /// Of the route that the question is about, if it is about one.
    pub(crate) environment: Option<&'a str>,
}

/// What sort of caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    User,
    Key,
    Client,
    Anonymous,
}

/// The names of the schema, parsed once.
pub(crate) struct Vocabulary {
    pub(crate) schema: Schema,
    user: EntityTypeName,
    key: EntityTypeName,
    client: EntityTypeName,
    pub(super) anonymous: EntityTypeName,
    group: EntityTypeName,
    pub(super) server: EntityTypeName,
    pub(super) tool: EntityTypeName,
    action: EntityTypeName,
    pub(super) namespace: EntityTypeName,
    owner: EntityTypeName,
    registry: EntityTypeName,
    installation: EntityTypeName,
    /// The entities behind the arguments, in the order of [`OF_ARGUMENTS`] without the first.
    arguments: [(&'static str, EntityUid); 5],
}

/// What a question is about, in Cedar's identities.
pub(crate) struct About {
    /// The principal, and then everything that it is in.
    pub(super) principals: Vec<EntityUid>,
    /// Everything that the resource is in, and then the resource.
    pub(super) resources: Vec<EntityUid>,
}

/// A question in Cedar's words.
pub(crate) struct Put {
    pub(super) request: Request,
    pub(super) entities: Entities,
}

// === impl Via ===

impl Via {
    pub(crate) fn of(caller: &Caller) -> Self {
        match (&caller.token, caller.key) {
            _ if caller.principal == Principal::Anonymous => Self::Nothing,
            (Some(_), _) => Self::Token,
            (None, Some(_)) => Self::Key,
            (None, None) => Self::Session,
        }
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Key => "key",
            Self::Token => "token",
            Self::Session => "session",
            Self::Nothing => "nothing",
        }
    }
}

// === impl Asker ===

impl<'a> Asker<'a> {
    /// Policies are not about Portreeve itself, nor about who proves a namespace.
    pub(crate) fn of(caller: &'a Caller) -> Option<Self> {
        let kind = match caller.principal {
            Principal::User(_) => Kind::User,
            Principal::Key(_) => Kind::Key,
            Principal::Client(_) => Kind::Client,
            Principal::Anonymous => Kind::Anonymous,
            Principal::Publisher | Principal::System => return None,
        };
        let label = &*caller.label;
        Some(Self {
            kind,
            name: label.split_once(':').map_or(label, |(_, name)| name),
            groups: &caller.groups,
            client: caller.token.as_ref().map(|token| token.client.as_str()),
            via: Via::of(caller),
            environment: None,
        })
    }

    /// The same, asking about what a route of this environment serves.
    pub(crate) fn within(self, environment: Option<&'a Environment>) -> Self {
        Self {
            environment: environment.map(Environment::as_str),
            ..self
        }
    }

    /// Whoever a test is about.
    pub(crate) fn of_test(test: &'a PolicyTest) -> Option<Self> {
        let (kind, name) = match test.who.split_once(':') {
            Some(("user", name)) => (Kind::User, name),
            Some(("key", name)) => (Kind::Key, name),
            Some(("client", name)) => (Kind::Client, name),
            None if test.who == "anonymous" => (Kind::Anonymous, "anonymous"),
            _ => return None,
        };
        let client = test.client.as_deref();
        let client = client.or((kind == Kind::Client).then_some(name));
        Some(Self {
            kind,
            name,
            groups: &test.groups,
            client,
            via: match kind {
                Kind::Anonymous => Via::Nothing,
                _ if client.is_some() => Via::Token,
                Kind::User => Via::Session,
                _ => Via::Key,
            },
            environment: test.environment.as_ref().map(Environment::as_str),
        })
    }
}

// === impl Vocabulary ===

impl Vocabulary {
    pub(super) fn new() -> Self {
        let argument = |attribute, kind: &str| (attribute, uid(&constant(kind), "arguments"));
        Self {
            schema: constant(POLICY_SCHEMA),
            user: constant("User"),
            key: constant("Key"),
            client: constant("Client"),
            anonymous: constant("Anonymous"),
            group: constant("Group"),
            server: constant("Server"),
            tool: constant("Tool"),
            action: constant("Action"),
            namespace: constant("Namespace"),
            owner: constant("Owner"),
            registry: constant("Registry"),
            installation: constant("Installation"),
            arguments: [
                argument("text", "Text"),
                argument("number", "Number"),
                argument("decimal", "Fraction"),
                argument("flag", "Flag"),
                argument("list", "List"),
            ],
        }
    }

    /// A question's identities. `None`: the schema has none for it.
    pub(super) fn about(&self, scene: &Scene<'_>) -> Option<About> {
        let identity = |(sort, id): Named<'_>| Some(uid(self.kind(sort)?, id));
        Some(About {
            principals: scene.principals().map(identity).collect::<Option<_>>()?,
            resources: scene.resources().map(identity).collect::<Option<_>>()?,
        })
    }

    /// Puts a question. `None`: Cedar would not take it.
    pub(super) fn put(
        &self,
        (asker, about): (&Asker<'_>, &About),
        action: Action,
        target: &Target<'_>,
        arguments: Option<&Arguments>,
    ) -> Option<Put> {
        let mut entities = Vec::with_capacity(8);
        let principal = principal(asker, about, &mut entities)?;
        let resource = resource(target, about, &mut entities)?;
        let context = self.context(asker, action, arguments, &mut entities)?;
        let is_use = !is_of_management(action);
        let action = uid(&self.action, action.as_str());
        if is_use {
            // Cedar knows of groups of actions only what stands among the entities.
            let above = HashSet::from([uid(&self.action, "use")]);
            entities.push(Entity::new_no_attrs(action.clone(), above));
        }
        // The parts are those of the schema by construction; a test puts every question against it.
        let request = Request::new(principal, action, resource, context, None).ok()?;
        let entities = Entities::from_entities(entities, None).ok()?;
        Some(Put { request, entities })
    }

    fn kind(&self, sort: Sort) -> Option<&EntityTypeName> {
        match sort {
            Sort::User => Some(&self.user),
            Sort::Key => Some(&self.key),
            Sort::Client => Some(&self.client),
            Sort::Anonymous => Some(&self.anonymous),
            Sort::Group => Some(&self.group),
            Sort::Installation => Some(&self.installation),
            Sort::Namespace => Some(&self.namespace),
            Sort::Owner => Some(&self.owner),
            Sort::Registry => Some(&self.registry),
            Sort::Server => Some(&self.server),
            Sort::Tool => Some(&self.tool),
            Sort::System | Sort::Other => None,
        }
    }

    fn context(
        &self,
        asker: &Asker<'_>,
        action: Action,
        arguments: Option<&Arguments>,
        entities: &mut Vec<Entity>,
    ) -> Option<Context> {
        let mut pairs = vec![text("via", asker.via.as_str())];
        pairs.extend(asker.client.map(|client| text("client", client)));
        if !is_of_management(action) {
            pairs.extend(
                asker
                    .environment
                    .map(|environment| text("environment", environment)),
            );
        }
        if action == Action::CallTool {
            let given = arguments.map_or_else(Vec::new, Arguments::given);
            pairs.push(("given".to_owned(), RestrictedExpression::new_set(given)));
            for (attribute, uid) in &self.arguments {
                let value = RestrictedExpression::new_entity_uid(uid.clone());
                pairs.push(((*attribute).to_owned(), value));
                if let Some(arguments) = arguments {
                    let tags = arguments.tags(attribute);
                    entities.push(Entity::new_with_tags(uid.clone(), [], [], tags).ok()?);
                }
            }
        }
        Context::from_pairs(pairs).ok()
    }
}

fn principal(asker: &Asker<'_>, about: &About, entities: &mut Vec<Entity>) -> Option<EntityUid> {
    let (own, groups) = about.principals.split_first()?;
    let name = HashMap::from([text("name", asker.name)]);
    entities.push(Entity::new(own.clone(), name, groups.iter().cloned().collect()).ok()?);
    Some(own.clone())
}

fn resource(target: &Target<'_>, about: &About, entities: &mut Vec<Entity>) -> Option<EntityUid> {
    let (own, above) = about.resources.split_last()?;
    match target {
        Target::Installation => {}
        Target::Registry(name) => {
            let attributes = HashMap::from([text("name", name.as_str())]);
            entities.push(Entity::new(own.clone(), attributes, above.iter().cloned().collect()).ok()?);
        }
        Target::Server(server) => entities.push(server_entity(server, (own, above))?),
        Target::Tool {
            server,
            tool,
            annotations,
            ..
        } => {
            let (of, above) = above.split_last()?;
            entities.push(server_entity(server, (of, above))?);
            let flag = |name: &str, value| (name.to_owned(), RestrictedExpression::new_bool(value));
            let attributes = HashMap::from([
                text("name", tool),
                text("server", &folded(server)),
                flag("read_only", annotations.read_only_hint),
                flag("destructive", annotations.destructive_hint),
                flag("idempotent", annotations.idempotent_hint),
                flag("open_world", annotations.open_world_hint),
            ]);
            entities.push(Entity::new(own.clone(), attributes, HashSet::from([of.clone()])).ok()?);
        }
    }
    Some(own.clone())
}

fn server_entity(server: &ServerName, (own, above): (&EntityUid, &[EntityUid])) -> Option<Entity> {
    let name = folded(server);
    let namespace = name.split_once('/').map_or("", |(namespace, _)| namespace);
    let attributes = HashMap::from([text("name", &name), text("namespace", namespace)]);
    Entity::new(own.clone(), attributes, above.iter().cloned().collect()).ok()
}

fn text(name: &str, value: &str) -> (String, RestrictedExpression) {
    (
        name.to_owned(),
        RestrictedExpression::new_string(value.to_owned()),
    )
}
