//! Rules that are simple enough to be judged here: translated once, when they are read, and asked without Cedar.
//!
//! Cedar makes entities of every question, which takes ten times as long as the answer. Most rules compare names and
//! flags; those are turned into a small tree. Whatever is not in the closed set of forms below stays Cedar's: arguments,
//! numbers, records, the action as a value. A rule that fails here fails in Cedar, too, so then Cedar is asked
//! everything and says what it says.
//!
//! Before: `text` and `compile` have a policy that Cedar's validator accepts. After: `rulebook` and the engine ask it.

mod eval;
mod pattern;
#[cfg(test)]
mod tests;

use cedar_policy::{ActionConstraint, Policy, PrincipalConstraint, ResourceConstraint};
use portreeve_core::decision::Action;
use serde_json::Value as Json;

pub(super) use self::eval::Value;
use self::pattern::Pattern;
use super::scene::{Name, Sort, name_of};
use super::{SPOKEN_OF, is_of_management};

/// A rule in plain words.
#[derive(Debug)]
pub(super) struct Plain {
    /// `None`: any.
    actions: Option<Vec<Action>>,
    principal: Scope,
    resource: Scope,
    /// All of them must hold.
    conditions: Vec<Expression>,
}

/// What a rule's first words ask of the principal or the resource.
#[derive(Debug, Default)]
struct Scope {
    is: Option<Sort>,
    equal: Option<Name>,
    within: Option<Name>,
}

/// What stands in a condition.
#[derive(Debug)]
enum Expression {
    Literal(Literal),
    /// The principal or the resource itself.
    One(Side),
    Read(Of, Attribute),
    Has(Of, Attribute),
    Not(Box<Expression>),
    /// `&&`, however many: the first that does not hold ends it.
    All(Vec<Expression>),
    /// `||`, likewise.
    Any(Vec<Expression>),
    Equal(Box<[Expression; 2]>),
    Like(Box<Expression>, Pattern),
    /// A set that is written down, and what may be in it.
    Contains(Vec<Literal>, Box<Expression>),
    In(Side, Vec<Name>),
    Is(Side, Sort),
    /// The condition, then what holds with it, then what holds without.
    If(Box<[Expression; 3]>),
}

/// What is written down.
#[derive(Debug)]
enum Literal {
    Flag(bool),
    Text(Box<str>),
    Entity(Name),
}

/// What is in something else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Principal,
    Resource,
}

/// What has attributes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Of {
    Principal,
    Resource,
    Context,
}

/// Every attribute that is neither an argument nor a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attribute {
    Name,
    Server,
    Namespace,
    ReadOnly,
    Destructive,
    Idempotent,
    OpenWorld,
    Via,
    Client,
    Environment,
}

// === impl Plain ===

impl Plain {
    /// Translates a policy with its conditions, which may be fewer than it has. `None`: Cedar must be asked.
    pub(super) fn of(policy: &Policy, conditions: Option<&Json>) -> Option<Self> {
        let conditions = conditions?.as_array()?.iter().map(condition);
        Some(Self {
            actions: actions(&policy.action_constraint())?,
            principal: Scope::of_principal(policy.principal_constraint())?,
            resource: Scope::of_resource(policy.resource_constraint())?,
            conditions: conditions.collect::<Option<_>>()?,
        })
    }
}

/// The actions that a policy names. The outer `None`: it names what is no action.
fn actions(constraint: &ActionConstraint) -> Option<Option<Vec<Action>>> {
    let (named, of_groups) = match constraint {
        ActionConstraint::Any => return Some(None),
        ActionConstraint::Eq(uid) => (std::slice::from_ref(uid), false),
        ActionConstraint::In(uids) => (uids.as_slice(), true),
    };
    if named.iter().any(|uid| uid.type_name().basename() != "Action") {
        return None;
    }
    let is_named = |word: &str| named.iter().any(|uid| AsRef::<str>::as_ref(uid.id()) == word);
    // Only `in` looks into a group of actions; `==` means the group itself, which nobody does.
    let with_use = of_groups && is_named("use");
    let actions = SPOKEN_OF.into_iter().chain([Action::Audit, Action::Manage]);
    let meant = |action: &Action| is_named(action.as_str()) || (with_use && !is_of_management(*action));
    Some(Some(actions.filter(meant).collect()))
}

// === impl Scope ===

impl Scope {
    fn of_principal(constraint: PrincipalConstraint) -> Option<Self> {
        let scope = match constraint {
            PrincipalConstraint::Any => Self::default(),
            PrincipalConstraint::Is(kind) => Self::of(Some(Sort::of(&kind)), None, None),
            PrincipalConstraint::Eq(uid) => Self::of(None, Some(name_of(&uid)), None),
            PrincipalConstraint::In(uid) => Self::of(None, None, Some(name_of(&uid))),
            PrincipalConstraint::IsIn(kind, uid) => {
                Self::of(Some(Sort::of(&kind)), None, Some(name_of(&uid)))
            }
        };
        scope.known()
    }

    fn of_resource(constraint: ResourceConstraint) -> Option<Self> {
        let scope = match constraint {
            ResourceConstraint::Any => Self::default(),
            ResourceConstraint::Is(kind) => Self::of(Some(Sort::of(&kind)), None, None),
            ResourceConstraint::Eq(uid) => Self::of(None, Some(name_of(&uid)), None),
            ResourceConstraint::In(uid) => Self::of(None, None, Some(name_of(&uid))),
            ResourceConstraint::IsIn(kind, uid) => Self::of(Some(Sort::of(&kind)), None, Some(name_of(&uid))),
        };
        scope.known()
    }

    const fn of(is: Option<Sort>, equal: Option<Name>, within: Option<Name>) -> Self {
        Self { is, equal, within }
    }

    /// Unless it is about what no question is about.
    fn known(self) -> Option<Self> {
        let named = [&self.equal, &self.within].into_iter().flatten();
        let is_known = named
            .map(|(sort, _)| *sort)
            .chain(self.is)
            .all(|sort| sort != Sort::Other);
        is_known.then_some(self)
    }
}

// === impl Expression ===

/// One `when` or `unless` of Cedar's JSON form.
fn condition(json: &Json) -> Option<Expression> {
    let body = expression(json.get("body")?)?;
    match json.get("kind")?.as_str()? {
        "when" => Some(body),
        "unless" => Some(Expression::Not(Box::new(body))),
        _ => None,
    }
}

fn expression(json: &Json) -> Option<Expression> {
    let fields = json.as_object().filter(|fields| fields.len() == 1)?;
    let (operator, body) = fields.iter().next()?;
    let of = |name: &str| expression(body.get(name)?);
    match operator.as_str() {
        "Value" => literal(body).map(Expression::Literal),
        "Var" => side(json).map(Expression::One),
        "!" => Some(Expression::Not(Box::new(of("arg")?))),
        "&&" => joined(json, "&&").map(Expression::All),
        "||" => joined(json, "||").map(Expression::Any),
        "==" => Some(Expression::Equal(Box::new([of("left")?, of("right")?]))),
        "!=" => {
            let equal = Expression::Equal(Box::new([of("left")?, of("right")?]));
            Some(Expression::Not(Box::new(equal)))
        }
        "." => attribute(body).map(|(of, attribute)| Expression::Read(of, attribute)),
        "has" => attribute(body).map(|(of, attribute)| Expression::Has(of, attribute)),
        "like" => {
            let pattern = Pattern::of(body.get("pattern")?)?;
            Some(Expression::Like(Box::new(of("left")?), pattern))
        }
        "contains" => {
            let set = body.get("left")?.get("Set")?.as_array()?;
            let set = set.iter().map(|item| literal(item.get("Value")?));
            let set = set.collect::<Option<Vec<_>>>()?;
            Some(Expression::Contains(set, Box::new(of("right")?)))
        }
        "in" => Some(Expression::In(
            side(body.get("left")?)?,
            names(body.get("right")?)?,
        )),
        "is" => is(body),
        "if-then-else" => Some(Expression::If(Box::new([of("if")?, of("then")?, of("else")?]))),
        _ => None,
    }
}

/// `principal is User`, and `principal is User in Group::"a"`.
fn is(body: &Json) -> Option<Expression> {
    let side = side(body.get("left")?)?;
    let sort = Sort::called(body.get("entity_type")?.as_str()?);
    if sort == Sort::Other {
        return None;
    }
    let is = Expression::Is(side, sort);
    match body.get("in") {
        None => Some(is),
        Some(within) => Some(Expression::All(vec![is, Expression::In(side, names(within)?)])),
    }
}

/// Everything that one operator joins, in its order. What joins is the same whichever two are joined first.
fn joined(json: &Json, operator: &str) -> Option<Vec<Expression>> {
    let mut sides = Vec::new();
    join(json, operator, &mut sides)?;
    Some(sides)
}

fn join(json: &Json, operator: &str, sides: &mut Vec<Expression>) -> Option<()> {
    match json.get(operator) {
        Some(both) => {
            join(both.get("left")?, operator, sides)?;
            join(both.get("right")?, operator, sides)
        }
        None => {
            sides.push(expression(json)?);
            Some(())
        }
    }
}

fn side(json: &Json) -> Option<Side> {
    match json.get("Var")?.as_str()? {
        "principal" => Some(Side::Principal),
        "resource" => Some(Side::Resource),
        _ => None,
    }
}

/// The variable and the attribute in the body of `.` or `has`.
fn attribute(body: &Json) -> Option<(Of, Attribute)> {
    let of = match body.get("left")?.get("Var")?.as_str()? {
        "principal" => Of::Principal,
        "resource" => Of::Resource,
        "context" => Of::Context,
        _ => return None,
    };
    let attribute = match body.get("attr")?.as_str()? {
        "name" => Attribute::Name,
        "server" => Attribute::Server,
        "namespace" => Attribute::Namespace,
        "read_only" => Attribute::ReadOnly,
        "destructive" => Attribute::Destructive,
        "idempotent" => Attribute::Idempotent,
        "open_world" => Attribute::OpenWorld,
        "via" => Attribute::Via,
        "client" => Attribute::Client,
        "environment" => Attribute::Environment,
        _ => return None,
    };
    Some((of, attribute))
}

/// An entity that is written down, or a set of such.
fn names(json: &Json) -> Option<Vec<Name>> {
    let name = |json: &Json| match literal(json.get("Value")?)? {
        Literal::Entity(name) => Some(name),
        Literal::Flag(_) | Literal::Text(_) => None,
    };
    match json.get("Set") {
        Some(set) => set.as_array()?.iter().map(name).collect(),
        None => Some(vec![name(json)?]),
    }
}

fn literal(json: &Json) -> Option<Literal> {
    match json {
        Json::Bool(flag) => Some(Literal::Flag(*flag)),
        Json::String(text) => Some(Literal::Text(text.as_str().into())),
        Json::Object(fields) => {
            let entity = fields.get("__entity").filter(|_| fields.len() == 1)?;
            let sort = Sort::called(entity.get("type")?.as_str()?);
            let id = entity.get("id")?.as_str()?;
            (sort != Sort::Other).then(|| Literal::Entity((sort, id.into())))
        }
        _ => None,
    }
}
