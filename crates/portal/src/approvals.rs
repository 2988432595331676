//! `/approvals`: calls that a person must allow first, and `/approvals/{id}`: one of them, with its very arguments. Hosts
//! send their users there.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use portreeve_access::AccessError;
use portreeve_core::id::ApprovalId;

use crate::failure::Failure;
use crate::fields::Form;
use crate::forms::Purpose;
use crate::frame;
use crate::router::Portal;
use crate::view::{ApprovalPage, ApprovalsPage};
use crate::visitor::Visitor;

/// Calls on the page.
const PAGE: usize = 100;

pub(crate) async fn list(State(portal): State<Arc<Portal>>, visitor: Visitor) -> Result<Response, Failure> {
    visitor.require_known()?;
    let all = portal.parts.approvals.list(&visitor.caller, None, PAGE).await?;
    let shell = visitor.shell(&portal, "Calls that wait", "approvals");
    frame::html(StatusCode::OK, &ApprovalsPage::new(shell, &all))
}

pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let id = identity(&id)?;
    if !visitor.is_signed_in() {
        return Ok(frame::sign_in_first(&format!("/approvals/{id}")));
    }
    show(&portal, &visitor, id, StatusCode::OK, None).await
}

async fn show(
    portal: &Portal,
    visitor: &Visitor,
    id: ApprovalId,
    status: StatusCode,
    problem: Option<String>,
) -> Result<Response, Failure> {
    let shown = portal.parts.approvals.show(&visitor.caller, id).await?;
    let token = visitor.token(portal, Purpose::DecideCall);
    let shell = visitor.shell(portal, "Allow this call?", "approvals");
    let now = portal.parts.clock.now();
    frame::html(status, &ApprovalPage::new(shell, &shown, (token, problem), now))
}

/// Allows the call, or does not.
pub(crate) async fn decide(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::DecideCall, fields.get("csrf"))?;
    let id = identity(&id)?;
    let allowed = match fields.get("decision") {
        Some("allow") => true,
        Some("deny") => false,
        _ => return Err(Failure::Form),
    };
    let reason = fields.get("reason").map(str::to_owned);
    match portal
        .parts
        .approvals
        .decide(&visitor.caller, id, allowed, reason)
        .await
    {
        Ok(_) => Ok(frame::redirect(&format!("/approvals/{id}"))),
        Err(error @ (AccessError::Decided | AccessError::Invalid { .. })) => {
            let problem = Some(error.to_string());
            show(&portal, &visitor, id, StatusCode::CONFLICT, problem).await
        }
        Err(error) => Err(error.into()),
    }
}

fn identity(id: &str) -> Result<ApprovalId, Failure> {
    id.parse().map_err(|_| Failure::page_not_found())
}
