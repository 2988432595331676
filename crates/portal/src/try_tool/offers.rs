//! What of a server can be tried: its approved tools, and the resources and prompts that it lists for this visitor.

use axum::response::Response;
use http::StatusCode;
use portreeve_gateway::Attempt;
use serde_json::Value;

use super::{approved, place};
use crate::failure::Failure;
use crate::fields::Fields;
use crate::frame;
use crate::named::Named;
use crate::router::Portal;
use crate::view::{Offer, Offered, TryOffersPage};
use crate::visitor::Visitor;

/// Resources or prompts that are shown.
const MOST_OFFERS: usize = 200;

pub(super) async fn page(
    portal: &Portal,
    visitor: &Visitor,
    named: &Named,
    fields: &Fields,
) -> Result<Response, Failure> {
    let (name, route) = place(portal, visitor, named, fields).await?;
    let tools = approved(portal, visitor, (&name, &route)).await?;
    let slug = route.slug.as_str();
    // One after the other: one visitor has a few places only.
    let resources = listed(portal, visitor, (slug, Attempt::Resources, "resources")).await;
    let prompts = listed(portal, visitor, (slug, Attempt::Prompts, "prompts")).await;
    let shell = visitor.shell(portal, format!("Try {name}"), "servers");
    let address = |kind: &str| format!("/servers/{name}/try?route={slug}&{kind}=");
    let page = TryOffersPage {
        shell,
        name: name.to_string(),
        tools: tools
            .iter()
            .map(|tool| Offer::tool(tool, &address("tool")))
            .collect(),
        resources: Offered::new(resources, |item| Offer::resource(item, &address("resource"))),
        prompts: Offered::new(prompts, |item| Offer::prompt(item, &address("prompt"))),
        read_any: format!("/servers/{name}/try"),
        route: slug.to_owned(),
    };
    frame::html(StatusCode::OK, &page)
}

/// What is listed, or in words why not.
async fn listed(
    portal: &Portal,
    visitor: &Visitor,
    (slug, attempt, member): (&str, Attempt, &str),
) -> Result<Vec<Value>, String> {
    let gateway = &portal.parts.gateway;
    let answer = gateway
        .try_for(&visitor.caller, (slug, attempt), None, &|_| {})
        .await
        .map_err(|error| error.to_string())?;
    if let Some(error) = answer.get("error") {
        let text = error.get("message").and_then(Value::as_str);
        return Err(text.unwrap_or("the server refused to say").to_owned());
    }
    let listed = answer
        .pointer(&format!("/result/{member}"))
        .and_then(Value::as_array);
    Ok(listed.into_iter().flatten().take(MOST_OFFERS).cloned().collect())
}

/// What a prompt takes, as the server lists it; nothing where it cannot be found out.
pub(super) async fn arguments_of(
    portal: &Portal,
    visitor: &Visitor,
    slug: &str,
    prompt: &str,
) -> Vec<String> {
    let listed = listed(portal, visitor, (slug, Attempt::Prompts, "prompts")).await;
    let listed = listed.unwrap_or_default();
    let found = listed
        .iter()
        .find(|item| item.get("name").and_then(Value::as_str) == Some(prompt));
    let arguments = found
        .and_then(|item| item.get("arguments"))
        .and_then(Value::as_array);
    let names = arguments
        .into_iter()
        .flatten()
        .filter_map(|argument| argument.get("name").and_then(Value::as_str));
    names.take(MOST_OFFERS).map(str::to_owned).collect()
}
