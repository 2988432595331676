//! `imports`: entries taken over from elsewhere, and registries that are read again and again.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use portreeve_core::id::ImportId;
use portreeve_core::import::{ImportKind, ImportMode};
use portreeve_registry::import::{self, Record};
use serde::Deserialize;
use utoipa::IntoParams;

use super::servers::Pages;
use crate::Api;
use crate::content::{Content, LargeContent, MaybeContent};
use crate::credential::Known;
use crate::paging;
use crate::problem::Problem;
use crate::query::{PathParts, Query, server_name};
use crate::shapes::List;
use crate::shapes::import::{
    EndedSchedule, ImportShape, NewImport, NewSchedule, OriginShape, RecordShape, ScheduleShape, TakenShape,
    Upload,
};
use crate::shapes::server::Nothing;

/// Which part of a list.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Part {
    /// The `nextCursor` of the page before.
    cursor: Option<String>,
    /// Items on the page, 1 to 500; 100 unless given.
    limit: Option<u64>,
}

/// Begin an import
///
/// A registry is read by this node from now on; follow it with `getImport`. Of other sources the records are uploaded
/// next, and the import is finished when all of them were.
#[utoipa::path(
    post, path = "/api/v1/imports", tag = "imports", operation_id = "beginImport",
    request_body = NewImport, responses((status = 201, body = ImportShape))
)]
pub(crate) async fn begin(
    State(api): State<Api>,
    Known(caller): Known,
    Content(new): Content<NewImport>,
) -> Result<(StatusCode, Json<ImportShape>), Problem> {
    let asked = import::NewImport {
        kind: new.kind,
        origin: new.origin,
        mode: if new.dry_run {
            ImportMode::DryRun
        } else {
            ImportMode::Apply
        },
        approval: new.approval.into(),
    };
    if asked.kind != ImportKind::Registry {
        let run = api.registry.begin_import(&caller, asked).await?;
        return Ok((StatusCode::CREATED, Json(ImportShape::new(&run))));
    }
    let fetch = api
        .registry
        .begin_fetch(&caller, asked, new.internal.into())
        .await?;
    let shape = ImportShape::new(fetch.run());
    let registry = Arc::clone(&api.registry);
    // It goes on after the answer; should this node stop, the next run of the source goes on where it broke off.
    tokio::spawn(async move {
        if let Err(error) = registry.fetch(&caller, fetch).await {
            tracing::warn!(%error, "A registry could not be imported.");
        }
    });
    Ok((StatusCode::CREATED, Json(shape)))
}

/// List the imports, newest first
#[utoipa::path(
    get, path = "/api/v1/imports", tag = "imports", operation_id = "listImports",
    params(Part), responses((status = 200, body = List<ImportShape>))
)]
pub(crate) async fn list(
    State(api): State<Api>,
    Known(caller): Known,
    Query(part): Query<Part>,
) -> Result<Json<List<ImportShape>>, Problem> {
    let after = part.cursor.as_deref().map(import_id).transpose()?;
    let page = api.registry.imports(&caller, after, limit(part.limit)?).await?;
    Ok(Json(List {
        items: page.items.iter().map(ImportShape::new).collect(),
        next_cursor: page.next.map(|id| id.to_string()),
    }))
}

/// Show an import
#[utoipa::path(
    get, path = "/api/v1/imports/{import}", tag = "imports", operation_id = "getImport",
    params(("import" = String, Path, description = "The import")),
    responses((status = 200, body = ImportShape))
)]
pub(crate) async fn show(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(id): PathParts<String>,
) -> Result<Json<ImportShape>, Problem> {
    let run = api.registry.import(&caller, import_id(&id)?).await?;
    Ok(Json(ImportShape::new(&run)))
}

/// List the records of an import about which something is to be said
#[utoipa::path(
    get, path = "/api/v1/imports/{import}/records", tag = "imports", operation_id = "listImportRecords",
    params(("import" = String, Path, description = "The import"), Part),
    responses((status = 200, body = List<RecordShape>))
)]
pub(crate) async fn records(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(id): PathParts<String>,
    Query(part): Query<Part>,
) -> Result<Json<List<RecordShape>>, Problem> {
    let after = match part.cursor.as_deref() {
        None | Some("") => 0,
        Some(text) => text
            .parse()
            .map_err(|_| Problem::bad_request("the query is wrong: the cursor is not of this list"))?,
    };
    let page = api
        .registry
        .import_records(&caller, import_id(&id)?, after, limit(part.limit)?)
        .await?;
    Ok(Json(List {
        items: page.items.iter().map(RecordShape::new).collect(),
        next_cursor: page.next.map(|position| position.to_string()),
    }))
}

/// Upload records of an import
///
/// All of them are taken in, or none. What was there already is found again, so an upload may be repeated.
#[utoipa::path(
    post, path = "/api/v1/imports/{import}/records", tag = "imports", operation_id = "uploadImportRecords",
    params(("import" = String, Path, description = "The import")),
    request_body = Upload, responses((status = 200, body = TakenShape))
)]
pub(crate) async fn upload(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(id): PathParts<String>,
    LargeContent(upload): LargeContent<Upload>,
) -> Result<Json<TakenShape>, Problem> {
    let records = upload.records.into_iter().map(|record| Record {
        place: record.place,
        text: record.text,
    });
    let taken = api
        .registry
        .take_records(&caller, import_id(&id)?, records.collect())
        .await?;
    Ok(Json(TakenShape::new(&taken)))
}

/// Finish an import
#[utoipa::path(
    post, path = "/api/v1/imports/{import}/finish", tag = "imports", operation_id = "finishImport",
    params(("import" = String, Path, description = "The import")),
    request_body = Option<Nothing>, responses((status = 200, body = ImportShape))
)]
pub(crate) async fn finish(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(id): PathParts<String>,
    MaybeContent(Nothing {}): MaybeContent<Nothing>,
) -> Result<Json<ImportShape>, Problem> {
    let run = api.registry.finish_import(&caller, import_id(&id)?).await?;
    Ok(Json(ImportShape::new(&run)))
}

/// List the registries that are read again and again
#[utoipa::path(
    get, path = "/api/v1/import-schedules", tag = "imports", operation_id = "listImportSchedules",
    params(crate::paging::Paging), responses((status = 200, body = List<ScheduleShape>))
)]
pub(crate) async fn schedules(
    State(api): State<Api>,
    Known(caller): Known,
    Query(paging): Pages,
) -> Result<Json<List<ScheduleShape>>, Problem> {
    let schedules = api.registry.import_schedules(&caller).await?;
    let page = paging.page(schedules, |schedule| schedule.origin.clone())?;
    Ok(Json(List {
        items: page.items.iter().map(ScheduleShape::new).collect(),
        next_cursor: page.next_cursor,
    }))
}

/// Read a registry again and again
///
/// Each run takes in what changed since the one before.
#[utoipa::path(
    post, path = "/api/v1/import-schedules", tag = "imports", operation_id = "scheduleImport",
    request_body = NewSchedule, responses((status = 201, body = ScheduleShape))
)]
pub(crate) async fn schedule(
    State(api): State<Api>,
    Known(caller): Known,
    Content(new): Content<NewSchedule>,
) -> Result<(StatusCode, Json<ScheduleShape>), Problem> {
    let asked = import::NewSchedule {
        origin: new.origin,
        every: Duration::from_secs(new.every_seconds),
        approval: new.approval.into(),
        internal: new.internal.into(),
        login: new.login,
    };
    let schedule = api.registry.schedule_import(&caller, asked).await?;
    Ok((StatusCode::CREATED, Json(ScheduleShape::new(&schedule))))
}

/// Read a registry no more
///
/// What came from it stays.
#[utoipa::path(
    post, path = "/api/v1/import-schedules/end", tag = "imports", operation_id = "endImportSchedule",
    request_body = EndedSchedule, responses((status = 204))
)]
pub(crate) async fn unschedule(
    State(api): State<Api>,
    Known(caller): Known,
    Content(ended): Content<EndedSchedule>,
) -> Result<StatusCode, Problem> {
    api.registry.unschedule_import(&caller, &ended.origin).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Show where the versions of a server came from
///
/// As far as they were imported: from which source, when, what was noticed, and the record as it came.
#[utoipa::path(
    get, path = "/api/v1/servers/{name}/origins", tag = "imports", operation_id = "listOrigins",
    params(
        ("name" = String, Path, description = "The server's name, encoded or as two segments"),
        crate::paging::Paging
    ),
    responses((status = 200, body = List<OriginShape>))
)]
pub(crate) async fn origins(
    State(api): State<Api>,
    Known(caller): Known,
    PathParts(name): PathParts<String>,
    Query(paging): Pages,
) -> Result<Json<List<OriginShape>>, Problem> {
    let origins = api.registry.origins(&caller, &server_name(&name)?).await?;
    let page = paging.page(origins, |origin| origin.version.to_string())?;
    Ok(Json(List {
        items: page.items.iter().map(OriginShape::new).collect(),
        next_cursor: page.next_cursor,
    }))
}

pub(super) fn import_id(text: &str) -> Result<ImportId, Problem> {
    text.parse().map_err(|_| {
        let shown: String = text.chars().take(100).collect();
        Problem::not_found(format!("import `{shown}`"))
    })
}

pub(super) fn limit(limit: Option<u64>) -> Result<Option<u32>, Problem> {
    let limit = limit.map(|limit| paging::limit(Some(limit))).transpose()?;
    Ok(limit.and_then(|limit| u32::try_from(limit).ok()))
}
