//! `GET` and `POST /servers/{namespace}/{name}/try`: a tool called, a resource read or a prompt fetched from the browser,
//! through the gateway and with the visitor's own right. What policies say, limits count and the audit log keeps is what
//! they do for every host. What a server asks back is a form on the page that follows.

mod answers;
mod live;
mod offers;

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, StatusCode};
use portreeve_core::name::{Environment, ServerName, Slug};
use portreeve_core::ports::Entry;
use portreeve_core::route::{Route, RouteState};
use portreeve_core::tool::ToolDefinition;
use portreeve_gateway::{Answers, Attempt, ConsoleNews};
use portreeve_registry::{RegistryError, ToolsOf};
use serde_json::{Map, Value};

use crate::failure::Failure;
use crate::fields::{Fields, Form, Query};
use crate::forms::Purpose;
use crate::named::Named;
use crate::router::Portal;
use crate::view::{Asked, TryPage, TryResult, TryWhat};
use crate::visitor::Visitor;
use crate::{frame, tools};

/// The longest address of a resource, and name of a prompt, in bytes.
const NAME_BYTES: usize = 4 * 1024;

/// What was told that a page without JavaScript shows of it.
const TOLD_SHOWN: usize = 20;

/// Something at a route that the visitor tries.
struct Tried {
    name: ServerName,
    route: Route,
    what: TryWhat,
}

pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    named: Named,
    Query(fields): Query,
) -> Result<Response, Failure> {
    if ["tool", "resource", "prompt"]
        .iter()
        .all(|name| fields.get(name).is_none())
    {
        return offers::page(&portal, &visitor, &named, &fields).await;
    }
    let tried = find(&portal, &visitor, &named, &fields).await?;
    let page = view(&portal, &visitor, &tried);
    frame::html(StatusCode::OK, &page)
}

/// Tries it, and shows what came back: at once with what is told meanwhile where the page's script asks for that.
pub(crate) async fn call(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    named: Named,
    headers: HeaderMap,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::TryTool, fields.get("csrf"))?;
    let tried = find(&portal, &visitor, &named, &fields).await?;
    let page = view(&portal, &visitor, &tried).typed(&fields);
    let (attempt, answers) = match wanted(&tried, &fields) {
        Ok(wanted) => wanted,
        Err(Wrong::Form(problem)) => {
            let page = page.wrong(&problem);
            return frame::html(page.status(), &page);
        }
        Err(Wrong::Answers(questions)) => {
            let page = page.asking(*questions);
            return frame::html(StatusCode::UNPROCESSABLE_ENTITY, &page);
        }
    };
    let under_way = UnderWay {
        portal,
        visitor,
        slug: tried.route.slug.to_string(),
        attempt,
        answers,
        page,
    };
    if live::is_wanted(&headers) {
        return Ok(live::answer(under_way));
    }
    let told = Mutex::new(Vec::new());
    let page = under_way
        .finish(&|news| {
            let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
            if told.len() == TOLD_SHOWN {
                told.remove(0);
            }
            told.push(TryPage::line(&news));
        })
        .await;
    let told = told.into_inner().unwrap_or_else(PoisonError::into_inner);
    let page = page.told(told);
    frame::html(page.status(), &page)
}

/// What is tried, with all that it takes.
struct UnderWay {
    portal: Arc<Portal>,
    visitor: Visitor,
    slug: String,
    attempt: Attempt,
    answers: Option<Answers>,
    page: TryPage,
}

impl UnderWay {
    /// Tries it, and gives the page that shows what came of it.
    async fn finish(self, hear: &(dyn Fn(ConsoleNews) + Send + Sync)) -> TryPage {
        let was_held = self.answers.as_ref().is_some_and(answers::is_about_approval);
        let gateway = &self.portal.parts.gateway;
        let answer = gateway
            .try_for(
                &self.visitor.caller,
                (&self.slug, self.attempt),
                self.answers,
                hear,
            )
            .await;
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) => return self.page.result(TryResult::nothing(&error.to_string())),
        };
        match Asked::read(&answer) {
            Some(Ok(asked)) => {
                let asked = asked.in_house(self.portal.origin());
                self.page.asking(asked)
            }
            Some(Err(problem)) => self.page.result(TryResult::nothing(problem)),
            None => {
                let result = TryResult::new(&answer);
                let result = if was_held { result.after_approval() } else { result };
                self.page.result(result)
            }
        }
    }
}

fn view(portal: &Portal, visitor: &Visitor, tried: &Tried) -> TryPage {
    let title = format!("Try {}", tried.what.name());
    let shell = visitor.shell(portal, title, "servers");
    let token = visitor.token(portal, Purpose::TryTool);
    TryPage::new(
        shell,
        (&tried.name, tried.route.slug.as_str()),
        &tried.what,
        token,
    )
}

fn missing() -> Failure {
    Failure::NotFound {
        text: "There is nothing of that name here that you may try.".to_owned(),
    }
}

/// The server and the route, if the visitor may know them.
async fn place(
    portal: &Portal,
    visitor: &Visitor,
    named: &Named,
    fields: &Fields,
) -> Result<(ServerName, Route), Failure> {
    visitor.require_known()?;
    let name = named.read()?;
    let entry = portal.parts.registry.entry(&visitor.caller, &name).await?;
    let slug = tools::route(fields.get("route"))?;
    let route = route(&entry, slug.as_ref().map(Slug::as_str)).ok_or_else(missing)?;
    Ok((entry.server.name, route))
}

/// What is tried: a tool as it was approved, since that is what the gateway offers. Resources and prompts are the server's
/// own affair, and the gateway's to refuse.
async fn find(portal: &Portal, visitor: &Visitor, named: &Named, fields: &Fields) -> Result<Tried, Failure> {
    let (name, route) = place(portal, visitor, named, fields).await?;
    let bounded = |field: &str| fields.get(field).filter(|text| text.len() <= NAME_BYTES);
    let what = if let Some(wanted) = fields.get("tool") {
        let listed = approved(portal, visitor, (&name, &route)).await?;
        let found = listed.into_iter().find(|definition| definition.name == wanted);
        TryWhat::Tool(Box::new(found.ok_or_else(missing)?))
    } else if let Some(uri) = bounded("resource") {
        TryWhat::Resource(uri.to_owned())
    } else if let Some(prompt) = bounded("prompt") {
        let arguments = match fields.get("arguments") {
            // What it takes is asked for once, for the form that is filled in.
            None => offers::arguments_of(portal, visitor, route.slug.as_str(), prompt).await,
            Some(_) => Vec::new(),
        };
        TryWhat::Prompt(prompt.to_owned(), arguments)
    } else {
        return Err(missing());
    };
    Ok(Tried { name, route, what })
}

/// The tools of a route as they were approved and as the visitor may know them.
async fn approved(
    portal: &Portal,
    visitor: &Visitor,
    (name, route): (&ServerName, &Route),
) -> Result<Vec<ToolDefinition>, Failure> {
    let of = ToolsOf {
        server: name,
        route: Some(&route.slug),
    };
    match portal.parts.registry.tools(&visitor.caller, of).await {
        Ok(listed) => Ok(listed.into_iter().filter_map(|view| view.tool.approved).collect()),
        Err(RegistryError::NotFound { .. }) => Err(missing()),
        Err(error) => Err(error.into()),
    }
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

/// Why nothing is tried.
enum Wrong {
    /// The form is wrong.
    Form(String),
    /// An answer to a question of the server is.
    Answers(Box<Asked>),
}

fn wanted(tried: &Tried, fields: &Fields) -> Result<(Attempt, Option<Answers>), Wrong> {
    let attempt = match &tried.what {
        TryWhat::Tool(definition) => Attempt::Tool {
            name: definition.name.clone(),
            arguments: arguments(fields).map_err(Wrong::Form)?,
        },
        TryWhat::Resource(uri) => Attempt::Resource { uri: uri.clone() },
        TryWhat::Prompt(name, _) => Attempt::Prompt {
            name: name.clone(),
            arguments: texts(arguments(fields).map_err(Wrong::Form)?).map_err(Wrong::Form)?,
        },
    };
    let answers = answers::read(fields).map_err(|asked| Wrong::Answers(Box::new(asked)))?;
    Ok((attempt, answers))
}

fn arguments(fields: &Fields) -> Result<Map<String, Value>, String> {
    let text = fields.text("arguments");
    match serde_json::from_str(if text.is_empty() { "{}" } else { &text }) {
        Ok(Value::Object(arguments)) => Ok(arguments),
        Ok(_) => Err("This is JSON, but not an object: begin with a brace.".to_owned()),
        Err(error) => Err(format!("This is not JSON: {error}")),
    }
}

/// Arguments of prompts are texts.
fn texts(arguments: Map<String, Value>) -> Result<Map<String, Value>, String> {
    match arguments.iter().find(|(_, value)| !value.is_string()) {
        Some((name, _)) => Err(format!(
            "`{name}` must be a text: arguments of prompts are texts."
        )),
        None => Ok(arguments),
    }
}
