//! `/servers/{namespace}/{name}/access`: asking to use a server; `/access-requests/{id}`: deciding about it;
//! `/account/access`: what became of one's own requests.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use portreeve_access::{AccessError, AccessTerms, NewAccessRequest, ShownAccessRequest};
use portreeve_core::access_request::AccessRequestState;
use portreeve_core::grant::ToolScope;
use portreeve_core::id::AccessRequestId;
use portreeve_core::name::ServerName;
use portreeve_core::ports::StoreError;
use portreeve_registry::Problem;

use crate::failure::Failure;
use crate::fields::{Fields, Form};
use crate::forms::Purpose;
use crate::frame;
use crate::named::Named;
use crate::router::Portal;
use crate::view::access_requests::{self as view, AccessRequestsPage};
use crate::view::{Crumb, FormView, OnePage, Part};
use crate::visitor::Visitor;

/// The page on which somebody asks, and sees what became of it.
pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    named: Named,
) -> Result<Response, Failure> {
    let name = named.read()?;
    // What does not exist for the visitor does not exist here, signed in or not.
    let name = portal
        .parts
        .registry
        .entry(&visitor.caller, &name)
        .await?
        .server
        .name;
    if !visitor.is_signed_in() {
        return Ok(frame::sign_in_first(&format!("/servers/{name}/access")));
    }
    show(&portal, &visitor, &name, view::ask_form(&name)).await
}

async fn show(
    portal: &Portal,
    visitor: &Visitor,
    name: &ServerName,
    form: FormView,
) -> Result<Response, Failure> {
    let last = portal
        .parts
        .access_requests
        .last_of(&visitor.caller, name)
        .await?;
    let shell = visitor.shell(portal, "Ask for access", "servers");
    let crumbs = vec![
        Crumb::new("/", "Servers"),
        Crumb::new(format!("/servers/{name}"), name.to_string()),
    ];
    let lede = format!("Ask to use {name}. Whoever may grant it sees who you are, and what you write here.");
    let mut page = OnePage::new(shell, lede, crumbs);
    let token = || visitor.token(portal, Purpose::AskAccess);
    let open = last
        .as_ref()
        .filter(|last| last.state == AccessRequestState::Open);
    if let Some(last) = &last {
        page.findings_title = "Your last request";
        page.findings = view::facts(last);
    }
    let status = form.status();
    match open {
        Some(open) => {
            let form = FormView::new(
                "withdraw",
                format!("/servers/{name}/access/withdraw"),
                "Withdraw it",
            )
            .hide("request", open.request.id)
            .token(token())
            .plain();
            let text = "It waits for somebody who may grant this. To change it, withdraw it and ask again.";
            page = page.part(Part::new("It waits", text, form));
        }
        None => {
            let form = form.token(token());
            page = page.part(Part::new("Ask", "", form));
        }
    }
    frame::html(status, &page)
}

/// Asks.
pub(crate) async fn ask(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    named: Named,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::AskAccess, fields.get("csrf"))?;
    let name = named.read()?;
    let here = format!("/servers/{name}/access");
    let problem = match read(&name, &fields) {
        Ok(new) => match portal.parts.access_requests.ask(&visitor.caller, new).await {
            Ok(_) => return Ok(frame::redirect(&here)),
            // It was asked already, in another window: the page shows it.
            Err(AccessError::Store(StoreError::Conflict { .. })) => return Ok(frame::redirect(&here)),
            Err(error) => problem(error)?,
        },
        Err(problem) => problem,
    };
    let form = view::ask_form(&name).typed(&fields).explain(&[problem]);
    show(&portal, &visitor, &name, form).await
}

fn read(name: &ServerName, fields: &Fields) -> Result<NewAccessRequest, Problem> {
    let tools = match fields.text("tools").as_str() {
        "read-only" => ToolScope::ReadOnly,
        "named" => ToolScope::Named(fields.lines("named")),
        _ => ToolScope::All,
    };
    Ok(NewAccessRequest {
        server: name.clone(),
        tools,
        reason: fields.text("reason"),
        wished: span(fields)?,
    })
}

/// For how long, as it was chosen.
pub(crate) fn span(fields: &Fields) -> Result<Option<Duration>, Problem> {
    let wrong = || Problem {
        path: "for".to_owned(),
        message: "choose one of the times".to_owned(),
    };
    match fields.get("for") {
        None => Ok(None),
        Some(seconds) => seconds
            .parse()
            .map(|seconds| Some(Duration::from_secs(seconds)))
            .map_err(|_| wrong()),
    }
}

/// What belongs to a field of the form; anything else is a page of its own.
fn problem(error: AccessError) -> Result<Problem, Failure> {
    match error {
        AccessError::Invalid { field, problem, .. } => Ok(Problem {
            path: field.to_owned(),
            message: problem.to_owned(),
        }),
        AccessError::Rejected { problem, .. } => Ok(Problem {
            path: String::new(),
            message: problem,
        }),
        error => Err(error.into()),
    }
}

/// Takes a request back.
pub(crate) async fn withdraw(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    named: Named,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::AskAccess, fields.get("csrf"))?;
    let name = named.read()?;
    let id = fields.text("request").parse().map_err(|_| Failure::Form)?;
    match portal.parts.access_requests.withdraw(&visitor.caller, id).await {
        // Somebody decided meanwhile, which the page tells.
        Ok(_) | Err(AccessError::Store(StoreError::Conflict { .. })) => {
            Ok(frame::redirect(&format!("/servers/{name}/access")))
        }
        Err(error) => Err(error.into()),
    }
}

/// The visitor's own requests.
pub(crate) async fn mine(State(portal): State<Arc<Portal>>, visitor: Visitor) -> Result<Response, Failure> {
    visitor.require_known()?;
    let own = portal.parts.access_requests.mine(&visitor.caller).await?;
    let shell = visitor.shell(&portal, "Access you asked for", "account");
    frame::html(StatusCode::OK, &AccessRequestsPage::new(shell, &own))
}

/// One request, for who may decide, and for who asked.
pub(crate) async fn one(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Result<Response, Failure> {
    let id = identity(&id)?;
    if !visitor.is_signed_in() {
        return Ok(frame::sign_in_first(&format!("/access-requests/{id}")));
    }
    show_one(&portal, &visitor, id, None).await
}

/// What is wrong with which of its forms, or with both.
type Wrong = (&'static str, Problem);

async fn show_one(
    portal: &Portal,
    visitor: &Visitor,
    id: AccessRequestId,
    wrong: Option<Wrong>,
) -> Result<Response, Failure> {
    let shown = portal.parts.access_requests.show(&visitor.caller, id).await?;
    let request = &shown.request;
    let shell = visitor.shell(portal, "A request for access", "waiting");
    let crumbs = vec![
        Crumb::new("/admin/waiting?show=access", "Waiting"),
        Crumb::new(format!("/servers/{}", request.server), request.server.to_string()),
    ];
    let mut page = OnePage::new(shell, view::sentence(&shown), crumbs);
    page.findings_title = "The request";
    page.findings = view::facts(&shown);
    let mut status = StatusCode::OK;
    for part in parts(portal, visitor, &shown) {
        let part = match &wrong {
            Some((form, problem)) if *form == part.form.id => Part {
                form: part.form.explain(std::slice::from_ref(problem)),
                ..part
            },
            _ => part,
        };
        page = page.part(part);
    }
    if let Some((form, problem)) = wrong {
        status = match form {
            "" => StatusCode::CONFLICT,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        if form.is_empty() {
            page.findings.insert(0, problem.message);
        }
    }
    frame::html(status, &page)
}

fn parts(portal: &Portal, visitor: &Visitor, shown: &ShownAccessRequest) -> Vec<Part> {
    if !shown.may_decide {
        return Vec::new();
    }
    let token = || visitor.token(portal, Purpose::DecideAccess);
    let id = shown.request.id;
    vec![
        Part::new(
            "Grant it",
            "What was asked for, or less of it. It ends on its own when you set a time.",
            view::grant_form(&shown.request).token(token()),
        ),
        Part::new(
            "Refuse it",
            "Who asked reads what you write.",
            view::refuse_form(id).token(token()),
        ),
    ]
}

/// Grants it.
pub(crate) async fn grant(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::DecideAccess, fields.get("csrf"))?;
    let id = identity(&id)?;
    let span = match span(&fields) {
        Ok(span) => span,
        Err(problem) => return show_one(&portal, &visitor, id, Some(("grant", problem))).await,
    };
    let terms = AccessTerms {
        span,
        tools: match fields.get("tools") {
            Some("read-only") => Some(ToolScope::ReadOnly),
            Some("named") => Some(ToolScope::Named(fields.lines("named"))),
            _ => None,
        },
        note: fields.get("note").map(str::to_owned),
    };
    let requests = &portal.parts.access_requests;
    let granted = requests.grant(&visitor.caller, id, terms).await;
    if granted.is_ok() {
        portal.parts.refresh.refresh().await;
    }
    decided(&portal, &visitor, id, ("grant", granted)).await
}

/// Refuses it.
pub(crate) async fn refuse(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::DecideAccess, fields.get("csrf"))?;
    let id = identity(&id)?;
    let note = fields.text("note");
    let refused = portal
        .parts
        .access_requests
        .refuse(&visitor.caller, id, &note)
        .await;
    decided(&portal, &visitor, id, ("refuse", refused)).await
}

async fn decided(
    portal: &Portal,
    visitor: &Visitor,
    id: AccessRequestId,
    (form, outcome): (&'static str, Result<ShownAccessRequest, AccessError>),
) -> Result<Response, Failure> {
    let wrong = match outcome {
        Ok(_) => return Ok(frame::redirect(&format!("/access-requests/{id}"))),
        Err(AccessError::Store(StoreError::Conflict { .. })) => {
            let message = "Somebody decided about it already, or it was withdrawn. Nothing was changed.";
            let problem = Problem {
                path: String::new(),
                message: message.to_owned(),
            };
            ("", problem)
        }
        Err(error) => (form, problem(error)?),
    };
    show_one(portal, visitor, id, Some(wrong)).await
}

fn identity(id: &str) -> Result<AccessRequestId, Failure> {
    id.parse().map_err(|_| Failure::page_not_found())
}
