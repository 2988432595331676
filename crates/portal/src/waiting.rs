//! `GET /admin/waiting`: everything that waits for its visitor's decision, in one list; and `POST
//! /admin/waiting/approve`: approvals of many versions that were looked at there.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use portreeve_core::ports::WaitingKind;
use portreeve_registry::{Proposal, RegistryError, WaitingQuery};
use url::form_urlencoded::Serializer;

use crate::failure::Failure;
use crate::fields::{Fields, Form, Query};
use crate::forms::Purpose;
use crate::frame;
use crate::router::Portal;
use crate::view::access_requests::AccessRow;
use crate::view::{DecidedPage, FailingRow, WaitingBulk, WaitingFilter, WaitingPage, WaitingRow};
use crate::visitor::Visitor;

/// Things of one page: as many as may be approved at once.
const PAGE: u32 = 50;

/// Requests for access above everything else that waits.
const ABOVE: usize = 10;

pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Query(fields): Query,
) -> Result<Response, Failure> {
    let filter = WaitingFilter::read(fields.get("show"), fields.get("import"));
    if filter == WaitingFilter::Failing {
        return failing(&portal, &visitor, &fields).await;
    }
    if filter == WaitingFilter::Access {
        return access(&portal, &visitor, &fields).await;
    }
    let import = fields.get("import").and_then(|id| id.parse().ok());
    let query = WaitingQuery {
        kind: match filter {
            WaitingFilter::Versions | WaitingFilter::Flagged | WaitingFilter::Import => {
                Some(WaitingKind::Version)
            }
            WaitingFilter::Deployments => Some(WaitingKind::Deployments),
            WaitingFilter::Tools => Some(WaitingKind::Tools),
            WaitingFilter::Everything | WaitingFilter::Failing | WaitingFilter::Access => None,
        },
        import,
        flagged: filter == WaitingFilter::Flagged,
        cursor: fields.get("cursor").map(str::to_owned),
        limit: Some(PAGE),
    };
    let here = address(&fields, None);
    let found = match portal.parts.registry.waiting(&visitor.caller, query).await {
        // A cursor from before a restart: the list begins anew instead of ending in an error.
        Err(RegistryError::BadCursor) => return Ok(frame::redirect(&here)),
        other => other?,
    };
    let next = found.next_cursor.as_deref();
    // What people wait for stands on the first page of everything, too.
    let access = match (filter, fields.get("cursor")) {
        (WaitingFilter::Everything, None) => {
            let requests = &portal.parts.access_requests;
            requests.list(&visitor.caller, None, ABOVE).await?.items
        }
        _ => Vec::new(),
    };
    let page = WaitingPage {
        access: access.iter().map(AccessRow::new).collect(),
        rows: found.items.iter().map(WaitingRow::new).collect(),
        next: next.map(|cursor| address(&fields, Some(cursor))),
        bulk: import
            .filter(|_| visitor.offers().approves)
            .map(|import| WaitingBulk {
                token: visitor.token(&portal, Purpose::ApproveMany),
                import: import.to_string(),
            }),
        is_bulk: import.is_some(),
        ..WaitingPage::new(visitor.shell(&portal, "Waiting for you", "waiting"), filter)
    };
    frame::html(StatusCode::OK, &page)
}

async fn failing(portal: &Portal, visitor: &Visitor, fields: &Fields) -> Result<Response, Failure> {
    let cursor = fields.get("cursor");
    let registry = &portal.parts.registry;
    let found = registry
        .failing_servers(&visitor.caller, cursor, Some(PAGE))
        .await?;
    let next = found.next.as_deref();
    let shell = visitor.shell(portal, "Waiting for you", "waiting");
    let page = WaitingPage {
        failing: found.items.iter().map(FailingRow::new).collect(),
        next: next.map(|cursor| address(fields, Some(cursor))),
        ..WaitingPage::new(shell, WaitingFilter::Failing)
    };
    frame::html(StatusCode::OK, &page)
}

/// Requests for access that the visitor may decide about.
async fn access(portal: &Portal, visitor: &Visitor, fields: &Fields) -> Result<Response, Failure> {
    visitor.require_known()?;
    let after = fields.get("cursor").and_then(|id| id.parse().ok());
    let requests = &portal.parts.access_requests;
    let found = requests.list(&visitor.caller, after, PAGE as usize).await?;
    let next = found.next.map(|next| address(fields, Some(&next.to_string())));
    let shell = visitor.shell(portal, "Waiting for you", "waiting");
    let page = WaitingPage {
        access: found.items.iter().map(AccessRow::new).collect(),
        next,
        ..WaitingPage::new(shell, WaitingFilter::Access)
    };
    frame::html(StatusCode::OK, &page)
}

/// Approves what was chosen, each as it was seen, and shows what became of it.
pub(crate) async fn approve(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::ApproveMany, fields.get("csrf"))?;
    let chosen: Option<Vec<Proposal>> = fields.all("seen").map(proposal).collect();
    let chosen = chosen.ok_or(Failure::Form)?;
    if chosen.is_empty() {
        return Err(Failure::Invalid {
            text: "Nothing was chosen.".to_owned(),
            hint: "Go back and tick what shall be approved.".to_owned(),
        });
    }
    let registry = &portal.parts.registry;
    let decisions = registry.approve_many(&visitor.caller, chosen).await?;
    // The next visitor finds out again how much is left.
    let visitor = visitor.again(&portal).await;
    let shell = visitor.shell(&portal, "What became of it", "waiting");
    frame::html(
        StatusCode::OK,
        &DecidedPage::new(shell, &decisions, fields.get("import")),
    )
}

/// `com.acme/billing HASH 1.0.0`: only the version may hold spaces.
fn proposal(seen: &str) -> Option<Proposal> {
    let mut parts = seen.splitn(3, ' ');
    Some(Proposal {
        name: parts.next()?.parse().ok()?,
        content_hash: parts.next()?.to_owned(),
        version: parts.next()?.parse().ok()?,
        // What brings deployments into force is decided on the page that shows them.
        plan: None,
    })
}

/// The same list, perhaps continued.
fn address(fields: &Fields, cursor: Option<&str>) -> String {
    let mut parts = Serializer::new(String::new());
    for name in ["show", "import"] {
        if let Some(value) = fields.get(name) {
            parts.append_pair(name, value);
        }
    }
    if let Some(cursor) = cursor {
        parts.append_pair("cursor", cursor);
    }
    let query = parts.finish();
    if query.is_empty() {
        "/admin/waiting".to_owned()
    } else {
        format!("/admin/waiting?{query}")
    }
}
