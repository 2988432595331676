//! `/admin/registries/{registry}`: who reads a registry, what it holds, what a reader sees; made, changed and deleted here.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use portreeve_core::decision::{Action, Target};
use portreeve_core::name::RegistryName;
use portreeve_core::ports::Authorizer;
use portreeve_core::view::{Readers, RegistryRecord, Selection};
use portreeve_registry::{ListParams, Problem, RegistryError, RegistryPatch, ServedPage};

use crate::failure::Failure;
use crate::fields::{Fields, Form, Parsed};
use crate::forms::Purpose;
use crate::frame;
use crate::router::Portal;
use crate::view::{FormView, RegistryPage, registry as view};
use crate::visitor::Visitor;

pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Result<Response, Failure> {
    let record = found(&portal, &visitor, &name).await?;
    let form = edit_form(&portal, &record).await?;
    show(&portal, &visitor, &record, form).await
}

/// Makes a registry, and leads to its page.
pub(crate) async fn create(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::Govern, fields.get("csrf"))?;
    let name: RegistryName = crate::governed::named(&fields)?;
    let patch = RegistryPatch {
        title: fields.get("title").map(str::to_owned),
        ..RegistryPatch::default()
    };
    let registry = &portal.parts.registry;
    let made = registry.create_registry(&visitor.caller, name, patch).await?;
    Ok(frame::redirect(&format!("/admin/registries/{}", made.name)))
}

/// Changes a registry at the revision that was shown.
pub(crate) async fn change(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path(name): Path<String>,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::Govern, fields.get("csrf"))?;
    let record = found(&portal, &visitor, &name).await?;
    let revision = fields.revision();
    let registry = &portal.parts.registry;
    let problems = match patch(&record, &fields) {
        Ok(patch) => match registry
            .change_registry(&visitor.caller, &record.name, patch, revision)
            .await
        {
            Ok(_) => return Ok(frame::redirect(&format!("/admin/registries/{}", record.name))),
            Err(RegistryError::Invalid(problems)) => problems,
            Err(error) => return Err(error.into()),
        },
        Err(problems) => problems,
    };
    let form = edit_form(&portal, &record)
        .await?
        .typed(&fields)
        .explain(&problems);
    show(&portal, &visitor, &record, form).await
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
    let revision = fields.revision();
    registry
        .remove_registry(&visitor.caller, &record.name, revision)
        .await?;
    Ok(frame::redirect("/registries"))
}

async fn found(portal: &Portal, visitor: &Visitor, name: &str) -> Result<RegistryRecord, Failure> {
    let name: RegistryName = name.parse().map_err(|_| Failure::NotFound {
        text: "No registry has this address.".to_owned(),
    })?;
    let record = portal.parts.registry.registry(&visitor.caller, &name).await?;
    let target = Target::Registry(&record.name);
    let decision = portal.parts.access.may(&visitor.caller, Action::Operate, &target);
    visitor.require(decision.is_permit())?;
    Ok(record)
}

async fn edit_form(portal: &Portal, record: &RegistryRecord) -> Result<FormView, Failure> {
    let environments = portal.parts.registry.environments().await?;
    Ok(view::form(record, &environments))
}

async fn show(
    portal: &Portal,
    visitor: &Visitor,
    record: &RegistryRecord,
    form: FormView,
) -> Result<Response, Failure> {
    let token = visitor.token(portal, Purpose::Govern);
    let status = form.status();
    let shell = visitor.shell(portal, record.title.clone(), "governance");
    let shown = preview(portal, visitor, record).await?;
    let page = RegistryPage::new(shell, record, portal.origin(), &shown).forms(form, &token);
    frame::html(status, &page)
}

/// What a reader sees: all of them see the same.
async fn preview(
    portal: &Portal,
    visitor: &Visitor,
    record: &RegistryRecord,
) -> Result<ServedPage, RegistryError> {
    let registry = &portal.parts.registry;
    let view = registry.view(Some(&record.name), Some(&visitor.caller))?;
    let params = ListParams {
        version: Some("latest".to_owned()),
        limit: Some("20".to_owned()),
        ..ListParams::default()
    };
    registry.serve_list_in(&view, &params).await
}

/// What the form says; everything that cannot be read, by its field.
fn patch(record: &RegistryRecord, fields: &Fields) -> Result<RegistryPatch, Vec<Problem>> {
    let mut read = Parsed::default();
    let visibility = match fields.get("visibility") {
        Some("anonymous") => Readers::Anonymous,
        Some("only") => Readers::Only(fields.lines("readers").into_iter().collect()),
        _ => Readers::Members,
    };
    let selection = (record.name != RegistryName::main()).then(|| Selection {
        tags: fields.lines("tags").into_iter().collect(),
        environments: read
            .all("selection.environments", fields.all("environments"))
            .into_iter()
            .collect(),
        lifecycles: fields
            .all("lifecycles")
            .filter_map(portreeve_core::server::Lifecycle::from_word)
            .collect(),
        namespaces: read
            .lines("selection.namespaces", fields, "namespaces")
            .into_iter()
            .collect(),
    });
    let patch = RegistryPatch {
        title: Some(fields.text("title")),
        description: Some(fields.text("description")),
        visibility: Some(visibility),
        selection,
        auto_approve: Some(read.lines("autoApprove", fields, "auto_approve")),
        approver_differs: Some(fields.get("approver_differs").is_some()),
    };
    read.finish(patch)
}
