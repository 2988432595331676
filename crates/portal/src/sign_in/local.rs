//! Over a password: typed, followed by a code where one is asked for, and set by a one-time link.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::header::REFERRER_POLICY;
use http::{HeaderMap, HeaderValue, StatusCode};
use portreeve_access::{LoginError, Next, PasswordOutcome, Typed};
use portreeve_core::secret::Secret;

use super::{Browser, Whence, enter_as, show};
use crate::failure::Failure;
use crate::fields::{Form, Query};
use crate::forms::Purpose;
use crate::frame;
use crate::router::Portal;
use crate::view::form::{Field, FormView};
use crate::view::sign_in::{CodePage, LocalForm};
use crate::view::{OnePage, Part};
use crate::visitor::Visitor;

pub(crate) async fn password(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    (whence, headers): (Whence, HeaderMap),
    Form(fields): Form,
) -> Result<Response, Failure> {
    let browser = Browser::known(&portal, &headers);
    portal
        .forms
        .check_token(Purpose::SignIn, &browser.secret, fields.get("csrf"))?;
    let next = Next::read(fields.get("next"));
    let typed = Typed {
        name: fields.text("name"),
        password: Secret::new(fields.exact("password")),
        agent: whence.agent,
        address: whence.address,
    };
    let outcome = portal
        .parts
        .login
        .sign_in_by_password(&typed, &next, &browser.secret)
        .await;
    match outcome {
        Ok(outcome) => lead_on(&portal, &visitor, (outcome, browser)).await,
        Err(error @ (LoginError::Wrong | LoginError::Disabled | LoginError::TooFast { .. })) => {
            let (status, problem) = match &error {
                LoginError::Wrong => (
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "Name and password do not belong together.".to_owned(),
                ),
                LoginError::TooFast { .. } => (
                    StatusCode::TOO_MANY_REQUESTS,
                    "That was tried too often. Wait a minute, and try again.".to_owned(),
                ),
                _ => (
                    StatusCode::FORBIDDEN,
                    "This account is disabled. Ask an administrator.".to_owned(),
                ),
            };
            let form = LocalForm {
                name: typed.name,
                problem: Some(problem),
            };
            show(&portal, &visitor, (&headers, next), Some((status, form)))
        }
        Err(error) => Err(error.into()),
    }
}

/// The session, or the page that asks for a code.
async fn lead_on(
    portal: &Portal,
    visitor: &Visitor,
    (outcome, browser): (PasswordOutcome, Browser),
) -> Result<Response, Failure> {
    match outcome {
        PasswordOutcome::SignedIn(signed_in) => enter_as(portal, visitor, &signed_in).await,
        PasswordOutcome::Code(ticket) => {
            let page = code_page(portal, visitor, (&ticket, &browser), None);
            Ok(browser.keep(frame::leading_on(frame::html(StatusCode::OK, &page)?)))
        }
    }
}

fn code_page(
    portal: &Portal,
    visitor: &Visitor,
    (ticket, browser): (&Secret, &Browser),
    problem: Option<String>,
) -> CodePage {
    CodePage {
        shell: visitor.shell(portal, "One more step", "sign-in"),
        ticket: ticket.expose().to_owned(),
        token: portal.forms.token(Purpose::SignIn, &browser.secret),
        problem,
    }
}

pub(crate) async fn code(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    (whence, headers): (Whence, HeaderMap),
    Form(fields): Form,
) -> Result<Response, Failure> {
    let browser = Browser::known(&portal, &headers);
    portal
        .forms
        .check_token(Purpose::SignIn, &browser.secret, fields.get("csrf"))?;
    let ticket = Secret::new(fields.text("ticket"));
    let typed = (ticket.expose(), fields.get("code").unwrap_or_default());
    let from = (&browser.secret, whence.address);
    let agent = whence.agent.as_deref();
    let signed_in = portal.parts.login.sign_in_by_code(typed, from, agent).await;
    match signed_in {
        Ok(signed_in) => enter_as(&portal, &visitor, &signed_in).await,
        Err(LoginError::Wrong) => {
            let problem =
                "This code does not fit. Take the one that the authenticator shows now; each works once.";
            let page = code_page(&portal, &visitor, (&ticket, &browser), Some(problem.to_owned()));
            Ok(frame::leading_on(frame::html(
                StatusCode::UNPROCESSABLE_ENTITY,
                &page,
            )?))
        }
        Err(error) => Err(error.into()),
    }
}

fn new_password_form(token: String, link: &str) -> FormView {
    FormView::new("new", "/sign-in/new-password", "Set the password")
        .token(token)
        .hide("link", link)
        .field(
            Field::secret("password", "New password")
                .required()
                .hint("15 characters or more. A few words that do not belong together are easy to keep."),
        )
        .field(Field::secret("again", "The same again").required())
}

fn new_password_page(portal: &Portal, visitor: &Visitor, form: FormView) -> Result<Response, Failure> {
    let status = form.status();
    let shell = visitor.shell(portal, "New password", "sign-in");
    let lede =
        "This link sets your password once, and signs you in. Where you were signed in before, that ends.";
    let page = OnePage::new(shell, lede, Vec::new()).part(Part::new("Your password", "", form));
    let mut response = frame::html(status, &page)?;
    // As on the page of a link that signs in: the address holds it.
    let policy = HeaderValue::from_static("strict-origin");
    response.headers_mut().insert(REFERRER_POLICY, policy);
    Ok(response)
}

pub(crate) async fn new_password(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Query(fields): Query,
) -> Result<Response, Failure> {
    let link = Secret::new(fields.get("link").ok_or(Failure::Link)?);
    let token = portal.forms.token(Purpose::SignIn, &link);
    new_password_page(&portal, &visitor, new_password_form(token, link.expose()))
}

pub(crate) async fn set_new_password(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    (whence, headers): (Whence, HeaderMap),
    Form(fields): Form,
) -> Result<Response, Failure> {
    let link = Secret::new(fields.get("link").ok_or(Failure::Link)?);
    portal
        .forms
        .check_token(Purpose::SignIn, &link, fields.get("csrf"))?;
    let browser = Browser::known(&portal, &headers);
    let password = Secret::new(fields.exact("password"));
    let wrong = |path: &str, message: String| {
        let problem = portreeve_registry::Problem {
            path: path.to_owned(),
            message,
        };
        let token = portal.forms.token(Purpose::SignIn, &link);
        let form = new_password_form(token, link.expose()).explain(&[problem]);
        new_password_page(&portal, &visitor, form)
    };
    if password.expose() != fields.exact("again") {
        return wrong("again", "it is not the same".to_owned());
    }
    let login = &portal.parts.login;
    let set = login
        .set_password_by_link(
            (link.expose(), &password),
            &browser.secret,
            whence.agent.as_deref(),
        )
        .await;
    match set {
        Ok(outcome) => lead_on(&portal, &visitor, (outcome, browser)).await,
        Err(LoginError::Password(problem)) => wrong("password", problem.to_owned()),
        Err(error) => Err(error.into()),
    }
}
