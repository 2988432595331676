//! `GET` and `POST /servers/{namespace}/{name}/try`: one call of a tool, from the browser, through the gateway and with the
//! visitor's own right. What policies say, limits count and the audit log keeps is what they do for every host.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use portreeve_core::name::{Environment, ServerName, Slug};
use portreeve_core::ports::Entry;
use portreeve_core::route::{Route, RouteState};
use portreeve_core::tool::ToolDefinition;
use portreeve_registry::{RegistryError, ToolsOf};
use serde_json::{Map, Value};

use crate::failure::Failure;
use crate::fields::{Fields, Form, Query};
use crate::forms::Purpose;
use crate::named::Named;
use crate::router::Portal;
use crate::view::{TryPage, TryResult};
use crate::visitor::Visitor;
use crate::{frame, tools};

/// A tool of a route, as the visitor may call it.
struct Tried {
    name: ServerName,
    route: Route,
    definition: ToolDefinition,
}

pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    named: Named,
    Query(fields): Query,
) -> Result<Response, Failure> {
    let tried = find(&portal, &visitor, &named, &fields).await?;
    let page = view(&portal, &visitor, &tried);
    frame::html(StatusCode::OK, &page)
}

/// Calls it, and shows what came back.
pub(crate) async fn call(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    named: Named,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::TryTool, fields.get("csrf"))?;
    let tried = find(&portal, &visitor, &named, &fields).await?;
    let page = view(&portal, &visitor, &tried).typed(&fields);
    let page = match arguments(&fields) {
        Ok(arguments) => {
            let target = (tried.route.slug.as_str(), tried.definition.name.as_str());
            let answer = portal
                .parts
                .gateway
                .call_for(&visitor.caller, target, arguments)
                .await;
            page.result(match answer {
                Ok(answer) => TryResult::new(&answer),
                Err(error) => TryResult::nothing(&error.to_string()),
            })
        }
        Err(problem) => page.wrong(&problem),
    };
    frame::html(page.status(), &page)
}

fn view(portal: &Portal, visitor: &Visitor, tried: &Tried) -> TryPage {
    let shell = visitor.shell(portal, format!("Try {}", tried.definition.name), "servers");
    let token = visitor.token(portal, Purpose::TryTool);
    TryPage::new(
        shell,
        (&tried.name, tried.route.slug.as_str()),
        &tried.definition,
        token,
    )
}

/// The tool, if the visitor may call it: as it was approved, since that is what the gateway offers.
async fn find(portal: &Portal, visitor: &Visitor, named: &Named, fields: &Fields) -> Result<Tried, Failure> {
    visitor.require_known()?;
    let name = named.read()?;
    let registry = &portal.parts.registry;
    let entry = registry.entry(&visitor.caller, &name).await?;
    let slug = tools::route(fields.get("route"))?;
    let missing = || Failure::NotFound {
        text: "There is no such tool here that you may call.".to_owned(),
    };
    let route = route(&entry, slug.as_ref().map(Slug::as_str)).ok_or_else(missing)?;
    let of = ToolsOf {
        server: &name,
        route: Some(&route.slug),
    };
    let listed = match registry.tools(&visitor.caller, of).await {
        Ok(listed) => listed,
        Err(RegistryError::NotFound { .. }) => return Err(missing()),
        Err(error) => return Err(error.into()),
    };
    let wanted = fields.text("tool");
    let definition = listed
        .into_iter()
        .filter(|view| view.tool.name == wanted)
        .find_map(|view| view.tool.approved)
        .ok_or_else(missing)?;
    Ok(Tried {
        name,
        route,
        definition,
    })
}

/// The active route of that name, or else the production one.
fn route(entry: &Entry, slug: Option<&str>) -> Option<Route> {
    let production = Environment::production();
    let active = entry
        .routes
        .iter()
        .filter(|route| route.state == RouteState::Active);
    match slug {
        Some(slug) => active
            .into_iter()
            .find(|route| route.slug.as_str() == slug)
            .cloned(),
        None => active
            .min_by_key(|route| (route.environment != production, route.major))
            .cloned(),
    }
}

fn arguments(fields: &Fields) -> Result<Map<String, Value>, String> {
    let text = fields.text("arguments");
    match serde_json::from_str(if text.is_empty() { "{}" } else { &text }) {
        Ok(Value::Object(arguments)) => Ok(arguments),
        Ok(_) => Err("This is JSON, but not an object: begin with a brace.".to_owned()),
        Err(error) => Err(format!("This is not JSON: {error}")),
    }
}
