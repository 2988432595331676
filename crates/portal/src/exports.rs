//! `GET /exports`: for everyone who is signed in, the files that make hosts use what is approved, and nothing else.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use portreeve_core::name::RegistryName;

use crate::failure::Failure;
use crate::fields::{Fields, Query};
use crate::frame;
use crate::router::Portal;
use crate::view::ExportsPage;
use crate::visitor::Visitor;

pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Query(fields): Query,
) -> Result<Response, Failure> {
    let of = registry(&fields)?;
    let files = portal
        .parts
        .registry
        .exports(&visitor.caller, of.as_ref())
        .await?;
    let page = ExportsPage::new(
        visitor.shell(&portal, "Allow-lists", "exports"),
        &files,
        of.as_ref(),
    );
    frame::html(StatusCode::OK, &page)
}

/// `GET /exports/{format}`: the file itself.
pub(crate) async fn file(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path(format): Path<String>,
    Query(fields): Query,
) -> Result<Response, Failure> {
    let of = registry(&fields)?;
    let file = portal
        .parts
        .registry
        .export(&visitor.caller, &format, of.as_ref())
        .await?;
    let mut response = file.text.into_response();
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    if let Ok(name) = HeaderValue::try_from(format!("attachment; filename=\"{}\"", file.format.file)) {
        headers.insert(CONTENT_DISPOSITION, name);
    }
    Ok(response)
}

/// The registry that the address names, instead of the default one.
fn registry(fields: &Fields) -> Result<Option<RegistryName>, Failure> {
    let named = fields.get("registry").map(str::parse).transpose();
    named.map_err(|_| Failure::NotFound {
        text: "No registry has this name.".to_owned(),
    })
}
