//! `/admin/properties/{property}`: one custom property, who fails because of it, changed and deleted.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use portreeve_core::name::PropertyName;
use portreeve_core::property::{Need, PropertyOwner};
use portreeve_registry::{Defined, Problem, PropertyPatch, RegistryError};

use crate::failure::Failure;
use crate::fields::{Fields, Form};
use crate::forms::Purpose;
use crate::router::Portal;
use crate::view::{Crumb, FormView, OnePage, Part, property as view};
use crate::visitor::Visitor;
use crate::{frame, words};

pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Result<Response, Failure> {
    let defined = found(&portal, &visitor, &name).await?;
    show(&portal, &visitor, &defined, view::form(&defined.record))
}

/// Changes a property at the revision that was shown.
pub(crate) async fn change(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path(name): Path<String>,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::Govern, fields.get("csrf"))?;
    let defined = found(&portal, &visitor, &name).await?;
    let registry = &portal.parts.registry;
    let problems = match patch(&fields) {
        Ok(patch) => match registry
            .change_property(&visitor.caller, &defined.record.name, patch, fields.revision())
            .await
        {
            // Who fails by now stands there.
            Ok(_) => {
                let to = format!("/admin/properties/{}", defined.record.name);
                return Ok(frame::redirect(&to));
            }
            Err(RegistryError::Invalid(problems)) => problems,
            Err(error) => return Err(error.into()),
        },
        Err(problem) => vec![problem],
    };
    let form = view::form(&defined.record).typed(&fields).explain(&problems);
    show(&portal, &visitor, &defined, form)
}

pub(crate) async fn delete(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path(name): Path<String>,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::Govern, fields.get("csrf"))?;
    let defined = found(&portal, &visitor, &name).await?;
    let registry = &portal.parts.registry;
    registry
        .remove_property(&visitor.caller, &defined.record.name, fields.revision())
        .await?;
    Ok(frame::redirect("/admin/properties"))
}

async fn found(portal: &Portal, visitor: &Visitor, name: &str) -> Result<Defined, Failure> {
    visitor.require(visitor.offers().operates)?;
    let name: PropertyName = name.parse().map_err(|_| Failure::NotFound {
        text: "No property has this address.".to_owned(),
    })?;
    Ok(portal.parts.registry.property(&visitor.caller, &name).await?)
}

fn show(portal: &Portal, visitor: &Visitor, defined: &Defined, form: FormView) -> Result<Response, Failure> {
    let record = &defined.record;
    let token = visitor.token(portal, Purpose::Govern);
    let shell = visitor.shell(portal, words::visible(&record.title), "governance");
    let status = form.status();
    let mut page = OnePage::new(
        shell,
        format!("{}: a {} that servers, environments or deployments have.", record.name, record.kind),
        vec![Crumb::new("/admin/properties", "Properties")],
    )
    .part(Part::new(
        "Change it",
        "What does not meet it any more is served on, and has to be mended before its next submission or approval.",
        form.token(token.clone()),
    ))
    .part(view::delete(record, token));
    page.findings_title = "What does not meet it";
    page.findings = view::failing(defined);
    frame::html(status, &page)
}

/// What the form says.
fn patch(fields: &Fields) -> Result<PropertyPatch, Problem> {
    let schema = serde_json::from_str(&fields.text("schema")).map_err(|error| Problem {
        path: "schema".to_owned(),
        message: format!("it is not JSON: {error}"),
    })?;
    let mut assignments = BTreeMap::new();
    for owner in [
        PropertyOwner::Server,
        PropertyOwner::Environment,
        PropertyOwner::Deployment,
    ] {
        if let Some(need) = fields.get(owner.as_str()).and_then(Need::from_word) {
            assignments.insert(owner, need);
        }
    }
    Ok(PropertyPatch {
        schema: Some(schema),
        assignments: Some(assignments),
        title: Some(fields.text("title")),
        description: Some(fields.text("description")),
    })
}
