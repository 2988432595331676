//! `/servers/{namespace}/{name}/logins`: how Portreeve logs in at a protected server. Secrets are named here, and never shown.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use portreeve_core::login::Login;
use portreeve_core::name::ServerName;
use portreeve_core::vault::SecretRef;
use portreeve_registry::{Problem, RegistryError};

use crate::failure::Failure;
use crate::fields::{Fields, Form};
use crate::forms::Purpose;
use crate::frame;
use crate::named::Named;
use crate::router::Portal;
use crate::view::{FormView, LoginsPage, logins as view};
use crate::visitor::Visitor;

pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    named: Named,
) -> Result<Response, Failure> {
    let name = named.read()?;
    let form = form(&portal, &visitor, &name).await?;
    show(&portal, &visitor, &name, form).await
}

pub(crate) async fn set(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    named: Named,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::Secret, fields.get("csrf"))?;
    let name = named.read()?;
    let registry = &portal.parts.registry;
    let problems = match login(&fields) {
        Ok(login) => {
            let url = fields.get("url").map(str::to_owned);
            match registry.set_login(&visitor.caller, &name, (url, login)).await {
                Ok(_) => return Ok(frame::redirect(&format!("/servers/{name}/logins"))),
                Err(RegistryError::Invalid(problems)) => problems,
                Err(error) => return Err(error.into()),
            }
        }
        Err(problem) => vec![problem],
    };
    let form = form(&portal, &visitor, &name).await?;
    show(&portal, &visitor, &name, form.typed(&fields).explain(&problems)).await
}

pub(crate) async fn remove(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    named: Named,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::Secret, fields.get("csrf"))?;
    let name = named.read()?;
    let registry = &portal.parts.registry;
    registry
        .remove_login(&visitor.caller, &name, Some(fields.text("url")))
        .await?;
    Ok(frame::redirect(&format!("/servers/{name}/logins")))
}

async fn form(portal: &Portal, visitor: &Visitor, name: &ServerName) -> Result<FormView, Failure> {
    visitor.require_known()?;
    let secrets = match visitor.offers().operates {
        true => portal.parts.vault.secrets(&visitor.caller).await?,
        false => Vec::new(),
    };
    Ok(view::form(name, &secrets))
}

async fn show(
    portal: &Portal,
    visitor: &Visitor,
    name: &ServerName,
    form: FormView,
) -> Result<Response, Failure> {
    let logins = portal.parts.registry.logins(&visitor.caller, name).await?;
    let token = visitor.token(portal, Purpose::Secret);
    let status = form.status();
    let shell = visitor.shell(portal, format!("Logins of {}", name.short()), "servers");
    let page = LoginsPage {
        removes: visitor.here(portal, name).operates,
        ..LoginsPage::new(shell, name, &logins, form.token(token))
    };
    frame::html(status, &page)
}

/// What the form says.
fn login(fields: &Fields) -> Result<Login, Problem> {
    let wrong = |path: &str, message: String| Problem {
        path: path.to_owned(),
        message,
    };
    let secret: SecretRef = format!("secret:{}", fields.text("secret"))
        .parse()
        .map_err(|_| wrong("login.secret", "choose one of the vault".to_owned()))?;
    match fields.get("scheme") {
        Some("header") => Ok(Login::Header {
            header: fields.text("of"),
            secret,
        }),
        Some("basic") => Ok(Login::Basic {
            user: fields.text("of"),
            secret,
        }),
        _ => Ok(Login::Bearer { secret }),
    }
}
