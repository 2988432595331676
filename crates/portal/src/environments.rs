//! `/admin/environments/{environment}`: one environment, changed and deleted.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use portreeve_core::deployment::{EnvironmentKind, EnvironmentRecord};
use portreeve_core::name::Environment;
use portreeve_registry::{EnvironmentPatch, RegistryError};

use crate::failure::Failure;
use crate::fields::Form;
use crate::forms::Purpose;
use crate::frame;
use crate::router::Portal;
use crate::view::{Crumb, FormView, OnePage, Part, environment as view};
use crate::visitor::Visitor;

pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Result<Response, Failure> {
    let record = found(&portal, &visitor, &name).await?;
    show(&portal, &visitor, &record, view::form(&record))
}

/// Changes an environment at the revision that was shown.
pub(crate) async fn change(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path(name): Path<String>,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::Govern, fields.get("csrf"))?;
    let record = found(&portal, &visitor, &name).await?;
    let patch = EnvironmentPatch {
        title: Some(fields.text("title")),
        kind: EnvironmentKind::from_word(&fields.text("kind")),
        description: Some(fields.text("description")),
        onboarding: Some(fields.text("onboarding")),
        position: fields.get("position").and_then(|position| position.parse().ok()),
        metadata: None,
    };
    let registry = &portal.parts.registry;
    let changed = registry
        .change_environment(&visitor.caller, &record.name, patch, fields.revision())
        .await;
    match changed {
        Ok(_) => Ok(frame::redirect("/admin/environments")),
        Err(RegistryError::Invalid(problems)) => {
            let form = view::form(&record).typed(&fields).explain(&problems);
            show(&portal, &visitor, &record, form)
        }
        Err(error) => Err(error.into()),
    }
}

pub(crate) async fn delete(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path(name): Path<String>,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::Govern, fields.get("csrf"))?;
    let record = found(&portal, &visitor, &name).await?;
    let registry = &portal.parts.registry;
    registry
        .remove_environment(&visitor.caller, &record.name, fields.revision())
        .await?;
    Ok(frame::redirect("/admin/environments"))
}

async fn found(portal: &Portal, visitor: &Visitor, name: &str) -> Result<EnvironmentRecord, Failure> {
    visitor.require(visitor.offers().operates)?;
    let name: Environment = name.parse().map_err(|_| Failure::NotFound {
        text: "No environment has this address.".to_owned(),
    })?;
    Ok(portal.parts.registry.environment(&name).await?)
}

fn show(
    portal: &Portal,
    visitor: &Visitor,
    record: &EnvironmentRecord,
    form: FormView,
) -> Result<Response, Failure> {
    let token = visitor.token(portal, Purpose::Govern);
    let shell = visitor.shell(portal, record.title.clone(), "governance");
    let status = form.status();
    let page = OnePage::new(
        shell,
        "Servers that run here have a route of their own for it.",
        vec![Crumb::new("/admin/environments", "Environments")],
    )
    .part(Part::new("Change it", "", form.token(token.clone())));
    let page = if record.name == Environment::production() {
        page
    } else {
        page.part(view::delete(record, token))
    };
    frame::html(status, &page)
}
