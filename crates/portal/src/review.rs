//! `GET` and `POST /servers/{namespace}/{name}/review`: what an approval would do, what was found, what differs from the
//! version before, and the decision.
//!
//! The form carries the hash of the plan that was shown: what is approved is what was seen, or nothing.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use portreeve_core::name::{ServerName, VersionText};
use portreeve_registry::{Approving, Assessment, Comparison, Plan, RegistryError};

use crate::failure::Failure;
use crate::fields::{Form, Query};
use crate::forms::Purpose;
use crate::named::Named;
use crate::router::Portal;
use crate::view::{ReviewPage, ReviewParts};
use crate::visitor::Visitor;
use crate::{frame, words};

pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    named: Named,
    Query(fields): Query,
) -> Result<Response, Failure> {
    let name = named.read()?;
    let version = wanted(&name, fields.get("version"))?;
    let registry = &portal.parts.registry;
    let entry = registry.deployments(&visitor.caller, &name).await?;
    let plan = match registry.plan(&visitor.caller, &name, version.as_ref()).await {
        Ok(plan) => Some(plan),
        // Nothing waits: the page says so.
        Err(RegistryError::State { .. }) if version.is_none() => None,
        Err(error) => return Err(error.into()),
    };
    let about = match &plan {
        Some(plan) => About::find(&portal, &visitor, &name, plan).await?,
        None => About::default(),
    };
    let title = format!("Review of {}", entry.server.name.short());
    let parts = ReviewParts {
        entry: &entry,
        plan: plan.as_ref(),
        assessment: about.assessment.as_ref(),
        comparison: about.comparison.as_ref(),
        token: visitor.token(&portal, Purpose::Review),
        judged: fields.get("done") == Some("judged"),
        here: visitor.here(&portal, &name),
    };
    let shell = visitor.shell(&portal, title, "waiting");
    frame::html(StatusCode::OK, &ReviewPage::new(shell, &parts))
}

/// What is known of a version that waits.
#[derive(Default)]
struct About {
    assessment: Option<Assessment>,
    comparison: Option<Comparison>,
}

impl About {
    async fn find(
        portal: &Portal,
        visitor: &Visitor,
        name: &ServerName,
        plan: &Plan,
    ) -> Result<Self, Failure> {
        let Some(version) = &plan.version else {
            return Ok(Self::default());
        };
        let (registry, caller) = (&portal.parts.registry, &visitor.caller);
        Ok(Self {
            assessment: registry.assessment(caller, name, Some(version)).await?,
            comparison: Some(registry.compare(caller, name, (None, version)).await?),
        })
    }
}

/// Approves what was shown, or sends it back with a reason.
pub(crate) async fn decide(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    named: Named,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::Review, fields.get("csrf"))?;
    let name = named.read()?;
    let version = wanted(&name, fields.get("version"))?;
    let registry = &portal.parts.registry;
    let approving = Approving {
        internal: (fields.get("internal") == Some("yes")).into(),
        plan: Some(fields.text("plan")),
    };
    let done = match (fields.get("decision"), &version) {
        (Some("reject"), Some(version)) => {
            let reason = fields.text("reason");
            registry
                .reject(&visitor.caller, &name, Some(version), &reason)
                .await?;
            "sent-back"
        }
        (Some("reject"), None) => {
            registry.withdraw_deployments(&visitor.caller, &name).await?;
            "sent-back"
        }
        (_, Some(version)) => {
            registry
                .approve(&visitor.caller, &name, Some(version), approving)
                .await?;
            "let-in"
        }
        (_, None) => {
            registry
                .approve_deployments(&visitor.caller, &name, approving)
                .await?;
            "let-in"
        }
    };
    Ok(frame::redirect(&format!("/servers/{name}?done={done}")))
}

/// `POST /servers/{namespace}/{name}/assess`: judges the version again, and shows what was found.
pub(crate) async fn assess(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    named: Named,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::Review, fields.get("csrf"))?;
    let name = named.read()?;
    let version = wanted(&name, fields.get("version"))?;
    let registry = &portal.parts.registry;
    let found = registry.assess(&visitor.caller, &name, version.as_ref()).await?;
    let version = words::encoded(found.version.as_str());
    let to = format!("/servers/{name}/review?version={version}&done=judged#found");
    Ok(frame::redirect(&to))
}

fn wanted(name: &ServerName, version: Option<&str>) -> Result<Option<VersionText>, Failure> {
    let read = version.map(str::parse).transpose();
    read.map_err(|_| Failure::NotFound {
        text: format!("Server `{name}` has no such version."),
    })
}
