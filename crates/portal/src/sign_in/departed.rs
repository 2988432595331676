//! After signing out: what may go on at an identity provider, and the way back from there.
//!
//! Before: `/sign-out` ended the session here. A provider sends the browser back with the `state` that it was sent away with,
//! which only this browser's cookie fits; what comes without it is told as not known.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;
use http::{HeaderMap, StatusCode};

use super::Browser;
use crate::failure::Failure;
use crate::fields::Query;
use crate::forms::Purpose;
use crate::frame;
use crate::router::Portal;
use crate::view::sign_in::SignedOutPage;
use crate::visitor::Visitor;

const OUT: &str = "You are signed out";

pub(crate) async fn page(
    State(portal): State<Arc<Portal>>,
    visitor: Visitor,
    headers: HeaderMap,
    Query(fields): Query,
) -> Result<Response, Failure> {
    let show = |(heading, said): (&'static str, String), way| {
        let page = SignedOutPage {
            shell: visitor.shell(&portal, heading, "signed-out"),
            heading,
            said,
            way,
        };
        frame::html(StatusCode::OK, &page)
    };
    if visitor.is_signed_in() {
        let said = "This browser has a session here. The button above ends it.".to_owned();
        return show(("You are signed in", said), None);
    }
    if let Some(state) = fields.get("state") {
        return show((OUT, came_back(&portal, &headers, state).to_owned()), None);
    }
    let browser = Browser::known(&portal, &headers);
    let state = portal.forms.token(Purpose::LeaveProvider, &browser.secret);
    let left = match fields.get("from") {
        Some(provider) => portal.parts.login.departure(provider, &state).await,
        None => None,
    };
    let Some(left) = left else {
        let said = "The session of this browser is over.".to_owned();
        return show((OUT, said), None);
    };
    let title = left.title;
    let Some(address) = left.address else {
        let said = format!(
            "Your session at {title} goes on, and it does not say where to end it. Sign out there yourself."
        );
        return show((OUT, said), None);
    };
    let said = format!(
        "Your session at {title} goes on: until it ends, this browser comes back in without a password."
    );
    let shown = show((OUT, said), Some((title, String::from(address))))?;
    Ok(browser.keep(shown))
}

/// What is known of who comes back from a provider.
fn came_back(portal: &Portal, headers: &HeaderMap, state: &str) -> &'static str {
    let browser = portal.browser_cookie.read(headers);
    let is_ours = browser.is_some_and(|secret| {
        let checked = portal
            .forms
            .check_token(Purpose::LeaveProvider, &secret, Some(state));
        checked.is_ok()
    });
    if is_ours {
        "Here, and at your identity provider."
    } else {
        "What led here answers no sign-out of this browser, so it is not known whether your session at the identity \
         provider is over. Look there."
    }
}
