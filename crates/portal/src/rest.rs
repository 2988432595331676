//! `/admin/rest`: a description of a REST API becomes a server, or a new version of one, in three steps. `begin` takes the
//! description, `page` shows what its operations become and takes choices, `submit` makes the version.
//!
//! Between the steps the registry keeps a draft; its name stands in the address, so a page can be loaded again, shared and
//! gone back to. Nothing is served from a draft.

use std::sync::Arc;

use axum::extract::{Multipart, Path, State};
use axum::response::Response;
use http::StatusCode;
use portreeve_core::name::{ServerName, VersionText};
use portreeve_registry::import::openapi::{Curation, Pick, Words};
use portreeve_registry::{Approve, Description, NewRest, Problem, RegistryError, RestDraft};

use crate::failure::Failure;
use crate::fields::{Fields, Form, Query};
use crate::forms::Purpose;
use crate::router::Portal;
use crate::view::rest::{self as view, Around, BeginPage, DraftPage, Filter};
use crate::visitor::Visitor;
use crate::{frame, upload};

/// The first step.
pub(crate) async fn begin(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Query(fields): Query,
) -> Result<Response, Failure> {
    visitor.require_known()?;
    show_begin(&portal, &visitor, view::begin_form(&fields))
}

fn show_begin(portal: &Portal, visitor: &Visitor, form: crate::view::FormView) -> Result<Response, Failure> {
    let status = form.status();
    let page = BeginPage {
        shell: visitor.shell(portal, "A REST API as a server", "governance"),
        form: form.token(visitor.token(portal, Purpose::Rest)),
        tabs: crate::view::governance_tabs(visitor.offers(), "/admin/rest"),
    };
    frame::html(status, &page)
}

/// Takes the description, and goes on to what it becomes.
pub(crate) async fn draft(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    form: Multipart,
) -> Result<Response, Failure> {
    let longest = portal.parts.limits.openapi_bytes;
    let sent = upload::read_up_to(&portal, &visitor, (Purpose::Rest, longest), form).await?;
    let fields = &sent.fields;
    let is_one = sent.files.len() <= 1;
    let file = sent.files.into_iter().next().map(|file| file.text);
    let again = |problems: &[Problem]| {
        let form = view::begin_form(fields).explain(problems);
        show_begin(&portal, &visitor, form)
    };
    if !is_one {
        return again(&[Problem {
            path: "document".to_owned(),
            message: "one file; the command line takes several".to_owned(),
        }]);
    }
    let around = match Around::read(fields) {
        Ok(around) => around,
        Err(problem) => return again(&[problem]),
    };
    let description = match description(fields, file) {
        Ok(description) => description,
        Err(problem) => return again(&[problem]),
    };
    let registry = &portal.parts.registry;
    // What was chosen before is chosen still: a newer description is looked at through the same choices.
    let known = registry.known_choices(&visitor.caller, &around.name).await?;
    let curation = known.map(|known| known.curation).unwrap_or_default();
    let new = asked(&around, description, curation);
    match registry.draft_rest(&visitor.caller, &new).await {
        Ok(draft) => Ok(frame::redirect(&around.href(&draft.id))),
        Err(RegistryError::Invalid(problems)) => again(&problems),
        Err(error) => Err(error.into()),
    }
}

/// What was given: one of three.
fn description(fields: &Fields, file: Option<String>) -> Result<Description, Problem> {
    let problem = |path: &str, message: &str| Problem {
        path: path.to_owned(),
        message: message.to_owned(),
    };
    match (file, fields.get("url"), fields.get("text")) {
        (Some(text), None, None) => Ok(Description::Text(text)),
        (None, None, Some(_)) => Ok(Description::Text(fields.exact("text"))),
        (None, Some(url), None) => url
            .parse()
            .map(Description::Url)
            .map_err(|_| problem("document", "it is not a URL")),
        (None, None, None) => Err(problem(
            "",
            "give the description: a file, an address or its text",
        )),
        _ => Err(problem(
            "",
            "give one description: a file, an address or its text",
        )),
    }
}

fn asked(around: &Around, description: Description, curation: Curation) -> NewRest {
    NewRest {
        name: around.name.clone(),
        description,
        base_url: around.base_url.clone(),
        version: None,
        about: None,
        curation,
        internal: around.internal,
        approve: Approve::No,
    }
}

/// The second step.
pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path(id): Path<String>,
    Query(fields): Query,
) -> Result<Response, Failure> {
    let (around, draft) = find(&portal, &visitor, &fields, &id).await?;
    let page = draft_page(&portal, &visitor, (&around, &draft), &Filter::read(&fields));
    frame::html(StatusCode::OK, &page)
}

async fn find(
    portal: &Portal,
    visitor: &Visitor,
    fields: &Fields,
    id: &str,
) -> Result<(Around, RestDraft), Failure> {
    let around = Around::read(fields).map_err(|_| Failure::NotFound {
        text: "This address names no server.".to_owned(),
    })?;
    let new = asked(&around, Description::Draft(id.to_owned()), Curation::default());
    let draft = portal.parts.registry.rest_draft(&visitor.caller, &new).await?;
    Ok((around, draft))
}

fn draft_page(
    portal: &Portal,
    visitor: &Visitor,
    (around, draft): (&Around, &RestDraft),
    filter: &Filter,
) -> DraftPage {
    let manages = may_approve(portal, visitor, &around.name);
    let shell = visitor.shell(portal, format!("Tools of {}", around.name.short()), "governance");
    let submit = view::submit_form(around, draft, manages);
    let token = visitor.token(portal, Purpose::Rest);
    DraftPage::new(
        shell,
        (around, draft),
        filter,
        (submit.token(token.clone()), token),
    )
}

fn may_approve(portal: &Portal, visitor: &Visitor, name: &ServerName) -> bool {
    visitor.here(portal, name).approves
}

/// Takes choices: the same description, under another name.
pub(crate) async fn choose(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::Rest, fields.get("csrf"))?;
    let (around, draft) = find(&portal, &visitor, &fields, &id).await?;
    let filter = Filter::read(&fields);
    let pick = pick(&fields);
    let problems = match draft.details.curation.with(&draft.details.report, &pick) {
        Ok(curation) => {
            let new = asked(&around, Description::Draft(id), curation);
            let registry = &portal.parts.registry;
            let draft = registry.draft_rest(&visitor.caller, &new).await?;
            let to = format!(
                "{}{}&done=saved#operations",
                around.href(&draft.id),
                filter.query()
            );
            return Ok(frame::redirect(&to));
        }
        Err(problems) => problems,
    };
    let page = draft_page(&portal, &visitor, (&around, &draft), &filter).wrong(&pick, &problems);
    frame::html(StatusCode::UNPROCESSABLE_ENTITY, &page)
}

fn pick(fields: &Fields) -> Pick {
    let shown: Vec<String> = fields.all("shown").map(str::to_owned).collect();
    let typed = |what: &str, name: &str| fields.text(&format!("{what}:{name}"));
    let words = |name: &String| {
        let words = Words {
            name: typed("name", name),
            description: typed("description", name),
        };
        (name.clone(), words)
    };
    Pick {
        chosen: match fields.get("do") {
            Some("all") => shown.iter().cloned().collect(),
            Some("none") => Default::default(),
            _ => fields.all("chosen").map(str::to_owned).collect(),
        },
        words: shown.iter().map(words).collect(),
        shown: shown.into_iter().collect(),
    }
}

/// The third step: makes the version, and approves it where the visitor may and wants to.
pub(crate) async fn submit(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path(id): Path<String>,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::Rest, fields.get("csrf"))?;
    let (around, draft) = find(&portal, &visitor, &fields, &id).await?;
    let version: Option<Result<VersionText, _>> = fields.get("version").map(str::parse);
    let again = |problems: &[Problem]| {
        let page = draft_page(&portal, &visitor, (&around, &draft), &Filter::default());
        frame::html(
            StatusCode::UNPROCESSABLE_ENTITY,
            &page.unsubmitted(&fields, problems),
        )
    };
    let version = match version.transpose() {
        Ok(version) => version,
        Err(error) => {
            return again(&[Problem {
                path: "version".to_owned(),
                message: error.to_string(),
            }]);
        }
    };
    let new = NewRest {
        version,
        about: fields.get("about").map(str::to_owned),
        internal: (fields.get("grant") == Some("yes")).into(),
        approve: match fields.get("approve") {
            Some("yes") => Approve::Now,
            _ => Approve::No,
        },
        ..asked(&around, Description::Draft(id), draft.details.curation.clone())
    };
    match portal.parts.registry.import_rest(&visitor.caller, new).await {
        Ok(made) => {
            portal.parts.refresh.refresh().await;
            let version = &made.outcome.version;
            let done = match version.approval {
                portreeve_core::server::Approval::Approved => "imported",
                _ => "waits",
            };
            let to = crate::words::encoded(version.version.as_str());
            Ok(frame::redirect(&format!(
                "/servers/{}?version={to}&done={done}",
                around.name
            )))
        }
        Err(RegistryError::Invalid(problems)) => again(&problems),
        Err(error) => Err(error.into()),
    }
}
