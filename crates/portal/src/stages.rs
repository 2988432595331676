//! `/servers/{namespace}/{name}/stages`: how mature a server's versions are, what is handed in again, and the end of it.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use portreeve_core::ports::Entry;
use portreeve_core::server::Lifecycle;
use portreeve_registry::{Problem, RegistryError};

use crate::failure::Failure;
use crate::fields::{Fields, Form};
use crate::forms::Purpose;
use crate::frame;
use crate::named::Named;
use crate::router::Portal;
use crate::view::{Crumb, OnePage, stages as view};
use crate::visitor::Visitor;

pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    named: Named,
) -> Result<Response, Failure> {
    let entry = named.to_see(&portal, &visitor).await?;
    show(&portal, &visitor, &entry, None)
}

/// Says how mature a version is, or every approved one.
pub(crate) async fn turn(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    named: Named,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::Publish, fields.get("csrf"))?;
    let entry = named.to_see(&portal, &visitor).await?;
    let name = &entry.server.name;
    let version = fields.get("version").map(str::parse).transpose();
    let version = version.map_err(|_| Failure::Form)?;
    let lifecycle = Lifecycle::from_word(&fields.text("lifecycle")).ok_or(Failure::Form)?;
    let message = fields.get("message").map(str::to_owned);
    let registry = &portal.parts.registry;
    let turned = registry
        .set_lifecycle(&visitor.caller, name, version.as_ref(), lifecycle, message)
        .await;
    match turned {
        Ok(_) => Ok(frame::redirect(&format!("/servers/{name}?done=turned"))),
        Err(RegistryError::Invalid(problems)) => show(
            &portal,
            &visitor,
            &entry,
            Some((Wrong::Stage, &fields, &problems)),
        ),
        Err(error) => Err(error.into()),
    }
}

/// Hands a version in that is a draft or was rejected.
pub(crate) async fn submit(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    named: Named,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::Publish, fields.get("csrf"))?;
    let entry = named.to_see(&portal, &visitor).await?;
    let name = &entry.server.name;
    let version = fields.text("version").parse().map_err(|_| Failure::Form)?;
    let registry = &portal.parts.registry;
    match registry.submit(&visitor.caller, name, Some(&version)).await {
        Ok(_) => Ok(frame::redirect(&format!("/servers/{name}?done=handed-in"))),
        Err(RegistryError::Invalid(problems)) => show(
            &portal,
            &visitor,
            &entry,
            Some((Wrong::Submit, &fields, &problems)),
        ),
        Err(error) => Err(error.into()),
    }
}

/// Fetches the icons anew.
pub(crate) async fn icons(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    named: Named,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::Publish, fields.get("csrf"))?;
    let name = named.read()?;
    portal.parts.registry.fetch_icons(&visitor.caller, &name).await?;
    Ok(frame::redirect(&format!("/servers/{name}?done=icons")))
}

/// Removes the server, whose name has to be typed.
pub(crate) async fn remove(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    named: Named,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::Publish, fields.get("csrf"))?;
    let entry = named.to_see(&portal, &visitor).await?;
    let name = &entry.server.name;
    if fields.text("name") != name.as_str() {
        let problem = Problem {
            path: "name".to_owned(),
            message: format!("it is `{name}`"),
        };
        return show(
            &portal,
            &visitor,
            &entry,
            Some((Wrong::Remove, &fields, &[problem])),
        );
    }
    portal.parts.registry.remove(&visitor.caller, name).await?;
    Ok(frame::redirect("/"))
}

/// Which of the forms was filled in wrongly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Stage,
    Submit,
    Remove,
}

fn show(
    portal: &Portal,
    visitor: &Visitor,
    entry: &Entry,
    wrong: Option<(Wrong, &Fields, &[Problem])>,
) -> Result<Response, Failure> {
    let token = visitor.token(portal, Purpose::Publish);
    let name = &entry.server.name;
    let here = visitor.here(portal, name);
    let mut page = OnePage::new(
        visitor.shell(portal, format!("Stages of {}", name.short()), "servers"),
        "How mature its versions are, what is handed in again, and the end of it.",
        vec![
            Crumb::new("/", "Servers"),
            Crumb::new(format!("/servers/{name}"), name.as_str()),
        ],
    );
    let mut status = http::StatusCode::OK;
    let parts = [
        (
            Some(Wrong::Stage),
            here.approves.then(|| view::stage(entry)).flatten(),
        ),
        (
            Some(Wrong::Submit),
            here.publishes.then(|| view::submit(entry)).flatten(),
        ),
        (
            None,
            (here.publishes || here.operates).then(|| view::icons(entry)),
        ),
        (Some(Wrong::Remove), here.manages.then(|| view::remove(entry))),
    ];
    for (which, part) in parts {
        let Some(mut part) = part else { continue };
        if let Some((_, fields, problems)) = wrong.filter(|(found, ..)| Some(*found) == which) {
            part.form = part.form.typed(fields).explain(problems);
            status = part.form.status();
        }
        part.form = part.form.token(token.clone());
        page = page.part(part);
    }
    frame::html(status, &page)
}
