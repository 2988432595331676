//! `explain`: what the gateway would decide about a call, and why.

use axum::Json;
use axum::extract::State;
use portreeve_core::caller::Caller;

use super::require_audit;
use crate::Api;
use crate::content::{self, Content};
use crate::credential::Known;
use crate::problem::Problem;
use crate::shapes::explain::{QuestionShape, WhyShape};

/// Explain what would be decided about a call
///
/// Everybody may ask about their own calls, auditors about those of others.
#[utoipa::path(
    post, path = "/api/v1/explain", tag = "insight", operation_id = "explain",
    request_body = QuestionShape, responses((status = 200, body = WhyShape))
)]
pub(crate) async fn explain(
    State(api): State<Api>,
    Known(caller): Known,
    Content(question): Content<QuestionShape>,
) -> Result<Json<WhyShape>, Problem> {
    let mut whose = whose(&api, &caller, question.who.as_deref())?;
    let narrowed = question.client.is_some() || question.scope.is_some() || !question.groups.is_empty();
    if narrowed {
        require_audit(&api, &caller, "ask about the calls of others")?;
        whose = question.narrow(whose)?;
    }
    let arguments = question.arguments.as_ref().map(|raw| raw.get().as_bytes());
    let asked = (&*question.tool, arguments);
    let why = api.gateway.explain(&whose, &question.route, asked).await;
    match why {
        Some(why) => Ok(Json(why.into())),
        None => Err(Problem::not_found(format!("route `{}`", question.route))
            .hint("`portreeve route list` shows the routes; one that is switched off is not served")),
    }
}

fn whose(api: &Api, caller: &Caller, who: Option<&str>) -> Result<Caller, Problem> {
    let Some(who) = who.filter(|who| *who != &*caller.label) else {
        return Ok(caller.clone());
    };
    require_audit(api, caller, "ask about the calls of others")?;
    api.access.known_as(who).ok_or_else(|| {
        content::field("as", format!("nobody is known as `{who}`"))
            .hint("write `key:NAME`, `user:NAME` or `anonymous`; `portreeve key list` shows the keys")
    })
}
