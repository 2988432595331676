//! `/servers/{namespace}/{name}/deployments`: where one server runs, said and taken back. Who may not manage it proposes.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use portreeve_core::deployment::{Deployment, DeploymentState, Major};
use portreeve_core::name::Environment;
use portreeve_core::ports::Entry;
use portreeve_registry::{NewDeployments, Problem, RegistryError};

use crate::failure::Failure;
use crate::fields::{Fields, Form, Parsed};
use crate::forms::Purpose;
use crate::frame;
use crate::named::Named;
use crate::router::Portal;
use crate::view::{DeployedPage, FormView, deployed as view};
use crate::visitor::Visitor;

pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    named: Named,
) -> Result<Response, Failure> {
    let entry = named.to_publish(&portal, &visitor).await?;
    let form = form(&portal, &visitor, &entry).await?;
    show(&portal, &visitor, &entry, form)
}

/// Says where the server runs in one place; the other places stay as they are.
pub(crate) async fn set(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    named: Named,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::Publish, fields.get("csrf"))?;
    let entry = named.to_publish(&portal, &visitor).await?;
    let problems = match deployment(&fields) {
        Ok(mut new) => {
            let mut all = declared(&entry);
            if let Some(at) = all.iter().position(|one| is_at(one, &new.environment, new.major)) {
                new.metadata = all.remove(at).metadata;
            }
            let place = format!("deployments[{}].", all.len());
            all.push(new);
            match save(&portal, &visitor, &entry, (&fields, all)).await {
                Ok(answer) => return Ok(answer),
                Err(RegistryError::Invalid(problems)) => of_this(problems, &place),
                Err(error) => return Err(error.into()),
            }
        }
        Err(problems) => problems,
    };
    let form = form(&portal, &visitor, &entry).await?;
    show(&portal, &visitor, &entry, form.typed(&fields).explain(&problems))
}

/// Says that the server runs in one place no longer.
pub(crate) async fn remove(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    named: Named,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::Publish, fields.get("csrf"))?;
    let entry = named.to_publish(&portal, &visitor).await?;
    let environment: Environment = fields.text("environment").parse().map_err(|_| Failure::Form)?;
    let major = fields.get("major").map(str::parse::<Major>).transpose();
    let major = major.map_err(|_| Failure::Form)?;
    let mut all = declared(&entry);
    all.retain(|one| !is_at(one, &environment, major));
    Ok(save(&portal, &visitor, &entry, (&fields, all)).await?)
}

async fn save(
    portal: &Portal,
    visitor: &Visitor,
    entry: &Entry,
    (fields, deployments): (&Fields, Vec<Deployment>),
) -> Result<Response, RegistryError> {
    let name = &entry.server.name;
    let new = NewDeployments {
        deployments,
        internal: (visitor.manages() && fields.get("internal").is_some()).into(),
        expected: fields.revision(),
    };
    portal.parts.registry.deploy(&visitor.caller, name, new).await?;
    Ok(frame::redirect(&format!("/servers/{name}/deployments")))
}

/// Problems of the deployment that the form says are those of its fields.
fn of_this(mut problems: Vec<Problem>, place: &str) -> Vec<Problem> {
    for problem in &mut problems {
        if let Some(field) = problem.path.strip_prefix(place) {
            problem.path = field.to_owned();
        }
    }
    problems
}

/// What was said last: what waits, or else what is in force.
fn declared(entry: &Entry) -> Vec<Deployment> {
    let said = &entry.server.deployments;
    match &said.proposed {
        Some(proposed) => proposed.deployments.clone(),
        None => said.current.clone(),
    }
}

fn is_at(one: &Deployment, environment: &Environment, major: Option<Major>) -> bool {
    one.environment == *environment && one.major == major
}

/// What the form says.
fn deployment(fields: &Fields) -> Result<Deployment, Vec<Problem>> {
    let mut read = Parsed::default();
    let environment = read.one("environment", Some(&fields.text("environment")));
    let major = read.one("major", fields.get("major"));
    let version = fields.get("version").map(str::parse).transpose();
    if version.is_err() {
        read.wrong("version", "there is no such version");
    }
    let url = fields.text("url");
    if url.is_empty() {
        read.wrong("url", "say where it runs");
    }
    let deployment = environment.map(|environment| Deployment {
        environment,
        major,
        version: version.unwrap_or_default(),
        url,
        state: match fields.get("state") {
            Some("inactive") => DeploymentState::Inactive,
            _ => DeploymentState::Active,
        },
        metadata: serde_json::Map::new(),
    });
    // Without an environment, something is wrong.
    read.finish(deployment)?.ok_or_else(Vec::new)
}

async fn form(portal: &Portal, visitor: &Visitor, entry: &Entry) -> Result<FormView, Failure> {
    let environments = portal.parts.registry.environments().await?;
    let form = view::form(entry, &environments);
    Ok(if visitor.manages() {
        view::granting(form)
    } else {
        form
    })
}

fn show(portal: &Portal, visitor: &Visitor, entry: &Entry, form: FormView) -> Result<Response, Failure> {
    let name = &entry.server.name;
    let token = visitor.token(portal, Purpose::Publish);
    let status = form.status();
    let shell = visitor.shell(portal, format!("Deployments of {}", name.short()), "servers");
    let approves = visitor.here(portal, name).approves;
    frame::html(
        status,
        &DeployedPage::new(shell, (entry, &declared(entry)), form.token(token), approves),
    )
}
