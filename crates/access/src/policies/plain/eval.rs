//! Judges plain rules, as Cedar would: what is joined ends with the first that decides, what is of two kinds is not equal,
//! and what is read without being there is a failure and no answer.

use super::{Expression, Literal, Plain, Scope, Side};
use crate::policies::scene::{Scene, Sort};

/// What an expression comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::policies) enum Value<'a> {
    Flag(bool),
    Text(&'a str),
    Entity(Sort, &'a str),
}

/// It comes to nothing: something is not there, or of another kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::policies) struct Failed;

// === impl Plain ===

impl Plain {
    /// Whether a question is one that the rule is about.
    pub(in crate::policies) fn holds(&self, scene: &Scene<'_>) -> Result<bool, Failed> {
        let names_action = self
            .actions
            .as_ref()
            .is_none_or(|actions| actions.contains(&scene.action));
        let fits = names_action
            && self.principal.fits(Side::Principal, scene)
            && self.resource.fits(Side::Resource, scene);
        Ok(fits && all(&self.conditions, scene)?)
    }
}

// === impl Scope ===

impl Scope {
    fn fits(&self, side: Side, scene: &Scene<'_>) -> bool {
        let one = scene.one(side);
        self.is.is_none_or(|sort| one.0 == sort)
            && self.equal.as_ref().is_none_or(|(sort, id)| one == (*sort, &**id))
            && self
                .within
                .as_ref()
                .is_none_or(|(sort, id)| scene.is_in(side, (*sort, &**id)))
    }
}

// === impl Expression ===

fn all(expressions: &[Expression], scene: &Scene<'_>) -> Result<bool, Failed> {
    for expression in expressions {
        if !expression.flag(scene)? {
            return Ok(false);
        }
    }
    Ok(true)
}

fn any(expressions: &[Expression], scene: &Scene<'_>) -> Result<bool, Failed> {
    for expression in expressions {
        if expression.flag(scene)? {
            return Ok(true);
        }
    }
    Ok(false)
}

impl Expression {
    fn flag(&self, scene: &Scene<'_>) -> Result<bool, Failed> {
        match self.value(scene)? {
            Value::Flag(flag) => Ok(flag),
            Value::Text(_) | Value::Entity(..) => Err(Failed),
        }
    }

    fn value<'a>(&'a self, scene: &'a Scene<'_>) -> Result<Value<'a>, Failed> {
        let flag = match self {
            Self::Literal(literal) => return Ok(literal.value()),
            Self::One(side) => {
                let (sort, id) = scene.one(*side);
                return Ok(Value::Entity(sort, id));
            }
            Self::Read(of, attribute) => return scene.attribute(*of, *attribute).ok_or(Failed),
            Self::If(parts) => {
                let [condition, then, otherwise] = &**parts;
                let chosen = if condition.flag(scene)? { then } else { otherwise };
                return chosen.value(scene);
            }
            Self::Has(of, attribute) => scene.attribute(*of, *attribute).is_some(),
            Self::Not(of) => !of.flag(scene)?,
            Self::All(of) => all(of, scene)?,
            Self::Any(of) => any(of, scene)?,
            Self::Equal(sides) => {
                let [left, right] = &**sides;
                left.value(scene)? == right.value(scene)?
            }
            Self::Like(of, pattern) => match of.value(scene)? {
                Value::Text(text) => pattern.fits(text),
                Value::Flag(_) | Value::Entity(..) => return Err(Failed),
            },
            Self::Contains(set, of) => {
                let value = of.value(scene)?;
                set.iter().any(|literal| literal.value() == value)
            }
            Self::In(side, names) => names.iter().any(|(sort, id)| scene.is_in(*side, (*sort, &**id))),
            Self::Is(side, sort) => scene.one(*side).0 == *sort,
        };
        Ok(Value::Flag(flag))
    }
}

// === impl Literal ===

impl Literal {
    fn value(&self) -> Value<'_> {
        match self {
            Self::Flag(flag) => Value::Flag(*flag),
            Self::Text(text) => Value::Text(text),
            Self::Entity((sort, id)) => Value::Entity(*sort, id),
        }
    }
}
