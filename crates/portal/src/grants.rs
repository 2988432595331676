//! `/admin/grants`: who was granted what; given and taken back by who manages it all, or a part of it.

use std::str::FromStr;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use portreeve_access::{AccessError, NewGrant, SubjectName};
use portreeve_core::grant::{Grant, Rights, ServerScope, ToolScope};
use portreeve_core::name::InvalidName;
use portreeve_registry::Problem;

use crate::failure::Failure;
use crate::fields::{Fields, Form, Query};
use crate::forms::Purpose;
use crate::frame;
use crate::router::Portal;
use crate::view::FormView;
use crate::view::grants::{self as view, GrantRow, GrantsPage};
use crate::visitor::Visitor;

pub(crate) async fn list(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Query(fields): Query,
) -> Result<Response, Failure> {
    let subject = fields.text("subject");
    show(&portal, &visitor, (&subject, view::form(&subject))).await
}

async fn show(
    portal: &Portal,
    visitor: &Visitor,
    (subject, form): (&str, FormView),
) -> Result<Response, Failure> {
    visitor.require_known()?;
    let mut all = portal.parts.access.named_grants(&visitor.caller).await?;
    if !subject.is_empty() {
        all.retain(|named| named.subject == subject);
    }
    let status = form.status();
    let page = GrantsPage {
        tabs: crate::view::governance_tabs(visitor.offers(), "/admin/grants"),
        shell: visitor.shell(portal, "Grants", "governance"),
        rows: all.iter().map(GrantRow::new).collect(),
        subject: subject.to_owned(),
        form: form.token(visitor.token(portal, Purpose::Govern)),
    };
    frame::html(status, &page)
}

pub(crate) async fn add(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::Govern, fields.get("csrf"))?;
    let problem = match grant(&portal, &visitor, &fields).await {
        Ok(_) => {
            portal.parts.refresh.refresh().await;
            return Ok(frame::redirect("/admin/grants"));
        }
        Err(Refused::Field(path, message)) => Problem {
            path: path.to_owned(),
            message,
        },
        Err(Refused::Access(AccessError::Invalid { field, problem, .. })) => Problem {
            path: if field == "expiresAt" { "for" } else { "of" }.to_owned(),
            message: problem.to_owned(),
        },
        Err(Refused::Access(error)) => return Err(error.into()),
    };
    let form = view::form("").typed(&fields).explain(&[problem]);
    show(&portal, &visitor, ("", form)).await
}

pub(crate) async fn remove(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::Govern, fields.get("csrf"))?;
    let id = fields.text("grant").parse().map_err(|_| Failure::Form)?;
    portal.parts.access.remove_grant(&visitor.caller, id).await?;
    portal.parts.refresh.refresh().await;
    Ok(frame::redirect("/admin/grants"))
}

/// Why a grant was not made: a field is wrong, or it was refused as a whole.
enum Refused {
    Field(&'static str, String),
    Access(AccessError),
}

impl From<AccessError> for Refused {
    fn from(error: AccessError) -> Self {
        Self::Access(error)
    }
}

async fn grant(portal: &Portal, visitor: &Visitor, fields: &Fields) -> Result<Grant, Refused> {
    let access = &portal.parts.access;
    let typed = fields.text("who");
    let (kind, name) = typed.split_once(':').unwrap_or(("user", &typed));
    let named = match kind {
        "key" => SubjectName::Key(name),
        "user" => SubjectName::User(name),
        "client" => SubjectName::Client(name),
        "group" => SubjectName::Group(name),
        _ => return Err(nobody(&typed)),
    };
    let subject = access.subject_named(&visitor.caller, named).await?;
    let subject = subject.ok_or_else(|| nobody(&typed))?;
    if let SubjectName::Client(id) = named
        && !portal.parts.oauth.is_client(id).await?
    {
        return Err(nobody(&typed));
    }
    let rights = Rights::from_word(&fields.text("rights"));
    let rights = rights.ok_or_else(|| Refused::Field("rights", "choose a role".to_owned()))?;
    let of = fields.text("of");
    let servers = match fields.text("where").as_str() {
        "server" => ServerScope::Server(read(&of)?),
        "namespace" => ServerScope::Namespace(read(&of)?),
        "owner" => ServerScope::Owner(read(&of)?),
        "registry" => ServerScope::Registry(read(&of)?),
        _ if of.is_empty() => ServerScope::All,
        _ => {
            let message = "leave it empty for every server, or choose what it is the name of";
            return Err(Refused::Field("of", message.to_owned()));
        }
    };
    let tools = match fields.get("readOnly") {
        Some(_) => ToolScope::ReadOnly,
        None => ToolScope::All,
    };
    let span =
        crate::access_requests::span(fields).map_err(|problem| Refused::Field("for", problem.message))?;
    let expires_at = span.map(|span| portal.parts.clock.now().plus(span));
    let new = NewGrant {
        subject,
        rights,
        servers,
        tools,
        expires_at,
    };
    Ok(access.add_grant(&visitor.caller, new).await?)
}

fn nobody(typed: &str) -> Refused {
    Refused::Field("who", format!("nobody is known as `{typed}`"))
}

fn read<T: FromStr<Err = InvalidName>>(text: &str) -> Result<T, Refused> {
    text.parse()
        .map_err(|error: InvalidName| Refused::Field("of", error.reason.to_owned()))
}
