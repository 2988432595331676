//! `/admin/secrets`: the names of the vault's secrets; set, replaced and deleted here, and never shown.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use portreeve_access::{AccessError, Replace};
use portreeve_core::name::{InvalidName, SecretName};
use portreeve_core::ports::Removal;
use portreeve_core::secret::Secret;
use portreeve_registry::Problem;

use crate::failure::Failure;
use crate::fields::Form;
use crate::forms::Purpose;
use crate::frame;
use crate::router::Portal;
use crate::view::secrets::InUse;
use crate::view::{FormView, SecretsPage, secrets as view};
use crate::visitor::Visitor;

pub(crate) async fn list(State(portal): State<Arc<Portal>>, visitor: Visitor) -> Result<Response, Failure> {
    show(&portal, &visitor, view::form(""), None).await
}

async fn show(
    portal: &Portal,
    visitor: &Visitor,
    form: FormView,
    in_use: Option<InUse>,
) -> Result<Response, Failure> {
    let all = portal.parts.vault.secrets(&visitor.caller).await?;
    let status = match &in_use {
        Some(_) => StatusCode::CONFLICT,
        None => form.status(),
    };
    let token = visitor.token(portal, Purpose::Secret);
    let shell = visitor.shell(portal, "Secrets", "governance");
    let page = SecretsPage {
        in_use,
        ..SecretsPage::new(shell, &all, form.token(token))
    };
    frame::html(status, &page)
}

/// Sets a secret, or replaces the one of the revision that was shown.
pub(crate) async fn set(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::Secret, fields.get("csrf"))?;
    let typed = fields.text("name");
    let name: SecretName = match typed.parse() {
        Ok(name) => name,
        Err(error) => return wrong(&portal, &visitor, &typed, "name", &unreadable(&error)).await,
    };
    let replace = match fields.get("revision") {
        Some(revision) => Replace::Revision(revision.parse().map_err(|_| Failure::Form)?),
        None => Replace::Nothing,
    };
    let value = Secret::new(fields.exact("value"));
    match portal
        .parts
        .vault
        .set(&visitor.caller, &name, &value, replace)
        .await
    {
        Ok(_) => Ok(frame::redirect("/admin/secrets")),
        Err(AccessError::NameTaken { .. }) => {
            let said = "there is a secret of this name: replace it in the table";
            wrong(&portal, &visitor, &typed, "name", said).await
        }
        Err(AccessError::Invalid { problem, .. }) => wrong(&portal, &visitor, &typed, "value", problem).await,
        Err(error) => Err(error.into()),
    }
}

pub(crate) async fn delete(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::Secret, fields.get("csrf"))?;
    let name: SecretName = fields.text("name").parse().map_err(|_| Failure::Form)?;
    let removal = match fields.get("force") {
        Some("yes") => Removal::Forced,
        _ => Removal::Unused,
    };
    match portal.parts.vault.delete(&visitor.caller, &name, removal).await {
        Ok(()) => Ok(frame::redirect("/admin/secrets")),
        // Who needs it is shown, and asked for once more.
        Err(AccessError::InUse { name, uses }) => {
            let in_use = InUse::new(name, &uses);
            show(&portal, &visitor, view::form(""), Some(in_use)).await
        }
        Err(error) => Err(error.into()),
    }
}

/// The page again, with the name that was typed and what is wrong; the value has to be typed again.
async fn wrong(
    portal: &Portal,
    visitor: &Visitor,
    typed: &str,
    path: &str,
    message: &str,
) -> Result<Response, Failure> {
    let problem = Problem {
        path: path.to_owned(),
        message: message.to_owned(),
    };
    show(portal, visitor, view::form(typed).explain(&[problem]), None).await
}

fn unreadable(error: &InvalidName) -> String {
    error.reason.to_owned()
}
