//! `/admin/users`: who is known here; made, put into groups, disabled, reset, removed.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Response;
use http::StatusCode;
use portreeve_access::{AccessError, NewUser};
use portreeve_core::caller::User;
use portreeve_core::name::GroupName;
use portreeve_core::secret::Secret;
use portreeve_core::user::UserOrigin;
use portreeve_registry::Problem;

use crate::failure::Failure;
use crate::fields::{Fields, Form, Parsed};
use crate::forms::Purpose;
use crate::frame;
use crate::router::Portal;
use crate::view::account::{UserRow, UsersPage, facts};
use crate::view::form::{Field, FormView, Tab};
use crate::view::{Crumb, OnePage, Part, Shown, ShownPage, governance_tabs};
use crate::visitor::Visitor;

fn new_form() -> FormView {
    FormView::new("user", "/admin/users", "Make the user")
        .field(
            Field::line("name", "Name")
                .required()
                .hint("Letters, digits and . _ - @ +. It never changes."),
        )
        .field(Field::line("displayName", "Called"))
        .field(Field::line("email", "E-mail"))
        .field(Field::text("groups", "Groups", 3).hint("One a line."))
}

pub(crate) async fn list(State(portal): State<Arc<Portal>>, visitor: Visitor) -> Result<Response, Failure> {
    show(&portal, &visitor, new_form()).await
}

async fn show(portal: &Portal, visitor: &Visitor, form: FormView) -> Result<Response, Failure> {
    visitor.require(visitor.offers().audits)?;
    let users = portal.parts.access.users(&visitor.caller).await?;
    let status = form.status();
    let page = UsersPage {
        shell: visitor.shell(portal, "Users", "governance"),
        tabs: governance_tabs(visitor.offers(), "/admin/users"),
        rows: users.iter().map(UserRow::new).collect(),
        form: form.token(visitor.token(portal, Purpose::Govern)),
    };
    frame::html(status, &page)
}

fn read_new(fields: &Fields) -> Result<NewUser, Vec<Problem>> {
    let mut parsed = Parsed::default();
    let groups: Vec<GroupName> = parsed.lines("groups", fields, "groups");
    parsed.finish(NewUser {
        name: fields.text("name"),
        display_name: fields.get("displayName").map(str::to_owned),
        email: fields.get("email").map(str::to_owned),
        groups,
    })
}

pub(crate) async fn create(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::Govern, fields.get("csrf"))?;
    let new = match read_new(&fields) {
        Ok(new) => new,
        Err(problems) => {
            return show(&portal, &visitor, new_form().typed(&fields).explain(&problems)).await;
        }
    };
    let access = &portal.parts.access;
    let wrong = |path: &str, message: &str| {
        let problem = Problem {
            path: path.to_owned(),
            message: message.to_owned(),
        };
        new_form().typed(&fields).explain(&[problem])
    };
    match access.create_user(&visitor.caller, new).await {
        Ok(user) => {
            portal.parts.refresh.refresh().await;
            let link = access.password_link(&visitor.caller, &user).await?;
            show_link(&portal, &visitor, (&user, &link))
        }
        Err(AccessError::NameTaken { .. }) => {
            let form = wrong("name", "there is a user of this name");
            show(&portal, &visitor, form).await
        }
        Err(AccessError::Invalid { field, problem, .. }) => {
            let form = wrong(field, problem);
            show(&portal, &visitor, form).await
        }
        Err(error) => Err(error.into()),
    }
}

/// The link that sets a password, this once.
fn show_link(
    portal: &Portal,
    visitor: &Visitor,
    (user, link): (&User, &Secret),
) -> Result<Response, Failure> {
    let address = portal.parts.login.password_address(link);
    let page = ShownPage {
        shell: visitor.shell(portal, "Hand this link over", "governance"),
        lede: "It sets the password, once, within 24 hours. Whoever holds it is the user, so give it to nobody else. It is not shown again.",
        items: vec![Shown {
            id: "shown-1",
            label: format!("Link for {}", user.name),
            text: address.expose().to_owned(),
        }],
        onward: (format!("/admin/users/{}", user.id), "To the user"),
    };
    frame::html(StatusCode::OK, &page)
}

pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path(user): Path<String>,
) -> Result<Response, Failure> {
    show_one(&portal, &visitor, (&user, None)).await
}

async fn show_one(
    portal: &Portal,
    visitor: &Visitor,
    (user, wrong): (&str, Option<Vec<Problem>>),
) -> Result<Response, Failure> {
    visitor.require(visitor.offers().audits)?;
    let access = &portal.parts.access;
    let user = access.find_user(&visitor.caller, user).await?;
    let sessions = access.sessions_of(&visitor.caller, user.id).await?;
    let title = user.display_name.clone().unwrap_or_else(|| user.name.clone());
    let shell = visitor.shell(portal, crate::words::visible(&title), "governance");
    let crumbs = vec![Crumb::new("/admin/users", "Users")];
    let mut page = OnePage::new(shell, "Who this is, and what follows from it.", crumbs);
    page.findings_title = "What is known";
    page.findings = facts(&user);
    page.findings.push(match sessions.len() {
        0 => "Signed in nowhere".to_owned(),
        count => format!("Signed in: {}", crate::words::count(count, "session")),
    });
    page.tabs = Tab::all(
        &[
            (&format!("/admin/users/{}", user.id), "The user"),
            (
                &format!("/admin/grants?subject=user:{}", user.name),
                "What was granted",
            ),
        ],
        &format!("/admin/users/{}", user.id),
    );
    let status = match &wrong {
        Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        None => StatusCode::OK,
    };
    let token = visitor.token(portal, Purpose::Govern);
    if visitor.manages() {
        for part in parts(&user, &token, wrong.as_deref()) {
            page = page.part(part);
        }
    }
    frame::html(status, &page)
}

fn parts(user: &User, token: &str, wrong: Option<&[Problem]>) -> Vec<Part> {
    let action = |step: &str| format!("/admin/users/{}/{step}", user.id);
    let plain = |step: &'static str, button: &'static str| {
        FormView::new(step, action(step), button)
            .token(token.to_owned())
            .plain()
    };
    let groups: Vec<String> = user.groups.iter().map(ToString::to_string).collect();
    let form = FormView::new("groups", action("groups"), "Set the groups")
        .token(token.to_owned())
        .field(
            Field::text("groups", "Groups, by hand", 4)
                .value(groups.join("\n"))
                .hint("One a line. Groups of the identity provider stay beside them."),
        )
        .explain(wrong.unwrap_or_default());
    let mut parts = vec![Part::new("Groups", "", form)];
    parts.push(Part::new(
        "Sessions",
        "Ends every session of the user, and what clients were allowed in them.",
        plain("sign-out", "Sign the user out everywhere"),
    ));
    if user.origin == UserOrigin::Local {
        parts.push(Part::new(
            "Password lost",
            "Takes password and codes away, ends every session, and shows a link that sets a new password.",
            plain("reset", "Reset"),
        ));
    }
    parts.push(if user.is_enabled() {
        Part::new(
            "Disable",
            "Sessions, keys and tokens of the user stop at once. Nothing is removed.",
            plain("disable", "Disable the user"),
        )
    } else {
        Part::new(
            "Enable",
            "The user may again do what was granted.",
            plain("enable", "Enable the user"),
        )
    });
    parts.push(Part::new(
        "Remove",
        "With the keys that act for the user, and the user's grants. Somebody whom a provider vouches for may come back without them.",
        plain("delete", "Remove for good"),
    ));
    parts
}

pub(crate) async fn act(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    Path((user, step)): Path<(String, String)>,
    Form(fields): Form,
) -> Result<Response, Failure> {
    visitor.check(&portal, Purpose::Govern, fields.get("csrf"))?;
    let access = &portal.parts.access;
    let caller = &visitor.caller;
    match step.as_str() {
        "groups" => {
            let mut parsed = Parsed::default();
            let groups: Vec<GroupName> = parsed.lines("groups", &fields, "groups");
            match parsed.finish(groups) {
                Ok(groups) => access.set_groups(caller, &user, groups).await.map(drop)?,
                Err(problems) => return show_one(&portal, &visitor, (&user, Some(problems))).await,
            }
        }
        "sign-out" => {
            let found = access.find_user(caller, &user).await?;
            access.end_all_sessions(caller, found.id).await?;
        }
        "disable" => access.disable_user(caller, &user).await.map(drop)?,
        "enable" => access.enable_user(caller, &user).await.map(drop)?,
        "reset" => {
            let (found, link) = portal.parts.login.reset(caller, &user).await?;
            return show_link(&portal, &visitor, (&found, &link));
        }
        "delete" => {
            access.remove_user(caller, &user).await?;
            portal.parts.refresh.refresh().await;
            return Ok(frame::redirect("/admin/users"));
        }
        _ => return Err(Failure::page_not_found()),
    }
    portal.parts.refresh.refresh().await;
    Ok(frame::redirect(&format!("/admin/users/{user}")))
}
