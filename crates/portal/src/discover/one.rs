//! `GET` and `POST /discover/{partner}/{server}`: what a partner says of one server, and the form that registers it here.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use portreeve_core::name::{Environment, ServerName};
use portreeve_core::server::Approval;
use portreeve_registry::partners::{Listing, NewRegistration};
use portreeve_registry::{Approve, Problem, RegistryError};

use crate::failure::{self, Failure};
use crate::fields::{Fields, Form};
use crate::forms::Purpose;
use crate::frame;
use crate::router::Portal;
use crate::view::{PartnerPage, RegisterForm};
use crate::visitor::{Here, Visitor};

pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path((partner, name)): Path<(String, String)>,
) -> Result<Response, Failure> {
    let listing = portal.parts.partners.one(&visitor.caller, &partner, &name)?;
    let form = form(&portal, &visitor, &listing);
    show(&portal, &visitor, (&listing, form))
}

/// Registers it as the form says.
pub(crate) async fn register(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path((partner, name)): Path<(String, String)>,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::Publish, fields.get("csrf"))?;
    let partners = &portal.parts.partners;
    let listing = partners.one(&visitor.caller, &partner, &name)?;
    let problems = match wish(&visitor, &listing, &fields) {
        Err(problems) => problems,
        Ok(wish) => match partners.register(&visitor.caller, (&partner, &name), wish).await {
            Ok(made) => {
                portal.parts.refresh.refresh().await;
                let version = &made.outcome.version;
                let done = match version.approval {
                    Approval::Approved => "registered",
                    _ => "registered-waits",
                };
                return Ok(frame::redirect(&format!("/servers/{}?done={done}", version.name)));
            }
            Err(RegistryError::Invalid(problems)) => problems,
            // What stands in the way of this one server is told where somebody can do something about it.
            Err(
                error @ (RegistryError::State { .. }
                | RegistryError::Private { .. }
                | RegistryError::Refused(_)
                | RegistryError::Unseen { .. }
                | RegistryError::Conflict { .. }),
            ) => vec![Problem {
                path: String::new(),
                message: format!("{error}: {}", failure::next(&error)),
            }],
            Err(error) => return Err(error.into()),
        },
    };
    let form = form(&portal, &visitor, &listing).map(|form| form.typed(&fields).explain(&problems));
    show(&portal, &visitor, (&listing, form))
}

/// The form, for who may register a server under this name.
fn form(portal: &Portal, visitor: &Visitor, listing: &Listing) -> Option<RegisterForm> {
    let here = here(portal, visitor, listing);
    let token = visitor.token(portal, Purpose::Publish);
    let form = || RegisterForm::new(listing, here.approves, token).granting(visitor);
    (here.publishes && listing.registered.is_none()).then(form)
}

fn here(portal: &Portal, visitor: &Visitor, listing: &Listing) -> Here {
    let name = listing.server.parse::<ServerName>();
    name.map(|name| visitor.here(portal, &name)).unwrap_or_default()
}

fn show(
    portal: &Portal,
    visitor: &Visitor,
    (listing, form): (&Listing, Option<RegisterForm>),
) -> Result<Response, Failure> {
    let status = form.as_ref().map(RegisterForm::status).unwrap_or_default();
    let shell = visitor.shell(portal, listing.title.clone(), "discover");
    let page = PartnerPage::new(shell, listing, form);
    frame::html(status, &page)
}

/// What the form says.
fn wish(visitor: &Visitor, listing: &Listing, fields: &Fields) -> Result<NewRegistration, Vec<Problem>> {
    let environment = match fields.get("environment").map(str::parse::<Environment>) {
        None => None,
        Some(Ok(environment)) => Some(environment),
        Some(Err(error)) => {
            return Err(vec![Problem {
                path: "environment".to_owned(),
                message: error.to_string(),
            }]);
        }
    };
    let typed = listing.variables.iter().filter_map(|one| {
        let value = fields.get(&format!("variables.{}", one.name))?;
        Some((one.name.clone(), value.to_owned()))
    });
    Ok(NewRegistration {
        variables: typed.collect::<BTreeMap<_, _>>(),
        approve: match fields.get("approve") {
            Some(_) => Approve::Now,
            None => Approve::No,
        },
        internal: (visitor.manages() && fields.get("internal").is_some()).into(),
        environment,
    })
}
