//! `GET /registries`, `/admin/environments`, `/admin/properties`: what is governed beside entries, as tables; and the
//! forms that make an environment and define a property.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use portreeve_core::decision::{Action, Target};
use portreeve_core::deployment::EnvironmentKind;
use portreeve_core::name::{InvalidName, RegistryName};
use portreeve_core::ports::Authorizer;
use portreeve_core::property::{Need, PropertyKind, PropertyOwner};
use portreeve_registry::{EnvironmentPatch, NewEnvironment, NewProperty};
use serde_json::json;

use crate::failure::Failure;
use crate::fields::{Fields, Form};
use crate::forms::Purpose;
use crate::frame;
use crate::router::Portal;
use crate::view::{Governed, GovernedForm, GovernedPage};
use crate::visitor::Visitor;

/// The registries that a visitor may read.
pub(crate) async fn registries(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    signed_in(&visitor)?;
    let all = portal.parts.registry.registries(&visitor.caller).await?;
    let base = |name: &RegistryName| match *name == RegistryName::main() {
        true => portal.origin().to_owned(),
        false => format!("{}/registries/{name}", portal.origin()),
    };
    let shell = visitor.shell(&portal, "Registries", "governance");
    let operates = |name: &str| match name.parse() {
        Ok(name) => {
            let target = Target::Registry(&name);
            let access = &portal.parts.access;
            access.may(&visitor.caller, Action::Operate, &target).is_permit()
        }
        Err(_) => false,
    };
    let rows = all
        .iter()
        .map(|record| Governed::registry(record, base(&record.name)))
        .map(|row| Governed {
            href: row.href.filter(|_| operates(&row.name)),
            ..row
        });
    let rows = rows.collect();
    let page = GovernedPage {
        form: visitor
            .manages()
            .then(|| GovernedForm::registry(visitor.token(&portal, Purpose::Govern))),
        ..GovernedPage::registries(shell, rows)
    };
    frame::html(StatusCode::OK, &page)
}

/// Where servers run.
pub(crate) async fn environments(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    signed_in(&visitor)?;
    let all = portal.parts.registry.environments().await?;
    let shell = visitor.shell(&portal, "Environments", "governance");
    let rows = all.iter().map(Governed::environment);
    let rows = rows.map(|row| linked(&visitor, row)).collect();
    let page = GovernedPage {
        form: visitor
            .offers()
            .operates
            .then(|| GovernedForm::environment(visitor.token(&portal, Purpose::Govern))),
        ..GovernedPage::environments(shell, rows)
    };
    frame::html(StatusCode::OK, &page)
}

/// Makes an environment out of the form.
pub(crate) async fn create_environment(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::Govern, fields.get("csrf"))?;
    let new = NewEnvironment {
        name: named(&fields)?,
        kind: word(&fields, "kind", EnvironmentKind::from_word)?,
        patch: EnvironmentPatch {
            title: fields.get("title").map(str::to_owned),
            description: fields.get("description").map(str::to_owned),
            onboarding: fields.get("onboarding").map(str::to_owned),
            ..EnvironmentPatch::default()
        },
    };
    portal
        .parts
        .registry
        .create_environment(&visitor.caller, new)
        .await?;
    Ok(frame::redirect("/admin/environments"))
}

/// What must be known of servers, environments and deployments.
pub(crate) async fn properties(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    signed_in(&visitor)?;
    let mut rows = Vec::new();
    for record in portal.parts.registry.properties().await? {
        let defined = portal
            .parts
            .registry
            .property(&visitor.caller, &record.name)
            .await?;
        rows.push(linked(&visitor, Governed::property(&defined)));
    }
    let shell = visitor.shell(&portal, "Properties", "governance");
    let page = GovernedPage {
        form: visitor
            .offers()
            .operates
            .then(|| GovernedForm::property(visitor.token(&portal, Purpose::Govern))),
        ..GovernedPage::properties(shell, rows)
    };
    frame::html(StatusCode::OK, &page)
}

/// Defines a property out of the form; what is more than a type or some choices is for the API.
pub(crate) async fn create_property(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::Govern, fields.get("csrf"))?;
    let kind = word(&fields, "type", PropertyKind::from_word)?;
    let choices = fields.text("choices");
    let choices: Vec<&str> = choices
        .split(',')
        .map(str::trim)
        .filter(|text| !text.is_empty())
        .collect();
    let owner = word(&fields, "owner", PropertyOwner::from_word)?;
    let new = NewProperty {
        name: named(&fields)?,
        schema: match kind {
            PropertyKind::Choices => json!({ "enum": choices }),
            kind => json!({ "type": kind.as_str() }),
        },
        assignments: [(owner, word(&fields, "need", Need::from_word)?)].into(),
        title: None,
        description: fields.get("description").map(str::to_owned),
    };
    portal
        .parts
        .registry
        .create_property(&visitor.caller, new)
        .await?;
    Ok(frame::redirect("/admin/properties"))
}

/// The name that a form gives.
pub(crate) fn named<T>(fields: &Fields) -> Result<T, Failure>
where
    T: std::str::FromStr<Err = InvalidName>,
{
    let name = fields.text("name");
    name.parse().map_err(|error: InvalidName| Failure::Invalid {
        text: format!("{error}."),
        hint: "Go back and choose another name.".to_owned(),
    })
}

/// One of the words that the form offers.
fn word<T>(fields: &Fields, name: &str, read: fn(&str) -> Option<T>) -> Result<T, Failure> {
    read(&fields.text(name)).ok_or(Failure::Form)
}

/// The page that changes it is for who may.
fn linked(visitor: &Visitor, row: Governed) -> Governed {
    Governed {
        href: row.href.filter(|_| visitor.offers().operates),
        ..row
    }
}

/// These pages are no secret among people with an account, and nothing for strangers.
fn signed_in(visitor: &Visitor) -> Result<(), Failure> {
    if visitor.is_signed_in() {
        Ok(())
    } else {
        Err(Failure::forbidden(visitor))
    }
}
