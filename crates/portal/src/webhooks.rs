//! `GET` and `POST /admin/webhooks`, `/admin/webhooks/{name}`: who is told of changes, and what became of telling them.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use portreeve_core::caller::Caller;
use portreeve_core::id::EventId;
use portreeve_core::name::{InvalidName, WebhookName};
use portreeve_core::vault::SecretRef;
use portreeve_core::webhook::DeliveryState;
use portreeve_insight::{NewWebhook, PrivateReach, WebhookPatch, Webhooks};

use crate::failure::Failure;
use crate::fields::{Fields, Form, Query};
use crate::forms::Purpose;
use crate::frame;
use crate::router::Portal;
use crate::view::{WebhookPage, WebhooksPage};
use crate::visitor::Visitor;

/// Deliveries of one page.
const PAGE: u32 = 50;

/// All webhooks, and the form that makes one.
pub(crate) async fn list(State(portal): State<Arc<Portal>>, visitor: Visitor) -> Result<Response, Failure> {
    let all = webhooks(&portal).list(&visitor.caller).await?;
    let shell = visitor.shell(&portal, "Webhooks", "governance");
    let token = visitor.token(&portal, Purpose::Govern);
    frame::html(StatusCode::OK, &WebhooksPage::new(shell, &all, token))
}

/// Makes a webhook out of the form.
pub(crate) async fn create(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::Govern, fields.get("csrf"))?;
    let new = NewWebhook {
        name: fields.text("name").parse().map_err(wrong)?,
        url: fields.text("url"),
        secret: secret(&fields.text("secret"))?.0,
        patch: WebhookPatch {
            description: fields.get("description").map(str::to_owned),
            events: patterns(&fields, "events")?,
            servers: patterns(&fields, "servers")?,
            private_reach: match fields.get("internal") {
                Some(_) => PrivateReach::Granted,
                None => PrivateReach::AsBefore,
            },
            ..WebhookPatch::default()
        },
    };
    let made = webhooks(&portal).create(&visitor.caller, new).await?;
    Ok(frame::redirect(&address(&made.name)))
}

/// One webhook with its deliveries.
pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path(name): Path<String>,
    Query(fields): Query,
) -> Result<Response, Failure> {
    let name: WebhookName = name.parse().map_err(|_| Failure::page_not_found())?;
    let webhook = webhooks(&portal).show(&visitor.caller, &name).await?;
    let state = fields.get("state").and_then(DeliveryState::from_word);
    let before = fields.get("before").and_then(|text| text.parse().ok());
    let page = webhooks(&portal)
        .deliveries(&visitor.caller, &name, (state, before, PAGE))
        .await?;
    let shell = visitor.shell(&portal, format!("Webhook {name}"), "governance");
    let token = visitor.token(&portal, Purpose::Govern);
    let page = WebhookPage::new(shell, &webhook, (&page, state), token);
    frame::html(StatusCode::OK, &page)
}

/// Does what one of the page's buttons says.
pub(crate) async fn act(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path(name): Path<String>,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::Govern, fields.get("csrf"))?;
    let name: WebhookName = name.parse().map_err(|_| Failure::page_not_found())?;
    let (webhooks, caller) = (webhooks(&portal), &visitor.caller);
    let event = fields.get("event").map(str::parse::<EventId>).transpose();
    let event = event.map_err(|_| Failure::Form)?;
    match fields.text("do").as_str() {
        "test" => {
            webhooks.test(caller, &name).await?;
        }
        "on" => switch(webhooks, caller, &name, Some(true)).await?,
        "off" => switch(webhooks, caller, &name, Some(false)).await?,
        "send-again" => {
            webhooks.send_again(caller, &name, event).await?;
        }
        "drop" => {
            webhooks.drop_deliveries(caller, &name, event).await?;
        }
        "delete" => {
            webhooks.remove(caller, &name, None).await?;
            return Ok(frame::redirect("/admin/webhooks"));
        }
        _ => return Err(Failure::Form),
    }
    Ok(frame::redirect(&address(&name)))
}

async fn switch(
    webhooks: &Webhooks,
    caller: &Caller,
    name: &WebhookName,
    is_enabled: Option<bool>,
) -> Result<(), Failure> {
    let patch = WebhookPatch {
        is_enabled,
        ..WebhookPatch::default()
    };
    webhooks.change(caller, name, (patch, None)).await?;
    Ok(())
}

fn webhooks(portal: &Portal) -> &Webhooks {
    &portal.parts.webhooks
}

fn address(name: &WebhookName) -> String {
    format!("/admin/webhooks/{name}")
}

/// People write the name of a secret with or without what stands before it.
fn secret(text: &str) -> Result<SecretRef, Failure> {
    let name = text.strip_prefix("secret:").unwrap_or(text);
    name.parse().map(SecretRef).map_err(wrong)
}

/// A list in a line of the form; nothing there is as usual.
fn patterns<T>(fields: &Fields, name: &str) -> Result<Option<Vec<T>>, Failure>
where
    T: std::str::FromStr<Err = InvalidName>,
{
    let Some(text) = fields.get(name) else {
        return Ok(None);
    };
    let one = |text: &str| text.trim().parse::<T>().map_err(wrong);
    let texts = text.split(',').filter(|text| !text.trim().is_empty());
    texts.map(one).collect::<Result<Vec<T>, Failure>>().map(Some)
}

fn wrong(error: InvalidName) -> Failure {
    Failure::Invalid {
        text: format!("{error}."),
        hint: "Go back and correct the field.".to_owned(),
    }
}
