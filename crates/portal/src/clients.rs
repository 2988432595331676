//! `/account/clients`: the programs that the visitor allowed something, and the end of it.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;

use crate::failure::Failure;
use crate::fields::Form;
use crate::forms::Purpose;
use crate::frame;
use crate::router::Portal;
use crate::view::ClientsPage;
use crate::visitor::Visitor;

pub(crate) async fn page(State(portal): State<Arc<Portal>>, visitor: Visitor) -> Result<Response, Failure> {
    visitor.require_known()?;
    let allowed = portal.parts.oauth.allowed(&visitor.caller).await?;
    let token = visitor.token(&portal, Purpose::Withdraw);
    let shell = visitor.shell(&portal, "Connected programs", "account");
    frame::html(StatusCode::OK, &ClientsPage::new(shell, &allowed, token))
}

pub(crate) async fn withdraw(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::Withdraw, fields.get("csrf"))?;
    let client = fields.text("client");
    portal.parts.oauth.withdraw(&visitor.caller, &client).await?;
    Ok(frame::redirect("/account/clients"))
}
