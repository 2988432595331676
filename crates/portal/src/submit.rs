//! `GET` and `POST /submit`: hands in a server, or a new version of one, by its URL or by its document.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use portreeve_core::members::{Member, Shows, VirtualServer};
use portreeve_core::server::Approval;
use portreeve_registry::{Approve, Declared, Problem, ProfilePatch, RegistryError, Submission};
use serde_json::{Map, Value, json};

use crate::failure::{self, Failure};
use crate::fields::{Fields, Form};
use crate::forms::Purpose;
use crate::frame;
use crate::profile::values;
use crate::router::Portal;
use crate::view::{Crumb, FormView, OnePage, Part, submit as view};
use crate::visitor::Visitor;

/// The schema that a document made here follows.
const SCHEMA: &str = "https://static.modelcontextprotocol.io/schemas/2025-12-11/server.schema.json";

pub(crate) async fn page(State(portal): State<Arc<Portal>>, visitor: Visitor) -> Result<Response, Failure> {
    visitor.require_known()?;
    show(&portal, &visitor, view::form(visitor.manages()))
}

pub(crate) async fn hand_in(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::Publish, fields.get("csrf"))?;
    let again = |problems: &[Problem]| {
        let form = view::form(visitor.manages()).typed(&fields).explain(problems);
        show(&portal, &visitor, form)
    };
    let (document, declared) = match (document(&fields), declared(&fields)) {
        (Ok(document), Ok(declared)) => (document, declared),
        (document, declared) => {
            let problems = document.err().into_iter().chain(declared.err());
            return again(&problems.flatten().collect::<Vec<_>>());
        }
    };
    let ticked = |name: &str| visitor.manages() && fields.get(name).is_some();
    let submission = Submission {
        document,
        internal: ticked("internal").into(),
        approve: if fields.get("draft").is_some() {
            Approve::Draft
        } else if ticked("approve") {
            Approve::Now
        } else {
            Approve::No
        },
    };
    let registry = &portal.parts.registry;
    match registry.add_declared(&visitor.caller, submission, declared).await {
        Ok(outcome) => {
            let version = &outcome.version;
            let done = match version.approval {
                Approval::Draft => "kept",
                _ if version.is_listed() => "approved",
                _ => "handed-in",
            };
            Ok(frame::redirect(&format!("/servers/{}?done={done}", version.name)))
        }
        Err(RegistryError::Invalid(problems)) => again(&problems),
        Err(
            error @ (RegistryError::State { .. } | RegistryError::Private { .. } | RegistryError::Refused(_)),
        ) => again(&[Problem {
            path: String::new(),
            message: format!("{error}; {}", failure::next(&error)),
        }]),
        Err(error) => Err(error.into()),
    }
}

fn show(portal: &Portal, visitor: &Visitor, form: FormView) -> Result<Response, Failure> {
    let token = visitor.token(portal, Purpose::Publish);
    let status = form.status();
    let page = OnePage::new(
        visitor.shell(portal, "Hand in a server", "servers"),
        "A server that is new here, or a new version of one. It is listed and served once somebody approves it.",
        vec![Crumb::new("/", "Servers")],
    )
    .part(Part::new(
        "What is handed in",
        "Name, URL and version are enough for a remote server; a server.json says all of it, and packages as well.",
        form.token(token),
    ));
    frame::html(status, &page)
}

/// The document that was pasted, or one made of what was typed.
fn document(fields: &Fields) -> Result<String, Vec<Problem>> {
    if let Some(document) = fields.get("document") {
        return Ok(document.to_owned());
    }
    let members = members(fields)?;
    let missing = |name: &str| {
        fields.get(name).is_none().then(|| Problem {
            path: name.to_owned(),
            message: "it is required, unless a server.json says it".to_owned(),
        })
    };
    let required = ["name", "url"].into_iter();
    let required = required.filter(|name| *name == "name" || members.is_none());
    let problems: Vec<Problem> = required.filter_map(missing).collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    let name = fields.text("name");
    let short = name.rsplit('/').next().unwrap_or_default();
    let mut document = Map::new();
    document.insert("$schema".to_owned(), json!(SCHEMA));
    document.insert("name".to_owned(), json!(name));
    if let Some(title) = fields.get("title") {
        document.insert("title".to_owned(), json!(title));
    }
    let described = fields.get("description").map(str::to_owned);
    let described = described.unwrap_or_else(|| format!("The MCP server {short}"));
    document.insert("description".to_owned(), json!(described));
    document.insert(
        "version".to_owned(),
        json!(fields.get("version").unwrap_or("1.0.0")),
    );
    if let Some(url) = fields.get("url") {
        let remotes = json!([{ "type": "streamable-http", "url": url }]);
        document.insert("remotes".to_owned(), remotes);
    }
    if let Some(members) = members {
        members.put(&mut document);
    }
    Ok(Value::from(document).to_string())
}

/// The virtual server that is made of what was typed, if something was.
fn members(fields: &Fields) -> Result<Option<VirtualServer>, Vec<Problem>> {
    let lines = fields.lines("members");
    if lines.is_empty() {
        return Ok(None);
    }
    let parsed = lines.iter().map(|line| line.parse::<Member>());
    let (members, problems): (Vec<_>, Vec<_>) = parsed.partition(Result::is_ok);
    let problems: Vec<Problem> = problems
        .into_iter()
        .filter_map(Result::err)
        .map(|error| Problem {
            path: "_meta".to_owned(),
            message: error.to_string(),
        })
        .collect();
    if !problems.is_empty() {
        return Err(problems);
    }
    let shows = match fields.get("search_tools") {
        Some(_) => Shows::Search,
        None => Shows::All,
    };
    Ok(Some(VirtualServer {
        members: members.into_iter().flatten().collect(),
        shows,
    }))
}

/// What is said beside the document.
fn declared(fields: &Fields) -> Result<Declared, Vec<Problem>> {
    let lines = |name: &str| Some(fields.lines(name)).filter(|lines| !lines.is_empty());
    let metadata = values(fields, "metadata")?;
    Ok(Declared {
        profile: ProfilePatch {
            owner_groups: lines("owner_groups"),
            tags: lines("tags"),
            metadata: Some(metadata).filter(|metadata| !metadata.is_empty()),
            ..ProfilePatch::default()
        },
        ..Declared::default()
    })
}
