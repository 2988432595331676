//! Icons: what an entry names is fetched once it is listed, checked, and kept here. Pages show the kept picture; what
//! could not be had is a finding, and stops nothing.
//!
//! Before: `approve` or `profile` changed what an entry names. After: the portal shows it, and `api` hands it out.

pub(crate) mod fetch;
mod job;
mod wanted;

use std::collections::BTreeMap;

pub use job::{IconJob, IconParts};
use portreeve_core::caller::Caller;
use portreeve_core::decision::Action;
use portreeve_core::icon::{Icon, IconFace, IconFacts, IconTheme, NamedIcon};
use portreeve_core::id::IconId;
use portreeve_core::name::ServerName;
use portreeve_core::ports::{Entry, IconLook};
use portreeve_core::time::Timestamp;
use portreeve_net::Reach;
use serde_json::json;

use crate::assess::{Assessment, Finding, Severity};
use crate::error::RegistryError;
use crate::registry::Registry;
use wanted::{Wanted, wanted};

/// When something that could not be fetched is asked for again.
const AGAIN: std::time::Duration = std::time::Duration::from_secs(6 * 60 * 60);

/// What is fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fetch {
    /// What is not there yet.
    Missing,
    /// Everything.
    All,
}

/// The icons of a server as a page shows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// On a light background.
    pub light: IconId,
    /// On a dark one.
    pub dark: IconId,
}

// === impl Registry ===

impl Registry {
    /// The icon of that identity. It is for everybody who has its address.
    pub async fn icon(&self, id: IconId) -> Result<Icon, RegistryError> {
        let icon = self.parts.icons.icon(id).await?;
        icon.ok_or_else(|| RegistryError::NotFound {
            what: format!("icon `{id}`"),
        })
    }

    /// The icons that a server names. Publishers see where they lie and what went wrong, others what can be shown.
    pub async fn icons(&self, caller: &Caller, name: &ServerName) -> Result<Vec<NamedIcon>, RegistryError> {
        let entry = self.entry(caller, name).await?;
        let mut icons = self.parts.icons.icons_of(&entry.server.name).await?;
        let name = &entry.server.name;
        if !self.may_publish(caller, name) || !self.may_see(caller, name) {
            icons.retain(|icon| icon.icon.is_some());
            for icon in &mut icons {
                icon.url = String::new();
            }
        }
        Ok(icons)
    }

    /// Fetches the icons of a server again, whether they are there or not.
    pub async fn fetch_icons(
        &self,
        caller: &Caller,
        name: &ServerName,
    ) -> Result<Vec<NamedIcon>, RegistryError> {
        if !self.may_to(caller, Action::Operate, name) {
            self.require_publish(caller, name)?;
            // Each of them may be asked for somewhere else.
            let requests = u32::try_from(self.parts.limits.icons_per_server).unwrap_or(u32::MAX);
            self.count(caller, requests).await?;
        }
        let entry = self.load(name).await?;
        let known = self.parts.icons.icons_of(&entry.server.name).await?;
        let look = self.look(caller, &entry, &known, Fetch::All).await;
        let icons = look.icons.clone();
        self.parts.icons.save_icons(vec![look]).await?;
        // What was fetched may have been known, under another identity.
        if icons.is_empty() {
            return Ok(icons);
        }
        Ok(self.parts.icons.icons_of(&entry.server.name).await?)
    }

    /// Which icons stand beside the names of servers that somebody sees. Those without one are left out.
    pub async fn shown_icons(
        &self,
        servers: &[ServerName],
    ) -> Result<BTreeMap<ServerName, Shown>, RegistryError> {
        let faces = self.parts.icons.icon_faces(servers).await?;
        let mut shown = BTreeMap::new();
        for some in faces.chunk_by(|one, next| one.server == next.server) {
            let of = |theme: IconTheme| {
                let fits = |face: &&IconFace| face.theme.is_none_or(|made_for| made_for == theme);
                some.iter().find(fits).or(some.first())
            };
            if let (Some(light), Some(dark)) = (of(IconTheme::Light), of(IconTheme::Dark)) {
                let ids = Shown {
                    light: light.id,
                    dark: dark.id,
                };
                shown.insert(light.server.clone(), ids);
            }
        }
        Ok(shown)
    }

    /// Looks at what an entry names, and fetches it. `known` is what is stored of it.
    pub(super) async fn look(
        &self,
        caller: &Caller,
        entry: &Entry,
        known: &[NamedIcon],
        fetch: Fetch,
    ) -> IconLook {
        let name = &entry.server.name;
        let wanted = wanted(entry, &self.parts.limits);
        let now = self.parts.clock.now();
        let mut look = IconLook {
            server: name.clone(),
            revision: entry.revision,
            at: now,
            again_at: None,
            icons: Vec::with_capacity(wanted.len()),
            fetched: Vec::new(),
            events: Vec::new(),
        };
        let reach = Reach::granted(&entry.server.private_hosts);
        for one in wanted {
            let before = known.iter().find(|icon| icon.url == one.url);
            let kept = before.and_then(|icon| icon.icon.clone());
            let named = match kept.filter(|_| fetch == Fetch::Missing) {
                Some(facts) => one.named(now, Ok(facts)),
                None => {
                    let fetched = self.fetch_icon(&one.url, &reach).await;
                    one.named(now, fetched.map(|icon| keep(&mut look.fetched, icon)))
                }
            };
            if named.problem.is_some() {
                look.again_at = Some(now.plus(AGAIN));
            }
            look.icons.push(named);
        }
        if !same(known, &look.icons) {
            let mut event = self.event(caller, "server.icons", name);
            let failed = look.icons.iter().filter(|icon| icon.problem.is_some()).count();
            event.detail = Some(json!({ "shown": look.icons.len() - failed, "failed": failed }));
            look.events.push(event);
        }
        look
    }

    /// Adds to an assessment what is known of the icons. It stops nothing: what others show beside a name says little
    /// about what a server does.
    pub(crate) async fn with_icons(
        &self,
        name: &ServerName,
        mut assessment: Assessment,
    ) -> Result<Assessment, RegistryError> {
        let icons = self.parts.icons.icons_of(name).await?;
        let found = icons.into_iter().filter_map(|icon| {
            Some(Finding {
                assessor: "icons".to_owned(),
                severity: Severity::Low,
                path: icon.path,
                message: format!("it is not shown: {}", icon.problem?),
                evidence: None,
            })
        });
        assessment.findings.extend(found);
        assessment.score = self.in_brief(&assessment.findings).score;
        Ok(assessment)
    }
}

// === impl Wanted ===

impl Wanted {
    fn named(self, at: Timestamp, fetched: Result<IconFacts, String>) -> NamedIcon {
        let (icon, problem) = match fetched {
            Ok(facts) => (Some(facts), None),
            Err(reason) => (None, Some(reason)),
        };
        NamedIcon {
            path: self.path,
            url: self.url,
            theme: self.theme,
            icon,
            problem,
            checked_at: at,
        }
    }
}

/// Puts a picture to those that were fetched, and says what it is.
fn keep(fetched: &mut Vec<Icon>, icon: Icon) -> IconFacts {
    let facts = IconFacts {
        id: icon.id,
        hash: icon.hash.clone(),
        kind: icon.kind,
        size: icon.bytes.len() as u64,
    };
    fetched.push(icon);
    facts
}

/// Whether nothing is new, but for the moment.
fn same(before: &[NamedIcon], after: &[NamedIcon]) -> bool {
    let told = |icon: &NamedIcon| {
        (
            icon.path.clone(),
            icon.url.clone(),
            icon.theme,
            icon.icon.as_ref().map(|facts| facts.hash.clone()),
            icon.problem.clone(),
        )
    };
    before.iter().map(told).eq(after.iter().map(told))
}
