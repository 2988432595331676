//! `GET` and `POST /servers/{namespace}/{name}/profile`: what people say about a server; and `POST .../values`: what they
//! say about one version of it.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use portreeve_core::ports::Entry;
use portreeve_core::profile::{Contact, ExternalDocument, Metadata, UseCase};
use portreeve_registry::{Problem, ProfilePatch, RegistryError};
use serde_json::Value;

use crate::failure::Failure;
use crate::fields::{Fields, Form};
use crate::forms::Purpose;
use crate::frame;
use crate::named::Named;
use crate::router::Portal;
use crate::view::{Crumb, FormView, OnePage, Part, profile_form as view};
use crate::visitor::Visitor;

pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    named: Named,
) -> Result<Response, Failure> {
    let entry = named.to_publish(&portal, &visitor).await?;
    let (profile, values) = (view::profile(&entry), view::values(&entry));
    show(&portal, &visitor, &entry, (profile, values))
}

/// Changes what people say about a server, at the revision that was shown.
pub(crate) async fn change(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    named: Named,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::Publish, fields.get("csrf"))?;
    let entry = named.to_publish(&portal, &visitor).await?;
    let name = &entry.server.name;
    let registry = &portal.parts.registry;
    let problems = match patch(&entry, &fields) {
        Ok(patch) => match registry
            .describe(&visitor.caller, name, patch, fields.revision())
            .await
        {
            Ok(_) => return Ok(frame::redirect(&format!("/servers/{name}?done=described"))),
            Err(RegistryError::Invalid(problems)) => problems,
            Err(error) => return Err(error.into()),
        },
        Err(problems) => problems,
    };
    let form = view::profile(&entry).typed(&fields).explain(&problems);
    show(&portal, &visitor, &entry, (form, view::values(&entry)))
}

/// Changes the values of one version, at the revision that was shown.
pub(crate) async fn change_values(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    named: Named,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::Publish, fields.get("csrf"))?;
    let entry = named.to_publish(&portal, &visitor).await?;
    let name = &entry.server.name;
    let version = fields.text("version").parse().map_err(|_| Failure::Form)?;
    let registry = &portal.parts.registry;
    let problems = match values(&fields, "values") {
        Ok(values) => match registry
            .describe_version(&visitor.caller, (name, &version), values, fields.revision())
            .await
        {
            Ok(_) => return Ok(frame::redirect(&format!("/servers/{name}?done=described"))),
            Err(RegistryError::Invalid(problems)) => problems,
            Err(error) => return Err(error.into()),
        },
        Err(problems) => problems,
    };
    let form = view::values(&entry).typed(&fields).explain(&problems);
    show(&portal, &visitor, &entry, (view::profile(&entry), form))
}

fn show(
    portal: &Portal,
    visitor: &Visitor,
    entry: &Entry,
    (profile, values): (FormView, FormView),
) -> Result<Response, Failure> {
    let token = visitor.token(portal, Purpose::Publish);
    let status = if profile.is_wrong() {
        profile.status()
    } else {
        values.status()
    };
    let name = &entry.server.name;
    let page = OnePage::new(
        visitor.shell(portal, format!("About {}", name.short()), "servers"),
        "What people should know of it beside its document. None of it voids an approval.",
        vec![
            Crumb::new("/", "Servers"),
            Crumb::new(format!("/servers/{name}"), name.as_str()),
        ],
    )
    .part(Part::new("About the server", "", profile.token(token.clone())))
    .part(Part::new(
        "About one version",
        "Values of custom properties that stand over those of the server.",
        values.token(token),
    ));
    frame::html(status, &page)
}

/// What the form says; what was taken out of it ends.
fn patch(entry: &Entry, fields: &Fields) -> Result<ProfilePatch, Vec<Problem>> {
    let mut metadata = values(fields, "metadata")?;
    for name in entry.server.profile.metadata.keys() {
        if !metadata.contains_key(name) {
            metadata.insert(name.clone(), Value::Null);
        }
    }
    Ok(ProfilePatch {
        summary: Some(fields.text("summary")),
        owners: Some(fields.lines("owners")),
        owner_groups: Some(fields.lines("owner_groups")),
        contacts: Some(each(fields, "contacts", contact)),
        license: Some(fields.text("license")),
        use_cases: Some(each(fields, "use_cases", use_case)),
        categories: Some(fields.lines("categories")),
        tags: Some(fields.lines("tags")),
        external_docs: Some(each(fields, "external_docs", external)),
        readme: Some(fields.text("readme").replace("\r\n", "\n")),
        icons: Some(fields.lines("icons")),
        metadata: Some(metadata),
    })
}

fn each<T>(fields: &Fields, name: &str, read: fn(&str) -> T) -> Vec<T> {
    fields.lines(name).iter().map(|line| read(line)).collect()
}

/// `Billing desk <desk@acme.example>`, `Billing desk <https://acme.example/desk>`, or a name alone.
fn contact(line: &str) -> Contact {
    let (name, at) = line.split_once('<').unwrap_or((line, ""));
    let at = at.trim().trim_end_matches('>').trim();
    let at = Some(at.to_owned()).filter(|at| !at.is_empty());
    let is_page = at.as_deref().is_some_and(|at| at.contains("://"));
    let (url, email) = if is_page { (at, None) } else { (None, at) };
    Contact {
        name: name.trim().to_owned(),
        email,
        url,
    }
}

fn use_case(line: &str) -> UseCase {
    let (name, description) = line.split_once(':').unwrap_or((line, ""));
    UseCase {
        name: name.trim().to_owned(),
        description: description.trim().to_owned(),
    }
}

fn external(line: &str) -> ExternalDocument {
    let (title, url) = line.split_once('=').unwrap_or((line, ""));
    ExternalDocument {
        title: title.trim().to_owned(),
        url: url.trim().to_owned(),
    }
}

/// Lines of `name=value`: JSON where it is JSON, a text otherwise, nothing for what ends.
pub(crate) fn values(fields: &Fields, name: &str) -> Result<Metadata, Vec<Problem>> {
    let mut values = Metadata::new();
    let mut problems = Vec::new();
    for line in fields.lines(name) {
        let Some((name, value)) = line.split_once('=') else {
            problems.push(Problem {
                path: "metadata".to_owned(),
                message: format!("`{line}` is not written as in `dataClass=internal`"),
            });
            continue;
        };
        let value = value.trim();
        let read = match serde_json::from_str(value) {
            _ if value.is_empty() => Value::Null,
            Ok(read) => read,
            Err(_) => Value::from(value),
        };
        values.insert(name.trim().to_owned(), read);
    }
    if problems.is_empty() {
        Ok(values)
    } else {
        Err(problems)
    }
}
