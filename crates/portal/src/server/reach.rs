//! On a server's page: who may use it, how one gets to, and how much it is used. Each question is about this server alone.

use std::time::Duration;

use portreeve_core::decision::{Action, Target};
use portreeve_core::name::ServerName;
use portreeve_core::ports::{Authorizer as _, Entry};
use portreeve_core::usage::UsageQuery;

use crate::failure::Failure;
use crate::fields::Fields;
use crate::router::Portal;
use crate::view::{Brief, Reach, ReachFacts};
use crate::visitor::{Here, Visitor};

/// How far back the usage in short looks.
const WEEK: Duration = Duration::from_secs(7 * 24 * 60 * 60);

/// Who may use it, as far as this visitor may know.
pub(super) async fn reach(
    portal: &Portal,
    visitor: &Visitor,
    (entry, is_local): (&Entry, bool),
    fields: &Fields,
) -> Result<Reach, Failure> {
    let name = &entry.server.name;
    let access = &portal.parts.access;
    let here = visitor.here(portal, name);
    // Everybody who ever got something would be read for every look at the page, so only who asks for it is told.
    let grants = if here.audits && fields.get("show") == Some("grants") {
        Some(access.grants_on(&visitor.caller, name).await?)
    } else {
        None
    };
    let asked = if visitor.is_signed_in() {
        portal
            .parts
            .access_requests
            .last_of(&visitor.caller, name)
            .await?
    } else {
        None
    };
    Ok(Reach::new(&ReachFacts {
        entry,
        is_local,
        is_known: visitor.is_signed_in(),
        may_use: access
            .may(&visitor.caller, Action::Discover, &Target::Server(name))
            .is_permit(),
        audits: here.audits,
        asked: asked.as_ref(),
        now: portal.parts.clock.now(),
        grants: grants.as_deref(),
    }))
}

/// What was called in the last week, for who may read it.
pub(super) async fn brief(
    portal: &Portal,
    visitor: &Visitor,
    name: &ServerName,
    here: Here,
) -> Result<Option<Brief>, Failure> {
    if !here.audits {
        return Ok(None);
    }
    let now = portal.parts.clock.now();
    let query = UsageQuery {
        from: now.minus(WEEK),
        to: now.plus(Duration::from_millis(1)),
        server: Some(name.clone()),
        client: None,
    };
    let rows = portal.parts.insight.usage(&visitor.caller, &query).await?;
    Ok(Some(Brief::new(&rows)))
}
