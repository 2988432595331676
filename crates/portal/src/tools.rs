//! The tools on a server's page, and `POST /servers/{namespace}/{name}/tools/approve`.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use portreeve_core::name::Slug;
use portreeve_registry::{RegistryError, ToolChoice, ToolView, ToolsOf};

use crate::failure::Failure;
use crate::fields::Form;
use crate::forms::Purpose;
use crate::frame;
use crate::named::Named;
use crate::router::Portal;
use crate::view::{Change, ToolInput, ToolsFrame, ToolsList, ToolsView, seen};
use crate::visitor::Visitor;

/// The tools that a signed-in visitor may see.
pub(crate) async fn view(
    portal: &Portal,
    visitor: &Visitor,
    of: ToolsOf<'_>,
    skip: usize,
) -> Result<ToolsView, Failure> {
    let here = visitor.here(portal, of.server);
    let inputs: Vec<ToolInput> = match portal.parts.registry.tools(&visitor.caller, of).await {
        Ok(tools) => tools.into_iter().map(input).collect(),
        // The entry is there, or the page would not be: this visitor has no right to use it.
        Err(RegistryError::NotFound { .. }) => {
            return Ok(ToolsView::Nothing(
                "You have no right to use this server. Ask an administrator for a grant.".to_owned(),
            ));
        }
        Err(error) => return Err(error.into()),
    };
    if inputs.is_empty() {
        let text = if here.sees {
            "No tools were seen. A server without a route has none here; one with a route shows them as soon as it answers."
        } else {
            "There is no tool here that you may call."
        };
        return Ok(ToolsView::Nothing(text.to_owned()));
    }
    let href = format!("/servers/{}", of.server);
    let frame = ToolsFrame {
        sees: here.sees,
        approves: here.approves,
        href: &href,
        route: of.route.map(Slug::as_str),
        token: visitor.token(portal, Purpose::ApproveTools),
        skip,
    };
    Ok(ToolsView::Listed(Box::new(ToolsList::new(&inputs, frame))))
}

/// Approves what the reviewer saw, and nothing that came after.
pub(crate) async fn approve(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    named: Named,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::ApproveTools, fields.get("csrf"))?;
    let name = named.read()?;
    let route = route(fields.get("route"))?;
    let of = ToolsOf {
        server: &name,
        route: route.as_ref(),
    };
    let back = |done: &str| match &route {
        Some(route) => format!("/servers/{name}?route={route}&done={done}#tools"),
        None => format!("/servers/{name}?done={done}#tools"),
    };
    let registry = &portal.parts.registry;
    let now: Vec<ToolInput> = registry
        .tools(&visitor.caller, of)
        .await?
        .into_iter()
        .map(input)
        .collect();
    let mut names: Vec<String> = Vec::new();
    for wanted in fields.all("seen") {
        let tool = wanted.split_once(':').map_or("", |(_, tool)| tool);
        if seen(tool, &now) != wanted {
            return Ok(frame::redirect(&back("changed")));
        }
        names.push(tool.to_owned());
    }
    if !names.is_empty() {
        registry
            .approve_tools(&visitor.caller, of, ToolChoice::Named(names))
            .await?;
        portal.parts.refresh.refresh().await;
    }
    Ok(frame::redirect(&back("approved")))
}

/// A route from an address or a form. What cannot be one does not exist.
pub(crate) fn route(slug: Option<&str>) -> Result<Option<Slug>, Failure> {
    let read = slug.map(str::parse).transpose();
    read.map_err(|_| Failure::NotFound {
        text: "No route has this name.".to_owned(),
    })
}

fn input(view: ToolView) -> ToolInput {
    ToolInput {
        changes: view
            .changes
            .iter()
            .map(|change| Change::new(&change.path, change.before.as_deref(), change.after.as_deref()))
            .collect(),
        state: view.state,
        tool: view.tool,
    }
}
