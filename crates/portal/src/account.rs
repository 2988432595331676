//! `/account`: who is signed in, the password and the codes; `/account/sessions`: where else.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::StatusCode;
use portreeve_access::{CodeSetup, LoginError};
use portreeve_core::secret::Secret;
use portreeve_core::user::{Session, User, UserOrigin};
use portreeve_registry::Problem;

use crate::failure::Failure;
use crate::fields::Form;
use crate::forms::Purpose;
use crate::frame;
use crate::router::Portal;
use crate::view::account::{SessionRow, SessionsPage, account_tabs, facts};
use crate::view::form::{Field, FormView};
use crate::view::{Crumb, OnePage, Part, Shown, ShownPage};
use crate::visitor::Visitor;

/// The visitor's session. Who has none is told to sign in.
async fn session(portal: &Portal, visitor: &Visitor) -> Result<Session, Failure> {
    visitor.require_known()?;
    let secret = visitor.session().ok_or_else(|| Failure::forbidden(visitor))?;
    let found = portal.parts.access.session_of(secret.expose()).await?;
    found
        .map(|(_, session)| session)
        .ok_or_else(|| Failure::forbidden(visitor))
}

pub(crate) async fn page(State(portal): State<Arc<Portal>>, visitor: Visitor) -> Result<Response, Failure> {
    show(&portal, &visitor, None).await
}

/// What was wrong with which form.
type Wrong<'a> = (&'a str, Problem);

async fn show(portal: &Portal, visitor: &Visitor, wrong: Option<Wrong<'_>>) -> Result<Response, Failure> {
    visitor.require_known()?;
    let user = portal.parts.access.own_user(&visitor.caller).await?;
    let shell = visitor.shell(portal, "Your account", "account");
    let mut page = OnePage::new(shell, "Who you are here, and how you sign in.", Vec::new());
    page.tabs = account_tabs("/account");
    page.findings_title = "You";
    page.findings = facts(&user);
    for (id, part) in forms(portal, visitor, &user).await? {
        let part = match &wrong {
            Some((form, problem)) if *form == id => Part {
                form: part.form.explain(std::slice::from_ref(problem)),
                ..part
            },
            _ => part,
        };
        page = page.part(part);
    }
    let status = if wrong.is_some() {
        StatusCode::UNPROCESSABLE_ENTITY
    } else {
        StatusCode::OK
    };
    frame::html(status, &page)
}

async fn forms(
    portal: &Portal,
    visitor: &Visitor,
    user: &User,
) -> Result<Vec<(&'static str, Part)>, Failure> {
    let login = &portal.parts.login;
    let token = || visitor.token(portal, Purpose::Account);
    let mut parts = Vec::new();
    if user.origin == UserOrigin::Local && login.takes_passwords() {
        let credentials = login.own_credentials(&visitor.caller).await?;
        if credentials.password.is_some() {
            let form = FormView::new("password", "/account/password", "Change the password")
                .token(token())
                .field(Field::secret("former", "Present password").required())
                .field(
                    Field::secret("password", "New password")
                        .required()
                        .hint("15 characters or more."),
                )
                .field(Field::secret("again", "The same again").required());
            parts.push(("password", Part::new("Password", "", form)));
            parts.push(("codes", codes(&token(), credentials.codes_confirmed)));
        }
    }
    let form = FormView::new("sessions", "/account/sessions/end", "Sign out everywhere else")
        .token(token())
        .plain();
    parts.push((
        "sessions",
        Part::new("Sessions", "Every other browser has to sign in again.", form),
    ));
    Ok(parts)
}

fn codes(token: &str, confirmed: bool) -> Part {
    if confirmed {
        let form = FormView::new("codes", "/account/codes/remove", "Ask for no code any more")
            .token(token.to_owned())
            .field(Field::secret("former", "Present password").required())
            .plain();
        return Part::new(
            "Codes",
            "A code of your authenticator is asked for after the password.",
            form,
        );
    }
    let form = FormView::new("codes", "/account/codes", "Set codes up")
        .token(token.to_owned())
        .field(Field::secret("former", "Present password").required())
        .plain();
    Part::new(
        "Codes",
        "With an authenticator app, a code is asked for after the password, and the password alone opens nothing.",
        form,
    )
}

fn problem(path: &str, message: &str) -> Problem {
    Problem {
        path: path.to_owned(),
        message: message.to_owned(),
    }
}

pub(crate) async fn change_password(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::Account, fields.get("csrf"))?;
    let session = session(&portal, &visitor).await?;
    let (former, password) = (
        Secret::new(fields.exact("former")),
        Secret::new(fields.exact("password")),
    );
    if password.expose() != fields.exact("again") {
        let wrong = ("password", problem("again", "it is not the same"));
        return show(&portal, &visitor, Some(wrong)).await;
    }
    let login = &portal.parts.login;
    let changed = login
        .change_password((&visitor.caller, &session), (&former, &password))
        .await;
    match changed {
        Ok(()) => Ok(frame::redirect("/account")),
        Err(LoginError::Wrong) => {
            let wrong = ("password", problem("former", "it is not right"));
            show(&portal, &visitor, Some(wrong)).await
        }
        Err(LoginError::Password(said)) => {
            let wrong = ("password", problem("password", said));
            show(&portal, &visitor, Some(wrong)).await
        }
        Err(error) => Err(error.into()),
    }
}

fn code_form(token: String, ticket: &Secret) -> FormView {
    FormView::new("confirm", "/account/codes/confirm", "Ask for codes from now on")
        .token(token)
        .hide("ticket", ticket.expose())
        .field(
            Field::line("code", "Code")
                .required()
                .hint("The six digits that the authenticator shows now."),
        )
}

/// Shows what goes into an authenticator, and asks for its first code.
fn show_codes(
    portal: &Portal,
    visitor: &Visitor,
    setup: &CodeSetup,
    wrong: Option<Problem>,
) -> Result<Response, Failure> {
    let form = code_form(visitor.token(portal, Purpose::Account), &setup.ticket);
    let form = form.explain(wrong.as_slice());
    let status = form.status();
    let shell = visitor.shell(portal, "Codes", "account");
    let crumbs = vec![Crumb::new("/account", "Your account")];
    let mut page = OnePage::new(
        shell,
        "Add this account to your authenticator, then show that it works.",
        crumbs,
    );
    page.findings_title = "For the authenticator";
    page.findings = vec![
        format!("Key: {}", setup.secret.expose()),
        format!("Address: {}", setup.address.expose()),
    ];
    frame::html(status, &page.part(Part::new("The first code", "", form)))
}

pub(crate) async fn set_up_codes(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::Account, fields.get("csrf"))?;
    let former = Secret::new(fields.exact("former"));
    match portal.parts.login.offer_codes(&visitor.caller, &former).await {
        Ok(setup) => show_codes(&portal, &visitor, &setup, None),
        Err(LoginError::Wrong) => {
            let wrong = ("codes", problem("former", "it is not right"));
            show(&portal, &visitor, Some(wrong)).await
        }
        Err(error) => Err(error.into()),
    }
}

pub(crate) async fn confirm_codes(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::Account, fields.get("csrf"))?;
    let code = fields.get("code").unwrap_or_default();
    let ticket = fields.get("ticket").unwrap_or_default();
    let login = &portal.parts.login;
    match login.confirm_codes(&visitor.caller, (ticket, code)).await {
        Ok(codes) => {
            let codes: Vec<&str> = codes.iter().map(Secret::expose).collect();
            let page = ShownPage {
                shell: visitor.shell(&portal, "Recovery codes", "account"),
                lede: "Codes are asked for from now on. Keep these for the day on which the authenticator is lost: each signs you in once, and they are not shown again.",
                items: vec![Shown {
                    id: "shown-1",
                    label: "Recovery codes".to_owned(),
                    text: codes.join("\n"),
                }],
                onward: ("/account".to_owned(), "I have kept them"),
            };
            frame::html(StatusCode::OK, &page)
        }
        Err(LoginError::Wrong) => {
            let wrong = problem("code", "it does not fit: take the one that is shown now");
            let setup = login.offer_codes_again(&visitor.caller, ticket).await?;
            show_codes(&portal, &visitor, &setup, Some(wrong))
        }
        Err(error) => Err(error.into()),
    }
}

pub(crate) async fn remove_codes(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::Account, fields.get("csrf"))?;
    let former = Secret::new(fields.exact("former"));
    match portal.parts.login.remove_codes(&visitor.caller, &former).await {
        Ok(()) => Ok(frame::redirect("/account")),
        Err(LoginError::Wrong) => {
            let wrong = ("codes", problem("former", "it is not right"));
            show(&portal, &visitor, Some(wrong)).await
        }
        Err(error) => Err(error.into()),
    }
}

pub(crate) async fn sessions(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
) -> Result<Response, Failure> {
    let own = session(&portal, &visitor).await?;
    let all = portal.parts.access.sessions_of(&visitor.caller, own.user).await?;
    let page = SessionsPage {
        shell: visitor.shell(&portal, "Your sessions", "account"),
        tabs: account_tabs("/account/sessions"),
        rows: all
            .iter()
            .map(|one| SessionRow::new(one, one.id == own.id))
            .collect(),
        token: visitor.token(&portal, Purpose::Account),
    };
    frame::html(StatusCode::OK, &page)
}

/// Ends one session, or all but this one.
pub(crate) async fn end_sessions(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::Account, fields.get("csrf"))?;
    let own = session(&portal, &visitor).await?;
    let access = &portal.parts.access;
    match fields.get("session") {
        Some(one) => {
            let one = one.parse().map_err(|_| Failure::Form)?;
            access.end_session(&visitor.caller, own.user, one).await?;
        }
        None => {
            access
                .end_other_sessions(&visitor.caller, own.user, own.id)
                .await?;
        }
    }
    Ok(frame::redirect("/account/sessions"))
}
