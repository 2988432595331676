//! `/admin/imports`: runs that took entries over from elsewhere, how a new one begins, and sources that are read again and
//! again. `/admin/imports/{import}`: the report of one.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Multipart, Path, State};
use axum::response::Response;
use http::StatusCode;
use portreeve_core::id::ImportId;
use portreeve_core::import::{ImportApproval, ImportKind, ImportMode};
use portreeve_registry::import::{NewImport, NewSchedule};
use portreeve_registry::{Internal, RegistryError, WaitingQuery};

use crate::failure::Failure;
use crate::fields::{Fields, Form, Query};
use crate::forms::Purpose;
use crate::router::Portal;
use crate::view::{FormView, ImportPage, ImportsPage, ScheduleRow, imports as view};
use crate::visitor::Visitor;
use crate::{frame, upload};

/// Runs and records of one page.
const PAGE: u32 = 50;

/// The runs, with the forms that begin another one.
pub(crate) async fn list(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Query(fields): Query,
) -> Result<Response, Failure> {
    show(
        &portal,
        &visitor,
        &fields,
        [view::registry_form(), view::files_form()],
    )
    .await
}

async fn show(
    portal: &Portal,
    visitor: &Visitor,
    fields: &Fields,
    forms: [FormView; 2],
) -> Result<Response, Failure> {
    let registry = &portal.parts.registry;
    let after = fields.get("after").and_then(|id| id.parse().ok());
    let page = registry.imports(&visitor.caller, after, Some(PAGE)).await?;
    let schedules = registry.import_schedules(&visitor.caller).await?;
    let token = visitor.token(portal, Purpose::Import);
    let status = forms.iter().map(FormView::status).max().unwrap_or_default();
    let page = ImportsPage {
        rows: page.items.iter().map(view::RunRow::new).collect(),
        next: page.next.map(|id| format!("/admin/imports?after={id}")),
        schedules: schedules.iter().map(ScheduleRow::new).collect(),
        forms: forms.map(|form| form.token(token.clone())),
        token,
        tabs: crate::view::governance_tabs(visitor.offers(), "/admin/imports"),
        shell: visitor.shell(portal, "Imports", "governance"),
    };
    frame::html(status, &page)
}

/// Reads a registry, once or again and again.
pub(crate) async fn begin_registry(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::Import, fields.get("csrf"))?;
    let registry = Arc::clone(&portal.parts.registry);
    let every = fields.get("every").and_then(|seconds| seconds.parse().ok());
    let refused = match every {
        Some(seconds) => {
            let asked = NewSchedule {
                origin: fields.text("origin"),
                every: Duration::from_secs(seconds),
                approval: approval(&fields),
                internal: internal(&fields),
                login: None,
            };
            match registry.schedule_import(&visitor.caller, asked).await {
                Ok(_) => return Ok(frame::redirect("/admin/imports#schedules")),
                Err(error) => error,
            }
        }
        None => {
            let asked = asked(&fields, ImportKind::Registry, fields.text("origin"));
            match registry
                .begin_fetch(&visitor.caller, asked, internal(&fields))
                .await
            {
                Ok(fetch) => {
                    let to = format!("/admin/imports/{}", fetch.run().id);
                    // It goes on after the answer, as one that was begun over the API.
                    tokio::spawn(async move {
                        if let Err(error) = registry.fetch(&visitor.caller, fetch).await {
                            tracing::warn!(%error, "A registry could not be imported.");
                        }
                    });
                    return Ok(frame::redirect(&to));
                }
                Err(error) => error,
            }
        }
    };
    let form = explained(view::registry_form_with(&fields), refused)?;
    show(&portal, &visitor, &Fields::default(), [form, view::files_form()]).await
}

/// Takes uploaded files in.
pub(crate) async fn begin_files(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    form: Multipart,
) -> Result<Response, Failure> {
    let sent = upload::read(&portal, &visitor, Purpose::Import, form).await?;
    let fields = &sent.fields;
    let kind = ImportKind::from_word(&fields.text("kind")).ok_or(Failure::Form)?;
    let origin = match (fields.get("name"), sent.files.first()) {
        (Some(name), _) => name.to_owned(),
        (None, Some(file)) => file.place.clone(),
        (None, None) => "upload".to_owned(),
    };
    let registry = Arc::clone(&portal.parts.registry);
    let asked = asked(fields, kind, origin);
    match registry.begin_intake(&visitor.caller, asked, sent.files).await {
        Ok(intake) => {
            let to = format!("/admin/imports/{}", intake.run().id);
            tokio::spawn(async move {
                if let Err(error) = registry.take_in(&visitor.caller, intake).await {
                    tracing::warn!(%error, "Uploaded files could not be imported.");
                }
            });
            Ok(frame::redirect(&to))
        }
        Err(error) => {
            let form = explained(view::files_form_with(fields), error)?;
            show(
                &portal,
                &visitor,
                &Fields::default(),
                [view::registry_form(), form],
            )
            .await
        }
    }
}

/// Reads a source no more.
pub(crate) async fn unschedule(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::Import, fields.get("csrf"))?;
    let registry = &portal.parts.registry;
    registry
        .unschedule_import(&visitor.caller, &fields.text("origin"))
        .await?;
    Ok(frame::redirect("/admin/imports#schedules"))
}

/// The report of one run.
pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(fields): Query,
) -> Result<Response, Failure> {
    let id: ImportId = id.parse().map_err(|_| Failure::NotFound {
        text: "No import has this address.".to_owned(),
    })?;
    let (registry, caller) = (&portal.parts.registry, &visitor.caller);
    let run = registry.import(caller, id).await?;
    let after = fields
        .get("after")
        .and_then(|after| after.parse().ok())
        .unwrap_or(0);
    let records = registry.import_records(caller, id, after, Some(PAGE)).await?;
    let waits = WaitingQuery {
        import: Some(id),
        limit: Some(1),
        ..WaitingQuery::default()
    };
    let waits = registry.waiting(caller, waits).await?;
    let page = ImportPage::new(visitor.shell(&portal, "Import", "governance"), &run)
        .records(&records)
        .waits(!waits.items.is_empty());
    if fields.get("part") == Some("progress") {
        return frame::html(StatusCode::OK, &page.as_progress());
    }
    frame::html(StatusCode::OK, &page)
}

fn asked(fields: &Fields, kind: ImportKind, origin: String) -> NewImport {
    NewImport {
        kind,
        origin,
        mode: match fields.get("dry_run") {
            Some(_) => ImportMode::DryRun,
            None => ImportMode::Apply,
        },
        approval: approval(fields),
    }
}

fn approval(fields: &Fields) -> ImportApproval {
    let namespaces = fields.lines("namespaces");
    // Without a number, the score does not matter; what is no number is refused like one that is too large.
    let minimum_score = fields
        .get("minimum_score")
        .map(str::trim)
        .filter(|text| !text.is_empty())
        .map(|text| text.parse().unwrap_or(u8::MAX));
    match fields.get("approve") {
        Some("all") => ImportApproval {
            all: true,
            namespaces: Vec::new(),
            minimum_score,
        },
        Some("namespaces") => ImportApproval {
            all: false,
            namespaces,
            minimum_score,
        },
        _ => ImportApproval::default(),
    }
}

fn internal(fields: &Fields) -> Internal {
    (fields.get("internal") == Some("yes")).into()
}

/// The form again, with what is wrong; everything else is a page of its own.
fn explained(form: FormView, error: RegistryError) -> Result<FormView, Failure> {
    match error {
        RegistryError::Invalid(problems) => Ok(form.explain(&problems)),
        other => Err(other.into()),
    }
}
