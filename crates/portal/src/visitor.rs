//! Who is looking: found once per request from the cookie, then handed to the pages.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::HeaderMap;
use http::request::Parts;
use portreeve_core::caller::{Caller, Principal};
use portreeve_core::decision::{Action, Target};
use portreeve_core::name::ServerName;
use portreeve_core::ports::Authorizer;
use portreeve_core::secret::Secret;

use crate::failure::Failure;
use crate::forms::Purpose;
use crate::router::Portal;
use crate::view::{Account, Shell};
use crate::words;

/// What waits is counted up to this.
const COUNTED: u32 = 100;

/// What a visitor's roles open, each of them somewhere or everywhere. Pages ask again; this decides what is shown of them.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Offers {
    /// Sees the inside of some server.
    pub(crate) views: bool,
    /// Sees the inside of everything.
    pub(crate) sees_all: bool,
    /// Approves something somewhere.
    pub(crate) approves: bool,
    /// Operates everything.
    pub(crate) operates: bool,
    /// Audits everything.
    pub(crate) audits: bool,
    /// Reads grants, all or some.
    pub(crate) grants: bool,
    /// Makes grants, all or some.
    pub(crate) hands_on: bool,
    /// Manages everything.
    pub(crate) manages: bool,
}

/// What a visitor may do to one server.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Here {
    pub(crate) sees: bool,
    pub(crate) publishes: bool,
    pub(crate) approves: bool,
    pub(crate) operates: bool,
    /// Reads its usage, and who was granted what of it.
    pub(crate) audits: bool,
    pub(crate) manages: bool,
}

impl Offers {
    fn to(portal: &Portal, caller: &Caller) -> Self {
        let access = &portal.parts.access;
        let may = |action| access.may(caller, action, &Target::Installation).is_permit();
        let roles = access.roles(caller);
        let some = |action| roles.iter().any(|role| role.rights.includes(action));
        Self {
            views: some(Action::View),
            sees_all: may(Action::View),
            approves: some(Action::Approve),
            operates: may(Action::Operate),
            audits: may(Action::Audit),
            grants: some(Action::Audit),
            hands_on: some(Action::Manage),
            manages: may(Action::Manage),
        }
    }
}

/// A visitor, signed in or not.
#[derive(Debug, Clone)]
pub(crate) struct Visitor {
    pub(crate) caller: Caller,
    session: Option<Secret>,
    /// What is offered. The pages themselves ask again.
    offers: Offers,
    /// How much waits for a manager.
    waiting: u64,
}

impl Visitor {
    pub(crate) fn anonymous() -> Self {
        Self {
            caller: Caller::anonymous(),
            session: None,
            offers: Offers::default(),
            waiting: 0,
        }
    }

    /// The visitor behind a request's cookie. An unknown or ended session is nobody in particular.
    pub(crate) async fn find(portal: &Portal, headers: &HeaderMap) -> Result<Self, Failure> {
        let Some(session) = portal.cookie.read(headers) else {
            return Ok(Self::anonymous());
        };
        let access = &portal.parts.access;
        let Some(caller) = access.session(session.expose()).await? else {
            return Ok(Self::anonymous());
        };
        let offers = Offers::to(portal, &caller);
        let waiting = if offers.views {
            waiting(portal, &caller).await
        } else {
            0
        };
        Ok(Self {
            caller,
            session: Some(session),
            offers,
            waiting,
        })
    }

    /// The same visitor after something was decided: what waits is counted again.
    pub(crate) async fn again(mut self, portal: &Portal) -> Self {
        if self.offers.views {
            self.waiting = waiting(portal, &self.caller).await;
        }
        self
    }

    pub(crate) fn is_signed_in(&self) -> bool {
        self.caller.principal != Principal::Anonymous
    }

    /// Whether this visitor manages everything.
    pub(crate) const fn manages(&self) -> bool {
        self.offers.manages
    }

    /// What is offered to this visitor.
    pub(crate) const fn offers(&self) -> Offers {
        self.offers
    }

    /// What this visitor may do to one server.
    pub(crate) fn here(&self, portal: &Portal, name: &ServerName) -> Here {
        let target = Target::Server(name);
        let may = |action| portal.parts.access.may(&self.caller, action, &target).is_permit();
        let publishes = may(Action::Publish);
        let view = portal.parts.access.may(&self.caller, Action::View, &target);
        Here {
            sees: view.is_permit() || (publishes && !view.is_forbidden()),
            publishes,
            approves: may(Action::Approve),
            operates: may(Action::Operate),
            audits: may(Action::Audit),
            manages: may(Action::Manage),
        }
    }

    /// Refuses who is not signed in.
    pub(crate) fn require_known(&self) -> Result<(), Failure> {
        if self.is_signed_in() {
            Ok(())
        } else {
            Err(Failure::forbidden(self))
        }
    }

    /// Refuses whom a page is not for.
    pub(crate) fn require(&self, is_offered: bool) -> Result<(), Failure> {
        if is_offered {
            Ok(())
        } else {
            Err(Failure::forbidden(self))
        }
    }

    /// The secret of the session, for what must be bound to it.
    pub(crate) fn session(&self) -> Option<&Secret> {
        self.session.as_ref()
    }

    /// A token for one of the visitor's forms; empty for who has no session, and so no forms.
    pub(crate) fn token(&self, portal: &Portal, purpose: Purpose) -> String {
        self.session
            .as_ref()
            .map(|session| portal.forms.token(purpose, session))
            .unwrap_or_default()
    }

    /// Refuses a form that is not from our page for this visitor.
    pub(crate) fn check(
        &self,
        portal: &Portal,
        purpose: Purpose,
        token: Option<&str>,
    ) -> Result<(), Failure> {
        let session = self.session.as_ref().ok_or_else(|| Failure::forbidden(self))?;
        portal.forms.check_token(purpose, session, token)
    }

    /// What every page has around it.
    pub(crate) fn shell(&self, portal: &Portal, title: impl Into<String>, section: &'static str) -> Shell {
        let account = self.is_signed_in().then(|| Account {
            label: self.caller.label.to_string(),
            offers: self.offers,
            sign_out_token: self.token(portal, Purpose::SignOut),
        });
        Shell {
            title: title.into(),
            section,
            account,
            brand: Arc::clone(&portal.parts.brand.name),
            theme: portal.parts.brand.theme(),
            assets: portal.assets.paths(),
            waiting: (self.waiting > 0).then(|| words::counted(self.waiting, u64::from(COUNTED))),
            version: portal.parts.version,
        }
    }
}

/// How much waits. A page is not refused because of a number above it.
async fn waiting(portal: &Portal, caller: &Caller) -> u64 {
    let counts = portal.parts.registry.waiting_counts(caller, COUNTED).await;
    let counted = counts.map(|counts| counts.total()).unwrap_or_default();
    // Whoever can grant nothing costs no question here.
    let asked = portal.parts.access_requests.count(caller, COUNTED as usize);
    counted + asked.await.map_or(0, |asked| asked as u64)
}

impl<S: Sync> FromRequestParts<S> for Visitor {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Failure> {
        parts.extensions.get::<Self>().cloned().ok_or(Failure::Broken)
    }
}
