//! `/admin/policies`: rules as text beside the grants: listed, edited with what is wrong beside the text, tried, tested,
//! switched, removed.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use portreeve_access::{DryRunOf, NewPolicy, PolicyError, Standing, Switch};
use portreeve_core::access_policy::{AccessPolicy, PolicyTest};
use portreeve_core::name::PolicyName;
use portreeve_registry::Problem;

use crate::failure::Failure;
use crate::fields::{Fields, Form};
use crate::forms::Purpose;
use crate::frame;
use crate::router::Portal;
use crate::view::access_policies::{self as view, PoliciesPage};
use crate::view::{Crumb, FormView, OnePage, Part};
use crate::visitor::Visitor;

/// The most changes that the page tells.
const SHOWN: usize = 100;

/// What a page says above its forms.
type Findings = (&'static str, Vec<String>);

pub(crate) async fn list(State(portal): State<Arc<Portal>>, visitor: Visitor) -> Result<Response, Failure> {
    show_all(&portal, &visitor, view::new_form()).await
}

async fn show_all(portal: &Portal, visitor: &Visitor, form: FormView) -> Result<Response, Failure> {
    let all = portal.parts.access.access_policies(&visitor.caller).await?;
    let status = form.status();
    let token = visitor.token(portal, Purpose::Govern);
    let shell = visitor.shell(portal, "Access policies", "governance");
    frame::html(status, &PoliciesPage::new(shell, &all, form.token(token)))
}

/// Saves a new one.
pub(crate) async fn create(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::Govern, fields.get("csrf"))?;
    let name = match fields.text("name").parse::<PolicyName>() {
        Ok(name) => name,
        Err(error) => {
            let form = view::new_form().typed(&fields);
            return show_all(&portal, &visitor, form.explain(&[at("name", error.reason)])).await;
        }
    };
    match save(&portal, &visitor, (&fields, name), Standing::New).await? {
        Ok(policy) => Ok(frame::redirect(&address(&policy.name))),
        Err(problems) => {
            let form = view::new_form().typed(&fields).explain(&problems);
            show_all(&portal, &visitor, form).await
        }
    }
}

pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path(name): Path<String>,
) -> Result<Response, Failure> {
    let policy = found(&portal, &visitor, &name).await?;
    show(
        &portal,
        &visitor,
        &policy,
        (view::form(&policy), ("", Vec::new())),
    )
}

/// Saves it at the revision that was shown.
pub(crate) async fn change(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path(name): Path<String>,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::Govern, fields.get("csrf"))?;
    let policy = found(&portal, &visitor, &name).await?;
    let standing = Standing::At(fields.revision().unwrap_or_default());
    match save(&portal, &visitor, (&fields, policy.name.clone()), standing).await? {
        Ok(policy) => Ok(frame::redirect(&address(&policy.name))),
        Err(problems) => {
            let form = view::form(&policy).typed(&fields).explain(&problems);
            show(&portal, &visitor, &policy, (form, ("", Vec::new())))
        }
    }
}

/// Shows what would change if what was typed were in force.
pub(crate) async fn dry_run(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path(name): Path<String>,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::Govern, fields.get("csrf"))?;
    let policy = found(&portal, &visitor, &name).await?;
    let of = DryRunOf {
        name: policy.name.clone(),
        text: Some(fields.exact("text")),
        who: fields.lines("as"),
        from: 0,
        limit: SHOWN,
    };
    let tools = portal.parts.gateway.approved_tools();
    let tried = portal.parts.access.dry_run(&visitor.caller, &of, &tools).await;
    let (try_form, findings) = match tried {
        Ok(run) => (view::try_form(&policy), view::changes(&run)),
        Err(PolicyError::Text { problems, .. }) => {
            let problems: Vec<Problem> = problems.iter().map(view::text_problem).collect();
            (view::try_form(&policy).explain(&problems), ("", Vec::new()))
        }
        Err(error) => return Err(error.into()),
    };
    let parts = view::Forms {
        edit: view::form(&policy),
        trial: try_form.typed(&fields),
        test: view::test_form(&policy),
    };
    show_forms(&portal, &visitor, &policy, (parts, findings))
}

/// Runs its tests, and shows how they went; or puts one question to it.
pub(crate) async fn test(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path(name): Path<String>,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::Govern, fields.get("csrf"))?;
    let policy = found(&portal, &visitor, &name).await?;
    if fields.get("who").is_some() {
        return ask(&portal, &visitor, &policy, &fields).await;
    }
    let outcomes = portal
        .parts
        .access
        .test_access_policies(&visitor.caller, Some(&policy.name))
        .await?;
    let findings = view::outcomes(&outcomes);
    show(&portal, &visitor, &policy, (view::form(&policy), findings))
}

/// Shows what the text says to the question that was typed.
async fn ask(
    portal: &Portal,
    visitor: &Visitor,
    policy: &AccessPolicy,
    fields: &Fields,
) -> Result<Response, Failure> {
    let question = view::question(fields).map_err(|error| Failure::Invalid {
        text: format!("That question cannot be put: {error}."),
        hint: "Go back, and name somebody, a server, and the environment as it is called.".to_owned(),
    })?;
    let text = (&policy.name, policy.text.as_str());
    let access = &portal.parts.access;
    let checked = access
        .check_access_policy(&visitor.caller, text, &[question])
        .await?;
    let forms = view::Forms {
        edit: view::form(policy),
        trial: view::try_form(policy),
        test: view::test_form(policy).typed(fields),
    };
    show_forms(portal, visitor, policy, (forms, view::answer(&checked)))
}

/// Switches it on or off.
pub(crate) async fn switch(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path(name): Path<String>,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::Govern, fields.get("csrf"))?;
    let policy = found(&portal, &visitor, &name).await?;
    let switch = match fields.get("switch") {
        Some("on") => Switch::On,
        Some("off") => Switch::Off,
        _ => return Err(Failure::Form),
    };
    let standing = Standing::At(fields.revision().unwrap_or_default());
    let access = &portal.parts.access;
    access
        .switch_access_policy(&visitor.caller, &policy.name, switch, standing)
        .await?;
    portal.parts.refresh.refresh().await;
    Ok(frame::redirect(&address(&policy.name)))
}

pub(crate) async fn delete(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path(name): Path<String>,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::Govern, fields.get("csrf"))?;
    let policy = found(&portal, &visitor, &name).await?;
    let standing = Standing::At(fields.revision().unwrap_or_default());
    let access = &portal.parts.access;
    access
        .remove_access_policy(&visitor.caller, &policy.name, standing)
        .await?;
    portal.parts.refresh.refresh().await;
    Ok(frame::redirect("/admin/policies"))
}

/// Saves what was typed; the inner error is what is wrong with it.
async fn save(
    portal: &Portal,
    visitor: &Visitor,
    (fields, name): (&Fields, PolicyName),
    standing: Standing,
) -> Result<Result<AccessPolicy, Vec<Problem>>, Failure> {
    let tests = fields.text("tests");
    let tests: Vec<PolicyTest> = if tests.is_empty() {
        Vec::new()
    } else {
        match serde_json::from_str(&tests) {
            Ok(tests) => tests,
            Err(error) => return Ok(Err(vec![at("tests", &error.to_string())])),
        }
    };
    let new = NewPolicy {
        name,
        description: fields.text("description"),
        text: fields.exact("text").replace("\r\n", "\n"),
        tests,
        enabled: fields.get("enabled") == Some("yes"),
    };
    let access = &portal.parts.access;
    match access.set_access_policy(&visitor.caller, new, standing).await {
        Ok(policy) => {
            portal.parts.refresh.refresh().await;
            Ok(Ok(policy))
        }
        Err(PolicyError::Text { problems, .. }) => Ok(Err(problems.iter().map(view::text_problem).collect())),
        Err(PolicyError::Tests { failed, .. }) => {
            let problems = failed.iter().map(|test| at("tests", &test.to_string()));
            Ok(Err(problems.collect()))
        }
        Err(PolicyError::Access(portreeve_access::AccessError::NameTaken { .. })) => {
            Ok(Err(vec![at("name", "there is an access policy of this name")]))
        }
        Err(error) => Err(error.into()),
    }
}

async fn found(portal: &Portal, visitor: &Visitor, name: &str) -> Result<AccessPolicy, Failure> {
    // Who may not read policies is told so, whether there is one or not.
    let all = portal.parts.access.access_policies(&visitor.caller).await?;
    let named = all.into_iter().find(|policy| policy.name.as_str() == name);
    named.ok_or_else(|| Failure::NotFound {
        text: "No access policy has this address.".to_owned(),
    })
}

fn show(
    portal: &Portal,
    visitor: &Visitor,
    policy: &AccessPolicy,
    (edit, findings): (FormView, Findings),
) -> Result<Response, Failure> {
    let forms = view::Forms {
        edit,
        trial: view::try_form(policy),
        test: view::test_form(policy),
    };
    show_forms(portal, visitor, policy, (forms, findings))
}

fn show_forms(
    portal: &Portal,
    visitor: &Visitor,
    policy: &AccessPolicy,
    (forms, (findings_title, findings)): (view::Forms, Findings),
) -> Result<Response, Failure> {
    let token = visitor.token(portal, Purpose::Govern);
    let shell = visitor.shell(portal, policy.name.to_string(), "governance");
    let status = if forms.trial.is_wrong() {
        forms.trial.status()
    } else {
        forms.edit.status()
    };
    let page = OnePage::new(
        shell,
        view::lede(policy),
        vec![Crumb::new("/admin/policies", "Access policies")],
    );
    let page = OnePage {
        findings_title,
        findings,
        ..page
    };
    let trial = Part::new(
        "Try a text",
        "Who would gain and who would lose what. Nothing is saved.",
        forms.trial.token(token.clone()),
    );
    let tests = view::test_part(forms.test.token(token.clone()));
    // Who may only read it may try it, too.
    let page = if visitor.manages() {
        page.part(Part::new(
            "Change it",
            "It is saved when the text can be read and all its tests hold.",
            forms.edit.token(token.clone()),
        ))
        .part(trial)
        .part(tests)
        .part(view::switch_part(policy, token.clone()))
        .part(view::delete_part(policy, token))
    } else {
        page.part(trial).part(tests)
    };
    frame::html(status, &page)
}

fn address(name: &PolicyName) -> String {
    format!("/admin/policies/{name}")
}

fn at(path: &str, message: &str) -> Problem {
    Problem {
        path: path.to_owned(),
        message: message.to_owned(),
    }
}

impl From<PolicyError> for Failure {
    fn from(error: PolicyError) -> Self {
        match error {
            PolicyError::Access(error) => error.into(),
            other => Self::Invalid {
                text: format!("{other}."),
                hint: format!("{}.", other.hint()),
            },
        }
    }
}
