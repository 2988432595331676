//! What a question is about, in words that cost little: who asks, what that is in, and what the resource is in.
//!
//! Before: somebody asks for a decision. After: `index` finds the rules by these words, `plain` judges by them, and
//! `vocabulary` makes Cedar's entities of them where Cedar is asked. So all three speak of the same things.

use std::borrow::Cow;

use cedar_policy::{EntityTypeName, EntityUid};
use portreeve_core::caller::Principal;
use portreeve_core::decision::{Action, Target};
use portreeve_core::name::{GroupName, ServerName};

use super::is_of_management;
use super::plain::{Attribute, Of, Side, Value};
use super::vocabulary::{Asker, Kind};
use crate::facts::Facts;
use crate::state::Holder;

/// What somebody or something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Sort {
    User,
    Key,
    Client,
    Anonymous,
    System,
    Group,
    Installation,
    Namespace,
    Owner,
    Registry,
    Server,
    Tool,
    /// Nothing that a question is about.
    Other,
}

/// The name of one of a sort.
pub(super) type Named<'a> = (Sort, &'a str);
/// The same, kept.
pub(super) type Name = (Sort, Box<str>);

/// A question.
pub(super) struct Scene<'a> {
    pub(super) action: Action,
    target: Target<'a>,
    principal: (Sort, Cow<'a, str>),
    /// What the principal is in.
    groups: &'a [GroupName],
    place: Place<'a>,
    /// Whoever asks, as access policies see it. Grants look at no more than at its name.
    asker: Option<&'a Asker<'a>>,
}

/// Where the resource stands.
struct Place<'a> {
    resource: (Sort, Cow<'a, str>),
    /// Of a tool, the server that it is in.
    server: Option<Cow<'a, str>>,
    /// Whatever else it is in.
    above: Vec<(Sort, Cow<'a, str>)>,
}

// === impl Sort ===

impl Sort {
    /// By its name in the schemas.
    pub(super) fn called(word: &str) -> Self {
        match word {
            "User" => Self::User,
            "Key" => Self::Key,
            "Client" => Self::Client,
            "Anonymous" => Self::Anonymous,
            "System" => Self::System,
            "Group" => Self::Group,
            "Installation" => Self::Installation,
            "Namespace" => Self::Namespace,
            "Owner" => Self::Owner,
            "Registry" => Self::Registry,
            "Server" => Self::Server,
            "Tool" => Self::Tool,
            _ => Self::Other,
        }
    }

    pub(super) fn of(kind: &EntityTypeName) -> Self {
        match kind.namespace_components().next() {
            None => Self::called(kind.basename()),
            Some(_) => Self::Other,
        }
    }
}

/// What an identity of Cedar's names.
pub(super) fn name_of(uid: &EntityUid) -> Name {
    let id: &str = uid.id().as_ref();
    (Sort::of(uid.type_name()), id.into())
}

// === impl Scene ===

impl<'a> Scene<'a> {
    /// As access policies see it. `None`: they have no words for it.
    pub(super) fn of_rules(
        (asker, facts): (&'a Asker<'a>, &'a Facts),
        action: Action,
        target: &Target<'a>,
    ) -> Option<Self> {
        if matches!(action, Action::Manage | Action::Audit) {
            return None;
        }
        Some(Self {
            action,
            target: *target,
            principal: (sort_of(asker.kind), Cow::Borrowed(asker.name)),
            groups: asker.groups,
            place: Place::new(action, target, facts)?,
            asker: Some(asker),
        })
    }

    /// As grants see it: whoever holds them, and in no groups. `None`: they have no words for it.
    pub(super) fn of_grants(
        (holder, facts): (&'a Holder, &'a Facts),
        action: Action,
        target: &Target<'a>,
    ) -> Option<Self> {
        let principal = match holder {
            Holder::Group(group) => (Sort::Group, Cow::Borrowed(group.as_str())),
            Holder::Principal(Principal::User(id)) => (Sort::User, Cow::Owned(id.to_string())),
            Holder::Principal(Principal::Key(id)) => (Sort::Key, Cow::Owned(id.to_string())),
            Holder::Principal(Principal::Client(id)) => (Sort::Client, Cow::Owned(id.to_string())),
            Holder::Principal(Principal::System) if is_of_management(action) => {
                (Sort::System, Cow::Borrowed("portreeve"))
            }
            Holder::Principal(Principal::System | Principal::Anonymous | Principal::Publisher) => {
                return None;
            }
        };
        Some(Self {
            action,
            target: *target,
            principal,
            groups: &[],
            place: Place::new(action, target, facts)?,
            asker: None,
        })
    }

    /// The principal, and then everything that it is in.
    pub(super) fn principals(&self) -> impl Iterator<Item = Named<'_>> {
        let own = (self.principal.0, &*self.principal.1);
        std::iter::once(own).chain(groups(self.groups))
    }

    /// Everything that the resource is in, and then the resource.
    pub(super) fn resources(&self) -> impl Iterator<Item = Named<'_>> {
        let above = self.place.above.iter().map(|(sort, id)| (*sort, &**id));
        let server = self.place.server.as_deref().map(|id| (Sort::Server, id));
        let own = (self.place.resource.0, &*self.place.resource.1);
        above.chain(server).chain(std::iter::once(own))
    }

    /// The principal or the resource itself.
    pub(super) fn one(&self, side: Side) -> Named<'_> {
        let (sort, id) = match side {
            Side::Principal => &self.principal,
            Side::Resource => &self.place.resource,
        };
        (*sort, &**id)
    }

    /// Whether the principal or the resource is somebody or something, or in it.
    pub(super) fn is_in(&self, side: Side, (sort, id): Named<'_>) -> bool {
        match side {
            Side::Principal => self.principals().any(|one| one == (sort, id)),
            Side::Resource => self.resources().any(|one| one == (sort, id)),
        }
    }

    /// An attribute, if it is there.
    pub(super) fn attribute(&self, of: Of, attribute: Attribute) -> Option<Value<'_>> {
        match (of, attribute) {
            (Of::Principal, Attribute::Name) => Some(Value::Text(self.asker?.name)),
            (Of::Resource, attribute) => self.of_resource(attribute),
            (Of::Context, Attribute::Via) => Some(Value::Text(self.asker?.via.as_str())),
            (Of::Context, Attribute::Client) => self.asker?.client.map(Value::Text),
            // The management side is about no route.
            (Of::Context, Attribute::Environment) if !is_of_management(self.action) => {
                self.asker?.environment.map(Value::Text)
            }
            _ => None,
        }
    }

    fn of_resource(&self, attribute: Attribute) -> Option<Value<'_>> {
        let Place { resource, server, .. } = &self.place;
        match (self.target, attribute) {
            (Target::Tool { tool, .. }, Attribute::Name) => Some(Value::Text(tool)),
            (Target::Tool { annotations, .. }, Attribute::ReadOnly) => {
                Some(Value::Flag(annotations.read_only_hint))
            }
            // What is behind this access policies see alone.
            _ if self.asker.is_none() => None,
            (Target::Tool { .. }, Attribute::Server) => server.as_deref().map(Value::Text),
            (Target::Tool { annotations, .. }, Attribute::Destructive) => {
                Some(Value::Flag(annotations.destructive_hint))
            }
            (Target::Tool { annotations, .. }, Attribute::Idempotent) => {
                Some(Value::Flag(annotations.idempotent_hint))
            }
            (Target::Tool { annotations, .. }, Attribute::OpenWorld) => {
                Some(Value::Flag(annotations.open_world_hint))
            }
            (Target::Server(_) | Target::Registry(_), Attribute::Name) => Some(Value::Text(&resource.1)),
            (Target::Server(_), Attribute::Namespace) => {
                let namespace = resource.1.split_once('/').map_or("", |(namespace, _)| namespace);
                Some(Value::Text(namespace))
            }
            _ => None,
        }
    }
}

/// Whoever asks, and then everything that it is in.
pub(super) fn principals<'a>(asker: &Asker<'a>) -> impl Iterator<Item = Named<'a>> {
    std::iter::once((sort_of(asker.kind), asker.name)).chain(groups(asker.groups))
}

fn groups(groups: &[GroupName]) -> impl Iterator<Item = Named<'_>> {
    groups.iter().map(|group| (Sort::Group, group.as_str()))
}

const fn sort_of(kind: Kind) -> Sort {
    match kind {
        Kind::User => Sort::User,
        Kind::Key => Sort::Key,
        Kind::Client => Sort::Client,
        Kind::Anonymous => Sort::Anonymous,
    }
}

// === impl Place ===

impl<'a> Place<'a> {
    /// `None`: the action and the target do not belong together.
    fn new(action: Action, target: &Target<'a>, facts: &'a Facts) -> Option<Self> {
        let is_use = !is_of_management(action);
        match *target {
            Target::Installation if !is_use => Some(Self {
                resource: (Sort::Installation, Cow::Borrowed("this")),
                server: None,
                above: Vec::new(),
            }),
            Target::Registry(name) if !is_use => Some(Self {
                resource: (Sort::Registry, Cow::Borrowed(name.as_str())),
                server: None,
                above: vec![(Sort::Installation, Cow::Borrowed("this"))],
            }),
            Target::Server(server) if action != Action::CallTool => Some(Self {
                resource: (Sort::Server, folded(server)),
                server: None,
                above: above(server, facts),
            }),
            Target::Tool { server, tool, .. } if action == Action::CallTool => {
                let name = folded(server);
                Some(Self {
                    // A server's name has exactly one slash, so the second one ends it.
                    resource: (Sort::Tool, Cow::Owned(format!("{name}/{tool}"))),
                    server: Some(name),
                    above: above(server, facts),
                })
            }
            _ => None,
        }
    }
}

/// Everything that a server is in, for grants and for access policies alike: the installation, each pattern that speaks of
/// its namespace, the groups that own it, and the registries that are about it.
pub(super) fn above<'a>(server: &'a ServerName, facts: &'a Facts) -> Vec<(Sort, Cow<'a, str>)> {
    let mut above = vec![(Sort::Installation, Cow::Borrowed("this"))];
    let patterns = namespaces_of(server).into_iter();
    above.extend(patterns.map(|pattern| (Sort::Namespace, Cow::Owned(pattern))));
    let owners = facts.owners(server).iter();
    above.extend(owners.map(|group| (Sort::Owner, Cow::Borrowed(group.as_str()))));
    let registries = facts.registries(server);
    above.extend(registries.map(|name| (Sort::Registry, Cow::Borrowed(name.as_str()))));
    above
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

/// Server names are unique without regard to case, so a rule means the server however its name was typed.
pub(super) fn folded(server: &ServerName) -> Cow<'_, str> {
    let name = server.as_str();
    if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Cow::Owned(name.to_ascii_lowercase())
    } else {
        Cow::Borrowed(name)
    }
}
